package kernel

func filterPlane(f *Filter, dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	if level == Generic {
		filterGo(f, dst, dstPitch, src, srcPitch, rows, cols)
		return
	}
	filterChunks(rows, cols, func(y, rows, x, vecs, cols int) {
		depthwiseAVX2(rows, vecs, cols, len(f.Weights), &f.Offsets[0],
			&src[y*srcPitch+x], srcPitch, &dst[y*dstPitch+x], dstPitch, &f.Weights[0], f.Bias, f.Lo, f.Hi)
	})
}

func maxTaps(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int, offsets []int) {
	if level == Generic {
		maxTapsGo(dst, dstPitch, src, srcPitch, rows, cols, offsets)
		return
	}
	filterChunks(rows, cols, func(y, rows, x, vecs, cols int) {
		maxTapsAVX2(rows, vecs, cols, len(offsets), &offsets[0], &src[y*srcPitch+x], srcPitch, &dst[y*dstPitch+x], dstPitch)
	})
}

//go:noescape
func maxTapsAVX2(rows, vecs, cols, taps int, offsets *int, src *float32, srcPitch int, dst *float32, dstPitch int)

func copyRows(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	if level == Generic || cols < 8 {
		copyRowsGo(dst, dstPitch, src, srcPitch, rows, cols)
		return
	}
	copyRowsAVX2(rows, cols, &dst[0], dstPitch, &src[0], srcPitch)
}

func clamp(dst, x []float32, s, lo, hi float32) {
	if level == Generic {
		clampGo(dst, x, s, lo, hi)
		return
	}
	clampAVX2(len(x), &dst[0], &x[0], s, lo, hi)
}

//go:noescape
func depthwiseAVX2(rows, vecs, cols, taps int, offsets *int, src *float32, srcPitch int, dst *float32, dstPitch int, w *float32, bias, lo, hi float32)

//go:noescape
func copyRowsAVX2(rows, cols int, dst *float32, dstPitch int, src *float32, srcPitch int)

func addClamp(dst, x, y []float32, s, lo, hi float32) {
	if level == Generic {
		addClampGo(dst, x, y, s, lo, hi)
		return
	}
	addClampAVX2(len(x), &dst[0], &x[0], &y[0], s, lo, hi)
}

//go:noescape
func addClampAVX2(n int, dst, x, y *float32, s, lo, hi float32)

//go:noescape
func clampAVX2(n int, dst, x *float32, s, lo, hi float32)
