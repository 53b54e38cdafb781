package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var matmulTable = map[string]operator{
	"MatMul":        {build: buildMatMul},
	"Gemm":          {build: buildGemm},
	"MatMulInteger": {build: buildMatMulInteger},
	"QLinearMatMul": {build: buildQLinearMatMul},
	"Einsum":        {build: buildEinsum},
	"Det":           {build: buildDet},
}

// packed is a constant right operand in the kernel's panels.
type packed struct {
	panels []float32
	k, n   int
	width  int // of the panels when packed
}

// packConstant packs a constant [k, n] (or [n, k], transposed) float32 matrix.
func packConstant(t *tensor, trans bool) *packed {
	if t == nil || t.dt != f32 || len(t.shape) != 2 || t.n == 0 {
		return nil
	}
	k, n := t.shape[0], t.shape[1]
	ld := n
	if trans {
		k, n = n, k
	}
	p := &packed{panels: make([]float32, kernel.PackedLen(k, n)), k: k, n: n, width: kernel.PanelWidth()}
	kernel.PackB(p.panels, view[float32](t), ld, trans, k, n)
	return p
}

// multiply computes c = a·b on several workers.
func (p *packed) multiply(threads, m int, a []float32, c []float32, accumulate bool) {
	if threads <= 1 || m*p.n*p.k < 1<<17 {
		kernel.GemmPacked(m, p.n, p.k, a, p.k, p.panels, c, p.n, accumulate)
		return
	}
	p.multiplyParallel(threads, m, a, c, accumulate)
}

func (p *packed) multiplyParallel(threads, m int, a []float32, c []float32, accumulate bool) {
	if m >= 2*threads*6 {
		kernel.Parallel(threads, m, 12, func(_, i, j int) {
			kernel.GemmPacked(j-i, p.n, p.k, a[i*p.k:], p.k, p.panels, c[i*p.n:], p.n, accumulate)
		})
		return
	}
	kernel.Parallel(threads, p.n, p.width, func(_, i, j int) {
		kernel.GemmPacked(m, j-i, p.k, a, p.k, p.panels[i*p.k:], c[i:], p.n, accumulate)
	})
}

// usable reports whether the panels fit the level in use now.
func (p *packed) usable() bool { return p != nil && p.width == kernel.PanelWidth() }

// matmulShape returns the result's shape and the batch dimensions.
func matmulShape(dst []int, a, b []int) (shape []int, m, k, n int, err error) {
	if len(a) == 0 || len(b) == 0 {
		return nil, 0, 0, 0, fmt.Errorf("a scalar has no product")
	}
	m, k = 1, a[len(a)-1]
	if len(a) > 1 {
		m = a[len(a)-2]
	}
	n = 1
	kb := b[0]
	if len(b) > 1 {
		kb, n = b[len(b)-2], b[len(b)-1]
	}
	if k != kb {
		return nil, 0, 0, 0, misfit([][]int{a, b})
	}
	var ab, bb []int
	if len(a) > 2 {
		ab = a[:len(a)-2]
	}
	if len(b) > 2 {
		bb = b[:len(b)-2]
	}
	shape, err = broadcastShape(dst, ab, bb)
	if err != nil {
		return nil, 0, 0, 0, misfit([][]int{a, b})
	}
	if len(a) > 1 {
		shape = append(shape, m)
	}
	if len(b) > 1 {
		shape = append(shape, n)
	}
	return shape, m, k, n, nil
}

func buildMatMul(s *spec) (operation, error) {
	weights := packConstant(s.constant(1), false)
	act := s.fused
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		if a.dt != b.dt {
			return fmt.Errorf("operands are %v and %v", a.dt, b.dt)
		}
		var room [maxRank]int
		shape, m, k, n, err := matmulShape(room[:0], a.shape, b.shape)
		if err != nil {
			return err
		}
		out, err := c.output(0, a.dt, shape...)
		if err != nil {
			return err
		}
		if a.dt != f32 {
			return matmulAny(out, a, b, m, k, n)
		}
		dst, x, y := view[float32](out), view[float32](a), view[float32](b)
		if weights.usable() && len(b.shape) == 2 && weights.k == k {
			// all rows of a batch are one matrix
			if n > 0 && k > 0 {
				weights.multiply(c.threads, out.n/n, x, dst, false)
			} else {
				clear(dst)
			}
		} else {
			batchMatMul(c.threads, dst, x, y, out.shape, a.shape, b.shape, m, k, n)
		}
		if bias := c.input(2); bias != nil {
			addBias(dst, bias, n)
		}
		act.apply(out, c.threads)
		return nil
	}, nil
}

