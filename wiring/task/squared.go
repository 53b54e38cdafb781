package task

import "math"

// Squared is half the squared error of each row, the mean over its values
// that are numbers; NaN asks for nothing.
type Squared struct{ Part Reading }

// Readings implements [Loss].
func (l *Squared) Readings() []Reading { return []Reading{l.Part} }

// Joint implements [Loss].
func (l *Squared) Joint() bool { return false }

// Score implements [Loss].
func (l *Squared) Score(b *Batch, gradients bool) []Sum {
	var sum Sum
	for i, r := range b.Rows {
		row := b.Predictions[i*b.Width:][:b.Width]
		n := 0
		for _, v := range r.Values {
			if !math.IsNaN(float64(v)) {
				n++
			}
		}
		if n == 0 {
			if gradients {
				clear(row)
			}
			if len(r.Values) > 0 {
				sum.Rows++ // counted in the weight
			}
			continue
		}
		sum.Rows++
		weight := b.Weight[0] / float32(n)
		for k, y := range row {
			e := y - r.Values[k]
			if math.IsNaN(float64(r.Values[k])) {
				e = 0
			}
			sum.Loss += float64(e) * float64(e) / 2 / float64(n)
			if gradients {
				row[k] = weight * e
			}
		}
	}
	return []Sum{sum}
}

// Metrics implements [Loss].
func (l *Squared) Metrics(sums []Sum) (map[string]float64, string) {
	return map[string]float64{l.Part.Name: sums[0].Mean(), "negative loss": -sums[0].Mean()}, "negative loss"
}
