package main

import (
	"fmt"
)

// integers writes what computes with integers and numbers of 16 bits.
func integers(a *asm) {
	fmt.Fprint(a, "\n// order undoes what packing does to the halves of vectors.\n")
	for i, w := range []uint64{4 << 32, 5<<32 | 1, 6<<32 | 2, 7<<32 | 3} {
		fmt.Fprintf(a, "DATA order<>+%d(SB)/8, $0x%x\n", i*8, w)
	}
	fmt.Fprint(a, "GLOBL order<>(SB), RODATA|NOPTR, $32\n")
	fmt.Fprint(a, "\n// pairs interleaves the halves of a vector of int16.\n")
	for i := range 8 {
		fmt.Fprintf(a, "DATA pairs<>+%d(SB)/8, $0x%016x\n", i*8, 0x0011000100100000+0x0002000200020002*i)
	}
	fmt.Fprint(a, "GLOBL pairs<>(SB), RODATA|NOPTR, $64\n")
	int16Tile(a)
	int16TileVNNI(a)
	widen(a, "widenUint8AVX2", "VPMOVZXBW")
	widen(a, "widenInt8AVX2", "VPMOVSXBW")
	quantize(a, "quantizeAVX2", false)
	quantize(a, "requantizeAVX2", true)
	dequantize(a, "dequantizeUint8AVX2", "VPMOVZXBD")
	dequantize(a, "dequantizeInt8AVX2", "VPMOVSXBD")
	halves(a)
	toInt32(a)
}

// int16Tile writes the product of up to six rows of A with 16 columns of B,
// both int16, k in pairs: rows of B lie at offsets and are interleaved as they
// are read, so that VPMADDWD adds the products of a pair.
func int16Tile(a *asm) {
	a.text("int16TileAVX2", 64)
	load16Args(a)
	for rows := 6; rows >= 1; rows-- {
		a.f("CMPQ DX, $%d", rows)
		a.f("JEQ rows%d", rows)
	}
	a.f("RET")
	for rows := 6; rows >= 1; rows-- {
		label := fmt.Sprintf("rows%d", rows)
		a.label(label)
		for i := 0; i < 2*rows; i++ {
			a.f("VPXOR Y%d, Y%d, Y%d", 4+i, 4+i, 4+i)
		}
		fmt.Fprint(a, "\tPCALIGN $32\n")
		a.label(label + "_loop")
		a.f("MOVQ (SI), DX")
		a.f("MOVQ 8(SI), BX")
		a.f("ADDQ $16, SI")
		a.f("VMOVDQU (DI)(DX*2), Y2")
		a.f("VMOVDQU (DI)(BX*2), Y3")
		a.f("VPUNPCKLWD Y3, Y2, Y0") // columns 0–3, 8–11
		a.f("VPUNPCKHWD Y3, Y2, Y1") // columns 4–7, 12–15
		for i := 0; i < rows; i++ {
			a.f("VPBROADCASTD %s, Y2", mem(i))
			a.f("VPMADDWD Y0, Y2, Y3")
			a.f("VPMADDWD Y1, Y2, Y2")
			a.f("VPADDD Y3, Y%d, Y%d", 4+2*i, 4+2*i)
			a.f("VPADDD Y2, Y%d, Y%d", 5+2*i, 5+2*i)
			if i%3 == 2 || i == rows-1 {
				a.f("ADDQ $4, %s", []string{"AX", "R10"}[i/3])
			}
		}
		a.f("DECQ CX")
		a.f("JNE %s_loop", label)
		for i := 0; i < rows; i++ {
			a.f("VPERM2I128 $0x20, Y%d, Y%d, Y0", 5+2*i, 4+2*i)
			a.f("VPERM2I128 $0x31, Y%d, Y%d, Y1", 5+2*i, 4+2*i)
			a.f("VMOVDQU Y0, (R9)")
			a.f("VMOVDQU Y1, 32(R9)")
			if i < rows-1 {
				a.f("ADDQ R13, R9")
			}
		}
		a.f("VZEROUPPER")
		a.f("RET")
	}
}

// int16TileVNNI is int16Tile of up to twelve rows: a vector holds the sums of a row,
// and one instruction multiplies a pair and adds it.
func int16TileVNNI(a *asm) {
	a.text("int16TileVNNI", 64)
	load16Args(a)
	a.f("LEAQ (R10)(R12*1), R11")
	a.f("ADDQ R11, R12")
	a.f("VMOVDQU16 pairs<>(SB), Z0")
	for rows := 12; rows >= 1; rows-- {
		a.f("CMPQ DX, $%d", rows)
		a.f("JEQ rows%d", rows)
	}
	a.f("RET")
	for rows := 12; rows >= 1; rows-- {
		label := fmt.Sprintf("rows%d", rows)
		a.label(label)
		for i := range rows {
			a.f("VPXORD Z%d, Z%d, Z%d", 4+i, 4+i, 4+i)
		}
		fmt.Fprint(a, "\tPCALIGN $32\n")
		a.label(label + "_loop")
		a.f("MOVQ (SI), DX")
		a.f("MOVQ 8(SI), BX")
		a.f("ADDQ $16, SI")
		a.f("VMOVDQU (DI)(DX*2), Y1")
		a.f("VINSERTI64X4 $1, (DI)(BX*2), Z1, Z1")
		a.f("VPERMW Z1, Z0, Z1")
		for i := range rows {
			a.f("VPDPWSSD.BCST %s, Z1, Z%d", mem(i), 4+i)
			if i%3 == 2 || i == rows-1 {
				a.f("ADDQ $4, %s", []string{"AX", "R10", "R11", "R12"}[i/3])
			}
		}
		a.f("DECQ CX")
		a.f("JNE %s_loop", label)
		for i := range rows {
			a.f("VMOVDQU32 Z%d, (R9)", 4+i)
			if i < rows-1 {
				a.f("ADDQ R13, R9")
			}
		}
		a.f("VZEROUPPER")
		a.f("RET")
	}
}

