package double

import "math"

// Tanh writes the hyperbolic tangents of src to dst, to the bits of
// [math.Tanh]. dst may be src.
func Tanh(dst, src []float64) {
	dst = dst[:len(src)]
	for i := tanh(dst, src); i < len(src); {
		// What stopped the vectors, or is left of them, goes one by one.
		end := min(i+4, len(src))
		for ; i < end; i++ {
			dst[i] = math.Tanh(src[i])
		}
		i += tanh(dst[i:], src[i:])
	}
}
