package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// reduceOp is a reduction over axes.
type reduceOp uint8

const (
	redSum reduceOp = iota
	redMean
	redMax
	redMin
	redProd
	redL1
	redL2
	redSumSquare
	redLogSum
	redLogSumExp
)

var reduceTable = map[string]operator{
	"ReduceSum": {build: reduction(redSum, 13)}, "ReduceMean": {build: reduction(redMean, 18)},
	"ReduceMax": {build: reduction(redMax, 18)}, "ReduceMin": {build: reduction(redMin, 18)},
	"ReduceProd": {build: reduction(redProd, 18)}, "ReduceL1": {build: reduction(redL1, 18)},
	"ReduceL2": {build: reduction(redL2, 18)}, "ReduceSumSquare": {build: reduction(redSumSquare, 18)},
	"ReduceLogSum": {build: reduction(redLogSum, 18)}, "ReduceLogSumExp": {build: reduction(redLogSumExp, 18)},
	"ArgMax": {build: argReduction(true)}, "ArgMin": {build: argReduction(false)},
	"CumSum": {build: cumulative(false)}, "CumProd": {build: cumulative(true)},
}

// reduction makes a builder; from operator set axesInput on the axes are an
// input.
func reduction(op reduceOp, axesInput int64) builder {
	return func(s *spec) (operation, error) {
		attr, keep, noop := s.ints("axes"), s.int("keepdims", 1) == 1, s.int("noop_with_empty_axes", 0) == 1
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			axes, err := axesOf(c, 1, attr)
			if err != nil {
				return err
			}
			if len(axes) == 0 && noop {
				c.alias(0, x, x.shape...)
				return nil
			}
			return reduce(c, op, x, axes, keep)
		}, nil
	}
}

// reduce arranges x as [outer, n, inner] and folds the middle.
func reduce(c *call, op reduceOp, x *tensor, axes []int, keep bool) error {
	rank := len(x.shape)
	if rank > maxRank {
		return fmt.Errorf("too many dimensions")
	}
	var gone [maxRank]bool
	for _, a := range axes {
		a, err := axisOf(a, rank)
		if err != nil {
			return err
		}
		gone[a] = true
	}
	var room [maxRank]int
	shape := room[:0]
	first, last, contiguous := -1, -1, true
	for i, d := range x.shape {
		if len(axes) == 0 {
			gone[i] = true
		}
		switch {
		case !gone[i]:
			shape = append(shape, d)
			continue
		case keep:
			shape = append(shape, 1)
		}
		if first < 0 {
			first = i
		}
		if last >= 0 && last != i-1 && product(x.shape[last+1:i]) != 1 {
			contiguous = false
		}
		last = i
	}
	out, err := c.output(0, x.dt, shape...)
	if err != nil {
		return err
	}
	outer, n, inner := 1, 1, 1
	switch {
	case first < 0:
		outer = x.n
	case contiguous:
		outer, n, inner = product(x.shape[:first]), product(x.shape[first:last+1]), product(x.shape[last+1:])
	default: // bring the reduced dimensions to the end
		var dims, strides []int
		st := stridesOf(x.shape)
		for pass := range 2 {
			for i, d := range x.shape {
				if gone[i] == (pass == 1) {
					dims, strides = append(dims, d), append(strides, st[i])
				}
			}
		}
		moved := newTensor(x.dt, dims...)
		copyStrided(moved, 0, x, 0, dims, strides)
		outer, n = out.n, x.n/max(out.n, 1)
		x = moved
	}
	if n == 0 && (op == redMax || op == redMin) {
		v, err := extreme(x.dt, op == redMin)
		if err == nil {
			fillWith(out, v)
		}
		return err
	}
	switch x.dt {
	case f32:
		reduceF32(c, op, view[float32](out), view[float32](x), outer, n, inner)
	case f64:
		reduceFloat(op, view[float64](out), view[float64](x), outer, n, inner)
	case i8:
		reduceFloat(op, view[int8](out), view[int8](x), outer, n, inner)
	case i16:
		reduceFloat(op, view[int16](out), view[int16](x), outer, n, inner)
	case u16:
		reduceFloat(op, view[uint16](out), view[uint16](x), outer, n, inner)
	case i32:
		reduceFloat(op, view[int32](out), view[int32](x), outer, n, inner)
	case i64:
		reduceFloat(op, view[int64](out), view[int64](x), outer, n, inner)
	case u8, bool8:
		reduceFloat(op, view[uint8](out), view[uint8](x), outer, n, inner)
	case u32:
		reduceFloat(op, view[uint32](out), view[uint32](x), outer, n, inner)
	case u64:
		reduceFloat(op, view[uint64](out), view[uint64](x), outer, n, inner)
	default:
		return fmt.Errorf("does not reduce %v", x.dt)
	}
	return nil
}

