package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

var normTable = map[string]operator{
	"Softmax":                   {build: softmax(softmaxRow)},
	"LogSoftmax":                {build: softmax(logSoftmaxRow)},
	"Hardmax":                   {build: softmax(hardmaxRow)},
	"BatchNormalization":        {build: buildBatchNorm},
	"InstanceNormalization":     {build: buildInstanceNorm},
	"LayerNormalization":        {build: buildLayerNorm},
	"GroupNormalization":        {build: buildGroupNorm},
	"LpNormalization":           {build: buildLpNorm},
	"LRN":                       {build: buildLRN},
	"MeanVarianceNormalization": {build: buildMVN},
}

func softmaxRow(dst, src []float32) { kernel.Softmax(dst, src) }

func logSoftmaxRow(dst, src []float32) {
	l := kernel.LogSumExp(src, dst)
	kernel.SubScalar(dst, src, l)
}

func hardmaxRow(dst, src []float32) {
	best := 0
	for i, v := range src {
		if v > src[best] {
			best = i
		}
	}
	clear(dst[:len(src)])
	dst[best] = 1
}

// softmax normalises along one axis; before operator set 13 along all
// dimensions from the axis on.
func softmax(row func(dst, src []float32)) builder {
	return func(s *spec) (operation, error) {
		old := s.opset < 13
		axis := s.int("axis", -1)
		if old {
			axis = s.int("axis", 1)
		}
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			if x.dt != f32 && x.dt != f64 {
				return fmt.Errorf("does not compute with %v", x.dt)
			}
			a := axis
			if !(old && a == len(x.shape)) {
				if a, err = axisOf(axis, len(x.shape)); err != nil {
					return err
				}
			}
			out, err := c.output(0, x.dt, x.shape...)
			if err != nil || x.n == 0 {
				return err
			}
			if x.dt == f64 { // rare: through float32 rows would lose digits
				return softmaxF64(s.node.Op, out, x, a, old)
			}
			dst, src := view[float32](out), view[float32](x)
			if old {
				n := product(x.shape[a:])
				for i := 0; i < x.n; i += n {
					row(dst[i:i+n], src[i:i+n])
				}
				return nil
			}
			outer, n, inner := splitAt(x.shape, a)
			if inner == 1 {
				eachRow(threadsFor(c.threads, x.n), outer, n, dst, src, row)
				return nil
			}
			buf, res := c.floats(n), c.floats(n)
			for o := range outer {
				for i := range inner {
					for k := range n {
						buf[k] = src[(o*n+k)*inner+i]
					}
					row(res, buf)
					for k := range n {
						dst[(o*n+k)*inner+i] = res[k]
					}
				}
			}
			return nil
		}, nil
	}
}

// eachRow applies f to rows of n elements.
func eachRow(threads, rows, n int, dst, src []float32, f func(dst, src []float32)) {
	if threads <= 1 {
		for i := range rows {
			f(dst[i*n:(i+1)*n], src[i*n:(i+1)*n])
		}
		return
	}
	kernel.Parallel(threads, rows, 1, func(_, i, j int) {
		for ; i < j; i++ {
			f(dst[i*n:(i+1)*n], src[i*n:(i+1)*n])
		}
	})
}

// threadsFor is the number of workers that n elements are worth.
func threadsFor(threads, n int) int {
	if n < worthSplitting {
		return 1
	}
	return threads
}

func softmaxF64(op string, out, x *tensor, a int, old bool) error {
	outer, n, inner := product(x.shape[:a]), product(x.shape[a:]), 1
	if !old {
		outer, n, inner = splitAt(x.shape, a)
	}
	dst, src := view[float64](out), view[float64](x)
	for o := range outer {
		for i := range inner {
			m, s, best := math.Inf(-1), 0.0, 0
			for k := range n {
				if v := src[(o*n+k)*inner+i]; v > m {
					m, best = v, k
				}
			}
			for k := range n {
				s += math.Exp(src[(o*n+k)*inner+i] - m)
			}
			for k := range n {
				at := (o*n+k)*inner + i
				switch op {
				case "Softmax":
					dst[at] = math.Exp(src[at]-m) / s
				case "LogSoftmax":
					dst[at] = src[at] - m - math.Log(s)
				default:
					dst[at] = float64(b2u(k == best))
				}
			}
		}
	}
	return nil
}

