package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var reduceGrads = map[string]gradient{
	"ReduceSum":       reduceGrad(redSum),
	"ReduceMean":      reduceGrad(redMean),
	"ReduceMax":       reduceGrad(redMax),
	"ReduceMin":       reduceGrad(redMin),
	"ReduceProd":      reduceGrad(redProd),
	"ReduceL1":        reduceGrad(redL1),
	"ReduceL2":        reduceGrad(redL2),
	"ReduceSumSquare": reduceGrad(redSumSquare),
	"ReduceLogSum":    reduceGrad(redLogSum),
	"ReduceLogSumExp": reduceGrad(redLogSumExp),
	"CumSum":          cumulativeGrad(false),
	"CumProd":         cumulativeGrad(true),

	"GlobalAveragePool": globalGrad(redMean),
	"GlobalMaxPool":     globalGrad(redMax),
}

// keptShape is the shape of a reduction that keeps its dimensions, as 1.
func keptShape(shape, axes []int) ([]int, error) {
	kept := slices.Clone(shape)
	for _, a := range axes {
		a, err := axisOf(a, len(shape))
		if err != nil {
			return nil, err
		}
		kept[a] = 1
	}
	if len(axes) == 0 {
		for i := range kept {
			kept[i] = 1
		}
	}
	return kept, nil
}

func reduceGrad(op reduceOp) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		attr, noop := s.ints("axes"), s.int("noop_with_empty_axes", 0) == 1
		p := reducePullback(op, func(g *gcall) ([]int, error) {
			axes, err := axesOf(g.call, 1, attr)
			if err != nil {
				return nil, err
			}
			if len(axes) == 0 && noop {
				return slices.Clone(g.in[0].shape), nil
			}
			return keptShape(g.in[0].shape, axes)
		})
		p.in |= keep(1)
		return p, nil
	}, 0)
}

func globalGrad(op reduceOp) gradient {
	return differentiable(func(*spec, []bool) (*pullback, error) {
		return reducePullback(op, func(g *gcall) ([]int, error) { return g.out[0].shape, nil }), nil
	}, 0)
}

// reducePullback is the product of a reduction whose result has the elements
// of shape kept, which repeated gives the input's.
func reducePullback(op reduceOp, kept func(g *gcall) ([]int, error)) *pullback {
	p := &pullback{}
	if op != redSum && op != redMean {
		p.in, p.out = keep(0), keep(0)
	}
	p.pull = func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		shape, err := kept(g)
		if err != nil {
			return err
		}
		x, d := g.in[0], g.dout[0]
		if product(shape) != d.n {
			return fmt.Errorf("gradient %v does not fit %v", d.shape, shape)
		}
		t := g.fresh(0)
		if t.n == 0 {
			g.give(0, t)
			return nil
		}
		w := newWalk2(x.shape, shape, x.shape)
		dst, dy := view[float32](t), view[float32](d)
		if op == redSum || op == redMean {
			scale := float32(1)
			if op == redMean {
				scale = 1 / float32(t.n/d.n)
			}
			w.each(func(o, a, _ int) {
				run := dst[o : o+w.n]
				if w.sa == 1 {
					kernel.MulScalar(run, dy[a:a+w.n], scale)
					return
				}
				fill(run, dy[a]*scale)
			})
			g.give(0, t)
			return nil
		}
		xs, ys := view[float32](x), view[float32](g.out[0])
		var ties []float32
		if op == redMax || op == redMin {
			ties = make([]float32, d.n)
			w.each(func(o, a, _ int) {
				for k := range w.n {
					if xs[o+k] == ys[a+k*w.sa] {
						ties[a+k*w.sa]++
					}
				}
			})
		}
		var prods *prodRest
		if op == redProd {
			prods = newProdRest(&w, xs, d.n)
		}
		w.each(func(o, a, _ int) {
			for k := range w.n {
				i := a + k*w.sa
				v, y, dv := xs[o+k], ys[i], dy[i]
				switch op {
				case redMax, redMin:
					if v == y {
						dst[o+k] = dv / ties[i]
					} else {
						dst[o+k] = 0
					}
				case redProd:
					dst[o+k] = dv * prods.without(i, v)
				case redL1:
					dst[o+k] = dv * float32(sign(float64(v)))
				case redL2:
					dst[o+k] = 0
					if y != 0 {
						dst[o+k] = dv * v / y
					}
				case redSumSquare:
					dst[o+k] = dv * 2 * v
				case redLogSum:
					dst[o+k] = dv * float32(math.Exp(-float64(y)))
				case redLogSumExp:
					dst[o+k] = dv * float32(math.Exp(float64(v-y)))
				}
			}
		})
		g.give(0, t)
		return nil
	}
	return p
}

