package goengine

import "math/cmplx"

var signalGrads = map[string]gradient{
	"DFT":  dftGrad,
	"STFT": stftGrad,
}

// adjointFourier is the product of [fourier], x being gradients by real and
// imaginary parts: the transform of the other direction, without its 1/n, or
// with it.
func adjointFourier(x []complex128, inverse bool) {
	n := complex(float64(len(x)), 0)
	fourier(x, !inverse)
	for i := range x {
		if inverse {
			x[i] /= n
		} else {
			x[i] *= n
		}
	}
}

// adjointMirror is the product of [mirror].
func adjointMirror(x []complex128) {
	n := len(x)
	x[0] = complex(real(x[0]), 0)
	if n%2 == 0 {
		x[n/2] = complex(real(x[n/2]), 0)
	}
	for k := n/2 + 1; k < n; k++ {
		x[n-k] += cmplx.Conj(x[k])
		x[k] = 0
	}
}

var dftGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axisAttr, inverse, onesided := s.int("axis", 1), s.int("inverse", 0) == 1, s.int("onesided", 0) == 1
	axisInput := s.opset >= 20
	if axisInput {
		axisAttr = -2
	}
	return &pullback{in: keep(1, 2), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		axis := axisAttr
		if axisInput && g.input(2) != nil {
			axis = int(g.in[2].at(0))
		}
		x, d := g.in[0].shape, g.dout[0]
		rank := len(x)
		a, err := axisOf(axis, rank)
		if err != nil {
			return err
		}
		n := x[a]
		if inverse && onesided {
			n = 2 * (n - 1)
		}
		if t := g.input(1); t != nil && t.n > 0 {
			n = int(t.at(0))
		}
		bins, cells := d.shape[a], d.shape[rank-1]
		t := g.zero(0)
		parts := x[rank-1]
		outer, have, inner := product(x[:a]), x[a], product(x[a+1:rank-1])
		dx, dy := view[float32](t), view[float32](d)
		buf := make([]complex128, n)
		for o := range outer {
			for i := range inner {
				clear(buf)
				for k := range bins {
					at := ((o*bins+k)*inner + i) * cells
					im := 0.0
					if cells == 2 {
						im = float64(dy[at+1])
					}
					buf[k] = complex(float64(dy[at]), im)
				}
				adjointFourier(buf, inverse)
				if cells == 1 {
					adjointMirror(buf)
				}
				for k := range min(n, have) {
					at := ((o*have+k)*inner + i) * parts
					dx[at] = float32(real(buf[k]))
					if parts == 2 {
						dx[at+1] = float32(imag(buf[k]))
					}
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

var stftGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{in: keep(1, 2, 3), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x, d, window := g.in[0].shape, g.dout[0], g.input(2)
		hop, size, parts := int(g.in[1].at(0)), 0, 1
		switch lengthT := g.input(3); {
		case window != nil:
			size = window.n
		case lengthT != nil:
			size = int(lengthT.at(0))
		}
		if len(x) == 3 {
			parts = x[2]
		}
		frames, bins := d.shape[1], d.shape[2]
		t := g.zero(0)
		dx, dy := view[float32](t), view[float32](d)
		buf := make([]complex128, size)
		at := 0
		for b := range x[0] {
			for f := range frames {
				clear(buf)
				for k := range bins {
					buf[k] = complex(float64(dy[at]), float64(dy[at+1]))
					at += 2
				}
				adjointFourier(buf, false)
				for k, v := range buf {
					w := 1.0
					if window != nil {
						w = window.at(k)
					}
					i := (b*x[1] + f*hop + k) * parts
					dx[i] += float32(real(v) * w)
					if parts == 2 {
						dx[i+1] += float32(imag(v) * w)
					}
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)
