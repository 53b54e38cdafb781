package goengine

import (
	"unsafe"

	"github.com/connectomewire/wire/internal/kernel"
)

// fillWith repeats the single element of v.
func fillWith(out, v *tensor) {
	if out.n == 0 {
		return
	}
	zeros := [maxRank]int{}
	if len(out.shape) > maxRank {
		panic("too many dimensions")
	}
	copyStrided(out, 0, v, 0, out.shape, zeros[:len(out.shape)])
}

// copyRange copies n elements.
func copyRange(dst *tensor, d int, src *tensor, s, n int) {
	if dst.dt == text {
		copy(view[string](dst)[d:d+n], view[string](src)[s:s+n])
		return
	}
	size := elemSize(dst.dt)
	copy(dst.bytes()[d*size:(d+n)*size], src.bytes()[s*size:(s+n)*size])
}

// copyStrided fills dst[start:] densely, in the row-major order of shape, with
// the elements of src at base + index·strides.
func copyStrided(dst *tensor, start int, src *tensor, base int, shape, strides []int) {
	n := product(shape)
	if n == 0 {
		return
	}
	switch {
	case dst.dt == text:
		strided(view[string](dst)[start:], view[string](src), base, shape, strides)
	case elemSize(dst.dt) == 1:
		strided(view[uint8](dst)[start:], view[uint8](src), base, shape, strides)
	case elemSize(dst.dt) == 2:
		strided(view[uint16](dst)[start:], view[uint16](src), base, shape, strides)
	case elemSize(dst.dt) == 4:
		strided(view[uint32](dst)[start:], view[uint32](src), base, shape, strides)
	case elemSize(dst.dt) == 8:
		strided(view[uint64](dst)[start:], view[uint64](src), base, shape, strides)
	default:
		strided(view[[2]uint64](dst)[start:], view[[2]uint64](src), base, shape, strides)
	}
}

func strided[T any](dst, src []T, base int, shape, strides []int) {
	// merge neighbouring dimensions
	var dims, st, at [maxRank]int
	rank := 0
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 1 {
			continue
		}
		if rank > 0 && strides[i] == st[rank-1]*dims[rank-1] {
			dims[rank-1] *= shape[i]
			continue
		}
		dims[rank], st[rank] = shape[i], strides[i]
		rank++
	}
	if rank == 0 {
		dst[0] = src[base]
		return
	}
	n, step := dims[0], st[0]
	o := 0
	if rank >= 2 && step != 1 && st[1] == 1 && n >= 4 && dims[1] >= 4 { // a transposition inside
		rows := dims[1]
		for {
			transpose(dst[o:o+n*rows], src[base:], rows, n, step)
			o += n * rows
			if !advance(at[2:rank], dims[2:rank], st[2:rank], &base) {
				return
			}
		}
	}
	for {
		switch step {
		case 1:
			copy(dst[o:o+n], src[base:base+n])
		case 0:
			fill(dst[o:o+n], src[base])
		default:
			run := dst[o : o+n]
			for i, j := 0, base; i < len(run); i, j = i+1, j+step {
				run[i] = src[j]
			}
		}
		o += n
		if !advance(at[1:rank], dims[1:rank], st[1:rank], &base) {
			return
		}
	}
}

// advance steps an index, fastest dimension first.
func advance(at, dims, st []int, base *int) bool {
	for i := range at {
		at[i]++
		*base += st[i]
		if at[i] < dims[i] {
			return true
		}
		*base -= st[i] * dims[i]
		at[i] = 0
	}
	return false
}

// transpose fills dst [rows, n] with dst[r][i] = src[i·step + r], block by
// block.
func transpose[T any](dst, src []T, rows, n, step int) {
	if d, ok := any(dst).([]uint32); ok {
		s := any(src).([]uint32)
		kernel.Transpose(floatsOf(d), n, floatsOf(s), step, n, rows)
		return
	}
	const block = 32
	for r0 := 0; r0 < rows; r0 += block {
		r1 := min(r0+block, rows)
		i := 0
		for ; i+8 <= n; i += 8 { // eight of a result's row at a time
			s := src[i*step:]
			for r := r0; r < r1; r++ {
				d := dst[r*n+i:][:8]
				d[0], d[1], d[2], d[3] = s[r], s[step+r], s[2*step+r], s[3*step+r]
				d[4], d[5], d[6], d[7] = s[4*step+r], s[5*step+r], s[6*step+r], s[7*step+r]
			}
		}
		for ; i < n; i++ {
			for r := r0; r < r1; r++ {
				dst[r*n+i] = src[i*step+r]
			}
		}
	}
}

// floatsOf sees words of four bytes as float32: moving them keeps every bit.
func floatsOf(x []uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// fill sets every element to v: a few at first, then by copying what is there.
func fill[T any](x []T, v T) {
	const few = 16
	n := min(len(x), few)
	for i := range x[:n] {
		x[i] = v
	}
	for n > 0 && n < len(x) {
		n += copy(x[n:], x[:n])
	}
}
