package model

import (
	"fmt"
	"image"
	"slices"
	"strings"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// MaxRows of a request.
const MaxRows = 256

// grey is the picture of a trial.
var grey = image.NewGray(image.Rect(0, 0, 64, 64))

// Rows are the inputs of a request's rows.
func (p *Plan) Rows(q *protocol.Request, d *media.Decoder) ([]wire.Inputs, error) {
	n := 1
	for i := range q.Inputs {
		t := &q.Inputs[i]
		if s := p.plan.Sense(t.Name); s == nil || s.Kind == wiring.KindMemory {
			return nil, p.unknown(t.Name)
		}
		rows := t.Rows()
		if i > 0 && rows != n {
			return nil, protocol.Invalid("input %q has %d rows, %q has %d", t.Name, rows, q.Inputs[0].Name, n)
		}
		if n = rows; n < 1 || n > MaxRows {
			return nil, protocol.Invalid("input %q has %d rows; want 1 to %d", t.Name, rows, MaxRows)
		}
	}
	out := make([]wire.Inputs, n)
	for i := range out {
		out[i] = wire.Inputs{}
	}
	for i := range q.Inputs {
		t := &q.Inputs[i]
		values, err := values(p.plan.Sense(t.Name), t, d)
		if err != nil {
			return nil, err
		}
		for k, v := range values {
			if v != nil {
				out[k][t.Name] = v
			}
		}
	}
	return out, nil
}

// unknown is the error of an input that there is not.
func (p *Plan) unknown(name string) error {
	var names []string
	for i := range p.plan.Senses {
		if p.plan.Senses[i].Kind != wiring.KindMemory {
			names = append(names, p.plan.Senses[i].Name)
		}
	}
	return protocol.Invalid("there is no input %q; the plan's senses are %s", name, strings.Join(names, ", "))
}

// values are a tensor's rows as a sense takes them; nil for a blank one.
func values(s *wiring.Sense, t *protocol.Tensor, d *media.Decoder) ([]any, error) {
	if t.Datatype != protocol.Bytes {
		return numbers(s, t, d)
	}
	if len(t.List) != t.Rows() {
		return nil, protocol.Invalid("input %q: BYTES of shape %v; want one element a row", t.Name, t.Shape)
	}
	out := make([]any, len(t.List))
	for i, b := range t.List {
		v, err := Decode(s, b, d)
		if err != nil && len(t.List) > 1 {
			return nil, at(err, "input %q, row %d", t.Name, i)
		}
		if err != nil {
			return nil, at(err, "input %q", t.Name)
		}
		out[i] = v
	}
	return out, nil
}

// at says where an error was.
func at(err error, format string, args ...any) error {
	if e, ok := err.(*protocol.Error); ok {
		return &protocol.Error{Status: e.Status, Text: fmt.Sprintf(format, args...) + ": " + e.Text, After: e.After}
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// Decode decodes what a sense is given as bytes: a picture or a sound in any
// format that is read, as it is or in base64, or a text; nil for no bytes, but
// of a sense that takes texts alone.
func Decode(s *wiring.Sense, b []byte, d *media.Decoder) (any, error) {
	var kinds []string
	for _, e := range s.All() {
		kinds = append(kinds, e.Kind)
	}
	takes := func(kind string) bool { return slices.Contains(kinds, kind) }
	if takes(modules.KindText) && len(kinds) == 1 {
		return string(b), nil
	}
	b = media.Unwrapped(b)
	switch {
	case len(b) == 0:
		return nil, nil
	case takes(modules.KindImage) && !(takes(modules.KindSound) && media.IsSound(b)):
		return orText(takes(modules.KindText), b, func() (any, error) { return d.Picture(b) })
	case takes(modules.KindSound):
		return orText(takes(modules.KindText), b, func() (any, error) { return d.Sound(b) })
	}
	return nil, protocol.Invalid("sense %q takes %s: give numbers, not BYTES", s.Name, strings.Join(kinds, " or "))
}

// orText is a text where nothing else is known of the bytes and one may be.
func orText(text bool, b []byte, decode func() (any, error)) (any, error) {
	if text && !media.IsSound(b) && !media.IsPicture(b) {
		return string(b), nil
	}
	return decode()
}

// numbers are a tensor's rows of numbers as a sense takes them.
func numbers(s *wiring.Sense, t *protocol.Tensor, d *media.Decoder) ([]any, error) {
	v, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	n := t.Rows()
	each := len(v) / n
	row := func(i int) []float32 { return v[i*each:][:each:each] }
	out := make([]any, n)
	switch {
	case s.Kind == wiring.KindVector:
		if each != s.Width {
			return nil, protocol.Invalid("input %q: rows of %d numbers; want %d", t.Name, each, s.Width)
		}
		for i := range out {
			out[i] = row(i)
		}
	case s.Kind == wiring.KindSeries:
		if len(t.Shape) != 3 || t.Shape[2] != s.Width || t.Shape[1] < 1 {
			return nil, protocol.Invalid("input %q: shape %v; want [rows, steps, %d]", t.Name, t.Shape, s.Width)
		}
		for i := range out {
			out[i] = task.Series{Steps: t.Shape[1], Width: s.Width, Values: row(i)}
		}
	case s.Kind == modules.KindImage:
		if len(t.Shape) != 4 {
			return nil, protocol.Invalid("input %q: a picture of shape %v; want [rows, height, width, channels]", t.Name, t.Shape)
		}
		top := float32(1)
		if t.Datatype == protocol.Uint8 {
			top = 255
		}
		for i := range out {
			if out[i], err = d.Numbers(row(i), t.Shape[1], t.Shape[2], t.Shape[3], top); err != nil {
				return nil, at(err, "input %q", t.Name)
			}
		}
	case s.Kind == modules.KindSound:
		rate, _ := t.Parameters["rate"].(float64)
		if len(t.Shape) != 2 || each < 1 || !(rate >= 1000 && rate <= 384000) {
			return nil, protocol.Invalid("input %q: a sound of shape %v at a rate of %v; want [rows, samples] and a parameter \"rate\", samples/s", t.Name, t.Shape, t.Parameters["rate"])
		}
		if float64(each) > d.Seconds*rate {
			return nil, protocol.Errorf(413, "input %q: a sound of %.1f s; at most %.1f are taken", t.Name, float64(each)/rate, d.Seconds)
		}
		for i := range out {
			out[i] = task.Sound{Samples: row(i), Rate: int(rate)}
		}
	default:
		return nil, protocol.Invalid("input %q is %s and was given %s; want BYTES", t.Name, s.Kind, t.Datatype)
	}
	return out, nil
}
