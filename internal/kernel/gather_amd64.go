package kernel

func gather(rows, n int, dst []float32, dstPitch int, src []float32, srcPitch int, by []float32, bias float32, sums []float32, sumPitch int) {
	if level == Generic || n%4 != 0 {
		gatherGo(rows, n, dst, dstPitch, src, srcPitch, by, bias, sums, sumPitch)
		return
	}
	gatherAVX2(rows, n, &dst[0], dstPitch, &src[0], srcPitch, &by[0], &sums[0], sumPitch, bias)
}

func gatherOnce(n int, dst []float32, messages []Message, by, bias, sums []float32) {
	if level == Generic || n%4 != 0 {
		gatherOnceGo(n, dst, messages, by, bias, sums)
		return
	}
	gatherOnceAVX2(len(messages), n, &messages[0], &dst[0], &by[0], &bias[0], &sums[0])
}

func scaleRows(rows, n int, dst, x, y []float32) {
	if level == Generic || n%4 != 0 {
		scaleRowsGo(n, dst, x, y)
		return
	}
	scaleRowsAVX2(rows, n, &dst[0], &x[0], &y[0])
}

//go:noescape
func gatherAVX2(rows, n int, dst *float32, dstPitch int, src *float32, srcPitch int, by, sums *float32, sumPitch int, bias float32)

//go:noescape
func scaleRowsAVX2(rows, n int, dst, x, y *float32)

//go:noescape
func gatherOnceAVX2(messages, n int, from *Message, dst, by, bias, sums *float32)

func gatherColumns(n, columns int, messages []Message, by, bias, sums []float32) {
	switch {
	case level == Generic || n%4 != 0:
		gatherColumnsGo(n, columns, messages, by, bias, sums)
	case level == AVX512:
		gatherColumnsAVX512(len(messages), n, 4*columns, &messages[0], &by[0], &bias[0], &sums[0])
	default:
		gatherColumnsAVX2(len(messages), n, 4*columns, &messages[0], &by[0], &bias[0], &sums[0])
	}
}

func scaleColumns(n, columns, pitch int, dst []float32, messages []Message, x, y []float32) {
	switch level {
	case Generic:
		scaleColumnsGo(n, columns, pitch, dst, messages, x, y)
	case AVX512:
		scaleColumnsAVX512(len(messages), n, 4*columns, pitch, &messages[0], &dst[0], &x[0], &y[0])
	default:
		scaleColumnsAVX2(len(messages), n, 4*columns, pitch, &messages[0], &dst[0], &x[0], &y[0])
	}
}

//go:noescape
func gatherColumnsAVX2(messages, n, bytes int, from *Message, by, bias, sums *float32)

//go:noescape
func gatherColumnsAVX512(messages, n, bytes int, from *Message, by, bias, sums *float32)

//go:noescape
func scaleColumnsAVX2(messages, n, bytes, pitch int, from *Message, dst, x, y *float32)

//go:noescape
func scaleColumnsAVX512(messages, n, bytes, pitch int, from *Message, dst, x, y *float32)
