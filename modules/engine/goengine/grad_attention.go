package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var attentionGrads = map[string]gradient{
	"Attention":                         attentionGrad,
	internalDomain + ".Attention":       takenApart,
	"LinearAttention":                   linearAttentionGrad,
	"ai.onnx.preview.FlexAttention":     flexAttentionGrad,
	"com.microsoft.Attention":           microsoftAttentionGrad,
	"com.microsoft.MultiHeadAttention":  multiHeadGrad,
	"com.microsoft.GroupQueryAttention": groupQueryGrad,
}

// takenApart is for steps that only plans have which nothing is recorded by: it says
// that gradients pass ([Session.Passes]); recordings keep the parts.
var takenApart = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	return nil, fmt.Errorf("%v is merged in a recording", s.node)
})

// attentionBack are the gradients that come of attention's operands. Those of
// queries, keys and values lie as [batch, heads, rows, size] and are added to; the
// others may be missing.
type attentionBack struct {
	dq, dk, dv headed
	// scores are gradients of the rows that were shown at the stage of the scores.
	scores *headed
	// bias gets the gradients of a row behind the mask.
	bias func(b, head, i int, row []float32)
	sink []float32 // by head
}

// back makes room for the gradients of attention's operands, with zeros.
func (g *gcall) back(q, k, v headed) *attentionBack {
	room := func(h headed) headed {
		own, _ := headShape([]int{h.batch, h.heads, h.rows, h.dim}, 0)
		own.data = g.floats(h.batch * h.heads * h.rows * h.dim)
		clear(own.data)
		return own
	}
	return &attentionBack{dq: room(q), dk: room(k), dv: room(v)}
}

// attendBack is the product of attend, block by block as that computed: weights are
// made anew, not kept.
func attendBack(g *gcall, q, k, v, dy headed, sc scores, to *attentionBack) {
	const some = 64 // queries at a time
	group := q.heads / k.heads
	w, dw, capped := g.floats(some*k.rows), g.floats(some*k.rows), g.floats(some*k.rows)
	var masked []float32
	if to.scores != nil && sc.stage == 2 {
		masked = g.floats(some * k.rows)
		sc.keep = func(_, _, i int, row []float32) { copy(masked[i%some*k.rows:], row) }
	}
	for b := range q.batch {
		for head := range q.heads {
			keys, values := k.matrix(b, head/group, 0, k.rows, nil), v.matrix(b, head/group, 0, v.rows, nil)
			toK, toV := to.dk.matrix(b, head/group, 0, k.rows, nil), to.dv.matrix(b, head/group, 0, v.rows, nil)
			for i := 0; i < q.rows; i += some {
				j := min(i+some, q.rows)
				m := j - i
				qs, ds := q.matrix(b, head, i, j, nil), dy.matrix(b, head, i, j, nil)
				kernel.Gemm(false, true, m, k.rows, q.dim, qs, keys, w, false)
				for r := range m {
					row := w[r*k.rows : (r+1)*k.rows]
					if sc.softcap > 0 { // tanh of the products, for its slope
						own := capped[r*k.rows : (r+1)*k.rows]
						kernel.MulScalar(own, row, sc.scale/sc.softcap)
						kernel.Tanh(own, own)
					}
					sc.weigh(b, head, i+r, row)
				}
				kernel.Gemm(true, false, v.rows, v.dim, m, w, ds, toV, true)
				kernel.Gemm(false, true, m, k.rows, v.dim, ds, values, dw, false)
				for r := range m {
					at := r * k.rows
					to.row(&sc, b, head, i+r, dw[at:at+k.rows], w[at:at+k.rows], capped[at:at+k.rows], masked[min(at, len(masked)):])
				}
				kernel.Gemm(false, false, m, q.dim, k.rows, dw, keys, to.dq.matrix(b, head, i, j, nil), true)
				kernel.Gemm(true, false, k.rows, q.dim, m, dw, qs, toK, true)
			}
		}
	}
}

