package goengine

import (
	"github.com/connectomewire/wire/internal/kernel"
)

var statefulGrads = map[string]gradient{
	"CausalConvWithState": causalConvGrad,
	"TensorScatter":       tensorScatterGrad,
}

// causalConvGrad is by the series and by the state before it.
var causalConvGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	act := s.str("activation", "none") != "none"
	p := &pullback{in: keep(1)}
	if act { // the slope is that at what was computed before
		p.in = keep(0, 1, 2, 3)
	}
	p.pull = func(g *gcall) error {
		x, w, past := g.in[0], g.in[1], g.input(3)
		rows, n, k := x.shape[0]*x.shape[1], x.shape[2], w.shape[2]
		given := make([]*tensor, 4)
		given[0] = g.fresh(0)
		if past != nil {
			given[3] = g.fresh(3)
		}
		padded, pre, d := g.floats(k-1+n), g.floats(n), g.floats(n)
		back := g.floats(k - 1 + n)
		for r := range rows {
			taps := view[float32](w)[r%x.shape[1]*k:][:k]
			clear(d)
			if g.dout[0] != nil {
				copy(d, view[float32](g.dout[0])[r*n:(r+1)*n])
			}
			if act {
				clear(padded)
				if past != nil {
					copy(padded, view[float32](past)[r*(k-1):(r+1)*(k-1)])
				}
				copy(padded[k-1:], view[float32](x)[r*n:(r+1)*n])
				clear(pre)
				for j, f := range taps {
					kernel.Axpy(f, padded[j:j+n], pre)
				}
				if bias := g.input(2); bias != nil {
					kernel.AddScalar(pre, pre, view[float32](bias)[r%x.shape[1]])
				}
				g.slope(d, d, pre, siluSlope)
			}
			clear(back)
			if len(g.dout) > 1 && g.dout[1] != nil {
				copy(back[n:], view[float32](g.dout[1])[r*(k-1):(r+1)*(k-1)])
			}
			for j, f := range taps {
				kernel.Axpy(f, d, back[j:j+n])
			}
			copy(view[float32](given[0])[r*n:(r+1)*n], back[k-1:])
			if past != nil {
				copy(view[float32](given[3])[r*(k-1):(r+1)*(k-1)], back)
			}
		}
		g.giveOrFree(0, given)
		return nil
	}
	return p, nil
}, 0, 3)

// tensorScatterGrad: what was written over gets nothing; of several rows
// written to one place the last one stays.
var tensorScatterGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axis, circular := s.int("axis", -2), s.str("mode", "linear") == "circular"
	return &pullback{in: keep(2), pull: func(g *gcall) error {
		shape := g.in[0].shape
		a, err := axisOf(axis, len(shape))
		if err != nil {
			return err
		}
		starts := make([]int, shape[0])
		if g.input(2) != nil {
			if starts, err = g.intsOf(2); err != nil {
				return err
			}
		}
		cache, update := g.fresh(0), g.fresh(1)
		dx, du := view[float32](cache), view[float32](update)
		copy(dx, view[float32](g.dout[0]))
		outer, n, inner := splitAt(shape, a)
		rows, perBatch := g.in[1].shape[a], outer/max(shape[0], 1)
		for o := range outer {
			for i := rows - 1; i >= 0; i-- {
				at := starts[o/perBatch] + i
				if circular {
					at = (at%n + n) % n
				}
				from := dx[(o*n+at)*inner:][:inner]
				copy(du[(o*rows+i)*inner:], from)
				clear(from)
			}
		}
		g.giveOrFree(0, []*tensor{cache, update})
		return nil
	}}, nil
}, 0, 1)
