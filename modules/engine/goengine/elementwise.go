package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// unary makes a builder of an element-wise function; fast is its float32
// form, slow is for float64 (and float32 if fast is nil).
func unary(fast func(dst, src []float32), slow func(float64) float64) builder {
	return func(s *spec) (operation, error) {
		act := s.fused
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			out, err := c.outputOver(0, 0, x.dt, x.shape...)
			if err != nil {
				return err
			}
			switch x.dt {
			case f32:
				dst, src := view[float32](out), view[float32](x)
				if fast != nil {
					chunks(c.threads, dst, src, fast)
				} else {
					for i, v := range src {
						dst[i] = float32(slow(float64(v)))
					}
				}
				act.apply(out, c.threads)
			case f64:
				dst := view[float64](out)
				for i, v := range view[float64](x) {
					dst[i] = slow(v)
				}
			default:
				return unaryInt(out, x, slow)
			}
			return nil
		}, nil
	}
}

// chunks applies f to long slices by several workers.
func chunks(threads int, dst, src []float32, f func(dst, src []float32)) {
	if threads <= 1 || len(src) < worthSplitting {
		f(dst, src)
		return
	}
	kernel.Parallel(threads, len(src), 4096, func(_, i, j int) { f(dst[i:j], src[i:j]) })
}

// unaryInt covers the functions that are defined for integers (Abs, Neg,
// Sign, Relu); their results are exact in int64.
func unaryInt(out, x *tensor, f func(float64) float64) error {
	switch x.dt {
	case i8:
		mapInt[int8](out, x, f)
	case i16:
		mapInt[int16](out, x, f)
	case i32:
		mapInt[int32](out, x, f)
	case i64:
		mapInt[int64](out, x, f)
	case u8:
		mapInt[uint8](out, x, f)
	case u16:
		mapInt[uint16](out, x, f)
	case u32:
		mapInt[uint32](out, x, f)
	case u64:
		mapInt[uint64](out, x, f)
	default:
		return fmt.Errorf("does not compute with %v", x.dt)
	}
	return nil
}

func mapInt[T integer](out, x *tensor, f func(float64) float64) {
	dst := view[T](out)
	for i, v := range view[T](x) {
		dst[i] = T(int64(f(float64(v))))
	}
}

// param makes a builder of an element-wise function of float32 or float64
// with attributes.
func param(f func(s *spec) func(float64) float64) builder {
	return func(s *spec) (operation, error) { return unary(nil, f(s))(s) }
}

// predicate makes a builder of an element-wise test.
func predicate(f func(s *spec) func(float64) bool) builder {
	return func(s *spec) (operation, error) {
		test := f(s)
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			out, err := c.output(0, bool8, x.shape...)
			if err != nil {
				return err
			}
			dst := view[uint8](out)
			for i := range dst {
				dst[i] = b2u(test(x.at(i)))
			}
			return nil
		}, nil
	}
}

