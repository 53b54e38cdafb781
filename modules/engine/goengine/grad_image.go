package goengine

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

var imageGrads = map[string]gradient{
	"Resize":     resizeGrad(newResize),
	"Upsample":   resizeGrad(newUpsample),
	"GridSample": gridSampleGrad,
	"RoiAlign":   roiAlignGrad,
	"MaxRoiPool": maxRoiPoolGrad,
	"DeformConv": deformConvGrad,
}

// resizeGrad undoes dimension after dimension, the last one first.
func resizeGrad(read func(s *spec) (*resizeMode, func(c *call) (*resizing, error))) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		m, measure := read(s)
		return &pullback{in: everything &^ keep(0), pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			z, err := measure(g.call)
			if err != nil {
				return err
			}
			x := g.in[0].shape
			cur := view[float32](g.dout[0])
			for a := len(x) - 1; a >= 0; a-- {
				r := z.sampler(m, a, x[a])
				if r == nil {
					continue
				}
				// before this dimension was resampled the later ones had their
				// old sizes, and after it they still had
				outer, inner := product(z.out[:a]), product(x[a+1:])
				next := g.floats(outer * x[a] * inner)
				clear(next)
				r.back(next, cur, outer, x[a], inner)
				cur = next
			}
			t := g.fresh(0)
			copy(view[float32](t), cur)
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
}

// back adds gradients [outer, out, inner] to where [outer, in, inner] were read.
func (r *resampler) back(dx, dy []float32, outer, in, inner int) {
	out := len(r.index)
	for o := range outer {
		for y, index := range r.index {
			d := dy[(o*out+y)*inner : (o*out+y+1)*inner]
			for k, i := range index {
				kernel.Axpy(r.weights[y][k], d, dx[(o*in+i)*inner:(o*in+i+1)*inner])
			}
		}
	}
}

// gridSampleGrad is by the picture and by the grid.
var gridSampleGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	sampler, err := newGridSampler(s)
	if err != nil {
		return nil, err
	}
	p := &pullback{in: keep(1)}
	if want[1] {
		p.in |= keep(0)
	}
	p.pull = func(g *gcall) error {
		x, grid := g.in[0], g.in[1]
		rank := len(x.shape)
		d, space, points := rank-2, x.shape[2:], product(grid.shape[1:rank-1])
		plane := product(space)
		coords, dy := view[float32](grid), view[float32](g.dout[0])
		var dx, dg, src []float32
		given := make([]*tensor, 2)
		if g.wants(0) {
			given[0] = g.zero(0)
			dx = view[float32](given[0])
		}
		if g.wants(1) {
			given[1] = g.zero(1)
			dg, src = view[float32](given[1]), view[float32](x)
		}
		at, slope := make([]float64, d), make([]float64, d)
		for b := range x.shape[0] {
			for p := range points {
				for k := range d {
					at[d-1-k] = sampler.unnormalize(coords[(b*points+p)*d+k], space[d-1-k])
				}
				for ch := range x.shape[1] {
					i := b*x.shape[1] + ch
					v := float64(dy[i*points+p])
					if dx != nil {
						sampler.spread(dx[i*plane:(i+1)*plane], space, at, v)
					}
					if dg == nil {
						continue
					}
					sampler.slopes(src[i*plane:(i+1)*plane], space, at, slope)
					for k := range d {
						dg[(b*points+p)*d+k] += float32(v * slope[d-1-k] * sampler.unit(space[d-1-k]))
					}
				}
			}
		}
		g.giveOrFree(0, given)
		return nil
	}
	return p, nil
}, 0, 1)

// unit is the derivative of unnormalize.
func (g *gridSampler) unit(size int) float64 { return g.unnormalize(1, size) - g.unnormalize(0, size) }

// weigh calls f with the elements that a position in a dimension reads: their
// index, weight and the weight's derivative by the position.
func (g *gridSampler) weigh(p float64, size int, f func(i int, w, slope float64)) {
	take := func(i, w, slope float64) {
		if g.padding != "zeros" {
			i = math.Trunc(g.inside(i, size))
		}
		if i >= 0 && i < float64(size) {
			f(int(i), w, slope)
		}
	}
	if g.mode == "nearest" {
		take(math.RoundToEven(p), 1, 0)
		return
	}
	// padding folds the position over pieces of slope 1, 0 or −1
	const h = 1e-7
	fold := math.Round((g.bounded(p+h, size) - g.bounded(p-h, size)) / (2 * h))
	p = g.bounded(p, size)
	p0 := math.Floor(p)
	switch g.mode {
	case "cubic":
		for k := -1.0; k <= 2; k++ {
			take(p0+k, cubic(p-p0-k, -0.75), fold*cubicSlope(p-p0-k, -0.75))
		}
	default:
		take(p0, 1-(p-p0), -fold)
		if fold != 0 || p > p0 {
			take(p0+1, p-p0, fold)
		}
	}
}

// cubicSlope is the derivative of cubic.
func cubicSlope(d, a float64) float64 {
	s := sign(d)
	d = math.Abs(d)
	switch {
	case d <= 1:
		return s * (3*(a+2)*d - 2*(a+3)) * d
	case d < 2:
		return s * ((3*a*d-10*a)*d + 8*a)
	}
	return 0
}

// spread adds v to the elements that sample reads at a position, by weight.
func (g *gridSampler) spread(dx []float32, space []int, at []float64, v float64) {
	if len(space) == 0 {
		dx[0] += float32(v)
		return
	}
	inner := len(dx) / space[0]
	g.weigh(at[0], space[0], func(i int, w, _ float64) { g.spread(dx[i*inner:(i+1)*inner], space[1:], at[1:], v*w) })
}

