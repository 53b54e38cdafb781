package learn

import (
	"context"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/task"
)

// Question is one input and what is asked about an effector's predictions of
// it, for [Attribute].
type Question struct {
	// Inputs are what enters, standardised, by the plan's senses, [numbers] or
	// [Steps, numbers]; nil for nothing.
	Inputs [][]float32
	Steps  int
	// Effector is the plan's, Readout its arithmetic.
	Effector int
	Readout  head.Readout
	// Parts are the modules of the plan's parts.
	Parts []part.Module
	// Target says which states are read, and what comes back in meanwhile.
	Target *task.Target
	// Times is how many functions of the predictions are asked about, side by
	// side; 0 means 1.
	Times int
	// Gradient replaces predictions, [rows, width], the target's rows Times
	// times, those of one reading together and in it function by function, by
	// the gradients of the functions.
	Gradient func(predictions []float32)
}

// Attribute returns for each function of a question what every tract gives to it
// to first order, [functions][tracts]: the sum over ticks of what the tract
// brings, times the function's gradient by it. That is how much the function would fall
// without the tract if it were linear in what tracts bring (gradient times
// input, Shrikumar, Greenside and Kundaje 2017; of whole connections as edge
// attribution patching, Syed, Rager and Conmy 2023). One pass forward and one
// back serve all tracts.
func Attribute(ctx context.Context, p *wiring.Plan, q Question) ([][]float64, error) {
	times := max(q.Times, 1)
	d := &Data{Parts: q.Parts, Aims: []Aim{{
		Effector: q.Effector, Weight: 1, Loss: &asking{make([]task.Reading, q.Readout.Readings()), q.Gradient},
		Bind: func(*wiring.Plan) (head.Readout, error) { return q.Readout, nil },
	}}}
	for i := range p.Senses {
		d.Senses, d.Numbers = append(d.Senses, p.Senses[i].Name), append(d.Numbers, p.Senses[i].Numbers())
	}
	net, err := newNetwork(p, d)
	if err != nil {
		return nil, err
	}
	s := &shard{steps: q.Steps, weights: make([][]float32, 1)}
	for range times {
		s.items = append(s.items, drawn{sample: &Sample{}, targets: []*task.Target{q.Target}, last: max(q.Target.Last(), 1), side: -1})
	}
	for i, x := range q.Inputs {
		var rows []float32
		if n := d.Numbers[i]; x != nil {
			for at := 0; at < len(x); at += n { // once, or every step
				rows = append(rows, slices.Repeat(x[at:at+n], times)...)
			}
		}
		s.inputs = append(s.inputs, rows)
	}
	t := &tape{net: net}
	for range times {
		t.tracts = append(t.tracts, make([]float64, len(p.Tracts)))
	}
	grad := newGradients(p, net.aims)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.forward(s); err != nil {
		return nil, err
	}
	t.clearGradients()
	if err := t.read(s); err != nil {
		return nil, err
	}
	t.score(true, false, newSums(net.aims))
	if err := t.unread(grad); err != nil {
		return nil, err
	}
	if err := t.backward(s, grad); err != nil {
		return nil, err
	}
	return t.tracts, nil
}

// asking is a loss that leaves the gradients that a question asks for.
type asking struct {
	readings []task.Reading
	gradient func([]float32)
}

func (a *asking) Readings() []task.Reading { return a.readings }
func (a *asking) Joint() bool              { return false }

func (a *asking) Score(b *task.Batch, _ bool) []task.Sum {
	a.gradient(b.Predictions)
	return make([]task.Sum, len(a.readings))
}

func (a *asking) Metrics([]task.Sum) (map[string]float64, string) { return nil, "" }
