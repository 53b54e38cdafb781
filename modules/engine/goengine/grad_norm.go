package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

var normGrads = map[string]gradient{
	"Softmax":                   softmaxGrad(false),
	"LogSoftmax":                softmaxGrad(true),
	"BatchNormalization":        batchNormGrad,
	"InstanceNormalization":     groupNormGrad(false),
	"GroupNormalization":        groupNormGrad(true),
	"LayerNormalization":        layerNormGrad,
	"LpNormalization":           lpNormGrad,
	"LRN":                       lrnGrad,
	"MeanVarianceNormalization": mvnGrad,

	internalDomain + ".LastNorm": lastNormGrad,
}

// softmaxGrad: dx = y∘(dy − ⟨dy, y⟩), and of its logarithm dy − e^y·Σdy.
func softmaxGrad(log bool) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		old := s.opset < 13
		axis := s.int("axis", -1)
		if old {
			axis = s.int("axis", 1)
		}
		row := func(dx, dy, y []float32) {
			if log {
				sum := kernel.Sum(dy)
				for i, v := range y {
					dx[i] = dy[i] - float32(math.Exp(float64(v)))*sum
				}
				return
			}
			dot := kernel.Dot(dy, y)
			kernel.SubScalar(dx, dy, dot)
			kernel.Mul(dx, dx, y)
		}
		return &pullback{out: keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			y := g.out[0]
			a := axis
			if !(old && a == len(y.shape)) {
				var err error
				if a, err = axisOf(axis, len(y.shape)); err != nil {
					return err
				}
			}
			outer, n, inner := product(y.shape[:a]), product(y.shape[a:]), 1
			if !old {
				outer, n, inner = splitAt(y.shape, a)
			}
			t := g.over(0, 0)
			dx, dy, ys := view[float32](t), view[float32](g.dout[0]), view[float32](y)
			if t.n == 0 {
				g.give(0, t)
				return nil
			}
			if inner == 1 {
				kernel.Parallel(threadsFor(g.threads, t.n), outer, 1, func(_, i, j int) {
					for ; i < j; i++ {
						row(dx[i*n:(i+1)*n], dy[i*n:(i+1)*n], ys[i*n:(i+1)*n])
					}
				})
				g.give(0, t)
				return nil
			}
			buf, res, val := g.floats(n), g.floats(n), g.floats(n)
			for o := range outer {
				for i := range inner {
					for k := range n {
						at := (o*n+k)*inner + i
						buf[k], val[k] = dy[at], ys[at]
					}
					row(res, buf, val)
					for k := range n {
						dx[(o*n+k)*inner+i] = res[k]
					}
				}
			}
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
}

// normRowGrad is the product of a row's normalisation x̂ = (x−m)/√(v+ε): dx =
// (d − mean(d) − x̂·mean(d∘x̂))/√(v+ε); hat holds x̂ and dx may be d.
func normRowGrad(dx, d, hat []float32, inv float32, tmp []float32) {
	n := float32(len(d))
	mean, along := kernel.Sum(d)/n, kernel.Dot(d, hat)/n
	kernel.MulScalar(tmp, hat, along)
	kernel.SubScalar(dx, d, mean)
	kernel.Sub(dx, dx, tmp[:len(dx)])
	kernel.MulScalar(dx, dx, inv)
}

var layerNormGrad = func() gradient {
	g := differentiable(func(s *spec, want []bool) (*pullback, error) {
		epsilon, axis := s.float("epsilon", 1e-5), s.int("axis", -1)
		return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
			a, err := axisOf(axis, len(g.in[0].shape))
			if err != nil {
				return err
			}
			if g.dout[0] == nil {
				return fmt.Errorf("gradients of mean and deviation are not computed")
			}
			return rowsNormGrad(g, product(g.in[0].shape[a:]), epsilon)
		}}, nil
	}, 0, 1, 2)
	g.of, g.lost = []int{0}, []int{1, 2}
	return g
}()

var lastNormGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	epsilon := s.float("epsilon", 1e-5)
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		return rowsNormGrad(g, g.in[0].shape[len(g.in[0].shape)-1], epsilon)
	}}, nil
}, 0, 1, 2)

// rowsNormGrad covers normalisations of rows of n elements with an optional
// scale (input 1) and shift (input 2).
func rowsNormGrad(g *gcall, n int, epsilon float32) error {
	x, d, scale := g.in[0], g.dout[0], g.input(1)
	dy := view[float32](d)
	rows := 0
	if n > 0 {
		rows = d.n / n
	}
	if g.wants(2) {
		t := g.zero(2)
		for i := range rows {
			kernel.Add(view[float32](t), view[float32](t), dy[i*n:(i+1)*n])
		}
		g.give(2, t)
	}
	xs := view[float32](x)
	if g.wants(1) {
		t := g.zero(1)
		hat := g.floats(n)
		for i := range rows {
			normalizeRow(hat, xs[i*n:(i+1)*n], epsilon)
			kernel.Mul(hat, hat, dy[i*n:(i+1)*n])
			kernel.Add(view[float32](t), view[float32](t), hat)
		}
		g.give(1, t)
	}
	if !g.wants(0) {
		return nil
	}
	t := g.over(0, 0)
	dx := view[float32](t)
	workers := threadsFor(g.threads, d.n)
	hats, tmps := g.floats(workers*n), g.floats(workers*n)
	kernel.Parallel(workers, rows, 1, func(w, i, j int) {
		hat, tmp := hats[w*n:(w+1)*n], tmps[w*n:(w+1)*n]
		for ; i < j; i++ {
			_, inv := normalizeRow(hat, xs[i*n:(i+1)*n], epsilon)
			row := dx[i*n : (i+1)*n]
			if scale != nil {
				kernel.Mul(row, dy[i*n:(i+1)*n], view[float32](scale))
			} else {
				copy(row, dy[i*n:(i+1)*n])
			}
			normRowGrad(row, row, hat, inv, tmp)
		}
	})
	g.give(0, t)
	return nil
}