func roundEven(x float64) float64 { return math.RoundToEven(x) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func softplus(x float64) float64 {
	if x > 30 {
		return x
	}
	return math.Log1p(math.Exp(x))
}

var elementwiseTable = map[string]operator{
	"Add": {build: binary(opAdd)}, "Sub": {build: binary(opSub)}, "Mul": {build: binary(opMul)},
	"Div": {build: binary(opDiv)}, "Pow": {build: binary(opPow)}, "PRelu": {build: binary(opPRelu)},
	"And": {build: binary(opAnd)}, "Or": {build: binary(opOr)}, "Xor": {build: binary(opXor)},
	"BitwiseAnd": {build: binary(opAnd)}, "BitwiseOr": {build: binary(opOr)}, "BitwiseXor": {build: binary(opXor)},
	"Mod": {build: func(s *spec) (operation, error) {
		if s.int("fmod", 0) == 1 {
			return binaryKernel(opFmod, s.fused), nil
		}
		return binaryKernel(opMod, s.fused), nil
	}},
	"BitShift": {build: func(s *spec) (operation, error) {
		if s.str("direction", "") == "LEFT" {
			return binaryKernel(opShiftLeft, s.fused), nil
		}
		return binaryKernel(opShiftRight, s.fused), nil
	}},
	"Max": {build: variadic(opMax, false)}, "Min": {build: variadic(opMin, false)},
	"Sum": {build: variadic(opAdd, false)}, "Mean": {build: variadic(opAdd, true)},
	"Equal": {build: compare(cmpEqual)}, "Less": {build: compare(cmpLess)}, "LessOrEqual": {build: compare(cmpLessEqual)},
	"Greater": {build: compare(cmpGreater)}, "GreaterOrEqual": {build: compare(cmpGreaterEqual)},

	"Relu":       {build: unary(kernel.ReLU, func(x float64) float64 { return max(x, 0) })},
	"Sigmoid":    {build: unary(kernel.Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })},
	"Tanh":       {build: unary(kernel.Tanh, math.Tanh)},
	"Exp":        {build: unary(kernel.Exp, math.Exp)},
	"Erf":        {build: unary(kernel.Erf, math.Erf)},
	"Sqrt":       {build: unary(kernel.Sqrt, math.Sqrt)},
	"Log":        {build: unary(nil, math.Log)},
	"Abs":        {build: unary(nil, math.Abs)},
	"Neg":        {build: unary(func(d, s []float32) { kernel.MulScalar(d, s, -1) }, func(x float64) float64 { return -x })},
	"Sign":       {build: unary(nil, sign)},
	"Floor":      {build: unary(nil, math.Floor)},
	"Ceil":       {build: unary(nil, math.Ceil)},
	"Round":      {build: unary(nil, roundEven)},
	"Reciprocal": {build: unary(func(d, s []float32) { kernel.DivByScalar(d, s, 1) }, func(x float64) float64 { return 1 / x })},
	"Sin":        {build: unary(nil, math.Sin)}, "Cos": {build: unary(nil, math.Cos)}, "Tan": {build: unary(nil, math.Tan)},
	"Asin": {build: unary(nil, math.Asin)}, "Acos": {build: unary(nil, math.Acos)}, "Atan": {build: unary(nil, math.Atan)},
	"Sinh": {build: unary(nil, math.Sinh)}, "Cosh": {build: unary(nil, math.Cosh)},
	"Asinh": {build: unary(nil, math.Asinh)}, "Acosh": {build: unary(nil, math.Acosh)}, "Atanh": {build: unary(nil, math.Atanh)},
	"Softplus":  {build: unary(nil, softplus)},
	"Softsign":  {build: unary(nil, func(x float64) float64 { return x / (1 + math.Abs(x)) })},
	"HardSwish": {build: unary(kernel.HardSwish, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) })},
	"Mish":      {build: unary(nil, func(x float64) float64 { return x * math.Tanh(softplus(x)) })},
	"LeakyRelu": {build: func(s *spec) (operation, error) {
		a := s.float("alpha", 0.01)
		return unary(func(d, x []float32) { kernel.LeakyReLU(d, x, a) }, func(x float64) float64 {
			if x < 0 {
				x *= float64(a)
			}
			return x
		})(s)
	}},
	"HardSigmoid": {build: func(s *spec) (operation, error) {
		a, b := s.float("alpha", 0.2), s.float("beta", 0.5)
		return unary(func(d, x []float32) { hardSigmoid(d, x, a, b) },
			func(x float64) float64 { return max(0, min(1, float64(a)*x+float64(b))) })(s)
	}},
	"Gelu": {build: func(s *spec) (operation, error) {
		if s.str("approximate", "none") == "tanh" {
			return unary(nil, geluTanh)(s)
		}
		return unary(kernel.GELU, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) })(s)
	}},
	"Elu": {build: param(func(s *spec) func(float64) float64 {
		a := float64(s.float("alpha", 1))
		return func(x float64) float64 {
			if x < 0 {
				return a * math.Expm1(x)
			}
			return x
		}
	})},
	"Celu": {build: param(func(s *spec) func(float64) float64 {
		a := float64(s.float("alpha", 1))
		return func(x float64) float64 { return max(0, x) + min(0, a*math.Expm1(x/a)) }
	})},
	"Selu": {build: param(func(s *spec) func(float64) float64 {
		a, g := float64(s.float("alpha", 1.6732632423543772)), float64(s.float("gamma", 1.0507009873554805))
		return func(x float64) float64 {
			if x <= 0 {
				return g * a * math.Expm1(x)
			}
			return g * x
		}
	})},
	"ThresholdedRelu": {build: param(func(s *spec) func(float64) float64 {
		a := float64(s.float("alpha", 1))
		return func(x float64) float64 {
			if x > a {
				return x
			}
			return 0
		}
	})},
	"Shrink": {build: param(func(s *spec) func(float64) float64 {
		bias, lambda := float64(s.float("bias", 0)), float64(s.float("lambd", 0.5))
		return func(x float64) float64 {
			switch {
			case x < -lambda:
				return x + bias
			case x > lambda:
				return x - bias
			}
			return 0
		}
	})},
	"IsNaN": {build: predicate(func(*spec) func(float64) bool { return math.IsNaN }), native: true},
	"IsInf": {build: predicate(func(s *spec) func(float64) bool {
		neg, pos := s.int("detect_negative", 1) == 1, s.int("detect_positive", 1) == 1
		return func(x float64) bool { return (neg && math.IsInf(x, -1)) || (pos && math.IsInf(x, 1)) }
	}), native: true},
	"Not":        {build: buildNot},
	"BitwiseNot": {build: buildBitwiseNot},
	"Clip":       {build: buildClip},
	"Where":      {build: buildWhere, native: true},
}

