package goengine

import (
	"fmt"
	"slices"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
)

var convTable = map[string]operator{
	"Conv":          {build: buildConv},
	"ConvTranspose": {build: buildConvTranspose},
}

// A convolution reads its input in place: the input is copied once into
// planes that hold its padding, one plane for each phase of the stride. In
// these planes every tap of the kernel is a constant offset from the output
// position, so the product of weights and input is one call of
// kernel.GemmOffsets, without im2col. Output positions are counted along the
// rows of the planes; the few that fall into the padding are dropped.

// planes describes the layout for one geometry.
type planes struct {
	g          *geometry // of two dimensions
	h, w       int       // of a plane
	phases     []int     // phase numbers (row phase · stride + column phase) in use
	index      []int     // plane by phase number
	direct     bool      // the input itself is the only plane
	size       int       // of all planes of a channel
	taps       []int     // offsets of the kernel's taps within a channel
	ones       []float32 // a one for each tap, if pooling wants it
	n          int       // positions, junk included
	contiguous bool      // no junk: positions are outputs
}

func newPlanes(g *geometry) *planes {
	p := &planes{g: g}
	sh, sw := g.stride[0], g.stride[1]
	p.h = g.out[0] + (g.kernel[0]-1)*g.dilation[0]/sh
	p.w = g.out[1] + (g.kernel[1]-1)*g.dilation[1]/sw
	p.index = slices.Repeat([]int{-1}, sh*sw)
	for ky := range g.kernel[0] {
		for kx := range g.kernel[1] {
			phase := ky*g.dilation[0]%sh*sw + kx*g.dilation[1]%sw
			if p.index[phase] < 0 {
				p.index[phase] = len(p.phases)
				p.phases = append(p.phases, phase)
			}
			p.taps = append(p.taps, p.index[phase]*p.h*p.w+ky*g.dilation[0]/sh*p.w+kx*g.dilation[1]/sw)
		}
	}
	p.size = len(p.phases) * p.h * p.w
	p.n = (g.out[0]-1)*p.w + g.out[1]
	p.contiguous = p.w == g.out[1]
	p.direct = sh == 1 && sw == 1 && g.begin[0] == 0 && g.begin[1] == 0 && p.h <= g.in[0] && p.w == g.in[1]
	if p.direct {
		p.size = g.in[0] * g.in[1]
		p.h = g.in[0]
	}
	return p
}

// fill copies one channel of the input into its planes, which are clear but
// for what fill itself has written before.
func (p *planes) fill(dst, src []float32) {
	p.spread(func(to, from, rows, cols int) {
		sw := p.g.stride[1]
		pitch := p.g.stride[0] * p.g.in[1]
		if sw == 1 {
			kernel.CopyRows(dst[to:], p.w, src[from:], pitch, rows, cols)
			return
		}
		if sw == 2 {
			for y := range rows {
				kernel.Deinterleave(dst[to+y*p.w:][:cols], src[from+y*pitch:])
			}
			return
		}
		copyEvery(dst[to:], p.w, src[from:], pitch, sw, rows, cols)
	})
}

// fillPlanes is [planes.fill] for any type.
func fillPlanes[T any](p *planes, dst, src []T) {
	p.spread(func(to, from, rows, cols int) {
		copyEvery(dst[to:], p.w, src[from:], p.g.stride[0]*p.g.in[1], p.g.stride[1], rows, cols)
	})
}

// copyEvery copies rows of every step-th element.
func copyEvery[T any](dst []T, dstPitch int, src []T, srcPitch, step, rows, cols int) {
	for y := range rows {
		row, in := dst[y*dstPitch:][:cols], src[y*srcPitch:]
		if step == 1 {
			copy(row, in)
			continue
		}
		at := 0
		for x := range row {
			row[x] = in[at]
			at += step
		}
	}
}

