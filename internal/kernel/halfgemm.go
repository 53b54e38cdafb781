package kernel

import (
	"fmt"
	"math"
)

// A packed matrix of binary16 numbers lies in panels of halfPanel columns at
// every level; a row's kernel takes up to halfWide columns at once.
const (
	halfPanel = 16
	halfWide  = 64
)

// HalfLen is how many numbers [PackHalf] writes of a [k, n] matrix.
func HalfLen(k, n int) int { return (n + halfPanel - 1) / halfPanel * halfPanel * k }

// PackHalf writes op(b), see [PackB], in binary16 in panels for [GemmHalf]. What
// it writes is op(b)/scale, and scale a power of two, which makes the largest
// number about 2¹⁴: so nothing overflows, and numbers down to 2⁻²⁸ of it keep
// all eleven bits.
func PackHalf(dst []uint16, b []float32, ldb int, transB bool, k, n int) (scale float32) {
	if k <= 0 || n <= 0 {
		return 1
	}
	largest := float32(0)
	rows, columns := k, n
	if transB {
		rows, columns = n, k
	}
	for i := range rows {
		for _, v := range b[i*ldb:][:columns] {
			largest = max(largest, v, -v)
		}
	}
	scale = 1
	if largest > 0 && !math.IsInf(float64(largest), 0) {
		_, exponent := math.Frexp(float64(largest))
		scale = float32(math.Ldexp(1, max(-100, exponent-15)))
	}
	buf := getBuffer(k * halfPanel)
	defer putBuffer(buf)
	for j := 0; j < n; j += halfPanel {
		from := b[min(j, len(b)):]
		if transB {
			from = b[j*ldb:]
		}
		w := min(halfPanel, n-j)
		pack(buf.f, from, ldb, transB, k, w, halfPanel)
		MulScalar(buf.f, buf.f, 1/scale)
		ToHalf(dst[j*k:][:k*halfPanel], buf.f)
	}
	return scale
}

// GemmHalf is [GemmPacked] for a matrix b in binary16, see [PackHalf], times its
// scale; sums are in float32. Row i of the result depends on row i of a alone,
// to the bit.
func GemmHalf(m, n, k int, a []float32, lda int, b []uint16, scale float32, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 {
		return
	}
	need("c", c, m, n, ldc)
	if len(b) < HalfLen(k, n) {
		panic(fmt.Sprintf("kernel: packed b has %d elements, want %d", len(b), HalfLen(k, n)))
	}
	// Sums are of what b holds; since the scale is a power of two that changes
	// no bit.
	for i := range m {
		if row := c[i*ldc:][:n]; accumulate {
			MulScalar(row, row, 1/scale)
		} else {
			clear(row)
		}
	}
	if k > 0 {
		need("a", a, m, k, lda)
		sumHalf(m, n, k, a, lda, b, c, ldc)
	}
	for i := range m {
		row := c[i*ldc:][:n]
		MulScalar(row, row, scale)
	}
}

// sumHalf is c += a·b.
func sumHalf(m, n, k int, a []float32, lda int, b []uint16, c []float32, ldc int) {
	if m == 1 && rowOfHalves() {
		j := 0
		for ; j+halfWide <= n; j += halfWide {
			rowHalf(k, a, b[j*k:], k*halfPanel, halfWide/halfPanel, c[j:])
		}
		if j < n { // the last columns, of panels that c does not fill
			var last [halfWide]float32
			copy(last[:], c[j:n])
			rowHalf(k, a, b[j*k:], k*halfPanel, (n-j+halfPanel-1)/halfPanel, last[:])
			copy(c[j:n], last[:])
		}
		return
	}
	buf := getBuffer(k * halfPanel)
	defer putBuffer(buf)
	for j := 0; j < n; j += halfPanel {
		FromHalf(buf.f, b[j*k:][:k*halfPanel])
		tileColumn(m, min(halfPanel, n-j), k, a, lda, 1, buf.f, halfPanel, c[j:], ldc, true)
	}
}