// groupNormGrad covers InstanceNormalization, whose groups are the channels,
// and GroupNormalization.
func groupNormGrad(grouped bool) gradient {
	return differentiable(func(s *spec, want []bool) (*pullback, error) {
		epsilon, groups := s.float("epsilon", 1e-5), s.int("num_groups", 1)
		return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
			x, d := g.in[0], g.dout[0]
			ch, inner := x.shape[1], product(x.shape[2:])
			groups := groups
			if !grouped {
				groups = ch
			}
			n := ch / groups * inner
			params := product(g.in[1].shape) // one a channel, or one a group
			at := func(k int) int { return k * params / ch }
			dy, xs, w := view[float32](d), view[float32](x), view[float32](g.in[1])
			if g.wants(2) {
				t := g.zero(2)
				for k := range x.shape[0] * ch {
					view[float32](t)[at(k%ch)] += kernel.Sum(dy[k*inner : (k+1)*inner])
				}
				g.give(2, t)
			}
			hat, tmp := g.floats(n), g.floats(n)
			var dscale *tensor
			if g.wants(1) {
				dscale = g.zero(1)
			}
			t := g.frame.gradient(x.shape)
			dx := view[float32](t)
			for from := 0; from < d.n; from += n {
				_, inv := normalizeRow(hat, xs[from:from+n], epsilon)
				row := dx[from : from+n]
				first := from / inner % ch
				for k := range ch / groups {
					part, p := dy[from+k*inner:from+(k+1)*inner], at(first+k)
					if dscale != nil {
						view[float32](dscale)[p] += kernel.Dot(part, hat[k*inner:(k+1)*inner])
					}
					kernel.MulScalar(row[k*inner:(k+1)*inner], part, w[p])
				}
				normRowGrad(row, row, hat, inv, tmp)
			}
			g.giveOrFree(0, []*tensor{t, dscale})
			return nil
		}}, nil
	}, 0, 1, 2)
}

// batchNormGrad: outside training a scale by channel.
var batchNormGrad = func() gradient {
	g := differentiable(func(s *spec, want []bool) (*pullback, error) {
		epsilon, training := s.float("epsilon", 1e-5), s.int("training_mode", 0) == 1
		act := s.fused
		p := &pullback{in: keep(1, 4)}
		if training || want[1] {
			p.in |= keep(0, 3)
		}
		if act.name != "" {
			p.out = keep(0)
		}
		p.pull = func(g *gcall) error {
			g.deactivate(act)
			x, d := g.in[0], g.dout[0]
			batch, ch, inner := x.shape[0], x.shape[1], product(x.shape[2:])
			dy, scale, variance := view[float32](d), view[float32](g.in[1]), view[float32](g.in[4])
			var mean []float32
			if training {
				mean, variance = channelMoments(view[float32](x), batch, ch, inner)
			} else if g.wants(1) {
				mean = view[float32](g.in[3])
			}
			if g.wants(2) {
				g.give(2, channelSums(g, 2, d))
			}
			inv := func(k int) float32 { return 1 / float32(math.Sqrt(float64(variance[k]+epsilon))) }
			// Σ d and Σ d∘x̂ by channel
			sums, along := make([]float64, ch), make([]float64, ch)
			if training || g.wants(1) {
				xs := view[float32](x)
				for at, k := 0, 0; at < d.n; at, k = at+inner, (k+1)%ch {
					for i, v := range dy[at : at+inner] {
						sums[k] += float64(v)
						along[k] += float64(v) * float64((xs[at+i]-mean[k])*inv(k))
					}
				}
			}
			if g.wants(1) {
				t := g.fresh(1)
				for k := range along {
					view[float32](t)[k] = float32(along[k])
				}
				g.give(1, t)
			}
			if !g.wants(0) {
				return nil
			}
			t := g.over(0, 0)
			dx := view[float32](t)
			n := float64(batch * inner)
			for at, k := 0, 0; at < d.n; at, k = at+inner, (k+1)%ch {
				f := scale[k] / float32(math.Sqrt(float64(variance[k]+epsilon)))
				if !training {
					kernel.MulScalar(dx[at:at+inner], dy[at:at+inner], f)
					continue
				}
				m, a, xs := float32(sums[k]/n), float32(along[k]/n), view[float32](x)
				for i := at; i < at+inner; i++ {
					dx[i] = f * (dy[i] - m - (xs[i]-mean[k])*inv(k)*a)
				}
			}
			g.give(0, t)
			return nil
		}
		return p, nil
	}, 0, 1, 2)
	g.of, g.lost = []int{0}, []int{1, 2, 3, 4}
	return g
}()

