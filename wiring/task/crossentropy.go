package task

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// CrossEntropy is the loss −log softmax(y)_c of each row, the mean of it over
// the row's classes where there are several. A row is right when one of its
// classes is predicted best.
type CrossEntropy struct {
	// Parts are the readings' names and weights.
	Parts []Reading
	// ClassWeight multiplies the loss of a class, nil for all alike: rare
	// classes may count more. It applies to rows of one class.
	ClassWeight []float32
	// Named gives the metrics and says which is best; nil names them by the
	// parts: their mean, and "right".
	Named func(sums []Sum) (map[string]float64, string)
}

// Readings implements [Loss].
func (l *CrossEntropy) Readings() []Reading { return l.Parts }

// Joint implements [Loss].
func (l *CrossEntropy) Joint() bool { return false }

// Score implements [Loss].
func (l *CrossEntropy) Score(b *Batch, gradients bool) []Sum {
	sums := make([]Sum, len(l.Parts))
	exps := make([]float32, b.Width)
	for i, r := range b.Rows {
		row := b.Predictions[i*b.Width:][:b.Width]
		if len(r.Classes) == 0 {
			if gradients {
				clear(row)
			}
			continue
		}
		top := kernel.Max(row)
		kernel.SubScalar(exps, row, top)
		kernel.Exp(exps, exps)
		total := kernel.Sum(exps)
		sum := &sums[r.Reading]
		sum.Rows++
		if slices.ContainsFunc(r.Classes, func(c int32) bool { return row[c] == top }) {
			sum.Right++
		}
		share, weight := 1/float32(len(r.Classes)), b.Weight[r.Reading]
		if l.ClassWeight != nil && len(r.Classes) == 1 {
			weight *= l.ClassWeight[r.Classes[0]]
		}
		for _, c := range r.Classes {
			sum.Loss += float64(share) * (float64(top-row[c]) + math.Log(float64(total)))
		}
		if gradients {
			kernel.MulScalar(row, exps, weight/total)
			for _, c := range r.Classes {
				row[c] -= weight * share
			}
		}
	}
	return sums
}

// Metrics implements [Loss].
func (l *CrossEntropy) Metrics(sums []Sum) (map[string]float64, string) {
	if l.Named != nil {
		return l.Named(sums)
	}
	m := map[string]float64{}
	for i, p := range l.Parts {
		m[p.Name] = sums[i].Mean()
	}
	m["right"] = sums[0].Share()
	return m, "right"
}
