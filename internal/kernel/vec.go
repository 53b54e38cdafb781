package kernel

import "math"

// Dot returns Σ x[i]·y[i] over the shorter length.
func Dot(x, y []float32) float32 {
	n := min(len(x), len(y))
	if n == 0 {
		return 0
	}
	return dot(x[:n], y[:n])
}

// ShortDot is Σ a[i]·b[i] over the length of a, in four lanes of plain Go: for
// a few numbers a call of [Dot]'s kernel costs more than the sum. b may not be
// shorter.
func ShortDot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// Axpy adds s·x to y over the length of x; y may not be shorter.
func Axpy(s float32, x, y []float32) {
	if len(x) > 0 {
		axpy(s, x, y[:len(x)])
	}
}

// Mix is dst[i] = s·x[i] + t·y[i] over the length of x; dst may be x or y, and
// neither dst nor y may be shorter.
func Mix(dst []float32, s float32, x []float32, t float32, y []float32) {
	if len(x) > 0 {
		mix(dst[:len(x)], s, x, t, y[:len(x)])
	}
}

// Sum returns Σ x[i].
func Sum(x []float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return sum(x)
}

// Max returns the largest element of x, −Inf if there is none. Where x holds
// NaN the result is unspecified.
func Max(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	return maximum(x)
}

// The functions of one slice: dst[i] = f(src[i]) over the length of src; dst
// may be src and may not be shorter.

// Exp is e^x; it is 0 below −104 and +Inf above 88.73.
func Exp(dst, src []float32) { unary(fnExp, dst, src) }

// Sigmoid is the logistic function 1/(1+e^−x).
func Sigmoid(dst, src []float32) { unary(fnSigmoid, dst, src) }

// SiLU is x·Sigmoid(x), also called Swish.
func SiLU(dst, src []float32) { unary(fnSiLU, dst, src) }

// Tanh is the hyperbolic tangent.
func Tanh(dst, src []float32) { unary(fnTanh, dst, src) }

// Erf is the error function.
func Erf(dst, src []float32) { unary(fnErf, dst, src) }

// GELU is x/2·(1+Erf(x/√2)).
func GELU(dst, src []float32) { unary(fnGELU, dst, src) }

// Sqrt is the square root.
func Sqrt(dst, src []float32) { unary(fnSqrt, dst, src) }

// ReLU is max(x, 0); NaN stays NaN.
func ReLU(dst, src []float32) { unary(fnReLU, dst, src) }

// HardSwish is x·min(max(x/6+1/2, 0), 1).
func HardSwish(dst, src []float32) { unary(fnHardSwish, dst, src) }

// The functions of two slices: dst[i] = x[i] ∘ y[i] over the length of x; dst
// may be x or y, neither dst nor y may be shorter than x.

// Add is x + y.
func Add(dst, x, y []float32) { binary(opAdd, dst, x, y) }

// Sub is x − y.
func Sub(dst, x, y []float32) { binary(opSub, dst, x, y) }

// Mul is x · y.
func Mul(dst, x, y []float32) { binary(opMul, dst, x, y) }

// Div is x / y.
func Div(dst, x, y []float32) { binary(opDiv, dst, x, y) }

// Maximum is the larger of x and y, y where either is NaN.
func Maximum(dst, x, y []float32) { binary(opMax, dst, x, y) }

// Minimum is the smaller of x and y, y where either is NaN.
func Minimum(dst, x, y []float32) { binary(opMin, dst, x, y) }

// ReLUSlope is the gradient x before a [ReLU] whose value is y: x where y is
// positive, 0 elsewhere.
func ReLUSlope(dst, x, y []float32) { binary(opReLUSlope, dst, x, y) }

// HardSwishSlope is the gradient x before a [HardSwish] of y: x·(y/3+1/2) from
// −3 to 3, 0 below and x above.
func HardSwishSlope(dst, x, y []float32) { binary(opHardSwishSlope, dst, x, y) }

// InsideSlope is the gradient d before what is a line of slope s strictly
// between two bounds of v, and level elsewhere: dst[i] = s·d[i] where
// lo < v[i] < hi, else 0, over the length of d. dst may be d or v.
func InsideSlope(dst, d, v []float32, s, lo, hi float32) {
	if n := len(d); n > 0 {
		insideSlope(dst[:n], d, v[:n], s, lo, hi)
	}
}

// The functions of a slice and a number: dst[i] = x[i] ∘ s over the length of x.

// AddScalar is x + s.
func AddScalar(dst, x []float32, s float32) { scalar(opAdd, dst, x, s) }

// SubScalar is x − s.
func SubScalar(dst, x []float32, s float32) { scalar(opSub, dst, x, s) }

// SubFromScalar is s − x.
func SubFromScalar(dst, x []float32, s float32) { scalar(opRSub, dst, x, s) }

// MulScalar is x · s.
func MulScalar(dst, x []float32, s float32) { scalar(opMul, dst, x, s) }

// DivScalar is x / s.
func DivScalar(dst, x []float32, s float32) { scalar(opDiv, dst, x, s) }

// DivByScalar is s / x.
func DivByScalar(dst, x []float32, s float32) { scalar(opRDiv, dst, x, s) }

// MaxScalar is the larger of x and s; NaN in x stays NaN.
func MaxScalar(dst, x []float32, s float32) { scalar(opMax, dst, x, s) }

// MinScalar is the smaller of x and s; NaN in x stays NaN.
func MinScalar(dst, x []float32, s float32) { scalar(opMin, dst, x, s) }

// LeakyReLU is x where x is not negative and alpha·x elsewhere.
func LeakyReLU(dst, x []float32, alpha float32) { scalar(opLeaky, dst, x, alpha) }

// Deinterleave writes every second element of src, from the first on, to dst;
// src must hold 2·len(dst)−1 elements.
func Deinterleave(dst, src []float32) {
	if len(dst) == 0 {
		return
	}
	_ = src[2*len(dst)-2]
	deinterleave(dst, src)
}

// Softmax writes e^(x−max)/Σ to dst, which may be src. A slice of −Inf alone
// gives NaN, as the formula does.
func Softmax(dst, src []float32) {
	if len(src) == 0 {
		return
	}
	dst = dst[:len(src)]
	MulScalar(dst, dst, 1/expSum(dst, src, Max(src)))
}

// LogSumExp returns log Σ e^x[i]; scratch must be as long as x.
func LogSumExp(x, scratch []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	m := Max(x)
	if math.IsInf(float64(m), 0) {
		return m
	}
	SubScalar(scratch, x, m)
	Exp(scratch[:len(x)], scratch[:len(x)])
	return m + float32(math.Log(float64(Sum(scratch[:len(x)]))))
}

// RMSNorm writes x/√(mean(x²)+epsilon) to dst, which may be x, and returns the
// factor 1/√(mean(x²)+epsilon) (Zhang and Sennrich 2019).
func RMSNorm(dst, x []float32, epsilon float32) float32 {
	if len(x) == 0 {
		return 0
	}
	f := float32(1 / math.Sqrt(float64(Dot(x, x))/float64(len(x))+float64(epsilon)))
	MulScalar(dst, x, f)
	return f
}

type fn uint8

const (
	fnExp fn = iota
	fnSigmoid
	fnSiLU
	fnTanh
	fnErf
	fnGELU
	fnSqrt
	fnReLU
	fnHardSwish
)

type op uint8

const (
	opAdd op = iota
	opSub
	opMul
	opDiv
	opMax
	opMin
	opRSub
	opRDiv
	opLeaky
	opReLUSlope
	opHardSwishSlope
)
