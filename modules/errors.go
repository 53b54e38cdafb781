package modules

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// Errors that engines wrap, for errors.Is.
var (
	// ErrInput reports a missing, unknown or ill-shaped input, or an output
	// that the model does not have.
	ErrInput = errors.New("bad input")
	// ErrModel reports a malformed model.
	ErrModel = errors.New("malformed model")
	// ErrClosed reports a call of a closed session.
	ErrClosed = errors.New("session is closed")
	// ErrNoLibrary reports that an engine's native library is not installed
	// or not usable.
	ErrNoLibrary = errors.New("library not available")
)

// UnsupportedError reports a model that an engine understands but cannot
// run.
type UnsupportedError struct {
	Engine string // "go" or "onnxruntime"
	// Operators that stop it, such as "If" or "com.microsoft.Attention", in
	// the model's order without repeats; may be empty.
	Operators []string
	// Reason says what else is in the way; may be empty.
	Reason string
}

func (e *UnsupportedError) Error() string {
	var parts []string
	if len(e.Operators) > 0 {
		parts = append(parts, "operators "+strings.Join(e.Operators, ", "))
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	return fmt.Sprintf("the %s engine cannot run this model: %s", e.Engine, strings.Join(parts, "; "))
}

// CheckInputs reports what is wrong with the inputs of a call: a missing or
// unknown name, another element type, rank or fixed dimension than declared,
// data that do not match the shape, or two sizes for one symbolic dimension.
// The error wraps [ErrInput].
func CheckInputs(infos []TensorInfo, inputs map[string]*Tensor) error {
	for i := range infos {
		if err := checkInput(&infos[i], inputs[infos[i].Name]); err != nil {
			return err
		}
	}
	if len(inputs) > len(infos) {
		return unknownInput(infos, inputs)
	}
	return checkSymbols(infos, inputs)
}

func checkInput(info *TensorInfo, t *Tensor) error {
	if t == nil {
		return fmt.Errorf("%w: input %q (%s) is missing", ErrInput, info.Name, info)
	}
	if info.Optional && t.DType == Absent {
		return nil
	}
	if t.DType != info.DType {
		return fmt.Errorf("%w: input %q is %s, the model wants %s", ErrInput, info.Name, t.DType, info.DType)
	}
	if err := t.Validate(); err != nil {
		return fmt.Errorf("%w: input %q: %v", ErrInput, info.Name, err)
	}
	if info.Shape == nil {
		return nil
	}
	fits := len(t.Shape) == len(info.Shape)
	for k := 0; fits && k < len(t.Shape); k++ {
		fits = info.Shape[k] < 0 || info.Shape[k] == t.Shape[k]
	}
	if !fits {
		return fmt.Errorf("%w: input %q has shape %v, the model wants %s", ErrInput, info.Name, t.Shape, info)
	}
	return nil
}

func unknownInput(infos []TensorInfo, inputs map[string]*Tensor) error {
	known := make([]string, len(infos))
	have := map[string]bool{}
	for i := range infos {
		known[i] = infos[i].Name
		have[infos[i].Name] = true
	}
	var extra []string
	for name := range inputs {
		if !have[name] {
			extra = append(extra, name)
		}
	}
	sort.Strings(extra)
	return fmt.Errorf("%w: the model has no input %q%s; it has %s", ErrInput, extra[0], suggestion(extra[0], known), strings.Join(known, ", "))
}

// checkSymbols makes sure that a symbolic dimension has one size. Models
// have few symbols, so a search is cheaper than a map.
func checkSymbols(infos []TensorInfo, inputs map[string]*Tensor) error {
	for i := range infos {
		for k, symbol := range infos[i].Symbols {
			if symbol == "" || infos[i].Shape == nil || infos[i].Shape[k] >= 0 {
				continue
			}
			size := inputs[infos[i].Name].Shape[k]
			if j, other := firstUse(infos[:i+1], inputs, symbol); other != size {
				return fmt.Errorf("%w: dimension %q is %d in input %q and %d in input %q", ErrInput, symbol, other, infos[j].Name, size, infos[i].Name)
			}
		}
	}
	return nil
}

func firstUse(infos []TensorInfo, inputs map[string]*Tensor, symbol string) (input, size int) {
	for i := range infos {
		for k, s := range infos[i].Symbols {
			if s == symbol && infos[i].Shape != nil && infos[i].Shape[k] < 0 {
				return i, inputs[infos[i].Name].Shape[k]
			}
		}
	}
	return -1, -1
}

// String writes the port as manifests and messages do: float32 [batch, 3, 64, 64].
func (info *TensorInfo) String() string {
	if info.Shape == nil {
		return info.DType.String() + " of any shape"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s [", info.DType)
	for k, d := range info.Shape {
		if k > 0 {
			b.WriteString(", ")
		}
		switch {
		case d >= 0:
			fmt.Fprintf(&b, "%d", d)
		case k < len(info.Symbols) && info.Symbols[k] != "":
			b.WriteString(info.Symbols[k])
		default:
			b.WriteByte('?')
		}
	}
	b.WriteByte(']')
	return b.String()
}

// UnknownOutput is the error for an output the model does not have.
func UnknownOutput(infos []TensorInfo, name string) error {
	known := make([]string, len(infos))
	for i := range infos {
		known[i] = infos[i].Name
	}
	return fmt.Errorf("%w: the model has no output %q%s; it has %s", ErrInput, name, suggestion(name, known), strings.Join(known, ", "))
}

// suggestion is `; did you mean "x"?` for the known name nearest to name, or
// "" when none is near.
func suggestion(name string, known []string) string { return edit.Suggestion(name, known) }