// row turns the gradient of a row of weights p into that of the products; masked is
// the row before it became weights, where its own gradient is given.
func (a *attentionBack) row(sc *scores, b, head, i int, row, p, capped, masked []float32) {
	shown := func(stage int) {
		if a.scores != nil && sc.stage == stage {
			kernel.Add(row, row, a.scores.row(b, head, i))
		}
	}
	shown(3)
	mean := kernel.Dot(row, p)
	if a.sink != nil {
		a.sink[head] -= (1 - kernel.Sum(p)) * mean
	}
	kernel.SubScalar(row, row, mean)
	kernel.Mul(row, row, p)
	if a.scores != nil && sc.stage == 2 {
		for n, d := range a.scores.row(b, head, i) {
			if !math.IsInf(float64(masked[n]), -1) { // which is so whatever the products are
				row[n] += d
			}
		}
	}
	if a.bias != nil {
		a.bias(b, head, i, row)
	}
	shown(1)
	if sc.softcap > 0 {
		for n, c := range capped {
			row[n] *= 1 - c*c
		}
	}
	shown(0)
	kernel.MulScalar(row, row, sc.scale)
}

// additiveBack adds gradients of rows to that of the mask they were given; see
// additive.
func additiveBack(t *tensor, d []float32, keys int) func(b, head, i int, row []float32) {
	rank := len(t.shape)
	have := t.shape[rank-1]
	var strides [4]int
	for k, n := rank-1, 1; k >= 0; k-- {
		if at := k + 4 - rank; t.shape[k] != 1 || at == 3 {
			strides[at] = n
		}
		n *= t.shape[k]
	}
	one := have == 1 && keys > 1
	return func(b, head, i int, row []float32) {
		to := d[b*strides[0]+head*strides[1]+i*strides[2]:]
		if one {
			to[0] += kernel.Sum(row)
			return
		}
		n := min(have, len(row))
		kernel.Add(to[:n], to[:n], row[:n])
	}
}

// pull is the product of attend for what the first output leads on, if it does.
func (a *attended) pull(g *gcall, heads int, to *attentionBack) error {
	if g.dout[0] == nil {
		return nil
	}
	dy, err := headsOf(g.dout[0], heads)
	if err != nil {
		return err
	}
	attendBack(g, a.q, a.k, a.v, dy, a.sc, to)
	return nil
}

// pullBiased is pull with the gradient of input 5, which is added to the scores.
func (a *attended) pullBiased(g *gcall, heads int, to *attentionBack) error {
	var bias *tensor
	bias, to.bias = g.masked(5, a.k.rows)
	if err := a.pull(g, heads, to); err != nil {
		return err
	}
	if bias != nil {
		g.give(5, bias)
	}
	return nil
}

// masked asks for the gradient of input i, a mask; nil where it has none.
func (g *gcall) masked(i, keys int) (*tensor, func(b, head, i int, row []float32)) {
	if g.input(i) == nil || !g.wants(i) {
		return nil, nil
	}
	t := g.zero(i)
	return t, additiveBack(t, view[float32](t), keys)
}

// place copies rows of h, from one on, to input i, whose heads lie as told.
func (g *gcall) place(i int, h headed, from, heads int) error {
	if g.input(i) == nil || !g.wants(i) {
		return nil
	}
	t := g.zero(i)
	to, err := headShape(t.shape, heads)
	if err != nil {
		return err
	}
	to.data = view[float32](t)
	placeRows(to, h, from)
	g.give(i, t)
	return nil
}

// placeRows copies rows of h, from one on, to all rows of to.
func placeRows(to, h headed, from int) {
	for b := range to.batch {
		for head := range to.heads {
			for r := range to.rows {
				copy(to.row(b, head, r), h.row(b, head, from+r))
			}
		}
	}
}

// joined is what keys or values were joined to: output i, or it is made anew.
func (g *gcall) joined(i int, past *tensor, now headed) (headed, error) {
	if i < len(g.out) && g.out[i] != nil {
		return headsOf(g.out[i], 0)
	}
	var own tensor
	c := &call{frame: g.frame, step: g.step, out: make([]*tensor, i+1)}
	c.out[i] = &own
	all, err := c.appendPast(i, past, now)
	if own.buf != nil {
		g.scratch = append(g.scratch, own.buf)
	}
	return all, err
}

// addOutputs adds the gradients of joined keys and values, outputs 1 and 2.
func (a *attentionBack) addOutputs(g *gcall) {
	for i, d := range []headed{a.dk, a.dv} {
		if len(g.dout) > i+1 && g.dout[i+1] != nil {
			copy(d.data, view[float32](g.dout[i+1]))
		}
	}
}

