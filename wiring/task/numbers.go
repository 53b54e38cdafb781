package task

import (
	"fmt"
	"math"
)

// NumberNames names n numbers after what they are of: the name itself for
// one, and with a number behind it for several.
func NumberNames(name string, n int) []string {
	if n == 1 {
		return []string{name}
	}
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %d", name, i+1)
	}
	return out
}

// Standard is the mean and the standard deviation of each of several numbers
// over training examples: targets are learned, and errors counted, in it.
type Standard struct{ Mean, Scale []float64 }

// StandardOf measures columns of rows, NaN left out; the deviation of a constant
// is 1.
func StandardOf(rows [][]float64, columns int) (Standard, error) {
	s := Standard{make([]float64, columns), make([]float64, columns)}
	for k := range columns {
		var sum, square, n float64
		for i, r := range rows {
			if len(r) != columns {
				return Standard{}, fmt.Errorf("row %d has %d numbers, want %d", i+1, len(r), columns)
			}
			if !math.IsNaN(r[k]) {
				sum += r[k]
				n++
			}
		}
		if n == 0 {
			return Standard{}, fmt.Errorf("number %d is never known", k+1)
		}
		s.Mean[k] = sum / n
		for _, r := range rows {
			if !math.IsNaN(r[k]) {
				square += (r[k] - s.Mean[k]) * (r[k] - s.Mean[k])
			}
		}
		if s.Scale[k] = math.Sqrt(square / n); !(s.Scale[k] > 1e-12*math.Abs(s.Mean[k])) || s.Scale[k] == 0 {
			s.Scale[k] = 1
		}
	}
	return s, nil
}

// Values are numbers in the standard; known says that one of them is.
func (s Standard) Values(v []float64) (values []float32, known bool) {
	values = make([]float32, len(v))
	for k, x := range v {
		values[k] = float32((x - s.Mean[k]) / s.Scale[k])
		known = known || !math.IsNaN(x)
	}
	return values, known
}

// Errors sums squared errors in the standard, over the numbers that are wanted;
// how many there are is n.
func (s Standard) Errors(got, want []float64) (sum, n float64) {
	for k, w := range want {
		if !math.IsNaN(w) {
			e := (got[k] - w) / s.Scale[k]
			sum += e * e
			n++
		}
	}
	return sum, n
}
