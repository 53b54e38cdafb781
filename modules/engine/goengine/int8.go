package goengine

import (
	"errors"
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
)

// Products and convolutions of bytes. Both operands are widened to int16 less
// their zero points, so that every sum is exact in int32 whatever the signs of
// the types, and padding is zero.

// bytesLike reports whether a tensor holds bytes and its zero point is one
// number or absent.
func bytesLike(x, zero *tensor) bool {
	return (x.dt == u8 || x.dt == i8) && (zero == nil || zero.n == 1)
}

// widened writes elements of x, from one on, less a zero point.
func widened(dst []int16, x *tensor, from int, zero int16) {
	if x.dt == i8 {
		kernel.WidenInt8(dst, view[int8](x)[from:from+len(dst)], zero)
		return
	}
	kernel.WidenUint8(dst, view[uint8](x)[from:from+len(dst)], zero)
}

// even rounds up to an even number.
func even(n int) int { return (n + 1) &^ 1 }

// widePanels is a right operand [k, n] in panels of as many columns as the
// kernel computes at once.
type widePanels struct {
	data    []int16
	k, n    int
	offsets []int
}

// panelLen is the room for the panels of a [k, n] matrix.
func panelLen(k, n int) int {
	return even(k) * (n + kernel.IntColumns - 1) / kernel.IntColumns * kernel.IntColumns
}

// pack fills the panels from the matrix of b that begins at element from; row
// is scratch of n.
func (w *widePanels) pack(b, zero *tensor, from int, row []int16) {
	const cols = kernel.IntColumns
	clear(w.data)
	for p := range w.k {
		if zero == nil || zero.n == 1 {
			widened(row, b, from+p*w.n, int16(zeroAt(zero, 0)))
		} else { // one for each column
			widened(row, b, from+p*w.n, 0)
			for j := range row {
				row[j] -= int16(zero.at(j))
			}
		}
		for j := 0; j < w.n; j += cols {
			copy(w.data[j*even(w.k)+p*cols:][:cols], row[j:min(j+cols, w.n)])
		}
	}
}

func newWidePanels(k, n int, data []int16) *widePanels {
	w := &widePanels{data: data, k: k, n: n, offsets: make([]int, even(k))}
	for p := range w.offsets {
		w.offsets[p] = p * kernel.IntColumns
	}
	return w
}

// packWide packs a constant matrix with a constant zero point.
func packWide(b, zero *tensor, zeroKnown bool) *widePanels {
	if b == nil || !zeroKnown || (b.dt != u8 && b.dt != i8) || len(b.shape) != 2 || b.n == 0 || (zero != nil && zero.n != 1 && zero.n != b.shape[1]) {
		return nil
	}
	k, n := b.shape[0], b.shape[1]
	w := newWidePanels(k, n, make([]int16, panelLen(k, n)))
	w.pack(b, zero, 0, make([]int16, n))
	return w
}

// multiply computes rows of dst [m, n] from a [m, even k].
func (w *widePanels) multiply(threads, m int, a []int16, dst []int32) {
	k2 := even(w.k)
	const cols, strip = kernel.IntColumns, 96
	panels := (w.n + cols - 1) / cols
	part := func(_, i, j int) {
		for i0 := 0; i0 < m; i0 += strip {
			for p := i; p < j; p++ {
				kernel.Product16(min(strip, m-i0), min(cols, w.n-p*cols), k2, a[i0*k2:], k2,
					w.data[p*cols*k2:(p+1)*cols*k2], w.offsets, dst[i0*w.n+p*cols:], w.n)
			}
		}
	}
	if m*w.n*w.k < 1<<17 {
		threads = 1
	}
	kernel.Parallel(threads, panels, 1, part)
}