func rowsOf(t *tensor) int {
	if t == nil {
		return 0
	}
	return t.shape[len(t.shape)-2]
}

// attentionGrad is that of softmax(mask(cap(scale·q·kᵀ)))·v.
var attentionGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	a := newAttention(s)
	return &pullback{in: everything, out: keep(1, 2), pull: a.pull}, nil
}, 0, 1, 2, 3, 4, 5)

func (a *attention) pull(g *gcall) error {
	q, k, v, sc, err := a.operands(g.call, func([]int) error { return nil }, g.joined)
	if err != nil {
		return err
	}
	to := g.back(q, k, v)
	to.addOutputs(g)
	var bias *tensor
	bias, to.bias = g.masked(3, k.rows)
	if len(g.dout) > 3 && g.dout[3] != nil {
		h, err := headsOf(g.dout[3], 0)
		if err != nil {
			return err
		}
		to.scores = &h
	}
	if g.dout[0] != nil || to.scores != nil {
		dy, _ := headShape([]int{q.batch, q.heads, q.rows, v.dim}, 0)
		if g.dout[0] == nil { // only the scores lead on
			dy.data = g.floats(q.batch * q.heads * q.rows * v.dim)
			clear(dy.data)
		} else if dy, err = headsOf(g.dout[0], a.qHeads); err != nil {
			return err
		}
		attendBack(g, q, k, v, dy, sc, to)
	}
	if bias != nil {
		g.give(3, bias)
	}
	for _, p := range []struct {
		input, from, heads int
		h                  headed
	}{{0, 0, a.qHeads, to.dq}, {1, rowsOf(g.input(4)), a.kvHeads, to.dk}, {2, rowsOf(g.input(5)), a.kvHeads, to.dv}, {4, 0, 0, to.dk}, {5, 0, 0, to.dv}} {
		if err := g.place(p.input, p.h, p.from, p.heads); err != nil {
			return err
		}
	}
	return nil
}

// nothing is where an operator that is run again for its operands says what it
// would give.
func nothing(...int) error { return nil }

// microsoftAttentionGrad is by rows, projection, bias, cache and what is added to
// scores.
var microsoftAttentionGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newMicrosoftAttention(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: everything, pull: m.pull}, nil
}, 0, 1, 2, 4, 5)

func (m *microsoftAttention) pull(g *gcall) error {
	a, err := m.operands(g.call, nothing, func(shape ...int) ([]float32, error) { return g.floats(product(shape)), nil })
	if err != nil {
		return err
	}
	to := g.back(a.q, a.k, a.v)
	if len(g.dout) > 1 && g.dout[1] != nil {
		d := view[float32](g.dout[1])
		copy(to.dk.data, d[:len(d)/2])
		copy(to.dv.data, d[len(d)/2:])
	}
	if err := a.pullBiased(g, m.heads, to); err != nil {
		return err
	}
	x, w := g.in[0], g.in[1]
	batch, rows, width := x.shape[0], x.shape[1], w.shape[1]
	dim, vdim := a.q.dim, a.v.dim
	d := g.floats(batch * rows * width)
	for _, p := range []struct {
		h            headed
		at, dim, old int
	}{{to.dq, 0, dim, 0}, {to.dk, m.heads * dim, dim, a.past}, {to.dv, 2 * m.heads * dim, vdim, a.past}} {
		placeRows(part(d, batch, rows, width, p.at, m.heads, p.dim), p.h, p.old)
	}
	if g.wants(0) {
		t := g.fresh(0)
		kernel.GemmParallel(g.threads, false, true, batch*rows, x.shape[2], width, d, view[float32](w), view[float32](t), false)
		g.give(0, t)
	}
	if g.wants(1) {
		t := g.fresh(1)
		kernel.GemmParallel(g.threads, true, false, x.shape[2], width, batch*rows, view[float32](x), d, view[float32](t), false)
		g.give(1, t)
	}
	if g.wants(2) {
		t := g.zero(2)
		for i := range batch * rows {
			kernel.Add(view[float32](t), view[float32](t), d[i*width:(i+1)*width])
		}
		g.give(2, t)
	}
	if past := g.input(4); past != nil && g.wants(4) {
		t := g.fresh(4)
		half := t.n / 2
		for i, h := range []headed{to.dk, to.dv} {
			own, _ := headShape(past.shape[1:], 0)
			own.data = view[float32](t)[i*half : (i+1)*half]
			placeRows(own, h, 0)
		}
		g.give(4, t)
	}
	return nil
}