// wantF32 refuses anything but float32.
func wantF32(ts ...*tensor) error {
	for _, t := range ts {
		if t != nil && t.dt != f32 {
			return fmt.Errorf("computes with float32 only, got %v", t.dt)
		}
	}
	return nil
}

func buildBatchNorm(s *spec) (operation, error) {
	epsilon, momentum := s.float("epsilon", 1e-5), s.float("momentum", 0.9)
	training := s.int("training_mode", 0) == 1
	act := s.fused
	return func(c *call) error {
		if err := c.first(5); err != nil {
			return err
		}
		x := c.in[0]
		if err := wantF32(c.in...); err != nil {
			return err
		}
		if len(x.shape) < 2 {
			return fmt.Errorf("wants channels, got %v", x.shape)
		}
		ch := x.shape[1]
		for _, t := range c.in[1:5] {
			if t.n != ch {
				return fmt.Errorf("has %d channels and parameters of shape %v", ch, t.shape)
			}
		}
		inner := product(x.shape[2:])
		scale, bias, mean, variance := view[float32](c.in[1]), view[float32](c.in[2]), view[float32](c.in[3]), view[float32](c.in[4])
		if training {
			m, v := channelMoments(view[float32](x), x.shape[0], ch, inner)
			for i, running := range [][]float32{mean, variance} {
				out, err := c.output(i+1, f32, ch)
				if err != nil {
					return err
				}
				dst := view[float32](out)
				for k := range dst {
					dst[k] = running[k]*momentum + [][]float32{m, v}[i][k]*(1-momentum)
				}
			}
			mean, variance = m, v
		}
		out, err := c.outputOver(0, 0, f32, x.shape...)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		for at, k := 0, 0; at < len(src); at, k = at+inner, (k+1)%ch {
			f := scale[k] / float32(math.Sqrt(float64(variance[k]+epsilon)))
			kernel.MulScalar(dst[at:at+inner], src[at:at+inner], f)
			kernel.AddScalar(dst[at:at+inner], dst[at:at+inner], bias[k]-mean[k]*f)
		}
		act.apply(out, c.threads)
		return nil
	}, nil
}

// channelMoments returns mean and population variance over batch and space.
func channelMoments(x []float32, batch, ch, inner int) (mean, variance []float32) {
	mean, variance = make([]float32, ch), make([]float32, ch)
	n := float64(batch * inner)
	for k := range ch {
		var s, q float64
		for b := range batch {
			for _, v := range x[(b*ch+k)*inner : (b*ch+k+1)*inner] {
				s += float64(v)
			}
		}
		m := s / n
		for b := range batch {
			for _, v := range x[(b*ch+k)*inner : (b*ch+k+1)*inner] {
				q += (float64(v) - m) * (float64(v) - m)
			}
		}
		mean[k], variance[k] = float32(m), float32(q/n)
	}
	return mean, variance
}

// normalizeRow writes (x−mean)/√(var+ε) to dst and returns mean and 1/√(var+ε).
func normalizeRow(dst, x []float32, epsilon float32) (mean, inv float32) {
	n := float32(len(x))
	mean = kernel.Sum(x) / n
	kernel.SubScalar(dst, x, mean)
	dst = dst[:len(x)]
	inv = float32(1 / math.Sqrt(float64(kernel.Dot(dst, dst)/n+epsilon)))
	kernel.MulScalar(dst, dst, inv)
	return mean, inv
}

func buildInstanceNorm(s *spec) (operation, error) {
	epsilon := s.float("epsilon", 1e-5)
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		x, scale, bias := c.in[0], view[float32](c.in[1]), view[float32](c.in[2])
		if err := wantF32(c.in...); err != nil {
			return err
		}
		if len(x.shape) < 3 || len(scale) != x.shape[1] || len(bias) != x.shape[1] {
			return fmt.Errorf("parameters do not fit: %s", describeAll(c.in))
		}
		return groupNorm(c, x, x.shape[1], epsilon, scale, bias)
	}, nil
}

