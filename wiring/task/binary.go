package task

import (
	"math"
	"slices"
)

// BinaryCrossEntropy is the loss of labels of which several may hold at once:
// the mean over labels of −log σ(y) where the label holds and −log σ(−y) where
// it does not. A row is right when exactly its classes have y > 0. A row must
// ask for something: one with Values and without classes says that no label
// holds.
func BinaryCrossEntropy(part Reading) Loss {
	holds := func(r *Row, k int) bool { return slices.Contains(r.Classes, int32(k)) }
	return &Alone{Part: part, Row: func(y []float32, r *Row, weight float32) (loss float64) {
		width := float64(len(y))
		weight /= float32(len(y))
		for k, v := range y {
			p, want := 1/(1+math.Exp(-float64(v))), 0.0
			if holds(r, k) {
				loss, want = loss+logistic(-float64(v))/width, 1
			} else {
				loss += logistic(float64(v)) / width
			}
			y[k] = weight * float32(p-want)
		}
		return loss
	}, Right: func(y []float32, r *Row) bool {
		for k, v := range y {
			if holds(r, k) != (v > 0) {
				return false
			}
		}
		return true
	}}
}

// logistic is log(1 + e^x) without overflow.
func logistic(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
