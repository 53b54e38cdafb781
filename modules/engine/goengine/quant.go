package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules/onnxfile"
)

var quantTable = map[string]operator{
	"QuantizeLinear":        {native: true, build: buildQuantize},
	"DequantizeLinear":      {native: true, build: buildDequantize},
	"DynamicQuantizeLinear": {build: buildDynamicQuantize},
	"ConvInteger":           {build: buildConvInteger},
	"QLinearConv":           {build: buildQLinearConv},
}

// integers returns the elements of an 8-bit tensor, less the zero point
// (which may be absent, one for all, or one for each position of an axis).
func integers(x, zero *tensor, axis int) ([]int32, error) {
	vals := make([]int32, 0, x.n)
	switch x.dt {
	case u8:
		vals = appendAs[uint8](vals, x)
	case i8:
		vals = appendAs[int8](vals, x)
	case i32:
		vals = appendAs[int32](vals, x)
	default:
		return nil, fmt.Errorf("wants 8-bit integers, got %v", x.dt)
	}
	if zero == nil {
		return vals, nil
	}
	if zero.n == 1 {
		z := int32(zero.at(0))
		for i := range vals {
			vals[i] -= z
		}
		return vals, nil
	}
	_, n, inner := splitAt(x.shape, axis)
	if zero.n != n {
		return nil, fmt.Errorf("zero point %v does not fit %v", zero.shape, x.shape)
	}
	for i := range vals {
		vals[i] -= int32(zero.at(i / inner % n))
	}
	return vals, nil
}

func buildMatMulInteger(*spec) (operation, error) {
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		shape, m, k, n, err := matmulShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		x, err := integers(a, c.input(2), max(0, len(a.shape)-2))
		if err != nil {
			return err
		}
		y, err := integers(b, c.input(3), len(b.shape)-1)
		if err != nil {
			return err
		}
		out, err := c.output(0, i32, shape...)
		if err != nil {
			return err
		}
		naiveMatMul(view[int32](out), x, y, batchOffsets(out.shape, a.shape, b.shape, m, k, n), m, k, n)
		return nil
	}, nil
}

// quantize rounds v/scale + zero to an integer type, ties to even, cut off at
// its ends.
func quantize(v, scale float64, zero float64, dt onnxElem) int32 {
	lo, hi := integerRange(dt)
	return int32(max(lo, min(hi, math.RoundToEven(v/scale)+zero)))
}

// integerRange is the least and largest number of an integer type.
func integerRange(dt onnxElem) (lo, hi float64) {
	switch bits := dt.Bits(); dt {
	case i8, i16, i4, i2:
		return -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1) - 1
	default:
		return 0, math.Ldexp(1, bits) - 1
	}
}

// zeroType is the type a zero point asks for.
func zeroType(t *tensor, otherwise onnxElem) onnxElem {
	if t == nil {
		return otherwise
	}
	return t.dt
}

func zeroAt(t *tensor, i int) float64 {
	if t == nil {
		return 0
	}
	if t.n == 1 {
		i = 0
	}
	return t.at(i)
}

func buildQLinearMatMul(*spec) (operation, error) {
	return func(c *call) error {
		if err := c.first(8); err != nil {
			return err
		}
		a, b, ys, yz := c.in[0], c.in[3], c.in[6], c.in[7]
		shape, m, k, n, err := matmulShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		x, err := integers(a, c.in[2], max(0, len(a.shape)-2))
		if err != nil {
			return err
		}
		y, err := integers(b, c.in[5], len(b.shape)-1)
		if err != nil {
			return err
		}
		out, err := c.output(0, yz.dt, shape...)
		if err != nil {
			return err
		}
		sums := make([]int32, out.n)
		naiveMatMul(sums, x, y, batchOffsets(out.shape, a.shape, b.shape, m, k, n), m, k, n)
		for i := range sums {
			sb := c.in[4].at(0)
			if c.in[4].n == n {
				sb = c.in[4].at(i % n)
			}
			sa := c.in[1].at(0)
			if c.in[1].n == m && m > 1 {
				sa = c.in[1].at(i / n % m)
			}
			sums[i] = quantize(float64(sums[i])*sa*sb, ys.at(0), yz.at(0), yz.dt)
		}
		return castFrom(out, sums)
	}, nil
}

// scaleIndex finds for an element of x the element of the scales that it is
// quantised with: one for all, one for each position of an axis, or, where
// block is not 0, one for as many positions of the axis.
func scaleIndex(x, scale *tensor, axis, block int) (func(i int) int, error) {
	if scale.n == 1 {
		return func(int) int { return 0 }, nil
	}
	a, err := axisOf(axis, len(x.shape))
	if err != nil {
		return nil, err
	}
	_, size, inner := splitAt(x.shape, a)
	if block == 0 {
		if size != scale.n {
			return nil, fmt.Errorf("scales %v do not fit axis %d of %v", scale.shape, a, x.shape)
		}
		return func(i int) int { return i / inner % size }, nil
	}
	want := slices.Clone(x.shape)
	if block > 0 {
		want[a] = (size + block - 1) / block
	}
	if block < 0 || !slices.Equal(want, scale.shape) {
		return nil, fmt.Errorf("scales %v do not fit blocks of %d along axis %d of %v", scale.shape, block, a, x.shape)
	}
	blocks := want[a]
	return func(i int) int {
		return (i/(inner*size)*blocks+i/inner%size/block)*inner + i%inner
	}, nil
}

// roundTo rounds a float32 to what a floating-point type can hold.
func roundTo(v float32, dt onnxElem) float32 {
	switch dt {
	case f16:
		return half.From(half.To(v))
	case bf16:
		return fromBF16(toBF16(v))
	}
	return v
}