// slopes fills the derivatives of sample by the position's numbers and returns
// its value.
func (g *gridSampler) slopes(x []float32, space []int, at, slope []float64) float64 {
	if len(space) == 0 {
		return float64(x[0])
	}
	inner := len(x) / space[0]
	rest, sums, own, value := slope[1:], make([]float64, len(slope)-1), 0.0, 0.0
	g.weigh(at[0], space[0], func(i int, w, d float64) {
		v := g.slopes(x[i*inner:(i+1)*inner], space[1:], at[1:], rest)
		value += w * v
		own += d * v
		for k, s := range rest {
			sums[k] += w * s
		}
	})
	slope[0] = own
	copy(rest, sums)
	return value
}

// roiAlignGrad is by the picture, for averages and maxima.
var roiAlignGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	r := newRoiAlign(s)
	p := &pullback{in: keep(1, 2)}
	if !r.average {
		p.in |= keep(0)
	}
	p.pull = func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		batch, err := g.intsOf(2)
		if err != nil {
			return err
		}
		t := g.zero(0)
		ch, h, w := t.shape[1], t.shape[2], t.shape[3]
		dx, dy, rois := view[float32](t), view[float32](g.dout[0]), view[float32](g.in[1])
		for i, b := range batch {
			for k := range ch {
				from := (b*ch + k) * h * w
				plane := dx[from : from+h*w]
				var x []float32
				if !r.average {
					x = view[float32](g.in[0])[from : from+h*w]
				}
				r.eachBin(rois[i*4:], func(bin int, samples func(f func(y, x float64)), count int) {
					d := float64(dy[(i*ch+k)*r.oh*r.ow+bin])
					best, top, weight := -1, math.Inf(-1), 0.0
					samples(func(sy, sx float64) {
						inside := roiCorners(h, w, sy, sx, func(at int, f float64) {
							switch {
							case r.average:
								plane[at] += float32(d * f / float64(count))
							case f*float64(x[at]) > top:
								best, top, weight = at, f*float64(x[at]), f
							}
						})
						if !inside && top < 0 { // it counts as 0
							best, top = -1, 0
						}
					})
					if best >= 0 {
						plane[best] += float32(d * weight)
					}
				})
			}
		}
		g.give(0, t)
		return nil
	}
	return p, nil
}, 0)

var maxRoiPoolGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newMaxRoiPool(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: keep(0, 1), pull: func(g *gcall) error {
		if !g.wants(0) {
			return nil
		}
		t := g.zero(0)
		dx, dy := view[float32](t), view[float32](g.dout[0])
		err := m.each(g.in[0], g.in[1], func(at, best int) {
			if best >= 0 {
				dx[best] += dy[at]
			}
		})
		g.give(0, t)
		return err
	}}, nil
}, 0)

// deformConvGrad is by picture, weights, offsets, bias and mask.
var deformConvGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	d := newDeformConv(s)
	return &pullback{in: everything, pull: d.pull}, nil
}, 0, 1, 2, 3, 4)

func (d *deformConv) pull(g *gcall) error {
	geo, err := d.check(g.call)
	if err != nil {
		return err
	}
	given := make([]*tensor, 5)
	grads := make([][]float32, 5)
	for i := range given {
		if g.input(i) != nil {
			given[i] = g.zero(i)
			grads[i] = view[float32](given[i])
		}
	}
	x, weights := g.in[0], view[float32](g.in[1])
	batch, ic, oc, taps, n := x.shape[0], x.shape[1], g.in[1].shape[0], product(geo.kernel), product(geo.out)
	columns, dColumns := g.floats(ic*taps*n), g.floats(ic*taps*n)
	src, plane := view[float32](x), product(geo.in)
	var mask []float32
	if t := g.input(4); t != nil {
		mask = view[float32](t)
	}
	depth, rows := ic/d.groups*taps, oc/d.groups // of a group's product
	for b := range batch {
		dy := view[float32](g.dout[0])[b*oc*n : (b+1)*oc*n]
		d.unfold(g.call, geo, b, columns)
		for k := range d.groups {
			w, own := weights[k*rows*depth:][:rows*depth], dy[k*rows*n:][:rows*n]
			kernel.Gemm(true, false, depth, n, rows, w, own, dColumns[k*depth*n:], false)
			kernel.Gemm(false, true, rows, depth, n, own, columns[k*depth*n:], grads[1][k*rows*depth:], true)
		}
		if grads[3] != nil {
			for o := range oc {
				grads[3][o] += kernel.Sum(dy[o*n : (o+1)*n])
			}
		}
		d.each(g.call, geo, b, func(ch, column, at, weight int, y, xx float64) {
			v := float64(dColumns[column])
			from := (b*ic + ch) * plane
			if mask != nil {
				grads[4][weight] += float32(v * bilinear(src[from:from+plane], geo.in, y, xx))
				v *= float64(mask[weight])
			}
			sy, sx := bilinearBack(grads[0][from:from+plane], src[from:from+plane], geo.in, y, xx, v)
			grads[2][at] += float32(v * sy)
			grads[2][at+n] += float32(v * sx)
		})
	}
	g.giveOrFree(0, given)
	return nil
}

// bilinearBack adds v to what bilinear reads, by weight, and returns the slopes of its
// value.
func bilinearBack(dx, x []float32, size []int, y, xx, v float64) (sy, sx float64) {
	corners(size, y, xx, func(at int, wy, wx, dy, dx2 float64) {
		dx[at] += float32(v * wy * wx)
		sy += float64(x[at]) * dy * wx
		sx += float64(x[at]) * wy * dx2
	})
	return sy, sx
}
