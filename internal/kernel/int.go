package kernel

import (
	"fmt"
	"math"
)

// IntColumns is the number of columns that an integer product computes at
// once.
const IntColumns = 16

// Product16 is c = a·B for int16: a is [m, k] with rows lda apart, k even, and
// row p of B is b[offsets[p]:], of which as many elements are read as n rounded
// up to [IntColumns]. c is [m, n] int32 with rows ldc apart. Products and sums
// wrap around as int32; they are exact, and the same at every level, for
// numbers of eight bits less a zero point.
func Product16(m, n, k int, a []int16, lda int, b []int16, offsets []int, c []int32, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	if k%2 != 0 || k < 0 || lda < k || ldc < n || len(offsets) < k || len(a) < (m-1)*lda+k || len(c) < (m-1)*ldc+n {
		panic(fmt.Sprintf("kernel: a product of int16 %d×%d×%d does not fit its slices", m, n, k))
	}
	reach := (n + IntColumns - 1) / IntColumns * IntColumns
	for _, o := range offsets[:k] {
		if o < 0 || o+reach > len(b) {
			panic(fmt.Sprintf("kernel: a row of b at %d does not fit into %d elements", o, len(b)))
		}
	}
	if k == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
		return
	}
	var part [12 * IntColumns]int32
	most := rows16()
	const strip = 96 // rows of A that stay in the cache
	for i0 := 0; i0 < m; i0 += strip {
		for j := 0; j < n; j += IntColumns {
			for i := i0; i < min(i0+strip, m); {
				rows := min(most, min(i0+strip, m)-i)
				cols := min(IntColumns, n-j)
				if cols == IntColumns {
					tile16(rows, k, a[i*lda:], lda, b[j:], offsets, c[i*ldc+j:], ldc)
				} else {
					tile16(rows, k, a[i*lda:], lda, b[j:], offsets, part[:], IntColumns)
					for r := range rows {
						copy(c[(i+r)*ldc+j:][:cols], part[r*IntColumns:])
					}
				}
				i += rows
			}
		}
	}
}

func tile16Go(rows, k int, a []int16, lda int, b []int16, offsets []int, c []int32, ldc int) {
	for i := range rows {
		var sums [IntColumns]int32
		for p := range k {
			v := int32(a[i*lda+p])
			if v == 0 {
				continue
			}
			for j, w := range b[offsets[p]:][:IntColumns] {
				sums[j] += v * int32(w)
			}
		}
		copy(c[i*ldc:], sums[:])
	}
}

// WidenUint8 writes src less a zero point to dst.
func WidenUint8(dst []int16, src []uint8, zero int16) {
	n := widenUint8(dst[:len(src)], src, zero)
	for i, v := range src[n:] {
		dst[n+i] = int16(v) - zero
	}
}

// WidenInt8 writes src less a zero point to dst.
func WidenInt8(dst []int16, src []int8, zero int16) {
	n := widenInt8(dst[:len(src)], src, zero)
	for i, v := range src[n:] {
		dst[n+i] = int16(v) - zero
	}
}

// Bytes says how numbers become unsigned or signed bytes: times or through a
// scale, rounded to even, plus Zero, cut off at the ends of the type.
type Bytes struct {
	Scale  float32
	Zero   int32 // of the type
	Signed bool
}

// ends are the numbers before Zero is added that the type's ends come from,
// and what turns an unsigned byte into one of the type.
func (b Bytes) ends() (lo, hi float32, zero int32, flip uint8) {
	if b.Signed {
		return float32(-128 - b.Zero), float32(127 - b.Zero), b.Zero + 128, 0x80
	}
	return float32(-b.Zero), float32(255 - b.Zero), b.Zero, 0
}

// Quantize writes x/Scale as bytes to dst; NaN becomes the least.
func (b Bytes) Quantize(dst []uint8, x []float32) {
	lo, hi, zero, flip := b.ends()
	n := quantize(dst[:len(x)], x, b.Scale, lo, hi, zero, flip)
	for i, v := range x[n:] {
		dst[n+i] = uint8(rounded(v/b.Scale, lo, hi)+zero) ^ flip
	}
}

// Requantize writes (x + bias)·Scale as bytes to dst.
func (b Bytes) Requantize(dst []uint8, x []int32, bias int32) {
	lo, hi, zero, flip := b.ends()
	n := requantize(dst[:len(x)], x, b.Scale, lo, hi, zero, flip, bias)
	for i, v := range x[n:] {
		dst[n+i] = uint8(rounded(float32(v+bias)*b.Scale, lo, hi)+zero) ^ flip
	}
}

func rounded(v, lo, hi float32) int32 {
	if !(v > lo) {
		v = lo
	}
	return int32(math.RoundToEven(float64(min(v, hi))))
}

// Dequantize writes (x − Zero)·Scale to dst.
func (b Bytes) Dequantize(dst []float32, x []uint8) {
	n := dequantize(dst[:len(x)], x, b)
	for i, v := range x[n:] {
		w := int32(v)
		if b.Signed {
			w = int32(int8(v))
		}
		dst[n+i] = float32(w-b.Zero) * b.Scale
	}
}

// ToInt32 rounds numbers that int32 can hold to even.
func ToInt32(dst []int32, x []float32) {
	n := toInt32(dst[:len(x)], x)
	for i, v := range x[n:] {
		dst[n+i] = int32(math.RoundToEven(float64(v)))
	}
}

// Min returns the least element of x, +Inf if there is none. Where x holds NaN
// the result is unspecified.
func Min(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(1))
	}
	return minimum(x)
}

func minimumGo(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		if v < m {
			m = v
		}
	}
	return m
}
