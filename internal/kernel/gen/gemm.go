package main

import (
	"fmt"
)

// products writes the kernels of matrix products.
func products(a *asm) {
	masks(a)
	gemm512(a, "gemmAVX512", false)
	gemm512(a, "gemmOffsetsAVX512", true)
	gemm256(a, "gemmAVX2", false)
	gemm256(a, "gemmOffsetsAVX2", true)
	for _, bits := range []int{512, 256} {
		level := map[int]string{512: "AVX512", 256: "AVX2"}[bits]
		rowKernel(a, "row"+level, bits, inPlace)
		rowKernel(a, "rowOffsets"+level, bits, atOffsets)
		rowKernel(a, "rowPanels"+level, bits, inPanels)
	}
	rowHalf(a)
}

// mem is the address of row i of A: AX, R10, R11 and R12 point to rows 0, 3,
// 6 and 9, R8 holds the row stride.
func mem(i int) string {
	base := []string{"AX", "R10", "R11", "R12"}[i/3]
	return fmt.Sprintf([]string{"(%s)", "(%s)(R8*1)", "(%s)(R8*2)"}[i%3], base)
}

// loadArgs loads the arguments of a product kernel and turns strides into
// bytes.
func loadArgs(a *asm, offsets bool) {
	a.f("MOVQ rows+0(FP), DX")
	a.f("MOVQ k+8(FP), CX")
	a.f("MOVQ a+16(FP), AX")
	a.f("MOVQ rsa+24(FP), R8")
	a.f("MOVQ csa+32(FP), BX")
	a.f("MOVQ b+40(FP), DI")
	if offsets {
		a.f("MOVQ offsets+48(FP), SI")
	} else {
		a.f("MOVQ rsb+48(FP), SI")
		a.f("SHLQ $2, SI")
	}
	a.f("MOVQ c+56(FP), R9")
	a.f("MOVQ rsc+64(FP), R13")
	a.f("SHLQ $2, R8")
	a.f("SHLQ $2, BX")
	a.f("SHLQ $2, R13")
	a.f("LEAQ (R8)(R8*2), R12")
	a.f("LEAQ (AX)(R12*1), R10")
	a.f("LEAQ (R10)(R12*1), R11")
	a.f("ADDQ R11, R12")
}

// masks writes the table that column masks are read from.
func masks(a *asm) {
	fmt.Fprint(a, "\n// masks holds eight ones and eight zeros.\n")
	for i := 0; i < 8; i++ {
		v := "0xffffffffffffffff"
		if i >= 4 {
			v = "0"
		}
		fmt.Fprintf(a, "DATA masks<>+%d(SB)/8, $%s\n", i*8, v)
	}
	fmt.Fprint(a, "GLOBL masks<>(SB), RODATA|NOPTR, $64\n")
}

// gemm512 writes the AVX-512 kernel: up to 12 rows by 32 columns, columns
// beyond cols masked off. With offsets, row p of B begins offsets[p] elements
// into b.
func gemm512(a *asm, name string, offsets bool) {
	a.text(name, 88)
	loadArgs(a, offsets)
	// K1 and K2 are the column masks of the two vectors.
	a.f("MOVQ cols+72(FP), R15")
	a.f("XORQ R14, R14")
	a.f("NOTQ R14")
	a.f("SHLXQ R15, R14, R14")
	a.f("NOTQ R14")
	a.f("KMOVW R14, K1")
	a.f("SHRQ $16, R14")
	a.f("KMOVW R14, K2")
	a.f("MOVQ accumulate+80(FP), R14")
	a.f("CMPQ R15, $16")
	a.f("JLE narrow")
	for _, vecs := range []int{2, 1} {
		if vecs == 1 {
			a.label("narrow")
		}
		for rows := 12; rows >= 1; rows-- {
			a.f("CMPQ DX, $%d", rows)
			a.f("JEQ rows%dx%d", rows, vecs)
		}
		a.f("RET")
	}
	for _, vecs := range []int{2, 1} {
		for rows := 12; rows >= 1; rows-- {
			tile(a, fmt.Sprintf("rows%dx%d", rows, vecs), rows, vecs, 512, true, offsets)
		}
	}
}

