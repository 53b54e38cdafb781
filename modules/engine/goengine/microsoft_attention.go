package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// ONNX Runtime's own forms of attention.
var microsoftAttentionTable = map[string]operator{
	"com.microsoft.Attention":           {build: buildMicrosoftAttention},
	"com.microsoft.MultiHeadAttention":  {build: buildMultiHeadAttention},
	"com.microsoft.GroupQueryAttention": {build: buildGroupQueryAttention},
}

// keyMask makes a mask of what ONNX Runtime takes for one: how many keys of
// each batch are valid, or 1 for each valid key.
func keyMask(t *tensor, batch, queries, keys int, filter float32) (func(b, head, i int, row []float32), error) {
	list, err := t.ints(nil)
	if err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	hide := func(row []float32, hidden func(j int) bool) {
		for j := range row {
			if hidden(j) {
				row[j] += filter
			}
		}
	}
	switch {
	case len(t.shape) == 1 && (t.n == batch || t.n == 2*batch):
		return func(b, _, _ int, row []float32) {
			first := 0
			if t.n == 2*batch {
				first = list[batch+b]
			}
			hide(row, func(j int) bool { return j >= list[b] || j < first })
		}, nil
	case len(t.shape) == 2 && t.shape[0] == batch && t.shape[1] == keys:
		return func(b, _, _ int, row []float32) { hide(row, func(j int) bool { return list[b*keys+j] == 0 }) }, nil
	case len(t.shape) == 3 && t.n == batch*queries*keys:
		return func(b, _, i int, row []float32) {
			hide(row, func(j int) bool { return list[(b*queries+i)*keys+j] == 0 })
		}, nil
	}
	return nil, fmt.Errorf("mask %v does not fit a batch of %d with %d keys", t.shape, batch, keys)
}

// multiHead is what the forms without groups share.
type multiHead struct {
	heads  int
	scale  float32
	causal bool
	filter float32 // added to what a mask hides
}

func multiHeadOf(s *spec) (multiHead, error) {
	m := multiHead{heads: s.int("num_heads", 0), scale: s.float("scale", 0), causal: s.int("unidirectional", 0) == 1, filter: s.float("mask_filter_value", -10000)}
	if m.heads < 1 {
		return m, fmt.Errorf("num_heads is %d", m.heads)
	}
	return m, nil
}

// attend runs with masks that are optional; past is how many keys came before
// the queries.
func (m *multiHead) attend(c *call, q, k, v, out headed, past int, mask, bias *tensor) error {
	sc := scores{scale: m.scale}
	if m.scale == 0 {
		sc.scale = float32(1 / math.Sqrt(float64(q.dim)))
	}
	var hide, add func(b, head, i int, row []float32)
	var err error
	if mask != nil {
		if hide, err = keyMask(mask, q.batch, q.rows, k.rows, m.filter); err != nil {
			return err
		}
	}
	if bias != nil {
		if add, err = additive(bias, q.batch, q.heads, q.rows, k.rows); err != nil {
			return err
		}
	}
	sc.mask = func(b, head, i int, row []float32) {
		if hide != nil {
			hide(b, head, i, row)
		}
		if add != nil {
			add(b, head, i, row)
		}
		if m.causal {
			span(row, 0, i+past)
		}
	}
	attend(c, q, k, v, out, sc)
	return nil
}

// part is a slice of the last dimension of rows that lie width apart.
func part(x []float32, batch, rows, width, from, heads, dim int) headed {
	return headed{data: x[min(from, len(x)):], batch: batch, heads: heads, rows: rows, dim: dim, batchStride: rows * width, headStride: dim, rowStride: width}
}

