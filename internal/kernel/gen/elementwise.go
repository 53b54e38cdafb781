package main

import (
	"fmt"
	"math"
)

// vectors writes what runs over slices, element by element.
func vectors(a *asm) {
	data := func(name string, bits uint32) {
		w := uint64(bits)<<32 | uint64(bits)
		for i := 0; i < 4; i++ {
			fmt.Fprintf(a, "DATA k_%s<>+%d(SB)/8, $0x%016x\n", name, i*8, w)
		}
		fmt.Fprintf(a, "GLOBL k_%s<>(SB), RODATA|NOPTR, $32\n", name)
	}
	for _, n := range order {
		data(n, math.Float32bits(float32(consts[n])))
	}
	for _, c := range ints {
		data(c.name, c.bits)
	}
	for i := 0; i < 8; i++ {
		v := "0xffffffffffffffff"
		if i >= 4 {
			v = "0"
		}
		fmt.Fprintf(a, "DATA vmasks<>+%d(SB)/8, $%s\n", i*8, v)
	}
	fmt.Fprint(a, "GLOBL vmasks<>(SB), RODATA|NOPTR, $64\n")

	for _, a.wide = range []bool{false, true} {
		unary(a, "exp", func() { exp(a) })
		unary(a, "sigmoid", func() { sigmoid(a) })
		unary(a, "silu", func() {
			a.v("VMOVAPS Y0, Y9")
			sigmoid(a)
			a.v("VMULPS Y9, Y0, Y0")
		})
		unary(a, "tanh", func() { tanh(a) })
		unary(a, "erf", func() { erf(a) })
		unary(a, "gelu", func() {
			a.v("VMOVAPS Y0, Y9")
			a.v("VMULPS %s, Y0, Y0", k("isqrt2"))
			erf(a)
			a.v("VADDPS %s, Y0, Y0", k("one"))
			a.v("VMULPS %s, Y9, Y9", k("half"))
			a.v("VMULPS Y9, Y0, Y0")
		})
		mix(a)
		gatherColumns(a)
		scaleColumns(a)
	}
	a.wide = false
	unary(a, "hardSwish", func() {
		a.f("VMOVAPS Y0, Y1")
		a.f("VMOVUPS %s, Y2", k("half"))
		a.f("VFMADD231PS %s, Y0, Y2", k("sixth"))
		a.f("VXORPS Y3, Y3, Y3")
		a.f("VMAXPS Y3, Y2, Y2")
		a.f("VMINPS %s, Y2, Y2", k("one"))
		a.f("VMULPS Y2, Y1, Y0")
	})
	unary(a, "sqrt", func() { a.f("VSQRTPS Y0, Y0") })
	unary(a, "relu", func() {
		a.f("VXORPS Y1, Y1, Y1")
		a.f("VMAXPS Y0, Y1, Y0") // NaN stays NaN
	})
	for _, op := range []struct{ name, ins string }{{"add", "VADDPS"}, {"sub", "VSUBPS"}, {"mul", "VMULPS"}, {"div", "VDIVPS"}, {"max", "VMAXPS"}, {"min", "VMINPS"}} {
		binary(a, op.name+"AVX2", func() { a.f("%s Y1, Y0, Y0", op.ins) })
		if op.name == "max" || op.name == "min" { // NaN in x stays NaN
			scalar(a, op.name+"ScalarAVX2", func() { a.f("%s Y0, Y1, Y0", op.ins) })
			continue
		}
		scalar(a, op.name+"ScalarAVX2", func() { a.f("%s Y1, Y0, Y0", op.ins) })
	}
	binary(a, "reluSlopeAVX2", func() {
		a.f("VCMPPS $2, %s, Y1, Y1", k("zero")) // y ≤ 0
		a.f("VANDNPS Y0, Y1, Y0")
	})
	binary(a, "hardSwishSlopeAVX2", func() {
		a.f("VMULPS %s, Y1, Y2", k("third"))
		a.f("VADDPS %s, Y2, Y2", k("half"))
		a.f("VMOVUPS %s, Y3", k("three"))
		a.f("VCMPPS $1, Y1, Y3, Y3") // 3 < x
		a.f("VBLENDVPS Y3, %s, Y2, Y2", k("one"))
		a.f("VMULPS Y2, Y0, Y0")
		a.f("VCMPPS $1, %s, Y1, Y1", k("mthree")) // x < −3
		a.f("VANDNPS Y0, Y1, Y0")
	})
	insideSlope(a)
	clamp(a)
	addClamp(a)
	scalar(a, "rsubScalarAVX2", func() { a.f("VSUBPS Y0, Y1, Y0") })
	scalar(a, "rdivScalarAVX2", func() { a.f("VDIVPS Y0, Y1, Y0") })
	// leaky: x if x ≥ 0 else alpha·x
	scalar(a, "leakyAVX2", func() {
		a.f("VMULPS Y1, Y0, Y2")
		a.f("VBLENDVPS Y0, Y2, Y0, Y0")
	})
	deinterleave(a)
	transpose8(a)
	gather(a)
	gatherOnce(a)
	scaleRows(a)
	axpy(a)
	dot(a)
	expSum(a)
	reduce(a, "sumAVX2", "VADDPS", "VADDSS", "zero")
	reduce(a, "maximumAVX2", "VMAXPS", "VMAXSS", "")
	reduce(a, "minimumAVX2", "VMINPS", "VMINSS", "")
}