// addBias adds a row to every row of n.
func addBias(dst []float32, bias *tensor, n int) {
	row := view[float32](bias)
	for i := 0; i+n <= len(dst); i += n {
		kernel.Add(dst[i:i+n], dst[i:i+n], row)
	}
}

// batchMatMul multiplies stacks of matrices.
func batchMatMul(threads int, dst, x, y []float32, out, a, b []int, m, k, n int) {
	if len(b) <= 2 {
		rows := m
		for _, d := range a[:max(0, len(a)-2)] {
			rows *= d
		}
		if len(a) == 1 {
			rows = 1
		}
		kernel.GemmParallel(threads, false, false, rows, n, k, x, y, dst, false)
		return
	}
	batch := out[:len(out)-min(2, len(out))]
	if len(a) == 1 {
		batch = out[:len(out)-1]
	}
	offsets := matOffsets(batch, a, b, m*k, k*n)
	if threads > 1 && len(offsets) >= threads && m*n*k*len(offsets) > 1<<16 {
		splitBatch(threads, offsets, dst, x, y, m, k, n)
		return
	}
	for i, o := range offsets {
		kernel.GemmParallel(threads, false, false, m, n, k, x[o[0]:], y[o[1]:], dst[i*m*n:], false)
	}
}

func splitBatch(threads int, offsets [][2]int, dst, x, y []float32, m, k, n int) {
	kernel.Parallel(threads, len(offsets), 1, func(_, i, j int) {
		for ; i < j; i++ {
			kernel.Gemm(false, false, m, n, k, x[offsets[i][0]:], y[offsets[i][1]:], dst[i*m*n:], false)
		}
	})
}

// matOffsets lists where each matrix of a broadcast batch begins.
func matOffsets(batch, a, b []int, sizeA, sizeB int) [][2]int {
	strides := func(s []int, size int) []int {
		if len(s) <= 2 {
			return make([]int, len(batch))
		}
		st := broadcastStrides(batch, s[:len(s)-2])
		for i := range st {
			st[i] *= size
		}
		return st
	}
	sa, sb := strides(a, sizeA), strides(b, sizeB)
	offsets := make([][2]int, product(batch))
	eachIndex(batch, sa, func(i, o int) { offsets[i][0] = o })
	eachIndex(batch, sb, func(i, o int) { offsets[i][1] = o })
	return offsets
}

// batchOffsets is matOffsets for a product's shape and its operands'.
func batchOffsets(out, a, b []int, m, k, n int) [][2]int {
	batch := out
	if len(b) > 1 {
		batch = batch[:len(batch)-1]
	}
	if len(a) > 1 {
		batch = batch[:len(batch)-1]
	}
	return matOffsets(batch, a, b, m*k, k*n)
}

func matmulAny(out, a, b *tensor, m, k, n int) error {
	offsets := batchOffsets(out.shape, a.shape, b.shape, m, k, n)
	switch a.dt {
	case f64:
		naiveMatMul(view[float64](out), view[float64](a), view[float64](b), offsets, m, k, n)
	case i32:
		naiveMatMul(view[int32](out), view[int32](a), view[int32](b), offsets, m, k, n)
	case i64:
		naiveMatMul(view[int64](out), view[int64](a), view[int64](b), offsets, m, k, n)
	case u32:
		naiveMatMul(view[uint32](out), view[uint32](a), view[uint32](b), offsets, m, k, n)
	case u64:
		naiveMatMul(view[uint64](out), view[uint64](a), view[uint64](b), offsets, m, k, n)
	default:
		return fmt.Errorf("does not multiply %v", a.dt)
	}
	return nil
}

