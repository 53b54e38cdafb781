package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/onnxfile"
)

var attentionTable = map[string]operator{
	"Attention":                     {build: buildAttention},
	"ai.onnx.preview.FlexAttention": {build: buildFlexAttention},
}

// headed is a tensor seen as matrices [rows, dim], one for each batch and
// head.
type headed struct {
	data                               []float32
	batch, heads, rows, dim            int
	batchStride, headStride, rowStride int
	turned                             bool // stored as [dim, rows], whose rows are rowStride apart
}

// headsOf sees [batch, heads, rows, dim], or [batch, rows, heads·dim].
func headsOf(t *tensor, heads int) (headed, error) {
	h, err := headShape(t.shape, heads)
	if err == nil {
		err = wantF32(t)
	}
	if err == nil {
		h.data = floats32(t)
	}
	return h, err
}

// floats32 is what a tensor holds; nil in a dry run, which has shapes only.
func floats32(t *tensor) []float32 {
	if t.ptr == nil {
		return nil
	}
	return view[float32](t)
}

func headShape(s []int, heads int) (headed, error) {
	switch {
	case len(s) == 4:
		return headed{batch: s[0], heads: s[1], rows: s[2], dim: s[3], batchStride: s[1] * s[2] * s[3], headStride: s[2] * s[3], rowStride: s[3]}, nil
	case len(s) == 3 && heads > 0 && s[2]%heads == 0:
		return headed{batch: s[0], heads: heads, rows: s[1], dim: s[2] / heads, batchStride: s[1] * s[2], headStride: s[2] / heads, rowStride: s[2]}, nil
	}
	return headed{}, fmt.Errorf("wants [batch, heads, rows, size] or [batch, rows, heads·size], got %v and %d heads", s, heads)
}

func (h *headed) row(b, head, i int) []float32 {
	at := b*h.batchStride + head*h.headStride + i*h.rowStride
	return h.data[at : at+h.dim]
}

// from returns what lies behind the beginning of row i.
func (h *headed) from(b, head, i int) []float32 {
	return h.data[min(b*h.batchStride+head*h.headStride+i*h.rowStride, len(h.data)):]
}

// matrix returns rows from i up to j one after the other, copied to buf where
// they do not lie so.
func (h *headed) matrix(b, head, i, j int, buf []float32) []float32 {
	if h.rowStride == h.dim {
		at := b*h.batchStride + head*h.headStride
		return h.data[at+i*h.dim : at+j*h.dim]
	}
	buf = slices.Grow(buf[:0], (j-i)*h.dim)
	for ; i < j; i++ {
		buf = append(buf, h.row(b, head, i)...)
	}
	return buf
}

// scores says how attention goes from products to weights. A row holds what
// query i of a batch and head makes of every key.
type scores struct {
	scale, softcap float32
	// mask adds to a row; −∞ where a key is not attended to. May be nil.
	mask func(b, head, i int, row []float32)
	// keep gets the rows after a stage; may be nil. Stages: 0 the products, 1
	// capped, 2 masked, 3 weights.
	keep  func(b, head, i int, row []float32)
	stage int
	// sink is one more score of each row, of a key without a value: in the
	// denominator only. May be nil; by head.
	sink []float32
	// plain says that a row without any key to attend to is not a number, as
	// Softmax has it, and not zero.
	plain bool
}

// blockRows is how many queries are worked on at a time, so that no full matrix
// of scores is ever there and those that are stay in the second-level cache.
func blockRows(queries, keys int) int {
	switch {
	case keys <= 512:
		return min(queries, 60)
	case keys <= 1024:
		return min(queries, 36)
	}
	return min(queries, 24)
}

// fewQueries is up to which number keys and values are read where they lie.
const fewQueries = 4

// attendRoom is the scratch that attend needs for each of its workers.
func attendRoom(q, k, v headed) (keys, values, block int) {
	if q.rows > fewQueries {
		keys, values = kernel.PackedLen(q.dim, k.rows), kernel.PackedLen(k.rows, v.dim)
	}
	return keys, values, blockRows(q.rows, k.rows) * k.rows
}

