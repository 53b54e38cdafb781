package main

import (
	"fmt"
	"math"
)

// neon writes the kernels of arm64.
func neon(a *asm) {
	gemmNEON(a)
	tapsNEON(a)
	rowNEON(a)
	expNEON(a)
}

// gemmNEON writes the arm64 kernel: up to 6 rows by 16 columns. R0 to R5 point
// to the rows of A.
func gemmNEON(a *asm) {
	a.text("gemmNEON", 80)
	a.f("MOVD rows+0(FP), R6")
	a.f("MOVD k+8(FP), R7")
	a.f("MOVD a+16(FP), R0")
	a.f("MOVD rsa+24(FP), R8")
	a.f("MOVD csa+32(FP), R9")
	a.f("MOVD b+40(FP), R10")
	a.f("MOVD rsb+48(FP), R11")
	a.f("MOVD c+56(FP), R12")
	a.f("MOVD rsc+64(FP), R13")
	a.f("MOVD accumulate+72(FP), R14")
	for _, r := range []int{8, 9, 11, 13} {
		a.f("LSL $2, R%d, R%d", r, r)
	}
	for i := 1; i < 6; i++ {
		a.f("ADD R8, R%d, R%d", i-1, i)
	}
	for rows := 6; rows >= 1; rows-- {
		a.f("CMP $%d, R6", rows)
		a.f("BEQ rows%d", rows)
	}
	a.f("RET")
	quad := func(first int) string {
		return fmt.Sprintf("[V%d.S4, V%d.S4, V%d.S4, V%d.S4]", first, first+1, first+2, first+3)
	}
	for rows := 6; rows >= 1; rows-- {
		label := fmt.Sprintf("rows%d", rows)
		a.label(label)
		a.f("MOVD R12, R15")
		a.f("CBZ R14, %s_zero", label)
		for i := 0; i < rows; i++ {
			a.f("VLD1.P (R15)(R13), %s", quad(8+4*i))
		}
		a.f("B %s_loop", label)
		a.label(label + "_zero")
		for i := 0; i < 4*rows; i++ {
			a.f("VEOR V%d.B16, V%d.B16, V%d.B16", 8+i, 8+i, 8+i)
		}
		a.label(label + "_loop")
		a.f("VLD1.P (R10)(R11), %s", quad(0))
		for i := 0; i < rows; i++ {
			a.f("VLD1R.P (R%d)(R9), [V%d.S4]", i, 4+i%4)
			for v := 0; v < 4; v++ {
				a.f("VFMLA V%d.S4, V%d.S4, V%d.S4", v, 4+i%4, 8+4*i+v)
			}
		}
		a.f("SUBS $1, R7")
		a.f("BNE %s_loop", label)
		for i := 0; i < rows; i++ {
			a.f("VST1.P %s, (R12)(R13)", quad(8+4*i))
		}
		a.f("RET")
	}
}

