package goengine

import (
	"fmt"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// Operators of ONNX Runtime that are others merged.
var microsoftTable = map[string]operator{
	"com.microsoft.FusedMatMul": {build: buildFusedMatMul},
	"com.microsoft.MatMulNBits": {build: buildMatMulNBits},
}

// buildFusedMatMul is α·op(a)·op(b), where op exchanges the last two
// dimensions, or the first with the one before the last.
func buildFusedMatMul(s *spec) (operation, error) {
	alpha := s.float("alpha", 1)
	ta, tb, ba, bb := s.int("transA", 0) != 0, s.int("transB", 0) != 0, s.int("transBatchA", 0) != 0, s.int("transBatchB", 0) != 0
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(a, b); err != nil {
			return err
		}
		as, aOrder := exchanged(a.shape, ta, ba)
		bs, bOrder := exchanged(b.shape, tb, bb)
		var room [maxRank]int
		shape, m, k, n, err := matmulShape(room[:0], as, bs)
		if err != nil {
			return err
		}
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		batchMatMul(c.threads, dst, c.reordered(a, as, aOrder), c.reordered(b, bs, bOrder), out.shape, as, bs, m, k, n)
		if alpha != 1 {
			kernel.MulScalar(dst, dst, alpha)
		}
		return nil
	}, nil
}

// exchanged is a shape after the exchanges, with the strides to read it by;
// nil if there were none.
func exchanged(shape []int, trans, batch bool) (to, strides []int) {
	n := len(shape)
	to, strides = slices.Clone(shape), stridesOf(shape)
	if n < 2 || (!trans && !batch) {
		return to, nil
	}
	if batch && n > 2 { // the first dimension goes before the last
		move := func(v []int) []int { return append(append(slices.Clone(v[1:n-1]), v[0]), v[n-1]) }
		to, strides = move(to), move(strides)
	}
	if trans {
		to[n-1], to[n-2] = to[n-2], to[n-1]
		strides[n-1], strides[n-2] = strides[n-2], strides[n-1]
	}
	return to, strides
}

func (c *call) reordered(t *tensor, shape, strides []int) []float32 {
	if strides == nil || t.n == 0 {
		return view[float32](t)
	}
	moved := c.floats(t.n)
	copyStrided(of(f32, moved, shape...), 0, t, 0, shape, strides)
	return moved
}

// blockWeights is a matrix [n, k] whose rows are quantised in blocks of 2, 4 or
// 8 bits, the first number in the lowest bits.
type blockWeights struct {
	n, k, bits, block int
	data              []uint8 // [n, blocks, bytes of a block]
	scales            []float32
	zeros             []uint8   // packed like data, by row; may be nil
	floatZeros        []float32 // instead of zeros; may be nil
}

func (w *blockWeights) blocks() int { return (w.k + w.block - 1) / w.block }

// row writes row i as numbers.
func (w *blockWeights) row(dst []float32, i int) {
	blocks, perByte := w.blocks(), 8/w.bits
	mask := uint8(1<<w.bits - 1)
	bytes, zeroBytes := w.block/perByte, (blocks+perByte-1)/perByte
	for b := range blocks {
		scale, zero := w.scales[i*blocks+b], float32(int(1)<<(w.bits-1))
		switch {
		case w.zeros != nil:
			zero = float32(w.zeros[i*zeroBytes+b/perByte] >> (b % perByte * w.bits) & mask)
		case w.floatZeros != nil:
			zero = w.floatZeros[i*blocks+b]
		}
		src := w.data[(i*blocks+b)*bytes : (i*blocks+b+1)*bytes]
		for j := b * w.block; j < min((b+1)*w.block, w.k); j++ {
			at := j - b*w.block
			q := src[at/perByte] >> (at % perByte * w.bits) & mask
			dst[j] = (float32(q) - zero) * scale
		}
	}
}

// unpackedBelow is the number of weights up to which they are unpacked at
// load; larger matrices stay as they are, for their memory's sake.
const unpackedBelow = 1 << 24

