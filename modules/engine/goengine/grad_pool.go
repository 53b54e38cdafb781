package goengine

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

var poolGrads = map[string]gradient{
	"MaxPool":      maxPoolGrad,
	"AveragePool":  averagePoolGrad,
	"LpPool":       windowGrad(lpPoolSlope),
	"GlobalLpPool": globalLpPoolGrad,
	"MaxUnpool":    maxUnpoolGrad,
}

// eachPlane calls f for every [batch, channel] plane of input and output.
func (g *gcall) eachPlane(t *tensor, geo *geometry, f func(p, in, out int)) {
	inN, outN := product(geo.in), product(geo.out)
	planes := t.shape[0] * t.shape[1]
	kernel.Parallel(threadsFor(g.threads, t.n), planes, 1, func(_, i, j int) {
		for ; i < j; i++ {
			f(i, i*inN, i*outN)
		}
	})
}

// maxPoolGrad gives each gradient to the first of the window's largest
// elements.
var maxPoolGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		w := newWindow(s)
		return &pullback{in: keep(0), out: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) || g.dout[0] == nil {
				return nil
			}
			geo, err := w.fit(g.in[0].shape[2:])
			if err != nil {
				return err
			}
			t := g.zero(0)
			dx, dy, x, y := view[float32](t), view[float32](g.dout[0]), view[float32](g.in[0]), view[float32](g.out[0])
			inN, outN := product(geo.in), product(geo.out)
			if len(geo.in) <= 2 {
				f := geo.flat()
				g.eachPlane(t, f, func(_, in, out int) {
					f.maxBack(dx[in:in+inN], dy[out:out+outN], x[in:in+inN], y[out:out+outN])
				})
			} else {
				g.eachPlane(t, geo, func(_, in, out int) {
					geo.eachWindow(func(o int, positions []int) {
						for _, i := range positions {
							if x[in+i] == y[out+o] {
								dx[in+i] += dy[out+o]
								return
							}
						}
					})
				})
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
	g.of = []int{0}
	return g
}()

// maxBack gives a plane's gradients to the windows' first largest elements.
func (g *geometry) maxBack(dx, dy, x, y []float32) {
	width := g.in[1]
	kh, kw, dh, dw := g.kernel[0], g.kernel[1], g.dilation[0], g.dilation[1]
	quick := dh == 1 && dw == 1 && kh == kw && (kh == 2 || kh == 3)
	for oy := range g.out[0] {
		y0 := oy*g.stride[0] - g.begin[0]
		first, last := 0, kh // rows of the kernel that lie inside
		for first < last && y0+first*dh < 0 {
			first++
		}
		for last > first && y0+(last-1)*dh >= g.in[0] {
			last--
		}
		whole := quick && last-first == kh
		tops, ds := y[oy*g.out[1]:][:g.out[1]], dy[oy*g.out[1]:][:g.out[1]]
		for ox, top := range tops {
			x0 := ox*g.stride[1] - g.begin[1]
			from, to := 0, kw
			for from < to && x0+from*dw < 0 {
				from++
			}
			for to > from && x0+(to-1)*dw >= width {
				to--
			}
			if whole && x0 >= 0 && x0+kw <= width {
				p, at := y0*width+x0, 0
				if kw == 3 {
					at = first3(x, p, width, top)
				} else {
					at = first2(x, p, width, top)
				}
				dx[at] += ds[ox]
				continue
			}
			at := -1 // from the last one on, so that the first one stays
			for ky := last - 1; ky >= first; ky-- {
				row := (y0+ky*dh)*width + x0
				for p := row + (to-1)*dw; p >= row+from*dw; p -= dw {
					if x[p] == top {
						at = p
					}
				}
			}
			if at >= 0 {
				dx[at] += ds[ox]
			}
		}
	}
}

// first3 is where in 3×3 elements from p on, in rows of so many, the first one is that
// equals top, the last one if none is. There is no branch that depends on where.
func first3(x []float32, p, width int, top float32) int {
	q, r := p+width, p+2*width
	a, b, c := x[p:p+3:p+3], x[q:q+3:q+3], x[r:r+3:r+3]
	at := r + 2
	if c[1] == top {
		at = r + 1
	}
	if c[0] == top {
		at = r
	}
	if b[2] == top {
		at = q + 2
	}
	if b[1] == top {
		at = q + 1
	}
	if b[0] == top {
		at = q
	}
	if a[2] == top {
		at = p + 2
	}
	if a[1] == top {
		at = p + 1
	}
	if a[0] == top {
		at = p
	}
	return at
}

