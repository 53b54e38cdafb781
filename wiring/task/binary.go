package task

import "math"

// BinaryCrossEntropy is the loss of labels of which several may hold at once:
// the mean over labels of −log σ(y) where the label holds and −log σ(−y) where
// it does not. A row is right when exactly its classes have y > 0. A row must
// ask for something: one whose Values is not nil and which has no classes says
// that no label holds.
type BinaryCrossEntropy struct{ Part Reading }

// Readings implements [Loss].
func (l *BinaryCrossEntropy) Readings() []Reading { return []Reading{l.Part} }

// Joint implements [Loss].
func (l *BinaryCrossEntropy) Joint() bool { return false }

// Score implements [Loss].
func (l *BinaryCrossEntropy) Score(b *Batch, gradients bool) []Sum {
	var sum Sum
	holds := make([]bool, b.Width)
	for i, r := range b.Rows {
		row := b.Predictions[i*b.Width:][:b.Width]
		if len(r.Classes) == 0 && len(r.Values) == 0 {
			if gradients {
				clear(row)
			}
			continue
		}
		clear(holds)
		for _, c := range r.Classes {
			holds[c] = true
		}
		right := true
		weight := b.Weight[0] / float32(b.Width)
		for k, y := range row {
			p := 1 / (1 + math.Exp(-float64(y)))
			var loss, want float64
			if holds[k] {
				loss, want = logistic(-float64(y)), 1
			} else {
				loss = logistic(float64(y))
			}
			right = right && holds[k] == (y > 0)
			sum.Loss += loss / float64(b.Width)
			if gradients {
				row[k] = weight * float32(p-want)
			}
		}
		sum.Rows++
		if right {
			sum.Right++
		}
	}
	return []Sum{sum}
}

// logistic is log(1 + e^x) without overflow.
func logistic(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// Metrics implements [Loss].
func (l *BinaryCrossEntropy) Metrics(sums []Sum) (map[string]float64, string) {
	return map[string]float64{l.Part.Name: sums[0].Mean(), "right": sums[0].Share(), "negative loss": -sums[0].Mean()}, "negative loss"
}
