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
	g.of = []int{0}
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
	g.of = []int{0, 3}
	return g
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

// attentionGrad is that of softmax(mask(cap(scale·q·kᵀ)))·v, block by block as
// it was computed: weights are made anew, not kept.
func attentionGrad() gradient {
	g := differentiable(func(s *spec, _ []bool) (*pullback, error) {
		a := newAttention(s)
		return &pullback{in: everything, out: keep(1, 2), pull: a.pull}, nil
	}, 0, 1, 2, 4, 5)
	g.of = []int{0, 1, 2}
	return g
}

func (a *attention) pull(g *gcall) error {
	q, k, v, sc, err := a.operands(g.call, func([]int) error { return nil }, func(i int, past *tensor, now headed) (headed, error) {
		if t := g.out[i]; t != nil {
			return headsOf(t, 0)
		}
		var own tensor
		c := &call{frame: g.frame, step: g.step, out: make([]*tensor, i+1)}
		c.out[i] = &own
		all, err := c.appendPast(i, past, now)
		if own.buf != nil {
			g.scratch = append(g.scratch, own.buf)
		}
		return all, err
	})
	if err != nil {
		return err
	}
	group := q.heads / k.heads
	shaped := func(h headed) headed {
		own, _ := headShape([]int{h.batch, h.heads, h.rows, h.dim}, 0)
		own.data = g.floats(h.batch * h.heads * h.rows * h.dim)
		clear(own.data)
		return own
	}
	dq, dk, dv := shaped(q), shaped(k), shaped(v)
	for i, d := range []headed{dk, dv} {
		if len(g.dout) > i+1 && g.dout[i+1] != nil { // of the joined keys and values
			copy(d.data, view[float32](g.dout[i+1]))
		}
	}
	if g.dout[0] != nil {
		heads := a.qHeads
		dy, err := headsOf(g.dout[0], heads)
		if err != nil {
			return err
		}
		const some = 64 // queries at a time
		w, dw, capped := g.floats(some*k.rows), g.floats(some*k.rows), g.floats(some*k.rows)
		for b := range q.batch {
			for head := range q.heads {
				keys, values := k.matrix(b, head/group, 0, k.rows, nil), v.matrix(b, head/group, 0, v.rows, nil)
				toK, toV := dk.matrix(b, head/group, 0, k.rows, nil), dv.matrix(b, head/group, 0, v.rows, nil)
				for i := 0; i < q.rows; i += some {
					j := min(i+some, q.rows)
					m := j - i
					qs, ds := q.matrix(b, head, i, j, nil), dy.matrix(b, head, i, j, nil)
					kernel.Gemm(false, true, m, k.rows, q.dim, qs, keys, w, false)
					for r := range m {
						row := w[r*k.rows : (r+1)*k.rows]
						if sc.softcap > 0 { // tanh of the products, for its slope
							own := capped[r*k.rows : (r+1)*k.rows]
							kernel.MulScalar(own, row, sc.scale/sc.softcap)
							kernel.Tanh(own, own)
						}
						sc.weigh(b, head, i+r, row)
					}
					kernel.Gemm(true, false, v.rows, v.dim, m, w, ds, toV, true)
					kernel.Gemm(false, true, m, k.rows, v.dim, ds, values, dw, false)
					for r := range m {
						row, p := dw[r*k.rows:(r+1)*k.rows], w[r*k.rows:(r+1)*k.rows]
						kernel.SubScalar(row, row, kernel.Dot(row, p))
						kernel.Mul(row, row, p)
						if sc.softcap > 0 {
							for n, c := range capped[r*k.rows : (r+1)*k.rows] {
								row[n] *= 1 - c*c
							}
						}
						kernel.MulScalar(row, row, sc.scale)
					}
					kernel.Gemm(false, false, m, q.dim, k.rows, dw, keys, dq.matrix(b, head, i, j, nil), false)
					kernel.Gemm(true, false, k.rows, q.dim, m, dw, qs, toK, true)
				}
			}
		}
	}
	place := func(i int, h headed, from int, heads int) error {
		if i >= len(g.in) || g.in[i] == nil || !g.wants(i) {
			return nil
		}
		t := g.zero(i)
		to, err := headShape(t.shape, heads)
		if err != nil {
			return err
		}
		to.data = view[float32](t)
		for b := range to.batch {
			for head := range to.heads {
				for r := range to.rows {
					copy(to.row(b, head, r), h.row(b, head, from+r))
				}
			}
		}
		g.give(i, t)
		return nil
	}
	pastK, pastV := 0, 0
	if t := g.input(4); t != nil {
		pastK = t.shape[2]
	}
	if t := g.input(5); t != nil {
		pastV = t.shape[2]
	}
	for _, p := range []struct {
		input, from, heads int
		h                  headed
	}{{0, 0, a.qHeads, dq}, {1, pastK, a.kvHeads, dk}, {2, pastV, a.kvHeads, dv}, {4, 0, 0, dk}, {5, 0, 0, dv}} {
		if err := place(p.input, p.h, p.from, p.heads); err != nil {
			return err
		}
	}
	return nil
}

var attentionGrads = map[string]gradient{"Attention": attentionGrad()}

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
