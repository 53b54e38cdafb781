package goengine

import (
	"fmt"
	"slices"
	"sync"
)

// window is the geometry that convolutions and poolings share.
type window struct {
	kernel, stride, dilation, pads []int // from attributes, nil for defaults
	autoPad                        string
	ceil                           bool

	recent *recentGeometries

	// Of average pooling: what a sum is divided by, and whether padding counts.
	divides, padCounts bool
}

// recentGeometries keeps what was resolved for the sizes seen last.
type recentGeometries struct {
	mu   sync.Mutex
	list []*geometry
}

func newWindow(s *spec) window {
	return window{kernel: s.ints("kernel_shape"), stride: s.ints("strides"), dilation: s.ints("dilations"), pads: s.ints("pads"),
		autoPad: s.str("auto_pad", "NOTSET"), ceil: s.int("ceil_mode", 0) == 1, recent: &recentGeometries{}}
}

// fit is resolve for the window's own kernel, remembered by input size.
func (w *window) fit(in []int) (*geometry, error) {
	w.recent.mu.Lock()
	defer w.recent.mu.Unlock()
	for _, g := range w.recent.list {
		if slices.Equal(g.in, in) {
			return g, nil
		}
	}
	g, err := w.resolve(in, nil)
	if err != nil {
		return nil, err
	}
	if d := len(in); d == 1 || d == 2 {
		g.planes = newPlanes(g.flat())
	}
	if w.divides {
		g.divisors(w.padCounts)
	}
	if len(w.recent.list) >= 8 {
		w.recent.list = w.recent.list[1:]
	}
	w.recent.list = append(w.recent.list, g)
	return g, nil
}

// geometry is a window on an input of known size.
type geometry struct {
	in, out, kernel, stride, dilation, begin, end []int

	// Of pooling: the input's layout, nil for more than two dimensions, and
	// what sums are divided by, one number where that is the same for all.
	planes *planes
	counts []float32
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

// resolve fits the window to the spatial dimensions of an input. kernel
// overrides the attribute, if not nil.
func (w *window) resolve(in, kernel []int) (*geometry, error) {
	d := len(in)
	g := &geometry{in: slices.Clone(in), out: make([]int, d), begin: make([]int, d), end: make([]int, d)}
	if g.kernel = kernel; kernel == nil {
		g.kernel = w.kernel
	}
	if g.stride = w.stride; w.stride == nil {
		g.stride = ones(d)
	}
	if g.dilation = w.dilation; w.dilation == nil {
		g.dilation = ones(d)
	}
	if len(g.kernel) != d || len(g.stride) != d || len(g.dilation) != d || (w.pads != nil && len(w.pads) != 2*d) {
		return nil, fmt.Errorf("kernel %v, strides %v, dilations %v and pads %v do not fit input %v", g.kernel, g.stride, g.dilation, w.pads, in)
	}
	for i := range d {
		if g.stride[i] < 1 || g.dilation[i] < 1 || g.kernel[i] < 1 {
			return nil, fmt.Errorf("kernel %v, strides %v or dilations %v are not positive", g.kernel, g.stride, g.dilation)
		}
		span := (g.kernel[i]-1)*g.dilation[i] + 1
		switch w.autoPad {
		case "SAME_UPPER", "SAME_LOWER":
			out := (in[i] + g.stride[i] - 1) / g.stride[i]
			total := max(0, (out-1)*g.stride[i]+span-in[i])
			g.begin[i] = total / 2
			if w.autoPad == "SAME_LOWER" {
				g.begin[i] = (total + 1) / 2
			}
			g.end[i] = total - g.begin[i]
		case "VALID":
		default:
			if w.pads != nil {
				g.begin[i], g.end[i] = w.pads[i], w.pads[i+d]
			}
		}
		room := in[i] + g.begin[i] + g.end[i] - span
		if room < 0 {
			return nil, fmt.Errorf("a kernel of %v (dilations %v) does not fit into input %v with pads %v %v", g.kernel, g.dilation, in, g.begin, g.end)
		}
		g.out[i] = room/g.stride[i] + 1
		if w.ceil && room%g.stride[i] != 0 {
			// the last window must begin inside the input or its left padding
			if g.out[i]*g.stride[i] < in[i]+g.begin[i] {
				g.out[i]++
			}
		}
	}
	return g, nil
}

// flat makes a geometry of one dimension one of two.
func (g *geometry) flat() *geometry {
	if len(g.in) != 1 {
		return g
	}
	p := func(v []int, first int) []int { return []int{first, v[0]} }
	return &geometry{in: p(g.in, 1), out: p(g.out, 1), kernel: p(g.kernel, 1), stride: p(g.stride, 1), dilation: p(g.dilation, 1), begin: p(g.begin, 0), end: p(g.end, 0)}
}

// spread is the geometry of a transposed convolution: in is what it reads and
// out what it writes. extra lengthens the output; want, nil to follow from the
// padding, gives its shape.
func (w *window) spread(in, kern, extra, want []int) (*geometry, error) {
	d := len(in)
	if len(want) == d+2 {
		want = want[2:]
	}
	g := &geometry{in: in, kernel: kern, stride: w.stride, dilation: w.dilation, begin: make([]int, d), out: make([]int, d)}
	if g.stride == nil {
		g.stride = ones(d)
	}
	if g.dilation == nil {
		g.dilation = ones(d)
	}
	if len(g.stride) != d || len(g.dilation) != d || (extra != nil && len(extra) != d) || (w.pads != nil && len(w.pads) != 2*d) || (want != nil && len(want) != d) {
		return nil, fmt.Errorf("attributes do not fit input %v", in)
	}
	same := w.autoPad == "SAME_UPPER" || w.autoPad == "SAME_LOWER"
	for i := range d {
		full := (in[i]-1)*g.stride[i] + (kern[i]-1)*g.dilation[i] + 1
		if extra != nil {
			full += extra[i]
		}
		switch {
		case want != nil:
			g.out[i] = want[i]
		case same:
			g.out[i] = in[i] * g.stride[i]
		default:
			if w.pads != nil {
				g.begin[i] = w.pads[i]
				full -= w.pads[i] + w.pads[i+d]
			}
			g.out[i] = full
		}
		if want != nil || same {
			total := max(full-g.out[i], 0)
			g.begin[i] = total / 2
			if w.autoPad == "SAME_LOWER" || (want != nil && w.autoPad == "NOTSET") {
				g.begin[i] = total - total/2
			}
		}
		if g.out[i] < 1 {
			return nil, fmt.Errorf("output would be empty: input %v, kernel %v", in, kern)
		}
	}
	return g, nil
}
