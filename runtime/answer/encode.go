package answer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Inputs are what senses are given, by their names: an image.Image, a
// [task.Sound], a string, a []float32 or a [task.Series]. A sense that is given
// nothing is blank.
type Inputs map[string]any

// kindOf is the kind of a value.
func kindOf(value any) (string, error) {
	switch value.(type) {
	case image.Image:
		return modules.KindImage, nil
	case task.Sound:
		return modules.KindSound, nil
	case string:
		return modules.KindText, nil
	case []float32:
		return wiring.KindVector, nil
	case task.Series:
		return wiring.KindSeries, nil
	}
	return "", fmt.Errorf("%T is no input; want a picture, a sound, a text, a vector or a series", value)
}

// Encoded is what the modules made of an input.
type Encoded struct {
	// Senses holds each sense's numbers as the module gave them, by the plan's
	// senses; nil for a sense that got nothing.
	Senses [][]float32
	// Steps is how many steps a sense that gives one vector a step has.
	Steps int
	// Text is the input's vector in the space of texts, nil when no module
	// gives one. Only minimum-Bayes-risk decoding uses it.
	Text []float32
	// Recalled are the episodes of the plan's memory that came to mind, the
	// nearest first.
	Recalled []wiring.Recollection
	memory   *wiring.Memory // that Recalled belongs to
	// Calls are the modules' calls, with times since Began.
	Calls []runtime.Call
	Began time.Time
	// Faults say which modules were silenced.
	Faults []string
	// Heard, where it is not nil, is called for every word that an effector says
	// as soon as it is said: with the effector, how many words there are, and the
	// sentence so far. The network waits for it. Where an episode is run again,
	// because another input of its batch failed, the same words come again.
	Heard func(effector string, words int, sentence string)
}

// Encode runs the senses' modules over one input, side by side.
func (s *Session) Encode(ctx context.Context, in Inputs) (*Encoded, error) {
	if err := s.check(in); err != nil {
		return nil, err
	}
	out := &Encoded{Senses: make([][]float32, len(s.plan.Senses)), Began: time.Now()}
	type answer struct {
		vector, text []float32
		call         runtime.Call
		err          error
	}
	answers := make([]*answer, len(s.plan.Senses))
	var wg sync.WaitGroup
	for i := range s.plan.Senses {
		sense := &s.plan.Senses[i]
		value, given := in[sense.Name]
		if !given {
			continue
		}
		numbers, steps, err := prepare.Numbers(sense, value)
		if err != nil {
			return nil, err
		}
		if numbers != nil {
			if err := runtime.CheckFinite(numbers); err != nil {
				return nil, fmt.Errorf("sense %q: %w", sense.Name, err)
			}
			out.Senses[i], out.Steps = numbers, max(out.Steps, steps)
			continue
		}
		kind, err := kindOf(value)
		if err != nil {
			return nil, err
		}
		a := &answer{}
		answers[i] = a
		wg.Go(func() {
			begin := time.Since(out.Began)
			a.vector, a.text, a.err = s.sense(ctx, sense, kind, value)
			e, _ := frozen.EncoderFor(sense, kind)
			a.call = runtime.Call{Module: e.Module, Begin: begin, End: time.Since(out.Began)}
		})
	}
	wg.Wait()
	for i, a := range answers {
		if a == nil {
			continue
		}
		out.Calls = append(out.Calls, a.call)
		if errors.Is(a.err, runtime.ErrSilenced) {
			out.Faults = append(out.Faults, a.err.Error())
			continue
		}
		if a.err != nil {
			return nil, a.err
		}
		out.Senses[i] = a.vector
		if a.text == nil {
			continue
		}
		if out.Text == nil {
			out.Text = make([]float32, len(a.text))
		}
		f := wiring.InverseLength(a.text)
		for k, v := range a.text {
			out.Text[k] += f * v
		}
	}
	s.remember(out)
	return out, nil
}

// check refuses inputs that no sense takes.
func (s *Session) check(in Inputs) error {
	for name, value := range in {
		sense := s.plan.Sense(name)
		if sense == nil || sense.Kind == wiring.KindMemory {
			var names []string
			for _, x := range s.plan.Senses {
				if x.Kind != wiring.KindMemory {
					names = append(names, x.Name)
				}
			}
			return fmt.Errorf("plan %q has no sense %q to give anything; it has %s", s.plan.Name, name, strings.Join(names, ", "))
		}
		kind, err := kindOf(value)
		if err != nil {
			return fmt.Errorf("sense %q: %w", name, err)
		}
		if _, ok := frozen.EncoderFor(sense, kind); !ok {
			var kinds []string
			for _, e := range sense.All() {
				kinds = append(kinds, e.Kind)
			}
			return fmt.Errorf("sense %q takes %s and was given a %s", name, strings.Join(kinds, " or "), kind)
		}
	}
	return nil
}

