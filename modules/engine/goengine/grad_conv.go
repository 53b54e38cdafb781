package goengine

import (
	"slices"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/onnxfile"
)

var convGrads = map[string]gradient{
	"Conv":          convGrad,
	"ConvTranspose": convTransposeGrad,
}

// The gradient by a convolution's input is itself one of stride 1: of the
// gradient of the output, in planes with padding, with the kernel's taps
// turned round. A stride s cuts the input into s phases (in each dimension),
// and every tap serves the one phase that it fell on; each phase is a
// product of its own. Arithmetic and kernels are those of the forward run.

// adjoint describes the planes of a gradient for one geometry.
type adjoint struct {
	g      *geometry // of the forward convolution, of two dimensions
	h, w   int       // of a plane
	top    int       // row of the gradient that a plane's first row is, ≤ 0 with padding
	left   int
	direct bool // the gradient itself is the plane
	phases []phase
}

// phase is the part of the input that lies s apart.
type phase struct {
	y, x       int   // first position in the input
	rows, cols int   // positions
	n          int   // with junk between the rows
	taps       []int // of the kernel, by number
	offsets    []int // within a plane, by tap
}

func newAdjoint(g *geometry) *adjoint {
	a := &adjoint{g: g}
	type axis struct{ first, count, q []int } // by phase: first position, positions, first quotient
	var ax [2]axis
	var lo, hi [2]int
	for d := range 2 {
		s, b := g.stride[d], g.begin[d]
		lo[d], hi[d] = 1<<30, -1<<30
		for r := range s {
			q := max(0, (b-r+s-1)/s)
			for s*q+r-b < 0 {
				q++
			}
			first := s*q + r - b
			count := 0
			if first < g.in[d] {
				count = (g.in[d]-1-first)/s + 1
			}
			ax[d].first, ax[d].count, ax[d].q = append(ax[d].first, first), append(ax[d].count, count), append(ax[d].q, q)
			if count == 0 {
				continue
			}
			for k := range g.kernel[d] {
				if k*g.dilation[d]%s == r {
					e := (k*g.dilation[d] - r) / s
					lo[d], hi[d] = min(lo[d], q-e), max(hi[d], q+count-1-e)
				}
			}
		}
		if lo[d] > hi[d] {
			lo[d], hi[d] = 0, 0
		}
	}
	a.top, a.left = lo[0], lo[1]
	a.h, a.w = hi[0]-lo[0]+1, hi[1]-lo[1]+1
	a.direct = a.top == 0 && a.left == 0 && a.w == g.out[1] && a.h <= g.out[0]
	if a.direct {
		a.h = g.out[0]
	}
	for ry := range g.stride[0] {
		for rx := range g.stride[1] {
			p := phase{y: ax[0].first[ry], x: ax[1].first[rx], rows: ax[0].count[ry], cols: ax[1].count[rx]}
			if p.rows == 0 || p.cols == 0 {
				continue
			}
			p.n = (p.rows-1)*a.w + p.cols
			for ky := range g.kernel[0] {
				for kx := range g.kernel[1] {
					if ky*g.dilation[0]%g.stride[0] != ry || kx*g.dilation[1]%g.stride[1] != rx {
						continue
					}
					ey, ex := (ky*g.dilation[0]-ry)/g.stride[0], (kx*g.dilation[1]-rx)/g.stride[1]
					p.taps = append(p.taps, ky*g.kernel[1]+kx)
					p.offsets = append(p.offsets, (ax[0].q[ry]-ey-a.top)*a.w+ax[1].q[rx]-ex-a.left)
				}
			}
			a.phases = append(a.phases, p)
		}
	}
	return a
}

// fill copies the gradient of one output channel into its plane.
func (a *adjoint) fill(dst, src []float32) {
	oh, ow := a.g.out[0], a.g.out[1]
	x0, x1 := max(0, -a.left), min(a.w, ow-a.left)
	for y := range a.h {
		row := dst[y*a.w : (y+1)*a.w]
		sy := y + a.top
		if sy < 0 || sy >= oh || x1 <= x0 {
			clear(row)
			continue
		}
		clear(row[:x0])
		copy(row[x0:x1], src[sy*ow+x0+a.left:])
		clear(row[x1:])
	}
}

// convAdjoints keeps adjoints by size, and the weights in their order.
type convAdjoints struct {
	mu      sync.Mutex
	list    []*convAdjoint
	weights *tensor // constant, or nil
}