// gemm256 writes the AVX2 kernel: up to 6 rows by 16 columns.
func gemm256(a *asm, name string, offsets bool) {
	a.text(name, 88)
	loadArgs(a, offsets)
	a.f("MOVQ cols+72(FP), R15")
	a.f("MOVQ accumulate+80(FP), R14")
	a.f("CMPQ R15, $16")
	a.f("JEQ full2")
	a.f("CMPQ R15, $8")
	a.f("JEQ full1")
	a.f("JLT part1")
	dispatch := func(label string, suffix string) {
		a.label(label)
		for rows := 6; rows >= 1; rows-- {
			a.f("CMPQ DX, $%d", rows)
			a.f("JEQ rows%d%s", rows, suffix)
		}
		a.f("RET")
	}
	// the mask of the last vector is read from a sliding window
	a.f("NEGQ R15")
	a.f("ADDQ $16, R15")
	a.f("LEAQ masks<>(SB), R8")
	a.f("VMOVUPS (R8)(R15*4), Y3")
	a.f("MOVQ rsa+24(FP), R8")
	a.f("SHLQ $2, R8")
	dispatch("part2", "x2m")
	a.label("part1")
	a.f("NEGQ R15")
	a.f("ADDQ $8, R15")
	a.f("LEAQ masks<>(SB), R8")
	a.f("VMOVUPS (R8)(R15*4), Y3")
	a.f("MOVQ rsa+24(FP), R8")
	a.f("SHLQ $2, R8")
	dispatch("part1go", "x1m")
	dispatch("full2", "x2")
	dispatch("full1", "x1")
	for _, vecs := range []int{2, 1} {
		for rows := 6; rows >= 1; rows-- {
			tile(a, fmt.Sprintf("rows%dx%d", rows, vecs), rows, vecs, 256, false, offsets)
			tile(a, fmt.Sprintf("rows%dx%dm", rows, vecs), rows, vecs, 256, true, offsets)
		}
	}
}

// tile writes one register tile: rows × vecs vectors of C stay in registers
// while k runs.
func tile(a *asm, label string, rows, vecs, bits int, masked, offsets bool) {
	reg, first, bytes := "Z", 8, 64
	if bits == 256 {
		reg, first, bytes = "Y", 4, 32
	}
	acc := func(i, v int) string { return fmt.Sprintf("%s%d", reg, first+i*vecs+v) }
	load := func(addr string, v int, dst string) {
		switch {
		case bits == 512:
			a.f("VMOVUPS.Z %s, K%d, %s", addr, v+1, dst)
		case masked && v == vecs-1:
			a.f("VMASKMOVPS %s, Y3, %s", addr, dst)
		default:
			a.f("VMOVUPS %s, %s", addr, dst)
		}
	}
	store := func(src string, v int, addr string) {
		switch {
		case bits == 512:
			a.f("VMOVUPS %s, K%d, %s", src, v+1, addr)
		case masked && v == vecs-1:
			a.f("VMASKMOVPS %s, Y3, %s", src, addr)
		default:
			a.f("VMOVUPS %s, %s", src, addr)
		}
	}
	a.label(label)
	a.f("MOVQ R9, R15")
	a.f("TESTQ R14, R14")
	a.f("JEQ %s_zero", label)
	for i := 0; i < rows; i++ {
		for v := 0; v < vecs; v++ {
			load(fmt.Sprintf("%d(R15)", v*bytes), v, acc(i, v))
		}
		if i < rows-1 {
			a.f("ADDQ R13, R15")
		}
	}
	a.f("JMP %s_loop", label)
	a.label(label + "_zero")
	for i := 0; i < rows; i++ {
		for v := 0; v < vecs; v++ {
			r := acc(i, v)
			if bits == 512 {
				a.f("VPXORD %s, %s, %s", r, r, r)
			} else {
				a.f("VXORPS %s, %s, %s", r, r, r)
			}
		}
		a.f("PREFETCHT0 (R15)") // where the sums will go
		if i < rows-1 {
			a.f("ADDQ R13, R15")
		}
	}
	fmt.Fprint(a, "\tPCALIGN $32\n")
	a.label(label + "_loop")
	row := "(DI)"
	if offsets {
		a.f("MOVQ (SI), DX")
		row = "(DI)(DX*4)"
	}
	for v := 0; v < vecs; v++ {
		load(fmt.Sprintf("%d%s", v*bytes, row), v, fmt.Sprintf("%s%d", reg, v))
	}
	if offsets {
		a.f("ADDQ $8, SI")
	} else {
		if vecs == 2 { // what the next columns will read, where B lies in place
			a.f("PREFETCHT0 %d(DI)", vecs*bytes)
		}
		a.f("ADDQ SI, DI")
	}
	for i := 0; i < rows; i++ {
		t := fmt.Sprintf("%s%d", reg, 2)
		if bits == 512 {
			t = fmt.Sprintf("Z%d", 2+i%6)
		}
		a.f("VBROADCASTSS %s, %s", mem(i), t)
		for v := 0; v < vecs; v++ {
			a.f("VFMADD231PS %s%d, %s, %s", reg, v, t, acc(i, v))
		}
		if i%3 == 2 || i == rows-1 {
			a.f("ADDQ BX, %s", []string{"AX", "R10", "R11", "R12"}[i/3])
		}
	}
	a.f("DECQ CX")
	a.f("JNE %s_loop", label)
	for i := 0; i < rows; i++ {
		for v := 0; v < vecs; v++ {
			store(acc(i, v), v, fmt.Sprintf("%d(R9)", v*bytes))
		}
		if i < rows-1 {
			a.f("ADDQ R13, R9")
		}
	}
	a.f("VZEROUPPER")
	a.f("RET")
}

