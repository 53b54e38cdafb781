//go:build !amd64

package kernel

func maxTaps(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int, offsets []int) {
	maxTapsGo(dst, dstPitch, src, srcPitch, rows, cols, offsets)
}

func copyRows(dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	copyRowsGo(dst, dstPitch, src, srcPitch, rows, cols)
}

func clamp(dst, x []float32, s, lo, hi float32) { clampGo(dst, x, s, lo, hi) }

func addClamp(dst, x, y []float32, s, lo, hi float32) { addClampGo(dst, x, y, s, lo, hi) }