// multiHeadGrad is by queries, keys and values however they are packed, their bias,
// what is added to scores, and the cache.
var multiHeadGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := multiHeadOf(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: everything, out: keep(1, 2), pull: m.pull}, nil
}, 0, 1, 2, 3, 5, 6, 7)

func (m *multiHead) pull(g *gcall) error {
	a, err := m.operands(g.call, nothing, g.joined)
	if err != nil {
		return err
	}
	to := g.back(a.q, a.k, a.v)
	to.addOutputs(g)
	if err := a.pullBiased(g, m.heads, to); err != nil {
		return err
	}
	given := make([]*tensor, 3) // of the inputs that hold queries, keys and values
	for i := range given {
		if g.input(i) != nil {
			given[i] = g.zero(i)
		}
	}
	q, k, v, err := m.apart(given[0], given[1], given[2])
	if err != nil {
		return err
	}
	pastK, pastV := rowsOf(g.input(6)), rowsOf(g.input(7))
	placeRows(q, to.dq, 0)
	placeRows(k, to.dk, pastK)
	placeRows(v, to.dv, pastV)
	if g.input(3) != nil && g.wants(3) {
		t := g.zero(3)
		sums, at := view[float32](t), 0
		for _, p := range []headed{q, k, v} {
			for h := range p.heads {
				sum := sums[at : at+p.dim]
				for b := range p.batch {
					for r := range p.rows {
						kernel.Add(sum, sum, p.row(b, h, r))
					}
				}
				at += p.dim
			}
		}
		g.give(3, t)
	}
	g.giveOrFree(0, given)
	if err := g.place(6, to.dk, 0, 0); err != nil {
		return err
	}
	return g.place(7, to.dv, 0, 0)
}

// groupQueryGrad is by queries, keys and values, the cache, what is added to scores,
// and sinks.
var groupQueryGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newGroupQuery(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: everything, pull: m.pull}, nil
}, 0, 1, 2, 3, 4, 10, 11)

func (m *groupQuery) pull(g *gcall) error {
	a, err := m.operands(g.call, nothing, func(_ int, shape ...int) ([]float32, error) { return g.floats(product(shape)), nil })
	if err != nil {
		return err
	}
	to := g.back(a.q, a.k, a.v)
	to.addOutputs(g)
	var bias, sink *tensor
	bias, to.bias = g.masked(10, a.total)
	if to.bias != nil {
		all := to.bias
		to.bias = func(b, head, i int, row []float32) { all(b, head, i, row[:min(a.total, len(row))]) }
	}
	if g.input(11) != nil && g.wants(11) {
		sink = g.zero(11)
		to.sink = view[float32](sink)
	}
	if err := a.pull(g, m.heads, to); err != nil {
		return err
	}
	if bias != nil {
		g.give(10, bias)
	}
	if sink != nil {
		g.give(11, sink)
	}
	given := make([]*tensor, 3)
	for i := range given {
		if g.input(i) != nil {
			given[i] = g.zero(i)
		}
	}
	q, k, v, err := m.apart(given[0], given[1], given[2])
	if err != nil {
		return err
	}
	placeRows(q, to.dq, 0)
	for b := range k.batch {
		for h := range k.heads {
			for r := range k.rows {
				copy(k.row(b, h, r), to.dk.row(b, h, a.begin(b)+r))
				copy(v.row(b, h, r), to.dv.row(b, h, a.begin(b)+r))
			}
		}
	}
	if a.turning != nil { // back
		turn := *a.turning
		turn.sin = slices.Clone(turn.sin)
		kernel.MulScalar(turn.sin, turn.sin, -1)
		for _, h := range []headed{q, k} {
			if err := turn.apply(h, h); err != nil {
				return err
			}
		}
	}
	g.giveOrFree(0, given)
	for i, d := range []headed{to.dk, to.dv} {
		if g.input(3+i) == nil || !g.wants(3+i) {
			continue
		}
		t := g.zero(3 + i)
		own, _ := headShape(t.shape, 0)
		own.data = view[float32](t)
		for b := range own.batch {
			for h := range own.heads {
				for r := range min(a.begin(b), a.have) {
					copy(own.row(b, h, r), d.row(b, h, r))
				}
			}
		}
		g.give(3+i, t)
	}
	return nil
}

