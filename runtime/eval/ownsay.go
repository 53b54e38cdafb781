package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// asking is a piece in progress: it teaches and asks, and scores nothing.
type asking struct {
	*own
	Piece
	part  Part
	test  []prepare.Vectors // of the piece's examples
	words []Words
}

// say does a piece.
func (x *own) say(ctx context.Context, piece Piece) (Said, error) {
	a := &asking{own: x, Piece: piece, part: x.parts[piece.Part]}
	var err error
	if a.test, err = prepare.Inputs(ctx, x.plan, x.modules, a.part.Test[piece.From:piece.To], x.o.Prepare); err != nil {
		return Said{}, err
	}
	if err := readable(a.test); err != nil {
		return Said{}, err
	}
	if piece.Control != "" {
		if err := a.control(ctx, x.start(piece), piece.Control); err != nil {
			return Said{}, err
		}
		return Said{Words: a.words}, nil
	}
	if err := a.contenders(ctx); err != nil {
		return Said{}, err
	}
	return Said{Vectors: a.test, Words: a.words}, nil
}

// start is the plan that a piece begins with.
func (x *own) start(piece Piece) *wiring.Plan {
	if !x.o.Fresh {
		return x.plan
	}
	fresh := *x.plan
	fresh.Trained, fresh.History = false, nil
	fresh.Init(x.plan.Provenance.Seed + uint64(piece.Seed))
	return &fresh
}

// contenders asks the plan, taught where it is fresh, and what is made of it
// without learning anything: each once, whatever the number of its tasks.
func (x *asking) contenders(ctx context.Context) error {
	plan := x.start(x.Piece)
	if x.o.Fresh {
		if err := x.teach(ctx, "plan", plan); err != nil {
			return err
		}
	}
	whole := x.whole()
	if err := x.ask(ctx, "plan", plan, whole, -1); err != nil {
		return err
	}
	if x.o.Half {
		halved := whole
		halved.Half = true
		if err := x.ask(ctx, halfName, plan, halved, -1); err != nil {
			return err
		}
	}
	if x.o.Sure {
		if err := x.sooner(ctx, plan, whole); err != nil {
			return err
		}
	}
	if len(x.o.Config.LesionRegions)+len(x.o.Config.LesionTracts)+len(x.o.Config.LesionParts) > 0 {
		lesioned := x.o.Config
		lesioned.Half = false
		if err := x.ask(ctx, "plan lesioned", plan, lesioned, -1); err != nil {
			return err
		}
	}
	for k, s := range plan.Senses {
		if s.Kind != wiring.KindMemory && !x.o.Bare {
			if err := x.ask(ctx, "plan without "+s.Name, plan, whole, k); err != nil {
				return err
			}
		}
	}
	for _, name := range x.o.Controls {
		made, err := control.Find(name)
		if err != nil {
			return err
		}
		if made.Trained {
			continue // it is a piece of its own
		}
		if err := x.control(ctx, plan, name); err != nil {
			return err
		}
	}
	return nil
}

// whole is the configuration without lesions.
func (x *own) whole() runtime.Config {
	c := x.o.Config
	c.LesionRegions, c.LesionTracts, c.LesionParts, c.Half = nil, nil, nil, false
	return c
}

// control makes a control of a plan, teaches it where it learns, and asks it.
func (x *asking) control(ctx context.Context, plan *wiring.Plan, name string) error {
	made, err := control.Find(name)
	if err != nil {
		return err
	}
	seed := uint64(x.Seed)
	other, err := made.Make(plan, x.o.Seed+seed)
	if err != nil {
		return err
	}
	if made.Trained {
		other.Init(x.plan.Provenance.Seed + seed)
		if err := x.teach(ctx, name, other); err != nil {
			return err
		}
	}
	return x.ask(ctx, name, other, x.whole(), -1)
}

// teach lets a plan learn the training examples: as the options say, or in the
// same way as the plan that it is compared with.
func (x *asking) teach(ctx context.Context, name string, p *wiring.Plan) error {
	what := "teaching " + name
	if x.part.Name != "" {
		what += ", fold " + x.part.Name
	}
	lesson := func(train, val []task.Example, prep prepare.Options, o learn.Options) error {
		data, _, err := prepare.Prepare(ctx, p, x.modules, train, val, prep)
		if err != nil {
			return err
		}
		o.Seed += uint64(x.Seed)
		o.Checkpoint = ""
		o.Progress = func(s learn.Progress) { x.o.Progress(what, s.Step, s.Steps) }
		_, err = learn.Fit(ctx, p, data, o)
		return err
	}
	if len(x.o.Learned) == 0 {
		return lesson(x.part.Train, x.part.Val, x.o.Prepare, x.o.Learn)
	}
	for _, r := range x.o.Learned {
		prep := x.o.Prepare
		prep.Views = r.Views
		if err := lesson(examples.Spread(x.part.Train, r.Limit), examples.Spread(x.part.Val, r.Limit), prep, r.Options(x.o.Learn)); err != nil {
			return err
		}
	}
	return nil
}