func naiveMatMul[T number](out, a, b []T, offsets [][2]int, m, k, n int) {
	for q, o := range offsets {
		x, y, z := a[o[0]:], b[o[1]:], out[q*m*n:]
		for i := range m {
			for j := range n {
				var s T
				for p := range k {
					s += x[i*k+p] * y[p*n+j]
				}
				z[i*n+j] = s
			}
		}
	}
}

func buildGemm(s *spec) (operation, error) {
	alpha, beta := s.float("alpha", 1), s.float("beta", 1)
	ta, tb := s.int("transA", 0) != 0, s.int("transB", 0) != 0
	weights := packConstant(s.constant(1), tb)
	act := s.fused
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		bias := c.input(2)
		if len(a.shape) != 2 || len(b.shape) != 2 || a.dt != b.dt || (bias != nil && bias.dt != a.dt) {
			return fmt.Errorf("wants matrices of one type, got %s", describeAll(c.in))
		}
		m, k, kb, n := a.shape[0], a.shape[1], b.shape[0], b.shape[1]
		if ta {
			m, k = k, m
		}
		if tb {
			kb, n = n, kb
		}
		if k != kb {
			return fmt.Errorf("cannot multiply %v by %v (transA %v, transB %v)", a.shape, b.shape, ta, tb)
		}
		out, err := c.output(0, a.dt, m, n)
		if err != nil {
			return err
		}
		if bias != nil {
			if shape, err := broadcastShape(nil, out.shape, bias.shape); err != nil || !slices.Equal(shape, out.shape) {
				return fmt.Errorf("bias %v does not fit %v", bias.shape, out.shape)
			}
		}
		if a.dt != f32 {
			return gemmAny(out, a, b, bias, alpha, beta, ta, tb, m, k, n)
		}
		dst := view[float32](out)
		if weights.usable() && !ta && k > 0 {
			weights.multiply(c.threads, m, view[float32](a), dst, false)
		} else {
			kernel.GemmParallel(c.threads, ta, tb, m, n, k, view[float32](a), view[float32](b), dst, false)
		}
		if alpha != 1 {
			kernel.MulScalar(dst, dst, alpha)
		}
		if bias != nil && out.n > 0 {
			if beta != 1 {
				scaled := newTensor(f32, bias.shape...)
				kernel.MulScalar(view[float32](scaled), view[float32](bias), beta)
				bias = scaled
			}
			if bias.n == n && len(bias.shape) > 0 && bias.shape[len(bias.shape)-1] == n {
				addBias(dst, bias, n)
			} else if err := arith(opAdd, out, out, bias, 1); err != nil {
				return err
			}
		}
		act.apply(out, c.threads)
		return nil
	}, nil
}

func gemmAny(out, a, b, bias *tensor, alpha, beta float32, ta, tb bool, m, k, n int) error {
	switch a.dt {
	case f64:
		naiveGemm(view[float64](out), view[float64](a), view[float64](b), ta, tb, m, k, n, float64(alpha))
	case i32:
		naiveGemm(view[int32](out), view[int32](a), view[int32](b), ta, tb, m, k, n, int32(alpha))
	case i64:
		naiveGemm(view[int64](out), view[int64](a), view[int64](b), ta, tb, m, k, n, int64(alpha))
	default:
		return fmt.Errorf("does not multiply %v", a.dt)
	}
	if bias == nil {
		return nil
	}
	scale := newTensor(a.dt)
	if err := cast(scale, of(f32, []float32{beta})); err != nil {
		return err
	}
	scaled := newTensor(a.dt, bias.shape...)
	if err := arith(opMul, scaled, bias, scale, 1); err != nil {
		return err
	}
	return arith(opAdd, out, out, scaled, 1)
}

func naiveGemm[T number](out, a, b []T, ta, tb bool, m, k, n int, alpha T) {
	for i := range m {
		for j := range n {
			var s T
			for p := range k {
				x, y := i*k+p, p*n+j
				if ta {
					x = p*m + i
				}
				if tb {
					y = j*k + p
				}
				s += a[x] * b[y]
			}
			out[i*n+j] = alpha * s
		}
	}
}