// convAdjoint is an adjoint with the weights of each phase: of every group a
// matrix [input channels, output channels · taps] of the group's.
type convAdjoint struct {
	in, kernel []int
	a          *adjoint
	offsets    [][]int     // by phase: of the matrix's rows in the planes
	weights    [][]float32 // by phase, nil unless constant
}

func (s *convAdjoints) find(w *window, in, kern []int, groups int) (*convAdjoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.list {
		if slices.Equal(c.in, in) && slices.Equal(c.kernel, kern) {
			return c, nil
		}
	}
	g, err := w.resolve(in, kern)
	if err != nil {
		return nil, err
	}
	c := &convAdjoint{in: slices.Clone(in), kernel: slices.Clone(kern), a: newAdjoint(g.flat())}
	if s.weights != nil {
		ocg := s.weights.shape[0] / groups
		size := c.a.h * c.a.w
		for i := range c.a.phases {
			p := &c.a.phases[i]
			c.offsets = append(c.offsets, p.rowOffsets(ocg, size))
			if old := s.packed(p.taps, len(kern)); old != nil {
				c.weights = append(c.weights, old)
				continue
			}
			c.weights = append(c.weights, p.turn(s.weights, groups))
		}
	}
	if len(s.list) >= 8 {
		s.list = s.list[1:]
	}
	s.list = append(s.list, c)
	return c, nil
}

// packed finds weights of the same taps that were turned for another size.
func (s *convAdjoints) packed(taps []int, _ int) []float32 {
	for _, c := range s.list {
		for i := range c.a.phases {
			if slices.Equal(c.a.phases[i].taps, taps) {
				return c.weights[i]
			}
		}
	}
	return nil
}

// rowOffsets are those of the planes' rows for every output channel and tap.
func (p *phase) rowOffsets(channels, size int) []int {
	list := make([]int, 0, channels*len(p.offsets))
	for o := range channels {
		for _, off := range p.offsets {
			list = append(list, o*size+off)
		}
	}
	return list
}

// turn brings weights [oc, icg, taps] into the order [group, icg, ocg, taps of
// the phase].
func (p *phase) turn(weights *tensor, groups int) []float32 {
	w := view[float32](weights)
	oc, icg := weights.shape[0], weights.shape[1]
	ocg, taps := oc/groups, product(weights.shape[2:])
	out := make([]float32, 0, oc*icg*len(p.taps))
	for g := range groups {
		for i := range icg {
			for o := range ocg {
				for _, t := range p.taps {
					out = append(out, w[((g*ocg+o)*icg+i)*taps+t])
				}
			}
		}
	}
	return out
}

var convGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	w := newWindow(s)
	groups := s.int("group", 1)
	act := s.fused
	state := &convAdjoints{weights: floatConst(s.constant(1))}
	forward := &turnedConv{}
	p := &pullback{}
	if state.weights == nil {
		p.in |= keep(1)
	}
	if len(want) > 1 && want[1] {
		p.in |= keep(0)
	}
	if act.name != "" {
		p.out = keep(0)
	}
	p.pull = func(g *gcall) error {
		g.deactivate(act)
		if g.wants(3) { // a fused residual
			g.giveShared(3, 0)
		}
		x, weights, d := g.in[0], g.in[1], g.dout[0]
		if state.weights != nil {
			weights = state.weights
		}
		geo, err := w.resolve(x.shape[2:], weights.shape[2:])
		if err != nil {
			return err
		}
		own := append([]int{x.shape[0], weights.shape[0]}, geo.out...)
		if !slices.Equal(own, d.shape) { // the residual was repeated, or this was
			t := g.frame.gradient(own)
			clear(view[float32](t))
			sumInto(t, d)
			defer g.frame.release(t)
			d = t
		}
		if g.wants(2) {
			g.give(2, channelSums(g, 2, d))
		}
		if g.wants(1) {
			t := g.zero(1)
			weightsGrad(g, view[float32](t), view[float32](x), view[float32](d), geo, x.shape[0], x.shape[1], weights.shape[0], groups)
			g.give(1, t)
		}
		if !g.wants(0) {
			return nil
		}
		t := g.fresh(0)
		if t.n == 0 || d.n == 0 || len(geo.in) > 2 {
			clear(view[float32](t))
			if t.n > 0 && d.n > 0 {
				convolveBack(view[float32](t), view[float32](d), view[float32](weights), geo, x.shape[0], x.shape[1], weights.shape[0], groups)
			}
			g.give(0, t)
			return nil
		}
		if state.weights != nil {
			if f := forward.find(geo, weights, groups); f != nil {
				g.frame.release(t)
				y, err := f.run(g, d)
				if err != nil {
					return err
				}
				g.give(0, y)
				return nil
			}
		}
		adj, err := state.find(&w, x.shape[2:], weights.shape[2:], groups)
		if err != nil {
			return err
		}
		if adj.a.largest() < fewPositions || x.shape[1]/groups < fewChannels && len(adj.a.phases) >= manyPhases {
			columnsBack(g, view[float32](t), view[float32](d), view[float32](weights), geo, x.shape[0], x.shape[1], weights.shape[0], groups)
			g.give(0, t)
			return nil
		}
		b := &convBack{c: g.call, adj: adj, dx: view[float32](t), dy: view[float32](d), batch: x.shape[0], ic: x.shape[1], oc: weights.shape[0], groups: groups}
		b.run(weights)
		g.give(0, t)
		return nil
	}
	return p, nil
}, 0, 1, 2, 3)

