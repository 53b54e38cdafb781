package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

type float interface{ ~float32 | ~float64 }

type number interface{ integer | float }

// arithOp is a binary operator whose result has the operands' type.
type arithOp uint8

const (
	opAdd arithOp = iota
	opSub
	opMul
	opDiv
	opMax
	opMin
	opMod  // sign of the divisor
	opFmod // sign of the dividend
	opPow
	opPRelu
	opShiftLeft
	opShiftRight
	opAnd
	opOr
	opXor
)

// arithInner fills dst from runs of a and b with steps of 0 or 1.
func arithInner[T number](op arithOp, dst, a, b []T, sa, sb int) {
	switch op {
	case opAdd:
		for i := range dst {
			dst[i] = a[i*sa] + b[i*sb]
		}
	case opSub:
		for i := range dst {
			dst[i] = a[i*sa] - b[i*sb]
		}
	case opMul:
		for i := range dst {
			dst[i] = a[i*sa] * b[i*sb]
		}
	case opDiv:
		for i := range dst {
			dst[i] = a[i*sa] / b[i*sb]
		}
	case opMax:
		for i := range dst {
			dst[i] = max(a[i*sa], b[i*sb])
		}
	case opMin:
		for i := range dst {
			dst[i] = min(a[i*sa], b[i*sb])
		}
	case opFmod:
		for i := range dst {
			x, y := a[i*sa], b[i*sb]
			dst[i] = remainder(x, y)
		}
	case opMod:
		for i := range dst {
			x, y := a[i*sa], b[i*sb]
			r := remainder(x, y)
			if r != 0 && (r < 0) != (y < 0) {
				r += y
			}
			dst[i] = r
		}
	case opPow:
		for i := range dst {
			dst[i] = T(math.Pow(float64(a[i*sa]), float64(b[i*sb])))
		}
	case opPRelu:
		for i := range dst {
			x := a[i*sa]
			if x < 0 {
				x *= b[i*sb]
			}
			dst[i] = x
		}
	}
}

func remainder[T number](x, y T) T {
	switch any(x).(type) {
	case float32, float64:
		return T(math.Mod(float64(x), float64(y)))
	}
	return T(intRem(x, y))
}

// intRem is x % y for integers; generic constraints do not let a union with
// floats use %.
func intRem[T number](x, y T) T {
	if y == 0 {
		panic("division by zero")
	}
	q := x / y
	return x - q*y
}

func bitsInner[T integer](op arithOp, dst, a, b []T, sa, sb int) {
	switch op {
	case opShiftLeft:
		for i := range dst {
			dst[i] = a[i*sa] << uint64(b[i*sb])
		}
	case opShiftRight:
		for i := range dst {
			dst[i] = a[i*sa] >> uint64(b[i*sb])
		}
	case opAnd:
		for i := range dst {
			dst[i] = a[i*sa] & b[i*sb]
		}
	case opOr:
		for i := range dst {
			dst[i] = a[i*sa] | b[i*sb]
		}
	case opXor:
		for i := range dst {
			dst[i] = a[i*sa] ^ b[i*sb]
		}
	}
}

// arithF32 is arithInner with the vector kernels.
func arithF32(op arithOp, dst, a, b []float32, sa, sb int) {
	if len(dst) < 4 {
		arithInner(op, dst, a, b, sa, sb)
		return
	}
	switch {
	case sa == 1 && sb == 1:
		switch op {
		case opAdd:
			kernel.Add(dst, a[:len(dst)], b)
		case opSub:
			kernel.Sub(dst, a[:len(dst)], b)
		case opMul:
			kernel.Mul(dst, a[:len(dst)], b)
		case opDiv:
			kernel.Div(dst, a[:len(dst)], b)
		default:
			arithInner(op, dst, a, b, sa, sb)
		}
	case sa == 1 && sb == 0:
		x := a[:len(dst)]
		switch op {
		case opAdd:
			kernel.AddScalar(dst, x, b[0])
		case opSub:
			kernel.SubScalar(dst, x, b[0])
		case opMul:
			kernel.MulScalar(dst, x, b[0])
		case opDiv:
			kernel.DivScalar(dst, x, b[0])
		case opMax:
			kernel.MaxScalar(dst, x, b[0])
		case opMin:
			kernel.MinScalar(dst, x, b[0])
		case opPRelu:
			kernel.LeakyReLU(dst, x, b[0])
		case opPow:
			powScalar(dst, x, b[0])
		default:
			arithInner(op, dst, a, b, sa, sb)
		}
	case sa == 0 && sb == 1:
		y := b[:len(dst)]
		switch op {
		case opAdd:
			kernel.AddScalar(dst, y, a[0])
		case opSub:
			kernel.SubFromScalar(dst, y, a[0])
		case opMul:
			kernel.MulScalar(dst, y, a[0])
		case opDiv:
			kernel.DivByScalar(dst, y, a[0])
		default:
			arithInner(op, dst, a, b, sa, sb)
		}
	default:
		arithInner(op, dst, a, b, sa, sb)
	}
}