// spread calls part with the block of each plane that holds input: where it
// begins in the planes and in the channel, and its size.
func (p *planes) spread(part func(to, from, rows, cols int)) {
	g := p.g
	sh, sw := g.stride[0], g.stride[1]
	for i, phase := range p.phases {
		py, px := phase/sw-g.begin[0], phase%sw-g.begin[1]
		// columns x with 0 ≤ x·sw + px < width, rows y alike
		x0, x1 := max(0, (sw-1-px)/sw), min(p.w, (g.in[1]-px+sw-1)/sw)
		y0, y1 := max(0, (sh-1-py)/sh), min(p.h, (g.in[0]-py+sh-1)/sh)
		if x0 < x1 && y0 < y1 {
			part((i*p.h+y0)*p.w+x0, (y0*sh+py)*g.in[1]+x0*sw+px, y1-y0, x1-x0)
		}
	}
}

// convState is what a convolution keeps between calls: layouts by input size.
type convState struct {
	mu   sync.Mutex
	last []*convLayout
}

type convLayout struct {
	in      []int
	kernel  []int
	g       *geometry
	p       *planes // nil for more than two dimensions
	offsets []int   // of the rows of B: channel by channel, tap by tap
	even    []int   // the same, an even number of them
}

func (s *convState) layout(w *window, in, kernelShape []int, channels int) (*convLayout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.last {
		if slices.Equal(l.in, in) && slices.Equal(l.kernel, kernelShape) {
			return l, nil
		}
	}
	g, err := w.resolve(in, kernelShape)
	if err != nil {
		return nil, err
	}
	l := &convLayout{in: slices.Clone(in), kernel: slices.Clone(kernelShape), g: g}
	if len(in) <= 2 && len(in) > 0 {
		l.p = newPlanes(g.flat())
		for c := range channels {
			for _, t := range l.p.taps {
				l.offsets = append(l.offsets, c*l.p.size+t)
			}
		}
	}
	l.even = l.offsets
	if n := len(l.offsets); n%2 == 1 {
		l.even = append(slices.Clone(l.offsets), l.offsets[n-1])
	}
	if len(s.last) >= 8 {
		s.last = s.last[1:]
	}
	s.last = append(s.last, l)
	return l, nil
}

