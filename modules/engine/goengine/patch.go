package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// Operators on parts of pictures.
var patchTable = map[string]operator{
	"AffineGrid":    {build: buildAffineGrid},
	"CenterCropPad": {native: true, build: buildCenterCropPad},
	"Col2Im":        {build: buildCol2Im},
	"DeformConv":    {build: buildDeformConv},
}

// buildAffineGrid makes the positions that GridSample reads, by a matrix for
// each batch.
func buildAffineGrid(s *spec) (operation, error) {
	align := s.int("align_corners", 0) == 1
	return func(c *call) error {
		theta, _, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(theta); err != nil {
			return err
		}
		size, err := c.intsOf(1)
		if err != nil {
			return err
		}
		d := len(size) - 2
		if (d != 2 && d != 3) || !slices.Equal(theta.shape, []int{size[0], d, d + 1}) {
			return fmt.Errorf("matrices %v do not fit size %v", theta.shape, size)
		}
		shape := append([]int{size[0]}, size[2:]...)
		out, err := c.output(0, f32, append(shape, d)...)
		if err != nil {
			return err
		}
		at := func(i, n int) float64 {
			switch {
			case !align:
				return (2*float64(i)+1)/float64(n) - 1
			case n > 1:
				return 2*float64(i)/float64(n-1) - 1
			}
			return -1
		}
		dst, m := view[float32](out), view[float32](theta)
		points := product(size[2:])
		index := make([]int, d)
		p := make([]float64, d+1) // the last dimension first, then 1
		p[d] = 1
		for b := range size[0] {
			clear(index)
			for i := range points {
				for k := range d {
					p[d-1-k] = at(index[k], size[2+k])
				}
				for r := range d {
					var v float64
					for k, x := range p {
						v += float64(m[(b*d+r)*(d+1)+k]) * x
					}
					dst[(b*points+i)*d+r] = float32(v)
				}
				advanceIndex(index, size[2:])
			}
		}
		return nil
	}, nil
}

func buildCenterCropPad(s *spec) (operation, error) {
	axesAttr := s.ints("axes")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		want, err := c.intsOf(1)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		axes := axesAttr
		if axes == nil {
			for i := range rank {
				axes = append(axes, i)
			}
		}
		if len(want) != len(axes) || rank > maxRank {
			return fmt.Errorf("shape %v does not fit axes %v", want, axes)
		}
		shape, from, to := slices.Clone(x.shape), make([]int, rank), make([]int, rank)
		inner := slices.Clone(x.shape) // what is copied
		for i, a := range axes {
			if a, err = axisOf(a, rank); err != nil {
				return err
			}
			shape[a] = want[i]
			if d := want[i] - x.shape[a]; d < 0 {
				from[a], inner[a] = -d/2, want[i]
			} else {
				to[a] = d / 2
			}
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		fillWith(out, newTensor(x.dt, 1))
		if product(inner) == 0 {
			return nil
		}
		st, dst := stridesOf(x.shape), stridesOf(shape)
		base, start := 0, 0
		for a := range rank {
			base, start = base+from[a]*st[a], start+to[a]*dst[a]
		}
		if rank == 0 {
			copyElems(out, x)
			return nil
		}
		last := rank - 1
		eachIndex(inner[:last], st[:last], func(i, offset int) {
			at := start
			for a, rest := last-1, i; a >= 0; a-- {
				at += rest % inner[a] * dst[a]
				rest /= inner[a]
			}
			copyRange(out, at, x, base+offset, inner[last])
		})
		return nil
	}, nil
}

// buildCol2Im adds up the columns that a convolution's windows would be: the
// transpose of unfolding.
func buildCol2Im(s *spec) (operation, error) {
	w := newWindow(s)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		image, err := c.intsOf(1)
		if err != nil {
			return err
		}
		image = slices.Clone(image)
		block, err := c.intsOf(2)
		if err != nil {
			return err
		}
		block = slices.Clone(block)
		g, err := w.resolve(image, block)
		if err != nil {
			return err
		}
		taps, windows := product(block), product(g.out)
		if len(x.shape) != 3 || taps == 0 || x.shape[1]%taps != 0 || x.shape[2] != windows {
			return fmt.Errorf("%v does not hold %d windows of %v", x.shape, windows, block)
		}
		ch := x.shape[1] / taps
		out, err := c.output(0, f32, append([]int{x.shape[0], ch}, image...)...)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		clear(dst)
		plane := product(image)
		at, tap := make([]int, len(image)), make([]int, len(image))
		for p := range x.shape[0] * ch {
			clear(tap)
			for t := range taps {
				clear(at)
				for i := range windows {
					to, inside := 0, true
					for a := range image {
						q := at[a]*g.stride[a] + tap[a]*g.dilation[a] - g.begin[a]
						inside = inside && q >= 0 && q < image[a]
						to = to*image[a] + q
					}
					if inside {
						dst[p*plane+to] += src[(p*taps+t)*windows+i]
					}
					advanceIndex(at, g.out)
				}
				advanceIndex(tap, block)
			}
		}
		return nil
	}, nil
}

// deformConv is a convolution whose taps lie where offsets put them (Dai et al.
// 2017), weighed by a mask (Zhu et al. 2019).
type deformConv struct {
	window               window
	groups, offsetGroups int
}

func newDeformConv(s *spec) *deformConv {
	return &deformConv{newWindow(s), s.int("group", 1), s.int("offset_group", 1)}
}

