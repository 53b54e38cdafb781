package regression

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "regression"

func init() { prepare.Register(Kind, regression{}) }

type regression struct{}

// Of returns an example's numbers; nil when it has no such target.
func Of(e *task.Example, target string) []float64 {
	switch v := e.Targets[target].(type) {
	case float64:
		return []float64{v}
	case []float64:
		return v
	}
	return nil
}

// Settings implements [prepare.Task]: names for the numbers.
func (regression) Settings(target string, examples []task.Example) (wiring.Settings, error) {
	for i := range examples {
		if v := Of(&examples[i], target); v != nil {
			s := wiring.Settings{}
			head.SetNames(s, task.NumberNames(target, len(v)))
			return s, nil
		}
	}
	return nil, fmt.Errorf("no example has numbers as its target %q", target)
}

// Encode implements [prepare.Task].
func (regression) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	e := &env.Plan.Effectors[env.Effector]
	if e.Head != head.NameLinear {
		return nil, fmt.Errorf("its effector has the head %q; numbers need %q", e.Head, head.NameLinear)
	}
	if err := env.Task.Settings.Check(); err != nil {
		return nil, err
	}
	names, _, _ := head.Names(e)
	var rows [][]float64
	for i := range train {
		if v := Of(&train[i], env.Task.Target); v != nil {
			rows = append(rows, v)
		}
	}
	standard, err := task.StandardOf(rows, len(names))
	if err != nil {
		return nil, err
	}
	encode := func(examples []task.Example) ([][]*task.Target, error) {
		out := make([][]*task.Target, len(examples))
		for i := range examples {
			v := Of(&examples[i], env.Task.Target)
			if v == nil {
				continue
			}
			if len(v) != len(names) {
				return nil, fmt.Errorf("example %s has %d numbers, the plan predicts %d", examples[i].ID, len(v), len(names))
			}
			tick, err := prepare.ReadTick(env.Plan, &examples[i])
			if err != nil {
				return nil, err
			}
			if values, known := standard.Values(v); known {
				out[i] = []*task.Target{{Rows: []task.Row{{Tick: tick, Values: values}}}}
			}
		}
		return out, nil
	}
	enc := &prepare.Encoded{}
	if enc.Train, err = encode(train); err != nil {
		return nil, err
	}
	if enc.Val, err = encode(val); err != nil {
		return nil, err
	}
	settings := wiring.Settings{}
	head.SetScale(settings, standard.Mean, standard.Scale)
	enc.Aim = learn.Aim{
		Bind:     func(p *wiring.Plan) (head.Readout, error) { return head.Bind(p, env.Effector) },
		Loss:     &task.Squared{Part: task.Reading{Name: "squared loss", Weight: 1}},
		Settings: settings,
	}
	return enc, nil
}