// integerMatMul multiplies stacks of integers less their zero points.
func integerMatMul(c *call, dst []int32, a, aZero, b, bZero *tensor, panels *widePanels, shape []int, m, k, n int) error {
	if !bytesLike(a, aZero) || (b.dt != u8 && b.dt != i8) || (bZero != nil && bZero.n != 1 && bZero.n != n) || m*n*k == 0 {
		x, err := integers(a, aZero, max(0, len(a.shape)-2))
		if err != nil {
			return err
		}
		y, err := integers(b, bZero, len(b.shape)-1)
		if err != nil {
			return err
		}
		naiveMatMul(dst, x, y, batchOffsets(shape, a.shape, b.shape, m, k, n), m, k, n)
		return nil
	}
	k2 := even(k)
	rows := a.n / k
	wide := scratchOf[int16](c, rows*k2)
	za := int16(zeroAt(aZero, 0))
	if k2 == k {
		widened(wide, a, 0, za)
	} else {
		for i := range rows {
			widened(wide[i*k2:i*k2+k], a, i*k, za)
			wide[i*k2+k] = 0
		}
	}
	if len(b.shape) <= 2 {
		if panels == nil {
			panels = newWidePanels(k, n, scratchOf[int16](c, panelLen(k, n)))
			panels.pack(b, bZero, 0, scratchOf[int16](c, n))
		}
		panels.multiply(c.threads, rows, wide, dst)
		return nil
	}
	panels = newWidePanels(k, n, scratchOf[int16](c, panelLen(k, n)))
	row, last := scratchOf[int16](c, n), -1
	for i, o := range batchOffsets(shape, a.shape, b.shape, m, k, n) {
		if o[1] != last {
			panels.pack(b, bZero, o[1], row)
			last = o[1]
		}
		panels.multiply(c.threads, m, wide[o[0]/k*k2:], dst[i*m*n:])
	}
	return nil
}

// known reports whether input i is absent or a constant.
func (s *spec) known(i int) bool {
	return i >= len(s.node.Inputs) || s.node.Inputs[i] == "" || s.constant(i) != nil
}

func buildMatMulInteger(s *spec) (operation, error) {
	panels := packWide(s.constant(1), s.constant(3), s.known(3))
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		shape, m, k, n, err := matmulShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, i32, shape...)
		if err != nil {
			return err
		}
		return integerMatMul(c, view[int32](out), a, c.input(2), b, c.input(3), panels, out.shape, m, k, n)
	}, nil
}