func powScalar(dst, x []float32, p float32) {
	switch p {
	case 2:
		kernel.Mul(dst, x, x)
	case 1:
		copy(dst, x)
	case 0.5:
		kernel.Sqrt(dst, x)
	case 3:
		for i, v := range x {
			dst[i] = v * v * v
		}
	default:
		for i, v := range x {
			dst[i] = float32(math.Pow(float64(v), float64(p)))
		}
	}
}

// arith computes out = a ∘ b over a broadcast walk.
func arith(op arithOp, out, a, b *tensor, threads int) error {
	if out.n == 0 {
		return nil
	}
	w := newWalk2(out.shape, a.shape, b.shape)
	switch out.dt {
	case f32:
		runArith(&w, threads, out, a, b, op, arithF32)
	case f64:
		runArith(&w, 1, out, a, b, op, arithInner[float64])
	case i8:
		runInt[int8](&w, out, a, b, op)
	case i16:
		runInt[int16](&w, out, a, b, op)
	case i32:
		runInt[int32](&w, out, a, b, op)
	case i64:
		runInt[int64](&w, out, a, b, op)
	case u8, bool8:
		runInt[uint8](&w, out, a, b, op)
	case u16:
		runInt[uint16](&w, out, a, b, op)
	case u32:
		runInt[uint32](&w, out, a, b, op)
	case u64:
		runInt[uint64](&w, out, a, b, op)
	default:
		return fmt.Errorf("does not compute with %v", out.dt)
	}
	return nil
}

func runInt[T integer](w *walk2, out, a, b *tensor, op arithOp) {
	if op >= opShiftLeft {
		runArith(w, 1, out, a, b, op, bitsInner[T])
		return
	}
	runArith(w, 1, out, a, b, op, arithInner[T])
}

// worthSplitting is the number of elements from which an element-wise kernel
// uses more than one worker.
const worthSplitting = 1 << 15

func runArith[T number](w *walk2, threads int, out, a, b *tensor, op arithOp, inner func(op arithOp, dst, a, b []T, sa, sb int)) {
	dst, x, y := view[T](out), view[T](a), view[T](b)
	if threads > 1 && w.rank == 0 && w.n >= worthSplitting {
		splitArith(w.n, w.sa, w.sb, threads, dst, x, y, op, inner)
		return
	}
	if w.rank == 0 {
		inner(op, dst[:w.n], x, y, w.sa, w.sb)
		return
	}
	w.each(func(o, ia, ib int) {
		inner(op, dst[o:o+w.n], x[ia:], y[ib:], w.sa, w.sb)
	})
}

func splitArith[T number](n, sa, sb, threads int, out, a, b []T, op arithOp, inner func(op arithOp, dst, a, b []T, sa, sb int)) {
	kernel.Parallel(threads, n, 4096, func(_, i, j int) {
		inner(op, out[i:j], a[i*sa:], b[i*sb:], sa, sb)
	})
}

// binary makes a builder of a broadcasting operator.
func binary(op arithOp) builder {
	return func(s *spec) (operation, error) {
		return binaryKernel(op, s.fused), nil
	}
}

func binaryKernel(op arithOp, act activation) operation {
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		if a.dt != b.dt {
			if b, err = powOperand(op, a, b); err != nil {
				return err
			}
		}
		out, err := c.broadcastOutput(0, a.dt, a, b)
		if err != nil {
			return err
		}
		if err := arith(op, out, a, b, c.threads); err != nil {
			return err
		}
		act.apply(out, c.threads)
		return nil
	}
}

// powOperand converts the exponent of Pow, which may be of another type.
func powOperand(op arithOp, a, b *tensor) (*tensor, error) {
	if op != opPow {
		return nil, fmt.Errorf("operands are %v and %v", a.dt, b.dt)
	}
	t := newTensor(a.dt, b.shape...)
	return t, cast(t, b)
}

