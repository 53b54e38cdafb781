package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var poolTable = map[string]operator{
	"MaxPool":           {build: buildMaxPool},
	"AveragePool":       {build: buildAveragePool},
	"LpPool":            {build: buildLpPool},
	"GlobalMaxPool":     {build: globalPool(redMax)},
	"GlobalAveragePool": {build: globalPool(redMean)},
	"GlobalLpPool":      {build: buildGlobalLpPool},
	"MaxUnpool":         {build: buildMaxUnpool},
}

// poolShape fits a window to an input [batch, channels, space…].
func poolShape(c *call, w *window) (x *tensor, g *geometry, shape []int, err error) {
	if x, err = c.need(0); err != nil {
		return nil, nil, nil, err
	}
	if len(x.shape) < 3 {
		return nil, nil, nil, fmt.Errorf("wants [batch, channels, space…], got %v", x.shape)
	}
	if g, err = w.fit(x.shape[2:]); err != nil {
		return nil, nil, nil, err
	}
	c.frame.lists = append(append(c.frame.lists[:0], x.shape[0], x.shape[1]), g.out...)
	return x, g, c.frame.lists, nil
}

// eachWindow calls f with every output position of a plane and the input
// positions of its window that lie inside the input.
func (g *geometry) eachWindow(f func(o int, positions []int)) {
	d := len(g.in)
	at, tap := make([]int, d), make([]int, d)
	positions := make([]int, 0, product(g.kernel))
	taps := product(g.kernel)
	for o := range product(g.out) {
		positions = positions[:0]
		clear(tap)
		for range taps {
			off, inside := 0, true
			for a := range d {
				p := at[a]*g.stride[a] + tap[a]*g.dilation[a] - g.begin[a]
				inside = inside && p >= 0 && p < g.in[a]
				off = off*g.in[a] + p
			}
			if inside {
				positions = append(positions, off)
			}
			advanceIndex(tap, g.kernel)
		}
		f(o, positions)
		advanceIndex(at, g.out)
	}
}

func buildMaxPool(s *spec) (operation, error) {
	w := newWindow(s)
	columnMajor := s.int("storage_order", 0) == 1
	return func(c *call) error {
		x, g, shape, err := poolShape(c, &w)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		inN, outN, planes := product(g.in), product(g.out), x.shape[0]*x.shape[1]
		if len(c.out) > 1 && c.out[1] != nil {
			idx, err := c.output(1, i64, shape...)
			if err != nil {
				return err
			}
			return maxPoolIndices(out, idx, x, g, planes, columnMajor)
		}
		switch x.dt {
		case f32:
			dst, src := view[float32](out), view[float32](x)
			if g.planes != nil {
				c.pool = pooling{g: g, dst: dst, src: src, inN: inN, outN: outN, largest: true}
				c.pool.run(c, planes)
				return nil
			}
			maxPool(dst, src, g, planes, float32(math.Inf(-1)))
		case f64:
			maxPool(view[float64](out), view[float64](x), g, planes, math.Inf(-1))
		case u8:
			maxPool(view[uint8](out), view[uint8](x), g, planes, 0)
		case i8:
			maxPool(view[int8](out), view[int8](x), g, planes, math.MinInt8)
		default:
			return fmt.Errorf("does not pool %v", x.dt)
		}
		return nil
	}, nil
}

func maxPool[T number](dst, src []T, g *geometry, planes int, least T) {
	inN, outN := product(g.in), product(g.out)
	for p := range planes {
		in, out := src[p*inN:], dst[p*outN:]
		if g.planes != nil {
			maxPool2(out[:outN], in[:inN], g.planes.g, least)
			continue
		}
		g.eachWindow(func(o int, positions []int) {
			m := least
			for _, i := range positions {
				m = max(m, in[i])
			}
			out[o] = m
		})
	}
}

// maxPool2 pools one plane of two dimensions, of any type.
func maxPool2[T number](dst, src []T, g *geometry, least T) {
	width, st := g.in[1], g.stride[1]
	for oy := range g.out[0] {
		row := dst[oy*g.out[1] : (oy+1)*g.out[1]]
		for i := range row {
			row[i] = least
		}
		for ky := range g.kernel[0] {
			iy := oy*g.stride[0] + ky*g.dilation[0] - g.begin[0]
			if iy < 0 || iy >= g.in[0] {
				continue
			}
			in := src[iy*width : (iy+1)*width]
			for kx := range g.kernel[1] {
				p := kx*g.dilation[1] - g.begin[1]
				// outputs ox with 0 ≤ ox·stride + p < width
				x0, x1 := 0, min(g.out[1], (width-p+st-1)/st)
				if p < 0 {
					x0 = (-p + st - 1) / st
				}
				at := x0*st + p
				for x := x0; x < x1; x++ {
					row[x] = max(row[x], in[at])
					at += st
				}
			}
		}
	}
}

