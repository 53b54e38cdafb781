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

// MeanAndScale returns the mean and the standard deviation of each column of
// rows, NaN left out; the deviation of a constant is 1.
func MeanAndScale(rows [][]float64, columns int) (mean, scale []float64, err error) {
	mean, scale = make([]float64, columns), make([]float64, columns)
	for k := range columns {
		var sum, square, n float64
		for i, r := range rows {
			if len(r) != columns {
				return nil, nil, fmt.Errorf("row %d has %d numbers, want %d", i+1, len(r), columns)
			}
			if !math.IsNaN(r[k]) {
				sum += r[k]
				n++
			}
		}
		if n == 0 {
			return nil, nil, fmt.Errorf("number %d is never known", k+1)
		}
		mean[k] = sum / n
		for _, r := range rows {
			if !math.IsNaN(r[k]) {
				square += (r[k] - mean[k]) * (r[k] - mean[k])
			}
		}
		if scale[k] = math.Sqrt(square / n); !(scale[k] > 1e-12*math.Abs(mean[k])) || scale[k] == 0 {
			scale[k] = 1
		}
	}
	return mean, scale, nil
}
