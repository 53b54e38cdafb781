package wiring

import "github.com/connectomewire/wire/internal/kernel"

// matrix is the transpose, [k, n], of a matrix of a plan, as products read it
// best: packed, or as it is where packing would leave much of it empty.
type matrix struct {
	k, n   int
	packed bool
	data   []float32

	// In binary16, in place of data, divided by a power of two.
	half  []uint16
	scale float32
}

// fill takes the numbers of src, [n, k].
func (m *matrix) fill(src []float32, k, n int) {
	if m.data == nil {
		m.k, m.n = k, n
		m.packed = worthPacking(k, n)
		m.data = make([]float32, TransposedLen(k, n))
	}
	if m.packed {
		kernel.PackB(m.data, src, k, true, k, n)
	} else {
		kernel.Transpose(m.data, n, src, k, n, k)
	}
}

// fillHalf takes the numbers of src, [n, k], in binary16.
func (m *matrix) fillHalf(src []float32, k, n int) {
	if m.half == nil {
		m.k, m.n = k, n
		m.half = make([]uint16, kernel.HalfLen(k, n))
	}
	m.scale = kernel.PackHalf(m.half, src, k, true, k, n)
}

// product is c = a·m, or c += a·m, of a batch of rows a, [batch, k], and c,
// [batch, n].
func (m *matrix) product(batch int, a, c []float32, accumulate bool) {
	switch {
	case m.half != nil:
		kernel.GemmHalf(batch, m.n, m.k, a, m.k, m.half, m.scale, c, m.n, accumulate)
	case m.packed:
		kernel.GemmPacked(batch, m.n, m.k, a, m.k, m.data, c, m.n, accumulate)
	default:
		kernel.GemmInPlace(batch, m.n, m.k, a, m.k, m.data, m.n, c, m.n, accumulate)
	}
}

// columns is c = mᵀ·a of so many columns a, [k, columns], packed, and c, whose rows are
// ldc apart.
func (m *matrix) columns(columns int, a, c []float32, ldc int) {
	if m.packed {
		kernel.GemmPackedLeft(m.n, columns, m.k, m.data, a, c, ldc)
		return
	}
	kernel.GemmLeft(m.n, columns, m.k, m.data, m.n, a, c, ldc)
}

// ofColumns is c += aᵀ·m of columns a, [k, pitch], and a batch of rows c, [batch, n].
func (m *matrix) ofColumns(batch int, a []float32, pitch int, c []float32) {
	if m.packed {
		kernel.GemmPackedStrided(batch, m.n, m.k, a, 1, pitch, m.data, c, m.n, true)
		return
	}
	kernel.GemmOfColumns(batch, m.n, m.k, a, pitch, m.data, m.n, c, m.n)
}

// worthPacking is whether packing leaves little of a matrix empty.
func worthPacking(k, n int) bool { return kernel.PackedLen(k, n) <= k*n*5/4 }

// TransposedLen is how many numbers a [Cell] keeps of a matrix of the plan that
// takes k numbers to n.
func TransposedLen(k, n int) int {
	if worthPacking(k, n) {
		return kernel.PackedLen(k, n)
	}
	return k * n
}

// HalfLen is how many numbers of two bytes a [Cell] keeps of it in binary16.
func HalfLen(k, n int) int { return kernel.HalfLen(k, n) }
