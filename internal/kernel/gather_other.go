//go:build !amd64

package kernel

func gather(rows, n int, dst []float32, dstPitch int, src []float32, srcPitch int, by []float32, bias float32, sums []float32, sumPitch int) {
	gatherGo(rows, n, dst, dstPitch, src, srcPitch, by, bias, sums, sumPitch)
}

func scaleRows(rows, n int, dst, x, y []float32) { scaleRowsGo(n, dst, x, y) }

func gatherOnce(n int, dst []float32, messages []Message, by, bias, sums []float32) {
	gatherOnceGo(n, dst, messages, by, bias, sums)
}

func gatherColumns(n, columns int, messages []Message, by, bias, sums []float32) {
	gatherColumnsGo(n, columns, messages, by, bias, sums)
}

func scaleColumns(n, columns, pitch int, dst []float32, messages []Message, x, y []float32) {
	scaleColumnsGo(n, columns, pitch, dst, messages, x, y)
}