// attendWorkers is how many goroutines share the work.
func attendWorkers(c *call, q headed) int { return max(1, min(c.threads, q.batch*q.heads)) }

// attend computes softmax(scale·q·kᵀ + mask)·v into out. Heads of q share those
// of k and v in equal groups.
func attend(c *call, q, k, v, out headed, s scores) {
	keysLen, valuesLen, blockLen := attendRoom(q, k, v)
	each := keysLen + valuesLen + blockLen
	workers := attendWorkers(c, q)
	attendIn(c.floats(each*workers), workers, q, k, v, out, s)
}

// attendIn is attend in scratch memory that is there already.
func attendIn(room []float32, workers int, q, k, v, out headed, s scores) {
	keysLen, valuesLen, blockLen := attendRoom(q, k, v)
	each := keysLen + valuesLen + blockLen
	group := q.heads / max(k.heads, 1)
	kernel.Parallel(workers, q.batch*q.heads, 1, func(worker, from, to int) {
		mine := room[worker*each : (worker+1)*each]
		keys, values, block := mine[:keysLen], mine[keysLen:keysLen+valuesLen], mine[keysLen+valuesLen:]
		packed := -1
		for n := from; n < to; n++ {
			b, head := n/q.heads, n%q.heads
			kRows, vRows := k.from(b, head/group, 0), v.from(b, head/group, 0)
			if shared := b*k.heads + head/group; q.rows > fewQueries && shared != packed {
				kernel.PackB(keys, kRows, k.rowStride, !k.turned, q.dim, k.rows)
				kernel.PackB(values, vRows, v.rowStride, false, k.rows, v.dim)
				packed = shared
			}
			step := max(blockRows(q.rows, k.rows), 1)
			for i := 0; i < q.rows; i += step {
				j := min(i+step, q.rows)
				qs, result := q.from(b, head, i), out.from(b, head, i)
				w := block[:(j-i)*k.rows]
				if q.rows > fewQueries {
					kernel.GemmPacked(j-i, k.rows, q.dim, qs, q.rowStride, keys, w, k.rows, false)
				} else {
					kernel.GemmStrided(false, !k.turned, j-i, k.rows, q.dim, qs, q.rowStride, kRows, k.rowStride, w, k.rows, false)
				}
				for r := i; r < j; r++ {
					s.weigh(b, head, r, w[(r-i)*k.rows:(r-i+1)*k.rows])
				}
				if q.rows > fewQueries {
					kernel.GemmPacked(j-i, v.dim, k.rows, w, k.rows, values, result, out.rowStride, false)
				} else {
					kernel.GemmStrided(false, false, j-i, v.dim, k.rows, w, k.rows, vRows, v.rowStride, result, out.rowStride, false)
				}
			}
		}
	})
}

// weigh turns products into weights in place.
func (s *scores) weigh(b, head, i int, row []float32) {
	if s.scale != 1 {
		kernel.MulScalar(row, row, s.scale)
	}
	s.show(0, b, head, i, row)
	if s.softcap > 0 {
		kernel.DivScalar(row, row, s.softcap)
		kernel.Tanh(row, row)
		kernel.MulScalar(row, row, s.softcap)
	}
	s.show(1, b, head, i, row)
	if s.mask != nil {
		s.mask(b, head, i, row)
	}
	s.show(2, b, head, i, row)
	s.softmax(head, row)
	s.show(3, b, head, i, row)
}

// softmax gives a row without any key to attend to no weights.
func (s *scores) softmax(head int, row []float32) {
	if len(row) == 0 {
		return
	}
	if !s.plain && math.IsInf(float64(kernel.Max(row)), -1) {
		clear(row)
		return
	}
	if s.sink == nil {
		kernel.Softmax(row, row)
		return
	}
	m := max(kernel.Max(row), s.sink[head])
	kernel.SubScalar(row, row, m)
	kernel.Exp(row, row)
	sum := kernel.Sum(row) + float32(math.Exp(float64(s.sink[head]-m)))
	kernel.DivScalar(row, row, sum)
}