func buildDeformConv(s *spec) (operation, error) { return newDeformConv(s).run, nil }

// check checks a call's operands.
func (d *deformConv) check(c *call) (*geometry, error) {
	if err := c.first(3); err != nil {
		return nil, err
	}
	x, weights, offset, bias, mask := c.in[0], c.in[1], c.in[2], c.input(3), c.input(4)
	if err := wantF32(c.in...); err != nil {
		return nil, err
	}
	if len(x.shape) != 4 || len(weights.shape) != 4 {
		return nil, fmt.Errorf("wants pictures, got %s", describeAll(c.in))
	}
	g, err := d.window.resolve(x.shape[2:], weights.shape[2:])
	if err != nil {
		return nil, err
	}
	batch, ic, oc, taps, n := x.shape[0], x.shape[1], weights.shape[0], product(g.kernel), product(g.out)
	if d.groups < 1 || d.offsetGroups < 1 || ic != weights.shape[1]*d.groups || oc%d.groups != 0 || ic%d.offsetGroups != 0 ||
		!slices.Equal(offset.shape, []int{batch, d.offsetGroups * taps * 2, g.out[0], g.out[1]}) || (bias != nil && bias.n != oc) ||
		(mask != nil && mask.n != batch*d.offsetGroups*taps*n) {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	return g, nil
}

// each calls f with every number that picture b is unfolded to: its channel, its
// place in [channels, taps, positions], where the row's offset lies (the column's is
// as many numbers further as there are positions), its place in the mask, and where
// it is read.
func (d *deformConv) each(c *call, g *geometry, b int, f func(ch, column, offset, mask int, y, x float64)) {
	ic, taps, n := c.in[0].shape[1], product(g.kernel), product(g.out)
	off, perOffset := view[float32](c.in[2]), ic/d.offsetGroups
	for ch := range ic {
		for t := range taps {
			ky, kx := t/g.kernel[1], t%g.kernel[1]
			weight := ((b*d.offsetGroups+ch/perOffset)*taps + t) * n
			for i := range n {
				y := float64(i/g.out[1]*g.stride[0]+ky*g.dilation[0]-g.begin[0]) + float64(off[2*weight+i])
				x := float64(i%g.out[1]*g.stride[1]+kx*g.dilation[1]-g.begin[1]) + float64(off[2*weight+n+i])
				f(ch, (ch*taps+t)*n+i, 2*weight+i, weight+i, y, x)
			}
		}
	}
}

// unfold fills columns [channels, taps, positions] of picture b.
func (d *deformConv) unfold(c *call, g *geometry, b int, columns []float32) {
	src, plane, ic := view[float32](c.in[0]), product(g.in), c.in[0].shape[1]
	var mask []float32
	if t := c.input(4); t != nil {
		mask = view[float32](t)
	}
	d.each(c, g, b, func(ch, column, _, weight int, y, x float64) {
		v := float32(bilinear(src[(b*ic+ch)*plane:][:plane], g.in, y, x))
		if mask != nil {
			v *= mask[weight]
		}
		columns[column] = v
	})
}

// corners calls f with the elements around a place in a picture, their weights by row
// and column and the slopes of these; there is nothing beyond the edges.
func corners(size []int, y, x float64, f func(at int, wy, wx, sy, sx float64)) {
	if !(y > -1 && x > -1 && y < float64(size[0]) && x < float64(size[1])) {
		return
	}
	y0, x0 := math.Floor(y), math.Floor(x)
	for i := range 2 {
		row, wy, sy := int(y0)+i, 1-(y-y0), -1.0
		if i == 1 {
			wy, sy = y-y0, 1
		}
		if row < 0 || row >= size[0] {
			continue
		}
		for j := range 2 {
			column, wx, sx := int(x0)+j, 1-(x-x0), -1.0
			if j == 1 {
				wx, sx = x-x0, 1
			}
			if column >= 0 && column < size[1] {
				f(row*size[1]+column, wy, wx, sy, sx)
			}
		}
	}
}

// bilinear reads between the elements of a picture.
func bilinear(plane []float32, size []int, y, x float64) (v float64) {
	corners(size, y, x, func(at int, wy, wx, _, _ float64) { v += wy * wx * float64(plane[at]) })
	return v
}

func (d *deformConv) run(c *call) error {
	g, err := d.check(c)
	if err != nil {
		return err
	}
	x, weights, bias := c.in[0], c.in[1], c.input(3)
	batch, ic, oc, taps, n := x.shape[0], x.shape[1], weights.shape[0], product(g.kernel), product(g.out)
	out, err := c.output(0, f32, batch, oc, g.out[0], g.out[1])
	if err != nil {
		return err
	}
	dst, columns := view[float32](out), make([]float32, ic*taps*n)
	depth, rows := ic/d.groups*taps, oc/d.groups
	for b := range batch {
		d.unfold(c, g, b, columns)
		for k := range d.groups {
			kernel.Gemm(false, false, rows, n, depth, view[float32](weights)[k*rows*depth:], columns[k*depth*n:], dst[(b*oc+k*rows)*n:], false)
		}
		if bias != nil {
			for o := range oc {
				row := dst[(b*oc+o)*n : (b*oc+o+1)*n]
				kernel.AddScalar(row, row, view[float32](bias)[o])
			}
		}
	}
	return nil
}
