package goengine

import (
	"fmt"
	"math"
	"slices"
)

// gridSampler reads a plane of any number of dimensions at fractional positions.
type gridSampler struct {
	mode    string // linear, nearest or cubic
	padding string
	align   bool
}

// newGridSampler reads a GridSample node.
func newGridSampler(s *spec) (*gridSampler, error) {
	g := &gridSampler{mode: s.str("mode", "linear"), padding: s.str("padding_mode", "zeros"), align: s.int("align_corners", 0) == 1}
	switch g.mode { // names before operator set 20
	case "bilinear":
		g.mode = "linear"
	case "bicubic":
		g.mode = "cubic"
	}
	if !slices.Contains([]string{"linear", "nearest", "cubic"}, g.mode) || !slices.Contains([]string{"zeros", "border", "reflection"}, g.padding) {
		return nil, fmt.Errorf("mode %q or padding %q is not known", g.mode, g.padding)
	}
	return g, nil
}

func buildGridSample(s *spec) (operation, error) {
	g, err := newGridSampler(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		x, grid, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(x, grid); err != nil {
			return err
		}
		rank := len(x.shape)
		d := rank - 2
		if d < 1 || len(grid.shape) != rank || grid.shape[rank-1] != d || grid.shape[0] != x.shape[0] {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		space := x.shape[2:]
		points := product(grid.shape[1 : rank-1])
		out, err := c.output(0, f32, append(slices.Clone(x.shape[:2]), grid.shape[1:rank-1]...)...)
		if err != nil {
			return err
		}
		dst, src, coords := view[float32](out), view[float32](x), view[float32](grid)
		plane := product(space)
		if plane == 0 && out.n > 0 {
			return fmt.Errorf("cannot sample %v", x.shape)
		}
		at := make([]float64, d)
		for b := range x.shape[0] {
			for p := range points {
				for k := range d { // the grid names the last dimension first
					at[d-1-k] = g.unnormalize(coords[(b*points+p)*d+k], space[d-1-k])
				}
				for ch := range x.shape[1] {
					i := b*x.shape[1] + ch
					dst[i*points+p] = float32(g.sample(src[i*plane:(i+1)*plane], space, at))
				}
			}
		}
		return nil
	}, nil
}

// unnormalize computes in float32, as others do, so that ties are ties.
func (g *gridSampler) unnormalize(v float32, size int) float64 {
	if g.align {
		return float64((v + 1) / 2 * float32(size-1))
	}
	return float64(((v+1)*float32(size) - 1) / 2)
}

// bounded brings positions from outside a dimension's borders into it.
func (g *gridSampler) bounded(v float64, size int) float64 {
	lo, hi := -0.5, float64(size)-0.5
	if g.align {
		lo, hi = 0, float64(size-1)
	}
	switch {
	case v >= lo && v <= hi:
		return v
	case g.padding == "reflection":
		return reflectInto(v, lo, hi)
	}
	return g.inside(v, size)
}

// inside brings a position into a dimension as the padding says.
func (g *gridSampler) inside(v float64, size int) float64 {
	switch g.padding {
	case "border":
		return max(0, min(float64(size-1), v))
	case "reflection":
		lo, hi := -0.5, float64(size)-0.5
		if g.align {
			lo, hi = 0, float64(size-1)
		}
		return max(0, min(float64(size-1), reflectInto(v, lo, hi)))
	}
	return v
}

// sample interpolates one dimension after the other, the first one outermost.
func (g *gridSampler) sample(x []float32, space []int, at []float64) float64 {
	if len(space) == 0 {
		return float64(x[0])
	}
	size, inner := space[0], len(x)/space[0]
	take := func(i float64) float64 {
		if g.padding != "zeros" {
			i = math.Trunc(g.inside(i, size))
		}
		if !(i >= 0 && i < float64(size)) {
			return 0
		}
		return g.sample(x[int(i)*inner:(int(i)+1)*inner], space[1:], at[1:])
	}
	p := at[0]
	switch g.mode {
	case "nearest":
		return take(math.RoundToEven(p))
	case "cubic":
		p = g.bounded(p, size)
		var v float64
		p0 := math.Floor(p)
		for k := -1.0; k <= 2; k++ {
			v += cubic(p-p0-k, -0.75) * take(p0+k)
		}
		return v
	}
	p = g.bounded(p, size)
	p0 := math.Floor(p)
	f := p - p0
	v := (1 - f) * take(p0)
	if f > 0 {
		v += f * take(p0+1)
	}
	return v
}