// tailMask puts the mask of the CX remaining lanes, some but not all of a vector,
// into Y15 or K1.
func tailMask(a *asm) {
	if a.wide {
		a.f("MOVL $-1, R8")
		a.f("BZHIL CX, R8, R8")
		a.f("KMOVW R8, K1")
		return
	}
	a.f("NEGQ CX")
	a.f("ADDQ $8, CX")
	a.f("LEAQ vmasks<>(SB), R8")
	a.f("VMOVUPS (R8)(CX*4), Y15")
}

// loop writes a loop over CX elements in steps of a vector with a masked tail.
// load and store take the masked flag.
func loop(a *asm, load func(masked bool), body func(), store func(masked bool), advance func()) {
	a.f("SUBQ $%d, CX", a.lanes())
	a.f("JLT tail")
	fmt.Fprint(a, "\tPCALIGN $32\n")
	a.label("loop")
	load(false)
	body()
	store(false)
	advance()
	a.f("SUBQ $%d, CX", a.lanes())
	a.f("JGE loop")
	a.label("tail")
	a.f("ADDQ $%d, CX", a.lanes())
	a.f("JEQ done")
	tailMask(a)
	load(true)
	body()
	store(true)
	a.label("done")
	a.f("VZEROUPPER")
	a.f("RET")
}

func ld(a *asm, masked bool, addr, reg string) {
	switch {
	case masked && a.wide:
		a.v("VMOVUPS.Z %s, K1, %s", addr, reg)
	case masked:
		a.f("VMASKMOVPS %s, Y15, %s", addr, reg)
	default:
		a.v("VMOVUPS %s, %s", addr, reg)
	}
}

func st(a *asm, masked bool, reg, addr string) {
	switch {
	case masked && a.wide:
		a.v("VMOVUPS %s, K1, %s", reg, addr)
	case masked:
		a.f("VMASKMOVPS %s, Y15, %s", reg, addr)
	default:
		a.v("VMOVUPS %s, %s", reg, addr)
	}
}

// step moves pointers on by a vector.
func step(a *asm, pointers ...string) {
	for _, p := range pointers {
		a.f("ADDQ $%d, %s", 4*a.lanes(), p)
	}
}

func unary(a *asm, name string, body func()) {
	a.text(name+a.level(), 24)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0") }, body,
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI") })
}

func binary(a *asm, name string, body func()) {
	a.text(name, 32)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("MOVQ y+24(FP), DX")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0"); ld(a, m, "(DX)", "Y1") }, body,
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI", "DX") })
}

func scalar(a *asm, name string, body func()) {
	a.text(name, 28)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("VBROADCASTSS s+24(FP), Y1")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0") }, body,
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI") })
}

// clamp adds a number and cuts off at two others; NaN stays NaN.
func clamp(a *asm) {
	a.text("clampAVX2", 36)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("VBROADCASTSS s+24(FP), Y1")
	a.f("VBROADCASTSS lo+28(FP), Y2")
	a.f("VBROADCASTSS hi+32(FP), Y3")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0") },
		func() {
			a.f("VADDPS Y1, Y0, Y0")
			a.f("VMAXPS Y0, Y2, Y0")
			a.f("VMINPS Y0, Y3, Y0")
		},
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI") })
}

// insideSlope multiplies by a number where another slice lies between two, and
// by zero elsewhere.
func insideSlope(a *asm) {
	a.text("insideSlopeAVX2", 44)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ d+16(FP), SI")
	a.f("MOVQ v+24(FP), DX")
	a.f("VBROADCASTSS s+32(FP), Y2")
	a.f("VBROADCASTSS lo+36(FP), Y3")
	a.f("VBROADCASTSS hi+40(FP), Y4")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0"); ld(a, m, "(DX)", "Y1") },
		func() {
			a.f("VMULPS Y2, Y0, Y0")
			a.f("VCMPPS $1, Y1, Y3, Y5") // lo < v
			a.f("VCMPPS $1, Y4, Y1, Y6") // v < hi
			a.f("VANDPS Y5, Y0, Y0")
			a.f("VANDPS Y6, Y0, Y0")
		},
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI", "DX") })
}

// addClamp adds a slice and a number and cuts off at two others.
func addClamp(a *asm) {
	a.text("addClampAVX2", 44)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ x+16(FP), SI")
	a.f("MOVQ y+24(FP), DX")
	a.f("VBROADCASTSS s+32(FP), Y1")
	a.f("VBROADCASTSS lo+36(FP), Y2")
	a.f("VBROADCASTSS hi+40(FP), Y3")
	loop(a, func(m bool) { ld(a, m, "(SI)", "Y0"); ld(a, m, "(DX)", "Y4") },
		func() {
			a.f("VADDPS Y1, Y0, Y0")
			a.f("VADDPS Y4, Y0, Y0")
			a.f("VMAXPS Y0, Y2, Y0")
			a.f("VMINPS Y0, Y3, Y0")
		},
		func(m bool) { st(a, m, "Y0", "(DI)") },
		func() { step(a, "SI", "DI", "DX") })
}

// deinterleave takes every second element; n is a multiple of eight.
func deinterleave(a *asm) {
	a.text("deinterleaveAVX2", 24)
	a.f("MOVQ n+0(FP), CX")
	a.f("MOVQ dst+8(FP), DI")
	a.f("MOVQ src+16(FP), SI")
	a.label("loop")
	a.f("VMOVUPS (SI), Y0")
	a.f("VMOVUPS 32(SI), Y1")
	a.f("VSHUFPS $0x88, Y1, Y0, Y0")
	a.f("VPERMPD $0xd8, Y0, Y0")
	a.f("VMOVUPS Y0, (DI)")
	a.f("ADDQ $64, SI")
	a.f("ADDQ $32, DI")
	a.f("SUBQ $8, CX")
	a.f("JNE loop")
	a.f("VZEROUPPER")
	a.f("RET")
}