// first2 is first3 of 2×2 elements.
func first2(x []float32, p, width int, top float32) int {
	q := p + width
	a, b := x[p:p+2:p+2], x[q:q+2:q+2]
	at := q + 1
	if b[0] == top {
		at = q
	}
	if a[1] == top {
		at = p + 1
	}
	if a[0] == top {
		at = p
	}
	return at
}

var averagePoolGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	w := newWindow(s)
	countPad := s.int("count_include_pad", 0) == 1
	return &pullback{pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		geo, err := w.fit(g.in[0].shape[2:])
		if err != nil {
			return err
		}
		outN := product(geo.out)
		var positions []int
		ends, counts := make([]int, outN), make([]float32, outN)
		geo.eachWindow(func(o int, ps []int) {
			positions = append(positions, ps...)
			ends[o], counts[o] = len(positions), float32(len(ps))
			if countPad {
				counts[o] = float32(geo.paddedTaps(o))
			}
		})
		t := g.zero(0)
		dx, dy := view[float32](t), view[float32](g.dout[0])
		g.eachPlane(t, geo, func(_, in, out int) {
			at := 0
			for o, end := range ends {
				d := dy[out+o] / counts[o]
				for _, p := range positions[at:end] {
					dx[in+p] += d
				}
				at = end
			}
		})
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// windowGrad is for poolings whose slope follows from an element and its
// window's result.
func windowGrad(slope func(s *spec) func(x, y float64) float64) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		w, f := newWindow(s), slope(s)
		return &pullback{in: keep(0), out: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			geo, err := w.fit(g.in[0].shape[2:])
			if err != nil {
				return err
			}
			t := g.zero(0)
			dx, dy, x, y := view[float32](t), view[float32](g.dout[0]), view[float32](g.in[0]), view[float32](g.out[0])
			g.eachPlane(t, geo, func(_, in, out int) {
				geo.eachWindow(func(o int, positions []int) {
					for _, i := range positions {
						dx[in+i] += float32(float64(dy[out+o]) * f(float64(x[in+i]), float64(y[out+o])))
					}
				})
			})
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
}

// lpPoolSlope: y = (Σ|x|ᵖ)^(1/p), ∂y/∂x = sign(x)·(|x|/y)^(p−1).
func lpPoolSlope(s *spec) func(x, y float64) float64 {
	p := float64(s.int("p", 2))
	return func(x, y float64) float64 {
		if y == 0 {
			return 0
		}
		return sign(x) * math.Pow(math.Abs(x)/y, p-1)
	}
}

var globalLpPoolGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	f := lpPoolSlope(s)
	return &pullback{in: keep(0), out: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		t := g.fresh(0)
		n := product(t.shape[2:])
		dx, dy, x, y := view[float32](t), view[float32](g.dout[0]), view[float32](g.in[0]), view[float32](g.out[0])
		for i, v := range x {
			dx[i] = float32(float64(dy[i/n]) * f(float64(v), float64(y[i/n])))
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// maxUnpoolGrad reads the gradient where the elements were put.
var maxUnpoolGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	kern, stride, pads := s.ints("kernel_shape"), s.ints("strides"), s.ints("pads")
	return &pullback{in: keep(1), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x := g.in[0]
		t := g.fresh(0)
		tight := make([]int, len(kern))
		for i := range tight {
			st := 1
			if stride != nil {
				st = stride[i]
			}
			tight[i] = (x.shape[i+2]-1)*st + kern[i]
			if pads != nil {
				tight[i] -= pads[i] + pads[i+len(kern)]
			}
		}
		inner := product(tight)
		shape := g.out[0].shape
		moved := inner > 0 && product(shape) != product(x.shape[:2])*inner
		dx, dy := view[float32](t), view[float32](g.dout[0])
		for i, id := range view[int64](g.in[1]) {
			at := int(id)
			if moved {
				at = unpoolIndex(at, x, kern, stride, pads, shape)
			}
			dx[i] = dy[at]
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)
