package regression

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
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

// known are the numbers of examples that have some.
func known(examples []task.Example, target string) (rows [][]float64) {
	for i := range examples {
		if v := Of(&examples[i], target); v != nil {
			rows = append(rows, v)
		}
	}
	return rows
}

// Encode implements [prepare.Task].
func (regression) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Needs(head.NameLinear, "numbers"); err != nil {
		return nil, err
	}
	if err := env.Task.Settings.Check(); err != nil {
		return nil, err
	}
	names, _, _ := head.Names(&env.Plan.Effectors[env.Effector])
	standard, err := task.StandardOf(known(train, env.Task.Target), len(names))
	if err != nil {
		return nil, err
	}
	loss := task.Squared(task.Reading{Name: "squared loss", Weight: 1})
	enc, err := env.Encode(train, val, loss, func(e *task.Example) (*task.Target, error) {
		v := Of(e, env.Task.Target)
		if v != nil && len(v) != len(names) {
			return nil, fmt.Errorf("it has %d numbers, the plan predicts %d", len(v), len(names))
		}
		values, known := standard.Values(v)
		if !known {
			return nil, nil
		}
		return &task.Target{Rows: []task.Row{{Values: values}}}, nil
	})
	if err != nil {
		return nil, err
	}
	enc.Aim.Settings = wiring.Settings{}
	head.SetScale(enc.Aim.Settings, standard.Mean, standard.Scale)
	return enc, nil
}
