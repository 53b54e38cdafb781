package kernel

import (
	"fmt"
	"math"
)

// Filter is one plane of a depthwise convolution or of a first layer of few
// channels: output (y, x) is the sum over taps t of
// Weights[t]·src[Offsets[t]+y·pitch+x], plus Bias, cut off at Lo and Hi (±Inf
// for no bound). The sum is one chain of fused multiply-adds in the order of
// the taps, as in [GemmOffsets].
type Filter struct {
	Weights      []float32
	Offsets      []int
	Bias, Lo, Hi float32
}

// FilterSlack is how many elements beyond the last one a [Filter] may read
// where rows are shorter than this.
const FilterSlack = 8

// Apply computes rows × cols outputs, whose rows are dstPitch apart, from
// planes whose rows are srcPitch apart. Where cols is less than [FilterSlack],
// src must have that many elements from the last row's first on.
func (f *Filter) Apply(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if len(f.Offsets) < len(f.Weights) {
		panic("kernel: fewer offsets than weights")
	}
	needTaps(dst, dstPitch, src, srcPitch, rows, cols, f.Offsets[:len(f.Weights)])
	if len(f.Weights) == 0 {
		for y := range rows {
			row := dst[y*dstPitch:][:cols]
			clear(row)
			Clamp(row, row, f.Bias, f.Lo, f.Hi)
		}
		return
	}
	filterPlane(f, dst, dstPitch, src, srcPitch, rows, cols)
}

// needTaps panics unless the slices suffice for a [Filter].
func needTaps(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int, offsets []int) {
	need("dst", dst, rows, cols, max(dstPitch, cols))
	most := 0
	for _, o := range offsets {
		if o < 0 {
			panic("kernel: negative offset")
		}
		most = max(most, o)
	}
	if last := most + (rows-1)*srcPitch + max(cols, FilterSlack); last > len(src) {
		panic(fmt.Sprintf("kernel: src has %d elements, want %d", len(src), last))
	}
}

// MaxTaps writes the largest src[offsets[t]+y·srcPitch+x] over taps t to output
// (y, x), as [Filter.Apply] lays them out. NaN counts as nothing; without any
// number the result is −Inf.
func MaxTaps(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int, offsets []int) {
	if rows <= 0 || cols <= 0 || len(offsets) == 0 {
		return
	}
	needTaps(dst, dstPitch, src, srcPitch, rows, cols, offsets)
	maxTaps(dst, dstPitch, src, srcPitch, rows, cols, offsets)
}

func maxTapsGo(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int, offsets []int) {
	for y := range rows {
		row := dst[y*dstPitch:][:cols]
		for i := range row {
			row[i] = float32(math.Inf(-1))
		}
		for _, o := range offsets {
			for i, v := range src[o+y*srcPitch:][:cols] {
				if v > row[i] {
					row[i] = v
				}
			}
		}
	}
}

// filterChunks calls part with blocks of at most eight vectors of eight
// columns; the last columns of a row are covered twice where that saves a
// thin block.
func filterChunks(rows, cols int, part func(y, rows, x, vecs, cols int)) {
	for x := 0; x < cols; {
		rest, vecs := cols-x, 1
		switch {
		case rest >= 64 && rows == 1:
			vecs = 8
		case rest >= 32:
			vecs = 4
		case rest >= 16:
			vecs = 2
		case rest < 8 && cols >= 8:
			x, rest = cols-8, 8
		}
		for y := 0; y < rows; {
			n := min(8/vecs, rows-y)
			part(y, n, x, vecs, min(rest, 8))
			y += n
		}
		x += 8 * vecs
	}
}

func filterGo(f *Filter, dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	var acc [16]float32
	for y := range rows {
		for x := 0; x < cols; x += len(acc) {
			sums := acc[:min(len(acc), cols-x)]
			clear(sums)
			for t, w := range f.Weights {
				in := src[f.Offsets[t]+y*srcPitch+x:][:len(sums)]
				for j, v := range in {
					sums[j] += w * v
				}
			}
			copy(dst[y*dstPitch+x:], sums)
		}
		row := dst[y*dstPitch:][:cols]
		clampGo(row, row, f.Bias, f.Lo, f.Hi)
	}
}

// CopyRows copies rows of cols elements that are srcPitch apart in src and
// dstPitch in dst.
func CopyRows(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	need("dst", dst, rows, cols, max(dstPitch, cols))
	need("src", src, rows, cols, max(srcPitch, cols))
	copyRows(dst, dstPitch, src, srcPitch, rows, cols)
}

func copyRowsGo(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	for y := range rows {
		copy(dst[y*dstPitch:][:cols], src[y*srcPitch:])
	}
}

// Clamp is min(max(x + s, lo), hi); NaN stays NaN. dst may be x.
func Clamp(dst, x []float32, s, lo, hi float32) {
	if len(x) > 0 {
		clamp(dst[:len(x)], x, s, lo, hi)
	}
}

// AddClamp is min(max((x + s) + y, lo), hi); NaN stays NaN. dst may be x or y.
func AddClamp(dst, x, y []float32, s, lo, hi float32) {
	if len(x) > 0 {
		addClamp(dst[:len(x)], x, y[:len(x)], s, lo, hi)
	}
}

func addClampGo(dst, x, y []float32, s, lo, hi float32) {
	for i, v := range x {
		v = (v + s) + y[i]
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		dst[i] = v
	}
}

func clampGo(dst, x []float32, s, lo, hi float32) {
	for i, v := range x {
		v += s
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		dst[i] = v
	}
}