func buildGroupNorm(s *spec) (operation, error) {
	epsilon, groups := s.float("epsilon", 1e-5), s.int("num_groups", 1)
	perGroup := s.opset < 21
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		x, scale, bias := c.in[0], view[float32](c.in[1]), view[float32](c.in[2])
		if err := wantF32(c.in...); err != nil {
			return err
		}
		if len(x.shape) < 2 || groups < 1 || x.shape[1]%groups != 0 {
			return fmt.Errorf("%v does not divide into %d groups", x.shape, groups)
		}
		if perGroup && len(scale) == groups && groups != x.shape[1] {
			each := x.shape[1] / groups
			ws, wb := make([]float32, 0, x.shape[1]), make([]float32, 0, x.shape[1])
			for g := range groups {
				for range each {
					ws, wb = append(ws, scale[g]), append(wb, bias[g])
				}
			}
			scale, bias = ws, wb
		}
		if len(scale) != x.shape[1] || len(bias) != x.shape[1] {
			return fmt.Errorf("parameters do not fit: %s", describeAll(c.in))
		}
		return groupNorm(c, x, groups, epsilon, scale, bias)
	}, nil
}

func groupNorm(c *call, x *tensor, groups int, epsilon float32, scale, bias []float32) error {
	out, err := c.output(0, f32, x.shape...)
	if err != nil || x.n == 0 {
		return err
	}
	ch, inner := x.shape[1], product(x.shape[2:])
	n := ch / groups * inner
	dst, src := view[float32](out), view[float32](x)
	for at := 0; at < x.n; at += n {
		normalizeRow(dst[at:at+n], src[at:at+n], epsilon)
	}
	for at, k := 0, 0; at < x.n; at, k = at+inner, (k+1)%ch {
		kernel.MulScalar(dst[at:at+inner], dst[at:at+inner], scale[k])
		kernel.AddScalar(dst[at:at+inner], dst[at:at+inner], bias[k])
	}
	return nil
}

func buildLayerNorm(s *spec) (operation, error) {
	epsilon, axis := s.float("epsilon", 1e-5), s.int("axis", -1)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(c.in...); err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		n := product(x.shape[a:])
		scale, bias := c.input(1), c.input(2)
		if scale == nil || scale.n != n || (bias != nil && bias.n != n) {
			return fmt.Errorf("parameters do not fit: %s", describeAll(c.in))
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		stats := append([]int{}, x.shape...)
		for i := a; i < len(stats); i++ {
			stats[i] = 1
		}
		var mean, inv []float32
		for i, p := range []*[]float32{&mean, &inv} {
			if len(c.out) > i+1 && c.out[i+1] != nil {
				t, err := c.output(i+1, f32, stats...)
				if err != nil {
					return err
				}
				*p = view[float32](t)
			}
		}
		dst, src, w := view[float32](out), view[float32](x), view[float32](scale)
		kernel.Parallel(threadsFor(c.threads, x.n), x.n/max(n, 1), 1, func(_, i, j int) {
			for ; i < j; i++ {
				row := dst[i*n : (i+1)*n]
				m, v := normalizeRow(row, src[i*n:(i+1)*n], epsilon)
				if mean != nil {
					mean[i] = m
				}
				if inv != nil {
					inv[i] = v
				}
				kernel.Mul(row, row, w)
				if bias != nil {
					kernel.Add(row, row, view[float32](bias))
				}
			}
		})
		return nil
	}, nil
}

func buildLpNorm(s *spec) (operation, error) {
	axis, p := s.int("axis", -1), s.int("p", 2)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		outer, n, inner := splitAt(x.shape, a)
		dst, src := view[float32](out), view[float32](x)
		op := redL2
		if p == 1 {
			op = redL1
		}
		for o := range outer {
			for i := range inner {
				at := o*n*inner + i
				d := fold(op, src, at, n, inner)
				if d == 0 {
					d = 1 // a row of zeros stays one
				}
				for k := range n {
					dst[at+k*inner] = src[at+k*inner] / d
				}
			}
		}
		return nil
	}, nil
}