// broadcastOutput makes output i of the operands' common shape, in the memory
// of one of them where possible.
func (c *call) broadcastOutput(i int, dt onnxElem, a, b *tensor) (*tensor, error) {
	if sameShape(a.shape, b.shape) {
		return c.outputOver(i, 0, dt, a.shape...)
	}
	var room [maxRank]int
	shape, err := broadcastShape(room[:0], a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	switch n := product(shape); {
	case a.n == n && a == c.in[0]:
		return c.outputOver(i, 0, dt, shape...)
	case b.n == n && len(c.in) > 1 && b == c.in[1]:
		return c.outputOver(i, 1, dt, shape...)
	}
	return c.output(i, dt, shape...)
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// variadic folds a broadcasting operator over any number of inputs; mean
// divides by their number.
func variadic(op arithOp, mean bool) builder {
	return func(s *spec) (operation, error) {
		return func(c *call) error {
			first, err := c.need(0)
			if err != nil {
				return err
			}
			var room [maxRank]int
			shape := append(room[:0], first.shape...)
			for _, t := range c.in[1:] {
				var next [maxRank]int
				if t.dt != first.dt {
					return fmt.Errorf("operands are %v and %v", first.dt, t.dt)
				}
				if shape, err = broadcastShape(next[:0], shape, t.shape); err != nil {
					return err
				}
			}
			var out *tensor
			if len(c.in) == 1 {
				out, err = c.output(0, first.dt, shape...)
				if err == nil {
					copyElems(out, first)
				}
			} else if len(c.in) == 2 {
				out, err = c.broadcastOutput(0, first.dt, first, c.in[1])
				if err == nil {
					err = arith(op, out, first, c.in[1], c.threads)
				}
			} else {
				out, err = c.output(0, first.dt, shape...)
				acc := first
				for _, t := range c.in[1:] {
					if err == nil {
						err = arith(op, out, acc, t, c.threads)
						acc = out
					}
					if err == nil && acc == out {
						continue
					}
				}
			}
			if err != nil || !mean {
				return err
			}
			count := of(f32, []float32{float32(len(c.in))})
			if out.dt == f64 {
				count = of(f64, []float64{float64(len(c.in))})
			}
			return arith(opDiv, out, out, count, c.threads)
		}, nil
	}
}

// compareOp is a binary operator with a boolean result.
type compareOp uint8

const (
	cmpEqual compareOp = iota
	cmpLess
	cmpLessEqual
	cmpGreater
	cmpGreaterEqual
)

func compareInner[T number | ~string](op compareOp, dst []uint8, a, b []T, sa, sb int) {
	for i := range dst {
		x, y := a[i*sa], b[i*sb]
		var r bool
		switch op {
		case cmpEqual:
			r = x == y
		case cmpLess:
			r = x < y
		case cmpLessEqual:
			r = x <= y
		case cmpGreater:
			r = x > y
		case cmpGreaterEqual:
			r = x >= y
		}
		dst[i] = b2u(r)
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func runCompare[T number | ~string](op compareOp, out, a, b *tensor) {
	w := newWalk2(out.shape, a.shape, b.shape)
	o, x, y := view[uint8](out), view[T](a), view[T](b)
	w.each(func(i, ia, ib int) {
		compareInner(op, o[i:i+w.n], x[ia:], y[ib:], w.sa, w.sb)
	})
}

func compare(op compareOp) builder {
	return func(*spec) (operation, error) {
		return func(c *call) error {
			a, b, err := c.pair()
			if err != nil {
				return err
			}
			if a.dt != b.dt {
				return fmt.Errorf("operands are %v and %v", a.dt, b.dt)
			}
			var room [maxRank]int
			shape, err := broadcastShape(room[:0], a.shape, b.shape)
			if err != nil {
				return err
			}
			out, err := c.output(0, bool8, shape...)
			if err != nil || out.n == 0 {
				return err
			}
			switch a.dt {
			case f32:
				runCompare[float32](op, out, a, b)
			case f64:
				runCompare[float64](op, out, a, b)
			case i8:
				runCompare[int8](op, out, a, b)
			case i16:
				runCompare[int16](op, out, a, b)
			case i32:
				runCompare[int32](op, out, a, b)
			case i64:
				runCompare[int64](op, out, a, b)
			case u8, bool8:
				runCompare[uint8](op, out, a, b)
			case u16:
				runCompare[uint16](op, out, a, b)
			case u32:
				runCompare[uint32](op, out, a, b)
			case u64:
				runCompare[uint64](op, out, a, b)
			case text:
				runCompare[string](op, out, a, b)
			default:
				return fmt.Errorf("does not compare %v", a.dt)
			}
			return nil
		}, nil
	}
}

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

func buildWhere(*spec) (operation, error) {
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		cond, a, b := c.in[0], c.in[1], c.in[2]
		if a.dt != b.dt {
			return fmt.Errorf("operands are %v and %v", a.dt, b.dt)
		}
		var room [maxRank]int
		shape, err := broadcastShape(room[:0], cond.shape, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, a.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		switch {
		case a.dt == text:
			where[string](out, cond, a, b)
		case elemSize(a.dt) == 1:
			where[uint8](out, cond, a, b)
		case elemSize(a.dt) == 2:
			where[uint16](out, cond, a, b)
		case elemSize(a.dt) == 4:
			where[uint32](out, cond, a, b)
		default:
			where[uint64](out, cond, a, b)
		}
		return nil
	}, nil
}

func where[T any](out, cond, a, b *tensor) {
	dst, cv, av, bv := view[T](out), view[uint8](cond), view[T](a), view[T](b)
	sc, sa, sb := broadcastStrides(out.shape, cond.shape), broadcastStrides(out.shape, a.shape), broadcastStrides(out.shape, b.shape)
	at := make([]int, len(out.shape))
	ic, ia, ib := 0, 0, 0
	for i := range dst {
		if cv[ic] != 0 {
			dst[i] = av[ia]
		} else {
			dst[i] = bv[ib]
		}
		for d := len(at) - 1; d >= 0; d-- {
			at[d]++
			ic, ia, ib = ic+sc[d], ia+sa[d], ib+sb[d]
			if at[d] < out.shape[d] {
				break
			}
			ic, ia, ib = ic-sc[d]*at[d], ia-sa[d]*at[d], ib-sb[d]*at[d]
			at[d] = 0
		}
	}
}