// pooling is one call over planes of one or two dimensions.
type pooling struct {
	g         *geometry
	dst, src  []float32
	inN, outN int
	largest   bool // or the mean
}

// run pools n planes.
func (p *pooling) run(c *call, n int) {
	workers := min(threadsFor(c.threads, len(p.src)), max(n, 1))
	pl := p.g.planes
	each := pl.size + kernel.FilterSlack
	var room []float32
	if !pl.direct || pl.g.out[1] < kernel.FilterSlack {
		room = c.floats(workers * each)
		if p.largest {
			fill(room, float32(math.Inf(-1)))
		} else {
			clear(room)
		}
	}
	if workers == 1 {
		p.some(0, n, room)
		return
	}
	p.parallel(workers, n, each, room)
}

func (p *pooling) parallel(workers, n, each int, room []float32) {
	kernel.Parallel(workers, n, 1, func(w, i, j int) {
		var own []float32
		if room != nil {
			own = room[w*each : (w+1)*each]
		}
		p.some(i, j, own)
	})
}

// some pools the planes from i up to j.
func (p *pooling) some(i, j int, room []float32) {
	pl := p.g.planes
	rows, cols := pl.g.out[0], pl.g.out[1]
	for ; i < j; i++ {
		dst, src := p.dst[i*p.outN:(i+1)*p.outN], p.src[i*p.inN:(i+1)*p.inN]
		if room != nil {
			pl.fill(room, src)
			src = room
		}
		if p.largest {
			kernel.MaxTaps(dst, cols, src, pl.w, rows, cols, pl.taps)
			continue
		}
		f := kernel.Filter{Weights: pl.ones, Offsets: pl.taps}
		f.Lo, f.Hi = noBounds()
		f.Apply(dst, cols, src, pl.w, rows, cols)
		if counts := p.g.counts; len(counts) == 1 {
			kernel.DivScalar(dst, dst, counts[0])
		} else {
			kernel.Div(dst, dst, counts)
		}
	}
}

// divisors counts the taps of every window, those in the padding too if asked.
func (g *geometry) divisors(padding bool) {
	g.counts = make([]float32, 0, product(g.out))
	g.eachWindow(func(o int, positions []int) {
		n := len(positions)
		if padding {
			n = g.paddedTaps(o)
		}
		g.counts = append(g.counts, float32(n))
	})
	if same := slices.Compact(slices.Clone(g.counts)); len(same) == 1 {
		g.counts = same
	}
	if g.planes != nil {
		g.planes.ones = make([]float32, len(g.planes.taps))
		fill(g.planes.ones, 1)
	}
}

func maxPoolIndices(out, idx, x *tensor, g *geometry, planes int, columnMajor bool) error {
	if err := wantF32(x); err != nil {
		return err
	}
	dst, src, ids := view[float32](out), view[float32](x), view[int64](idx)
	inN, outN := product(g.in), product(g.out)
	for p := range planes {
		in := src[p*inN:]
		g.eachWindow(func(o int, positions []int) {
			best := -1
			for _, i := range positions {
				if best < 0 || in[i] > in[best] {
					best = i
				}
			}
			if best < 0 {
				panic("a window lies outside the input")
			}
			dst[p*outN+o] = in[best]
			if columnMajor && len(g.in) == 2 {
				best = best%g.in[1]*g.in[0] + best/g.in[1]
			}
			ids[p*outN+o] = int64(p*inN + best)
		})
	}
	return nil
}

func buildAveragePool(s *spec) (operation, error) {
	w := newWindow(s)
	w.divides, w.padCounts = true, s.int("count_include_pad", 0) == 1
	return func(c *call) error {
		x, g, shape, err := poolShape(c, &w)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		inN, outN, planes := product(g.in), product(g.out), x.shape[0]*x.shape[1]
		if g.planes != nil {
			c.pool = pooling{g: g, dst: dst, src: src, inN: inN, outN: outN}
			c.pool.run(c, planes)
			return nil
		}
		count := func(o int) float32 { return g.counts[min(o, len(g.counts)-1)] }
		for i := range planes {
			in, res := src[i*inN:(i+1)*inN], dst[i*outN:(i+1)*outN]
			g.eachWindow(func(o int, positions []int) {
				var sum float32
				for _, p := range positions {
					sum += in[p]
				}
				res[o] = sum / count(o)
			})
		}
		return nil
	}, nil
}