func buildQuantize(s *spec) (operation, error) {
	axis, block, dt := s.int("axis", 1), s.int("block_size", 0), onnxfile.ElemType(s.int("output_dtype", 0))
	l, precision := castLimits(s), onnxfile.ElemType(s.int("precision", 0))
	if dt == 0 {
		dt = u8
	}
	return func(c *call) error {
		x, scale, err := c.pair()
		if err != nil {
			return err
		}
		zero := c.input(2)
		at, err := scaleIndex(x, scale, axis, block)
		if err != nil {
			return err
		}
		to, division := zeroType(zero, dt), precision
		if division == 0 {
			division = scale.dt
		}
		out, err := c.output(0, to, x.shape...)
		if err != nil {
			return err
		}
		// the quotient is rounded to the type of the division
		quotient := func(i, k int) float32 { return roundTo(float32(x.at(i))/float32(scale.at(k)), division) }
		if m := minifloats[to]; m != nil {
			dst := view[uint8](out)
			for i := range dst {
				dst[i] = m.encode(quotient(i, at(i)), l)
			}
			return nil
		}
		vals := make([]int32, x.n)
		for i := range vals {
			k := at(i)
			vals[i] = quantize(float64(quotient(i, k)), 1, zeroAt(zero, k), to)
		}
		return castFrom(out, vals)
	}, nil
}

func buildDequantize(s *spec) (operation, error) {
	axis, block, to := s.int("axis", 1), s.int("block_size", 0), onnxfile.ElemType(s.int("output_dtype", 0))
	return func(c *call) error {
		x, scale, err := c.pair()
		if err != nil {
			return err
		}
		zero := c.input(2)
		at, err := scaleIndex(x, scale, axis, block)
		if err != nil {
			return err
		}
		dt := to
		if dt == 0 {
			dt = scale.dt
		}
		out, err := c.output(0, dt, x.shape...)
		if err != nil {
			return err
		}
		vals := view[float32](out)
		if dt != f32 {
			vals = make([]float32, x.n)
		}
		for i := range vals {
			k := at(i)
			vals[i] = float32(x.at(i)-zeroAt(zero, k)) * float32(scale.at(k))
		}
		if dt == f32 {
			return nil
		}
		return castFrom(out, vals)
	}, nil
}

func buildDynamicQuantize(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		src := view[float32](x)
		lo, hi := float32(0), float32(0)
		for _, v := range src {
			lo, hi = min(lo, v), max(hi, v)
		}
		scale := (hi - lo) / 255
		if scale == 0 {
			scale = 1
		}
		zero := max(0, min(255, math.RoundToEven(float64(-lo/scale))))
		out, err := c.output(0, u8, x.shape...)
		if err != nil {
			return err
		}
		ts, err := c.output(1, f32)
		if err != nil {
			return err
		}
		tz, err := c.output(2, u8)
		if err != nil {
			return err
		}
		view[float32](ts)[0], view[uint8](tz)[0] = scale, uint8(zero)
		dst := view[uint8](out)
		for i, v := range src {
			dst[i] = uint8(max(0, min(255, math.RoundToEven(float64(v/scale))+zero)))
		}
		return nil
	}, nil
}

// integerConv convolves integers, which zero padding leaves at their zero
// point.
func integerConv(w *window, groups int, x, y []int32, xs, ws []int) ([]int32, []int, error) {
	if len(xs) < 3 || len(ws) != len(xs) || groups < 1 || xs[1] != ws[1]*groups || ws[0]%groups != 0 {
		return nil, nil, fmt.Errorf("input %v and weights %v do not fit", xs, ws)
	}
	g, err := w.resolve(xs[2:], ws[2:])
	if err != nil {
		return nil, nil, err
	}
	batch, ic, oc := xs[0], xs[1], ws[0]
	out := make([]int32, batch*oc*product(g.out))
	convolve(out, x, y, g, batch, ic, oc, groups)
	return out, append([]int{batch, oc}, g.out...), nil
}

func buildConvInteger(s *spec) (operation, error) {
	w, groups := newWindow(s), s.int("group", 1)
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		x, err := integers(a, c.input(2), 1)
		if err != nil {
			return err
		}
		y, err := integers(b, c.input(3), 0)
		if err != nil {
			return err
		}
		sums, shape, err := integerConv(&w, groups, x, y, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, i32, shape...)
		if err != nil {
			return err
		}
		copy(view[int32](out), sums)
		return nil
	}, nil
}

func buildQLinearConv(s *spec) (operation, error) {
	w, groups := newWindow(s), s.int("group", 1)
	return func(c *call) error {
		if err := c.first(8); err != nil {
			return err
		}
		a, b, ys, yz, bias := c.in[0], c.in[3], c.in[6], c.in[7], c.input(8)
		x, err := integers(a, c.in[2], 1)
		if err != nil {
			return err
		}
		y, err := integers(b, c.in[5], 0)
		if err != nil {
			return err
		}
		sums, shape, err := integerConv(&w, groups, x, y, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, yz.dt, shape...)
		if err != nil {
			return err
		}
		oc, inner := shape[1], product(shape[2:])
		if bias != nil && bias.n != oc {
			return fmt.Errorf("bias %v does not fit %d channels", bias.shape, oc)
		}
		for i, v := range sums {
			o := i / inner % oc
			if bias != nil {
				v += int32(bias.at(o))
			}
			ws := c.in[4].at(0)
			if c.in[4].n == oc {
				ws = c.in[4].at(o)
			}
			sums[i] = quantize(float64(v)*c.in[1].at(0)*ws, ys.at(0), yz.at(0), yz.dt)
		}
		return castFrom(out, sums)
	}, nil
}
