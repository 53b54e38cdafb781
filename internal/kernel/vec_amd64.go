package kernel

func dot(x, y []float32) float32 {
	if level == Generic {
		return dotGo(x, y)
	}
	return dotAVX2(len(x), &x[0], &y[0])
}

func mix(dst []float32, s float32, x []float32, t float32, y []float32) {
	switch level {
	case Generic:
		mixGo(dst, s, x, t, y)
	case AVX512:
		mixAVX512(len(x), &dst[0], &x[0], &y[0], s, t)
	default:
		mixAVX2(len(x), &dst[0], &x[0], &y[0], s, t)
	}
}

func axpy(s float32, x, y []float32) {
	if level == Generic {
		axpyGo(s, x, y)
		return
	}
	axpyAVX2(len(x), &y[0], &x[0], s)
}

// expSum writes e^(x−s) to dst and returns its sum, with the bits of [Exp] and
// [Sum].
func expSum(dst, x []float32, s float32) float32 {
	if level == Generic {
		return expSumGo(dst, x, s)
	}
	return expSumAVX2(len(x), &dst[0], &x[0], s)
}

func sum(x []float32) float32 {
	if level == Generic {
		return sumGo(x)
	}
	return sumAVX2(len(x), &x[0])
}

func maximum(x []float32) float32 {
	if level == Generic {
		return maximumGo(x)
	}
	return maximumAVX2(len(x), &x[0])
}

func deinterleave(dst, src []float32) {
	n := min(len(dst), len(src)/2) &^ 7 // what can be read in whole vectors
	if level == Generic || n == 0 {
		deinterleaveGo(dst, src)
		return
	}
	deinterleaveAVX2(n, &dst[0], &src[0])
	if n < len(dst) {
		deinterleaveGo(dst[n:], src[2*n:])
	}
}

func unary(f fn, dst, src []float32) {
	n := len(src)
	if n == 0 {
		return
	}
	dst = dst[:n]
	if level == Generic {
		unaryGo(f, dst, src)
		return
	}
	d, s := &dst[0], &src[0]
	if level == AVX512 {
		switch f {
		case fnExp:
			expAVX512(n, d, s)
			return
		case fnSigmoid:
			sigmoidAVX512(n, d, s)
			return
		case fnSiLU:
			siluAVX512(n, d, s)
			return
		case fnTanh:
			tanhAVX512(n, d, s)
			return
		case fnErf:
			erfAVX512(n, d, s)
			return
		case fnGELU:
			geluAVX512(n, d, s)
			return
		}
	}
	switch f {
	case fnExp:
		expAVX2(n, d, s)
	case fnSigmoid:
		sigmoidAVX2(n, d, s)
	case fnSiLU:
		siluAVX2(n, d, s)
	case fnTanh:
		tanhAVX2(n, d, s)
	case fnErf:
		erfAVX2(n, d, s)
	case fnGELU:
		geluAVX2(n, d, s)
	case fnSqrt:
		sqrtAVX2(n, d, s)
	case fnReLU:
		reluAVX2(n, d, s)
	case fnHardSwish:
		hardSwishAVX2(n, d, s)
	}
}

func binary(o op, dst, x, y []float32) {
	n := len(x)
	if n == 0 {
		return
	}
	dst, y = dst[:n], y[:n]
	if level == Generic {
		binaryGo(o, dst, x, y)
		return
	}
	d, p, q := &dst[0], &x[0], &y[0]
	switch o {
	case opAdd:
		addAVX2(n, d, p, q)
	case opSub:
		subAVX2(n, d, p, q)
	case opMul:
		mulAVX2(n, d, p, q)
	case opDiv:
		divAVX2(n, d, p, q)
	case opMax:
		maxAVX2(n, d, p, q)
	case opMin:
		minAVX2(n, d, p, q)
	case opReLUSlope:
		reluSlopeAVX2(n, d, p, q)
	case opHardSwishSlope:
		hardSwishSlopeAVX2(n, d, p, q)
	}
}

