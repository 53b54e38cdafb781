package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var gatedGrads = map[string]gradient{
	"Swish":                   byInput(func(s *spec) slope { return swishSlope(s.float("alpha", 1)) }),
	"com.microsoft.QuickGelu": byInput(func(s *spec) slope { return swishSlope(s.float("alpha", 1.702)) }),
	"SwiGLU":                  swigluGrad,
	"com.microsoft.BiasGelu":  biasGeluGrad(geluSlope),
	"com.microsoft.FastGelu":  biasGeluGrad(geluTanhSlope),

	"RMSNormalization":                               rmsNormGrad,
	"SimplifiedLayerNormalization":                   rmsNormGrad,
	"com.microsoft.SimplifiedLayerNormalization":     rmsNormGrad,
	"com.microsoft.SkipLayerNormalization":           skipNormGrad(true),
	"com.microsoft.SkipSimplifiedLayerNormalization": skipNormGrad(false),
	"com.microsoft.EmbedLayerNormalization":          embedNormGrad,

	"RotaryEmbedding":               rotaryGrad(2, func(s *spec) (operation, error) { return buildRotary(s) }),
	"com.microsoft.RotaryEmbedding": rotaryGrad(3, func(s *spec) (operation, error) { return buildMicrosoftRotary(s) }),
}

// swishSlope is that of x·σ(αx).
func swishSlope(alpha float32) slope {
	if alpha == 1 {
		return siluSlope
	}
	return func(dx, dy, x []float32, tmp *scratchBlocks) {
		s, t := tmp[0][:len(x)], tmp[1][:len(x)]
		kernel.MulScalar(t, x, alpha)
		kernel.Sigmoid(s, t)
		for i, v := range s {
			dx[i] = dy[i] * v * (1 + t[i]*(1-v))
		}
	}
}

// swigluGrad: y = swish(a)·b.
var swigluGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	alpha := s.float("alpha", 1)
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		a, b, dy := view[float32](g.in[0]), view[float32](g.in[1]), view[float32](g.dout[0])
		if g.wants(1) {
			t := g.fresh(1)
			d := view[float32](t)
			swish(d, a, alpha)
			kernel.Mul(d, d, dy)
			g.give(1, t)
		}
		if g.wants(0) {
			t := g.over(0, 0)
			d := view[float32](t)
			kernel.Mul(d, dy, b)
			g.slope(d, d, a, swishSlope(alpha))
			g.give(0, t)
		}
		return nil
	}}, nil
}, 0, 1)

// biasGeluGrad: an activation of x plus a row.
func biasGeluGrad(f slope) gradient {
	return differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
			x := view[float32](g.in[0])
			bias := g.input(1)
			if bias != nil {
				sum := g.floats(len(x))
				for at := 0; at < len(x); at += bias.n {
					kernel.Add(sum[at:at+bias.n], x[at:at+bias.n], view[float32](bias))
				}
				x = sum
			}
			t := g.over(0, 0)
			d := view[float32](t)
			g.slope(d, view[float32](g.dout[0]), x, f)
			if g.wants(1) {
				row := g.zero(1)
				for at := 0; at < len(d); at += bias.n {
					kernel.Add(view[float32](row), view[float32](row), d[at:at+bias.n])
				}
				g.give(1, row)
			}
			g.giveOrFree(0, []*tensor{t})
			return nil
		}}, nil
	}, 0, 1)
}

// rmsRowGrad is the product of x̂ = x/√(mean(x²)+ε): dx = (d − x̂·mean(d∘x̂))·inv;
// dx may be d.
func rmsRowGrad(dx, d, hat []float32, inv float32, tmp []float32) {
	kernel.MulScalar(tmp, hat, kernel.Dot(d, hat)/float32(len(d)))
	kernel.Sub(dx, d, tmp[:len(d)])
	kernel.MulScalar(dx, dx, inv)
}

var rmsNormGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		epsilon, axis := s.float("epsilon", 1e-5), s.int("axis", -1)
		return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
			x, d := g.in[0], g.dout[0]
			a, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			n := product(x.shape[a:])
			hat := g.frame.gradient(x.shape)
			h, xs := view[float32](hat), view[float32](x)
			invs := g.floats(x.n / max(n, 1))
			for i := range invs {
				invs[i] = rmsRow(h[i*n:(i+1)*n], xs[i*n:(i+1)*n], epsilon)
			}
			if g.wants(1) {
				t, err := g.with(opMul, d, hat)
				if err != nil {
					return err
				}
				g.giveReduced(1, t)
			}
			if g.wants(0) {
				t, err := g.with(opMul, d, g.in[1])
				if err != nil {
					return err
				}
				dx, tmp := view[float32](t), g.floats(n)
				for i, inv := range invs {
					row := dx[i*n : (i+1)*n]
					rmsRowGrad(row, row, h[i*n:(i+1)*n], inv, tmp)
				}
				g.give(0, t)
			}
			g.frame.release(hat)
			return nil
		}}, nil
	}, 0, 1)
	g.of, g.lost = []int{0}, []int{1}
	return g
}()

// skipNormGrad: a normalisation of x + skip (+ bias), which is output 3.
func skipNormGrad(centred bool) gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		epsilon := s.float("epsilon", 1e-12)
		at := 3
		if centred {
			at = 4
		}
		return &pullback{in: keep(0, 1, 2, at), pull: func(g *gcall) error {
			x, skip, bias := view[float32](g.in[0]), view[float32](g.in[1]), g.input(at)
			n := g.in[0].shape[len(g.in[0].shape)-1]
			t := g.frame.gradient(g.in[0].shape)
			dx := view[float32](t)
			hat, tmp := g.floats(n), g.floats(n)
			for i := 0; i < len(x); i += n {
				row := dx[i : i+n]
				if g.dout[0] == nil {
					clear(row)
				} else {
					kernel.Add(hat, x[i:i+n], skip[i%len(skip):i%len(skip)+n])
					if bias != nil {
						kernel.Add(hat, hat, view[float32](bias))
					}
					kernel.Mul(row, view[float32](g.dout[0])[i:i+n], view[float32](g.in[2]))
					if centred {
						_, inv := normalizeRow(hat, hat, epsilon)
						normRowGrad(row, row, hat, inv, tmp)
					} else {
						inv := rmsRow(hat, hat, epsilon)
						rmsRowGrad(row, row, hat, inv, tmp)
					}
				}
				if len(g.dout) > 3 && g.dout[3] != nil {
					kernel.Add(row, row, view[float32](g.dout[3])[i:i+n])
				}
			}
			if g.wants(1) {
				d := g.zero(1)
				for i := 0; i < len(x); i += len(skip) {
					kernel.Add(view[float32](d), view[float32](d), dx[i:i+len(skip)])
				}
				g.give(1, d)
			}
			g.giveOrFree(0, []*tensor{t})
			return nil
		}}, nil
	}, 0, 1)
	g.of, g.lost = []int{0, 3}, []int{1, 2}
	return g
}

// embedNormGrad is by the tables, for models that make them; those of a language
// model are constants, and what it computes of them can be fed.
var embedNormGrad = func() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		e, err := newEmbedNorm(s)
		if err != nil {
			return nil, err
		}
		return &pullback{in: everything, pull: e.pull}, nil
	}, 2, 3, 4, 5, 6)
	g.of = []int{0, 2}
	return g
}()

