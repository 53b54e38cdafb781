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
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// round is the evaluation of one division.
type round struct {
	*own
	part     Part
	contests []*task.Contest   // by task
	test     []prepare.Vectors // what the modules made of the test examples
	asked    [][]int           // by task: which of the test examples it asks about
}

// rivals adds what answers without a plan.
func (x *round) rivals(i int) error {
	t := x.plan.Tasks[i]
	kind, err := prepare.Lookup(t.Kind)
	if err != nil {
		return err
	}
	rivals, err := kind.Rivals(x.contests[i], t)
	if err != nil {
		return fmt.Errorf("task %q: %w", t.Kind, err)
	}
	if x.apart(i) {
		if r := ownSpaces(x.test, x.asked[i]); r != nil {
			rivals = append(rivals, *r)
		}
	}
	for _, r := range rivals {
		for range max(x.o.Seeds, 1) {
			if err := x.add(i, r.Name, r.Answers); err != nil {
				return err
			}
		}
	}
	return nil
}

// apart says that a task's senses are episodes of their own.
func (x *own) apart(i int) bool {
	e := x.plan.Effector(x.plan.Tasks[i].Effector)
	return x.plan.Effectors[e].Head == head.NameEmbedding
}

// ownSpaces answers pairs with what the modules gave, where both sides are of
// one width; nil where they are not.
func ownSpaces(test []prepare.Vectors, asked []int) *task.Rival {
	r := &task.Rival{Name: "modules' own spaces"}
	for _, k := range asked {
		var a task.Answer
		for _, s := range test[k].Senses {
			if len(s) > 0 {
				a.Values = append(a.Values, floats(s))
			}
		}
		if len(a.Values) != 2 || len(a.Values[0]) != len(a.Values[1]) {
			return nil
		}
		r.Answers = append(r.Answers, a)
	}
	return r
}

// contenders adds the plan and its controls, taught with one seed: each once,
// whatever the number of its tasks.
func (x *round) contenders(ctx context.Context, seed uint64) error {
	plan := x.plan
	if x.o.Fresh {
		fresh := *x.plan
		fresh.Trained, fresh.History = false, nil
		fresh.Init(x.plan.Provenance.Seed + seed)
		if err := x.teach(ctx, "plan", &fresh, seed); err != nil {
			return err
		}
		plan = &fresh
	}
	whole := x.o.Config
	whole.LesionRegions, whole.LesionTracts, whole.LesionParts, whole.Half = nil, nil, nil, false
	said, err := x.ask(ctx, "plan", plan, whole, -1)
	if err != nil {
		return err
	}
	if x.o.Half {
		if err := x.halved(ctx, plan, whole, said); err != nil {
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
		if _, err := x.ask(ctx, "plan lesioned", plan, lesioned, -1); err != nil {
			return err
		}
	}
	for k, s := range plan.Senses {
		if s.Kind != wiring.KindMemory && !x.o.Bare {
			if _, err := x.ask(ctx, "plan without "+s.Name, plan, whole, k); err != nil {
				return err
			}
		}
	}
	for _, name := range x.o.Controls {
		made, err := control.Find(name)
		if err != nil {
			return err
		}
		other, err := made.Make(plan, x.o.Seed+seed)
		if err != nil {
			return err
		}
		if made.Trained {
			other.Init(x.plan.Provenance.Seed + seed)
			if err := x.teach(ctx, name, other, seed); err != nil {
				return err
			}
		}
		if _, err := x.ask(ctx, name, other, whole, -1); err != nil {
			return err
		}
	}
	return nil
}

// teach lets a plan learn the training examples: as the options say, or in the
// same way as the plan that it is compared with.
func (x *round) teach(ctx context.Context, name string, p *wiring.Plan, seed uint64) error {
	what := "teaching " + name
	if x.part.Name != "" {
		what += ", fold " + x.part.Name
	}
	lesson := func(train, val []task.Example, prep prepare.Options, o learn.Options) error {
		data, _, err := prepare.Prepare(ctx, p, x.modules, train, val, prep)
		if err != nil {
			return err
		}
		o.Seed += seed
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
// with all (−1), scores all of its tasks and returns its answers by task. Tasks
// whose senses are episodes of their own are not blanked: nothing would be left
// of a side.
func (x *round) ask(ctx context.Context, name string, p *wiring.Plan, config runtime.Config, without int) ([][]task.Answer, error) {
	s, err := answer.New(ctx, p, x.modules, config)
	if err != nil {
		return nil, err
	}
	said := make([][]task.Answer, len(x.plan.Tasks))
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
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		var list []task.Answer
		for _, k := range x.asked[i] {
			list = append(list, (*answers)[k].By[t.Effector])
		}
		if err := x.add(i, name, list); err != nil {
			return nil, err
		}
		said[i] = list
	}
	return said, nil
}

// halved scores the plan in binary16, and counts the sentences and labels that
// are others than those it said.
func (x *round) halved(ctx context.Context, p *wiring.Plan, config runtime.Config, said [][]task.Answer) error {
	const name = "plan in float16"
	config.Half = true
	halved, err := x.ask(ctx, name, p, config, -1)
	if err != nil {
		return err
	}
	for i := range halved {
		for k, a := range halved[i] {
			b := said[i][k]
			if b.Text == "" && b.Label == "" && len(b.Labels) == 0 {
				continue // numbers: their scores say it
			}
			changed := 0.0
			if a.Text != b.Text || a.Label != b.Label || !slices.Equal(a.Labels, b.Labels) {
				changed = 1
			}
			to := x.boards[i].condition(name)
			to.items[answersChanged] = append(to.items[answersChanged], changed)
		}
	}
	return nil
}

// answersChanged is the metric of the share of answers that are others.
const answersChanged = "changed"

// thresholds are the probabilities that are enough for an answer, in turn.
var thresholds = []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.99}

// sooner scores the plan's answers after each tick in which they can know
// anything, and those that come as soon as they are sure, with the mean of
// their ticks.
func (x *round) sooner(ctx context.Context, p *wiring.Plan, config runtime.Config) error {
	s, err := answer.New(ctx, p, x.modules, config)
	if err != nil {
		return err
	}
	var inputs []*answer.Encoded
	for _, v := range x.test {
		inputs = append(inputs, s.Encoded(v.Senses, v.Steps))
	}
	ask := func(name string, o answer.Options) error {
		x.o.Progress(name, 0, len(inputs))
		all, err := s.Answer(ctx, inputs, o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for i, t := range x.plan.Tasks {
			if x.apart(i) {
				continue
			}
			var list []task.Answer
			var ticks []float64
			for _, k := range x.asked[i] {
				list, ticks = append(list, all[k].By[t.Effector]), append(ticks, float64(all[k].Ticks))
			}
			if err := x.add(i, name, list); err != nil {
				return err
			}
			to := x.boards[i].condition(name)
			to.items[ticksTaken] = append(to.items[ticksTaken], ticks...)
		}
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

// ticksTaken is the metric of how long answers took.
const ticksTaken = "ticks"

// answers are those about all test examples; apart, the vectors of their sides
// stand one below the other.
func (x *round) answers(ctx context.Context, s *answer.Session, name string, apart bool, without int) ([]answer.Answers, error) {
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
