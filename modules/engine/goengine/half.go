package goengine

import (
	"math"
	"unsafe"

	"github.com/connectomewire/wire/internal/kernel"
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

// halfKind reports whether a type is a 16-bit float.
func halfKind(dt onnxElem) bool { return dt == f16 || dt == bf16 }

// wideConstants widens the 16-bit constants of a node, so that its builder may
// prepare them once; the others are nil.
func wideConstants(consts []*tensor) []*tensor {
	var wide []*tensor
	for i, t := range consts {
		if t != nil && halfKind(t.dt) {
			if wide == nil {
				wide = make([]*tensor, len(consts))
			}
			wide[i] = widen(t)
		}
	}
	return wide
}

// viaFloat32 lets a kernel written for float32 take 16-bit floats: operands
// are widened, float32 results narrowed. consts are widened already.
func viaFloat32(k operation, consts []*tensor) operation {
	return func(c *call) error {
		var dt = f32
		for _, t := range c.in {
			if t != nil && halfKind(t.dt) {
				dt = t.dt
			}
		}
		if dt == f32 {
			return k(c)
		}
		in := c.in
		c.wide = append(c.wide[:0], in...)
		if n := len(in) - len(c.widened); n > 0 {
			c.widened = append(c.widened, make([]tensor, n)...)
		}
		for i, t := range in {
			switch {
			case t == nil || !halfKind(t.dt):
			case i < len(consts) && consts[i] != nil:
				c.wide[i] = consts[i]
			default:
				w := &c.widened[i]
				*w = tensor{dt: f32, shape: t.shape, n: t.n}
				if !c.frame.dry || t.ptr != nil {
					if c.frame.dry {
						w = widen(t)
					} else if t.n > 0 {
						mem := c.floats(t.n)
						w.ptr = unsafe.Pointer(&mem[0])
						widenTo(mem, t)
					}
				}
				c.wide[i] = w
			}
		}
		c.in = c.wide
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
	widenTo(view[float32](w), t)
	return w
}

// widenTo writes the elements of 16-bit floats.
func widenTo(dst []float32, t *tensor) {
	src := view[uint16](t)
	if t.dt == f16 {
		kernel.FromHalf(dst, src)
		return
	}
	for i, h := range src {
		dst[i] = fromBF16(h)
	}
}

// narrow turns float32 elements into 16-bit ones in place.
func narrow(t *tensor, dt onnxElem) {
	src := view[float32](t)
	t.dt = dt
	dst := view[uint16](t)
	if dt == f16 {
		kernel.ToHalf(dst, src)
		return
	}
	for i, f := range src {
		dst[i] = toBF16(f)
	}
}