func reduceF32(c *call, op reduceOp, out, x []float32, outer, n, inner int) {
	switch {
	case n == 0 || (op != redSum && op != redMean && op != redMax && op != redL2 && op != redSumSquare):
		reduceFloat(op, out, x, outer, n, inner)
		return
	case inner == 1:
		for o := range out {
			row := x[o*n : (o+1)*n]
			switch op {
			case redSum:
				out[o] = kernel.Sum(row)
			case redMean:
				out[o] = kernel.Sum(row) / float32(n)
			case redMax:
				out[o] = kernel.Max(row)
			case redSumSquare:
				out[o] = kernel.Dot(row, row)
			case redL2:
				out[o] = float32(math.Sqrt(float64(kernel.Dot(row, row))))
			}
		}
		return
	}
	sq := c.floats(inner)
	for o := range outer {
		acc := out[o*inner : (o+1)*inner]
		block := x[o*n*inner:]
		switch op {
		case redSum, redMean:
			copy(acc, block)
			for i := 1; i < n; i++ {
				kernel.Add(acc, acc, block[i*inner:])
			}
			if op == redMean {
				kernel.DivScalar(acc, acc, float32(n))
			}
		case redMax:
			copy(acc, block)
			for i := 1; i < n; i++ {
				kernel.Maximum(acc, acc, block[i*inner:])
			}
		default:
			clear(acc)
			for i := range n {
				row := block[i*inner : (i+1)*inner]
				kernel.Mul(sq, row, row)
				kernel.Add(acc, acc, sq)
			}
			if op == redL2 {
				kernel.Sqrt(acc, acc)
			}
		}
	}
}

func reduceFloat[T number](op reduceOp, out, x []T, outer, n, inner int) {
	for o := range outer {
		for i := range inner {
			at := o*n*inner + i
			out[o*inner+i] = fold(op, x, at, n, inner)
		}
	}
}

// fold reduces n elements from position at on, step apart.
func fold[T number](op reduceOp, x []T, at, n, step int) T {
	switch op {
	case redMax, redMin:
		m := x[at]
		for k := 1; k < n; k++ {
			if v := x[at+k*step]; op == redMax {
				m = max(m, v)
			} else {
				m = min(m, v)
			}
		}
		return m
	case redProd:
		p := T(1)
		for k := range n {
			p *= x[at+k*step]
		}
		return p
	case redSum, redMean:
		var s T
		for k := range n {
			s += x[at+k*step]
		}
		if op == redMean {
			s /= T(n)
		}
		return s
	}
	var s float64
	switch op {
	case redL1:
		for k := range n {
			s += math.Abs(float64(x[at+k*step]))
		}
	case redL2, redSumSquare:
		for k := range n {
			v := float64(x[at+k*step])
			s += v * v
		}
		if op == redL2 {
			s = math.Sqrt(s)
		}
	case redLogSum:
		for k := range n {
			s += float64(x[at+k*step])
		}
		s = math.Log(s)
	case redLogSumExp:
		m := math.Inf(-1)
		for k := range n {
			m = max(m, float64(x[at+k*step]))
		}
		if math.IsInf(m, 0) {
			return T(m)
		}
		for k := range n {
			s += math.Exp(float64(x[at+k*step]) - m)
		}
		s = math.Log(s) + m
	}
	return T(s)
}

