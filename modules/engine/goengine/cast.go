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
		return castTo(castLimits(s), func(*call) (onnxElem, error) { return to, nil }), nil
	}},
	"CastLike": {native: true, build: func(s *spec) (operation, error) {
		return castTo(castLimits(s), func(c *call) (onnxElem, error) {
			like, err := c.need(1)
			if err != nil {
				return 0, err
			}
			return like.dt, nil
		}), nil
	}},
	"BitCast": {native: true, build: buildBitCast},
}

// castLimits reads how to round to the types of eight bits and less.
func castLimits(s *spec) limits {
	return limits{saturate: s.int("saturate", 1) == 1, round: s.str("round_mode", "up")}
}

func castTo(l limits, to func(c *call) (onnxElem, error)) operation {
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
		return castWith(out, x, l)
	}
}

// buildBitCast gives the bits another type of the same size.
func buildBitCast(s *spec) (operation, error) {
	to := onnxfile.ElemType(s.int("to", 0))
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.dt == text || x.dt.Bits() != to.Bits() {
			return fmt.Errorf("%v and %v do not have the same number of bits", x.dt, to)
		}
		if to.Bits() < 8 { // the byte around them is sign or zero
			out, err := c.output(0, to, x.shape...)
			if err != nil {
				return err
			}
			mask := uint8(1)<<to.Bits() - 1
			dst, src := view[uint8](out), view[uint8](x)
			for i, v := range src {
				dst[i] = narrowInt(int64(v&mask), to)
			}
			return nil
		}
		c.alias(0, x, x.shape...).dt = to
		return nil
	}, nil
}

// narrowInt keeps the bits of v that the type has, sign or zeros above.
func narrowInt(v int64, dt onnxElem) uint8 {
	shift := 8 - dt.Bits()
	if dt == i4 || dt == i2 {
		return uint8(int8(v<<shift) >> shift)
	}
	return uint8(v<<shift) >> shift
}

// cast converts the elements of src to the type of dst. Floats are cut off
// towards zero on the way to integers.
func cast(dst, src *tensor) error {
	return castWith(dst, src, limits{saturate: true, round: "up"})
}

func castWith(dst, src *tensor, l limits) error {
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
		return castFromWith(dst, l, view[float32](src))
	case f64:
		return castFromWith(dst, l, view[float64](src))
	case i8, i4, i2:
		return castFromWith(dst, l, view[int8](src))
	case i16:
		return castFromWith(dst, l, view[int16](src))
	case i32:
		return castFromWith(dst, l, view[int32](src))
	case i64:
		return castFromWith(dst, l, view[int64](src))
	case u8, bool8, u4, u2:
		return castFromWith(dst, l, view[uint8](src))
	case u16:
		return castFromWith(dst, l, view[uint16](src))
	case u32:
		return castFromWith(dst, l, view[uint32](src))
	case u64:
		return castFromWith(dst, l, view[uint64](src))
	}
	if src.dt == f16 || src.dt == bf16 || minifloats[src.dt] != nil {
		return castFromWith(dst, l, view[float32](widen(src)))
	}
	return fmt.Errorf("cannot cast %v", src.dt)
}

func castFrom[S number](dst *tensor, src []S) error {
	return castFromWith(dst, limits{saturate: true, round: "up"}, src)
}

func castFromWith[S number](dst *tensor, l limits, src []S) error {
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
	case i4, u4, i2, u2:
		d := view[uint8](dst)
		for i, v := range src {
			d[i] = narrowInt(int64(v), dst.dt)
		}
	default:
		m := minifloats[dst.dt]
		if m == nil {
			return fmt.Errorf("cannot cast to %v", dst.dt)
		}
		d := view[uint8](dst)
		for i, v := range src {
			d[i] = m.encode(float32(v), l)
		}
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
			if minifloats[src.dt] != nil {
				dst[i] = floatText(src.at(i), 32)
				continue
			}
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
	switch dst.dt { // a float64 does not hold every integer
	case i64:
		return integersFromText(view[int64](dst), src, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case u64:
		return integersFromText(view[uint64](dst), src, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
	}
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

func integersFromText[T integer](dst []T, src []string, parse func(string) (T, error)) error {
	for i, s := range src {
		s = strings.TrimSpace(s)
		v, err := parse(s)
		if err != nil {
			f, bad := strconv.ParseFloat(s, 64)
			if bad != nil {
				return fmt.Errorf("cannot cast %q to an integer", s)
			}
			v = T(int64(f))
		}
		dst[i] = v
	}
	return nil
}
