package kernel

// Gather copies rows of n numbers from src to dst, and adds to a number of each
// row's bias + Σ by[i]·row[i], whose bits are those of [ShortDot]. Rows are
// srcPitch (0 for one row that stands for all) and dstPitch numbers apart, sums
// sumPitch.
func Gather(rows, n int, dst []float32, dstPitch int, src []float32, srcPitch int, by []float32, bias float32, sums []float32, sumPitch int) {
	if rows <= 0 || n <= 0 {
		return
	}
	need("dst", dst, rows, n, dstPitch)
	if srcPitch > 0 {
		need("src", src, rows, n, srcPitch)
	}
	_ = src[n-1]
	need("sums", sums, rows, 1, sumPitch)
	gather(rows, n, dst, dstPitch, src, srcPitch, by[:n], bias, sums, sumPitch)
}

func gatherGo(rows, n int, dst []float32, dstPitch int, src []float32, srcPitch int, by []float32, bias float32, sums []float32, sumPitch int) {
	for i := range rows {
		row := src[i*srcPitch:][:n]
		copy(dst[i*dstPitch:][:n], row)
		sums[i*sumPitch] += bias + ShortDot(by, row)
	}
}

// Message is what a tract carries in one tick: a batch of r numbers an
// episode. Episode b's numbers are Data[b·Stride : b·Stride+r], so that a
// message may be a view into the stacked axons of its source.
type Message struct {
	Data   []float32
	Stride int
}

// GatherOnce is [Gather] of the first n numbers of each message: their copies lie
// one after the other in dst, and what they are multiplied by in by; each has a
// bias and a sum.
func GatherOnce(n int, dst []float32, messages []Message, by, bias, sums []float32) {
	if len(messages) == 0 || n <= 0 {
		return
	}
	for i := range messages {
		_ = messages[i].Data[n-1]
	}
	gatherOnce(n, dst[:len(messages)*n], messages, by[:len(messages)*n], bias[:len(messages)], sums[:len(messages)])
}

func gatherOnceGo(n int, dst []float32, messages []Message, by, bias, sums []float32) {
	for i := range messages {
		gatherGo(1, n, dst[i*n:], n, messages[i].Data, n, by[i*n:][:n], bias[i], sums[i:], 1)
	}
}

// ScaleRows multiplies each of the rows of n numbers in dst, one after the
// other, by x[row]·y[row].
func ScaleRows(rows, n int, dst, x, y []float32) {
	if rows > 0 && n > 0 {
		scaleRows(rows, n, dst[:rows*n], x[:rows], y[:rows])
	}
}

func scaleRowsGo(n int, dst, x, y []float32) {
	for i, s := range x {
		s *= y[i]
		row := dst[i*n:][:n]
		for j, v := range row {
			row[j] = s * v
		}
	}
}
