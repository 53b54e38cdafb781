package model

import (
	"encoding/json"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Text is the answer of the first effector in words; "" of numbers.
func (p *Plan) Text(a *wire.Answer) string {
	e := &p.plan.Effectors[0]
	return said(e.Settings.Bool("many"), a, e.Name)
}

// DecodeJSON decodes what a sense is given in JSON: a text, a picture or sound
// in base64, a list of numbers, or a list of such lists, one a step.
func DecodeJSON(s *wiring.Sense, raw []byte, d *media.Decoder) (any, error) {
	var err error
	switch s.Kind {
	case wiring.KindVector:
		var v []float32
		if err = json.Unmarshal(raw, &v); err == nil && len(v) == s.Width {
			return v, nil
		}
		if err == nil {
			return nil, protocol.Invalid("sense %q: %d numbers; want %d", s.Name, len(v), s.Width)
		}
	case wiring.KindSeries:
		var steps [][]float32
		if err = json.Unmarshal(raw, &steps); err == nil {
			return series(s, steps)
		}
	default:
		var text string
		if err = json.Unmarshal(raw, &text); err != nil {
			break
		}
		v, err := Decode(s, []byte(text), d)
		if err != nil {
			return nil, at(err, "sense %q", s.Name)
		}
		return v, nil
	}
	return nil, protocol.Invalid("sense %q of kind %s: %v", s.Name, s.Kind, err)
}

func series(s *wiring.Sense, steps [][]float32) (any, error) {
	out := task.Series{Steps: len(steps), Width: s.Width}
	if len(steps) == 0 {
		return nil, protocol.Invalid("sense %q: a series without steps", s.Name)
	}
	for i, row := range steps {
		if len(row) != s.Width {
			return nil, protocol.Invalid("sense %q: step %d has %d numbers; want %d", s.Name, i, len(row), s.Width)
		}
		out.Values = append(out.Values, row...)
	}
	return out, nil
}
