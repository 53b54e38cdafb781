package kernel

// Levels lists what this machine can run, slowest first.
func Levels() []Level { return []Level{Generic, NEON} }

func tileSize() (rows, width int) {
	if level == NEON {
		return 6, 16
	}
	return 4, 16
}

func tile(rows, cols, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	if level == NEON && cols == 16 {
		acc := 0
		if accumulate {
			acc = 1
		}
		gemmNEON(rows, k, &a[0], rsa, csa, &b[0], rsb, &c[0], rsc, acc)
		return
	}
	tileFused(rows, cols, k, a, rsa, csa, b, rsb, c, rsc, accumulate)
}

// tileFused is tileGo for up to six rows; the compiler fuses its
// multiply-add, so the bits equal the assembly's.
func tileFused(rows, cols, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	tileGo(rows, cols, k, a, rsa, csa, b, rsb, c, rsc, accumulate)
}

//go:noescape
func gemmNEON(rows, k int, a *float32, rsa, csa int, b *float32, rsb int, c *float32, rsc, accumulate int)

// tileOffsets is tile with row p of B at b[offsets[p]:].
func tileOffsets(rows, cols, k int, a []float32, rsa, csa int, b []float32, offsets []int, c []float32, rsc int, accumulate bool) {
	tileOffsetsGo(rows, cols, k, a, rsa, csa, b, offsets, c, rsc, accumulate)
}
