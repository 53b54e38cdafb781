package task

// Alone is a loss whose rows are scored each for itself, of a head with one
// reading.
type Alone struct {
	Part Reading
	// Row returns the loss of the predictions y and leaves weight times its
	// gradient in their place.
	Row func(y []float32, r *Row, weight float32) (loss float64)
	// Right says that predictions are right; nil where that cannot be said.
	Right func(y []float32, r *Row) bool
}

// Readings implements [Loss].
func (l *Alone) Readings() []Reading { return []Reading{l.Part} }

// Joint implements [Loss].
func (l *Alone) Joint() bool { return false }

// Score implements [Loss].
func (l *Alone) Score(b *Batch, _ bool) []Sum {
	var sum Sum
	for i, r := range b.Rows {
		y := b.Predictions[i*b.Width:][:b.Width]
		if !r.asks() {
			clear(y)
			continue
		}
		sum.Rows++
		if l.Right != nil && l.Right(y, r) {
			sum.Right++
		}
		sum.Loss += l.Row(y, r, b.Weight[0])
	}
	return []Sum{sum}
}

// Metrics implements [Loss]: the mean loss, by which the best epoch is chosen,
// and, where it can be said, the share that is right.
func (l *Alone) Metrics(sums []Sum) (map[string]float64, string) {
	m := map[string]float64{l.Part.Name: sums[0].Mean(), "negative loss": -sums[0].Mean()}
	if l.Right != nil {
		m["right"] = sums[0].Share()
	}
	return m, "negative loss"
}
