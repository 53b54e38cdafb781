package double

import "math"

// Lanes is the multiple to which rows are best padded.
const Lanes = 8

// Padded is the least multiple of [Lanes] that is at least n.
func Padded(n int) int { return (n + Lanes - 1) / Lanes * Lanes }

// Accumulate adds a row vector times a matrix to a row:
//
//	dst[j] ← x[i·stride]·b[i·pitch+j] + dst[j],  i = 0 … k−1 in this order
//
// b is row-major with pitch numbers from one row to the next.
func Accumulate(dst, x []float64, stride int, b []float64, pitch, k int) {
	if k == 0 || len(dst) == 0 {
		return
	}
	_, _ = x[(k-1)*stride], b[(k-1)*pitch+len(dst)-1]
	for j := accumulate(dst, x, stride, b, pitch, k); j < len(dst); j++ {
		sum := dst[j]
		for i := range k {
			sum = math.FMA(x[i*stride], b[i*pitch+j], sum)
		}
		dst[j] = sum
	}
}

// Gram adds zᵀz to the upper triangle of g, [m, n], for z of rows of n numbers
// with pitch from one to the next; m ≤ n are the rows of g that are wanted.
func Gram(g []float64, m, n int, z []float64, pitch, rows int) {
	const block = 24 // rows of 136 numbers lie in the nearest cache
	for from := 0; from < rows; from += block {
		k := min(block, rows-from)
		at := z[from*pitch:]
		for i := range m {
			j := i / Lanes * Lanes // whole vectors
			Accumulate(g[i*n+j:(i+1)*n], at[i:], pitch, at[j:], pitch, k)
		}
	}
}
