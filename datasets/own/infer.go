package own

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// mostly is the share of values that must look like numbers for a column to be
// taken as such; the others are bad then. Short columns must be so throughout.
const (
	mostly = 0.9
	enough = 10
)

func most(n, of int) bool {
	return of > 0 && (n == of || of >= enough && float64(n) >= mostly*float64(of))
}

// guess finds out what a column is, from all of its values.
func (b *builder) guess(k int) Kind {
	name := strings.ToLower(b.d.Columns[k].Name)
	var there, data, steps, many, images, sounds, numbers, whole, lists, words int
	counts := map[string]int{}
	for _, r := range b.d.Rows {
		v := &r.Values[k]
		if v.Missing {
			continue
		}
		there++
		if v.Data != nil {
			data++
			if v.Steps > 0 {
				steps++
			}
			continue
		}
		if len(v.Texts) > 1 {
			many++
		}
		t := v.Text()
		counts[t]++
		words += len(strings.Fields(t))
		switch mediaKind(t) {
		case Image:
			images++
		case Sound:
			sounds++
		}
		if x, err := strconv.ParseFloat(t, 64); err == nil {
			numbers++
			if x == math.Trunc(x) {
				whole++
			}
		} else if strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") {
			lists++
		}
	}
	few := len(counts)*2 <= there // every value twice, on average
	switch {
	case there == 0:
		return Text
	case most(data, there):
		if 2*steps > data {
			return Series
		}
		return Vector
	case 2*images > there: // nothing else has names of pictures; the others are bad
		return Image
	case 2*sounds > there:
		return Sound
	case most(lists, there):
		return Vector
	case many == 0 && most(numbers, there):
		if whole == there && few && slices.Contains([]string{"label", "labels", "class", "category", "species"}, name) {
			return Label
		}
		return Number
	case slices.Contains(captionNames, name) || name == "question":
		return Text
	case slices.Contains(labelNames, name):
		return Label
	case words <= 3*there && few:
		return Label
	}
	return Text
}

// empties are what tables write where they have nothing.
var empties = []string{"NA", "N/A", "n/a", "null", "None", "-"}

// convert makes the values of a column what its kind says.
func (b *builder) convert(k int, folder string) {
	c := &b.d.Columns[k]
	for _, r := range b.d.Rows {
		v := &r.Values[k]
		if v.Missing {
			continue
		}
		t := v.Text()
		if c.Kind != Text && v.Data == nil && slices.Contains(empties, t) {
			*v = Value{Missing: true}
			continue
		}
		switch c.Kind {
		case Image, Sound:
			switch {
			case len(v.Texts) != 1:
				b.f.cell(r, k, FaultSyntax, "not the name of one file")
			case strings.Contains(t, "://"):
				b.f.cell(r, k, FaultFile, "%s is an address: fetch the file, and name it by its path", t)
			case v.Path == "":
				v.Path = resolve(folder, t)
			}
		case Number:
			x, err := strconv.ParseFloat(t, 64)
			if len(v.Texts) != 1 || err != nil && !math.IsInf(x, 0) {
				b.f.cell(r, k, FaultNumber, "%q is not a number", shorten(t))
			}
			v.Number = x
		case Vector, Series:
			b.toVector(r, k)
		case Text, Label:
			if v.Data != nil {
				b.f.cell(r, k, FaultSyntax, "numbers where other rows have words")
				continue
			}
			if s := b.d.Options.Separator; s != "" && len(v.Texts) == 1 {
				v.Texts = strings.Split(t, s)
			}
			for i := range v.Texts {
				v.Texts[i] = strings.TrimSpace(v.Texts[i])
			}
		}
	}
}

// toVector reads a list of numbers that was written as text, and makes a
// series of a list where a series is wanted.
func (b *builder) toVector(r *Row, k int) {
	v := &r.Values[k]
	if v.Data == nil {
		t := v.Text()
		x, err := parseNumbers(t)
		if len(v.Texts) != 1 || err != nil {
			b.f.cell(r, k, FaultNumber, "%q is not a list of numbers, such as [0.5, 1, 2]", shorten(t))
			return
		}
		*v = Value{Data: x}
	}
	if b.d.Columns[k].Kind == Series && v.Steps == 0 {
		v.Steps = len(v.Data)
	}
	if b.d.Columns[k].Kind == Vector {
		v.Steps = 0
	}
}

// parseNumbers reads "[1, 2]" or "1 2".
func parseNumbers(t string) ([]float32, error) {
	if strings.HasPrefix(t, "[") {
		var x []float32
		err := json.Unmarshal([]byte(t), &x)
		if err == nil && x == nil {
			x = []float32{}
		}
		return x, err
	}
	x := []float32{}
	for _, field := range strings.FieldsFunc(t, func(r rune) bool { return r == ' ' || r == '\t' || r == ';' || r == ',' }) {
		f, err := strconv.ParseFloat(field, 32)
		if err != nil {
			return nil, err
		}
		x = append(x, float32(f))
	}
	return x, nil
}

// shorten cuts a text for an error.
func shorten(t string) string {
	if r := []rune(t); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return t
}
