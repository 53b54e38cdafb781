package forecasting

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// lags is how many of the last steps linear autoregression sees.
const lags = 16

// Score implements [prepare.Task]: the explained share of the variance of each
// series, and the error over all in standard deviations of the training series.
func (forecasting) Score(c *task.Contest, t wiring.Task, answers []task.Answer) (*task.Scores, error) {
	if err := c.Check(answers); err != nil {
		return nil, err
	}
	horizon, warm := Horizon(t)
	var rows [][]float64
	for i := range c.Train {
		rows = append(rows, Of(&c.Train[i], c.Target)...)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no training example has a series as its target %q", c.Target)
	}
	_, scale, err := task.MeanAndScale(rows, len(rows[0]))
	if err != nil {
		return nil, err
	}
	s := &task.Scores{Items: map[string][]float64{}, Whole: map[string]float64{}}
	var total, n float64
	for i := range c.Test {
		series := Of(&c.Test[i], c.Target)
		var e, steps float64
		for step := warm; step+horizon < len(series); step++ {
			if step >= len(answers[i].Values) {
				return nil, fmt.Errorf("example %s: %d steps answered of %d", c.Test[i].ID, len(answers[i].Values), len(series))
			}
			for k, want := range series[step+horizon] {
				if !math.IsNaN(want) {
					d := (answers[i].Values[step][k] - want) / scale[k]
					e += d * d
					steps++
				}
			}
		}
		s.Items["explained"] = append(s.Items["explained"], 1-e/math.Max(steps, 1))
		total += e
		n += steps
	}
	s.Whole["nrmse"] = math.Sqrt(total / math.Max(n, 1))
	return s, nil
}

// Rivals implements [prepare.Task]: persistence (the last value goes on), and
// linear autoregression on the last 16 steps, both of the target's own past.
func (forecasting) Rivals(c *task.Contest, t wiring.Task) ([]task.Rival, error) {
	horizon, _ := Horizon(t)
	past := func(series [][]float64, step int) []float32 {
		var row []float32
		for l := range lags {
			for _, v := range series[max(step-l, 0)] {
				row = append(row, float32(v))
			}
		}
		return row
	}
	const most = 2000 // rows of the regression
	var x [][]float32
	var y [][]float64
	for i := range c.Train {
		series := Of(&c.Train[i], c.Target)
		for step := 0; step+horizon < len(series); step++ {
			x, y = append(x, past(series, step)), append(y, series[step+horizon])
		}
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
		series := Of(&c.Test[i], c.Target)
		var a task.Answer
		for step := range series {
			a.Values = append(a.Values, ridge.Predict(past(series, step)))
		}
		last.Answers, linear.Answers = append(last.Answers, task.Answer{Values: series}), append(linear.Answers, a)
	}
	return []task.Rival{last, linear}, nil
}