func insideSlope(dst, d, v []float32, s, lo, hi float32) {
	if level == Generic {
		insideSlopeGo(dst, d, v, s, lo, hi)
		return
	}
	insideSlopeAVX2(len(d), &dst[0], &d[0], &v[0], s, lo, hi)
}

func scalar(o op, dst, x []float32, s float32) {
	n := len(x)
	if n == 0 {
		return
	}
	dst = dst[:n]
	if level == Generic {
		scalarGo(o, dst, x, s)
		return
	}
	d, p := &dst[0], &x[0]
	switch o {
	case opAdd:
		addScalarAVX2(n, d, p, s)
	case opSub:
		subScalarAVX2(n, d, p, s)
	case opMul:
		mulScalarAVX2(n, d, p, s)
	case opDiv:
		divScalarAVX2(n, d, p, s)
	case opMax:
		maxScalarAVX2(n, d, p, s)
	case opMin:
		minScalarAVX2(n, d, p, s)
	case opRSub:
		rsubScalarAVX2(n, d, p, s)
	case opRDiv:
		rdivScalarAVX2(n, d, p, s)
	case opLeaky:
		leakyAVX2(n, d, p, s)
	}
}

//go:noescape
func dotAVX2(n int, x, y *float32) float32

//go:noescape
func axpyAVX2(n int, y, x *float32, s float32)

//go:noescape
func mixAVX2(n int, dst, x, y *float32, s, t float32)

//go:noescape
func mixAVX512(n int, dst, x, y *float32, s, t float32)

//go:noescape
func expSumAVX2(n int, dst, x *float32, s float32) float32

//go:noescape
func sumAVX2(n int, x *float32) float32

//go:noescape
func maximumAVX2(n int, x *float32) float32

//go:noescape
func expAVX2(n int, dst, src *float32)

//go:noescape
func expAVX512(n int, dst, src *float32)

//go:noescape
func sigmoidAVX2(n int, dst, src *float32)

//go:noescape
func sigmoidAVX512(n int, dst, src *float32)

//go:noescape
func siluAVX2(n int, dst, src *float32)

//go:noescape
func siluAVX512(n int, dst, src *float32)

//go:noescape
func tanhAVX2(n int, dst, src *float32)

//go:noescape
func tanhAVX512(n int, dst, src *float32)

//go:noescape
func erfAVX2(n int, dst, src *float32)

//go:noescape
func erfAVX512(n int, dst, src *float32)

//go:noescape
func geluAVX2(n int, dst, src *float32)

//go:noescape
func geluAVX512(n int, dst, src *float32)

//go:noescape
func sqrtAVX2(n int, dst, src *float32)

//go:noescape
func reluAVX2(n int, dst, src *float32)

//go:noescape
func addAVX2(n int, dst, x, y *float32)

//go:noescape
func subAVX2(n int, dst, x, y *float32)

//go:noescape
func mulAVX2(n int, dst, x, y *float32)

//go:noescape
func divAVX2(n int, dst, x, y *float32)

//go:noescape
func maxAVX2(n int, dst, x, y *float32)

//go:noescape
func minAVX2(n int, dst, x, y *float32)

//go:noescape
func addScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func subScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func mulScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func divScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func maxScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func minScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func rsubScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func rdivScalarAVX2(n int, dst, x *float32, s float32)

//go:noescape
func leakyAVX2(n int, dst, x *float32, s float32)

//go:noescape
func deinterleaveAVX2(n int, dst, src *float32)

//go:noescape
func hardSwishAVX2(n int, dst, src *float32)

//go:noescape
func reluSlopeAVX2(n int, dst, x, y *float32)

//go:noescape
func hardSwishSlopeAVX2(n int, dst, x, y *float32)

//go:noescape
func insideSlopeAVX2(n int, dst, d, v *float32, s, lo, hi float32)
