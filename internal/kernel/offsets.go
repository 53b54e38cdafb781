package kernel

import "fmt"

// GemmOffsets is c = a·B, or c += a·B, where row p of the [k, n] matrix B is
// b[offsets[p]:][:n]: rows may overlap, so that a convolution reads its input
// in place. a is [m, k] with rows lda apart, c is [m, n] with rows ldc apart.
// Bits are as in [Gemm].
func GemmOffsets(m, n, k int, a []float32, lda int, b []float32, offsets []int, c []float32, ldc int, accumulate bool) {
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
	need("a", a, m, k, lda)
	for _, o := range offsets[:k] {
		if o < 0 || o+n > len(b) {
			panic(fmt.Sprintf("kernel: a row of b at %d does not fit into %d elements", o, len(b)))
		}
	}
	rows, width := tileSize()
	for k0 := 0; k0 < k; k0 += kBlock {
		kn := min(kBlock, k-k0)
		off := offsets[k0 : k0+kn]
		for i0 := 0; i0 < m; i0 += rowBlock {
			in := min(rowBlock, m-i0)
			j := 0
			if wide := rowWidth(); m == 1 && wide > 0 {
				for ; j+wide <= n; j += wide {
					rowWideOffsets(kn, a[k0:], 1, b[j:], off, c[j:], accumulate || k0 > 0)
				}
			}
			for ; j < n; j += width {
				cols := min(width, n-j)
				for i := i0; i < i0+in; {
					r := min(rows, i0+in-i)
					if rest := i0 + in - i; rest > rows && rest < 2*rows {
						r = (rest + 1) / 2
					}
					tileOffsets(r, cols, kn, a[i*lda+k0:], lda, 1, b[j:], off, c[i*ldc+j:], ldc, accumulate || k0 > 0)
					i += r
				}
			}
		}
	}
}

// GemmInPlace is [GemmStrided] without transposition and without a packed copy
// of B: for a few rows, or as many as the second-level cache holds beside B.
// Bits are as in [Gemm].
func GemmInPlace(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	if m <= 0 || n <= 0 || k <= 0 {
		GemmStrided(false, false, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
		return
	}
	need("c", c, m, n, ldc)
	need("a", a, m, k, lda)
	need("b", b, k, n, ldb)
	inPlace(m, n, k, a, lda, 1, b, ldb, c, ldc, accumulate)
}

// GemmOfColumns is c += aᵀ·b for columns a, [k, m], a [k, n] matrix b that is read
// in place, and an [m, n] matrix c. Bits are as in [Gemm].
func GemmOfColumns(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	if m <= 0 || n <= 0 || k <= 0 {
		return
	}
	need("c", c, m, n, ldc)
	need("a", a, k, m, lda)
	need("b", b, k, n, ldb)
	inPlace(m, n, k, a, 1, lda, b, ldb, c, ldc, true)
}

func inPlace(m, n, k int, a []float32, rsa, csa int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	_, width := tileSize()
	for k0 := 0; k0 < k; k0 += kBlock {
		kn := min(kBlock, k-k0)
		j := 0
		if wide := rowWidth(); m == 1 && wide > 0 {
			for ; j+wide <= n; j += wide {
				rowWide(kn, a[k0*csa:], csa, b[k0*ldb+j:], ldb, c[j:], accumulate || k0 > 0)
			}
		}
		for ; j < n; j += width {
			tileColumn(m, min(width, n-j), kn, a[k0*csa:], rsa, csa, b[k0*ldb+j:], ldb, c[j:], ldc, accumulate || k0 > 0)
		}
	}
}
