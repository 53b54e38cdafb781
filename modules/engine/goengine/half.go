package goengine

import (
	"math"

	"github.com/connectomewire/wire/internal/half"
)

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

// widen makes float32 of a narrower floating-point type.
func widen(t *tensor) *tensor {
	w := newTensor(f32, t.shape...)
	if m := minifloats[t.dt]; m != nil {
		dst := view[float32](w)
		for i, code := range view[uint8](t) {
			dst[i] = m.values[code]
		}
		return w
	}
	dst, src := view[float32](w), view[uint16](t)
	if t.dt == f16 {
		for i, h := range src {
			dst[i] = half.From(h)
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
			dst[i] = half.To(f)
		} else {
			dst[i] = toBF16(f)
		}
	}
}