func buildQLinearMatMul(s *spec) (operation, error) {
	panels := packWide(s.constant(3), s.constant(5), s.known(5))
	return func(c *call) error {
		if err := c.first(8); err != nil {
			return err
		}
		a, as, b, bs, ys, yz := c.in[0], c.in[1], c.in[3], c.in[4], c.in[6], c.in[7]
		shape, m, k, n, err := matmulShape(nil, a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, yz.dt, shape...)
		if err != nil {
			return err
		}
		sums := scratchOf[int32](c, out.n)
		if err := integerMatMul(c, sums, a, c.in[2], b, c.in[5], panels, out.shape, m, k, n); err != nil {
			return err
		}
		aScale := func(row int) float64 {
			if as.n == m && m > 1 {
				return as.at(row % m)
			}
			return as.at(0)
		}
		q := requantizer(yz)
		if bs.n != n || n == 1 {
			for i := 0; i < len(sums); i += n {
				if err := q.row(out, i, sums[i:i+n], aScale(i/n), bs.at(0), ys.at(0), 0); err != nil {
					return err
				}
			}
			return nil
		}
		for i := range sums {
			if err := q.row(out, i, sums[i:i+1], aScale(i/n), bs.at(i%n), ys.at(0), 0); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// requantization makes bytes of sums of products.
type requantization struct {
	zero int32
	dt   onnxElem
}

func requantizer(zero *tensor) requantization {
	return requantization{zero: int32(zeroAt(zero, 0)), dt: zero.dt}
}

// row writes sums, whose operands have two scales, as the elements of out from
// at on, which have a third. The factor is one float32, as in the standard's
// reference.
func (q requantization) row(out *tensor, at int, sums []int32, a, b, y float64, bias int32) error {
	b8 := kernel.Bytes{Scale: float32(a) * float32(b) / float32(y), Zero: q.zero, Signed: q.dt == i8}
	if q.dt != u8 && q.dt != i8 {
		return fmt.Errorf("cannot make %v of integers", q.dt)
	}
	b8.Requantize(out.bytes()[at:at+len(sums)], sums, bias)
	return nil
}

// integerConv convolves integers, which zero padding leaves at their zero
// point, by the definition.
func integerConv(w *window, groups int, x, y []int32, xs, ws []int) ([]int32, error) {
	g, err := w.resolve(xs[2:], ws[2:])
	if err != nil {
		return nil, err
	}
	out := make([]int32, xs[0]*ws[0]*product(g.out))
	convolve(out, x, y, g, xs[0], xs[1], ws[0], groups)
	return out, nil
}

// byteConv is a convolution of bytes, ready to run.
type byteConv struct {
	w       window
	groups  int
	state   convState
	weights []int16 // constant, [oc, even k]
}

func newByteConv(s *spec, weights, zero int) *byteConv {
	b := &byteConv{w: newWindow(s), groups: s.int("group", 1)}
	if w := s.constant(weights); w != nil && s.known(zero) && (w.dt == u8 || w.dt == i8) && len(w.shape) > 2 && w.n > 0 {
		if z := s.constant(zero); z == nil || z.n == 1 || z.n == w.shape[0] {
			b.weights = make([]int16, w.shape[0]*even(w.n/w.shape[0]))
			widenWeights(b.weights, w, z)
		}
	}
	return b
}

// widenWeights writes the weights of each output channel as a row of even
// length.
func widenWeights(dst []int16, w, zero *tensor) {
	oc := w.shape[0]
	k := w.n / oc
	clear(dst)
	for o := range oc {
		z := 0
		if zero != nil && zero.n == oc {
			z = o
		}
		widened(dst[o*even(k):o*even(k)+k], w, o*k, int16(zeroAt(zero, z)))
	}
}

// shape is that of the result, with the layout to compute it by.
func (b *byteConv) shape(x, w *tensor) ([]int, *convLayout, error) {
	xs, ws := x.shape, w.shape
	if len(xs) < 3 || len(ws) != len(xs) || b.groups < 1 || xs[1] != ws[1]*b.groups || ws[0]%b.groups != 0 {
		return nil, nil, fmt.Errorf("input %v and weights %v do not fit", xs, ws)
	}
	l, err := b.state.layout(&b.w, xs[2:], ws[2:], ws[1])
	if err != nil {
		return nil, nil, err
	}
	return append([]int{xs[0], ws[0]}, l.g.out...), l, nil
}

// run computes the sums and hands every row of neighbours, with where it goes
// and its output channel, to store.
func (b *byteConv) run(c *call, l *convLayout, x, xZero, w, wZero *tensor, store func(at, channel int, sums []int32) error) error {
	batch, ic, oc := x.shape[0], x.shape[1], w.shape[0]
	if !bytesLike(x, xZero) || (w.dt != u8 && w.dt != i8) || (wZero != nil && wZero.n != 1 && wZero.n != oc) || l.p == nil {
		xs, err := integers(x, xZero, 1)
		if err != nil {
			return err
		}
		ws, err := integers(w, wZero, 0)
		if err != nil {
			return err
		}
		sums, err := integerConv(&b.w, b.groups, xs, ws, x.shape, w.shape)
		if err != nil {
			return err
		}
		n := product(l.g.out)
		for i := 0; i*n < len(sums); i++ {
			if err := store(i*n, i%oc, sums[i*n:(i+1)*n]); err != nil {
				return err
			}
		}
		return nil
	}
	if batch == 0 || oc == 0 || product(l.g.out) == 0 || w.n == 0 {
		return nil
	}
	weights := b.weights
	k := w.n / oc
	if weights == nil {
		weights = scratchOf[int16](c, oc*even(k))
		widenWeights(weights, w, wZero)
	}
	if ic == b.groups && k*255*255 < 1<<24 {
		return b.depthwise(c, l, x, xZero, oc, weights, store)
	}
	p := l.p
	inN, outN, zero := product(l.g.in), product(l.g.out), int16(zeroAt(xZero, 0))
	planes := scratchOf[int16](c, ic*p.size+kernel.IntColumns)
	clear(planes)
	workers := c.threads
	if p.n*k*oc < 1<<16 {
		workers = 1
	}
	rows := scratchOf[int16](c, workers*inN)
	icg, ocg := ic/b.groups, oc/b.groups
	block := min(256, (p.n+kernel.IntColumns-1)/kernel.IntColumns*kernel.IntColumns)
	blocks := (p.n + block - 1) / block
	sums := scratchOf[int32](c, workers*ocg*block)
	errs := make([]error, workers)
	for n := range batch {
		kernel.Parallel(threadsFor(workers, ic*p.size), ic, 1, func(worker, i, j int) {
			row := rows[worker*inN : (worker+1)*inN]
			for ; i < j; i++ {
				if p.direct {
					widened(planes[i*p.size:i*p.size+inN], x, (n*ic+i)*inN, zero)
					continue
				}
				widened(row, x, (n*ic+i)*inN, zero)
				fillPlanes(p, planes[i*p.size:(i+1)*p.size], row)
			}
		})
		kernel.Share(workers, b.groups*blocks, func(worker, u int) {
			if errs[worker] != nil {
				return
			}
			own := sums[worker*ocg*block : (worker+1)*ocg*block]
			g, at := u/blocks, u%blocks*block
			cols := min(block, p.n-at)
			kernel.Product16(ocg, cols, even(k), weights[g*ocg*even(k):], even(k), planes[g*icg*p.size+at:], l.even, own, block)
			for o := range ocg {
				errs[worker] = p.keep(own[o*block:o*block+cols], at, func(to int, part []int32) error {
					return store((n*oc+g*ocg+o)*outN+to, g*ocg+o, part)
				})
			}
		})
	}
	return errors.Join(errs...)
}

// depthwise computes outputs that depend on one input channel each with the
// kernel for float32, in which sums of so few products are exact.
func (b *byteConv) depthwise(c *call, l *convLayout, x, xZero *tensor, oc int, weights []int16, store func(at, channel int, sums []int32) error) error {
	p := l.p
	batch, ic := x.shape[0], x.shape[1]
	ocg, taps := oc/ic, len(p.taps)
	inN, outN := product(l.g.in), product(l.g.out)
	from := kernel.Bytes{Scale: 1, Zero: int32(zeroAt(xZero, 0)), Signed: x.dt == i8}
	workers := min(threadsFor(c.threads, x.n*taps), ic)
	each := p.size + kernel.FilterSlack + inN + outN + taps
	room, ints := c.floats(workers*each), scratchOf[int32](c, workers*outN)
	clear(room)
	errs := make([]error, workers)
	kernel.Parallel(workers, ic, 1, func(worker, i, j int) {
		own := room[worker*each : (worker+1)*each]
		cut := func(n int) []float32 {
			part := own[:n]
			own = own[n:]
			return part
		}
		planes, row, out, w := cut(p.size+kernel.FilterSlack), cut(inN), cut(outN), cut(taps)
		sums := ints[worker*outN : (worker+1)*outN]
		f := kernel.Filter{Weights: w, Offsets: p.taps}
		f.Lo, f.Hi = noBounds()
		for ; i < j; i++ {
			for n := range batch {
				from.Dequantize(row, x.bytes()[(n*ic+i)*inN:(n*ic+i+1)*inN])
				p.fill(planes, row)
				for o := i * ocg; o < (i+1)*ocg; o++ {
					for t := range w {
						w[t] = float32(weights[o*even(taps)+t])
					}
					f.Apply(out, p.g.out[1], planes, p.w, p.g.out[0], p.g.out[1])
					kernel.ToInt32(sums, out)
					if err := store((n*oc+o)*outN, o, sums); err != nil {
						errs[worker] = err
						return
					}
				}
			}
		}
	})
	return errors.Join(errs...)
}

// keep hands on the parts of a row of positions, which begins at one, that do
// not fall into the padding, with where they go in a plane of outputs.
func (p *planes) keep(row []int32, at int, part func(to int, part []int32) error) error {
	if p.contiguous {
		return part(at, row)
	}
	outW := p.g.out[1]
	y, x := at/p.w, at%p.w
	for len(row) > 0 {
		run := min(len(row), p.w-x)
		if n := min(run, outW-x); n > 0 {
			if err := part(y*outW+x, row[:n]); err != nil {
				return err
			}
		}
		row = row[run:]
		y, x = y+1, 0
	}
	return nil
}

func buildConvInteger(s *spec) (operation, error) {
	conv := newByteConv(s, 1, 3)
	return func(c *call) error {
		x, w, err := c.pair()
		if err != nil {
			return err
		}
		shape, l, err := conv.shape(x, w)
		if err != nil {
			return err
		}
		out, err := c.output(0, i32, shape...)
		if err != nil {
			return err
		}
		dst := view[int32](out)
		return conv.run(c, l, x, c.input(2), w, c.input(3), func(at, _ int, sums []int32) error {
			copy(dst[at:], sums)
			return nil
		})
	}, nil
}

func buildQLinearConv(s *spec) (operation, error) {
	conv := newByteConv(s, 3, 5)
	return func(c *call) error {
		if err := c.first(8); err != nil {
			return err
		}
		x, xs, w, ws, ys, yz, bias := c.in[0], c.in[1], c.in[3], c.in[4], c.in[6], c.in[7], c.input(8)
		shape, l, err := conv.shape(x, w)
		if err != nil {
			return err
		}
		out, err := c.output(0, yz.dt, shape...)
		if err != nil {
			return err
		}
		oc := shape[1]
		if bias != nil && (bias.n != oc || bias.dt != i32) {
			return fmt.Errorf("bias %s does not fit %d channels", bias.describe(), oc)
		}
		q := requantizer(yz)
		return conv.run(c, l, x, c.in[2], w, c.in[5], func(at, o int, sums []int32) error {
			var b int32
			if bias != nil {
				b = view[int32](bias)[o]
			}
			return q.row(out, at, sums, xs.at(0), ws.at(min(o, ws.n-1)), ys.at(0), b)
		})
	}, nil
}