func (s *scores) show(stage, b, head, i int, row []float32) {
	if s.keep != nil && s.stage == stage {
		s.keep(b, head, i, row)
	}
}

// additive makes a mask of a tensor that broadcasts to [batch, heads, queries,
// keys]: booleans that say what is attended to, or numbers to add. Keys beyond
// its last dimension are not attended to.
func additive(t *tensor, batch, heads, queries, keys int) (func(b, head, i int, row []float32), error) {
	rank := len(t.shape)
	if rank == 0 || rank > 4 || (t.dt != bool8 && t.dt != f32) {
		return nil, fmt.Errorf("mask is %s", t.describe())
	}
	have := t.shape[rank-1]
	var strides [4]int
	for d, n := rank-1, 1; d >= 0; d-- {
		at := d + 4 - rank
		if t.shape[d] != 1 || at == 3 {
			strides[at] = n
		}
		if want := [...]int{batch, heads, queries, t.shape[d]}[at]; t.shape[d] != 1 && t.shape[d] != want {
			return nil, fmt.Errorf("mask %v does not fit %v", t.shape, []int{batch, heads, queries, keys})
		}
		n *= t.shape[d]
	}
	if have > keys {
		return nil, fmt.Errorf("mask %v is longer than %d keys", t.shape, keys)
	}
	none := float32(math.Inf(-1))
	one := have == 1 && keys > 1 // for all keys
	return func(b, head, i int, row []float32) {
		at := b*strides[0] + head*strides[1] + i*strides[2]
		if t.dt == f32 && !one && have == len(row) {
			kernel.Add(row, row, view[float32](t)[at:at+have])
			return
		}
		for j := range row {
			k := at + j
			switch {
			case one:
				k = at
			case j >= have:
				row[j] = none
				continue
			}
			if t.dt == f32 {
				row[j] += view[float32](t)[k]
			} else if view[uint8](t)[k] == 0 {
				row[j] = none
			}
		}
	}, nil
}

// span hides the keys outside [first, last] of each query, as given by a
// function of batch and query.
func span(row []float32, first, last int) {
	none := float32(math.Inf(-1))
	for j := range row[:min(max(first, 0), len(row))] {
		row[j] = none
	}
	for j := max(last+1, 0); j < len(row); j++ {
		row[j] = none
	}
}

// appendPast makes [batch, heads, past+rows, dim] of what is cached and what is
// new, as output i.
func (c *call) appendPast(i int, past *tensor, now headed) (headed, error) {
	before := 0
	if past != nil {
		if len(past.shape) != 4 || past.shape[0] != now.batch || past.shape[1] != now.heads || past.shape[3] != now.dim {
			return headed{}, fmt.Errorf("past values %v do not fit", past.shape)
		}
		if err := wantF32(past); err != nil {
			return headed{}, err
		}
		before = past.shape[2]
	}
	t, err := c.output(i, f32, now.batch, now.heads, before+now.rows, now.dim)
	if err != nil {
		return headed{}, err
	}
	all, _ := headShape(t.shape, 0)
	if c.frame.dry {
		return all, nil
	}
	all.data = view[float32](t)
	for b := range now.batch {
		for h := range now.heads {
			if before > 0 {
				copy(all.data[b*all.batchStride+h*all.headStride:], view[float32](past)[(b*now.heads+h)*before*now.dim:][:before*now.dim])
			}
			for r := range now.rows {
				copy(all.row(b, h, before+r), now.row(b, h, r))
			}
		}
	}
	return all, nil
}

// attention is what an Attention node says.
type attention struct {
	qHeads, kvHeads   int
	causal            bool
	scale, softcap    float32
	mode, left, right int
}

func newAttention(s *spec) *attention {
	return &attention{qHeads: s.int("q_num_heads", 0), kvHeads: s.int("kv_num_heads", 0), causal: s.int("is_causal", 0) == 1, scale: s.float("scale", 0), softcap: s.float("softcap", 0),
		mode: s.int("qk_matmul_output_mode", 0), left: s.int("left_window_size", -1), right: s.int("right_window_size", -1)}
}

func buildAttention(s *spec) (operation, error) { return newAttention(s).run, nil }