// linearAttentionGrad walks the recurrence back. Its states are computed once more,
// those of all rows for one head at a time.
var linearAttentionGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m, err := newLinearAttention(s)
	if err != nil {
		return nil, err
	}
	return &pullback{in: everything, pull: m.pull}, nil
}, 0, 1, 2, 3, 4, 5)

func (m *linearAttention) pull(g *gcall) error {
	o, err := m.operands(g.call)
	if err != nil {
		return err
	}
	q, k, v := o.q, o.k, o.v
	given := make([]*tensor, 6)
	for i := range given {
		if g.input(i) != nil {
			given[i] = g.zero(i)
		}
	}
	headed := func(i, heads int) headed { h, _ := headsOf(given[i], heads); return h }
	dq, dk, dv := headed(0, m.qHeads), headed(1, m.kvHeads), headed(2, m.kvHeads)
	var dy = q
	if g.dout[0] != nil {
		if dy, err = headsOf(g.dout[0], m.qHeads); err != nil {
			return err
		}
	}
	size, group := k.dim*v.dim, m.qHeads/m.kvHeads
	decayed, after := g.floats(q.rows*size), g.floats(q.rows*size) // states of every row
	errs := g.floats(q.rows * v.dim)                               // what a key recalled wrongly
	dS, dw := g.floats(size), g.floats(v.dim)
	line := func(m []float32, d int) []float32 { return m[d*v.dim : (d+1)*v.dim] }
	for b := range q.batch {
		for head := range m.kvHeads {
			state := dS // the first one; dS is not needed yet
			clear(state)
			at := (b*m.kvHeads + head) * size
			if o.past != nil {
				copy(state, view[float32](o.past)[at:at+size])
			}
			for i := range q.rows {
				now, then := decayed[i*size:(i+1)*size], after[i*size:(i+1)*size]
				copy(now, state)
				m.decay(o, now, b, head, i)
				copy(then, now)
				m.take(o, then, errs[i*v.dim:(i+1)*v.dim], dw, b, head, i)
				state = then
			}
			clear(dS)
			if len(g.dout) > 1 && g.dout[1] != nil {
				copy(dS, view[float32](g.dout[1])[at:at+size])
			}
			for i := q.rows - 1; i >= 0; i-- {
				now, then, wrong := decayed[i*size:(i+1)*size], after[i*size:(i+1)*size], errs[i*v.dim:(i+1)*v.dim]
				if g.dout[0] != nil {
					for h := head * group; h < (head+1)*group; h++ {
						d, to := dy.row(b, h, i), dq.row(b, h, i)
						for n, x := range q.row(b, h, i) {
							to[n] = o.scale * kernel.Dot(line(then, n), d)
							kernel.Axpy(o.scale*x, d, line(dS, n))
						}
					}
				}
				key, dKey := k.row(b, head, i), dk.row(b, head, i)
				write, beta := dw, float32(1) // what was taken up: beta·wrong
				if m.delta {
					beta = o.each(o.beta, b, head, i)[0]
				}
				kernel.MulScalar(write, wrong, beta)
				for n := range key {
					dKey[n] = kernel.Dot(line(dS, n), write)
				}
				clear(dw)
				for n, x := range key {
					kernel.Axpy(x, line(dS, n), dw)
				}
				if m.delta {
					o.each(given[5], b, head, i)[0] += kernel.Dot(dw, wrong)
					kernel.MulScalar(dw, dw, beta)
					for n, x := range key {
						dKey[n] -= kernel.Dot(line(now, n), dw)
						kernel.Axpy(-x, dw, line(dS, n))
					}
				}
				copy(dv.row(b, head, i), dw)
				if m.gated {
					gate, dGate := o.each(o.decay, b, head, i), o.each(given[4], b, head, i)
					for n := range k.dim {
						j := min(n, len(gate)-1)
						dGate[j] += kernel.Dot(line(dS, n), line(now, n))
						kernel.MulScalar(line(dS, n), line(dS, n), float32(math.Exp(float64(gate[j]))))
					}
				}
			}
			if given[3] != nil {
				copy(view[float32](given[3])[at:at+size], dS)
			}
		}
	}
	g.giveOrFree(0, given)
	return nil
}

