package modules

import (
	"context"
	"slices"
)

// Stream runs a module step by step, feeding its states from each step to
// the next. It is not safe for concurrent use; a module may have many.
type Stream struct {
	module *Module
	state  map[string]*Tensor // by input port; nil before the first step
	known  call               // what does not change from step to step
}

// Stream starts a run of steps with all states zero.
func (m *Module) Stream() *Stream { return &Stream{module: m} }

// Step runs one step; see [Module.Run]. The states are kept inside and are
// among the outputs only when they are asked for.
func (s *Stream) Step(ctx context.Context, inputs map[string]*Tensor, outputs ...string) (map[string]*Tensor, error) {
	loops := s.module.Manifest.States
	all := make(map[string]*Tensor, len(inputs)+len(loops))
	for name, t := range s.state {
		all[name] = t
	}
	for name, t := range inputs {
		all[name] = t
	}
	asked := outputs
	if len(asked) == 0 {
		asked = s.module.reached(inputs)
	}
	wanted := slices.Clone(asked)
	for _, l := range loops {
		if !slices.Contains(wanted, l.Output) {
			wanted = append(wanted, l.Output)
		}
	}
	c := &call{inputs: all, pictures: s.known.pictures, computed: slices.Clone(s.known.computed)}
	out, err := s.module.run(ctx, c, wanted)
	if err != nil {
		return nil, err
	}
	next := make(map[string]*Tensor, len(loops))
	for _, l := range loops {
		next[l.Input] = out[l.Output]
		if l.Keep == "first" && s.state != nil {
			next[l.Input] = s.state[l.Input]
		}
		if !slices.Contains(asked, l.Output) {
			delete(out, l.Output)
		}
	}
	s.state = next
	return out, nil
}

// Reset makes all states zero again.
func (s *Stream) Reset() { s.state = nil }
