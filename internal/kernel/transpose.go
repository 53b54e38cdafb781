package kernel

// Transpose writes dst[j][i] = src[i][j] for a matrix of m rows and n columns;
// rows are lds apart in src and ldd in dst.
func Transpose(dst []float32, ldd int, src []float32, lds, m, n int) {
	if m <= 0 || n <= 0 {
		return
	}
	need("src", src, m, n, lds)
	need("dst", dst, n, m, ldd)
	// Sixteen rows fill whole cache lines of dst, a few columns at a time, so
	// that these are not driven out before they are full.
	const columns = 16
	i := 0
	for ; i+16 <= m; i += 16 {
		for j := 0; j < n; j += columns {
			w := min(columns, n-j)
			eightRows(dst[j*ldd+i:], ldd, src[i*lds+j:], lds, w)
			eightRows(dst[j*ldd+i+8:], ldd, src[(i+8)*lds+j:], lds, w)
		}
	}
	for ; i+8 <= m; i += 8 {
		eightRows(dst[i:], ldd, src[i*lds:], lds, n)
	}
	for ; i < m; i++ {
		for j, v := range src[i*lds:][:n] {
			dst[j*ldd+i] = v
		}
	}
}

// eightRows transposes eight rows of n columns.
func eightRows(dst []float32, ldd int, src []float32, lds, n int) {
	j := transpose8(dst, ldd, src, lds, n)
	for ; j < n; j++ {
		s, d := src[j:], dst[j*ldd:][:8]
		d[0], d[1], d[2], d[3] = s[0], s[lds], s[2*lds], s[3*lds]
		d[4], d[5], d[6], d[7] = s[4*lds], s[5*lds], s[6*lds], s[7*lds]
	}
}
