package wire

import (
	"context"
	"fmt"
	"sync"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/live"
	"github.com/connectomewire/wire/wiring"
)

// Stream answers a series while it comes in. It has a network of its own; calls
// from several goroutines wait for each other. For senses on clocks of their
// own, see package runtime/live and `wire run --stream`.
type Stream struct {
	runner  *Runner
	sense   *wiring.Sense
	session *answer.Session
	decode  answer.Options

	mu sync.Mutex
}

// Stream begins a series that enters by a sense of kind series. The plan's state
// goes on from step to step, so that each answer has the bits of [Runner.Run] on
// everything so far and costs as much as one step.
func (r *Runner) Stream(sense string) (*Stream, error) {
	s := r.plan.Sense(sense)
	if s == nil || !s.PerTick {
		return nil, fmt.Errorf("wire: plan %q has no sense %q that takes a series", r.plan.Name, sense)
	}
	session, err := r.session.Another()
	if err != nil {
		return nil, err
	}
	return &Stream{runner: r, sense: s, session: session, decode: r.decode}, nil
}

// Push gives the next step and answers: [Answer.Vector] is what effectors make
// of the series up to it. Other senses get what given holds, nil for nothing. A
// stream whose push failed in the network begins anew.
func (s *Stream) Push(ctx context.Context, step []float32, given Inputs) (*Answer, error) {
	if width := s.sense.Width; len(step) != width {
		return nil, fmt.Errorf("wire: a step of %d numbers; sense %q takes %d", len(step), s.sense.Name, width)
	}
	in := Inputs{s.sense.Name: Series{Steps: 1, Width: len(step), Values: step}}
	for name, v := range given {
		if name != s.sense.Name {
			in[name] = v
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out *Answer
	err := s.runner.within(ctx, func(ctx context.Context) error {
		encoded, err := s.session.Encode(ctx, in)
		if err != nil {
			return err
		}
		answers, err := s.session.Answer(ctx, []*answer.Encoded{encoded}, s.decode)
		if s.decode.Continue = err == nil; err != nil {
			return err
		}
		out = &Answer{answers[0]}
		return nil
	})
	return out, err
}

// Live answers a stream of senses on clocks of their own, with a network of its
// own, until its sources have ended or ctx does: [live.Run]. Answers are made as
// the runner makes them. emit gets each line as it comes.
func (r *Runner) Live(ctx context.Context, inputs []live.Input, o live.Options, emit func(live.Line) error) (*live.Summary, error) {
	session, err := r.session.Another()
	if err != nil {
		return nil, err
	}
	o.Decode = r.decode
	var sum *live.Summary
	err = r.within(ctx, func(ctx context.Context) (err error) {
		sum, err = live.Run(ctx, session, inputs, o, emit)
		return err
	})
	return sum, err
}
