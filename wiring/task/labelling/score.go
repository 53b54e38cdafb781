package labelling

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// Score implements [prepare.Task]: accuracy (of several labels, that all are
// right) and −log of the right label's probability; macro F1 and expected
// calibration error over all.
func (labelling) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	if err := c.Check(answers); err != nil {
		return nil, err
	}
	s := &task.Scores{Items: map[string][]float64{}, Whole: map[string]float64{}}
	type count struct{ hit, said, is int }
	counts := map[string]*count{}
	at := func(label string) *count {
		if counts[label] == nil {
			counts[label] = &count{}
		}
		return counts[label]
	}
	var confidence, right []float64
	for i := range c.Test {
		want, many, ok := Of(&c.Test[i], c.Target)
		if !ok {
			return nil, fmt.Errorf("example %s has no target %q", c.Test[i].ID, c.Target)
		}
		said := []string{answers[i].Label}
		if many {
			said = answers[i].Labels
		}
		hit := 1.0
		for _, l := range want {
			at(l).is++
			if !slices.Contains(said, l) {
				hit = 0
			}
		}
		for _, l := range said {
			at(l).said++
			if slices.Contains(want, l) {
				at(l).hit++
			} else {
				hit = 0
			}
		}
		s.Items["accuracy"] = append(s.Items["accuracy"], hit)
		confidence, right = append(confidence, answers[i].Confidence), append(right, hit)
	}
	var f1 float64
	for _, n := range counts {
		f1 += 2 * float64(n.hit) / float64(max(n.said+n.is, 1)) / float64(len(counts))
	}
	s.Whole["macro_f1"] = f1
	s.Whole["calibration_error"] = calibrationError(confidence, right)
	return s, nil
}

// calibrationError is the mean distance of confidence from accuracy over ten
// bins of confidence, weighted by their sizes (Naeini, Cooper and Hauskrecht
// 2015).
func calibrationError(confidence, right []float64) float64 {
	const bins = 10
	var n, sum, hits [bins]float64
	for i, p := range confidence {
		k := min(int(p*bins), bins-1)
		n[k]++
		sum[k] += p
		hits[k] += right[i]
	}
	var e float64
	for k := range bins {
		if n[k] > 0 {
			e += math.Abs(sum[k]-hits[k]) / float64(max(len(confidence), 1))
		}
	}
	return e
}

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
	logistic := task.Rival{Name: "logistic regression"}
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
