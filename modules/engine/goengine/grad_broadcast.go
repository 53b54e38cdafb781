package goengine

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// Products of the operators that broadcast their operands: gradients are
// summed over what an operand was repeated in.

var broadcastGrads = map[string]gradient{
	"Add":   binaryGrad(opAdd),
	"Sub":   binaryGrad(opSub),
	"Mul":   binaryGrad(opMul),
	"Div":   binaryGrad(opDiv),
	"Pow":   powGrad,
	"PRelu": preluGrad,
	"Mod":   modGrad,
	"Max":   extremeGrad(true),
	"Min":   extremeGrad(false),
	"Sum":   sumGrad(false),
	"Mean":  sumGrad(true),
	"Where": whereGrad,
}

// with computes d ∘ x in the shape of output 0, x being repeated.
func (g *gcall) with(op arithOp, d, x *tensor) (*tensor, error) {
	t := g.frame.gradient(d.shape)
	return t, arith(op, t, d, x, g.threads)
}

// binaryGrad covers the four operations.
func binaryGrad(op arithOp) gradient {
	return differentiable(func(s *spec, want []bool) (*pullback, error) {
		act := s.fused
		p := &pullback{}
		switch {
		case op == opMul && want[0]:
			p.in |= keep(1)
		case op == opDiv:
			p.in |= keep(1)
		}
		if op == opMul && want[1] {
			p.in |= keep(0)
		}
		if op == opDiv && want[1] || act.name != "" {
			p.out = keep(0)
		}
		p.pull = func(g *gcall) error {
			g.deactivate(act)
			d := g.dout[0]
			if g.wants(1) {
				if err := g.second(op, d); err != nil {
					return err
				}
			}
			if !g.wants(0) {
				return nil
			}
			if op == opAdd || op == opSub {
				g.giveShared(0, 0)
				return nil
			}
			if d.n == product(g.in[0].shape) {
				t := g.over(0, 0)
				t.shape = append(t.shape[:0], d.shape...)
				if err := arith(op, t, d, g.in[1], g.threads); err != nil {
					return err
				}
				g.giveReduced(0, t)
				return nil
			}
			if op == opMul && g.giveDots(0, d, g.in[1]) {
				return nil
			}
			t, err := g.with(op, d, g.in[1])
			if err == nil {
				g.giveReduced(0, t)
			}
			return err
		}
		return p, nil
	}, 0, 1)
}

// giveDots gives input i the sums of d ∘ x over what it was repeated in, where that is
// whole rows and x is of the output's shape, as when channels are weighed; else it does
// nothing and says so.
func (g *gcall) giveDots(i int, d, x *tensor) bool {
	if !slices.Equal(x.shape, d.shape) || x.n == 0 || product(g.in[i].shape) == d.n {
		return false
	}
	w := newWalk2(d.shape, g.in[i].shape, d.shape)
	if w.sa != 0 {
		return false
	}
	t := g.zero(i)
	dst, dy, xs := view[float32](t), view[float32](d), view[float32](x)
	w.each(func(_, a, b int) { dst[a] += kernel.Dot(dy[b:b+w.n], xs[b:b+w.n]) })
	g.give(i, t)
	return true
}

// second gives the gradient by the right operand.
func (g *gcall) second(op arithOp, d *tensor) error {
	var t *tensor
	var err error
	switch op {
	case opAdd:
		g.giveShared(1, 0)
		return nil
	case opSub:
		t, err = g.with(opMul, d, of(f32, []float32{-1}))
	case opMul:
		if g.giveDots(1, d, g.in[0]) {
			return nil
		}
		t, err = g.with(opMul, d, g.in[0])
	case opDiv: // −d·y/b
		if t, err = g.with(opMul, d, g.out[0]); err == nil {
			err = arith(opDiv, t, t, g.in[1], g.threads)
		}
		if err == nil {
			err = arith(opMul, t, t, of(f32, []float32{-1}), g.threads)
		}
	}
	if err != nil {
		return err
	}
	g.giveReduced(1, t)
	return nil
}

// pairwise fills dst, of the output's shape, from pairs of operands.
func (g *gcall) pairwise(a, b *tensor, f func(d, x, y float32) float32) *tensor {
	d := g.dout[0]
	t := g.frame.gradient(d.shape)
	if t.n == 0 {
		return t
	}
	w := newWalk2(d.shape, a.shape, b.shape)
	dst, dy, x, y := view[float32](t), view[float32](d), view[float32](a), view[float32](b)
	w.each(func(o, i, j int) {
		for k := range w.n {
			dst[o+k] = f(dy[o+k], x[i+k*w.sa], y[j+k*w.sb])
		}
	})
	return t
}

var powGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		a, b := g.in[0], g.in[1]
		if b.dt != f32 { // an integer exponent
			b = newTensor(f32, b.shape...)
			if err := cast(b, g.in[1]); err != nil {
				return err
			}
		}
		if g.wants(1) {
			g.giveReduced(1, g.pairwise(a, b, func(d, x, y float32) float32 {
				if x == 0 {
					return 0
				}
				return d * float32(math.Pow(float64(x), float64(y))*math.Log(float64(x)))
			}))
		}
		switch {
		case !g.wants(0):
		case b.n == 1 && a.n == g.dout[0].n:
			t := g.over(0, 0)
			g.slope(view[float32](t), view[float32](g.dout[0]), view[float32](a), powSlope(view[float32](b)[0]))
			g.give(0, t)
		default:
			g.giveReduced(0, g.pairwise(a, b, func(d, x, y float32) float32 { return d * powDerivative(x, y) }))
		}
		return nil
	}}, nil
}, 0, 1)

