package eval

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Piece is a part of an evaluation that another machine may do: with the same
// plans, modules, inputs and options any gives the same bits.
type Piece struct {
	// Part is which of the parts, or of the sets, it is of.
	Part int `json:"part,omitempty"`
	// Seed is added to that of what is taught.
	Seed int `json:"seed,omitempty"`
	// Control is taught and asked; "" is the plan, and what is made of it.
	Control string `json:"control,omitempty"`
	// From and To bound the inputs that are asked about.
	From int `json:"from"`
	To   int `json:"to"`
}

// String names the piece as errors do.
func (p Piece) String() string {
	s := fmt.Sprintf("inputs %d to %d", p.From+1, p.To)
	if p.Control != "" {
		s += " of control " + p.Control
	}
	if p.Seed > 0 {
		s += fmt.Sprintf(", seed %d", p.Seed+1)
	}
	if p.Part > 0 {
		s += fmt.Sprintf(", part %d", p.Part+1)
	}
	return s
}

// within says whether a piece lies in a part of n inputs.
func (p Piece) within(n int) error {
	if p.From < 0 || p.From >= p.To || p.To > n {
		return fmt.Errorf("%s: there are %d", p, n)
	}
	return nil
}

// Elsewhere has pieces done by others and gives what came of each to took, one at a
// time, in any order. It ends when all are taken.
type Elsewhere func(ctx context.Context, pieces []Piece, took func(piece int, said Said) error) error

// pieceInputs is how many inputs a piece asks about at most. Plans that are taught
// for a piece are asked about all.
const pieceInputs = 16

// cut cuts n inputs into pieces that are like one.
func (p Piece) cut(n int) (all []Piece) {
	for p.From = 0; p.From < n; p.From = p.To {
		p.To = min(p.From+pieceInputs, n)
		all = append(all, p)
	}
	return all
}

// Said is what came of a piece.
type Said struct {
	// Vectors are what the modules made of the inputs, where the plan was asked.
	Vectors []prepare.Vectors `json:"vectors,omitempty"`
	// Words are what was said about them, by condition.
	Words []Words `json:"words"`
}

// Words are what one condition says.
type Words struct {
	Condition string `json:"condition"`
	// Effectors are those that were asked, Answers theirs about every input.
	Effectors []string            `json:"effectors"`
	Answers   []map[string]Answer `json:"answers"`
	// Ticks until the answers came, where that is of interest.
	Ticks []int `json:"ticks,omitempty"`
}

// Answer is a [task.Answer] that is told whole.
type Answer struct {
	task.Answer
	Probabilities []float64 `json:"probabilities,omitempty"`
}

// tell makes words of answers.
func tell(condition string, effectors []string, answers []answer.Answers) Words {
	w := Words{Condition: condition, Effectors: effectors}
	for i := range answers {
		by := map[string]Answer{}
		for _, e := range effectors {
			a := answers[i].By[e]
			by[e] = Answer{a, a.Probabilities}
		}
		w.Answers = append(w.Answers, by)
	}
	return w
}

// of are an effector's answers about some inputs.
func (w *Words) of(effector string, which []int) ([]task.Answer, error) {
	out := make([]task.Answer, len(which))
	for i, k := range which {
		a, has := w.Answers[k][effector]
		if !has {
			return nil, fmt.Errorf("%s: effector %q does not answer about input %d", w.Condition, effector, k+1)
		}
		out[i] = a.Answer
		out[i].Probabilities = a.Probabilities
	}
	return out, nil
}

// checkVectors says what of an input's vectors cannot be what a plan's modules made.
func checkVectors(p *wiring.Plan, v *prepare.Vectors) error {
	if len(v.Bad) > 0 {
		return nil
	}
	if len(v.Senses) != len(p.Senses) {
		return fmt.Errorf("vectors of %d senses, plan %q has %d", len(v.Senses), p.Name, len(p.Senses))
	}
	for k, x := range v.Senses {
		s := &p.Senses[k]
		want := s.Numbers()
		if s.PerTick {
			want *= v.Steps
		}
		if s.Kind != wiring.KindMemory && len(x) > 0 && len(x) != want {
			return fmt.Errorf("%d numbers for sense %q, want %d", len(x), s.Name, want)
		}
	}
	return nil
}

// find is what a condition says in a piece; nil for nothing.
func (s *Said) find(condition string) *Words {
	for i := range s.Words {
		if s.Words[i].Condition == condition {
			return &s.Words[i]
		}
	}
	return nil
}

// join joins what was said about pieces of inputs, in their order.
func join(pieces []Said) (Said, error) {
	if len(pieces) == 0 {
		return Said{}, nil
	}
	all := pieces[0]
	all.Words = append([]Words(nil), all.Words...)
	for i := 1; i < len(pieces); i++ {
		p := &pieces[i]
		all.Vectors = append(all.Vectors, p.Vectors...)
		if len(p.Words) != len(all.Words) {
			return Said{}, fmt.Errorf("a piece has %d conditions, the first %d", len(p.Words), len(all.Words))
		}
		for k := range p.Words {
			w := &all.Words[k]
			if p.Words[k].Condition != w.Condition {
				return Said{}, fmt.Errorf("a piece has condition %q where the first has %q", p.Words[k].Condition, w.Condition)
			}
			w.Answers, w.Ticks = append(w.Answers, p.Words[k].Answers...), append(w.Ticks, p.Words[k].Ticks...)
		}
	}
	return all, nil
}
