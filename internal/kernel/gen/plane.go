package main

import (
	"fmt"
)

// planes writes what runs over the planes of a convolution.
func planes(a *asm) {
	masks(a)
	taps(a, "depthwiseAVX2", false)
	taps(a, "maxTapsAVX2", true)
	copyRows(a)
}

// taps writes the kernel of a depthwise convolution or of a largest value:
// some rows of some vectors of one output plane stay in registers while the
// taps run. Of a single vector less than eight columns may be stored.
func taps(a *asm, name string, largest bool) {
	size := 92
	if largest {
		size = 72
	}
	a.text(name, size)
	a.f("MOVQ rows+0(FP), BX")
	a.f("MOVQ vecs+8(FP), AX")
	a.f("MOVQ cols+16(FP), R15")
	a.f("MOVQ taps+24(FP), CX")
	a.f("MOVQ offsets+32(FP), SI")
	a.f("MOVQ src+40(FP), DI")
	a.f("MOVQ srcPitch+48(FP), R8")
	a.f("MOVQ dst+56(FP), R9")
	a.f("MOVQ dstPitch+64(FP), R13")
	if !largest {
		a.f("MOVQ w+72(FP), R14")
	}
	a.f("SHLQ $2, R8")
	a.f("SHLQ $2, R13")
	a.f("LEAQ (R8)(R8*2), R11") // three rows
	a.f("LEAQ (DI)(R8*4), R12") // the fifth row
	if largest {
		a.f("MOVL $0xff800000, DX") // −Inf
		a.f("MOVQ DX, X0")
		a.f("VBROADCASTSS X0, Y0")
		for i := 1; i < 8; i++ {
			a.f("VMOVAPS Y0, Y%d", i)
		}
	} else {
		for i := 0; i < 8; i++ {
			a.f("VXORPS Y%d, Y%d, Y%d", i, i, i)
		}
	}
	widths := []int{8, 4, 2, 1}
	for _, vecs := range widths {
		for rows := 8 / vecs; rows >= 1; rows-- {
			a.f("CMPQ AX, $%d", vecs)
			a.f("JNE not%dx%d", rows, vecs)
			a.f("CMPQ BX, $%d", rows)
			a.f("JEQ rows%dx%d", rows, vecs)
			a.label(fmt.Sprintf("not%dx%d", rows, vecs))
		}
	}
	a.f("RET")
	for _, vecs := range widths {
		for rows := 8 / vecs; rows >= 1; rows-- {
			label := fmt.Sprintf("rows%dx%d", rows, vecs)
			fmt.Fprint(a, "\tPCALIGN $32\n")
			a.label(label)
			a.f("MOVQ (SI), DX")
			a.f("ADDQ $8, SI")
			if !largest {
				a.f("VBROADCASTSS (R14), Y8")
				a.f("ADDQ $4, R14")
			}
			a.f("LEAQ (DI)(DX*4), R10")
			if rows > 4 {
				a.f("LEAQ (R12)(DX*4), DX")
			}
			for r := 0; r < rows; r++ {
				base := []string{"R10", "DX"}[r/4]
				at := []string{"(%s)", "(%s)(R8*1)", "(%s)(R8*2)", "(%s)(R11*1)"}[r%4]
				for v := 0; v < vecs; v++ {
					if i := r*vecs + v; largest { // NaN in the input counts as nothing
						a.f("VMOVUPS %d"+at+", Y%d", v*32, base, 8+i)
						a.f("VMAXPS Y%d, Y%d, Y%d", i, 8+i, i)
					} else {
						a.f("VFMADD231PS %d"+at+", Y8, Y%d", v*32, base, i)
					}
				}
			}
			a.f("DECQ CX")
			a.f("JNE %s", label)
			if !largest {
				a.f("VBROADCASTSS bias+80(FP), Y9")
				a.f("VBROADCASTSS lo+84(FP), Y10")
				a.f("VBROADCASTSS hi+88(FP), Y11")
				for i := 0; i < rows*vecs; i++ {
					a.f("VADDPS Y9, Y%d, Y%d", i, i)
					a.f("VMAXPS Y%d, Y10, Y%d", i, i)
					a.f("VMINPS Y%d, Y11, Y%d", i, i)
				}
			}
			store := func(masked bool) {
				for r := 0; r < rows; r++ {
					for v := 0; v < vecs; v++ {
						st(a, masked, fmt.Sprintf("Y%d", r*vecs+v), fmt.Sprintf("%d(R9)", v*32))
					}
					if r < rows-1 {
						a.f("ADDQ R13, R9")
					}
				}
				a.f("VZEROUPPER")
				a.f("RET")
			}
			if vecs == 1 {
				a.f("CMPQ R15, $8")
				a.f("JGE %s_full", label)
				a.f("NEGQ R15")
				a.f("ADDQ $8, R15")
				a.f("LEAQ masks<>(SB), CX")
				a.f("VMOVUPS (CX)(R15*4), Y15")
				store(true)
				a.label(label + "_full")
			}
			store(false)
		}
	}
}

// copyRows copies rows of at least eight columns, the last vector of a row
// over the one before it.
func copyRows(a *asm) {
	a.text("copyRowsAVX2", 48)
	a.f("MOVQ rows+0(FP), BX")
	a.f("MOVQ cols+8(FP), AX")
	a.f("MOVQ dst+16(FP), DI")
	a.f("MOVQ dstPitch+24(FP), R8")
	a.f("MOVQ src+32(FP), SI")
	a.f("MOVQ srcPitch+40(FP), R9")
	a.f("SHLQ $2, R8")
	a.f("SHLQ $2, R9")
	a.f("LEAQ -32(AX*4), R10") // where the last vector begins
	a.label("row")
	a.f("XORQ CX, CX")
	a.label("loop")
	a.f("VMOVUPS (SI)(CX*1), Y0")
	a.f("VMOVUPS Y0, (DI)(CX*1)")
	a.f("ADDQ $32, CX")
	a.f("CMPQ CX, R10")
	a.f("JLT loop")
	a.f("VMOVUPS (SI)(R10*1), Y0")
	a.f("VMOVUPS Y0, (DI)(R10*1)")
	a.f("ADDQ R9, SI")
	a.f("ADDQ R8, DI")
	a.f("DECQ BX")
	a.f("JNE row")
	a.f("VZEROUPPER")
	a.f("RET")
}
