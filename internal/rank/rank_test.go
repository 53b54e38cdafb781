package rank

import (
	"math"
	"slices"
	"testing"
)

func TestMean(t *testing.T) {
	for _, c := range []struct{ values, want []float64 }{
		{nil, []float64{}},
		{[]float64{3, 1, 3, 2}, []float64{2.5, 0, 2.5, 1}},
		{[]float64{5, 5, 5}, []float64{1, 1, 1}},
		{[]float64{1, math.NaN(), math.Inf(-1), math.NaN()}, []float64{3, 0.5, 2, 0.5}},
	} {
		if got := Mean(c.values); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}