// turnedConv is the product by the input of a convolution without stride: a
// convolution itself, of the weights turned round.
type turnedConv struct {
	once    sync.Once
	op      operation // nil where there is none
	weights *tensor
	node    *onnxfile.Node
}

// find returns nil where the product is no convolution.
func (f *turnedConv) find(g *geometry, weights *tensor, groups int) *turnedConv {
	f.once.Do(func() {
		d := len(g.in)
		pads, kern, dilations := make([]int64, 2*d), make([]int64, d), make([]int64, d)
		for k := range d {
			reach := (g.kernel[k] - 1) * g.dilation[k]
			begin := reach - g.begin[k]
			end := g.in[k] - g.out[k] - begin + reach
			if g.stride[k] != 1 || begin < 0 || end < 0 {
				return
			}
			pads[k], pads[d+k], kern[k], dilations[k] = int64(begin), int64(end), int64(g.kernel[k]), int64(g.dilation[k])
		}
		attrs := map[string]*onnxfile.Attr{"group": {Name: "group", Type: onnxfile.AttrInt, I: int64(groups)}}
		for name, list := range map[string][]int64{"pads": pads, "kernel_shape": kern, "dilations": dilations} {
			attrs[name] = &onnxfile.Attr{Name: name, Type: onnxfile.AttrInts, Ints: list}
		}
		f.node = &onnxfile.Node{Op: "Conv", Attrs: attrs}
		whole := phase{taps: make([]int, product(g.kernel))}
		for t := range whole.taps {
			whole.taps[t] = len(whole.taps) - 1 - t
		}
		icg, ocg := weights.shape[1], weights.shape[0]/groups
		f.weights = of(f32, whole.turn(weights, groups), append([]int{icg * groups, ocg}, g.kernel...)...)
		f.op, _ = buildConv(&spec{node: f.node})
	})
	if f.op == nil {
		return nil
	}
	return f
}

// run makes the product of a gradient.
func (f *turnedConv) run(g *gcall, d *tensor) (*tensor, error) {
	c := g.call
	in, out, own := c.in, c.out, c.step
	y := &tensor{}
	c.in, c.out, c.step = []*tensor{d, f.weights}, []*tensor{y}, &step{node: f.node}
	err := f.op(c)
	c.in, c.out, c.step = in, out, own
	return y, err
}

// fewPositions is how many positions a phase needs for a product of its own to
// be worth it: products are made in panels as wide as a vector.
const fewPositions = 6

// fewChannels and manyPhases: where hardly any channels go into a convolution of
// long strides, as a waveform into a spectrogram, the phases' products have hardly
// any rows.
const (
	fewChannels = 4
	manyPhases  = 16
)

// largest is the most positions of a phase.
func (a *adjoint) largest() int {
	n := 0
	for i := range a.phases {
		if len(a.phases[i].taps) > 0 {
			n = max(n, a.phases[i].n)
		}
	}
	return n
}

// columnsBack is the product by the input for long strides and few positions, or
// few channels:
// one of the weights turned and the gradient gives what every tap adds.
func columnsBack(g *gcall, dx, dy, w []float32, geo *geometry, batch, ic, oc, groups int) {
	icg, ocg := ic/groups, oc/groups
	inN, outN, taps := product(geo.in), product(geo.out), product(geo.kernel)
	back := &geometry{in: geo.out, out: geo.in, kernel: geo.kernel, stride: geo.stride, dilation: geo.dilation, begin: geo.begin}
	cols := g.floats(icg * taps * outN)
	clear(dx)
	for n := range batch {
		for k := range groups {
			kernel.GemmParallel(g.threads, true, false, icg*taps, outN, ocg, w[k*ocg*icg*taps:], dy[(n*oc+k*ocg)*outN:], cols, false)
			scatterColumns(dx[(n*ic+k*icg)*inN:], cols, icg, back)
		}
	}
}

