package labelling

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// Score implements [prepare.Task]: accuracy (of several labels, that all are
// right); macro F1 and expected calibration error over all.
func (labelling) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	var confidence []float64
	var right []bool
	var all, wanted [][]string
	s, err := c.Each("accuracy", answers, func(e *task.Example, a *task.Answer) (float64, error) {
		want, many, ok := Of(e, c.Target)
		if !ok {
			return 0, fmt.Errorf("it has no target %q", c.Target)
		}
		said := []string{a.Label}
		if many {
			said = a.Labels
		}
		hit := sameLabels(said, want)
		all, wanted = append(all, said), append(wanted, want)
		confidence, right = append(confidence, min(max(a.Confidence, 0), 1)), append(right, hit)
		if hit {
			return 1, nil
		}
		return 0, nil
	})
	if err != nil {
		return nil, err
	}
	if s.Whole["macro_f1"], err = metrics.MacroF1(all, wanted); err != nil {
		return nil, err
	}
	const bins = 10
	if s.Whole["calibration_error"], _, err = metrics.Calibration(confidence, right, bins); err != nil {
		return nil, err
	}
	return s, nil
}

// sameLabels says that two sets are the same.
func sameLabels(a, b []string) bool {
	within := func(a, b []string) bool {
		return !slices.ContainsFunc(a, func(l string) bool { return !slices.Contains(b, l) })
	}
	return within(a, b) && within(b, a)
}

// Logistic is the name of the rival that reads the same features by logistic
// regression.
const Logistic = "logistic regression"

// Rivals implements [prepare.Task]: the most frequent label, the nearest
// neighbour, and logistic regression on the same frozen features.
func (labelling) Rivals(c *task.Contest, _ wiring.Task) ([]task.Rival, error) {
	labels := func(examples []task.Example) (out []string, many bool) {
		for i := range examples {
			l, several, _ := Of(&examples[i], c.Target)
			many = many || several
			out = append(out, first(l))
		}
		return out, many
	}
	train, many := labels(c.Train)
	classes := slices.Compact(slices.Sorted(slices.Values(train)))
	count := map[string]int{}
	majority := ""
	for _, l := range train {
		count[l]++
	}
	for _, l := range classes {
		if majority == "" || count[l] > count[majority] {
			majority = l
		}
	}
	answer := func(label string, p float64) task.Answer {
		return task.Answer{Label: label, Labels: []string{label}, Confidence: p}
	}
	share := float64(count[majority]) / float64(max(len(train), 1))
	rivals := []task.Rival{{Name: "majority", Answers: slices.Repeat([]task.Answer{answer(majority, share)}, len(c.Test))}}
	near := task.Rival{Name: "nearest neighbour"}
	for _, j := range baseline.Nearest(c.TrainFeatures, c.TestFeatures) {
		a := answer(majority, 1)
		if j >= 0 {
			own, _, _ := Of(&c.Train[j], c.Target)
			a = task.Answer{Label: first(own), Labels: own, Confidence: 1}
		}
		near.Answers = append(near.Answers, a)
	}
	rivals = append(rivals, near)
	if many || len(classes) < 2 {
		return rivals, nil
	}
	pick := func(examples []task.Example, features [][]float32) (x [][]float32, y []int) {
		names, _ := labels(examples)
		for i, f := range features {
			if k, known := slices.BinarySearch(classes, names[i]); f != nil && known {
				x, y = append(x, f), append(y, k)
			}
		}
		return x, y
	}
	x, y := pick(c.Train, c.TrainFeatures)
	vx, vy := pick(c.Val, c.ValFeatures)
	model, err := baseline.FitLogistic(x, y, vx, vy, len(classes))
	if err != nil {
		return nil, err
	}
	logistic := task.Rival{Name: Logistic}
	for _, f := range c.TestFeatures {
		if f == nil {
			logistic.Answers = append(logistic.Answers, answer(majority, share))
			continue
		}
		p := model.Probabilities(f)
		best := 0
		for k := range p {
			if p[k] > p[best] {
				best = k
			}
		}
		logistic.Answers = append(logistic.Answers, answer(classes[best], p[best]))
	}
	return append(rivals, logistic), nil
}

func first(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return labels[0]
}
