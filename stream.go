package wire

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
)

// Stream answers a series while it comes in. It is not safe for concurrent
// use; several streams of one runner are.
type Stream struct {
	runner *Runner
	sense  *wiring.Sense
	window int
	given  Inputs
	past   []float32
}

// Stream begins a series that enters by a sense of kind series. Each answer
// comes of the last window steps, which is all that is kept: within the first
// window it has the bits of [Runner.Run] on everything so far; after that the
// plan's state forgets what lies before. A push costs as much as a run of the
// window. What given holds for other senses goes with every step.
func (r *Runner) Stream(sense string, window int, given Inputs) (*Stream, error) {
	s := r.plan.Sense(sense)
	if s == nil || !s.PerTick {
		return nil, fmt.Errorf("wire: plan %q has no sense %q that takes a series", r.plan.Name, sense)
	}
	if window < 1 {
		return nil, fmt.Errorf("wire: a window of %d steps; want 1 or more", window)
	}
	return &Stream{runner: r, sense: s, window: window, given: given}, nil
}

// Push gives the next step and answers: [Answer.Vector] is what effectors make
// of the series up to it. A step that failed is not kept.
func (s *Stream) Push(ctx context.Context, step []float32) (*Answer, error) {
	width := s.sense.Width
	if len(step) != width {
		return nil, fmt.Errorf("wire: a step of %d numbers; sense %q takes %d", len(step), s.sense.Name, width)
	}
	past := s.past
	if len(past) == s.window*width {
		past = past[width:]
	}
	past = append(append(make([]float32, 0, s.window*width), past...), step...)
	in := Inputs{s.sense.Name: Series{Steps: len(past) / width, Width: width, Values: past}}
	for name, v := range s.given {
		if name != s.sense.Name {
			in[name] = v
		}
	}
	a, err := s.runner.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	s.past = past
	return a, nil
}