func geluTanh(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func hardSigmoid(dst, src []float32, a, b float32) {
	kernel.MulScalar(dst, src, a)
	kernel.AddScalar(dst[:len(src)], dst[:len(src)], b)
	kernel.MaxScalar(dst, dst[:len(src)], 0)
	kernel.MinScalar(dst, dst[:len(src)], 1)
}

func buildNot(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		out, err := c.outputOver(0, 0, bool8, x.shape...)
		if err != nil {
			return err
		}
		dst := view[uint8](out)
		for i, v := range view[uint8](x) {
			dst[i] = b2u(v == 0)
		}
		return nil
	}, nil
}

func buildBitwiseNot(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		dst := out.bytes()
		for i, v := range x.bytes() {
			dst[i] = ^v
		}
		return nil
	}, nil
}

// buildClip reads the bounds from attributes (before operator set 11) or
// inputs.
func buildClip(s *spec) (operation, error) {
	attrs := s.opset < 11
	lo, hi := s.float("min", float32(math.Inf(-1))), s.float("max", float32(math.Inf(1)))
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		out, err := c.outputOver(0, 0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		if x.dt == f32 {
			lo, hi := lo, hi
			if !attrs {
				if t := c.input(1); t != nil && t.n > 0 {
					lo = view[float32](t)[0]
				}
				if t := c.input(2); t != nil && t.n > 0 {
					hi = view[float32](t)[0]
				}
			}
			d := view[float32](out)
			kernel.MaxScalar(d, view[float32](x), lo)
			kernel.MinScalar(d, d, hi)
			return nil
		}
		cur := x
		if attrs {
			c1, c2 := newTensor(x.dt), newTensor(x.dt)
			if err := cast(c1, of(f32, []float32{lo})); err != nil {
				return err
			}
			if err := cast(c2, of(f32, []float32{hi})); err != nil {
				return err
			}
			if err := arith(opMax, out, cur, c1, 1); err != nil {
				return err
			}
			return arith(opMin, out, out, c2, 1)
		}
		if t := c.input(1); t != nil && t.n > 0 {
			if err := arith(opMax, out, cur, t, 1); err != nil {
				return err
			}
			cur = out
		}
		if t := c.input(2); t != nil && t.n > 0 {
			if err := arith(opMin, out, cur, t, 1); err != nil {
				return err
			}
			cur = out
		}
		if cur != out && out.ptr != x.ptr {
			copyElems(out, x)
		}
		return nil
	}, nil
}
