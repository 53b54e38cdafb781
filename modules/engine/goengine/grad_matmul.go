package goengine

import (
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
)

var matmulGrads = map[string]gradient{
	"MatMul": matmulGrad,
	"Gemm":   gemmGrad,
	"Einsum": einsumGrad,
	"Det":    detGrad,
}

// floatConst is a constant as float32, nil if t is none.
func floatConst(t *tensor) *tensor {
	if t == nil || !isFloat(t.dt) {
		return nil
	}
	return asFloat32(t)
}

// matmulGrad: dA = dY·Bᵀ, dB = Aᵀ·dY.
var matmulGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	act := s.fused
	weights := floatConst(s.constant(1))
	// panels of Bᵀ, packed when the first gradient needs them
	panels := sync.OnceValue(func() *packed { return packConstant(weights, true) })
	p := &pullback{}
	if want[0] && weights == nil {
		p.in |= keep(1)
	}
	if want[1] {
		p.in |= keep(0)
	}
	if act.name != "" {
		p.out = keep(0)
	}
	p.pull = func(g *gcall) error {
		g.deactivate(act)
		a, b, d := g.in[0], g.in[1], g.dout[0]
		if weights != nil {
			b = weights
		}
		_, m, k, n, err := matmulShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		dy := view[float32](d)
		if g.wants(0) {
			t := g.fresh(0)
			dst := view[float32](t)
			switch {
			case t.n == 0:
			case d.n == 0:
				clear(dst)
			case len(b.shape) <= 2:
				rows := t.n / k
				if q := panels(); len(b.shape) == 2 && q.usable() {
					q.multiply(g.threads, rows, dy, dst, false)
				} else {
					kernel.GemmParallel(g.threads, false, true, rows, k, n, dy, view[float32](b), dst, false)
				}
			default:
				clear(dst)
				for i, o := range batchOffsets(d.shape, a.shape, b.shape, m, k, n) {
					kernel.GemmParallel(g.threads, false, true, m, k, n, dy[i*m*n:], view[float32](b)[o[1]:], dst[o[0]:], true)
				}
			}
			g.give(0, t)
		}
		if g.wants(1) {
			t := g.zero(1)
			dst := view[float32](t)
			switch {
			case t.n == 0 || d.n == 0:
			case len(b.shape) <= 2:
				kernel.GemmParallel(g.threads, true, false, k, n, d.n/n, view[float32](a), dy, dst, true)
			default:
				for i, o := range batchOffsets(d.shape, a.shape, b.shape, m, k, n) {
					kernel.GemmParallel(g.threads, true, false, k, n, m, view[float32](a)[o[0]:], dy[i*m*n:], dst[o[1]:], true)
				}
			}
			g.give(1, t)
		}
		return nil
	}
	return p, nil
}, 0, 1)

var gemmGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	alpha, beta := s.float("alpha", 1), s.float("beta", 1)
	ta, tb := s.int("transA", 0) != 0, s.int("transB", 0) != 0
	act := s.fused
	weights := floatConst(s.constant(1))
	panels := sync.OnceValue(func() *packed { return packConstant(weights, !tb) })
	p := &pullback{}
	if want[0] && weights == nil {
		p.in |= keep(1)
	}
	if want[1] {
		p.in |= keep(0)
	}
	if act.name != "" {
		p.out = keep(0)
	}
	p.pull = func(g *gcall) error {
		g.deactivate(act)
		d, b := g.dout[0], g.in[1]
		if weights != nil {
			b = weights
		}
		m, n := d.shape[0], d.shape[1]
		k := g.in[0].shape[1]
		if ta {
			k = g.in[0].shape[0]
		}
		dy := view[float32](d)
		scaled := func(i int, t *tensor, by float32) {
			if by != 1 {
				kernel.MulScalar(view[float32](t), view[float32](t), by)
			}
			g.give(i, t)
		}
		if g.wants(0) {
			t := g.zero(0)
			dst := view[float32](t)
			switch {
			case t.n == 0 || d.n == 0:
			case ta: // dA [k, m] = op(B)·dYᵀ
				kernel.GemmParallel(g.threads, tb, true, k, m, n, view[float32](b), dy, dst, false)
			default:
				if q := panels(); q.usable() {
					q.multiply(g.threads, m, dy, dst, false)
				} else {
					kernel.GemmParallel(g.threads, false, !tb, m, k, n, dy, view[float32](b), dst, false)
				}
			}
			scaled(0, t, alpha)
		}
		if g.wants(1) {
			t := g.zero(1)
			switch {
			case t.n == 0 || d.n == 0:
			case tb: // dB [n, k] = dYᵀ·op(A)
				kernel.GemmParallel(g.threads, true, ta, n, k, m, dy, view[float32](g.in[0]), view[float32](t), false)
			default:
				kernel.GemmParallel(g.threads, !ta, false, k, n, m, view[float32](g.in[0]), dy, view[float32](t), false)
			}
			scaled(1, t, alpha)
		}
		if g.wants(2) {
			t := g.zero(2)
			sumInto(t, d)
			scaled(2, t, beta)
		}
		return nil
	}
	return p, nil
}, 0, 1, 2)
