package goengine

import (
	"errors"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// attention recognises softmax(q·k·scale + mask)·v, written as two products
// with a Softmax between, so that the matrix of scores need never be there as
// a whole.
func (f *fuser) attention(i int, n *onnxfile.Node) {
	if f.p.recording || n.Op != "MatMul" || len(n.Inputs) != 2 {
		return
	}
	gone := []int{}
	sm, softmax := f.single(n.Inputs[0], "Softmax")
	if sm < 0 {
		return
	}
	axis := -1
	if a := softmax.Attrs["axis"]; a != nil {
		axis = int(a.I)
	} else if f.p.opset("") < 13 {
		axis = 1
	}
	gone = append(gone, sm)
	scores, mask := softmax.Inputs[0], ""
	if a, add := f.single(scores, "Add"); a >= 0 {
		for k := range 2 {
			if f.product(add.Inputs[k]) {
				scores, mask = add.Inputs[k], add.Inputs[1-k]
				gone = append(gone, a)
				break
			}
		}
		if mask == "" {
			return
		}
	}
	scale := float32(1)
	if m, mul := f.single(scores, "Mul", "Div"); m >= 0 {
		var by string
		for k := range 2 {
			if t := f.constant(mul.Inputs[k]); t != nil && t.n == 1 && len(t.shape) <= 2 && (k == 1 || mul.Op == "Mul") {
				scale, by = view[float32](t)[0], mul.Inputs[1-k]
			}
		}
		if by == "" {
			return
		}
		if mul.Op == "Div" {
			scale = 1 / scale
		}
		scores = by
		gone = append(gone, m)
	}
	p, product := f.single(scores, "MatMul")
	if p < 0 || len(product.Inputs) != 2 || product.Attrs[fusedAttr] != nil {
		return
	}
	gone = append(gone, p)
	keys, turned := product.Inputs[1], int64(1)
	if t, transpose := f.single(keys, "Transpose"); t >= 0 && swapsLast(transpose) {
		keys, turned = transpose.Inputs[0], 0
		gone = append(gone, t)
	}
	inputs := []string{product.Inputs[0], keys, n.Inputs[1]}
	if mask != "" {
		inputs = append(inputs, mask)
	}
	var parts []*onnxfile.Node
	for _, g := range slices.Backward(gone) {
		parts = append(parts, f.nodes[g])
	}
	attrs := map[string]*onnxfile.Attr{
		"scale":  {Name: "scale", Type: onnxfile.AttrFloat, F: scale},
		"axis":   {Name: "axis", Type: onnxfile.AttrInt, I: int64(axis)},
		"turned": {Name: "turned", Type: onnxfile.AttrInt, I: turned},
	}
	merged := &onnxfile.Node{Name: n.Name, Op: "Attention", Domain: internalDomain, Inputs: inputs, Outputs: n.Outputs, Attrs: attrs}
	if f.p.parts == nil {
		f.p.parts = map[*onnxfile.Node][]*onnxfile.Node{}
	}
	f.p.parts[merged] = append(parts, n)
	f.replace(i, merged, gone...)
}

// product reports whether only one reader needs a value that is a product, or
// one scaled.
func (f *fuser) product(name string) bool {
	i, n := f.single(name, "MatMul", "Mul", "Div")
	if i < 0 || n.Op == "MatMul" {
		return i >= 0
	}
	for _, in := range n.Inputs {
		if i, _ := f.single(in, "MatMul"); i >= 0 {
			return true
		}
	}
	return false
}

// swapsLast reports whether a Transpose swaps the last two dimensions only.
func swapsLast(n *onnxfile.Node) bool {
	a := n.Attrs["perm"]
	if a == nil || len(a.Ints) < 2 {
		return false
	}
	last := len(a.Ints) - 1
	for i, p := range a.Ints {
		want := i
		if i >= last-1 {
			want = 2*last - 1 - i
		}
		if int(p) != want {
			return false
		}
	}
	return true
}

// buildMergedAttention computes what attention recognised. Operands that it is
// not made for, such as those of other types or that broadcast, go through the
// nodes that were merged.
func buildMergedAttention(s *spec) (operation, error) {
	scale, axis, turned, parts := s.float("scale", 1), s.int("axis", -1), s.int("turned", 0) == 1, s.parts
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		q, k, v, mask := stacked(c.in[0]), stacked(c.in[1]), stacked(c.in[2]), c.input(3)
		if turned {
			k.rows, k.dim, k.turned = k.dim, k.rows, true
		}
		rank := len(c.in[0].shape)
		if q.batch < 0 || k.batch != q.batch || v.batch != q.batch || k.heads != q.heads || v.heads != q.heads || k.dim != q.dim || v.rows != k.rows ||
			len(c.in[1].shape) != rank || len(c.in[2].shape) != rank || axis != -1 && axis != rank-1 ||
			mask != nil && !fitsScores(mask, rank, q.batch, q.heads, q.rows, k.rows) {
			return c.runParts(parts)
		}
		keysLen, valuesLen, blockLen := attendRoom(q, k, v)
		workers := attendWorkers(c, q)
		room := c.floats((keysLen + valuesLen + blockLen) * workers)
		var shape [4]int
		y, err := c.output(0, f32, append(append(shape[:0], c.in[0].shape[:rank-1]...), v.dim)...)
		if err != nil {
			return err
		}
		q.data, k.data, v.data = view[float32](c.in[0]), view[float32](c.in[1]), view[float32](c.in[2])
		out := stacked(y)
		out.data = view[float32](y)
		sc := scores{scale: scale, plain: true}
		if mask != nil {
			if sc.mask, err = additive(mask, q.batch, q.heads, q.rows, k.rows); err != nil {
				return err
			}
		}
		attendIn(room, workers, q, k, v, out, sc)
		return nil
	}, nil
}

