package forecasting

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Kind names the task in plans and recipes.
const Kind = "forecasting"

// Settings of the task.
const (
	settingHorizon = "horizon"
	settingWarm    = "warm"
)

func init() { prepare.Register(Kind, forecasting{}) }

type forecasting struct{}

// Of returns an example's target, values by step; nil when it has none.
func Of(e *task.Example, target string) [][]float64 {
	switch v := e.Targets[target].(type) {
	case [][]float64:
		return v
	case []float64:
		out := make([][]float64, len(v))
		for i := range v {
			out[i] = v[i : i+1]
		}
		return out
	}
	return nil
}

// Horizon returns a task's number of steps ahead, and those that warm up.
func Horizon(t wiring.Task) (horizon, warm int) {
	horizon, warm = 1, t.Settings.Int(settingWarm)
	if _, said := t.Settings[settingHorizon]; said {
		horizon = t.Settings.Int(settingHorizon)
	}
	return horizon, warm
}

// Settings implements [prepare.Task]: names for the predicted numbers.
func (forecasting) Settings(target string, examples []task.Example) (wiring.Settings, error) {
	for i := range examples {
		if v := Of(&examples[i], target); len(v) > 0 {
			s := wiring.Settings{}
			head.SetNames(s, task.NumberNames(target, len(v[0])))
			return s, nil
		}
	}
	return nil, fmt.Errorf("no example has a series as its target %q", target)
}

// Encode implements [prepare.Task].
func (forecasting) Encode(_ context.Context, env prepare.Env, train, val []task.Example) (*prepare.Encoded, error) {
	if err := env.Needs(head.NameLinear, "numbers"); err != nil {
		return nil, err
	}
	if err := env.Task.Settings.Check(settingHorizon, settingWarm); err != nil {
		return nil, err
	}
	horizon, warm := Horizon(env.Task)
	if horizon < 0 || warm < 0 {
		return nil, fmt.Errorf("horizon %d and warm %d must be 0 or more steps", horizon, warm)
	}
	if env.Plan.Series() < 0 {
		return nil, fmt.Errorf("plan %q has no sense of kind %s", env.Plan.Name, wiring.KindSeries)
	}
	names, _, _ := head.Names(&env.Plan.Effectors[env.Effector])
	var rows [][]float64
	for i := range train {
		rows = append(rows, Of(&train[i], env.Task.Target)...)
	}
	standard, err := task.StandardOf(rows, len(names))
	if err != nil {
		return nil, err
	}
	loss := task.Squared(task.Reading{Name: "squared loss", Weight: 1})
	enc, err := env.Encode(train, val, loss, func(e *task.Example) (*task.Target, error) {
		series, t := Of(e, env.Task.Target), &task.Target{}
		for step := warm; step+horizon < len(series); step++ {
			v := series[step+horizon]
			if len(v) != len(names) {
				return nil, fmt.Errorf("step %d: %d numbers, the plan predicts %d", step+horizon, len(v), len(names))
			}
			if values, known := standard.Values(v); known {
				t.Rows = append(t.Rows, task.Row{Tick: (step + 1) * env.Plan.Ticks.Settle, Values: values})
			}
		}
		if len(t.Rows) == 0 {
			return nil, nil
		}
		return t, nil
	})
	if err != nil {
		return nil, err
	}
	enc.Aim.Settings = wiring.Settings{}
	head.SetScale(enc.Aim.Settings, standard.Mean, standard.Scale)
	return enc, nil
}
