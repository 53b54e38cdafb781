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

// tanh does the first vectors of small numbers and returns how many numbers
// those are.
func tanh(dst, src []float64) int {
	if len(src) < 4 || kernel.Current() == kernel.Generic {
		return 0
	}
	return tanhAVX2(len(src), &dst[0], &src[0])
}

//go:noescape
func tanhAVX2(n int, dst, src *float64) (done int)