func buildLRN(s *spec) (operation, error) {
	alpha, beta, bias, size := float64(s.float("alpha", 1e-4)), float64(s.float("beta", 0.75)), float64(s.float("bias", 1)), s.int("size", 1)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		if len(x.shape) < 2 || size < 1 {
			return fmt.Errorf("wants channels, got %v", x.shape)
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		batch, ch, inner := x.shape[0], x.shape[1], product(x.shape[2:])
		dst, src := view[float32](out), view[float32](x)
		l := &c.lrn
		*l = lrn{dst: dst, src: src, ch: ch, inner: inner, before: (size - 1) / 2, after: size / 2,
			scale: float32(alpha / float64(size)), bias: float32(bias), beta: beta}
		workers := threadsFor(c.threads, x.n)
		if workers == 1 {
			l.rows(0, batch*ch)
			return nil
		}
		l.parallel(workers, batch*ch)
		return nil
	}, nil
}

// lrn is one call of local response normalisation.
type lrn struct {
	dst, src      []float32
	ch, inner     int
	before, after int // channels of a window beside its own
	scale, bias   float32
	beta          float64
}

func (l *lrn) parallel(workers, n int) {
	kernel.Parallel(workers, n, 1, func(_, i, j int) { l.rows(i, j) })
}

// rows computes channels, counted through the batch, from i up to j:
// x/(bias + scale·Σx²)^beta.
func (l *lrn) rows(i, j int) {
	var sums, squares [512]float32
	for ; i < j; i++ {
		for at := 0; at < l.inner; at += len(sums) {
			n := min(len(sums), l.inner-at)
			sum, square := sums[:n], squares[:n]
			l.base(sum, square, i, at)
			l.power(square, sum)
			kernel.Div(l.dst[i*l.inner+at:][:n], l.src[i*l.inner+at:][:n], square)
		}
	}
}

// base fills q with bias + scale·Σx² for some elements of channel i, counted through
// the batch; tmp is as long.
func (l *lrn) base(q, tmp []float32, i, at int) {
	k := i % l.ch
	clear(q)
	for c := i - min(k, l.before); c <= i+min(l.ch-1-k, l.after); c++ {
		x := l.src[c*l.inner+at:][:len(q)]
		kernel.Mul(tmp, x, x)
		kernel.Add(q, q, tmp)
	}
	kernel.MulScalar(q, q, l.scale)
	kernel.AddScalar(q, q, l.bias)
}

// power fills dst with q^beta.
func (l *lrn) power(dst, q []float32) {
	switch l.beta {
	case 0.75: // √q·√√q
		kernel.Sqrt(dst, q)
		var roots [512]float32
		r := roots[:len(q)]
		kernel.Sqrt(r, dst)
		kernel.Mul(dst, dst, r)
	case 0.5:
		kernel.Sqrt(dst, q)
	case 1:
		copy(dst, q)
	default:
		for p, q := range q {
			dst[p] = float32(math.Pow(float64(q), l.beta))
		}
	}
}

func buildMVN(s *spec) (operation, error) {
	axes := s.ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(x); err != nil {
			return err
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		var gone [maxRank]bool
		for _, a := range axes {
			if a, err = axisOf(a, len(x.shape)); err != nil {
				return err
			}
			gone[a] = true
		}
		var keepDims, keepSt, redDims, redSt []int
		for i, st := range stridesOf(x.shape) {
			if gone[i] {
				redDims, redSt = append(redDims, x.shape[i]), append(redSt, st)
			} else {
				keepDims, keepSt = append(keepDims, x.shape[i]), append(keepSt, st)
			}
		}
		dst, src := view[float32](out), view[float32](x)
		n := float64(product(redDims))
		eachIndex(keepDims, keepSt, func(_, base int) {
			var m, q float64
			eachIndex(redDims, redSt, func(_, o int) { m += float64(src[base+o]) })
			m /= n
			eachIndex(redDims, redSt, func(_, o int) { d := float64(src[base+o]) - m; q += d * d })
			sd := math.Sqrt(q/n) + 1e-9
			eachIndex(redDims, redSt, func(_, o int) { dst[base+o] = float32((float64(src[base+o]) - m) / sd) })
		})
		return nil
	}, nil
}