func powDerivative(x, y float32) float32 {
	if y == 0 {
		return 0
	}
	return y * float32(math.Pow(float64(x), float64(y-1)))
}

func powSlope(p float32) slope {
	return func(dx, dy, x []float32, tmp *scratchBlocks) {
		switch p {
		case 1:
			copy(dx, dy)
		case 2:
			for i, v := range x {
				dx[i] = dy[i] * (v + v)
			}
		case 3:
			for i, v := range x {
				dx[i] = dy[i] * (3 * v * v)
			}
		case 0.5:
			for i, v := range x {
				dx[i] = dy[i] * (0.5 / float32(math.Sqrt(float64(v))))
			}
		default:
			for i, v := range x {
				dx[i] = dy[i] * powDerivative(v, p)
			}
		}
	}
}

var preluGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		if g.wants(0) {
			g.giveReduced(0, g.pairwise(g.in[0], g.in[1], func(d, x, slope float32) float32 {
				if x < 0 {
					return d * slope
				}
				return d
			}))
		}
		if g.wants(1) {
			g.giveReduced(1, g.pairwise(g.in[0], g.in[1], func(d, x, _ float32) float32 { return d * min(x, 0) }))
		}
		return nil
	}}, nil
}, 0, 1)

// modGrad: a mod b = a − b·q with a q constant almost everywhere.
var modGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{in: keep(0, 1), out: keep(0), pull: func(g *gcall) error {
		if g.wants(0) {
			g.giveReduced(0, g.pairwise(g.in[0], g.in[1], func(d, _, _ float32) float32 { return d }))
		}
		if g.wants(1) {
			q := newTensor(f32, g.out[0].shape...)
			if err := arith(opSub, q, g.in[0], g.out[0], 1); err != nil {
				return err
			}
			if err := arith(opDiv, q, q, g.in[1], 1); err != nil {
				return err
			}
			g.giveReduced(1, g.pairwise(q, g.in[1], func(d, q, _ float32) float32 { return -d * float32(math.Round(float64(q))) }))
		}
		return nil
	}}, nil
}, 0, 1)

// extremeGrad gives the gradient to the operands that the result equals, in
// equal parts.
func extremeGrad(largest bool) gradient {
	return differentiable(func(s *spec, want []bool) (*pullback, error) {
		if len(want) == 2 {
			for i := range want {
				if c := floatConst(s.constant(1 - i)); c != nil && c.n == 1 && want[i] {
					return boundPullback(i, view[float32](c)[0], largest), nil
				}
			}
		}
		return &pullback{in: everything, out: keep(0), pull: func(g *gcall) error {
			y := g.out[0]
			ties := newTensor(f32, y.shape...)
			count := view[float32](ties)
			for _, x := range g.in {
				g.match(x, y, func(o int) { count[o]++ })
			}
			for i, x := range g.in {
				if !g.wants(i) {
					continue
				}
				t := g.frame.gradient(y.shape)
				dst, d := view[float32](t), view[float32](g.dout[0])
				clear(dst)
				g.match(x, y, func(o int) { dst[o] = d[o] / count[o] })
				g.giveReduced(i, t)
			}
			return nil
		}}, nil
	})
}

// boundPullback is for the larger, or smaller, of input i and a constant: the
// gradient passes where the result is not the constant.
func boundPullback(i int, bound float32, largest bool) *pullback {
	inf := float32(math.Inf(1))
	f := clipSlope(bound, inf)
	if !largest {
		f = clipSlope(-inf, bound)
	}
	return &pullback{out: keep(0), pull: func(g *gcall) error {
		if g.wants(i) {
			t := g.over(i, 0)
			g.slope(view[float32](t), view[float32](g.dout[0]), view[float32](g.out[0]), f)
			g.give(i, t)
		}
		return nil
	}}
}

// match calls f where x, repeated, equals y.
func (g *gcall) match(x, y *tensor, f func(o int)) {
	if y.n == 0 {
		return
	}
	w := newWalk2(y.shape, x.shape, y.shape)
	xs, ys := view[float32](x), view[float32](y)
	w.each(func(o, i, _ int) {
		for k := range w.n {
			if xs[i+k*w.sa] == ys[o+k] {
				f(o + k)
			}
		}
	})
}

func sumGrad(mean bool) gradient {
	return differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{pull: func(g *gcall) error {
			for i := range g.in {
				if !g.wants(i) {
					continue
				}
				if !mean {
					g.giveShared(i, 0)
					continue
				}
				t, err := g.with(opDiv, g.dout[0], of(f32, []float32{float32(len(g.in))}))
				if err != nil {
					return err
				}
				g.giveReduced(i, t)
			}
			return nil
		}}, nil
	})
}

var whereGrad = differentiable(func(*spec, []bool) (*pullback, error) {
	return &pullback{in: keep(0), pull: func(g *gcall) error {
		cond, d := g.in[0], g.dout[0]
		if !slices.Equal(cond.shape, d.shape) {
			wide := newTensor(bool8, d.shape...)
			copyStrided(wide, 0, cond, 0, d.shape, broadcastStrides(d.shape, cond.shape))
			cond = wide
		}
		c := view[uint8](cond)
		for _, i := range []int{1, 2} {
			if !g.wants(i) {
				continue
			}
			t := g.frame.gradient(d.shape)
			dst := view[float32](t)
			for k, v := range view[float32](d) {
				dst[k] = keepIf(v, (c[k] != 0) == (i == 1))
			}
			g.giveReduced(i, t)
		}
		return nil
	}}, nil
}, 1, 2)
