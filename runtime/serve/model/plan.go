package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Plan is an opened plan.
type Plan struct {
	runner *wire.Runner
	plan   *wiring.Plan
	row    float64            // s of a processor that a row of a trial takes
	longer map[string]float64 // by sense: s that a step of a series, or a second of a sound, takes more
}

// NewPlan serves an opened plan, which it then owns, and lets it answer: a plan
// that cannot is an error now. How long it takes is what its requests are
// weighed by.
func NewPlan(ctx context.Context, r *wire.Runner) (*Plan, error) {
	p := &Plan{runner: r, plan: r.Plan(), longer: map[string]float64{}}
	if err := p.try(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("plan %q does not answer a trial: %w", p.plan.Name, err), r.Close())
	}
	return p, nil
}

// A trial is of one size, and of another in a sense that takes what may be long:
// seconds of sounds, steps of series.
const (
	usual = 1
	long  = 10
)

// try answers made-up inputs and times them, the shortest of three times.
func (p *Plan) try(ctx context.Context) (err error) {
	in := wire.Inputs{}
	for i := range p.plan.Senses {
		if v := trial(&p.plan.Senses[i], usual); v != nil {
			in[p.plan.Senses[i].Name] = v
		}
	}
	if p.row, err = p.time(ctx, in, 3); err != nil {
		return err
	}
	for i := range p.plan.Senses {
		s := &p.plan.Senses[i]
		if s.Kind != modules.KindSound && !s.PerTick {
			continue
		}
		more := maps.Clone(in)
		more[s.Name] = trial(s, long)
		took, err := p.time(ctx, more, 1)
		if err != nil {
			return err
		}
		p.longer[s.Name] = max(took-p.row, 0) / (size(more[s.Name]) - size(in[s.Name]))
	}
	return nil
}

// time is the shortest time in which an input is answered, s.
func (p *Plan) time(ctx context.Context, in wire.Inputs, times int) (float64, error) {
	var best time.Duration
	for range times {
		began := time.Now()
		if _, err := p.runner.Run(ctx, in); err != nil {
			return 0, err
		}
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
	}
	return best.Seconds(), nil
}

// size is how long an input is: seconds of a sound, steps of a series.
func size(v any) float64 {
	switch v := v.(type) {
	case task.Sound:
		return float64(len(v.Samples)) / float64(max(v.Rate, 1))
	case task.Series:
		return float64(v.Steps)
	}
	return 0
}

// Runner is what answers.
func (p *Plan) Runner() *wire.Runner { return p.runner }

// Close implements [Model].
func (p *Plan) Close() error { return p.runner.Close() }

// Cost implements [Model].
func (p *Plan) Cost(q *protocol.Request) float64 {
	rows := 1
	for i := range q.Inputs {
		rows = max(rows, q.Inputs[i].Rows())
	}
	return p.row * float64(rows)
}

// Weight is about how long decoded rows take one processor, s: sounds and series
// by their lengths.
func (p *Plan) Weight(rows ...wire.Inputs) (seconds float64) {
	for _, in := range rows {
		seconds += p.row
		for name, v := range in {
			if each := p.longer[name]; each > 0 {
				seconds += each * max(size(v)-size(trial(p.plan.Sense(name), usual)), 0)
			}
		}
	}
	return seconds
}

// Metadata implements [Model].
func (p *Plan) Metadata() protocol.Metadata {
	m := protocol.Metadata{Platform: "wire_plan", Inputs: []protocol.Port{}, Outputs: []protocol.Port{}}
	for i := range p.plan.Senses {
		if s := &p.plan.Senses[i]; s.Kind != wiring.KindMemory {
			m.Inputs = append(m.Inputs, inputOf(s))
		}
	}
	for i := range p.plan.Effectors {
		m.Outputs = append(m.Outputs, p.outputsOf(i)...)
	}
	m.Outputs = append(m.Outputs, protocol.Port{Name: Answers, Datatype: protocol.Bytes, Shape: []int{-1}})
	return m
}

// inputOf is a sense as an input.
func inputOf(s *wiring.Sense) protocol.Port {
	kinds := make([]string, 0, 1)
	for _, e := range s.All() {
		kinds = append(kinds, e.Kind)
	}
	port := protocol.Port{Name: s.Name, Datatype: protocol.Bytes, Shape: []int{-1}, Parameters: map[string]any{"kinds": strings.Join(kinds, ","), "optional": true}}
	switch {
	case s.PerTick:
		port.Datatype, port.Shape = protocol.FP32, []int{-1, -1, s.Width}
	case s.Kind == wiring.KindVector:
		port.Datatype, port.Shape = protocol.FP32, []int{-1, s.Width}
	}
	return port
}

// Infer implements [Model].
func (p *Plan) Infer(ctx context.Context, q *protocol.Request, d *media.Decoder, weigh func(float64) error) (*protocol.Response, error) {
	return p.InferAloud(ctx, q, d, weigh, nil)
}

// InferAloud is [Plan.Infer] that lets the words of a request of one row be
// heard.
func (p *Plan) InferAloud(ctx context.Context, q *protocol.Request, d *media.Decoder, weigh func(float64) error, heard func(effector, sentence string)) (*protocol.Response, error) {
	rows, err := p.Rows(q, d)
	if err != nil {
		return nil, err
	}
	if err := weigh(p.Weight(rows...)); err != nil {
		return nil, err
	}
	if len(rows) > 1 {
		heard = nil
	}
	answers := make([]*wire.Answer, len(rows))
	failed := make([]error, len(rows))
	var wg sync.WaitGroup
	for i, in := range rows {
		wg.Go(func() { answers[i], failed[i] = p.runner.Listen(ctx, in, heard) })
	}
	wg.Wait()
	for i, err := range failed {
		if err != nil && len(rows) > 1 {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		if err != nil {
			return nil, err
		}
	}
	outputs, err := p.outputs(answers, q.Outputs)
	if err != nil {
		return nil, err
	}
	return &protocol.Response{Outputs: outputs, Parameters: p.faults(answers)}, nil
}

// faults says what was silenced; nil where nothing was.
func (p *Plan) faults(answers []*wire.Answer) map[string]any {
	var all []string
	for i, a := range answers {
		for _, f := range a.Faults {
			all = append(all, fmt.Sprintf("row %d: %s", i, f))
		}
	}
	if all == nil {
		return nil
	}
	return map[string]any{"faults": strings.Join(all, "; ")}
}

// Listen answers one input and lets the words be heard, see
// [wire.Runner.Listen].
func (p *Plan) Listen(ctx context.Context, in wire.Inputs, heard func(effector, sentence string)) (*wire.Answer, error) {
	return p.runner.Listen(ctx, in, heard)
}

// trial is what a sense is given in a trial, so many times as long as usual; nil
// for one that is given nothing.
func trial(s *wiring.Sense, times int) any {
	switch s.Kind {
	case modules.KindImage:
		return grey
	case modules.KindSound:
		const rate = 16000
		return task.Sound{Samples: make([]float32, rate*times), Rate: rate}
	case modules.KindText:
		return "a"
	case wiring.KindVector:
		return make([]float32, s.Width)
	case wiring.KindSeries:
		steps := 8 * times
		return task.Series{Steps: steps, Width: s.Width, Values: make([]float32, steps*s.Width)}
	}
	return nil
}
