package goengine

import (
	"fmt"
	"math"
	"slices"

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

// attended is what attention works on: operands, and how products become weights.
type attended struct {
	q, k, v headed
	past    int // keys before the queries
	sc      scores
}

// scores are with masks that are optional; past is how many keys came before the
// queries.
func (m *multiHead) scores(q, k headed, past int, mask, bias *tensor) (scores, error) {
	sc := scores{scale: m.scale}
	if m.scale == 0 {
		sc.scale = float32(1 / math.Sqrt(float64(q.dim)))
	}
	var hide, add func(b, head, i int, row []float32)
	var err error
	if mask != nil {
		if hide, err = keyMask(mask, q.batch, q.rows, k.rows, m.filter); err != nil {
			return sc, err
		}
	}
	if bias != nil {
		if add, err = additive(bias, q.batch, q.heads, q.rows, k.rows); err != nil {
			return sc, err
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
	return sc, nil
}

// part is a slice of the last dimension of rows that lie width apart.
func part(x []float32, batch, rows, width, from, heads, dim int) headed {
	return headed{data: x[min(from, len(x)):], batch: batch, heads: heads, rows: rows, dim: dim, batchStride: rows * width, headStride: dim, rowStride: width}
}

// microsoftAttention projects its rows itself.
type microsoftAttention struct {
	multiHead
	sizes []int // of queries, keys and values; nil for thirds
}

func newMicrosoftAttention(s *spec) (*microsoftAttention, error) {
	m, err := multiHeadOf(s)
	if err != nil {
		return nil, err
	}
	if s.int("do_rotary", 0) != 0 || s.int("past_present_share_buffer", 0) != 0 {
		return nil, fmt.Errorf("rotation and shared buffers are not supported")
	}
	return &microsoftAttention{m, s.ints("qkv_hidden_sizes")}, nil
}

func buildMicrosoftAttention(s *spec) (operation, error) {
	m, err := newMicrosoftAttention(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		var y *tensor
		a, err := m.operands(c, func(shape ...int) (err error) {
			y, err = c.output(0, f32, shape...)
			return err
		}, func(shape ...int) ([]float32, error) {
			t, err := c.output(1, f32, shape...)
			if err != nil {
				return nil, err
			}
			return view[float32](t), nil
		})
		if err != nil {
			return err
		}
		out, _ := headsOf(y, m.heads)
		attend(c, a.q, a.k, a.v, out, a.sc)
		return nil
	}, nil
}

// split is where queries, keys and values lie among the columns.
func (m *microsoftAttention) split(width int) ([]int, error) {
	hidden := m.sizes
	if len(hidden) != 3 {
		hidden = []int{width / 3, width / 3, width / 3}
	}
	if hidden[0] != hidden[1] || hidden[0]+hidden[1]+hidden[2] != width || hidden[0]%m.heads != 0 || hidden[2]%m.heads != 0 {
		return nil, fmt.Errorf("%d columns do not divide into queries, keys and values of %d heads", width, m.heads)
	}
	return hidden, nil
}

// operands checks a call's operands and projects them; begin gets the shape of the
// result, and joined makes room for cached keys and values, the new ones behind.
func (m *microsoftAttention) operands(c *call, begin func(y ...int) error, joined func(shape ...int) ([]float32, error)) (*attended, error) {
	if err := c.first(3); err != nil {
		return nil, err
	}
	x, w, bias, mask, past, extra := c.in[0], c.in[1], c.in[2], c.input(3), c.input(4), c.input(5)
	if err := wantF32(x, w, bias, past); err != nil {
		return nil, err
	}
	if len(x.shape) != 3 || len(w.shape) != 2 || w.shape[0] != x.shape[2] || bias.n != w.shape[1] {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	batch, rows, width := x.shape[0], x.shape[1], w.shape[1]
	hidden, err := m.split(width)
	if err != nil {
		return nil, err
	}
	if err := begin(batch, rows, hidden[2]); err != nil {
		return nil, err
	}
	projected := c.floats(batch * rows * width)
	if !c.frame.dry {
		kernel.GemmParallel(c.threads, false, false, batch*rows, width, x.shape[2], view[float32](x), view[float32](w), projected, false)
		addBias(projected, bias, width)
	}
	dim, vdim := hidden[0]/m.heads, hidden[2]/m.heads
	a := &attended{q: part(projected, batch, rows, width, 0, m.heads, dim), k: part(projected, batch, rows, width, hidden[0], m.heads, dim),
		v: part(projected, batch, rows, width, 2*hidden[0], m.heads, vdim)}
	if past != nil || (len(c.out) > 1 && c.out[1] != nil) {
		if past != nil {
			if len(past.shape) != 5 || past.shape[0] != 2 || past.shape[1] != batch || past.shape[2] != m.heads || past.shape[4] != dim || dim != vdim {
				return nil, fmt.Errorf("past values %v do not fit", past.shape)
			}
			a.past = past.shape[3]
		}
		shape := []int{2, batch, m.heads, a.past + rows, dim}
		room, err := joined(shape...)
		if err != nil {
			return nil, err
		}
		half := len(room) / 2
		for i, now := range []*headed{&a.k, &a.v} {
			all, _ := headShape(shape[1:], 0)
			all.data = room[i*half : (i+1)*half]
			for b := range batch {
				for h := range m.heads {
					for r := range a.past {
						copy(all.row(b, h, r), view[float32](past)[(((i*batch+b)*m.heads+h)*a.past+r)*dim:][:dim])
					}
					for r := range rows {
						copy(all.row(b, h, a.past+r), now.row(b, h, r))
					}
				}
			}
			*now = all
		}
	}
	a.sc, err = m.scores(a.q, a.k, a.past, mask, extra)
	return a, err
}

func buildMultiHeadAttention(s *spec) (operation, error) {
	m, err := multiHeadOf(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		var y *tensor
		a, err := m.operands(c, func(shape ...int) (err error) {
			y, err = c.output(0, f32, shape...)
			return err
		}, c.appendPast)
		if err != nil {
			return err
		}
		out, _ := headsOf(y, m.heads)
		attend(c, a.q, a.k, a.v, out, a.sc)
		return nil
	}, nil
}

// apart sees queries, keys and values in what holds them: one packed tensor, two
// or three.
func (m *multiHead) apart(query, key, value *tensor) (q, k, v headed, err error) {
	switch {
	case len(query.shape) == 5 && query.shape[2] == m.heads && query.shape[3] == 3: // packed by head
		return packedHeads(query, 0), packedHeads(query, 1), packedHeads(query, 2), nil
	case key != nil && len(key.shape) == 5 && key.shape[2] == m.heads && key.shape[3] == 2:
		q, err = headsOf(query, m.heads)
		return q, packedHeads(key, 0), packedHeads(key, 1), err
	case key != nil && value != nil:
		for i, t := range []*tensor{query, key, value} {
			h, err := headsOf(t, m.heads)
			if err != nil {
				return q, k, v, err
			}
			*[]*headed{&q, &k, &v}[i] = h
		}
		return q, k, v, nil
	}
	return q, k, v, fmt.Errorf("operands do not fit: %s", describeAll([]*tensor{query, key, value}))
}

// operands checks a call's operands; begin gets the shape of the result, and join
// puts keys and values behind what is cached.
func (m *multiHead) operands(c *call, begin func(y ...int) error, join func(i int, past *tensor, now headed) (headed, error)) (*attended, error) {
	query, err := c.need(0)
	if err != nil {
		return nil, err
	}
	key, value, bias, mask, extra, pastK, pastV := c.input(1), c.input(2), c.input(3), c.input(4), c.input(5), c.input(6), c.input(7)
	if err := wantF32(query, key, value, bias, pastK, pastV); err != nil {
		return nil, err
	}
	q, k, v, err := m.apart(query, key, value)
	if err != nil {
		return nil, err
	}
	if q.heads != m.heads || k.heads != m.heads || v.heads != m.heads || q.dim != k.dim || v.rows != k.rows || k.batch != q.batch || v.batch != q.batch {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	if err := begin(q.batch, q.rows, m.heads*v.dim); err != nil {
		return nil, err
	}
	if bias != nil {
		if bias.n != m.heads*(2*q.dim+v.dim) {
			return nil, fmt.Errorf("bias %v does not fit", bias.shape)
		}
		if !c.frame.dry {
			b, at := view[float32](bias), m.heads*q.dim
			q, k, v = biased(q, b[:at]), biased(k, b[at:2*at]), biased(v, b[2*at:])
		}
	}
	before := 0
	for i, p := range []*tensor{pastK, pastV} {
		if p != nil && len(p.shape) == 4 {
			before = p.shape[2]
		}
		if p != nil || (len(c.out) > i+1 && c.out[i+1] != nil) {
			now := []*headed{&k, &v}[i]
			if *now, err = join(i+1, p, *now); err != nil {
				return nil, err
			}
		}
	}
	sc, err := m.scores(q, k, before, mask, extra)
	return &attended{q, k, v, before, sc}, err
}

// packedHeads sees one of the tensors packed as [batch, rows, heads, n, dim].
func packedHeads(t *tensor, i int) headed {
	s := t.shape
	h := headed{batch: s[0], rows: s[1], heads: s[2], dim: s[4], rowStride: s[2] * s[3] * s[4], headStride: s[3] * s[4]}
	h.batchStride = h.rows * h.rowStride
	if x := floats32(t); x != nil {
		h.data = x[i*s[4]:]
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

// groupQuery is causal attention with a cache, which turns queries and keys itself
// if asked to.
type groupQuery struct {
	heads, kvHeads, window      int
	scale, softcap              float32
	rotary, interleaved, smooth bool
}

func newGroupQuery(s *spec) (*groupQuery, error) {
	m := &groupQuery{heads: s.int("num_heads", 0), kvHeads: s.int("kv_num_heads", 0), window: s.int("local_window_size", -1), scale: s.float("scale", 0), softcap: s.float("softcap", 0),
		rotary: s.int("do_rotary", 0) == 1, interleaved: s.int("rotary_interleaved", 0) == 1, smooth: s.int("smooth_softmax", 0) == 1}
	if m.heads < 1 || m.kvHeads < 1 || m.heads%m.kvHeads != 0 {
		return nil, fmt.Errorf("%d heads do not divide into groups of %d", m.heads, m.kvHeads)
	}
	return m, nil
}

func buildGroupQueryAttention(s *spec) (operation, error) {
	m, err := newGroupQuery(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		var y *tensor
		a, err := m.operands(c, func(shape ...int) (err error) {
			y, err = c.output(0, f32, shape...)
			return err
		}, func(i int, shape ...int) ([]float32, error) {
			t, err := c.output(i, f32, shape...)
			if err != nil {
				return nil, err
			}
			return view[float32](t), nil
		})
		if err != nil {
			return err
		}
		out, _ := headsOf(y, m.heads)
		attend(c, a.q, a.k, a.v, out, a.sc)
		return nil
	}, nil
}

// apart sees queries, keys and values in one tensor or three.
func (m *groupQuery) apart(query, key, value *tensor) (q, k, v headed, err error) {
	if len(query.shape) != 3 {
		return q, k, v, fmt.Errorf("query is %v", query.shape)
	}
	batch, rows, width := query.shape[0], query.shape[1], query.shape[2]
	if key == nil { // packed
		dim := width / (m.heads + 2*m.kvHeads)
		if dim*(m.heads+2*m.kvHeads) != width {
			return q, k, v, fmt.Errorf("%d columns do not hold %d and twice %d heads", width, m.heads, m.kvHeads)
		}
		data := floats32(query)
		return part(data, batch, rows, width, 0, m.heads, dim), part(data, batch, rows, width, m.heads*dim, m.kvHeads, dim),
			part(data, batch, rows, width, (m.heads+m.kvHeads)*dim, m.kvHeads, dim), nil
	}
	if q, err = headsOf(query, m.heads); err != nil {
		return q, k, v, err
	}
	if k, err = headsOf(key, m.kvHeads); err != nil {
		return q, k, v, err
	}
	if value == nil {
		return q, k, v, fmt.Errorf("has keys without values")
	}
	v, err = headsOf(value, m.kvHeads)
	return q, k, v, err
}

// grouped is attended with what a cache was made of.
type grouped struct {
	attended
	begin   func(b int) int // where the new rows of a batch begin
	have    int             // rows of the cache before
	total   int             // keys that a bias covers
	turning *rotation       // of queries and keys; nil for none
}

// operands checks a call's operands; begin gets the shape of the result, and joined
// makes room for cached keys (1) and values (2), the new ones among them.
func (m *groupQuery) operands(c *call, begin func(y ...int) error, joined func(i int, shape ...int) ([]float32, error)) (*grouped, error) {
	for _, i := range []int{0, 5, 6} {
		if _, err := c.need(i); err != nil {
			return nil, err
		}
	}
	query, key, value, pastK, pastV := c.in[0], c.input(1), c.input(2), c.input(3), c.input(4)
	if err := wantF32(query, key, value, pastK, pastV, c.input(7), c.input(8)); err != nil {
		return nil, err
	}
	q, k, v, err := m.apart(query, key, value)
	if err != nil {
		return nil, err
	}
	batch, rows := q.batch, q.rows
	if k.dim != q.dim || v.dim != q.dim || k.rows != rows || v.rows != rows || k.batch != batch || v.batch != batch {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in[:3]))
	}
	if err := begin(batch, rows, m.heads*v.dim); err != nil {
		return nil, err
	}
	valid, err := c.intsOf(5)
	if err != nil {
		return nil, err
	}
	valid = slices.Clone(valid)
	total, err := c.intsOf(6)
	if err != nil {
		return nil, err
	}
	if len(valid) != batch || len(total) != 1 {
		return nil, fmt.Errorf("lengths do not fit: %s", describeAll(c.in[5:7]))
	}
	a := &grouped{total: total[0], begin: func(b int) int { return max(valid[b]+1-rows, 0) }}
	if rows == a.total {
		a.begin = func(int) int { return 0 } // a prompt, perhaps padded behind
	}
	room := a.total
	if pastK != nil {
		if pastV == nil || len(pastK.shape) != 4 || pastK.shape[0] != batch || pastK.shape[1] != m.kvHeads || pastK.shape[3] != q.dim || pastV.n != pastK.n {
			return nil, fmt.Errorf("past values do not fit: %s", describeAll(c.in[3:5]))
		}
		a.have = pastK.shape[2]
		room = max(room, a.have)
	}
	if m.rotary {
		if q, k, err = a.turn(c, q, k, m.interleaved); err != nil {
			return nil, err
		}
	}
	for i, now := range []*headed{&k, &v} {
		shape := []int{batch, m.kvHeads, room, q.dim}
		all, _ := headShape(shape, 0)
		if all.data, err = joined(i+1, shape...); err != nil {
			return nil, err
		}
		clear(all.data)
		for b := range batch {
			at := a.begin(b)
			if at+rows > room || at > 0 && at > a.have {
				return nil, fmt.Errorf("%d keys do not fit a cache of %d behind %d", rows, room, at)
			}
			for h := range m.kvHeads {
				for r := range min(at, a.have) {
					copy(all.row(b, h, r), view[float32](c.in[3+i])[((b*m.kvHeads+h)*a.have+r)*q.dim:][:q.dim])
				}
				for r := range rows {
					copy(all.row(b, h, at+r), now.row(b, h, r))
				}
			}
		}
		*now = all
	}
	a.q, a.k, a.v = q, k, v
	a.sc = scores{scale: m.scale, softcap: m.softcap}
	if m.scale == 0 {
		a.sc.scale = float32(1 / math.Sqrt(float64(q.dim)))
	}
	if sink := c.input(11); sink != nil {
		if err := wantF32(sink); err != nil {
			return nil, err
		}
		a.sc.sink = view[float32](sink)
	} else if m.smooth {
		a.sc.sink = make([]float32, m.heads)
	}
	if a.sc.sink != nil && len(a.sc.sink) != m.heads {
		return nil, fmt.Errorf("%d sinks for %d heads", len(a.sc.sink), m.heads)
	}
	var add func(b, head, i int, row []float32)
	if bias := c.input(10); bias != nil {
		if add, err = additive(bias, batch, m.heads, rows, a.total); err != nil {
			return nil, err
		}
	}
	a.sc.mask = func(b, head, i int, row []float32) {
		if add != nil {
			add(b, head, i, row[:min(a.total, len(row))])
		}
		at := a.begin(b) + i
		first := 0
		if m.window > 0 {
			first = at - m.window + 1
		}
		span(row, first, min(at, valid[b]))
	}
	return a, nil
}

// turn rotates queries and keys by their positions.
func (a *grouped) turn(c *call, q, k headed, interleaved bool) (headed, headed, error) {
	cos, sin := c.input(7), c.input(8)
	if cos == nil || sin == nil || len(cos.shape) != 2 || cos.n != sin.n {
		return q, k, fmt.Errorf("has no caches of cosine and sine that fit")
	}
	a.turning = &rotation{cos: view[float32](cos), sin: view[float32](sin), half: cos.shape[1], interleaved: interleaved, limit: cos.shape[0],
		position: func(b, i int) int { return a.begin(b) + i }}
	if c.input(9) != nil {
		ids, err := c.intsOf(9)
		if err != nil {
			return q, k, err
		}
		if len(ids) != q.batch*q.rows {
			return q, k, fmt.Errorf("%d positions for %d rows", len(ids), q.batch*q.rows)
		}
		ids = slices.Clone(ids)
		a.turning.position = func(b, i int) int { return ids[b*q.rows+i] }
	}
	none := func(h headed) headed { return biased(h, make([]float32, h.heads*h.dim)) } // a copy
	qs, ks := none(q), none(k)
	if err := a.turning.apply(qs, q); err != nil {
		return q, k, err
	}
	return qs, ks, a.turning.apply(ks, k)
}