// extreme is the largest or the least element of a type: the minimum or
// maximum of nothing.
func extreme(dt onnxElem, largest bool) (*tensor, error) {
	t := newTensor(dt, 1)
	bits := dt.Bits()
	switch dt {
	case f32, f64, f16, bf16:
		sign := -1
		if largest {
			sign = 1
		}
		return t, castFrom(t, []float64{math.Inf(sign)})
	case i8, i16, i32, i64:
		v := int64(-1) << (bits - 1)
		if largest {
			v = ^v
		}
		return t, castFrom(t, []int64{v})
	case bool8:
		bits = 1
	}
	if !largest {
		bits = 0
	}
	return t, castFrom(t, []uint64{1<<bits - 1})
}

func argReduction(largest bool) builder {
	return func(s *spec) (operation, error) {
		axis, keep, last := s.int("axis", 0), s.int("keepdims", 1) == 1, s.int("select_last_index", 0) == 1
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			a, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			shape := append([]int{}, x.shape[:a]...)
			if keep {
				shape = append(shape, 1)
			}
			shape = append(shape, x.shape[a+1:]...)
			out, err := c.output(0, i64, shape...)
			if err != nil {
				return err
			}
			outer, n, inner := splitAt(x.shape, a)
			if n == 0 && out.n > 0 {
				return fmt.Errorf("the largest of nothing")
			}
			dst := view[int64](out)
			switch x.dt {
			case f32:
				argmax(dst, view[float32](x), outer, n, inner, largest, last)
			case f64:
				argmax(dst, view[float64](x), outer, n, inner, largest, last)
			case i8:
				argmax(dst, view[int8](x), outer, n, inner, largest, last)
			case i32:
				argmax(dst, view[int32](x), outer, n, inner, largest, last)
			case i64:
				argmax(dst, view[int64](x), outer, n, inner, largest, last)
			case u8:
				argmax(dst, view[uint8](x), outer, n, inner, largest, last)
			default:
				return fmt.Errorf("does not compare %v", x.dt)
			}
			return nil
		}, nil
	}
}

func argmax[T number](dst []int64, x []T, outer, n, inner int, largest, last bool) {
	for o := range outer {
		for i := range inner {
			best := 0
			m := x[o*n*inner+i]
			for k := 1; k < n; k++ {
				v := x[(o*n+k)*inner+i]
				if (largest && v > m) || (!largest && v < m) || (last && v == m) {
					best, m = k, v
				}
			}
			dst[o*inner+i] = int64(best)
		}
	}
}

// cumulative makes the builder of running sums or products.
func cumulative(product bool) builder {
	return func(s *spec) (operation, error) {
		exclusive, reverse := s.int("exclusive", 0) == 1, s.int("reverse", 0) == 1
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			axes, err := c.intsOf(1)
			if err != nil || len(axes) != 1 {
				return fmt.Errorf("axis is no single integer")
			}
			a, err := axisOf(axes[0], len(x.shape))
			if err != nil {
				return err
			}
			out, err := c.output(0, x.dt, x.shape...)
			if err != nil {
				return err
			}
			r := running{exclusive: exclusive, reverse: reverse, product: product}
			r.outer, r.n, r.inner = splitAt(x.shape, a)
			switch x.dt {
			case f32:
				runningFold(r, view[float32](out), view[float32](x))
			case f64:
				runningFold(r, view[float64](out), view[float64](x))
			case i32:
				runningFold(r, view[int32](out), view[int32](x))
			case i64:
				runningFold(r, view[int64](out), view[int64](x))
			case u32:
				runningFold(r, view[uint32](out), view[uint32](x))
			case u64:
				runningFold(r, view[uint64](out), view[uint64](x))
			default:
				return fmt.Errorf("does not add or multiply %v", x.dt)
			}
			return nil
		}, nil
	}
}

// running says how to fold along an axis, keeping every step.
type running struct {
	outer, n, inner             int
	exclusive, reverse, product bool
}

func runningFold[T number](r running, dst, x []T) {
	for o := range r.outer {
		for i := range r.inner {
			var s T
			if r.product {
				s = 1
			}
			for k := range r.n {
				at := k
				if r.reverse {
					at = r.n - 1 - k
				}
				at = (o*r.n+at)*r.inner + i
				v, before := x[at], s
				if r.product {
					s *= v
				} else {
					s += v
				}
				dst[at] = s
				if r.exclusive {
					dst[at] = before
				}
			}
		}
	}
}
