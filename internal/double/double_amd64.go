package double

import "github.com/connectomewire/wire/internal/kernel"

// accumulate does what fills whole vectors and returns how many columns that
// is.
func accumulate(dst, x []float64, stride int, b []float64, pitch, k int) int {
	n := len(dst) &^ 3
	if n == 0 || kernel.Current() == kernel.Generic {
		return 0
	}
	accumulateAVX2(n, k, &dst[0], &x[0], stride, &b[0], pitch)
	return n
}

//go:noescape
func accumulateAVX2(cols, k int, dst, x *float64, stride int, b *float64, pitch int)