func buildMicrosoftAttention(s *spec) (operation, error) {
	m, err := multiHeadOf(s)
	if err != nil {
		return nil, err
	}
	sizes := s.ints("qkv_hidden_sizes")
	if s.int("do_rotary", 0) != 0 || s.int("past_present_share_buffer", 0) != 0 {
		return nil, fmt.Errorf("rotation and shared buffers are not supported")
	}
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		x, w, bias, mask, past, extra := c.in[0], c.in[1], c.in[2], c.input(3), c.input(4), c.input(5)
		if err := wantF32(x, w, bias, past); err != nil {
			return err
		}
		if len(x.shape) != 3 || len(w.shape) != 2 || w.shape[0] != x.shape[2] || bias.n != w.shape[1] {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		batch, rows, width := x.shape[0], x.shape[1], w.shape[1]
		hidden := sizes
		if len(hidden) != 3 {
			hidden = []int{width / 3, width / 3, width / 3}
		}
		if hidden[0] != hidden[1] || hidden[0]+hidden[1]+hidden[2] != width || hidden[0]%m.heads != 0 || hidden[2]%m.heads != 0 {
			return fmt.Errorf("%d columns do not divide into queries, keys and values of %d heads", width, m.heads)
		}
		y, err := c.output(0, f32, batch, rows, hidden[2])
		if err != nil {
			return err
		}
		projected := c.floats(batch * rows * width)
		kernel.GemmParallel(c.threads, false, false, batch*rows, width, x.shape[2], view[float32](x), view[float32](w), projected, false)
		addBias(projected, bias, width)
		dim, vdim := hidden[0]/m.heads, hidden[2]/m.heads
		q := part(projected, batch, rows, width, 0, m.heads, dim)
		k := part(projected, batch, rows, width, hidden[0], m.heads, dim)
		v := part(projected, batch, rows, width, 2*hidden[0], m.heads, vdim)
		before := 0
		if past != nil || (len(c.out) > 1 && c.out[1] != nil) {
			if past != nil {
				if len(past.shape) != 5 || past.shape[0] != 2 || past.shape[1] != batch || past.shape[2] != m.heads || past.shape[4] != dim || dim != vdim {
					return fmt.Errorf("past values %v do not fit", past.shape)
				}
				before = past.shape[3]
			}
			t, err := c.output(1, f32, 2, batch, m.heads, before+rows, dim)
			if err != nil {
				return err
			}
			half := t.n / 2
			for i, now := range []*headed{&k, &v} {
				all, _ := headShape(t.shape[1:], 0)
				all.data = view[float32](t)[i*half : (i+1)*half]
				for b := range batch {
					for h := range m.heads {
						for r := range before {
							copy(all.row(b, h, r), view[float32](past)[(((i*batch+b)*m.heads+h)*before+r)*dim:][:dim])
						}
						for r := range rows {
							copy(all.row(b, h, before+r), now.row(b, h, r))
						}
					}
				}
				*now = all
			}
		}
		out, _ := headsOf(y, m.heads)
		return m.attend(c, q, k, v, out, before, mask, extra)
	}, nil
}