func buildConv(s *spec) (operation, error) {
	w := newWindow(s)
	groups := s.int("group", 1)
	act := s.fused
	state := &convState{}
	return func(c *call) error {
		x, weights, err := c.pair()
		if err != nil {
			return err
		}
		bias := c.input(2)
		if err := wantF32(x, weights, bias); err != nil {
			return err
		}
		if len(x.shape) < 3 || len(weights.shape) != len(x.shape) {
			return fmt.Errorf("input %v and weights %v do not fit", x.shape, weights.shape)
		}
		batch, ic := x.shape[0], x.shape[1]
		oc, icg := weights.shape[0], weights.shape[1]
		if groups < 1 || ic != icg*groups || oc%groups != 0 || (bias != nil && bias.n != oc) {
			return fmt.Errorf("%d groups: input %v, weights %v and bias do not fit", groups, x.shape, weights.shape)
		}
		l, err := state.layout(&w, x.shape[2:], weights.shape[2:], icg)
		if err != nil {
			return err
		}
		var room [maxRank]int
		shape := append(append(room[:0], batch, oc), l.g.out...)
		out, err := c.output(0, f32, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		var b []float32
		if bias != nil {
			b = view[float32](bias)
		}
		residual := c.input(3)
		if residual != nil && (residual.dt != f32 || !slices.Equal(residual.shape, out.shape)) {
			return convThenAdd(c, l, x, weights, b, residual, groups, act)
		}
		cv := &c.conv
		*cv = convolution{c: c, l: l, x: view[float32](x), w: view[float32](weights), bias: b, out: view[float32](out),
			batch: batch, ic: ic, oc: oc, groups: groups, act: act}
		if residual != nil {
			cv.residual = view[float32](residual)
		}
		if l.p == nil {
			cv.naive()
			return nil
		}
		cv.run()
		return nil
	}, nil
}

// convThenAdd covers a fused addition whose other operand has to be repeated.
func convThenAdd(c *call, l *convLayout, x, weights *tensor, bias []float32, other *tensor, groups int, act activation) error {
	y := newTensor(f32, append([]int{x.shape[0], weights.shape[0]}, l.g.out...)...)
	cv := &convolution{c: c, l: l, x: view[float32](x), w: view[float32](weights), bias: bias, out: view[float32](y),
		batch: x.shape[0], ic: x.shape[1], oc: weights.shape[0], groups: groups}
	if l.p == nil {
		cv.naive()
	} else {
		cv.run()
	}
	if other.dt != f32 {
		return fmt.Errorf("operands are %v and %v", f32, other.dt)
	}
	shape, err := broadcastShape(nil, y.shape, other.shape)
	if err != nil {
		return err
	}
	c.frame.release(c.slot(0))
	out, err := c.output(0, f32, shape...)
	if err != nil {
		return err
	}
	if err := arith(opAdd, out, y, other, c.threads); err != nil {
		return err
	}
	act.apply(out, c.threads)
	return nil
}

// convolution is one call.
type convolution struct {
	c                     *call
	l                     *convLayout
	x, w, bias, out       []float32
	residual              []float32
	batch, ic, oc, groups int
	act                   activation

	// of the image at work
	src, dst, res []float32
	block, blocks int // columns of a unit of work, blocks of them a group
	rows, strips  int // rows of a unit, strips of them a group
	lo, hi        float32
	rest          activation // what lo and hi do not cover
	depthwise     bool       // every output plane depends on one input plane
	packs         bool       // the input is worth packing for the product
}

// convBlock is about how many elements of the result a worker holds at once.
const convBlock = 1 << 15

// units divides the product of a group into blocks of columns and strips of
// rows, enough of them for all workers.
func (v *convolution) units(workers int) {
	p, width, ocg := v.l.p, kernel.PanelWidth(), v.oc/v.groups
	v.block = min(16*width, (p.n+width-1)/width*width)
	v.rows = min(ocg, convBlock/v.block)
	v.packs = len(p.taps) == 1 && p.taps[0] == 0 && ocg >= 192 && (p.size < 64 || p.size%256 == 0)
	if v.packs {
		v.rows = ocg
	}
	if share := 2 * workers; v.groups == 1 && workers > 1 {
		if blocks := (p.n + v.block - 1) / v.block; blocks < share {
			v.block = max(2*width, (p.n/share+width-1)/width*width)
		}
		if blocks := (p.n + v.block - 1) / v.block; blocks < share {
			strips := (share + blocks - 1) / blocks
			v.rows = min(v.rows, max(12, (ocg/strips+11)/12*12))
		}
	}
	v.blocks = (p.n + v.block - 1) / v.block
	v.strips = (ocg + v.rows - 1) / v.rows
}

func (v *convolution) run() {
	p := v.l.p
	inSize, outSize := v.ic*p.g.in[0]*p.g.in[1], v.oc*p.g.out[0]*p.g.out[1]
	icg := v.ic / v.groups
	k := icg * len(p.taps)
	workers := v.c.threads
	if p.n*k*v.oc < 1<<16 {
		workers = 1
	}
	v.lo, v.hi, v.rest = v.act.bounds()
	// the channels of all groups lie in planes, or of one at a time
	byGroup := v.groups > 1 && v.groups >= workers
	each := v.ic * p.size
	if byGroup {
		each = icg*p.size + kernel.FilterSlack
	}
	v.depthwise = byGroup && icg == 1
	var planes []float32
	if !p.direct || v.depthwise && p.g.out[1] < kernel.FilterSlack {
		planes = v.c.floats(each * workersOr1(workers, byGroup))
		clear(planes)
	}
	v.units(workers)
	var scratch []float32
	if !p.contiguous && !v.depthwise {
		scratch = v.c.floats(workers * v.rows * v.block)
	}
	for n := range v.batch {
		v.src = v.x[n*inSize : (n+1)*inSize]
		v.dst = v.out[n*outSize : (n+1)*outSize]
		v.res = nil
		if v.residual != nil {
			v.res = v.residual[n*outSize : (n+1)*outSize]
		}
		switch {
		case byGroup && workers > 1:
			v.groupsParallel(workers, each, planes, scratch)
		case byGroup:
			v.someGroups(0, v.groups, planes, scratch)
		case workers > 1:
			v.unitsParallel(workers, planes, scratch)
		default:
			src := v.planesOf(planes, 0, v.ic)
			for u := range v.groups * v.blocks * v.strips {
				v.unitOf(u, src, scratch)
			}
		}
	}
}

func workersOr1(workers int, several bool) int {
	if several {
		return workers
	}
	return 1
}

// planesOf returns the planes of the channels from i up to j: in planes, or in
// the input itself where that is nil.
func (v *convolution) planesOf(planes []float32, i, j int) []float32 {
	p := v.l.p
	each := p.g.in[0] * p.g.in[1]
	if planes == nil {
		return v.src[i*each : j*each]
	}
	for c := i; c < j; c++ {
		p.fill(planes[(c-i)*p.size:(c-i+1)*p.size], v.src[c*each:(c+1)*each])
	}
	return planes
}

// unitsParallel lets workers share the columns of every group.
func (v *convolution) unitsParallel(workers int, planes, scratch []float32) {
	p := v.l.p
	src := v.src
	if planes != nil {
		kernel.Parallel(threadsFor(workers, v.ic*p.size), v.ic, 1, func(_, i, j int) { v.planesOf(planes[i*p.size:], i, j) })
		src = planes
	}
	kernel.Share(workers, v.groups*v.blocks*v.strips, func(w, u int) {
		var own []float32
		if scratch != nil {
			own = scratch[w*v.rows*v.block:]
		}
		v.unitOf(u, src, own)
	})
}

// unitOf computes unit u of all groups, whose planes are in src.
func (v *convolution) unitOf(u int, src, scratch []float32) {
	strip := u % v.strips
	u /= v.strips
	g := u / v.blocks
	v.unit(g, u%v.blocks*v.block, strip*v.rows, src[g*v.ic/v.groups*v.l.p.size:], scratch)
}

// groupsParallel lets workers share the groups.
func (v *convolution) groupsParallel(workers, each int, planes, scratch []float32) {
	some := max(1, min(4, v.groups/(2*workers))) // groups at a time
	kernel.Share(workers, (v.groups+some-1)/some, func(w, i int) {
		var own, mine []float32
		if planes != nil {
			mine = planes[w*each : (w+1)*each]
		}
		if scratch != nil {
			own = scratch[w*v.rows*v.block:]
		}
		v.someGroups(i*some, min((i+1)*some, v.groups), mine, own)
	})
}

// someGroups computes the groups from i up to j, one after the other.
func (v *convolution) someGroups(i, j int, planes, scratch []float32) {
	icg := v.ic / v.groups
	for g := i; g < j; g++ {
		src := v.planesOf(planes, g*icg, (g+1)*icg)
		if v.depthwise {
			v.filter(g, src)
			continue
		}
		for u := range v.blocks * v.strips {
			v.unit(g, u/v.strips*v.block, u%v.strips*v.rows, src, scratch)
		}
	}
}

// filter computes the outputs that depend on one plane.
func (v *convolution) filter(g int, src []float32) {
	p := v.l.p
	ocg, taps, each := v.oc/v.groups, len(p.taps), p.g.out[0]*p.g.out[1]
	for o := g * ocg; o < (g+1)*ocg; o++ {
		f := kernel.Filter{Weights: v.w[o*taps : (o+1)*taps], Offsets: p.taps, Lo: v.lo, Hi: v.hi}
		if v.res != nil {
			f.Lo, f.Hi = noBounds()
		} else if v.bias != nil {
			f.Bias = v.bias[o]
		}
		row := v.dst[o*each : (o+1)*each]
		f.Apply(row, p.g.out[1], src, p.w, p.g.out[0], p.g.out[1])
		if v.res != nil {
			v.finish(row, v.res[o*each:], o)
		} else {
			v.rest.run(row)
		}
	}
}

// unit computes the columns of one block, which begins at position at, and the
// rows of one strip, which begins at row first, for one group, whose planes are
// in src.
func (v *convolution) unit(g, at, first int, src, scratch []float32) {
	p := v.l.p
	icg, ocg := v.ic/v.groups, v.oc/v.groups
	n, rows := min(v.block, p.n-at), min(v.rows, ocg-first)
	k := icg * len(p.taps)
	each := p.g.out[0] * p.g.out[1]
	first += g * ocg
	w := v.w[first*k : (first+rows)*k]
	in := src[at:]
	dst, res := v.dst[first*each:(first+rows)*each], v.res
	if res != nil {
		res = res[first*each:]
	}
	if p.contiguous {
		v.product(rows, n, k, w, in, dst[at:], each)
		for o := range rows {
			row := dst[o*each+at : o*each+at+n]
			var r []float32
			if res != nil {
				r = res[o*each+at:]
			}
			v.finish(row, r, first+o)
		}
		return
	}
	c := scratch[:rows*n]
	v.product(rows, n, k, w, in, c, n)
	outW := p.g.out[1]
	for o := range rows {
		row := c[o*n : (o+1)*n]
		if res == nil {
			v.finish(row, nil, first+o)
		}
		// drop the positions that fall into the padding
		y, x := at/p.w, at%p.w
		for i := 0; i < n; {
			run := min(n-i, p.w-x)
			if keep := min(run, outW-x); keep > 0 {
				d := o*each + y*outW + x
				part := dst[d : d+keep]
				copy(part, row[i:i+keep])
				if res != nil {
					v.finish(part, res[d:], first+o)
				}
			}
			i += run
			y, x = y+1, 0
		}
	}
}

// product multiplies weights and input columns.
func (v *convolution) product(m, n, k int, w, in, c []float32, ldc int) {
	switch p := v.l.p; {
	case v.packs:
		kernel.GemmStrided(false, false, m, n, k, w, k, in, p.size, c, ldc, false)
	case len(p.taps) == 1 && p.taps[0] == 0:
		kernel.GemmInPlace(m, n, k, w, k, in, p.size, c, ldc, false)
	default:
		kernel.GemmOffsets(m, n, k, w, k, in, v.l.offsets, c, ldc, false)
	}
}

// finish adds the bias, adds the residual and applies the activation.
func (v *convolution) finish(row, res []float32, o int) {
	var b float32
	if v.bias != nil {
		b = v.bias[o]
	}
	if res != nil {
		kernel.AddClamp(row, row, res, b, v.lo, v.hi)
	} else if v.bias != nil || v.act.name != "" {
		kernel.Clamp(row, row, b, v.lo, v.hi)
	}
	v.rest.run(row)
}

// naive covers three and more spatial dimensions.
func (v *convolution) naive() {
	g := v.l.g
	convolve(v.out, v.x, v.w, g, v.batch, v.ic, v.oc, v.groups)
	outN := product(g.out)
	v.lo, v.hi, v.rest = v.act.bounds()
	for i := range v.batch * v.oc {
		var r []float32
		if v.residual != nil {
			r = v.residual[i*outN:]
		}
		v.finish(v.out[i*outN:(i+1)*outN], r, i%v.oc)
	}
}

// convolve computes a convolution by its definition: x [batch, ic, in…], w
// [oc, ic/groups, kernel…], out [batch, oc, out…].
func convolve[T number](out, x, w []T, g *geometry, batch, ic, oc, groups int) {
	icg, ocg := ic/groups, oc/groups
	inN, outN, taps := product(g.in), product(g.out), product(g.kernel)
	d := len(g.in)
	at, tap := make([]int, d), make([]int, d)
	for n := range batch {
		for o := range oc {
			clear(at)
			dst := out[(n*oc+o)*outN : (n*oc+o+1)*outN]
			first := n*ic + o/ocg*icg
			for i := range dst {
				var s T
				clear(tap)
				for t := range taps {
					off, inside := 0, true
					for a := range d {
						p := at[a]*g.stride[a] + tap[a]*g.dilation[a] - g.begin[a]
						inside = inside && p >= 0 && p < g.in[a]
						off = off*g.in[a] + p
					}
					if inside {
						for ch := range icg {
							s += w[(o*icg+ch)*taps+t] * x[(first+ch)*inN+off]
						}
					}
					advanceIndex(tap, g.kernel)
				}
				dst[i] = s
				advanceIndex(at, g.out)
			}
		}
	}
}

// advanceIndex steps an index in row-major order.
func advanceIndex(at, shape []int) {
	for d := len(at) - 1; d >= 0; d-- {
		if at[d]++; at[d] < shape[d] {
			return
		}
		at[d] = 0
	}
}

func buildConvTranspose(s *spec) (operation, error) {
	w := newWindow(s)
	groups, extra, wantShape := s.int("group", 1), s.ints("output_padding"), s.ints("output_shape")
	act := s.fused
	return func(c *call) error {
		x, weights, err := c.pair()
		if err != nil {
			return err
		}
		bias := c.input(2)
		if err := wantF32(x, weights, bias); err != nil {
			return err
		}
		if len(x.shape) < 3 || len(weights.shape) != len(x.shape) || weights.shape[0] != x.shape[1] || groups < 1 || x.shape[1]%groups != 0 {
			return fmt.Errorf("input %v and weights %v do not fit", x.shape, weights.shape)
		}
		g, err := w.spread(x.shape[2:], weights.shape[2:], extra, wantShape)
		if err != nil {
			return err
		}
		batch, ic, ocg := x.shape[0], x.shape[1], weights.shape[1]
		oc, icg := ocg*groups, x.shape[1]/groups
		if bias != nil && bias.n != oc {
			return fmt.Errorf("bias %v does not fit %d channels", bias.shape, oc)
		}
		shape := append([]int{batch, oc}, g.out...)
		result, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst, src, wv := view[float32](result), view[float32](x), view[float32](weights)
		inN, outN, taps := product(g.in), product(g.out), product(g.kernel)
		cols := c.floats(ocg * taps * inN)
		clear(dst)
		for n := range batch {
			for k := range groups {
				xs := src[(n*ic+k*icg)*inN:]
				// cols [ocg·taps, inN] = wᵀ [ocg·taps, icg] · x [icg, inN]
				kernel.GemmParallel(c.threads, true, false, ocg*taps, inN, icg, wv[k*icg*ocg*taps:], xs, cols, false)
				scatterColumns(dst[(n*oc+k*ocg)*outN:], cols, ocg, g)
			}
		}
		for i := range batch * oc {
			row := dst[i*outN : (i+1)*outN]
			if bias != nil {
				kernel.AddScalar(row, row, view[float32](bias)[i%oc])
			}
			act.run(row)
		}
		return nil
	}, nil
}

// scatterColumns adds every column to the output positions of its taps.
func scatterColumns(dst, cols []float32, channels int, g *geometry) {
	in, out, kern, stride, dilation, begin := g.in, g.out, g.kernel, g.stride, g.dilation, g.begin
	d := len(in)
	inN, outN, taps := product(in), product(out), product(kern)
	tap := make([]int, d)
	at := make([]int, d)
	lastIn, lastOut := in[d-1], out[d-1]
	for ch := range channels {
		clear(tap)
		plane := dst[ch*outN : (ch+1)*outN]
		for t := range taps {
			src := cols[(ch*taps+t)*inN : (ch*taps+t+1)*inN]
			clear(at)
			for i := 0; i < inN; i += lastIn {
				base, inside := 0, true
				for a := range d - 1 {
					p := at[a]*stride[a] + tap[a]*dilation[a] - begin[a]
					inside = inside && p >= 0 && p < out[a]
					base = base*out[a] + p
				}
				if inside {
					row := plane[base*lastOut : (base+1)*lastOut]
					p := tap[d-1]*dilation[d-1] - begin[d-1]
					for _, v := range src[i : i+lastIn] {
						if p >= 0 && p < lastOut {
							row[p] += v
						}
						p += stride[d-1]
					}
				}
				advanceIndex(at[:d-1], in[:d-1])
			}
			advanceIndex(tap, kern)
		}
	}
}