// prodRest knows the products of all elements but one, zeros among them.
type prodRest struct {
	rest  []float64 // product of the elements that are not zero
	zeros []int
}

func newProdRest(w *walk2, xs []float32, n int) *prodRest {
	p := &prodRest{rest: slices.Repeat([]float64{1}, n), zeros: make([]int, n)}
	w.each(func(o, a, _ int) {
		for k := range w.n {
			if v := xs[o+k]; v == 0 {
				p.zeros[a+k*w.sa]++
			} else {
				p.rest[a+k*w.sa] *= float64(v)
			}
		}
	})
	return p
}

// without is the product of result i without its factor v.
func (p *prodRest) without(i int, v float32) float32 {
	switch {
	case v == 0 && p.zeros[i] == 1:
		return float32(p.rest[i])
	case p.zeros[i] > 0:
		return 0
	}
	return float32(p.rest[i] / float64(v))
}

// cumulativeGrad: a running sum's gradient is the sum from the other end. Of a
// running product y it is that of dy∘y over x, taken factor by factor so that
// zeros do no harm.
func cumulativeGrad(multiply bool) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		exclusive, reverse := s.int("exclusive", 0) == 1, s.int("reverse", 0) == 1
		p := &pullback{in: keep(1)}
		if multiply {
			p.in |= keep(0)
		}
		p.pull = func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			axes, err := g.intsOf(1)
			if err != nil || len(axes) != 1 {
				return fmt.Errorf("axis is no single integer")
			}
			a, err := axisOf(axes[0], len(g.in[0].shape))
			if err != nil {
				return err
			}
			t := g.fresh(0)
			outer, n, inner := splitAt(t.shape, a)
			dx, dy := view[float32](t), view[float32](g.dout[0])
			var x []float32
			if multiply {
				x = view[float32](g.in[0])
			}
			for o := range outer {
				for i := range inner {
					at := func(k int) int {
						if reverse {
							k = n - 1 - k
						}
						return (o*n+k)*inner + i
					}
					if multiply {
						productsBack(n, exclusive, func(k int) float64 { return float64(x[at(k)]) }, func(k int) float64 { return float64(dy[at(k)]) },
							func(k int, v float64) { dx[at(k)] = float32(v) })
						continue
					}
					sum := float32(0)
					for k := n - 1; k >= 0; k-- {
						if exclusive {
							dx[at(k)] = sum
							sum += dy[at(k)]
						} else {
							sum += dy[at(k)]
							dx[at(k)] = sum
						}
					}
				}
			}
			g.give(0, t)
			return nil
		}
		return p, nil
	}, 0)
}

// productsBack is the product of running products y_k = Π x_j over j ≤ k, or
// j < k: dx_j = Σ_k dy_k·Π x_i without x_j, by Horner's rule from the end.
func productsBack(n int, exclusive bool, x, dy func(k int) float64, dx func(k int, v float64)) {
	before := make([]float64, n) // product of the elements before k
	p := 1.0
	for k := range n {
		before[k] = p
		p *= x(k)
	}
	rest := 0.0 // Σ over later k of dy_k·Π of the elements between
	for k := n - 1; k >= 0; k-- {
		if exclusive {
			dx(k, before[k]*rest)
			rest = dy(k) + x(k)*rest
			continue
		}
		rest += dy(k)
		dx(k, before[k]*rest)
		rest *= x(k)
	}
}
