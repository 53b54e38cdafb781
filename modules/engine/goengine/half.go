package goengine

import "math"

// fromHalf converts an IEEE 754 binary16 number.
func fromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h >> 10 & 0x1f)
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac · 2⁻²⁴
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// toHalf rounds to the nearest binary16 number, ties to even.
func toHalf(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case b >= 0x38800000: // normal
		b += 0xfff + (b >> 13 & 1)
		return sign | uint16(b>>13-112<<10)
	case b < 0x33000000: // below half the least subnormal
		return sign
	}
	shift := 126 - b>>23 // 14 … 24
	m := b&0x7fffff | 0x800000
	q := m >> shift
	rest, half := m&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > half || (rest == half && q&1 == 1) {
		q++
	}
	return sign | uint16(q)
}

// toBF16 rounds to the nearest bfloat16 number, ties to even.
func toBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b >> 16 & 1)) >> 16)
}

func fromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// viaFloat32 lets a kernel written for float32 take 16-bit floats: operands
// are widened, float32 results narrowed.
func viaFloat32(k operation) operation {
	return func(c *call) error {
		var dt = f32
		for _, t := range c.in {
			if t != nil && (t.dt == f16 || t.dt == bf16) {
				dt = t.dt
			}
		}
		if dt == f32 {
			return k(c)
		}
		wide := make([]*tensor, len(c.in))
		for i, t := range c.in {
			wide[i] = t
			switch {
			case t == nil || t.dt != f16 && t.dt != bf16:
			case c.frame.dry && t.ptr == nil:
				wide[i] = &tensor{dt: f32, shape: t.shape, n: t.n}
			default:
				wide[i] = widen(t)
			}
		}
		in := c.in
		c.in = wide
		err := k(c)
		c.in = in
		if c.frame.dry {
			for _, o := range c.out {
				if o != nil && o.dt == f32 && o.kind == 0 {
					o.dt = dt
				}
			}
			return err
		}
		if err != nil {
			return err
		}
		for _, o := range c.out {
			if o != nil && o.dt == f32 && o.kind == 0 {
				narrow(o, dt)
			}
		}
		return nil
	}
}

func widen(t *tensor) *tensor {
	w := newTensor(f32, t.shape...)
	dst, src := view[float32](w), view[uint16](t)
	if t.dt == f16 {
		for i, h := range src {
			dst[i] = fromHalf(h)
		}
	} else {
		for i, h := range src {
			dst[i] = fromBF16(h)
		}
	}
	return w
}

// narrow turns float32 elements into 16-bit ones in place.
func narrow(t *tensor, dt onnxElem) {
	src := view[float32](t)
	t.dt = dt
	dst := view[uint16](t)
	for i, f := range src {
		if dt == f16 {
			dst[i] = toHalf(f)
		} else {
			dst[i] = toBF16(f)
		}
	}
}
