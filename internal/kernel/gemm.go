package kernel

import (
	"fmt"
	"sync"
)

// Block sizes of a product: kBlock rows of packed B are multiplied with mBlock
// rows of A at a time, so that the panel in use stays in the first-level and
// the block of A in the second-level cache.
const (
	kBlock = 256
	mBlock = 240
	nBlock = 2048
	// rowBlock rows of A go through all columns of a B that is read in place
	// before the next ones: those stay in the second-level cache.
	rowBlock = 120
)

// Gemm computes c = op(a)·op(b), or c += op(a)·op(b) if accumulate is set,
// where op(a) is [m, k], op(b) is [k, n] and c is [m, n], all row-major and
// dense: a holds [k, m] if transA is set, b holds [n, k] if transB is set.
// Row i of the result depends on row i of op(a) alone, to the bit. It panics
// when a slice is too short.
func Gemm(transA, transB bool, m, n, k int, a, b, c []float32, accumulate bool) {
	lda, ldb := k, n
	if transA {
		lda = m
	}
	if transB {
		ldb = k
	}
	GemmStrided(transA, transB, m, n, k, a, lda, b, ldb, c, n, accumulate)
}

// GemmStrided is [Gemm] for matrices whose rows are lda, ldb and ldc elements
// apart.
func GemmStrided(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 {
		return
	}
	need("c", c, m, n, ldc)
	if k <= 0 {
		if !accumulate {
			for i := range m {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		return
	}
	rsa, csa := lda, 1
	if transA {
		need("a", a, k, m, lda)
		rsa, csa = 1, lda
	} else {
		need("a", a, m, k, lda)
	}
	if transB {
		need("b", b, n, k, ldb)
	} else {
		need("b", b, k, n, ldb)
	}
	_, width := tileSize()
	if !transB && (m <= 24 || k*n <= 8192) {
		// B is used too little, or is too small, to be worth packing.
		inPlace(m, n, k, a, rsa, csa, b, ldb, c, ldc, accumulate)
		return
	}
	buf := getBuffer(PackedLen(min(k, kBlock), min(n, nBlock)))
	defer putBuffer(buf)
	for j0 := 0; j0 < n; j0 += nBlock {
		jn := min(nBlock, n-j0)
		for k0 := 0; k0 < k; k0 += kBlock {
			kn := min(kBlock, k-k0)
			if transB {
				pack(buf.f, b[j0*ldb+k0:], ldb, true, kn, jn, width)
			} else {
				pack(buf.f, b[k0*ldb+j0:], ldb, false, kn, jn, width)
			}
			for i0 := 0; i0 < m; i0 += mBlock {
				in := min(mBlock, m-i0)
				for j := 0; j < jn; j += width {
					tileColumn(in, min(width, jn-j), kn, a[i0*rsa+k0*csa:], rsa, csa, buf.f[j*kn:], width, c[i0*ldc+j0+j:], ldc, accumulate || k0 > 0)
				}
			}
		}
	}
}

// tileColumn multiplies m rows of A with one panel of B, n ≤ tile width
// columns wide, tile by tile.
func tileColumn(m, n, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	rows, _ := tileSize()
	for i := 0; i < m; {
		r := min(rows, m-i)
		if rest := m - i; rest > rows && rest < 2*rows {
			r = (rest + 1) / 2 // two middling tiles rather than a full and a thin one
		}
		tile(r, n, k, a[i*rsa:], rsa, csa, b, rsb, c[i*rsc:], rsc, accumulate)
		i += r
	}
}

// PackedLen is the length of the buffer that holds a packed [k, n] matrix.
func PackedLen(k, n int) int {
	_, width := tileSize()
	return (n + width - 1) / width * width * k
}

// PanelWidth is the number of columns in a packed panel at this level: column
// j of row p of a packed [k, n] matrix is at
// (j/PanelWidth)·k·PanelWidth + p·PanelWidth + j%PanelWidth.
func PanelWidth() int {
	_, width := tileSize()
	return width
}

// PackB writes op(b), a [k, n] matrix whose rows (of b) are ldb apart, in
// panels for [GemmPacked] to dst of at least [PackedLen] elements. Columns
// beyond n are zero.
func PackB(dst, b []float32, ldb int, transB bool, k, n int) {
	if k <= 0 || n <= 0 {
		return
	}
	_, width := tileSize()
	pack(dst, b, ldb, transB, k, n, width)
}

// GemmPacked is c = a·b, or c += a·b, for an [m, k] matrix a whose rows are lda
// apart, a packed [k, n] matrix b (see [PackB]) and an [m, n] matrix c whose
// rows are ldc apart.
func GemmPacked(m, n, k int, a []float32, lda int, b []float32, c []float32, ldc int, accumulate bool) {
	GemmPackedStrided(m, n, k, a, lda, 1, b, c, ldc, accumulate)
}

// GemmPackedStrided is [GemmPacked] with element (i, p) of A at i·rsa + p·csa.
func GemmPackedStrided(m, n, k int, a []float32, rsa, csa int, b []float32, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 {
		return
	}
	_, width := tileSize()
	need("c", c, m, n, ldc)
	if len(b) < PackedLen(k, n) {
		panic(fmt.Sprintf("kernel: packed b has %d elements, want %d", len(b), PackedLen(k, n)))
	}
	if k <= 0 {
		if !accumulate {
			for i := range m {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		return
	}
	if last := (m-1)*rsa + (k-1)*csa; last >= len(a) {
		panic(fmt.Sprintf("kernel: a has %d elements, want %d", len(a), last+1))
	}
	for i0 := 0; i0 < m; i0 += mBlock {
		in := min(mBlock, m-i0)
		for k0 := 0; k0 < k; k0 += kBlock {
			kn := min(kBlock, k-k0)
			j := 0
			if wide := panelsWide(); m == 1 && wide > 0 {
				for ; j+wide <= n; j += wide {
					rowPanels(kn, a[k0*csa:], csa, b[j*k+k0*width:], k*width, c[j:], accumulate || k0 > 0)
				}
			}
			for ; j < n; j += width {
				tileColumn(in, min(width, n-j), kn, a[i0*rsa+k0*csa:], rsa, csa, b[j*k+k0*width:], width, c[i0*ldc+j:], ldc, accumulate || k0 > 0)
			}
		}
	}
}

// pack writes op(b) in panels of the given width.
func pack(dst, b []float32, ldb int, trans bool, k, n, width int) {
	for j := 0; j < n; j += width {
		w := min(width, n-j)
		panel := dst[j*k:][: k*width : k*width]
		if !trans {
			src := b[j:]
			for p := range k {
				row := panel[p*width : p*width+width]
				copy(row, src[p*ldb:p*ldb+w])
				clear(row[w:])
			}
			continue
		}
		packTransposed(panel, b[j*ldb:], ldb, k, w, width)
	}
}

// packTransposed writes w rows of b, k long, as the columns of a panel.
func packTransposed(panel, b []float32, ldb, k, w, width int) {
	i := 0
	for ; i+8 <= w; i += 8 {
		r0, r1, r2, r3 := b[i*ldb:][:k], b[(i+1)*ldb:][:k], b[(i+2)*ldb:][:k], b[(i+3)*ldb:][:k]
		r4, r5, r6, r7 := b[(i+4)*ldb:][:k], b[(i+5)*ldb:][:k], b[(i+6)*ldb:][:k], b[(i+7)*ldb:][:k]
		for p := transpose8(panel[i:], width, b[i*ldb:], ldb, k); p < k; p++ {
			d := panel[p*width+i:][:8]
			d[0], d[1], d[2], d[3] = r0[p], r1[p], r2[p], r3[p]
			d[4], d[5], d[6], d[7] = r4[p], r5[p], r6[p], r7[p]
		}
	}
	for ; i < w; i++ {
		row := b[i*ldb:][:k]
		for p, v := range row {
			panel[p*width+i] = v
		}
	}
	if w < width {
		for p := range k {
			clear(panel[p*width+w : p*width+width])
		}
	}
}

// need panics unless m rows of n elements, ld apart, fit into s.
func need(name string, s []float32, m, n, ld int) {
	if ld < n || len(s) < (m-1)*ld+n {
		panic(fmt.Sprintf("kernel: %s has %d elements, want %d rows of %d, %d apart", name, len(s), m, n, ld))
	}
}

// buffer is a pooled scratch slice.
type buffer struct{ f []float32 }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func getBuffer(n int) *buffer {
	b := buffers.Get().(*buffer)
	if cap(b.f) < n {
		b.f = make([]float32, n)
	}
	b.f = b.f[:n]
	return b
}

func putBuffer(b *buffer) { buffers.Put(b) }
