package labelling

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
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
	e := &env.Plan.Effectors[env.Effector]
	if e.Head != head.NameSoftmax {
		return nil, fmt.Errorf("its effector has the head %q; labels need %q", e.Head, head.NameSoftmax)
	}
	labels, many := head.Labels(e)
	index := map[string]int32{}
	for i, l := range labels {
		index[l] = int32(i)
	}
	encode := func(examples []task.Example) ([][]*task.Target, error) {
		out := make([][]*task.Target, len(examples))
		for i := range examples {
			names, _, ok := Of(&examples[i], env.Task.Target)
			if !ok {
				continue
			}
			tick, err := prepare.ReadTick(env.Plan, &examples[i])
			if err != nil {
				return nil, err
			}
			row := task.Row{Tick: tick}
			for _, n := range names {
				c, known := index[n]
				if !known {
					return nil, fmt.Errorf("example %s has the label %q, which the plan does not know%s; build it again with these data", examples[i].ID, n, edit.Suggestion(n, labels))
				}
				row.Classes = append(row.Classes, c)
			}
			if many {
				row.Values = []float32{} // no label may be the answer
				if len(row.Classes) == 0 {
					row.Values = make([]float32, len(labels))
				}
			} else if len(row.Classes) != 1 {
				return nil, fmt.Errorf("example %s has %d labels, the plan chooses one; build it again with these data", examples[i].ID, len(row.Classes))
			}
			name := ""
			if len(names) > 0 {
				name = names[0]
			}
			out[i] = []*task.Target{{Name: name, Rows: []task.Row{row}}}
		}
		return out, nil
	}
	enc := &prepare.Encoded{}
	var err error
	if enc.Train, err = encode(train); err != nil {
		return nil, err
	}
	if enc.Val, err = encode(val); err != nil {
		return nil, err
	}
	part := task.Reading{Name: "label loss", Weight: 1}
	var loss task.Loss = &task.BinaryCrossEntropy{Part: part}
	if !many {
		cross := &task.CrossEntropy{Parts: []task.Reading{part}}
		if env.Task.Settings.Bool(settingBalance) {
			cross.ClassWeight = balance(len(labels), enc.Train)
		}
		loss = cross
	}
	enc.Aim = learn.Aim{
		Bind: func(p *wiring.Plan) (head.Readout, error) { return head.Bind(p, env.Effector) },
		Loss: loss,
	}
	return enc, nil
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
