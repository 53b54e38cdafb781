package main

// transpose8 writes eight rows of src, n (a multiple of eight) long and lds
// apart, as n rows of eight, ldd apart.
func transpose8(a *asm) {
	a.text("transpose8AVX2", 40)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ ldd+16(FP), DX")
	a.f("MOVQ src+24(FP), SI")
	a.f("MOVQ lds+32(FP), BX")
	a.f("SHLQ $2, DX")
	a.f("SHLQ $2, BX")
	a.f("LEAQ (BX)(BX*2), R8")
	a.label("loop")
	a.f("LEAQ (SI)(BX*4), R9")
	for i, addr := range []string{"(SI)", "(SI)(BX*1)", "(SI)(BX*2)", "(SI)(R8*1)", "(R9)", "(R9)(BX*1)", "(R9)(BX*2)", "(R9)(R8*1)"} {
		a.f("VMOVUPS %s, Y%d", addr, i)
	}
	for i := 0; i < 8; i += 2 {
		a.f("VUNPCKLPS Y%d, Y%d, Y%d", i+1, i, 8+i)
		a.f("VUNPCKHPS Y%d, Y%d, Y%d", i+1, i, 9+i)
	}
	for i, pair := range [][2]int{{8, 10}, {9, 11}, {12, 14}, {13, 15}} {
		a.f("VSHUFPS $0x44, Y%d, Y%d, Y%d", pair[1], pair[0], 2*i)
		a.f("VSHUFPS $0xEE, Y%d, Y%d, Y%d", pair[1], pair[0], 2*i+1)
	}
	for _, imm := range []int{0x20, 0x31} {
		for i := 0; i < 4; i++ {
			a.f("VPERM2F128 $0x%x, Y%d, Y%d, Y8", imm, i+4, i)
			a.f("VMOVUPS Y8, (DI)")
			a.f("ADDQ DX, DI")
		}
	}
	a.f("ADDQ $32, SI")
	a.f("SUBQ $8, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}

// gather copies rows of n (a multiple of four) numbers and adds to a number of
// each row's a bias and the row's product with another in four lanes.
func gather(a *asm) {
	a.text("gatherAVX2", 76)
	a.f("MOVQ rows+0(FP), BX")
	a.f("MOVQ n+8(FP), R10")
	a.f("MOVQ dst+16(FP), DI")
	a.f("MOVQ dstPitch+24(FP), R8")
	a.f("MOVQ src+32(FP), SI")
	a.f("MOVQ srcPitch+40(FP), R9")
	a.f("MOVQ by+48(FP), DX")
	a.f("MOVQ sums+56(FP), R11")
	a.f("MOVQ sumPitch+64(FP), R12")
	a.f("VMOVSS bias+72(FP), X3")
	for _, r := range []string{"R8", "R9", "R10", "R12"} {
		a.f("SHLQ $2, %s", r)
	}
	a.label("row")
	gatherRow(a, "X3")
	a.f("ADDQ R9, SI")
	a.f("ADDQ R8, DI")
	a.f("ADDQ R12, R11")
	a.f("DECQ BX")
	a.f("JNE row")
	a.f("RET")
}

// gatherRow copies the R10 bytes at SI to DI, and adds the bias and their product
// with DX to the number at R11.
func gatherRow(a *asm, bias string) {
	a.f("VXORPS X2, X2, X2")
	a.f("XORQ CX, CX")
	a.label("loop")
	a.f("VMOVUPS (SI)(CX*1), X0")
	a.f("VMULPS (DX)(CX*1), X0, X1")
	a.f("VADDPS X1, X2, X2")
	a.f("VMOVUPS X0, (DI)(CX*1)")
	a.f("ADDQ $16, CX")
	a.f("CMPQ CX, R10")
	a.f("JLT loop")
	a.f("VHADDPS X2, X2, X2")
	a.f("VHADDPS X2, X2, X2")
	a.f("VADDSS %s, X2, X2", bias)
	a.f("VADDSS (R11), X2, X2")
	a.f("VMOVSS X2, (R11)")
}

// gatherOnce is gather of one row each of many messages, whose numbers are found
// by slices in structs of 32 bytes; rows of dst and by lie one after the other.
func gatherOnce(a *asm) {
	a.text("gatherOnceAVX2", 56)
	a.f("MOVQ messages+0(FP), BX")
	a.f("MOVQ n+8(FP), R10")
	a.f("MOVQ from+16(FP), R13")
	a.f("MOVQ dst+24(FP), DI")
	a.f("MOVQ by+32(FP), DX")
	a.f("MOVQ bias+40(FP), R8")
	a.f("MOVQ sums+48(FP), R11")
	a.f("SHLQ $2, R10")
	a.label("row")
	a.f("MOVQ (R13), SI")
	gatherRow(a, "(R8)")
	a.f("ADDQ $32, R13")
	a.f("ADDQ R10, DI")
	a.f("ADDQ R10, DX")
	a.f("ADDQ $4, R8")
	a.f("ADDQ $4, R11")
	a.f("DECQ BX")
	a.f("JNE row")
	a.f("RET")
}

// scaleRows multiplies rows of n (a multiple of four) numbers, one after the
// other, each by the product of two numbers of its own.
func scaleRows(a *asm) {
	a.text("scaleRowsAVX2", 40)
	a.f("MOVQ rows+0(FP), BX")
	a.f("MOVQ n+8(FP), R10")
	a.f("MOVQ dst+16(FP), DI")
	a.f("MOVQ x+24(FP), SI")
	a.f("MOVQ y+32(FP), DX")
	a.f("SHLQ $2, R10")
	a.label("row")
	a.f("VMOVSS (SI), X0")
	a.f("VMULSS (DX), X0, X0")
	a.f("VBROADCASTSS X0, X0")
	a.f("XORQ CX, CX")
	a.label("loop")
	a.f("VMULPS (DI)(CX*1), X0, X1")
	a.f("VMOVUPS X1, (DI)(CX*1)")
	a.f("ADDQ $16, CX")
	a.f("CMPQ CX, R10")
	a.f("JLT loop")
	a.f("ADDQ R10, DI")
	a.f("ADDQ $4, SI")
	a.f("ADDQ $4, DX")
	a.f("DECQ BX")
	a.f("JNE row")
	a.f("RET")
}

// gatherColumns adds to numbers of messages, whose numbers (a multiple of four) are
// rows of so many bytes, what gather does to one: a lane is a row there. While it is at
// a message it fetches the next.
func gatherColumns(a *asm) {
	a.text("gatherColumns"+a.level(), 56)
	a.f("MOVQ messages+0(FP), BX")
	a.f("MOVQ n+8(FP), R10")
	a.f("MOVQ bytes+16(FP), R14")
	a.f("MOVQ from+24(FP), R13")
	a.f("MOVQ by+32(FP), DX")
	a.f("MOVQ bias+40(FP), R8")
	a.f("MOVQ sums+48(FP), DI")
	a.f("SHLQ $2, R10")
	a.label("message")
	a.f("MOVQ (R13), SI")
	a.f("MOVQ SI, R15")
	a.f("CMPQ BX, $1")
	a.f("JEQ last")
	a.f("MOVQ 32(R13), R15") // the next message
	a.label("last")
	a.f("SUBQ SI, R15")
	columns(a, func(label string) {
		a.f("LEAQ (SI)(CX*1), R11")
		a.f("XORQ AX, AX")
		for lane := range 4 {
			a.v("VXORPS Y%d, Y%d, Y%d", 2+lane, 2+lane, 2+lane)
		}
		a.label(label)
		for lane := range 4 {
			a.v("VBROADCASTSS %d(DX)(AX*1), Y0", 4*lane)
			a.v("VMULPS (R11), Y0, Y0")
			a.f("PREFETCHT0 (R11)(R15*1)")
			a.v("VADDPS Y0, Y%d, Y%d", 2+lane, 2+lane)
			a.f("ADDQ R14, R11")
		}
		a.f("ADDQ $16, AX")
		a.f("CMPQ AX, R10")
		a.f("JLT %s", label)
		a.v("VADDPS Y3, Y2, Y2")
		a.v("VADDPS Y5, Y4, Y4")
		a.v("VADDPS Y4, Y2, Y2")
		a.v("VBROADCASTSS (R8), Y0")
		a.v("VADDPS Y0, Y2, Y2")
		a.v("VADDPS (DI)(CX*1), Y2, Y2")
		a.v("VMOVUPS Y2, (DI)(CX*1)")
	})
	a.f("ADDQ R14, DI")
	a.f("ADDQ $32, R13")
	a.f("ADDQ R10, DX")
	a.f("ADDQ $4, R8")
	a.f("DECQ BX")
	a.f("JNE message")
	a.f("VZEROUPPER")
	a.f("RET")
}

// columns writes a loop of CX over the R14 bytes of a row, a multiple of 32: body is
// for a vector, and takes a label of its own.
func columns(a *asm, body func(label string)) {
	a.f("XORQ CX, CX")
	if !a.wide {
		a.label("vector")
		body("loop")
		a.f("ADDQ $32, CX")
		a.f("CMPQ CX, R14")
		a.f("JLT vector")
		return
	}
	a.f("LEAQ -64(R14), R12")
	a.f("CMPQ CX, R12")
	a.f("JGT half")
	a.label("vector")
	body("loop")
	a.f("ADDQ $64, CX")
	a.f("CMPQ CX, R12")
	a.f("JLE vector")
	a.f("CMPQ CX, R14")
	a.f("JEQ whole")
	a.label("half")
	a.wide = false
	body("short")
	a.wide = true
	a.label("whole")
}

// scaleColumns writes messages, whose n numbers are rows of so many bytes, to rows one
// pitch apart, each number times one of the message's and one of its column's.
func scaleColumns(a *asm) {
	a.text("scaleColumns"+a.level(), 64)
	a.f("MOVQ messages+0(FP), BX")
	a.f("MOVQ n+8(FP), R10")
	a.f("MOVQ bytes+16(FP), R14")
	a.f("MOVQ pitch+24(FP), R9")
	a.f("MOVQ from+32(FP), R13")
	a.f("MOVQ dst+40(FP), DI")
	a.f("MOVQ x+48(FP), R8")
	a.f("MOVQ y+56(FP), DX")
	a.f("SHLQ $2, R9")
	a.label("message")
	a.v("VBROADCASTSS (R8), Y2")
	a.f("MOVQ (R13), SI")
	columns(a, func(label string) {
		a.v("VMULPS (DX)(CX*1), Y2, Y0")
		a.f("LEAQ (SI)(CX*1), R11")
		a.f("LEAQ (DI)(CX*1), R15")
		a.f("MOVQ R10, AX")
		a.label(label)
		a.v("VMULPS (R11), Y0, Y1")
		a.v("VMOVUPS Y1, (R15)")
		a.f("ADDQ R14, R11")
		a.f("ADDQ R9, R15")
		a.f("DECQ AX")
		a.f("JNE %s", label)
	})
	a.f("MOVQ R9, AX")
	a.f("IMULQ R10, AX")
	a.f("ADDQ AX, DI")
	a.f("ADDQ R14, DX")
	a.f("ADDQ $4, R8")
	a.f("ADDQ $32, R13")
	a.f("DECQ BX")
	a.f("JNE message")
	a.f("VZEROUPPER")
	a.f("RET")
}