func blockWeightsOf(s *spec) blockWeights {
	return blockWeights{n: s.int("N", 0), k: s.int("K", 0), bits: s.int("bits", 4), block: s.int("block_size", 0)}
}

// resolve is weights of that size with a node's inputs.
func (w blockWeights) resolve(b, scales, zeros *tensor) (*blockWeights, error) {
	blocks, perByte := w.blocks(), 8/w.bits
	if scales.dt == f16 || scales.dt == bf16 {
		scales = widen(scales)
	}
	if b.dt != u8 || b.n != w.n*blocks*w.block/perByte || scales.dt != f32 || scales.n != w.n*blocks {
		return nil, fmt.Errorf("%s and scales %s do not hold %d × %d weights", b.describe(), scales.describe(), w.n, w.k)
	}
	w.data, w.scales = view[uint8](b), view[float32](scales)
	switch {
	case zeros == nil:
	case zeros.dt == u8 && zeros.n == w.n*((blocks+perByte-1)/perByte):
		w.zeros = view[uint8](zeros)
	case zeros.dt == f32 && zeros.n == w.n*blocks:
		w.floatZeros = view[float32](zeros)
	default:
		return nil, fmt.Errorf("zero points %s do not fit", zeros.describe())
	}
	return &w, nil
}

func buildMatMulNBits(s *spec) (operation, error) {
	proto := blockWeightsOf(s)
	if proto.n < 1 || proto.k < 1 || (proto.bits != 2 && proto.bits != 4 && proto.bits != 8) || proto.block < 16 || proto.block&(proto.block-1) != 0 {
		return nil, fmt.Errorf("%d × %d weights of %d bits in blocks of %d", proto.n, proto.k, proto.bits, proto.block)
	}
	resolve := proto.resolve
	var packedWeights *packed
	if b, scales := s.constant(1), s.constant(2); b != nil && scales != nil && proto.n*proto.k <= unpackedBelow && (len(s.node.Inputs) < 4 || s.node.Inputs[3] == "" || s.constant(3) != nil) {
		w, err := resolve(b, scales, s.constant(3))
		if err != nil {
			return nil, err
		}
		whole := newTensor(f32, w.n, w.k)
		for i := range w.n {
			w.row(view[float32](whole)[i*w.k:(i+1)*w.k], i)
		}
		packedWeights = packConstant(whole, true)
	}
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		x, bias := c.in[0], c.input(5)
		if err := wantF32(x, bias); err != nil {
			return err
		}
		if c.input(4) != nil {
			return fmt.Errorf("an order of groups (g_idx) is not supported")
		}
		if len(x.shape) == 0 || x.shape[len(x.shape)-1] != proto.k || (bias != nil && bias.n != proto.n) {
			return fmt.Errorf("%s does not fit %d × %d weights", x.describe(), proto.n, proto.k)
		}
		shape := slices.Clone(x.shape)
		shape[len(shape)-1] = proto.n
		out, err := c.output(0, f32, shape...)
		if err != nil {
			return err
		}
		m, dst, src := x.n/proto.k, view[float32](out), view[float32](x)
		if packedWeights.usable() {
			packedWeights.multiply(c.threads, m, src, dst, false)
		} else {
			w, err := resolve(c.in[1], c.in[2], c.input(3))
			if err != nil {
				return err
			}
			w.multiply(c.threads, m, src, dst)
		}
		if bias != nil {
			addBias(dst, bias, proto.n)
		}
		return nil
	}, nil
}

// multiply unpacks some rows at a time.
func (w *blockWeights) multiply(threads, m int, x, dst []float32) {
	const some = 64
	kernel.Parallel(threads, w.n, some, func(_, from, to int) {
		unpacked, part := make([]float32, some*w.k), make([]float32, m*some)
		for i := from; i < to; i += some {
			n := min(some, to-i)
			for r := range n {
				w.row(unpacked[r*w.k:(r+1)*w.k], i+r)
			}
			kernel.Gemm(false, true, m, n, w.k, x, unpacked, part, false)
			for r := range m {
				copy(dst[r*w.n+i:r*w.n+i+n], part[r*n:(r+1)*n])
			}
		}
	})
}