// operands checks a call's operands, calls begin with the shape of the result
// and joins keys and values with what is cached of them, by way of join.
func (a *attention) operands(c *call, begin func(y []int) error, join func(i int, past *tensor, now headed) (headed, error)) (q, k, v headed, sc scores, err error) {
	fail := func(err error) (headed, headed, headed, scores, error) { return q, k, v, sc, err }
	if err := c.first(3); err != nil {
		return fail(err)
	}
	for i, p := range []struct {
		h     *headed
		heads int
	}{{&q, a.qHeads}, {&k, a.kvHeads}, {&v, a.kvHeads}} {
		if *p.h, err = headsOf(c.in[i], p.heads); err != nil {
			return fail(err)
		}
	}
	mask, pastK, pastV, lengths := c.input(3), c.input(4), c.input(5), c.input(6)
	if k.heads < 1 || q.heads%k.heads != 0 || v.heads != k.heads || q.dim != k.dim || v.rows != k.rows || k.batch != q.batch || v.batch != q.batch {
		return fail(fmt.Errorf("operands do not fit: %s", describeAll(c.in[:3])))
	}
	y := []int{q.batch, q.heads, q.rows, v.dim}
	if len(c.in[0].shape) == 3 {
		y = []int{q.batch, q.rows, q.heads * v.dim}
	}
	if err := begin(y); err != nil {
		return fail(err)
	}
	offset := 0
	for i, p := range []struct {
		past *tensor
		now  *headed
	}{{pastK, &k}, {pastV, &v}} {
		if p.past == nil && (len(c.out) <= i+1 || c.out[i+1] == nil) {
			continue
		}
		if p.past != nil {
			offset = p.past.shape[len(p.past.shape)-2]
		}
		if *p.now, err = join(i+1, p.past, *p.now); err != nil {
			return fail(err)
		}
	}
	sc = scores{scale: a.scale, softcap: a.softcap, stage: a.mode}
	if a.scale == 0 {
		sc.scale = float32(1 / math.Sqrt(float64(q.dim)))
	}
	var valid []int
	if lengths != nil {
		if valid, err = c.intsOf(6); err != nil {
			return fail(err)
		}
		if len(valid) != q.batch {
			return fail(fmt.Errorf("%d lengths for a batch of %d", len(valid), q.batch))
		}
	}
	var add func(b, head, i int, row []float32)
	if mask != nil {
		if add, err = additive(mask, q.batch, q.heads, q.rows, k.rows); err != nil {
			return fail(err)
		}
	}
	rows := q.rows
	sc.mask = func(b, head, i int, row []float32) {
		if add != nil {
			add(b, head, i, row)
		}
		at, first, last := i+offset, 0, len(row)-1
		if valid != nil {
			if pastK == nil {
				at = i + valid[b] - rows
			}
			last = min(last, valid[b]-1)
		}
		if a.causal {
			last = min(last, at)
		}
		if a.left >= 0 {
			first = at - a.left
		}
		if a.right >= 0 {
			last = min(last, at+a.right)
		}
		span(row, first, last)
	}
	return q, k, v, sc, nil
}

func (a *attention) run(c *call) error {
	var y *tensor
	q, k, v, sc, err := a.operands(c, func(shape []int) (err error) {
		y, err = c.output(0, f32, shape...)
		return err
	}, c.appendPast)
	if err != nil {
		return err
	}
	out, _ := headShape(y.shape, q.heads)
	if len(c.out) > 3 && c.out[3] != nil {
		t, err := c.output(3, f32, q.batch, q.heads, q.rows, k.rows)
		if err != nil {
			return err
		}
		kept, _ := headsOf(t, 0)
		sc.keep = func(b, head, i int, row []float32) { copy(kept.row(b, head, i), row) }
	}
	out.data = view[float32](y)
	attend(c, q, k, v, out, sc)
	return nil
}

// flexAttention is attention whose scores and weights pass through graphs.
type flexAttention struct {
	scale         float32
	score, weight int // numbers of the graphs among the node's, -1 for none
}