// How a row's kernel finds B: its rows one pitch apart, at offsets, or in panels
// of two vectors a row.
const (
	inPlace = iota
	atOffsets
	inPanels
)

// rowKernel writes the kernel of a single row of C: eight vectors wide, so
// that the additions of one do not wait for each other.
func rowKernel(a *asm, name string, bits int, lies int) {
	reg, bytes := "Z", 64
	if bits == 256 {
		reg, bytes = "Y", 32
	}
	a.text(name, 56)
	a.f("MOVQ k+0(FP), CX")
	a.f("MOVQ a+8(FP), AX")
	a.f("MOVQ csa+16(FP), BX")
	a.f("SHLQ $2, BX")
	a.f("MOVQ b+24(FP), DI")
	switch lies {
	case atOffsets:
		a.f("MOVQ offsets+32(FP), SI")
	case inPlace:
		a.f("MOVQ rsb+32(FP), SI")
		a.f("SHLQ $2, SI")
	case inPanels:
		a.f("MOVQ panel+32(FP), R8")
		a.f("SHLQ $2, R8")
		a.f("LEAQ (R8)(R8*2), R10")
		a.f("MOVQ $%d, SI", 2*bytes)
	}
	a.f("MOVQ c+40(FP), R9")
	a.f("MOVQ accumulate+48(FP), R14")
	a.f("TESTQ R14, R14")
	a.f("JEQ zero")
	for v := 0; v < 8; v++ {
		a.f("VMOVUPS %d(R9), %s%d", v*bytes, reg, v)
	}
	a.f("JMP loop")
	a.label("zero")
	for v := 0; v < 8; v++ {
		if bits == 512 {
			a.f("VPXORD Z%d, Z%d, Z%d", v, v, v)
		} else {
			a.f("VXORPS Y%d, Y%d, Y%d", v, v, v)
		}
	}
	fmt.Fprint(a, "\tPCALIGN $32\n")
	a.label("loop")
	row := "(DI)"
	if lies == atOffsets {
		a.f("MOVQ (SI), DX")
		a.f("ADDQ $8, SI")
		row = "(DI)(DX*4)"
	}
	a.f("VBROADCASTSS (AX), %s8", reg)
	for v := 0; v < 8; v++ {
		at := fmt.Sprintf("%d%s", v*bytes, row)
		if lies == inPanels {
			at = fmt.Sprintf("%d(DI)%s", v%2*bytes, []string{"", "(R8*1)", "(R8*2)", "(R10*1)"}[v/2])
		}
		a.f("VFMADD231PS %s, %s8, %s%d", at, reg, reg, v)
	}
	if lies != atOffsets {
		a.f("ADDQ SI, DI")
	}
	a.f("ADDQ BX, AX")
	a.f("DECQ CX")
	a.f("JNE loop")
	for v := 0; v < 8; v++ {
		a.f("VMOVUPS %s%d, %d(R9)", reg, v, v*bytes)
	}
	a.f("VZEROUPPER")
	a.f("RET")
}

// rowHalf writes the kernel of a single row of C with B in binary16, in one to
// four panels of 16 columns, panel numbers apart.
func rowHalf(a *asm) {
	a.text("rowHalfAVX2", 48)
	a.f("MOVQ k+0(FP), CX")
	a.f("MOVQ a+8(FP), AX")
	a.f("MOVQ b+16(FP), DI")
	a.f("MOVQ panel+24(FP), R8")
	a.f("MOVQ panels+32(FP), DX")
	a.f("MOVQ c+40(FP), R9")
	a.f("ADDQ R8, R8")
	a.f("LEAQ (R8)(R8*2), R10")
	for panels := 4; panels > 1; panels-- {
		a.f("CMPQ DX, $%d", panels)
		a.f("JEQ panels%d", panels)
	}
	for panels := 1; panels <= 4; panels++ {
		if panels > 1 {
			a.label(fmt.Sprintf("panels%d", panels))
		}
		for v := 0; v < 2*panels; v++ {
			a.f("VMOVUPS %d(R9), Y%d", 32*v, v)
		}
		fmt.Fprint(a, "\tPCALIGN $32\n")
		a.label(fmt.Sprintf("loop%d", panels))
		a.f("VBROADCASTSS (AX), Y8")
		for v := 0; v < 2*panels; v++ {
			a.f("VCVTPH2PS %d(DI)%s, Y%d", v%2*16, []string{"", "(R8*1)", "(R8*2)", "(R10*1)"}[v/2], 9+v%4)
			a.f("VFMADD231PS Y%d, Y8, Y%d", 9+v%4, v)
		}
		a.f("ADDQ $32, DI")
		a.f("ADDQ $4, AX")
		a.f("DECQ CX")
		a.f("JNE loop%d", panels)
		for v := 0; v < 2*panels; v++ {
			a.f("VMOVUPS Y%d, %d(R9)", v, 32*v)
		}
		a.f("VZEROUPPER")
		a.f("RET")
	}
}
