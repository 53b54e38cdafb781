package kernel

import "math"

// The plain Go versions. They compute each element in float64 where the
// standard library offers only that.

func dotGo(x, y []float32) float32 {
	var lanes [8]float32
	i := 0
	for ; i+8 <= len(x); i += 8 {
		a, b := x[i:i+8], y[i:i+8]
		for l := range lanes {
			lanes[l] += a[l] * b[l]
		}
	}
	for l := 0; i < len(x); i, l = i+1, l+1 {
		lanes[l] += x[i] * y[i]
	}
	return fold(lanes)
}

func expSumGo(dst, x []float32, s float32) float32 {
	scalarGo(opSub, dst, x, s)
	unaryGo(fnExp, dst, dst)
	return sumGo(dst)
}

func sumGo(x []float32) float32 {
	var lanes [8]float32
	i := 0
	for ; i+8 <= len(x); i += 8 {
		a := x[i : i+8]
		for l := range lanes {
			lanes[l] += a[l]
		}
	}
	for l := 0; i < len(x); i, l = i+1, l+1 {
		lanes[l] += x[i]
	}
	return fold(lanes)
}

func fold(l [8]float32) float32 {
	return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

func maximumGo(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		if v > m {
			m = v
		}
	}
	return m
}

func mixGo(dst []float32, s float32, x []float32, t float32, y []float32) {
	for i, v := range x {
		dst[i] = s*v + t*y[i]
	}
}

func axpyGo(s float32, x, y []float32) {
	for i, v := range x {
		y[i] += s * v
	}
}

func unaryGo(f fn, dst, src []float32) {
	switch f {
	case fnExp:
		for i, v := range src {
			dst[i] = float32(math.Exp(float64(v)))
		}
	case fnSigmoid:
		for i, v := range src {
			dst[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	case fnSiLU:
		for i, v := range src {
			dst[i] = float32(float64(v) / (1 + math.Exp(-float64(v))))
		}
	case fnTanh:
		for i, v := range src {
			dst[i] = float32(math.Tanh(float64(v)))
		}
	case fnErf:
		for i, v := range src {
			dst[i] = float32(math.Erf(float64(v)))
		}
	case fnGELU:
		for i, v := range src {
			dst[i] = float32(float64(v) / 2 * (1 + math.Erf(float64(v)/math.Sqrt2)))
		}
	case fnSqrt:
		for i, v := range src {
			dst[i] = float32(math.Sqrt(float64(v)))
		}
	case fnReLU:
		for i, v := range src {
			if v < 0 {
				v = 0
			}
			dst[i] = v
		}
	case fnHardSwish:
		for i, v := range src {
			dst[i] = v * min(max(v/6+0.5, 0), 1)
		}
	}
}

func binaryGo(o op, dst, x, y []float32) {
	switch o {
	case opAdd:
		for i, v := range x {
			dst[i] = v + y[i]
		}
	case opSub:
		for i, v := range x {
			dst[i] = v - y[i]
		}
	case opMul:
		for i, v := range x {
			dst[i] = v * y[i]
		}
	case opDiv:
		for i, v := range x {
			dst[i] = v / y[i]
		}
	case opMax:
		for i, v := range x {
			if w := y[i]; !(v > w) {
				v = w
			}
			dst[i] = v
		}
	case opMin:
		for i, v := range x {
			if w := y[i]; !(v < w) {
				v = w
			}
			dst[i] = v
		}
	case opReLUSlope:
		for i, v := range x {
			dst[i] = maskIf(v, !(y[i] <= 0))
		}
	case opHardSwishSlope:
		for i, v := range x {
			w := y[i]
			slope := float32(w*(1.0/3)) + 0.5 // rounded twice everywhere
			if w > 3 {
				slope = 1
			}
			dst[i] = maskIf(v*slope, !(w < -3))
		}
	}
}

func insideSlopeGo(dst, d, v []float32, s, lo, hi float32) {
	for i, x := range d {
		dst[i] = maskIf(x*s, lo < v[i] && v[i] < hi)
	}
}

// maskIf is x or 0, without a branch.
func maskIf(x float32, yes bool) float32 {
	var mask uint32
	if yes {
		mask = math.MaxUint32
	}
	return math.Float32frombits(math.Float32bits(x) & mask)
}

func scalarGo(o op, dst, x []float32, s float32) {
	switch o {
	case opAdd:
		for i, v := range x {
			dst[i] = v + s
		}
	case opSub:
		for i, v := range x {
			dst[i] = v - s
		}
	case opRSub:
		for i, v := range x {
			dst[i] = s - v
		}
	case opMul:
		for i, v := range x {
			dst[i] = v * s
		}
	case opDiv:
		for i, v := range x {
			dst[i] = v / s
		}
	case opRDiv:
		for i, v := range x {
			dst[i] = s / v
		}
	case opMax:
		for i, v := range x {
			if v < s {
				v = s
			}
			dst[i] = v
		}
	case opMin:
		for i, v := range x {
			if v > s {
				v = s
			}
			dst[i] = v
		}
	case opLeaky:
		for i, v := range x {
			if v < 0 {
				v *= s
			}
			dst[i] = v
		}
	}
}

func deinterleaveGo(dst, src []float32) {
	for i := range dst {
		dst[i] = src[2*i]
	}
}