func newFlexAttention(s *spec) *flexAttention {
	m := &flexAttention{scale: s.float("scale", 0), score: -1, weight: -1}
	names := 0
	for _, p := range []struct {
		name string
		at   *int
	}{{"prob_mod", &m.weight}, {"score_mod", &m.score}} { // as in Bodies: sorted
		if a := s.node.Attrs[p.name]; a != nil && a.Type == onnxfile.AttrGraph {
			*p.at = names
			names++
		}
	}
	return m
}

func buildFlexAttention(s *spec) (operation, error) { return newFlexAttention(s).run, nil }

// factor is what products are scaled by.
func (m *flexAttention) factor(dim int) float32 {
	if m.scale == 0 {
		return float32(1 / math.Sqrt(float64(dim)))
	}
	return m.scale
}

func (m *flexAttention) operands(c *call) (q, k, v headed, err error) {
	if err := c.first(3); err != nil {
		return q, k, v, err
	}
	for i, h := range []*headed{&q, &k, &v} {
		if *h, err = headsOf(c.in[i], 0); err != nil {
			return q, k, v, err
		}
	}
	if k.heads < 1 || q.heads%k.heads != 0 || v.heads != k.heads || q.dim != k.dim || v.rows != k.rows || k.batch != q.batch || v.batch != q.batch {
		return q, k, v, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	return q, k, v, nil
}

// products fills [batch, heads, queries, keys] with scaled products.
func (m *flexAttention) products(q, k headed, to *tensor) {
	w, _ := headsOf(to, 0)
	group := q.heads / k.heads
	for b := range q.batch {
		for head := range q.heads {
			p := w.matrix(b, head, 0, w.rows, nil)
			kernel.Gemm(false, true, q.rows, k.rows, q.dim, q.matrix(b, head, 0, q.rows, nil), k.matrix(b, head/group, 0, k.rows, nil), p, false)
			kernel.MulScalar(p, p, m.factor(q.dim))
		}
	}
}

// softmax makes weights of scores in place.
func (m *flexAttention) softmax(t *tensor) {
	var sc scores
	all, n := view[float32](t), t.shape[3]
	for at := 0; at < len(all); at += n {
		sc.softmax(0, all[at:at+n])
	}
}

func (m *flexAttention) run(c *call) error {
	q, k, v, err := m.operands(c)
	if err != nil {
		return err
	}
	y, err := c.output(0, f32, q.batch, q.heads, q.rows, v.dim)
	if err != nil {
		return err
	}
	weights := newTensor(f32, q.batch, q.heads, q.rows, k.rows)
	modify := func(name string, at int) error {
		if at < 0 {
			return nil
		}
		changed, err := c.runBody(at, weights)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if changed.dt != f32 || !slices.Equal(changed.shape, weights.shape) {
			return fmt.Errorf("%s makes %s of %s", name, changed.describe(), weights.describe())
		}
		weights = changed
		return nil
	}
	m.products(q, k, weights)
	if err := modify("score_mod", m.score); err != nil {
		return err
	}
	m.softmax(weights)
	if err := modify("prob_mod", m.weight); err != nil {
		return err
	}
	w, _ := headsOf(weights, 0)
	out, _ := headsOf(y, 0)
	group := q.heads / k.heads
	for b := range q.batch {
		for head := range q.heads {
			kernel.Gemm(false, false, q.rows, v.dim, k.rows, w.matrix(b, head, 0, w.rows, nil), v.matrix(b, head/group, 0, v.rows, nil), out.matrix(b, head, 0, out.rows, nil), false)
		}
	}
	return nil
}

// runBody runs a subgraph of one input and one output.
func (c *call) runBody(at int, x *tensor) (*tensor, error) {
	body := c.step.bodies[at]
	if len(body.inputs) != 1 || len(body.outputs) != 1 {
		return nil, fmt.Errorf("has %d inputs and %d outputs, want one of each", len(body.inputs), len(body.outputs))
	}
	f := c.frame.enter(body)
	defer f.leave()
	f.set(body.inputs[0], x)
	if err := f.run(c.frame.ctx); err != nil {
		return nil, err
	}
	return f.vals[body.outputs[0]].clone(), nil
}