// channelSums sums the gradient over batch and space.
func channelSums(g *gcall, i int, d *tensor) *tensor {
	t := g.zero(i)
	dst, dy := view[float32](t), view[float32](d)
	inner := product(d.shape[2:])
	for k := range d.shape[0] * d.shape[1] {
		dst[k%d.shape[1]] += kernel.Sum(dy[k*inner : (k+1)*inner])
	}
	return t
}

// convBack is one product by a convolution's input.
type convBack struct {
	c                     *call
	adj                   *convAdjoint
	dx, dy                []float32
	batch, ic, oc, groups int
}

func (b *convBack) run(weights *tensor) {
	a := b.adj.a
	icg, ocg := b.ic/b.groups, b.oc/b.groups
	size, outN, inN := a.h*a.w, a.g.out[0]*a.g.out[1], a.g.in[0]*a.g.in[1]
	var planes []float32
	if !a.direct {
		planes = b.c.floats(b.oc * size)
	}
	// positions that no tap reaches
	reached := 0
	for i := range a.phases {
		if len(a.phases[i].taps) > 0 {
			reached += a.phases[i].rows * a.phases[i].cols
		}
	}
	if reached < inN {
		clear(b.dx)
	}
	width := kernel.PanelWidth()
	block := max(width, min(16*width, convBlock/icg)/width*width)
	workers := b.c.threads
	scratch := b.c.floats(workers * icg * block)
	for n := range b.batch {
		src := b.dy[n*b.oc*outN : (n+1)*b.oc*outN]
		if !a.direct {
			kernel.Parallel(threadsFor(workers, b.oc*size), b.oc, 1, func(_, i, j int) {
				for ; i < j; i++ {
					a.fill(planes[i*size:(i+1)*size], src[i*outN:(i+1)*outN])
				}
			})
			src = planes
		}
		dst := b.dx[n*b.ic*inN : (n+1)*b.ic*inN]
		for i := range a.phases {
			p := &a.phases[i]
			if len(p.taps) == 0 {
				continue
			}
			var w []float32
			var offsets []int
			if b.adj.weights != nil {
				w, offsets = b.adj.weights[i], b.adj.offsets[i]
			} else {
				w, offsets = p.turn(weights, b.groups), p.rowOffsets(ocg, size)
			}
			blocks := (p.n + block - 1) / block
			units := func(worker, u, end int) {
				own := scratch[worker*icg*block:]
				for ; u < end; u++ {
					g := u / blocks
					b.unit(p, dst[g*icg*inN:(g+1)*icg*inN], src[g*ocg*size:], w[g*icg*ocg*len(p.taps):], offsets, u%blocks*block, block, own)
				}
			}
			if workers <= 1 || p.n*b.ic*ocg*len(p.taps) < 1<<16 {
				units(0, 0, b.groups*blocks)
			} else {
				kernel.Parallel(workers, b.groups*blocks, 1, units)
			}
		}
	}
}

// unit computes some positions of a phase for one group.
func (b *convBack) unit(p *phase, dst, src, w []float32, offsets []int, at, block int, scratch []float32) {
	a := b.adj.a
	n := min(block, p.n-at)
	icg, k := b.ic/b.groups, len(offsets)
	inN, inW := a.g.in[0]*a.g.in[1], a.g.in[1]
	stride := a.g.stride[1]
	if stride == 1 && a.g.stride[0] == 1 && a.w == p.cols { // without junk
		b.product(icg, n, k, w, src[at:], offsets, dst[at:], inN)
		return
	}
	c := scratch[:icg*n]
	b.product(icg, n, k, w, src[at:], offsets, c, n)
	for i := range icg {
		row := c[i*n : (i+1)*n]
		y, x := at/a.w, at%a.w
		for j := 0; j < n; {
			run := min(n-j, a.w-x)
			if keep := min(run, p.cols-x); keep > 0 {
				d := dst[i*inN+(p.y+y*a.g.stride[0])*inW+p.x+x*stride:]
				if stride == 1 {
					copy(d[:keep], row[j:j+keep])
				} else {
					for k, v := range row[j : j+keep] {
						d[k*stride] = v
					}
				}
			}
			j += run
			y, x = y+1, 0
		}
	}
}

