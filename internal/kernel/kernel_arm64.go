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

// rowWidth is the number of columns that rowWide computes, 0 if there is no
// such kernel.
func rowWidth() int {
	if level == NEON {
		return 32
	}
	return 0
}

// rowWide computes rowWidth columns of one row of C.
func rowWide(k int, a []float32, csa int, b []float32, rsb int, c []float32, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	rowNEON(k, &a[0], csa, &b[0], rsb, &c[0], acc)
}

// rowWideOffsets is rowWide with row p of B at b[offsets[p]:].
func rowWideOffsets(k int, a []float32, csa int, b []float32, offsets []int, c []float32, accumulate bool) {
	for j := 0; j < 32; j += 16 {
		tileOffsetsGo(1, 16, k, a, k*csa, csa, b[j:], offsets, c[j:], 16, accumulate)
	}
}

//go:noescape
func rowNEON(k int, a *float32, csa int, b *float32, rsb int, c *float32, accumulate int)
