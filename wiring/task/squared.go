package task

// Squared is half the squared error of each row, the mean over its values
// that are numbers; NaN asks for nothing.
func Squared(part Reading) Loss {
	return &Alone{Part: part, Row: func(y []float32, r *Row, weight float32) (loss float64) {
		n := 0
		for _, v := range r.Values {
			if v == v {
				n++
			}
		}
		weight /= float32(max(n, 1))
		for k := range y {
			var e float32
			if k < len(r.Values) && r.Values[k] == r.Values[k] {
				e = y[k] - r.Values[k]
			}
			loss += float64(e) * float64(e) / 2 / float64(max(n, 1))
			y[k] = weight * e
		}
		return loss
	}}
}
