package kernel

func filterPlane(f *Filter, dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	if level == Generic || cols < 8 {
		filterGo(f, dst, dstPitch, src, srcPitch, rows, cols)
		return
	}
	for x := 0; x < cols; x += 8 {
		x = min(x, cols-8) // the last columns twice rather than fewer at once
		for y := 0; y < rows; {
			n := min(4, rows-y)
			depthwiseNEON(n, len(f.Weights), &f.Offsets[0], &src[y*srcPitch+x], srcPitch, &dst[y*dstPitch+x], dstPitch, &f.Weights[0], f.Bias, f.Lo, f.Hi)
			y += n
		}
	}
}

// expSum writes e^(x−s) to dst and returns its sum.
func expSum(dst, x []float32, s float32) float32 {
	n := len(x) &^ 3
	if level == Generic || n == 0 {
		return expSumGo(dst, x, s)
	}
	sum := expSumNEON(n, &dst[0], &x[0], s)
	if n < len(x) {
		var in, out [4]float32
		for i := range in {
			in[i] = s // e⁰, left out of the sum
		}
		copy(in[:], x[n:])
		expSumNEON(4, &out[0], &in[0], s)
		for i := range x[n:] {
			dst[n+i] = out[i]
			sum += out[i]
		}
	}
	return sum
}

//go:noescape
func depthwiseNEON(rows, taps int, offsets *int, src *float32, srcPitch int, dst *float32, dstPitch int, w *float32, bias, lo, hi float32)

//go:noescape
func expSumNEON(n int, dst, x *float32, s float32) float32