// tapsNEON writes the kernel of a depthwise convolution: up to four rows of
// eight columns stay in registers while the taps run.
func tapsNEON(a *asm) {
	a.text("depthwiseNEON", 76)
	for i, n := range []string{"rows", "taps", "offsets", "src", "srcPitch", "dst", "dstPitch", "w"} {
		a.f("MOVD %s+%d(FP), R%d", n, i*8, i)
	}
	a.f("FMOVS bias+64(FP), F24")
	a.f("FMOVS lo+68(FP), F25")
	a.f("FMOVS hi+72(FP), F26")
	for r := 24; r <= 26; r++ {
		a.f("VDUP V%d.S[0], V%d.S4", r, r)
	}
	a.f("LSL $2, R4, R4")
	a.f("LSL $2, R6, R6")
	for rows := 4; rows >= 1; rows-- {
		a.f("CMP $%d, R0", rows)
		a.f("BEQ rows%d", rows)
	}
	a.f("RET")
	for rows := 4; rows >= 1; rows-- {
		label := fmt.Sprintf("rows%d", rows)
		a.label(label)
		for i := 0; i < 2*rows; i++ {
			a.f("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
		}
		a.label(label + "_loop")
		a.f("MOVD.P 8(R2), R8")
		a.f("ADD R8<<2, R3, R9")
		a.f("VLD1R.P 4(R7), [V16.S4]")
		for r := 0; r < rows; r++ {
			a.f("VLD1 (R9), [V17.S4, V18.S4]")
			if r < rows-1 {
				a.f("ADD R4, R9")
			}
			a.f("VFMLA V16.S4, V17.S4, V%d.S4", 2*r)
			a.f("VFMLA V16.S4, V18.S4, V%d.S4", 2*r+1)
		}
		a.f("SUBS $1, R1")
		a.f("BNE %s_loop", label)
		for i := 0; i < 2*rows; i++ {
			// FADD, FMAXNM… have no vector forms in Go's assembler
			a.f("WORD $0x%08x // FADD V%d.4S, V%d.4S, V24.4S", 0x4e20d400|24<<16|i<<5|i, i, i)
			// FMAX gives NaN where either is, as the others keep it
			a.f("WORD $0x%08x // FMAX V%d.4S, V%d.4S, V25.4S", 0x4e20f400|25<<16|i<<5|i, i, i)
			a.f("WORD $0x%08x // FMIN V%d.4S, V%d.4S, V26.4S", 0x4ea0f400|26<<16|i<<5|i, i, i)
		}
		for r := 0; r < rows; r++ {
			a.f("VST1 [V%d.S4, V%d.S4], (R5)", 2*r, 2*r+1)
			if r < rows-1 {
				a.f("ADD R6, R5")
			}
		}
		a.f("RET")
	}
}

// rowNEON writes the kernel of a single row of C, 32 columns wide.
func rowNEON(a *asm) {
	a.text("rowNEON", 56)
	for i, n := range []string{"k", "a", "csa", "b", "rsb", "c", "accumulate"} {
		a.f("MOVD %s+%d(FP), R%d", n, i*8, i)
	}
	a.f("LSL $2, R2, R2")
	a.f("LSL $2, R4, R4")
	quad := func(first int) string {
		return fmt.Sprintf("[V%d.S4, V%d.S4, V%d.S4, V%d.S4]", first, first+1, first+2, first+3)
	}
	a.f("CBZ R6, zero")
	a.f("ADD $64, R5, R7")
	a.f("VLD1 (R5), %s", quad(0))
	a.f("VLD1 (R7), %s", quad(4))
	a.f("B loop")
	a.label("zero")
	for i := 0; i < 8; i++ {
		a.f("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	a.label("loop")
	a.f("VLD1R.P (R1)(R2), [V16.S4]")
	a.f("ADD $64, R3, R7")
	a.f("VLD1.P (R3)(R4), %s", quad(8))
	a.f("VLD1 (R7), %s", quad(12))
	for i := 0; i < 8; i++ {
		a.f("VFMLA V16.S4, V%d.S4, V%d.S4", 8+i, i)
	}
	a.f("SUBS $1, R0")
	a.f("BNE loop")
	a.f("ADD $64, R5, R7")
	a.f("VST1 %s, (R5)", quad(0))
	a.f("VST1 %s, (R7)", quad(4))
	a.f("RET")
}

// expNEON writes e^(x−s) and its sum in four lanes, n a multiple of four.
func expNEON(a *asm) {
	a.text("expSumNEON", 36)
	a.f("MOVD n+0(FP), R0")
	a.f("MOVD dst+8(FP), R1")
	a.f("MOVD x+16(FP), R2")
	a.f("FMOVS s+24(FP), F31")
	a.f("VDUP V31.S[0], V31.S4")
	a.f("VEOR V30.B16, V30.B16, V30.B16")
	load := func(reg int, v uint32) {
		a.f("MOVW $0x%x, R3", v)
		a.f("VDUP R3, V%d.S4", reg)
	}
	for i, n := range []string{"explo", "exphi", "log2e", "ln2hi", "ln2lo", "e0", "e1", "e2", "e3", "e4", "e5", "one"} {
		load(8+i, math.Float32bits(float32(consts[n])))
	}
	load(20, 127)
	// three registers, as the instructions that Go's assembler lacks
	three := func(op uint32, d, n, m int) { a.f("WORD $0x%08x", op|uint32(m)<<16|uint32(n)<<5|uint32(d)) }
	two := func(op uint32, d, n int) { a.f("WORD $0x%08x", op|uint32(n)<<5|uint32(d)) }
	const fadd, fsub, fmul, fmax, fmin = 0x4e20d400, 0x4ea0d400, 0x6e20dc00, 0x4e20f400, 0x4ea0f400
	const frintn, fcvtns = 0x4e218800, 0x4e21a800
	a.label("loop")
	a.f("VLD1.P 16(R2), [V0.S4]")
	three(fsub, 0, 0, 31)
	three(fmax, 0, 0, 8)
	three(fmin, 0, 0, 9)
	three(fmul, 1, 0, 10)
	two(frintn, 1, 1)
	a.f("VFMLS V11.S4, V1.S4, V0.S4")
	a.f("VFMLS V12.S4, V1.S4, V0.S4")
	a.f("VMOV V13.B16, V2.B16")
	for i := 14; i <= 18; i++ { // Horner: p = p·r + e
		a.f("VMOV V%d.B16, V3.B16", i)
		a.f("VFMLA V0.S4, V2.S4, V3.S4")
		a.f("VMOV V3.B16, V2.B16")
	}
	three(fmul, 3, 0, 0)
	a.f("VMOV V0.B16, V4.B16")
	a.f("VFMLA V3.S4, V2.S4, V4.S4")
	three(fadd, 2, 4, 19)
	// 2^n in two halves
	two(fcvtns, 1, 1)
	a.f("WORD $0x%08x // SSHR V3.4S, V1.4S, #1", 0x4f3f0400|1<<5|3)
	a.f("VSUB V3.S4, V1.S4, V1.S4")
	a.f("VADD V20.S4, V1.S4, V1.S4")
	a.f("VADD V20.S4, V3.S4, V3.S4")
	a.f("VSHL $23, V1.S4, V1.S4")
	a.f("VSHL $23, V3.S4, V3.S4")
	three(fmul, 0, 2, 1)
	three(fmul, 0, 0, 3)
	a.f("VST1.P [V0.S4], 16(R1)")
	three(fadd, 30, 30, 0)
	a.f("SUBS $4, R0")
	a.f("BNE loop")
	a.f("WORD $0x%08x // FADDP V30.4S, V30.4S, V30.4S", 0x6e20d400|30<<16|30<<5|30)
	a.f("WORD $0x%08x // FADDP S30, V30.2S", 0x7e30d800|30<<5|30)
	a.f("FMOVS F30, ret+32(FP)")
	a.f("RET")
}
