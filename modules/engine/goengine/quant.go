package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/internal/kernel"
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

// scaleRuns is the number of runs of neighbours that share a scale: a multiple
// of the scales, which follow each other; 0 where runs are too short to be
// worth it.
func scaleRuns(x, scale *tensor, axis, block int) int {
	if x.n == 0 {
		return 0
	}
	if scale.n == 1 {
		return 1
	}
	a, err := axisOf(axis, len(x.shape))
	if err != nil || block != 0 {
		return 0
	}
	outer, size, inner := splitAt(x.shape, a)
	if size != scale.n || inner < 8 {
		return 0
	}
	return outer * size
}

// bytesOf is how bytes of a type are made with scale i.
func bytesOf(scale, zero *tensor, i int, dt onnxElem) kernel.Bytes {
	return kernel.Bytes{Scale: view[float32](scale)[i], Zero: int32(zeroAt(zero, i)), Signed: dt == i8}
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
		if (to == u8 || to == i8) && x.dt == f32 && scale.dt == f32 && division == f32 && (zero == nil || zero.n == scale.n) {
			if runs := scaleRuns(x, scale, axis, block); runs > 0 {
				dst, src, inner := out.bytes(), view[float32](x), max(x.n/runs, 1)
				for r := range runs {
					b := bytesOf(scale, zero, r%scale.n, to)
					b.Quantize(dst[r*inner:(r+1)*inner], src[r*inner:(r+1)*inner])
				}
				return nil
			}
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
		if (x.dt == u8 || x.dt == i8) && scale.dt == f32 && dt == f32 && (zero == nil || zero.n == scale.n) {
			if runs := scaleRuns(x, scale, axis, block); runs > 0 {
				dst, src, inner := view[float32](out), x.bytes(), max(x.n/runs, 1)
				for r := range runs {
					b := bytesOf(scale, zero, r%scale.n, x.dt)
					b.Dequantize(dst[r*inner:(r+1)*inner], src[r*inner:(r+1)*inner])
				}
				return nil
			}
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
		lo, hi := min(0, kernel.Min(src)), max(0, kernel.Max(src))
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
		b := kernel.Bytes{Scale: scale, Zero: int32(zero)}
		b.Quantize(view[uint8](out), src)
		return nil
	}, nil
}
