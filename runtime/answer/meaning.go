package answer

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/runtime"
)

// Meaning returns the point in the space of texts, [semantic], that an
// effector that speaks makes of an input: what its semantic readout gives once
// the input has settled, before a word is said.
func (s *Session) Meaning(ctx context.Context, effector int, in *Encoded) ([]float32, error) {
	l := s.speakers[effector]
	if l == nil {
		return nil, fmt.Errorf("effector %q does not speak, so nothing it answers has a meaning among texts", s.plan.Effectors[effector].Name)
	}
	if l.Lexicon().Semantic == 0 {
		return nil, fmt.Errorf("effector %q has no semantic readout: its setting \"text\" names no text module", s.plan.Effectors[effector].Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	listener := &ear{at: s.plan.Ticks.Settle - 1}
	inputs, steps := Standardised(s.plan, []*Encoded{in}, 1)
	episode := runtime.Episode{Inputs: inputs, Steps: steps, Ticks: s.plan.Ticks.Settle, Actors: make([]runtime.Actor, len(s.readouts))}
	episode.Actors[effector] = listener
	if _, err := s.plain.Run(ctx, episode); err != nil {
		return nil, err
	}
	out := make([]float32, l.Lexicon().Semantic)
	l.Meaning(out, listener.norm, 1)
	return out, nil
}

// ear is an actor that does nothing and remembers its effector's state at a
// tick.
type ear struct {
	at   int
	norm []float32
}

// Act implements [runtime.Actor].
func (e *ear) Act(_ context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if tick == e.at {
		e.norm = slices.Clone(norm)
	}
	return runtime.Reply{Done: tick >= e.at}, nil
}