// lpNormGrad: y = x/‖x‖; dx = (d − y·⟨d, ∂‖x‖·…⟩)/‖x‖.
var lpNormGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axis, p := s.int("axis", -1), s.int("p", 2)
	return &pullback{in: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x := g.in[0]
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		t := g.fresh(0)
		outer, n, inner := splitAt(x.shape, a)
		dx, dy, xs := view[float32](t), view[float32](g.dout[0]), view[float32](x)
		op := redL2
		if p == 1 {
			op = redL1
		}
		for o := range outer {
			for i := range inner {
				at := o*n*inner + i
				norm := float64(fold(op, xs, at, n, inner))
				dot := 0.0
				for k := range n {
					dot += float64(dy[at+k*inner]) * float64(xs[at+k*inner])
				}
				for k := range n {
					v := float64(xs[at+k*inner])
					slope := v / norm
					if p == 1 {
						slope = sign(v)
					}
					dx[at+k*inner] = float32((float64(dy[at+k*inner]) - dot/norm*slope) / norm)
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

// lrnGrad: y = x·q^−β with q = bias + α/n·Σx²; dx = d·q^−β − 2βα/n·x·Σ d·y/q, the sum
// over the channels whose windows hold x.
var lrnGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	alpha, beta, bias, size := float64(s.float("alpha", 1e-4)), float64(s.float("beta", 0.75)), float64(s.float("bias", 1)), s.int("size", 1)
	return &pullback{in: keep(0), out: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		t := g.over(0, 0)
		shape := g.in[0].shape
		l := &lrn{dst: view[float32](t), src: view[float32](g.in[0]), ch: shape[1], inner: product(shape[2:]), before: (size - 1) / 2, after: size / 2,
			scale: float32(alpha / float64(size)), bias: float32(bias), beta: beta}
		ys, dy := view[float32](g.out[0]), view[float32](g.dout[0])
		const block = 512
		room := g.floats(l.ch * block)
		var q, power [block]float32
		for b := range shape[0] {
			for at := 0; at < l.inner; at += block {
				n := min(block, l.inner-at)
				q, power := q[:n], power[:n]
				for k := range l.ch { // d·y/q, and d·q^−β
					from := (b*l.ch+k)*l.inner + at
					l.base(q, power, b*l.ch+k, at)
					w := room[k*block:][:n]
					kernel.Mul(w, dy[from:from+n], ys[from:from+n])
					kernel.Div(w, w, q)
					l.power(power, q)
					kernel.Div(l.dst[from:from+n], dy[from:from+n], power)
				}
				for k := range l.ch {
					from := (b*l.ch+k)*l.inner + at
					sum := q
					clear(sum)
					for c := max(0, k-l.after); c <= min(l.ch-1, k+l.before); c++ {
						kernel.Add(sum, sum, room[c*block:][:n])
					}
					kernel.Mul(sum, sum, l.src[from:from+n])
					kernel.Axpy(-2*float32(beta)*l.scale, sum, l.dst[from:from+n])
				}
			}
		}
		g.give(0, t)
		return nil
	}}, nil
}, 0)

var mvnGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	axes := s.ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	return &pullback{in: keep(0), out: keep(0), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		x, y := view[float32](g.in[0]), view[float32](g.out[0])
		shape, err := keptShape(g.in[0].shape, axes)
		if err != nil {
			return err
		}
		t := g.fresh(0)
		dx, dy := view[float32](t), view[float32](g.dout[0])
		groups := product(shape)
		if t.n == 0 {
			g.give(0, t)
			return nil
		}
		n := float64(t.n / groups)
		w := newWalk2(g.in[0].shape, shape, g.in[0].shape)
		each := func(f func(i, group int)) {
			w.each(func(o, a, _ int) {
				for k := range w.n {
					f(o+k, a+k*w.sa)
				}
			})
		}
		// deviations from x and y: x − m = y·(sd + 1e-9)
		mean, sq, sum, along := make([]float64, groups), make([]float64, groups), make([]float64, groups), make([]float64, groups)
		each(func(i, k int) {
			mean[k] += float64(x[i]) / n
			sum[k] += float64(dy[i]) / n
			along[k] += float64(dy[i]) * float64(y[i]) / n
		})
		each(func(i, k int) { d := float64(x[i]) - mean[k]; sq[k] += d * d / n })
		each(func(i, k int) {
			sd := math.Sqrt(sq[k])
			whole := sd + 1e-9
			v := (float64(dy[i]) - sum[k]) / whole
			if sd > 0 {
				v -= along[k] * (float64(x[i]) - mean[k]) / (sd * whole)
			}
			dx[i] = float32(v)
		})
		g.give(0, t)
		return nil
	}}, nil
}, 0)
