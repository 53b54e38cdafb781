package wiring

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// AddFeedback adds E_f x to drive, [batch, d], the drive of a region where
// what an effector does comes back in; matrix is E_f, [d, width], and x, the
// normalised feedback ([Normalise]), is [batch, width].
func AddFeedback(drive, matrix, x []float32, batch, d, width int) {
	kernel.Gemm(false, true, batch, d, width, x, matrix, drive, true)
}

// InverseLength returns 1/sqrt(‖q‖² + 1e-6).
func InverseLength(q []float32) float32 {
	return float32(1 / math.Sqrt(float64(kernel.Dot(q, q))+1e-6))
}

// UnitLength scales a vector to length 1 in place; a vector of zeros stays.
func UnitLength(v []float32) {
	if n := kernel.Dot(v, v); n > 0 {
		f := float32(1 / math.Sqrt(float64(n)))
		for i := range v {
			v[i] *= f
		}
	}
}