func buildMultiHeadAttention(s *spec) (operation, error) {
	m, err := multiHeadOf(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		query, err := c.need(0)
		if err != nil {
			return err
		}
		key, value, bias, mask, extra, pastK, pastV := c.input(1), c.input(2), c.input(3), c.input(4), c.input(5), c.input(6), c.input(7)
		if err := wantF32(query, key, value, bias, pastK, pastV); err != nil {
			return err
		}
		var q, k, v headed
		switch {
		case len(query.shape) == 5 && query.shape[2] == m.heads && query.shape[3] == 3: // packed by head
			q, k, v = packedHeads(query, 0), packedHeads(query, 1), packedHeads(query, 2)
		case key != nil && len(key.shape) == 5 && key.shape[2] == m.heads && key.shape[3] == 2:
			if q, err = headsOf(query, m.heads); err != nil {
				return err
			}
			k, v = packedHeads(key, 0), packedHeads(key, 1)
		case key != nil && value != nil:
			for i, t := range []*tensor{query, key, value} {
				h, err := headsOf(t, m.heads)
				if err != nil {
					return err
				}
				*[]*headed{&q, &k, &v}[i] = h
			}
		default:
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		if q.heads != m.heads || k.heads != m.heads || v.heads != m.heads || q.dim != k.dim || v.rows != k.rows || k.batch != q.batch || v.batch != q.batch {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		y, err := c.output(0, f32, q.batch, q.rows, m.heads*v.dim)
		if err != nil {
			return err
		}
		if bias != nil {
			if bias.n != m.heads*(2*q.dim+v.dim) {
				return fmt.Errorf("bias %v does not fit", bias.shape)
			}
			b, at := view[float32](bias), m.heads*q.dim
			q, k, v = biased(q, b[:at]), biased(k, b[at:2*at]), biased(v, b[2*at:])
		}
		before := 0
		for i, p := range []*tensor{pastK, pastV} {
			if p != nil && len(p.shape) == 4 {
				before = p.shape[2]
			}
			if p != nil || (len(c.out) > i+1 && c.out[i+1] != nil) {
				now := []*headed{&k, &v}[i]
				if *now, err = c.appendPast(i+1, p, *now); err != nil {
					return err
				}
			}
		}
		out, _ := headsOf(y, m.heads)
		return m.attend(c, q, k, v, out, before, mask, extra)
	}, nil
}

// packedHeads sees one of the tensors packed as [batch, rows, heads, n, dim].
func packedHeads(t *tensor, i int) headed {
	s := t.shape
	h := headed{batch: s[0], rows: s[1], heads: s[2], dim: s[4], rowStride: s[2] * s[3] * s[4], headStride: s[3] * s[4]}
	h.batchStride = h.rows * h.rowStride
	if t.n > 0 {
		h.data = view[float32](t)[i*s[4]:]
	}
	return h
}

// biased adds a number to each dimension of each head.
func biased(x headed, bias []float32) headed {
	y := headed{data: make([]float32, x.batch*x.rows*x.heads*x.dim), batch: x.batch, heads: x.heads, rows: x.rows, dim: x.dim,
		batchStride: x.heads * x.rows * x.dim, headStride: x.rows * x.dim, rowStride: x.dim}
	for b := range x.batch {
		for h := range x.heads {
			for r := range x.rows {
				kernel.Add(y.row(b, h, r), x.row(b, h, r), bias[h*x.dim:(h+1)*x.dim])
			}
		}
	}
	return y
}

// buildGroupQueryAttention is causal, with a cache, and turns queries and keys
// itself if asked to.
func buildGroupQueryAttention(s *spec) (operation, error) {
	heads, kvHeads, scale := s.int("num_heads", 0), s.int("kv_num_heads", 0), s.float("scale", 0)
	rotary, interleaved, softcap, window, smooth := s.int("do_rotary", 0) == 1, s.int("rotary_interleaved", 0) == 1, s.float("softcap", 0), s.int("local_window_size", -1), s.int("smooth_softmax", 0) == 1
	if heads < 1 || kvHeads < 1 || heads%kvHeads != 0 {
		return nil, fmt.Errorf("%d heads do not divide into groups of %d", heads, kvHeads)
	}
	return func(c *call) error {
		for _, i := range []int{0, 5, 6} {
			if _, err := c.need(i); err != nil {
				return err
			}
		}
		query, key, value, pastK, pastV := c.in[0], c.input(1), c.input(2), c.input(3), c.input(4)
		if err := wantF32(query, key, value, pastK, pastV, c.input(7), c.input(8)); err != nil {
			return err
		}
		if len(query.shape) != 3 {
			return fmt.Errorf("query is %v", query.shape)
		}
		batch, rows, width := query.shape[0], query.shape[1], query.shape[2]
		var q, k, v headed
		if key == nil { // packed
			dim := width / (heads + 2*kvHeads)
			if dim*(heads+2*kvHeads) != width {
				return fmt.Errorf("%d columns do not hold %d and twice %d heads", width, heads, kvHeads)
			}
			data := view[float32](query)
			q, k, v = part(data, batch, rows, width, 0, heads, dim), part(data, batch, rows, width, heads*dim, kvHeads, dim), part(data, batch, rows, width, (heads+kvHeads)*dim, kvHeads, dim)
		} else {
			var err error
			if q, err = headsOf(query, heads); err != nil {
				return err
			}
			if k, err = headsOf(key, kvHeads); err != nil {
				return err
			}
			if value == nil {
				return fmt.Errorf("has keys without values")
			}
			if v, err = headsOf(value, kvHeads); err != nil {
				return err
			}
		}
		if k.dim != q.dim || v.dim != q.dim || k.rows != rows || v.rows != rows || k.batch != batch || v.batch != batch {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in[:3]))
		}
		y, err := c.output(0, f32, batch, rows, heads*v.dim)
		if err != nil {
			return err
		}
		valid, err := c.intsOf(5)
		if err != nil {
			return err
		}
		total, err := c.intsOf(6)
		if err != nil {
			return err
		}
		if len(valid) != batch || len(total) != 1 {
			return fmt.Errorf("lengths do not fit: %s", describeAll(c.in[5:7]))
		}
		room, have := total[0], 0
		if pastK != nil {
			if pastV == nil || len(pastK.shape) != 4 || pastK.shape[0] != batch || pastK.shape[1] != kvHeads || pastK.shape[3] != q.dim || pastV.n != pastK.n {
				return fmt.Errorf("past values do not fit: %s", describeAll(c.in[3:5]))
			}
			have = pastK.shape[2]
			room = max(room, have)
		}
		// where the new rows of a batch begin
		begin := func(b int) int { return max(valid[b]+1-rows, 0) }
		if rows == total[0] {
			begin = func(int) int { return 0 } // a prompt, perhaps padded behind
		}
		if rotary {
			if q, k, err = turned(c, q, k, begin, interleaved); err != nil {
				return err
			}
		}
		for i, now := range []*headed{&k, &v} {
			t, err := c.output(i+1, f32, batch, kvHeads, room, q.dim)
			if err != nil {
				return err
			}
			all, _ := headsOf(t, 0)
			clear(all.data)
			for b := range batch {
				at := begin(b)
				if at+rows > room || at > 0 && at > have {
					return fmt.Errorf("%d keys do not fit a cache of %d behind %d", rows, room, at)
				}
				for h := range kvHeads {
					for r := range min(at, have) {
						copy(all.row(b, h, r), view[float32](c.in[3+i])[((b*kvHeads+h)*have+r)*q.dim:][:q.dim])
					}
					for r := range rows {
						copy(all.row(b, h, at+r), now.row(b, h, r))
					}
				}
			}
			*now = all
		}
		sc := scores{scale: scale, softcap: softcap}
		if scale == 0 {
			sc.scale = float32(1 / math.Sqrt(float64(q.dim)))
		}
		if sink := c.input(11); sink != nil {
			if err := wantF32(sink); err != nil {
				return err
			}
			sc.sink = view[float32](sink)
		} else if smooth {
			sc.sink = make([]float32, heads)
		}
		if sc.sink != nil && len(sc.sink) != heads {
			return fmt.Errorf("%d sinks for %d heads", len(sc.sink), heads)
		}
		var add func(b, head, i int, row []float32)
		if bias := c.input(10); bias != nil {
			if add, err = additive(bias, batch, heads, rows, total[0]); err != nil {
				return err
			}
		}
		sc.mask = func(b, head, i int, row []float32) {
			if add != nil {
				add(b, head, i, row[:min(total[0], len(row))])
			}
			at := begin(b) + i
			first := 0
			if window > 0 {
				first = at - window + 1
			}
			span(row, first, min(at, valid[b]))
		}
		out, _ := headsOf(y, heads)
		attend(c, q, k, v, out, sc)
		return nil
	}, nil
}

// turned rotates queries and keys by their positions.
func turned(c *call, q, k headed, begin func(b int) int, interleaved bool) (headed, headed, error) {
	cos, sin := c.input(7), c.input(8)
	if cos == nil || sin == nil || len(cos.shape) != 2 || cos.n != sin.n {
		return q, k, fmt.Errorf("has no caches of cosine and sine that fit")
	}
	r := rotation{cos: view[float32](cos), sin: view[float32](sin), half: cos.shape[1], interleaved: interleaved, limit: cos.shape[0],
		position: func(b, i int) int { return begin(b) + i }}
	if c.input(9) != nil {
		ids, err := c.intsOf(9)
		if err != nil {
			return q, k, err
		}
		if len(ids) != q.batch*q.rows {
			return q, k, fmt.Errorf("%d positions for %d rows", len(ids), q.batch*q.rows)
		}
		r.position = func(b, i int) int { return ids[b*q.rows+i] }
	}
	none := func(h headed) headed { return biased(h, make([]float32, h.heads*h.dim)) } // a copy
	qs, ks := none(q), none(k)
	if err := r.apply(qs, q); err != nil {
		return q, k, err
	}
	return qs, ks, r.apply(ks, k)
}
