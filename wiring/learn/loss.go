package learn

import (
	"github.com/connectomewire/wire/wiring/task"
)

// Loss is what a set of samples cost.
type Loss struct {
	// Total is what training minimises: the weighted sum over tasks and their
	// readings.
	Total float64 `json:"total"`
	// Score is what the best epoch is chosen by; more is better. By names it.
	Score float64 `json:"score"`
	By    string  `json:"by"`
	// Metrics are what each task names, by "EFFECTOR METRIC".
	Metrics map[string]float64 `json:"metrics"`
}

// sums are the sums of every aim and reading.
type sums [][]task.Sum

func newSums(aims []aim) sums {
	s := make(sums, len(aims))
	for i := range aims {
		s[i] = make([]task.Sum, len(aims[i].readings))
	}
	return s
}

func (s sums) add(o sums) {
	for i := range o {
		for k := range o[i] {
			s[i][k].Add(o[i][k])
		}
	}
}

// loss names what sums came to. metric chooses what the best epoch is chosen
// by: "EFFECTOR METRIC", or "" for the sum of the tasks' own choices.
func (n *network) loss(s sums, metric string) Loss {
	l := Loss{Metrics: map[string]float64{}}
	for i := range n.aims {
		a := &n.aims[i]
		for k, r := range a.readings {
			l.Total += a.weight * r.Weight * s[i][k].Mean()
		}
		metrics, best := a.loss.Metrics(s[i])
		for name, v := range metrics {
			l.Metrics[a.effector.Name+" "+name] = v
		}
		if metric == "" {
			l.Score += a.weight * metrics[best]
			if l.By != "" {
				l.By += " + "
			}
			l.By += a.effector.Name + " " + best
		}
	}
	if metric != "" {
		l.Score, l.By = l.Metrics[metric], metric
	}
	return l
}