// load16Args loads the arguments of a product of int16; R12 becomes three rows of A,
// R10 where the fourth begins.
func load16Args(a *asm) {
	a.f("MOVQ rows+0(FP), DX")
	a.f("MOVQ pairs+8(FP), CX")
	a.f("MOVQ a+16(FP), AX")
	a.f("MOVQ rsa+24(FP), R8")
	a.f("MOVQ b+32(FP), DI")
	a.f("MOVQ offsets+40(FP), SI")
	a.f("MOVQ c+48(FP), R9")
	a.f("MOVQ rsc+56(FP), R13")
	a.f("SHLQ $1, R8")
	a.f("SHLQ $2, R13")
	a.f("LEAQ (R8)(R8*2), R12")
	a.f("LEAQ (AX)(R12*1), R10")
}

// widen subtracts a number from bytes as int16; n is a multiple of 16.
func widen(a *asm, name, ins string) {
	a.text(name, 26)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	a.f("MOVWLZX zero+24(FP), AX")
	a.f("MOVQ AX, X1")
	a.f("VPBROADCASTW X1, Y1")
	a.label("loop")
	a.f("%s (SI), Y0", ins)
	a.f("VPSUBW Y1, Y0, Y0")
	a.f("VMOVDQU Y0, (DI)")
	a.f("ADDQ $16, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $16, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}

// quantize rounds floats to bytes: (x/scale) cut off at lo and hi, to even,
// plus zero, with the bits of flip turned. Or it does so with the sum of int32
// and a bias, times scale. n is a multiple of 32.
func quantize(a *asm, name string, sums bool) {
	size := 44
	if sums {
		size = 48
	}
	a.text(name, size)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	a.f("VBROADCASTSS scale+24(FP), Y8")
	a.f("VBROADCASTSS lo+28(FP), Y9")
	a.f("VBROADCASTSS hi+32(FP), Y10")
	a.f("VBROADCASTSS zero+36(FP), Y11")
	a.f("VBROADCASTSS flip+40(FP), Y12")
	if sums {
		a.f("VBROADCASTSS bias+44(FP), Y13")
	}
	a.f("VMOVDQU order<>(SB), Y14")
	a.label("loop")
	for i := 0; i < 4; i++ {
		if sums {
			a.f("VPADDD %d(SI), Y13, Y%d", i*32, i)
			a.f("VCVTDQ2PS Y%d, Y%d", i, i)
			a.f("VMULPS Y8, Y%d, Y%d", i, i)
		} else {
			a.f("VMOVUPS %d(SI), Y%d", i*32, i)
			a.f("VDIVPS Y8, Y%d, Y%d", i, i)
		}
		a.f("VMAXPS Y9, Y%d, Y%d", i, i) // NaN becomes lo
		a.f("VMINPS Y10, Y%d, Y%d", i, i)
		a.f("VCVTPS2DQ Y%d, Y%d", i, i)
		a.f("VPADDD Y11, Y%d, Y%d", i, i)
	}
	a.f("VPACKSSDW Y1, Y0, Y0")
	a.f("VPACKSSDW Y3, Y2, Y2")
	a.f("VPACKUSWB Y2, Y0, Y0")
	a.f("VPERMD Y0, Y14, Y0")
	a.f("VPXOR Y12, Y0, Y0")
	a.f("VMOVDQU Y0, (DI)")
	a.f("ADDQ $128, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $32, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}

// dequantize is (x − zero)·scale; n is a multiple of eight.
func dequantize(a *asm, name, ins string) {
	a.text(name, 32)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	a.f("VBROADCASTSS scale+24(FP), Y2")
	a.f("VBROADCASTSS zero+28(FP), Y1")
	a.label("loop")
	a.f("%s (SI), Y0", ins)
	a.f("VPSUBD Y1, Y0, Y0")
	a.f("VCVTDQ2PS Y0, Y0")
	a.f("VMULPS Y2, Y0, Y0")
	a.f("VMOVUPS Y0, (DI)")
	a.f("ADDQ $8, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $8, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}

// halves converts IEEE half precision; n is a multiple of eight.
func halves(a *asm) {
	for _, to := range []bool{false, true} {
		name := "fromHalfAVX2"
		if to {
			name = "toHalfAVX2"
		}
		a.text(name, 24)
		a.f("MOVQ n+0(FP), CX")
		a.f("MOVQ dst+8(FP), DI")
		a.f("MOVQ src+16(FP), SI")
		a.label("loop")
		if to {
			a.f("VMOVUPS (SI), Y0")
			a.f("VCVTPS2PH $0, Y0, (DI)")
			a.f("ADDQ $32, SI")
			a.f("ADDQ $16, DI")
		} else {
			a.f("VCVTPH2PS (SI), Y0")
			a.f("VMOVUPS Y0, (DI)")
			a.f("ADDQ $16, SI")
			a.f("ADDQ $32, DI")
		}
		a.f("SUBQ $8, CX")
		a.f("JNE loop")
		a.f("VZEROUPPER")
		a.f("RET")
	}
}

// toInt32 rounds to int32; n is a multiple of eight.
func toInt32(a *asm) {
	a.text("toInt32AVX2", 24)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	a.label("loop")
	a.f("VCVTPS2DQ (SI), Y0")
	a.f("VMOVDQU Y0, (DI)")
	a.f("ADDQ $32, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $8, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}