// paddedTaps counts the taps of window o that lie in the input or its padding
// (but not beyond, where rounding up has put them).
func (g *geometry) paddedTaps(o int) int {
	n := 1
	for a := len(g.out) - 1; a >= 0; a-- {
		at := o % g.out[a]
		o /= g.out[a]
		inside := 0
		for k := range g.kernel[a] {
			if at*g.stride[a]+k*g.dilation[a] < g.in[a]+g.begin[a]+g.end[a] {
				inside++
			}
		}
		n *= inside
	}
	return n
}

func buildLpPool(s *spec) (operation, error) {
	w := newWindow(s)
	p := float64(s.int("p", 2))
	return func(c *call) error {
		x, g, shape, err := poolShape(c, &w)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		inN, outN := product(g.in), product(g.out)
		for i := range x.shape[0] * x.shape[1] {
			g.eachWindow(func(o int, positions []int) {
				var sum float64
				for _, q := range positions {
					sum += math.Pow(math.Abs(float64(src[i*inN+q])), p)
				}
				dst[i*outN+o] = float32(math.Pow(sum, 1/p))
			})
		}
		return nil
	}, nil
}

// globalPool reduces all spatial dimensions.
func globalPool(op reduceOp) builder {
	return func(*spec) (operation, error) {
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			if len(x.shape) < 3 {
				return fmt.Errorf("wants [batch, channels, space…], got %v", x.shape)
			}
			var room [maxRank]int
			axes := room[:0]
			for a := 2; a < len(x.shape); a++ {
				axes = append(axes, a)
			}
			return reduce(c, op, x, axes, true)
		}, nil
	}
}

func buildGlobalLpPool(s *spec) (operation, error) {
	p := float64(s.int("p", 2))
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil || len(x.shape) < 3 {
			return fmt.Errorf("wants float32 [batch, channels, space…], got %s", x.describe())
		}
		shape := append([]int{}, x.shape[:2]...)
		for range x.shape[2:] {
			shape = append(shape, 1)
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		n := product(x.shape[2:])
		dst, src := view[float32](out), view[float32](x)
		for i := range dst {
			var sum float64
			for _, v := range src[i*n : (i+1)*n] {
				sum += math.Pow(math.Abs(float64(v)), p)
			}
			dst[i] = float32(math.Pow(sum, 1/p))
		}
		return nil
	}, nil
}

func buildMaxUnpool(s *spec) (operation, error) {
	kern, stride, pads := s.ints("kernel_shape"), s.ints("strides"), s.ints("pads")
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		d := len(x.shape) - 2
		if d < 1 || len(kern) != d || idx.n != x.n || idx.dt != i64 {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		shape := append([]int{}, x.shape[:2]...)
		for i, n := range x.shape[2:] {
			st := 1
			if stride != nil {
				st = stride[i]
			}
			size := (n-1)*st + kern[i]
			if pads != nil {
				size -= pads[i] + pads[i+d]
			}
			shape = append(shape, size)
		}
		inner := product(shape[2:])
		if c.input(2) != nil {
			want, err := c.intsOf(2)
			if err != nil {
				return err
			}
			if len(want) != len(shape) {
				return fmt.Errorf("output shape %v does not fit", want)
			}
			shape = want
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		clear(dst)
		for i, v := range view[float32](x) {
			at := int(view[int64](idx)[i])
			if inner > 0 && out.n != product(x.shape[:2])*inner {
				at = unpoolIndex(at, x, kern, stride, pads, shape)
			}
			if at < 0 || at >= len(dst) {
				return fmt.Errorf("index %d is out of range for %v", at, shape)
			}
			dst[at] = v
		}
		return nil
	}, nil
}

// unpoolIndex moves a flat index of the tight output shape into a larger one.
func unpoolIndex(at int, x *tensor, kern, stride, pads, shape []int) int {
	d := len(kern)
	tight := make([]int, d+2)
	copy(tight, x.shape[:2])
	for i := range d {
		st := 1
		if stride != nil {
			st = stride[i]
		}
		tight[i+2] = (x.shape[i+2]-1)*st + kern[i]
		if pads != nil {
			tight[i+2] -= pads[i] + pads[i+d]
		}
	}
	out, scale := 0, 1
	for a := len(tight) - 1; a >= 0; a-- {
		out += at % tight[a] * scale
		at /= tight[a]
		scale *= shape[a]
	}
	return out
}