// remember lets the input bring back episodes.
func (s *Session) remember(in *Encoded) {
	memory, cue := s.plan.MemorySense()
	m := s.plan.Memory
	if m == nil || memory < 0 || cue < 0 || in.Senses[cue] == nil || s.forgetful(memory) {
		return
	}
	in.memory = m
	in.Recalled = m.Recall(in.Senses[cue], wiring.RecallEpisodes, nil)
	in.Senses[memory] = make([]float32, m.ValueWidth)
	m.Remember(in.Senses[memory], in.Recalled)
}

// forgetful says whether every region of the memory is lesioned.
func (s *Session) forgetful(memory int) bool {
	for _, j := range s.plan.Senses[memory].Regions {
		if !slices.Contains(s.config.LesionRegions, j) {
			return false
		}
	}
	return true
}

// sense runs one sense's module, guarded. text is the input in the space of
// texts, nil where its module has none.
func (s *Session) sense(ctx context.Context, sense *wiring.Sense, kind string, value any) (vector, text []float32, err error) {
	type pair struct{ vector, text []float32 }
	answer := make(chan pair, 1) // a call that was given up must not write here later
	e, _ := frozen.EncoderFor(sense, kind)
	err = s.config.Guard(ctx, e.Module, func(ctx context.Context) error {
		var p pair
		var err error
		if p.vector, p.text, err = s.modules.EncodeWithText(ctx, sense, kind, value, s.semantic()); err != nil {
			return err
		}
		if len(p.vector) != sense.Numbers() {
			return fmt.Errorf("its output %q has %d numbers; want %d", e.Port, len(p.vector), sense.Numbers())
		}
		if err := errors.Join(runtime.CheckFinite(p.vector), runtime.CheckFinite(p.text)); err != nil {
			return err
		}
		answer <- p
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	p := <-answer
	return p.vector, p.text, nil
}

// semantic is the width of the space of texts that the plan's speech is
// understood in; 0 for a plan that does not speak.
func (s *Session) semantic() int {
	if i := s.Speaker(); i >= 0 {
		return s.speakers[i].Lexicon().Semantic
	}
	return 0
}

// Standardised are encoded inputs as an episode takes them: for each of the
// plan's senses the standardised vectors of the group, each repeated, [group ×
// repeat, numbers], or [steps, group × repeat, numbers] of a sense that gives
// one a step; nil for a sense that no input has. steps is that of the longest.
func Standardised(p *wiring.Plan, group []*Encoded, repeat int) (inputs [][]float32, steps int) {
	for _, in := range group {
		steps = max(steps, in.Steps)
	}
	inputs = make([][]float32, len(p.Senses))
	n := len(group) * repeat
	for s := range p.Senses {
		width := p.Senses[s].Numbers()
		for i, in := range group {
			if s >= len(in.Senses) || in.Senses[s] == nil {
				continue
			}
			rounds := 1
			if p.Senses[s].PerTick {
				rounds = in.Steps
			}
			if inputs[s] == nil {
				size := n * width
				if p.Senses[s].PerTick {
					size *= steps
				}
				inputs[s] = make([]float32, size)
			}
			for step := range rounds {
				row := inputs[s][(step*n+i*repeat)*width:]
				p.Standardise(row, s, in.Senses[s][step*width:][:width], 1)
				for k := 1; k < repeat; k++ {
					copy(row[k*width:][:width], row[:width])
				}
			}
		}
	}
	return inputs, steps
}

// Encoded returns an input of which the modules' vectors are at hand: by the
// plan's senses, as they gave them. A memory recalls by it.
func (s *Session) Encoded(senses [][]float32, steps int) *Encoded {
	out := &Encoded{Senses: make([][]float32, len(s.plan.Senses)), Steps: steps, Began: time.Now()}
	for k, x := range senses {
		if len(x) > 0 {
			out.Senses[k] = x
		}
	}
	s.remember(out)
	return out
}