// ask lets a plan answer about the test examples, without one of its senses or
// with all (−1). Tasks whose senses are episodes of their own are not blanked:
// nothing would be left of a side.
func (x *asking) ask(ctx context.Context, name string, p *wiring.Plan, config runtime.Config, without int) error {
	s, err := answer.New(ctx, p, x.modules, config)
	if err != nil {
		return err
	}
	var effectors []string
	said := make([]answer.Answers, len(x.test))
	for k := range said {
		said[k].By = map[string]task.Answer{}
	}
	var together, sides []answer.Answers
	for i, t := range x.plan.Tasks {
		answers := &together
		if x.apart(i) {
			answers = &sides
		}
		if x.apart(i) && without >= 0 {
			continue
		}
		if *answers == nil {
			if *answers, err = x.answers(ctx, s, name, x.apart(i), without); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		effectors = append(effectors, t.Effector)
		for k := range said {
			said[k].By[t.Effector] = (*answers)[k].By[t.Effector]
		}
	}
	x.words = append(x.words, tell(name, effectors, said))
	return nil
}

// thresholds are the probabilities that are enough for an answer, in turn.
var thresholds = []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.99}

// sooner asks the plan for its answers after each tick in which they can know
// anything, and for those that come as soon as they are sure, with their ticks.
func (x *asking) sooner(ctx context.Context, p *wiring.Plan, config runtime.Config) error {
	s, err := answer.New(ctx, p, x.modules, config)
	if err != nil {
		return err
	}
	var inputs []*answer.Encoded
	for _, v := range x.test {
		inputs = append(inputs, s.Encoded(v.Senses, v.Steps))
	}
	var effectors []string
	for i, t := range x.plan.Tasks {
		if !x.apart(i) {
			effectors = append(effectors, t.Effector)
		}
	}
	ask := func(name string, o answer.Options) error {
		x.o.Progress(name, 0, len(inputs))
		all, err := s.Answer(ctx, inputs, o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w := tell(name, effectors, all)
		for i := range all {
			w.Ticks = append(w.Ticks, all[i].Ticks)
		}
		x.words = append(x.words, w)
		return nil
	}
	for tick := 1; tick <= p.Ticks.Settle; tick++ {
		if err := ask(fmt.Sprintf("plan, tick %d", tick), answer.Options{Limit: tick}); err != nil {
			return err
		}
	}
	for _, sure := range thresholds {
		if err := ask(fmt.Sprintf("plan, sure at %g", sure), answer.Options{Sure: sure}); err != nil {
			return err
		}
	}
	return nil
}

// answers are those about all test examples; apart, the vectors of their sides
// stand one below the other.
func (x *asking) answers(ctx context.Context, s *answer.Session, name string, apart bool, without int) ([]answer.Answers, error) {
	var inputs []*answer.Encoded
	var of []int // examples
	for k, v := range x.test {
		senses := slices.Clone(v.Senses)
		if without >= 0 {
			senses[without] = nil
		}
		if !apart {
			inputs, of = append(inputs, s.Encoded(senses, v.Steps)), append(of, k)
			continue
		}
		for j := range senses {
			if len(senses[j]) > 0 {
				alone := make([][]float32, len(senses))
				alone[j] = senses[j]
				inputs, of = append(inputs, s.Encoded(alone, v.Steps)), append(of, k)
			}
		}
	}
	x.o.Progress(name, 0, len(inputs))
	all, err := s.Answer(ctx, inputs, x.o.Answer)
	if err != nil || !apart {
		return all, err
	}
	out := make([]answer.Answers, len(x.test))
	for j, a := range all {
		to := &out[of[j]]
		if to.By == nil {
			to.By = map[string]task.Answer{}
		}
		for effector, one := range a.By {
			both := to.By[effector]
			both.Values = append(both.Values, one.Values...)
			to.By[effector] = both
		}
	}
	return out, nil
}
