package forecasting

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// lags is how many of the last steps linear autoregression sees.
const lags = 16

// Score implements [prepare.Task]: the explained share of the variance of each
// series, and the error over all in standard deviations of the training series.
func (forecasting) Score(c *task.Contest, t wiring.Task, answers []task.Answer) (*task.Scores, error) {
	horizon, warm := Horizon(t)
	var rows [][]float64
	for i := range c.Train {
		rows = append(rows, Of(&c.Train[i], c.Target)...)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no training example has a series as its target %q", c.Target)
	}
	standard, err := task.StandardOf(rows, len(rows[0]))
	if err != nil {
		return nil, err
	}
	var total, n float64
	s, err := c.Each("explained", answers, func(x *task.Example, a *task.Answer) (float64, error) {
		series := Of(x, c.Target)
		var e, steps float64
		for step := warm; step+horizon < len(series); step++ {
			if step >= len(a.Values) {
				return 0, fmt.Errorf("%d steps answered of %d", len(a.Values), len(series))
			}
			if got, want := len(a.Values[step]), len(series[step+horizon]); got != want {
				return 0, fmt.Errorf("step %d: %d numbers answered, %d wanted", step, got, want)
			}
			sum, known := standard.Errors(a.Values[step], series[step+horizon])
			e, steps = e+sum, steps+known
		}
		total, n = total+e, n+steps
		return 1 - e/math.Max(steps, 1), nil
	})
	if err != nil {
		return nil, err
	}
	s.Whole["nrmse"] = math.Sqrt(total / math.Max(n, 1))
	return s, nil
}

// Rivals implements [prepare.Task]: persistence (the last value goes on), where
// what is forecast is what is given, and linear autoregression on the last 16
// steps. Both see exactly what the plan sees: the past of its input.
func (forecasting) Rivals(c *task.Contest, t wiring.Task) ([]task.Rival, error) {
	horizon, warm := Horizon(t)
	const most = 2000 // rows of the regression
	var x [][]float32
	var y [][]float64
	itself := horizon > 0
	for i := range c.Train {
		in, err := given(&c.Train[i])
		if err != nil {
			return nil, err
		}
		series := Of(&c.Train[i], c.Target)
		itself = itself && same(in, series)
		for step := warm; step+horizon < len(series) && step < len(in); step++ {
			if want := series[step+horizon]; !slices.ContainsFunc(want, math.IsNaN) {
				x, y = append(x, past(in, step)), append(y, want)
			}
		}
	}
	if len(x) < 2 {
		return nil, nil
	}
	if stride := (len(x) + most - 1) / most; stride > 1 {
		var fx [][]float32
		var fy [][]float64
		for i := 0; i < len(x); i += stride {
			fx, fy = append(fx, x[i]), append(fy, y[i])
		}
		x, y = fx, fy
	}
	ridge, err := baseline.FitRidge(x, y)
	if err != nil {
		return nil, err
	}
	last, linear := task.Rival{Name: "persistence"}, task.Rival{Name: "linear autoregression"}
	for i := range c.Test {
		in, err := given(&c.Test[i])
		if err != nil {
			return nil, err
		}
		var a task.Answer
		for step := range in {
			a.Values = append(a.Values, ridge.Predict(past(in, step)))
		}
		last.Answers, linear.Answers = append(last.Answers, task.Answer{Values: in}), append(linear.Answers, a)
	}
	if !itself {
		return []task.Rival{linear}, nil
	}
	return []task.Rival{last, linear}, nil
}

// given is what an example's series say, those of several senses side by side,
// by step.
func given(e *task.Example) ([][]float64, error) {
	var out [][]float64
	for _, name := range slices.Sorted(maps.Keys(e.Inputs)) {
		if e.Inputs[name].Kind != wiring.KindSeries {
			continue
		}
		v, err := e.Inputs[name].Read()
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", e.ID, err)
		}
		s, ok := v.(task.Series)
		if !ok || out != nil && len(out) != s.Steps {
			return nil, fmt.Errorf("example %s: the series %q does not fit the others", e.ID, name)
		}
		if out == nil {
			out = make([][]float64, s.Steps)
		}
		for step := range out {
			for _, x := range s.Values[step*s.Width:][:s.Width] {
				out[step] = append(out[step], float64(x))
			}
		}
	}
	return out, nil
}

// past are the last steps up to one, the newest first; before the first the
// first stands.
func past(series [][]float64, step int) []float32 {
	var row []float32
	for l := range lags {
		for _, v := range series[max(step-l, 0)] {
			row = append(row, float32(v))
		}
	}
	return row
}

// same says that what is given is what is wanted.
func same(given, wanted [][]float64) bool {
	return slices.EqualFunc(given, wanted, func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(x, y float64) bool { return float32(x) == float32(y) })
	})
}
