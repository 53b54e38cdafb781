package goengine

import (
	"fmt"
	"math"
	"slices"

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
		if op == opPow && isInteger(a.dt) && !isInteger(b.dt) {
			return powOfInteger(c, a, b)
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

func isInteger(dt onnxElem) bool {
	switch dt {
	case i8, i16, i32, i64, u8, u16, u32, u64:
		return true
	}
	return false
}

// powOfInteger raises integers to powers that are none; what is left of the
// result is an integer.
func powOfInteger(c *call, a, b *tensor) error {
	out, err := c.broadcastOutput(0, a.dt, a, b)
	if err != nil || out.n == 0 {
		return err
	}
	x, y, z := newTensor(f64, a.shape...), newTensor(f64, b.shape...), newTensor(f64, out.shape...)
	for _, p := range [][2]*tensor{{x, a}, {y, b}} {
		if err := cast(p[0], p[1]); err != nil {
			return err
		}
	}
	if err := arith(opPow, z, x, y, 1); err != nil {
		return err
	}
	return cast(out, z)
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
	if slices.Equal(a.shape, b.shape) {
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
					}
					acc = out
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