func (b *convBack) product(m, n, k int, w, src []float32, offsets []int, c []float32, ldc int) {
	if size := b.adj.a.h * b.adj.a.w; k == b.oc/b.groups && offsets[0] == 0 {
		kernel.GemmStrided(false, false, m, n, k, w, k, src, size, c, ldc, false)
		return
	}
	kernel.GemmOffsets(m, n, k, w, k, src, offsets, c, ldc, false)
}

// convolveBack is the product by the input by definition, for three and more
// dimensions.
func convolveBack(dx, dy, w []float32, g *geometry, batch, ic, oc, groups int) {
	icg, ocg := ic/groups, oc/groups
	inN, outN, taps := product(g.in), product(g.out), product(g.kernel)
	g.eachTap(func(o, t, i int) {
		for n := range batch {
			for k := range oc {
				d := dy[(n*oc+k)*outN+o]
				first := n*ic + k/ocg*icg
				for ch := range icg {
					dx[(first+ch)*inN+i] += d * w[(k*icg+ch)*taps+t]
				}
			}
		}
	})
}

// weightsGrad is the product by the weights by definition.
func weightsGrad(gc *gcall, dw, x, dy []float32, g *geometry, batch, ic, oc, groups int) {
	icg, ocg := ic/groups, oc/groups
	inN, outN, taps := product(g.in), product(g.out), product(g.kernel)
	cols := gc.floats(icg * taps * outN)
	for n := range batch {
		for k := range groups {
			clear(cols)
			g.eachTap(func(o, t, i int) {
				for ch := range icg {
					cols[(ch*taps+t)*outN+o] = x[(n*ic+k*icg+ch)*inN+i]
				}
			})
			kernel.GemmParallel(gc.threads, false, true, ocg, icg*taps, outN, dy[(n*oc+k*ocg)*outN:], cols, dw[k*ocg*icg*taps:], true)
		}
	}
}

// eachTap calls f with every output position, tap and the input position they
// meet at, where that lies inside.
func (g *geometry) eachTap(f func(o, tap, i int)) {
	d := len(g.in)
	at, tap := make([]int, d), make([]int, d)
	for o := range product(g.out) {
		clear(tap)
		for t := range product(g.kernel) {
			off, inside := 0, true
			for a := range d {
				p := at[a]*g.stride[a] + tap[a]*g.dilation[a] - g.begin[a]
				inside = inside && p >= 0 && p < g.in[a]
				off = off*g.in[a] + p
			}
			if inside {
				f(o, t, off)
			}
			advanceIndex(tap, g.kernel)
		}
		advanceIndex(at, g.out)
	}
}

// convTransposeGrad: the product by the input is the convolution that is
// transposed.
var convTransposeGrad = differentiable(func(s *spec, want []bool) (*pullback, error) {
	w := newWindow(s)
	groups, extra, wantShape := s.int("group", 1), s.ints("output_padding"), s.ints("output_shape")
	act := s.fused
	p := &pullback{in: keep(1)}
	if want[1] {
		p.in |= keep(0)
	}
	if act.name != "" {
		p.out = keep(0)
	}
	p.pull = func(g *gcall) error {
		g.deactivate(act)
		x, weights, d := g.in[0], g.in[1], g.dout[0]
		if g.wants(2) {
			g.give(2, channelSums(g, 2, d))
		}
		sp, err := w.spread(x.shape[2:], weights.shape[2:], extra, wantShape)
		if err != nil {
			return err
		}
		// the convolution that reads what this one writes
		back := &geometry{in: sp.out, out: sp.in, kernel: sp.kernel, stride: sp.stride, dilation: sp.dilation, begin: sp.begin, end: make([]int, len(sp.in))}
		batch, ic, oc := x.shape[0], x.shape[1], weights.shape[1]*groups
		if g.wants(1) {
			t := g.zero(1)
			weightsGrad(g, view[float32](t), view[float32](d), view[float32](x), back, batch, oc, ic, groups)
			g.give(1, t)
		}
		if !g.wants(0) {
			return nil
		}
		t := g.fresh(0)
		cv := &convolution{c: g.call, l: &convLayout{g: back}, x: view[float32](d), w: view[float32](weights), out: view[float32](t),
			batch: batch, ic: oc, oc: ic, groups: groups}
		switch {
		case t.n == 0:
		case len(back.in) <= 2:
			cv.l.p = newPlanes(back.flat())
			for c := range oc / groups {
				for _, tap := range cv.l.p.taps {
					cv.l.offsets = append(cv.l.offsets, c*cv.l.p.size+tap)
				}
			}
			cv.run()
		default:
			cv.naive()
		}
		g.give(0, t)
		return nil
	}
	return p, nil
}, 0, 1, 2)