// flexAttentionGrad walks its graphs back as bodies: a recording keeps the frames of
// their runs.
var flexAttentionGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	m := newFlexAttention(s)
	return &pullback{in: keep(0, 1, 2), pull: m.pull}, nil
}, 0, 1, 2)

func (m *flexAttention) pull(g *gcall) error {
	for i, t := range g.in[:3] { // steps with bodies get their values as they are
		g.in[i] = asFloat32(t)
	}
	q, k, v, err := m.operands(g.call)
	if err != nil {
		return err
	}
	dy, err := headsOf(g.dout[0], 0)
	if err != nil {
		return err
	}
	to, group := g.back(q, k, v), q.heads/k.heads
	// frames of the bodies in the order that they ran
	runs, scored, weighed := g.runs(), (*frame)(nil), (*frame)(nil)
	if m.score >= 0 && len(runs) > 0 {
		scored, runs = runs[0], runs[1:]
	}
	if m.weight >= 0 && len(runs) > 0 {
		weighed = runs[0]
	}
	value := func(f *frame) *tensor { return asFloat32(f.vals[f.plan.outputs[0]]) }
	p := newTensor(f32, q.batch, q.heads, q.rows, k.rows) // weights
	if scored != nil {
		copy(view[float32](p), view[float32](value(scored)))
	} else {
		m.products(q, k, p)
	}
	m.softmax(p)
	used := p
	if weighed != nil {
		used = value(weighed)
	}
	d := g.frame.gradient(p.shape)
	w, _ := headsOf(used, 0)
	dw, _ := headsOf(d, 0)
	for b := range q.batch {
		for head := range q.heads {
			ds := dy.matrix(b, head, 0, q.rows, nil)
			kernel.Gemm(true, false, v.rows, v.dim, q.rows, w.matrix(b, head, 0, w.rows, nil), ds, to.dv.matrix(b, head/group, 0, v.rows, nil), true)
			kernel.Gemm(false, true, q.rows, k.rows, v.dim, ds, v.matrix(b, head/group, 0, v.rows, nil), dw.matrix(b, head, 0, w.rows, nil), false)
		}
	}
	if weighed != nil {
		if d, err = g.through(weighed, d, p.shape); err != nil {
			return err
		}
	}
	ps, dp := view[float32](p), view[float32](d)
	for at := 0; at < len(ps); at += k.rows {
		row, own := dp[at:at+k.rows], ps[at:at+k.rows]
		kernel.SubScalar(row, row, kernel.Dot(row, own))
		kernel.Mul(row, row, own)
	}
	if scored != nil {
		if d, err = g.through(scored, d, p.shape); err != nil {
			return err
		}
	}
	dw, _ = headsOf(d, 0)
	kernel.MulScalar(view[float32](d), view[float32](d), m.factor(q.dim))
	for b := range q.batch {
		for head := range q.heads {
			ds, toK := dw.matrix(b, head, 0, q.rows, nil), to.dk.matrix(b, head/group, 0, k.rows, nil)
			kernel.Gemm(false, false, q.rows, q.dim, k.rows, ds, k.matrix(b, head/group, 0, k.rows, nil), to.dq.matrix(b, head, 0, q.rows, nil), false)
			kernel.Gemm(true, false, k.rows, q.dim, q.rows, ds, q.matrix(b, head, 0, q.rows, nil), toK, true)
		}
	}
	g.frame.release(d)
	for i, h := range []headed{to.dq, to.dk, to.dv} {
		if err := g.place(i, h, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

// through pulls a gradient through the run of a body of one input and one output;
// it takes over its memory.
func (g *gcall) through(f *frame, d *tensor, shape []int) (*tensor, error) {
	f.seed(0, d)
	if err := g.pullBody(f); err != nil {
		return nil, err
	}
	if d = f.take(f.plan.inputs[0]); d == nil {
		d = g.frame.gradient(shape)
		clear(view[float32](d))
	}
	return d, nil
}
