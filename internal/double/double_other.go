//go:build !amd64

package double

// accumulate does nothing here.
func accumulate([]float64, []float64, int, []float64, int, int) int { return 0 }

func tanh(_, _ []float64) int { return 0 }
