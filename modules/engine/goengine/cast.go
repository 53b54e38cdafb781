package goengine

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules/onnxfile"
)

var castTable = map[string]operator{
	"Cast": {native: true, build: func(s *spec) (operation, error) {
		to := onnxfile.ElemType(s.int("to", 0))
		if elemSize(to) == 0 {
			return nil, fmt.Errorf("cannot cast to %v", to)
		}
		return castTo(func(*call) (onnxElem, error) { return to, nil }), nil
	}},
	"CastLike": {native: true, build: func(*spec) (operation, error) {
		return castTo(func(c *call) (onnxElem, error) {
			like, err := c.need(1)
			if err != nil {
				return 0, err
			}
			return like.dt, nil
		}), nil
	}},
}

func castTo(to func(c *call) (onnxElem, error)) operation {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		dt, err := to(c)
		if err != nil {
			return err
		}
		if dt == x.dt {
			c.alias(0, x, x.shape...)
			return nil
		}
		out, err := c.output(0, dt, x.shape...)
		if err != nil {
			return err
		}
		return cast(out, x)
	}
}

// cast converts the elements of src to the type of dst. Floats are cut off
// towards zero on the way to integers.
func cast(dst, src *tensor) error {
	switch {
	case dst.dt == src.dt:
		copyElems(dst, src)
		return nil
	case dst.dt == text:
		return toText(view[string](dst), src)
	case src.dt == text:
		return fromText(dst, view[string](src))
	}
	switch src.dt {
	case f32:
		return castFrom(dst, view[float32](src))
	case f64:
		return castFrom(dst, view[float64](src))
	case i8:
		return castFrom(dst, view[int8](src))
	case i16:
		return castFrom(dst, view[int16](src))
	case i32:
		return castFrom(dst, view[int32](src))
	case i64:
		return castFrom(dst, view[int64](src))
	case u8, bool8:
		return castFrom(dst, view[uint8](src))
	case u16:
		return castFrom(dst, view[uint16](src))
	case u32:
		return castFrom(dst, view[uint32](src))
	case u64:
		return castFrom(dst, view[uint64](src))
	case f16, bf16:
		return castFrom(dst, view[float32](widen(src)))
	}
	return fmt.Errorf("cannot cast %v", src.dt)
}

func castFrom[S number](dst *tensor, src []S) error {
	switch dst.dt {
	case f32:
		convert[float32](dst, src)
	case f64:
		convert[float64](dst, src)
	case i8:
		convertInt[int8](dst, src)
	case i16:
		convertInt[int16](dst, src)
	case i32:
		convertInt[int32](dst, src)
	case i64:
		convertInt[int64](dst, src)
	case u8:
		convertInt[uint8](dst, src)
	case u16:
		convertInt[uint16](dst, src)
	case u32:
		convertInt[uint32](dst, src)
	case u64:
		convert[uint64](dst, src)
	case bool8:
		d := view[uint8](dst)
		for i, v := range src {
			d[i] = b2u(v != 0)
		}
	case f16:
		d := view[uint16](dst)
		for i, v := range src {
			d[i] = half.To(float32(v))
		}
	case bf16:
		d := view[uint16](dst)
		for i, v := range src {
			d[i] = toBF16(float32(v))
		}
	default:
		return fmt.Errorf("cannot cast to %v", dst.dt)
	}
	return nil
}

func convert[D, S number](dst *tensor, src []S) {
	d := view[D](dst)
	for i, v := range src {
		d[i] = D(v)
	}
}

// convertInt goes through int64, so that out-of-range numbers wrap alike on
// every machine.
func convertInt[D integer, S number](dst *tensor, src []S) {
	d := view[D](dst)
	for i, v := range src {
		d[i] = D(int64(v))
	}
}

func toText(dst []string, src *tensor) error {
	for i := range dst {
		switch src.dt {
		case f32, f16, bf16:
			dst[i] = floatText(src.at(i), 32)
		case f64:
			dst[i] = floatText(src.at(i), 64)
		case u64:
			dst[i] = strconv.FormatUint(view[uint64](src)[i], 10)
		case i64:
			dst[i] = strconv.FormatInt(view[int64](src)[i], 10)
		case bool8:
			dst[i] = strconv.FormatBool(view[uint8](src)[i] != 0)
		default:
			dst[i] = strconv.FormatInt(int64(src.at(i)), 10)
		}
	}
	return nil
}

// floatText prints as numpy does.
func floatText(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(v, 'e', -1, bits)
	}
	s := strconv.FormatFloat(v, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func fromText(dst *tensor, src []string) error {
	vals := make([]float64, len(src))
	for i, s := range src {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return fmt.Errorf("cannot cast %q to %v", s, dst.dt)
		}
		vals[i] = v
	}
	return castFrom(dst, vals)
}
