package retrieval

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Score implements [prepare.Task]. Answers hold two vectors, one of each side,
// in Values; the right one of the other side should be the nearest of all by
// cosine. Of both directions: recall at 1, 5 and 10, and the median rank. An
// example of the same group counts as right.
func (retrieval) Score(c *task.Contest, _ wiring.Task, answers []task.Answer) (*task.Scores, error) {
	if err := c.Check(answers); err != nil {
		return nil, err
	}
	s := &task.Scores{Items: map[string][]float64{}, Whole: map[string]float64{}}
	var ranks []int
	for i := range answers {
		if len(answers[i].Values) != 2 {
			return nil, fmt.Errorf("example %s: %d vectors, want one of each side", c.Test[i].ID, len(answers[i].Values))
		}
	}
	for i := range answers {
		hits := map[string]float64{}
		for side := range 2 {
			rank := rankOf(c, answers, i, side)
			ranks = append(ranks, rank)
			for name, k := range map[string]int{"r@1": 1, "r@5": 5, "r@10": 10} {
				if rank <= k {
					hits[name] += 0.5
				}
			}
		}
		for _, name := range []string{"r@1", "r@5", "r@10"} {
			s.Items[name] = append(s.Items[name], hits[name])
		}
	}
	s.Whole["median_rank"] = metrics.MedianRank(ranks)
	return s, nil
}

// rankOf is the place, from 1, of an example's own among the vectors of the
// other side; equal cosines share the worst.
func rankOf(c *task.Contest, answers []task.Answer, i, side int) int {
	own := math.Inf(-1)
	group := c.Test[i].GroupID()
	cosines := make([]float64, len(answers))
	for j := range answers {
		cosines[j] = cosine(answers[i].Values[side], answers[j].Values[1-side])
		if c.Test[j].GroupID() == group {
			own = math.Max(own, cosines[j])
		}
	}
	rank := 1
	for j, v := range cosines {
		if c.Test[j].GroupID() != group && v >= own {
			rank++
		}
	}
	return rank
}

func cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for k := range min(len(a), len(b)) {
		ab += a[k] * b[k]
		aa += a[k] * a[k]
		bb += b[k] * b[k]
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
