package eval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// round is the scoring of one division.
type round struct {
	*own
	part     Part
	contests []*task.Contest   // by task
	test     []prepare.Vectors // what the modules made of the test examples
	asked    [][]int           // by task: which of the test examples it asks about
}

// rivals adds what answers without a plan.
func (x *round) rivals() error {
	if x.o.Bare {
		return nil
	}
	for i, t := range x.plan.Tasks {
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
	}
	return nil
}

// hear scores what was said with one seed.
func (x *round) hear(pieces []Piece, said []Said) error {
	taught := map[string][]Words{}
	var plan []Said
	for i, p := range pieces {
		if p.Control != "" {
			taught[p.Control] = said[i].Words
		} else {
			plan = append(plan, said[i])
		}
	}
	all, err := join(plan)
	if err != nil {
		return err
	}
	plain := all.find("plan")
	if plain == nil {
		return errors.New("the plan was not asked")
	}
	// Controls come in their order, whoever asked them.
	words := slices.Clone(all.Words)
	is := func(name string) func(Words) bool { return func(w Words) bool { return w.Condition == name } }
	for _, name := range x.o.Controls {
		words = slices.DeleteFunc(words, is(name))
	}
	for _, name := range x.o.Controls {
		if w := all.find(name); w != nil {
			words = append(words, *w)
		}
		words = append(words, taught[name]...)
	}
	for i := range words {
		if err := x.score(&words[i], plain); err != nil {
			return err
		}
	}
	return nil
}

// score scores what one condition says. plan is what the plan itself says.
func (x *round) score(w, plan *Words) error {
	if len(w.Answers) != len(x.test) || len(w.Ticks) != 0 && len(w.Ticks) != len(x.test) {
		return fmt.Errorf("%s: %d answers about %d test examples", w.Condition, len(w.Answers), len(x.test))
	}
	for i, t := range x.plan.Tasks {
		if !slices.Contains(w.Effectors, t.Effector) {
			continue
		}
		answers, err := w.of(t.Effector, x.asked[i])
		if err != nil {
			return err
		}
		if err := x.add(i, w.Condition, answers); err != nil {
			return err
		}
		to := x.boards[i].condition(w.Condition)
		if w.Condition == halfName {
			before, err := plan.of(t.Effector, x.asked[i])
			if err != nil {
				return err
			}
			if c := changes(answers, before); len(c) > 0 {
				to.items[answersChanged] = append(to.items[answersChanged], c...)
			}
		}
		for _, k := range x.asked[i] {
			if len(w.Ticks) > 0 {
				to.items[ticksTaken] = append(to.items[ticksTaken], float64(w.Ticks[k]))
			}
		}
	}
	return nil
}

// halfName is the condition of a plan in binary16.
const halfName = "plan in float16"

// answersChanged is the metric of the share of answers that are others.
const answersChanged = "changed"

// changes counts the sentences and labels that are others: 0 or 1 each.
func changes(now, before []task.Answer) (out []float64) {
	for k, a := range now {
		b := before[k]
		if b.Text == "" && b.Label == "" && len(b.Labels) == 0 {
			continue // numbers: their scores say it
		}
		changed := 0.0
		if a.Text != b.Text || a.Label != b.Label || !slices.Equal(a.Labels, b.Labels) {
			changed = 1
		}
		out = append(out, changed)
	}
	return out
}

// ticksTaken is the metric of how long answers took.
const ticksTaken = "ticks"

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
