package goengine

import "github.com/connectomewire/wire/modules/onnxfile"

// attentionFLOPs counts the products of every query with every key, also of
// those that a mask hides, and of the weights with the values.
func attentionFLOPs(n *onnxfile.Node, in, out []*tensor) int64 {
	s := &spec{node: n}
	at := func(list []*tensor, i int) *tensor {
		if i < len(list) && list[i] != nil && !unknown(list[i]) {
			return list[i]
		}
		return nil
	}
	if at(in, 0) == nil {
		return 0
	}
	// cached is how many keys there are: of what goes into the next step's cache,
	// else with those of the last one's, whose keys are dimension d.
	cached := func(now, next, past, d int) int {
		if t := at(out, next); t != nil && d < len(t.shape) {
			return t.shape[d]
		}
		if t := at(in, past); t != nil && d < len(t.shape) {
			return now + t.shape[d]
		}
		return now
	}
	var q, k, v headed
	var err error
	projected := int64(0)
	switch n.Domain + "." + n.Op {
	case internalDomain + ".Attention":
		values := at(in, 2)
		if values == nil || len(in[0].shape) < 2 || len(values.shape) < 2 {
			return 0
		}
		last := len(values.shape) - 1
		k.rows, v.dim = values.shape[last-1], values.shape[last]
		q = headed{batch: 1, heads: 1, rows: out[0].n / max(v.dim, 1), dim: in[0].shape[len(in[0].shape)-1]}
	case ".Attention", "ai.onnx.preview.FlexAttention":
		if at(in, 1) == nil || at(in, 2) == nil {
			return 0
		}
		kvHeads := s.int("kv_num_heads", 0)
		if q, err = headShape(in[0].shape, s.int("q_num_heads", 0)); err == nil {
			k, err = headShape(in[1].shape, kvHeads)
		}
		if err == nil {
			v, err = headShape(in[2].shape, kvHeads)
		}
		if n.Op == "Attention" {
			k.rows = cached(k.rows, 1, 4, 2)
		}
	case "com.microsoft.Attention":
		w := at(in, 1)
		m, failed := newMicrosoftAttention(s)
		if failed != nil || w == nil || len(in[0].shape) != 3 || len(w.shape) != 2 {
			return 0
		}
		hidden, failed := m.split(w.shape[1])
		if failed != nil {
			return 0
		}
		batch, rows := in[0].shape[0], in[0].shape[1]
		projected = 2 * int64(batch) * int64(rows) * int64(w.n)
		q = headed{batch: batch, heads: m.heads, rows: rows, dim: hidden[0] / m.heads}
		k.rows, v.dim = cached(rows, 1, 4, 3), hidden[2]/m.heads
	case "com.microsoft.MultiHeadAttention":
		m, failed := multiHeadOf(s)
		if failed != nil {
			return 0
		}
		if q, k, v, err = m.apart(in[0], at(in, 1), at(in, 2)); err == nil {
			k.rows = cached(k.rows, 1, 6, 2)
		}
	case "com.microsoft.GroupQueryAttention":
		m, failed := newGroupQuery(s)
		if failed != nil || len(in[0].shape) != 3 {
			return 0
		}
		if q, k, v, err = m.apart(in[0], at(in, 1), at(in, 2)); err == nil {
			k.rows = cached(k.rows, 1, 3, 2)
		}
	}
	if err != nil {
		return projected
	}
	return projected + 2*int64(q.batch)*int64(q.heads)*int64(q.rows)*int64(k.rows)*int64(q.dim+v.dim)
}

// linearAttentionFLOPs counts what each row adds to its head's matrix, what the
// delta rule recalls of it before, and what the queries read.
func linearAttentionFLOPs(n *onnxfile.Node, in []*tensor) int64 {
	m, err := newLinearAttention(&spec{node: n})
	if err != nil || len(in) < 3 || in[0] == nil || in[2] == nil || unknown(in[0]) || unknown(in[2]) {
		return 0
	}
	q, err := headShape(in[0].shape, m.qHeads)
	if err != nil {
		return 0
	}
	v, err := headShape(in[2].shape, m.kvHeads)
	if err != nil {
		return 0
	}
	passes := m.kvHeads + m.qHeads
	if m.delta {
		passes += m.kvHeads
	}
	return 2 * int64(q.batch) * int64(q.rows) * int64(passes) * int64(q.dim) * int64(v.dim)
}