func (e *embedNorm) pull(g *gcall) error {
	given := make([]*tensor, 5) // from input 2 on
	to := func(i int) []float32 {
		if given[i-2] == nil {
			given[i-2] = g.zero(i)
		}
		return view[float32](given[i-2])
	}
	n := g.in[2].shape[1]
	hat, dx, tmp, gamma := g.floats(n), g.floats(n), g.floats(n), view[float32](g.in[5])
	err := e.each(g.call, hat, func(i int, rows [3]int) {
		clear(dx)
		if g.dout[0] != nil {
			dy := view[float32](g.dout[0])[i*n : (i+1)*n]
			_, inv := normalizeRow(hat, hat, e.epsilon)
			kernel.Mul(tmp, dy, hat)
			kernel.Add(to(5), to(5), tmp)
			kernel.Add(to(6), to(6), dy)
			kernel.Mul(dx, dy, gamma)
			normRowGrad(dx, dx, hat, inv, tmp)
		}
		if len(g.dout) > 2 && g.dout[2] != nil {
			kernel.Add(dx, dx, view[float32](g.dout[2])[i*n:(i+1)*n])
		}
		for k, row := range rows {
			if row >= 0 {
				own := to(2 + k)[row*n : (row+1)*n]
				kernel.Add(own, own, dx)
			}
		}
	})
	g.giveOrFree(2, given)
	return err
}

// rotaryGrad turns back: by the negative sines, which are input sin.
func rotaryGrad(sin int, build builder) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		op, err := build(s)
		if err != nil {
			return nil, err
		}
		return &pullback{in: everything &^ keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			back := newTensor(f32, g.in[sin].shape...)
			kernel.MulScalar(view[float32](back), view[float32](g.in[sin]), -1)
			c := &call{frame: g.frame, step: &step{node: g.step.node}, in: slices.Clone(g.in), threads: g.threads}
			t := &tensor{}
			c.in[0], c.in[sin], c.out = g.dout[0], back, []*tensor{t}
			if err := op(c); err != nil {
				return err
			}
			if product(t.shape) != product(g.in[0].shape) {
				return fmt.Errorf("gradient %v does not fit %v", t.shape, g.in[0].shape)
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
}

var patchGrads = map[string]gradient{
	"AffineGrid":    affineGridGrad,
	"CenterCropPad": movedGrad(buildCenterCropPad, 0),
	"Col2Im":        col2imGrad,
}

// affineGridGrad runs the operator on each number of the matrices: its result
// is linear in them, and every one of them is alone in its row.
var affineGridGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	op, err := buildAffineGrid(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: keep(1), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		theta := g.in[0].shape
		d, each := theta[1], product(theta[1:])
		t := g.zero(0)
		dy := view[float32](g.dout[0])
		points := len(dy) / max(theta[0]*d, 1)
		for k := range d + 1 { // one column of all matrices at a time
			unit := newTensor(f32, theta...)
			for i := k; i < unit.n; i += d + 1 {
				view[float32](unit)[i] = 1
			}
			var y tensor
			c := &call{frame: g.frame, step: &step{node: g.step.node}, in: []*tensor{unit, g.in[1]}, out: []*tensor{&y}, threads: 1}
			if err := op(c); err != nil {
				return err
			}
			ys := view[float32](&y)
			for b := range theta[0] {
				for r := range d {
					sum := 0.0
					for i := range points {
						at := (b*points+i)*d + r
						sum += float64(dy[at]) * float64(ys[at])
					}
					view[float32](t)[b*each+r*(d+1)+k] = float32(sum)
				}
			}
			g.frame.release(&y)
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// col2imGrad unfolds the gradient.
var col2imGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	w := newWindow(s)
	return &pullback{in: keep(1, 2), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		image, err := g.intsOf(1)
		if err != nil {
			return err
		}
		image = slices.Clone(image)
		block, err := g.intsOf(2)
		if err != nil {
			return err
		}
		geo, err := w.resolve(image, slices.Clone(block))
		if err != nil {
			return err
		}
		t := g.zero(0)
		dx, dy := view[float32](t), view[float32](g.dout[0])
		taps, windows, plane := product(geo.kernel), product(geo.out), product(image)
		for p := range t.n / max(taps*windows, 1) {
			geo.eachTap(func(o, tap, i int) { dx[(p*taps+tap)*windows+o] = dy[p*plane+i] })
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)
