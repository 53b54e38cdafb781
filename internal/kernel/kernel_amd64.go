package kernel

import "golang.org/x/sys/cpu"

//go:generate go run ./gen

// Levels lists what this machine can run, slowest first.
func Levels() []Level {
	levels := []Level{Generic}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		levels = append(levels, AVX2)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasBMI2 {
			levels = append(levels, AVX512)
		}
	}
	return levels
}

// tileSize returns the rows and columns of C a tile holds at most.
func tileSize() (rows, width int) {
	switch level {
	case AVX512:
		return 12, 32
	case AVX2:
		return 6, 16
	}
	return 4, 16
}

// tile computes one tile of C.
func tile(rows, cols, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	switch level {
	case AVX512:
		gemmAVX512(rows, k, &a[0], rsa, csa, &b[0], rsb, &c[0], rsc, cols, acc)
	case AVX2:
		gemmAVX2(rows, k, &a[0], rsa, csa, &b[0], rsb, &c[0], rsc, cols, acc)
	default:
		tileGo(rows, cols, k, a, rsa, csa, b, rsb, c, rsc, accumulate)
	}
}

//go:noescape
func gemmAVX512(rows, k int, a *float32, rsa, csa int, b *float32, rsb int, c *float32, rsc, cols, accumulate int)

//go:noescape
func gemmAVX2(rows, k int, a *float32, rsa, csa int, b *float32, rsb int, c *float32, rsc, cols, accumulate int)

// tileOffsets is tile with row p of B at b[offsets[p]:].
func tileOffsets(rows, cols, k int, a []float32, rsa, csa int, b []float32, offsets []int, c []float32, rsc int, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	switch level {
	case AVX512:
		gemmOffsetsAVX512(rows, k, &a[0], rsa, csa, &b[0], &offsets[0], &c[0], rsc, cols, acc)
	case AVX2:
		gemmOffsetsAVX2(rows, k, &a[0], rsa, csa, &b[0], &offsets[0], &c[0], rsc, cols, acc)
	default:
		tileOffsetsGo(rows, cols, k, a, rsa, csa, b, offsets, c, rsc, accumulate)
	}
}

//go:noescape
func gemmOffsetsAVX512(rows, k int, a *float32, rsa, csa int, b *float32, offsets *int, c *float32, rsc, cols, accumulate int)

//go:noescape
func gemmOffsetsAVX2(rows, k int, a *float32, rsa, csa int, b *float32, offsets *int, c *float32, rsc, cols, accumulate int)

// rowWidth is the number of columns that rowWide computes, 0 if there is no
// such kernel.
func rowWidth() int {
	switch level {
	case AVX512:
		return 128
	case AVX2:
		return 64
	}
	return 0
}

// rowWide computes rowWidth columns of one row of C.
func rowWide(k int, a []float32, csa int, b []float32, rsb int, c []float32, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	if level == AVX512 {
		rowAVX512(k, &a[0], csa, &b[0], rsb, &c[0], acc)
		return
	}
	rowAVX2(k, &a[0], csa, &b[0], rsb, &c[0], acc)
}

// rowWideOffsets is rowWide with row p of B at b[offsets[p]:].
func rowWideOffsets(k int, a []float32, csa int, b []float32, offsets []int, c []float32, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	if level == AVX512 {
		rowOffsetsAVX512(k, &a[0], csa, &b[0], &offsets[0], &c[0], acc)
		return
	}
	rowOffsetsAVX2(k, &a[0], csa, &b[0], &offsets[0], &c[0], acc)
}

// panelsWide are the columns of a packed B that rowPanels computes, 0 if there
// is no such kernel.
func panelsWide() int { return rowWidth() }

// rowPanels computes panelsWide columns of one row of C; the panels of B are
// panel elements apart.
func rowPanels(k int, a []float32, csa int, b []float32, panel int, c []float32, accumulate bool) {
	acc := 0
	if accumulate {
		acc = 1
	}
	if level == AVX512 {
		rowPanelsAVX512(k, &a[0], csa, &b[0], panel, &c[0], acc)
		return
	}
	rowPanelsAVX2(k, &a[0], csa, &b[0], panel, &c[0], acc)
}

//go:noescape
func rowPanelsAVX512(k int, a *float32, csa int, b *float32, panel int, c *float32, accumulate int)

//go:noescape
func rowPanelsAVX2(k int, a *float32, csa int, b *float32, panel int, c *float32, accumulate int)

//go:noescape
func rowAVX512(k int, a *float32, csa int, b *float32, rsb int, c *float32, accumulate int)

//go:noescape
func rowAVX2(k int, a *float32, csa int, b *float32, rsb int, c *float32, accumulate int)

//go:noescape
func rowOffsetsAVX512(k int, a *float32, csa int, b *float32, offsets *int, c *float32, accumulate int)

//go:noescape
func rowOffsetsAVX2(k int, a *float32, csa int, b *float32, offsets *int, c *float32, accumulate int)

// transpose8 writes the first columns of eight rows of src as rows of eight
// and returns how many it did.
func transpose8(dst []float32, ldd int, src []float32, lds, n int) int {
	n &^= 7
	if level == Generic || n == 0 {
		return 0
	}
	_, _ = dst[(n-1)*ldd+7], src[7*lds+n-1]
	transpose8AVX2(n, &dst[0], ldd, &src[0], lds)
	return n
}

//go:noescape
func transpose8AVX2(n int, dst *float32, ldd int, src *float32, lds int)

// rowOfHalves is whether there is a kernel rowHalf.
func rowOfHalves() bool { return level != Generic }

// rowHalf adds a product with one to four panels of binary16 numbers to their
// columns of one row of C.
func rowHalf(k int, a []float32, b []uint16, panel, panels int, c []float32) {
	rowHalfAVX2(k, &a[0], &b[0], panel, panels, &c[0])
}

//go:noescape
func rowHalfAVX2(k int, a *float32, b *uint16, panel, panels int, c *float32)
