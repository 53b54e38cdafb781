package eval

import (
	"context"
	"fmt"
	"io"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Part is one division of examples: what is learned from, what training is
// stopped by, and what is scored. Cross-validation has one for each fold.
type Part struct {
	Name             string
	Train, Val, Test []task.Example
}

// OwnOptions say how a plan is scored on data of one's own.
type OwnOptions struct {
	Options
	// Learn and Prepare teach whatever is taught: the plan itself in folds or
	// with several seeds, and controls.
	Learn   learn.Options
	Prepare prepare.Options
	// Learned are the trainings of a plan that is scored as it is
	// ([prepare.Records]): its controls are taught in the same way, and they and
	// the baselines get exactly as many of the examples. None teaches by Learn.
	Learned []prepare.Record
	Config  runtime.Config
	// Split is what the rows say was scored; "" is the test split.
	Split datasets.Split
	// Fresh teaches the plan anew in every part; else the given one is scored.
	Fresh bool
	// Seeds is how often everything that is taught is taught, with seeds from
	// Learn.Seed on; an item's score is the mean. 0 means 1.
	Seeds int
	// Bare scores the plan and nothing beside it.
	Bare bool
	// Controls are taught and scored beside the plan, by name.
	Controls []string
	// Answer decodes.
	Answer answer.Options
	// Sure also scores what the plan answers after each tick, and when it is so
	// sure, for tasks of which answers have a probability.
	Sure bool
	// Half also scores the plan with its tracts' matrices in binary16 ("plan in
	// float16"), and counts the sentences and labels that change. Config.Half is
	// not heeded.
	Half bool
	// Items, when not nil, gets a line of JSON for each item and condition.
	Items io.Writer
}

// item is a line of [OwnOptions.Items].
type item struct {
	Part      string             `json:"part"`
	ID        string             `json:"id"`
	Task      string             `json:"task"`
	Condition string             `json:"condition"`
	Metrics   map[string]float64 `json:"metrics"`
}

// Own scores a plan, its controls and baselines on the test examples of every
// part, pooled. Everything is taught on exactly the same examples. A row's Set
// is the name of the task's effector.
func Own(ctx context.Context, p *wiring.Plan, m *frozen.Modules, parts []Part, o OwnOptions) ([]Row, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if len(p.Tasks) == 0 {
		return nil, fmt.Errorf("plan %q has no tasks to score", p.Name)
	}
	if o.Split == "" {
		o.Split = datasets.Test
	}
	if o.Prepare.Memo == nil {
		o.Prepare.Memo = &prepare.Memo{}
	}
	x := &own{plan: p, modules: m, o: o, boards: make([]board, len(p.Tasks))}
	for _, part := range parts {
		if err := x.part(ctx, part); err != nil {
			if part.Name != "" {
				err = fmt.Errorf("fold %s: %w", part.Name, err)
			}
			return nil, err
		}
	}
	var rows []Row
	for i := range x.boards {
		r, err := x.boards[i].rows(p.Tasks[i].Effector, o.Split, o.Options)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

// own is an evaluation in progress.
type own struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	o       OwnOptions
	boards  []board // one a task
}

// part teaches and scores one division.
func (x *own) part(ctx context.Context, part Part) error {
	if limit := x.limit(); limit > 0 {
		part.Train, part.Val = examples.Spread(part.Train, limit), examples.Spread(part.Val, limit)
	}
	var sets [3][]prepare.Vectors
	for i, list := range [][]task.Example{part.Train, part.Val, part.Test} {
		var err error
		if sets[i], err = prepare.Inputs(ctx, x.plan, x.modules, list, x.o.Prepare); err != nil {
			return err
		}
	}
	test := sets[2]
	for i := range test {
		if len(test[i].Bad) > 0 {
			return fmt.Errorf("test example %s", test[i].Bad[0])
		}
	}
	features, spans := prepare.Features(x.plan, sets[0], sets[1], test)
	r := &round{own: x, part: part, test: test}
	for i, t := range x.plan.Tasks {
		c := &task.Contest{Target: t.Target, Train: part.Train, Val: part.Val, TrainFeatures: features[0], ValFeatures: features[1], Spans: spans}
		var asked []int
		for k := range part.Test {
			e := &part.Test[k]
			if _, has := e.Targets[t.Target]; !has && !x.apart(i) || x.apart(i) && sides(test[k]) != 2 {
				continue
			}
			asked = append(asked, k)
			c.Test, c.TestFeatures = append(c.Test, *e), append(c.TestFeatures, features[2][k])
			x.boards[i].clusters = append(x.boards[i].clusters, e.GroupID())
		}
		if len(asked) == 0 {
			return fmt.Errorf("none of the %d test examples asks anything of effector %q (target %q)", len(part.Test), t.Effector, t.Target)
		}
		r.contests, r.asked = append(r.contests, c), append(r.asked, asked)
		if x.o.Bare {
			continue
		}
		if err := r.rivals(i); err != nil {
			return err
		}
	}
	seeds := max(x.o.Seeds, 1)
	for k := range seeds {
		if err := r.contenders(ctx, uint64(k)); err != nil {
			return err
		}
	}
	for i := range x.boards {
		x.boards[i].settle(seeds)
	}
	return nil
}

// sides counts the senses that an example gives something.
func sides(v prepare.Vectors) int {
	n := 0
	for _, s := range v.Senses {
		if len(s) > 0 {
			n++
		}
	}
	return n
}

// limit is how many of the training examples the plan learned from, 0 for all:
// controls and baselines get no more.
func (x *own) limit() int {
	most := 0
	for _, r := range x.o.Learned {
		if r.Limit == 0 {
			return 0
		}
		most = max(most, r.Limit)
	}
	return most
}
