package wiring

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// Settings are the options of a head or a task, as they stand in plan.yaml:
// strings, numbers, truth values, and lists of strings or numbers.
type Settings map[string]any

// Text returns a string, "" when there is none.
func (s Settings) Text(key string) string { v, _ := s[key].(string); return v }

// Bool returns a truth value, false when there is none.
func (s Settings) Bool(key string) bool { v, _ := s[key].(bool); return v }

// Int returns a whole number, 0 when there is none.
func (s Settings) Int(key string) int {
	switch v := s[key].(type) {
	case int:
		return v
	case int64:
		return int(v)
	case uint64:
		return int(min(v, math.MaxInt))
	case float64:
		return int(v)
	}
	return 0
}

// Float returns a number, otherwise when there is none.
func (s Settings) Float(key string, otherwise float64) float64 {
	switch v := s[key].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return otherwise
}

// Texts returns a list of strings; numbers in it are written out.
func (s Settings) Texts(key string) []string {
	switch v := s[key].(type) {
	case []string:
		return v
	case []any:
		out := make([]string, len(v))
		for i, x := range v {
			out[i] = fmt.Sprint(x)
		}
		return out
	}
	return nil
}

// Floats returns a list of numbers.
func (s Settings) Floats(key string) []float64 {
	switch v := s[key].(type) {
	case []float64:
		return v
	case []any:
		out := make([]float64, len(v))
		for i := range v {
			out[i] = Settings{"": v[i]}.Float("", math.NaN())
		}
		return out
	}
	return nil
}

// Check reports a key that is not among those known.
func (s Settings) Check(known ...string) error {
	for _, key := range s.keys() {
		if !slices.Contains(known, key) {
			return fmt.Errorf("unknown setting %q%s; there are: %s", key, edit.Suggestion(key, known), strings.Join(known, ", "))
		}
	}
	return nil
}

// keys lists the settings' names in order.
func (s Settings) keys() []string {
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Clone returns a copy that shares nothing that may be changed.
func (s Settings) Clone() Settings {
	if s == nil {
		return nil
	}
	out := make(Settings, len(s))
	for k, v := range s {
		switch v := v.(type) {
		case []any:
			out[k] = slices.Clone(v)
		case []string:
			out[k] = slices.Clone(v)
		case []float64:
			out[k] = slices.Clone(v)
		default:
			out[k] = v
		}
	}
	return out
}

// tidy brings what YAML gives into one form: int, float64, string, bool,
// []string and []float64. Anything else is an error.
func (s Settings) tidy() error {
	for _, key := range s.keys() {
		v, err := tidySetting(s[key])
		if err != nil {
			return fmt.Errorf("setting %q: %w", key, err)
		}
		s[key] = v
	}
	return nil
}

func tidySetting(v any) (any, error) {
	switch v := v.(type) {
	case string, bool, int, []string, []float64:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is not a number to work with", v)
		}
		return v, nil
	case int64, uint64:
		return Settings{"": v}.Int(""), nil
	case []any:
		numbers := len(v) > 0
		for _, x := range v {
			switch x := x.(type) {
			case string, bool:
				numbers = false
			case int, int64, uint64, float64:
			default:
				return nil, fmt.Errorf("a list holds %T, want strings or numbers", x)
			}
		}
		if numbers {
			return Settings{"": v}.Floats(""), nil
		}
		return Settings{"": v}.Texts(""), nil
	}
	return nil, fmt.Errorf("%T is no setting; want a string, a number, true or false, or a list", v)
}

// SettingYAML writes a value of [Settings] as YAML on one line.
func SettingYAML(v any) string {
	switch v := v.(type) {
	case string:
		return scalar(v)
	case float64:
		return number(v)
	case []string:
		out := make([]string, len(v))
		for i, x := range v {
			out[i] = scalar(x)
		}
		return "[" + strings.Join(out, ", ") + "]"
	case []float64:
		out := make([]string, len(v))
		for i, x := range v {
			out[i] = number(x)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return fmt.Sprint(v)
}
