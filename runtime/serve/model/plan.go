package model

import (
	"context"
	"errors"
	"fmt"
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
	row    float64 // s of a processor that a row takes
}

// NewPlan serves an opened plan, which it then owns, and lets it answer once: a
// plan that cannot is an error now.
func NewPlan(ctx context.Context, r *wire.Runner) (*Plan, error) {
	p := &Plan{runner: r, plan: r.Plan()}
	var err error
	if p.row, err = p.try(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("plan %q does not answer a trial: %w", p.plan.Name, err), r.Close())
	}
	return p, nil
}

// try answers a made-up input and says how long it takes, of three times the
// shortest.
func (p *Plan) try(ctx context.Context) (float64, error) {
	in := wire.Inputs{}
	for i := range p.plan.Senses {
		if v := trial(&p.plan.Senses[i]); v != nil {
			in[p.plan.Senses[i].Name] = v
		}
	}
	var best time.Duration
	for range 3 {
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

// Runner is what answers.
func (p *Plan) Runner() *wire.Runner { return p.runner }

// Close implements [Model].
func (p *Plan) Close() error { return p.runner.Close() }

// Cost implements [Model]: rows, and of series and sounds what is longer than
// usual.
func (p *Plan) Cost(q *protocol.Request) float64 {
	rows := 1
	longer := 0.0
	for i := range q.Inputs {
		t := &q.Inputs[i]
		rows = max(rows, t.Rows())
		s := p.plan.Sense(t.Name)
		if s == nil {
			continue
		}
		switch {
		case s.PerTick && len(t.Shape) == 3:
			longer = max(longer, float64(t.Shape[1])/trialSteps)
		case t.Datatype == protocol.Bytes && s.Kind == modules.KindSound:
			for _, b := range t.List {
				longer = max(longer, float64(len(b))/(1<<20)) // a minute of speech
			}
		}
	}
	return p.row * float64(rows) * max(longer, 1)
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
func (p *Plan) Infer(ctx context.Context, q *protocol.Request, d *media.Decoder) (*protocol.Response, error) {
	return p.InferAloud(ctx, q, d, nil)
}

// InferAloud is [Plan.Infer] that lets the words of a request of one row be
// heard.
func (p *Plan) InferAloud(ctx context.Context, q *protocol.Request, d *media.Decoder, heard func(effector, sentence string)) (*protocol.Response, error) {
	rows, err := p.Rows(q, d)
	if err != nil {
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

// trialSteps is how long the series of a trial is.
const trialSteps = 8

// trial is what a sense is given in a trial; nil for one that is given nothing.
func trial(s *wiring.Sense) any {
	switch s.Kind {
	case modules.KindImage:
		return grey
	case modules.KindSound:
		return task.Sound{Samples: make([]float32, 16000), Rate: 16000}
	case modules.KindText:
		return "a"
	case wiring.KindVector:
		return make([]float32, s.Width)
	case wiring.KindSeries:
		return task.Series{Steps: trialSteps, Width: s.Width, Values: make([]float32, trialSteps*s.Width)}
	}
	return nil
}
