package regression

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// Score implements [prepare.Task]: the explained share of the variance, item by
// item (1 − squared error over the variance of the training targets), and the
// root mean squared error in standard deviations of the training targets.
func (regression) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	rows := known(c.Train, c.Target)
	if len(rows) == 0 {
		return nil, fmt.Errorf("no training example has numbers as its target %q", c.Target)
	}
	standard, err := task.StandardOf(rows, len(rows[0]))
	if err != nil {
		return nil, err
	}
	var total, n float64
	s, err := c.Each("explained", answers, func(x *task.Example, a *task.Answer) (float64, error) {
		want := Of(x, c.Target)
		var got []float64
		if v := a.Values; len(v) > 0 {
			got = v[len(v)-1]
		}
		if len(got) != len(want) || len(want) != len(rows[0]) {
			return 0, fmt.Errorf("%d numbers answered, %d wanted", len(got), len(want))
		}
		e, known := standard.Errors(got, want)
		total, n = total+e, n+known
		return 1 - e/math.Max(known, 1), nil
	})
	if err != nil {
		return nil, err
	}
	s.Whole["nrmse"] = math.Sqrt(total / math.Max(n, 1))
	return s, nil
}

// Rivals implements [prepare.Task]: the mean, the nearest neighbour, and ridge
// regression on the same frozen features.
func (regression) Rivals(c *task.Contest, _ wiring.Task) ([]task.Rival, error) {
	var x [][]float32
	var y [][]float64
	for i := range c.Train {
		v := Of(&c.Train[i], c.Target)
		if v != nil && c.TrainFeatures[i] != nil && !slices.ContainsFunc(v, math.IsNaN) {
			x, y = append(x, c.TrainFeatures[i]), append(y, v)
		}
	}
	if len(x) < 2 {
		return nil, nil
	}
	standard, err := task.StandardOf(y, len(y[0]))
	if err != nil {
		return nil, err
	}
	answer := func(v []float64) task.Answer { return task.Answer{Values: [][]float64{v}} }
	constant := task.Rival{Name: "mean", Answers: slices.Repeat([]task.Answer{answer(standard.Mean)}, len(c.Test))}
	ridge, err := baseline.FitRidge(x, y)
	if err != nil {
		return nil, err
	}
	near, linear := task.Rival{Name: "nearest neighbour"}, task.Rival{Name: "ridge regression"}
	for i, j := range baseline.Nearest(x, c.TestFeatures) {
		if j < 0 {
			near.Answers, linear.Answers = append(near.Answers, answer(standard.Mean)), append(linear.Answers, answer(standard.Mean))
			continue
		}
		near.Answers = append(near.Answers, answer(y[j]))
		linear.Answers = append(linear.Answers, answer(ridge.Predict(c.TestFeatures[i])))
	}
	return []task.Rival{constant, near, linear}, nil
}