// stacked sees two to four dimensions of float32 as [batch, heads, rows, dim];
// of anything else the batch is −1.
func stacked(t *tensor) headed {
	s := t.shape
	if len(s) < 2 || len(s) > 4 || t.dt != f32 {
		return headed{batch: -1}
	}
	h := headed{batch: 1, heads: 1, rows: s[len(s)-2], dim: s[len(s)-1]}
	if len(s) > 2 {
		h.heads = s[len(s)-3]
	}
	if len(s) == 4 {
		h.batch = s[0]
	}
	h.rowStride, h.headStride, h.batchStride = h.dim, h.rows*h.dim, h.heads*h.rows*h.dim
	return h
}

// fitsScores reports whether a mask broadcasts to scores of the given rank
// without making them larger.
func fitsScores(mask *tensor, rank int, scores ...int) bool {
	if mask.dt != f32 || len(mask.shape) < 1 || len(mask.shape) > rank {
		return false
	}
	for i, d := range mask.shape {
		if want := scores[4-len(mask.shape)+i]; d != 1 && d != want {
			return false
		}
	}
	return true
}

// runParts runs the nodes that a step was merged from, one after the other.
func (c *call) runParts(parts []*step) error {
	f := c.frame
	inner := &call{frame: f, threads: c.threads}
	values := func(dst []*tensor, ids []int) []*tensor {
		for _, id := range ids {
			if id < 0 {
				dst = append(dst, nil)
			} else {
				dst = append(dst, f.vals[id])
			}
		}
		return dst
	}
	for i, s := range parts {
		inner.step, inner.in, inner.out = s, values(inner.in[:0], s.in), values(inner.out[:0], s.out)
		err := s.kernel(inner)
		for _, b := range inner.scratch {
			f.arena.put(b)
		}
		inner.scratch = inner.scratch[:0]
		if f.dry && i < len(parts)-1 && errors.Is(err, errShaped) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	for _, s := range parts[:len(parts)-1] {
		for _, id := range s.out {
			if id >= 0 {
				f.release(f.vals[id])
			}
		}
	}
	return nil
}
