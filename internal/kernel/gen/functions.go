package main

import (
	"fmt"
	"math"
)

var consts = map[string]float64{
	"one": 1, "half": 0.5, "two": 2,
	"exphi": 88.8, "explo": -104,
	"log2e": math.Log2E, "ln2hi": 0.693359375, "ln2lo": -2.12194440e-4,
	"e0": 1.9875691500e-4, "e1": 1.3981999507e-3, "e2": 8.3334519073e-3,
	"e3": 4.1665795894e-2, "e4": 1.6666665459e-1, "e5": 5.0000001201e-1,
	"t0": -5.70498872745e-3, "t1": 2.06390887954e-2, "t2": -5.37397155531e-2,
	"t3": 1.33314422036e-1, "t4": -3.33332819422e-1, "tsmall": 0.625,
	"four": 4, "mfour": -4,
	"a0": -2.72614225801306e-10, "a1": 2.77068142495902e-08, "a2": -2.10102402082508e-06,
	"a3": -5.69250639462346e-05, "a4": -7.34990630326855e-04, "a5": -2.95459980854025e-03,
	"a6": -1.60960333262415e-02,
	"b0": -1.45660718464996e-05, "b1": -2.13374055278905e-04, "b2": -1.68282697438203e-03,
	"b3": -7.37332916720468e-03, "b4": -1.42647390514189e-02,
	"isqrt2": math.Sqrt2 / 2, "zero": 0, "sixth": 1.0 / 6, "third": 1.0 / 3, "three": 3, "mthree": -3,
}

// order fixes the layout of the constants.
var order = []string{"one", "half", "two", "exphi", "explo", "log2e", "ln2hi", "ln2lo", "e0", "e1", "e2", "e3", "e4", "e5",
	"t0", "t1", "t2", "t3", "t4", "tsmall", "four", "mfour", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "b0", "b1", "b2", "b3", "b4", "isqrt2", "zero", "sixth", "third", "three", "mthree"}

var ints = []struct {
	name string
	bits uint32
}{{"bias", 127}, {"abs", 0x7fffffff}, {"sign", 0x80000000}}

func k(name string) string { return "k_" + name + "<>(SB)" }

// exp leaves e^Y0 in Y0; it uses Y1, Y2 and Y3.
func exp(a *asm) {
	a.v("VMOVUPS %s, Y1", k("explo"))
	a.v("VMAXPS Y0, Y1, Y0")
	a.v("VMOVUPS %s, Y1", k("exphi"))
	a.v("VMINPS Y0, Y1, Y0")
	a.v("VMULPS %s, Y0, Y1", k("log2e"))
	a.v("VROUNDPS $0, Y1, Y1") // n
	a.v("VFNMADD231PS %s, Y1, Y0", k("ln2hi"))
	a.v("VFNMADD231PS %s, Y1, Y0", k("ln2lo")) // r
	a.v("VMOVUPS %s, Y2", k("e0"))
	for i := 1; i <= 5; i++ {
		a.v("VFMADD213PS %s, Y0, Y2", k(fmt.Sprintf("e%d", i)))
	}
	a.v("VMULPS Y0, Y0, Y3")
	a.v("VFMADD213PS Y0, Y3, Y2")
	a.v("VADDPS %s, Y2, Y2", k("one"))
	// 2^n in two halves, so that the ends of the range are right
	a.v("VCVTPS2DQ Y1, Y1")
	a.v("VPSRAD $1, Y1, Y3")
	a.v("VPSUBD Y3, Y1, Y1")
	a.v("VPADDD %s, Y1, Y1", k("bias"))
	a.v("VPADDD %s, Y3, Y3", k("bias"))
	a.v("VPSLLD $23, Y1, Y1")
	a.v("VPSLLD $23, Y3, Y3")
	a.v("VMULPS Y1, Y2, Y0")
	a.v("VMULPS Y3, Y0, Y0")
}

// sigmoid leaves 1/(1+e^−Y0) in Y0.
func sigmoid(a *asm) {
	a.v("VXORPS %s, Y0, Y0", k("sign"))
	exp(a)
	a.v("VMOVUPS %s, Y1", k("one"))
	a.v("VADDPS Y1, Y0, Y0")
	a.v("VDIVPS Y0, Y1, Y0")
}

// tanh leaves tanh(Y0) in Y0; it uses Y1 to Y8.
func tanh(a *asm) {
	a.v("VMOVAPS Y0, Y4")
	a.v("VANDPS %s, Y0, Y5", k("abs"))
	// small: x + x³P(x²)
	a.v("VMULPS Y4, Y4, Y6")
	a.v("VMOVUPS %s, Y7", k("t0"))
	for i := 1; i <= 4; i++ {
		a.v("VFMADD213PS %s, Y6, Y7", k(fmt.Sprintf("t%d", i)))
	}
	a.v("VMULPS Y4, Y6, Y6")
	a.v("VFMADD213PS Y4, Y6, Y7")
	// large: 1 − 2/(e^2|x| + 1), with the sign of x
	a.v("VADDPS Y5, Y5, Y0")
	exp(a)
	a.v("VMOVUPS %s, Y1", k("one"))
	a.v("VADDPS Y1, Y0, Y0")
	a.v("VMOVUPS %s, Y2", k("two"))
	a.v("VDIVPS Y0, Y2, Y0")
	a.v("VSUBPS Y0, Y1, Y0")
	a.v("VANDPS %s, Y4, Y4", k("sign"))
	a.v("VORPS Y4, Y0, Y0")
	if a.wide {
		a.v("VCMPPS $1, %s, Y5, K2", k("tsmall")) // |x| < 0.625
		a.v("VMOVAPS Y7, K2, Y0")
	} else {
		a.f("VCMPPS $1, %s, Y5, Y8", k("tsmall"))
		a.f("VBLENDVPS Y8, Y7, Y0, Y0")
	}
}

// erf leaves erf(Y0) in Y0: x·P(x²)/Q(x²) on [−4, 4].
func erf(a *asm) {
	a.v("VMOVUPS %s, Y1", k("mfour"))
	a.v("VMAXPS Y0, Y1, Y0")
	a.v("VMOVUPS %s, Y1", k("four"))
	a.v("VMINPS Y0, Y1, Y0")
	a.v("VMULPS Y0, Y0, Y1")
	a.v("VMOVUPS %s, Y2", k("a0"))
	for i := 1; i <= 6; i++ {
		a.v("VFMADD213PS %s, Y1, Y2", k(fmt.Sprintf("a%d", i)))
	}
	a.v("VMOVUPS %s, Y3", k("b0"))
	for i := 1; i <= 4; i++ {
		a.v("VFMADD213PS %s, Y1, Y3", k(fmt.Sprintf("b%d", i)))
	}
	a.v("VMULPS Y2, Y0, Y0")
	a.v("VDIVPS Y3, Y0, Y0")
}
