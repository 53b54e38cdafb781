package main

// mix writes s·x + t·y.
func mix(a *asm) {
	a.text("mix"+a.level(), 40)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("MOVQ y+24(FP), DX")
	a.v("VBROADCASTSS s+32(FP), Y3")
	a.v("VBROADCASTSS t+36(FP), Y4")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0"); ld(a, m, "(DX)", "Y1") },
		func() {
			a.v("VMULPS Y3, Y0, Y0")
			a.v("VMULPS Y4, Y1, Y1")
			a.v("VADDPS Y1, Y0, Y0")
		},
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI", "DX") })
}

func axpy(a *asm) {
	a.text("axpyAVX2", 28)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ y+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("VBROADCASTSS s+24(FP), Y1")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0"); ld(a, m, "(DI)", "Y2") },
		func() { a.f("VFMADD231PS Y0, Y1, Y2") },
		func(m bool) { st(a, m, "Y2", "(DI)") },
		func() { step(a, "SI", "DI") })
}

// dot adds in four vectors of eight lanes, then pairwise.
func dot(a *asm) {
	a.text("dotAVX2", 28)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ x+8(FP), SI")
	a.f("MOVQ y+16(FP), DI")
	for i := 4; i < 8; i++ {
		a.f("VXORPS Y%d, Y%d, Y%d", i, i, i)
	}
	a.f("SUBQ $32, CX")
	a.f("JLT rest")
	a.label("wide")
	for i := 0; i < 4; i++ {
		a.f("VMOVUPS %d(SI), Y%d", i*32, i)
		a.f("VFMADD231PS %d(DI), Y%d, Y%d", i*32, i, i+4)
	}
	a.f("ADDQ $128, SI")
	a.f("ADDQ $128, DI")
	a.f("SUBQ $32, CX")
	a.f("JGE wide")
	a.label("rest")
	a.f("ADDQ $32, CX")
	a.f("SUBQ $8, CX")
	a.f("JLT tail")
	a.label("loop")
	a.f("VMOVUPS (SI), Y0")
	a.f("VFMADD231PS (DI), Y0, Y4")
	a.f("ADDQ $32, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $8, CX")
	a.f("JGE loop")
	a.label("tail")
	a.f("ADDQ $8, CX")
	a.f("JEQ done")
	tailMask(a)
	a.f("VMASKMOVPS (SI), Y15, Y0")
	a.f("VMASKMOVPS (DI), Y15, Y1")
	a.f("VFMADD231PS Y1, Y0, Y4")
	a.label("done")
	a.f("VADDPS Y5, Y4, Y4")
	a.f("VADDPS Y7, Y6, Y6")
	a.f("VADDPS Y6, Y4, Y4")
	horizontal(a, "VADDPS", "VADDSS")
	a.f("MOVSS X4, ret+24(FP)")
	a.f("VZEROUPPER")
	a.f("RET")
}

// horizontal folds Y4 into X4.
func horizontal(a *asm, op, ss string) {
	a.f("VEXTRACTF128 $1, Y4, X5")
	a.f("%s X5, X4, X4", op)
	a.f("VPERMILPS $0x0e, X4, X5")
	a.f("%s X5, X4, X4", op)
	a.f("VPERMILPS $0x01, X4, X5")
	a.f("%s X5, X4, X4", ss)
}

// expSum writes e^(x−s) and adds it up, in the lanes of sumAVX2.
func expSum(a *asm) {
	a.text("expSumAVX2", 36)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("VBROADCASTSS s+24(FP), Y9")
	for i := 4; i < 8; i++ {
		a.f("VXORPS Y%d, Y%d, Y%d", i, i, i)
	}
	a.f("SUBQ $32, CX")
	a.f("JLT rest")
	a.label("wide")
	for i := 0; i < 4; i++ {
		a.f("VMOVUPS %d(SI), Y0", i*32)
		a.f("VSUBPS Y9, Y0, Y0")
		exp(a)
		a.f("VMOVUPS Y0, %d(DI)", i*32)
		a.f("VADDPS Y0, Y%d, Y%d", i+4, i+4)
	}
	a.f("ADDQ $128, SI")
	a.f("ADDQ $128, DI")
	a.f("SUBQ $32, CX")
	a.f("JGE wide")
	a.label("rest")
	a.f("ADDQ $32, CX")
	a.f("SUBQ $8, CX")
	a.f("JLT tail")
	a.label("loop")
	a.f("VMOVUPS (SI), Y0")
	a.f("VSUBPS Y9, Y0, Y0")
	exp(a)
	a.f("VMOVUPS Y0, (DI)")
	a.f("VADDPS Y0, Y4, Y4")
	a.f("ADDQ $32, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $8, CX")
	a.f("JGE loop")
	a.label("tail")
	a.f("ADDQ $8, CX")
	a.f("JEQ done")
	tailMask(a)
	a.f("VMASKMOVPS (SI), Y15, Y0")
	a.f("VSUBPS Y9, Y0, Y0")
	exp(a)
	a.f("VMASKMOVPS Y0, Y15, (DI)")
	a.f("VANDPS Y15, Y0, Y0")
	a.f("VADDPS Y0, Y4, Y4")
	a.label("done")
	a.f("VADDPS Y5, Y4, Y4")
	a.f("VADDPS Y7, Y6, Y6")
	a.f("VADDPS Y6, Y4, Y4")
	horizontal(a, "VADDPS", "VADDSS")
	a.f("MOVSS X4, ret+32(FP)")
	a.f("VZEROUPPER")
	a.f("RET")
}

// reduce writes a reduction; without a neutral constant the first element
// fills the unused lanes.
func reduce(a *asm, name, op, ss, neutral string) {
	a.text(name, 20)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ x+8(FP), SI")
	if neutral == "" {
		a.f("VBROADCASTSS (SI), Y14")
	} else {
		a.f("VMOVUPS %s, Y14", k(neutral))
	}
	for i := 4; i < 8; i++ {
		a.f("VMOVAPS Y14, Y%d", i)
	}
	a.f("SUBQ $32, CX")
	a.f("JLT rest")
	a.label("wide")
	for i := 0; i < 4; i++ {
		a.f("%s %d(SI), Y%d, Y%d", op, i*32, i+4, i+4)
	}
	a.f("ADDQ $128, SI")
	a.f("SUBQ $32, CX")
	a.f("JGE wide")
	a.label("rest")
	a.f("ADDQ $32, CX")
	a.f("SUBQ $8, CX")
	a.f("JLT tail")
	a.label("loop")
	a.f("%s (SI), Y4, Y4", op)
	a.f("ADDQ $32, SI")
	a.f("SUBQ $8, CX")
	a.f("JGE loop")
	a.label("tail")
	a.f("ADDQ $8, CX")
	a.f("JEQ done")
	tailMask(a)
	a.f("VMASKMOVPS (SI), Y15, Y0")
	a.f("VBLENDVPS Y15, Y0, Y14, Y0")
	a.f("%s Y0, Y4, Y4", op)
	a.label("done")
	a.f("%s Y5, Y4, Y4", op)
	a.f("%s Y7, Y6, Y6", op)
	a.f("%s Y6, Y4, Y4", op)
	horizontal(a, op, ss)
	a.f("MOVSS X4, ret+16(FP)")
	a.f("VZEROUPPER")
	a.f("RET")
}
