package head

import (
	"math"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Answer says what predictions of an effector that does not speak mean, one
// row after the other, [rows, width].
func Answer(p *wiring.Plan, effector int, predictions []float32) task.Answer {
	e := &p.Effectors[effector]
	switch e.Head {
	case NameSoftmax:
		labels, many := Labels(e)
		return labelled(labels, many, predictions[max(len(predictions)-len(labels), 0):]) // the last reading
	case NameLinear:
		names, mean, scale := Names(e)
		var a task.Answer
		for lo := 0; lo+len(names) <= len(predictions); lo += len(names) {
			row := make([]float64, len(names))
			for k := range row {
				row[k] = mean[k] + scale[k]*float64(predictions[lo+k])
			}
			a.Values = append(a.Values, row)
		}
		return a
	case NameEmbedding:
		row := make([]float64, len(predictions))
		for k, v := range predictions {
			row[k] = float64(v)
		}
		return task.Answer{Values: [][]float64{row}}
	}
	if a := arithmetic(e); a != nil {
		return a.Answer(p, effector, predictions)
	}
	return task.Answer{}
}

// labelled turns scores into probabilities and a label.
func labelled(labels []string, many bool, scores []float32) task.Answer {
	a := task.Answer{Probabilities: make([]float64, len(scores))}
	if len(scores) == 0 {
		return a
	}
	if many {
		for i, y := range scores {
			a.Probabilities[i] = 1 / (1 + math.Exp(-float64(y)))
			if y > 0 {
				a.Labels = append(a.Labels, labels[i])
			}
		}
	} else {
		top := math.Inf(-1)
		for _, y := range scores {
			top = math.Max(top, float64(y))
		}
		var sum float64
		for i, y := range scores {
			a.Probabilities[i] = math.Exp(float64(y) - top)
			sum += a.Probabilities[i]
		}
		for i := range a.Probabilities {
			a.Probabilities[i] /= sum
		}
	}
	best := 0
	for i, p := range a.Probabilities {
		if p > a.Probabilities[best] {
			best = i
		}
	}
	a.Label, a.Confidence = labels[best], a.Probabilities[best]
	return a
}
