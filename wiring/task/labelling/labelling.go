package labelling

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "labelling"

// settingBalance weighs each label by one over its frequency.
const settingBalance = "balance"

func init() { prepare.Register(Kind, labelling{}) }

type labelling struct{}

// Of returns an example's labels; ok is false when it has no such target. A
// list says that several labels may hold at once.
func Of(e *task.Example, target string) (labels []string, many, ok bool) {
	switch v := e.Targets[target].(type) {
	case string:
		return []string{v}, false, true
	case []string:
		return v, true, true
	}
	return nil, false, false
}

// Settings implements [prepare.Task]: the labels in alphabetical order, and
// whether examples may have several.
func (labelling) Settings(target string, examples []task.Example) (wiring.Settings, error) {
	var all []string
	several := false
	for i := range examples {
		labels, many, ok := Of(&examples[i], target)
		if !ok {
			continue
		}
		several = several || many
		all = append(all, labels...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("no example has the target %q", target)
	case len(all) == 1:
		return nil, fmt.Errorf("all examples have the same label %q: there is nothing to tell apart", all[0])
	}
	s := wiring.Settings{}
	head.SetLabels(s, all, several)
	return s, nil
}

// Encode implements [prepare.Task].
func (labelling) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Task.Settings.Check(settingBalance); err != nil {
		return nil, err
	}
	if err := env.Needs(head.NameSoftmax, "labels"); err != nil {
		return nil, err
	}
	labels, many := head.Labels(&env.Plan.Effectors[env.Effector])
	index := map[string]int32{}
	for i, l := range labels {
		index[l] = int32(i)
	}
	part := task.Reading{Name: "label loss", Weight: 1}
	cross := &task.CrossEntropy{Parts: []task.Reading{part}}
	var loss task.Loss = cross
	if many {
		loss = task.BinaryCrossEntropy(part)
	}
	enc, err := env.Encode(train, val, loss, func(e *task.Example) (*task.Target, error) {
		names, _, ok := Of(e, env.Task.Target)
		if !ok {
			return nil, nil
		}
		var row task.Row
		for _, n := range names {
			c, known := index[n]
			if !known {
				return nil, fmt.Errorf("it has the label %q, which the plan does not know%s; build it again with these data", n, edit.Suggestion(n, labels))
			}
			row.Classes = append(row.Classes, c)
		}
		switch {
		case many && len(row.Classes) == 0: // no label holds
			row.Values = make([]float32, len(labels))
		case !many && len(row.Classes) != 1:
			return nil, fmt.Errorf("it has %d labels, the plan chooses one; build it again with these data", len(row.Classes))
		}
		return &task.Target{Name: first(names), Rows: []task.Row{row}}, nil
	})
	if err == nil && !many && env.Task.Settings.Bool(settingBalance) {
		cross.ClassWeight = balance(len(labels), enc.Train)
	}
	return enc, err
}

// balance returns n / (labels · n_c) for each label c.
func balance(labels int, targets [][]*task.Target) []float32 {
	count := make([]int, labels)
	n := 0
	for _, list := range targets {
		if len(list) > 0 {
			count[list[0].Rows[0].Classes[0]]++
			n++
		}
	}
	out := make([]float32, labels)
	for c := range out {
		out[c] = float32(n) / float32(labels*max(count[c], 1))
	}
	return out
}
