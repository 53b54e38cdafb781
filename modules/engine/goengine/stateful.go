package goengine

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// Layers that carry a state from call to call.
var statefulTable = map[string]operator{
	"LinearAttention":     {build: buildLinearAttention},
	"CausalConvWithState": {build: buildCausalConv},
	"TensorScatter":       {native: true, build: buildTensorScatter},
}

// linearAttention is attention as a recurrence: a matrix S for each head decays, is
// corrected by what it recalls for a key (the delta rule), takes up key·valueᵀ and
// is read by the query (Yang et al. 2024).
type linearAttention struct {
	qHeads, kvHeads int
	scale           float32
	gated, delta    bool
	rule            string
}

func newLinearAttention(s *spec) (*linearAttention, error) {
	rule := s.str("update_rule", "gated_delta")
	m := &linearAttention{qHeads: s.int("q_num_heads", 0), kvHeads: s.int("kv_num_heads", 0), scale: s.float("scale", 0), rule: rule,
		gated: rule == "gated" || rule == "gated_delta", delta: rule == "delta" || rule == "gated_delta"}
	if !m.gated && !m.delta && rule != "linear" {
		return nil, fmt.Errorf("update rule %q is not known", rule)
	}
	if m.qHeads < 1 || m.kvHeads < 1 || m.qHeads%m.kvHeads != 0 {
		return nil, fmt.Errorf("%d query heads do not divide into %d heads", m.qHeads, m.kvHeads)
	}
	return m, nil
}

// linearOperands are a call's.
type linearOperands struct {
	q, k, v           headed
	past, decay, beta *tensor
	scale             float32
}

// each is one number a head, or one for each of its dimensions.
func (o *linearOperands) each(t *tensor, b, head, i int) []float32 {
	width := t.shape[len(t.shape)-1]
	n := width / o.k.heads
	if width == 1 {
		n, head = 1, 0
	}
	at := (b*o.q.rows+i)*width + head*n
	return view[float32](t)[at : at+n]
}

func (m *linearAttention) operands(c *call) (o *linearOperands, err error) {
	if err := c.first(3); err != nil {
		return nil, err
	}
	o = &linearOperands{past: c.input(3), decay: c.input(4), beta: c.input(5), scale: m.scale}
	if o.q, err = headsOf(c.in[0], m.qHeads); err != nil {
		return nil, err
	}
	if o.k, err = headsOf(c.in[1], m.kvHeads); err != nil {
		return nil, err
	}
	if o.v, err = headsOf(c.in[2], m.kvHeads); err != nil {
		return nil, err
	}
	q, k, v := o.q, o.k, o.v
	if (o.decay != nil) != m.gated || (o.beta != nil) != m.delta {
		return nil, fmt.Errorf("update rule %q and its inputs do not fit: %s", m.rule, describeAll(c.in))
	}
	if q.dim != k.dim || k.batch != q.batch || v.batch != q.batch || k.rows != q.rows || v.rows != q.rows || len(c.in[0].shape) != 3 {
		return nil, fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	if o.past != nil && o.past.n != q.batch*m.kvHeads*k.dim*v.dim {
		return nil, fmt.Errorf("state %v does not fit", o.past.shape)
	}
	if o.scale == 0 {
		o.scale = float32(1 / math.Sqrt(float64(q.dim)))
	}
	return o, wantF32(o.past, o.decay, o.beta)
}

// decay weakens a state.
func (m *linearAttention) decay(o *linearOperands, state []float32, b, head, i int) {
	if !m.gated {
		return
	}
	g, n := o.each(o.decay, b, head, i), o.v.dim
	for d := range o.k.dim {
		line := state[d*n : (d+1)*n]
		kernel.MulScalar(line, line, float32(math.Exp(float64(g[min(d, len(g)-1)]))))
	}
}

// take makes a state take up a row; wrong becomes what the value has beyond what the
// key recalls, where that is asked, and tmp is room for a value.
func (m *linearAttention) take(o *linearOperands, state, wrong, tmp []float32, b, head, i int) {
	key, n := o.k.row(b, head, i), o.v.dim
	copy(wrong, o.v.row(b, head, i))
	write := wrong
	if m.delta {
		clear(tmp)
		for d, x := range key {
			kernel.Axpy(x, state[d*n:(d+1)*n], tmp)
		}
		kernel.Sub(wrong, wrong, tmp)
		write = tmp
		kernel.MulScalar(write, wrong, o.each(o.beta, b, head, i)[0])
	}
	for d, x := range key {
		kernel.Axpy(x, write, state[d*n:(d+1)*n])
	}
}

func buildLinearAttention(s *spec) (operation, error) {
	m, err := newLinearAttention(s)
	if err != nil {
		return nil, err
	}
	return m.run, nil
}

func (m *linearAttention) run(c *call) error {
	o, err := m.operands(c)
	if err != nil {
		return err
	}
	q, k, v := o.q, o.k, o.v
	y, err := c.output(0, f32, q.batch, q.rows, m.qHeads*v.dim)
	if err != nil {
		return err
	}
	t, err := c.output(1, f32, q.batch, m.kvHeads, k.dim, v.dim)
	if err != nil {
		return err
	}
	states := view[float32](t)
	clear(states)
	if o.past != nil {
		copy(states, view[float32](o.past))
	}
	out, _ := headsOf(y, m.qHeads)
	wrong, tmp := make([]float32, v.dim), make([]float32, v.dim)
	size, group := k.dim*v.dim, m.qHeads/m.kvHeads
	for b := range q.batch {
		for head := range m.kvHeads {
			state := states[(b*m.kvHeads+head)*size:][:size]
			for i := range q.rows {
				m.decay(o, state, b, head, i)
				m.take(o, state, wrong, tmp, b, head, i)
				for h := head * group; h < (head+1)*group; h++ {
					dst := out.row(b, h, i)
					clear(dst)
					for d, x := range q.row(b, h, i) {
						kernel.Axpy(x, state[d*v.dim:(d+1)*v.dim], dst)
					}
					kernel.MulScalar(dst, dst, o.scale)
				}
			}
		}
	}
	return nil
}

// buildCausalConv is a depthwise convolution that sees the past only; what it
// will need of it next time is its state.
func buildCausalConv(s *spec) (operation, error) {
	act := s.str("activation", "none")
	if act != "none" && act != "silu" && act != "swish" {
		return nil, fmt.Errorf("activation %q is not known", act)
	}
	return func(c *call) error {
		x, w, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(c.in...); err != nil {
			return err
		}
		bias, past := c.input(2), c.input(3)
		if len(x.shape) != 3 || len(w.shape) != 3 || w.shape[0] != x.shape[1] || w.shape[1] != 1 || w.shape[2] < 1 || (bias != nil && bias.n != x.shape[1]) {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		rows, n, k := x.shape[0]*x.shape[1], x.shape[2], w.shape[2]
		if past != nil && past.n != rows*(k-1) {
			return fmt.Errorf("state %v does not fit", past.shape)
		}
		y, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		t, err := c.output(1, f32, x.shape[0], x.shape[1], k-1)
		if err != nil {
			return err
		}
		padded := make([]float32, k-1+n)
		for r := range rows {
			clear(padded)
			if past != nil {
				copy(padded, view[float32](past)[r*(k-1):(r+1)*(k-1)])
			}
			copy(padded[k-1:], view[float32](x)[r*n:(r+1)*n])
			ch := r % x.shape[1]
			dst := view[float32](y)[r*n : (r+1)*n]
			clear(dst)
			for j, f := range view[float32](w)[ch*k : (ch+1)*k] {
				kernel.Axpy(f, padded[j:j+n], dst)
			}
			if bias != nil {
				kernel.AddScalar(dst, dst, view[float32](bias)[ch])
			}
			copy(view[float32](t)[r*(k-1):(r+1)*(k-1)], padded[n:])
		}
		if act != "none" {
			kernel.SiLU(view[float32](y), view[float32](y))
		}
		return nil
	}, nil
}

// buildTensorScatter writes new rows into a cache, each batch from a place of
// its own.
func buildTensorScatter(s *spec) (operation, error) {
	axis, mode := s.int("axis", -2), s.str("mode", "linear")
	if mode != "linear" && mode != "circular" {
		return nil, fmt.Errorf("mode %q is not known", mode)
	}
	return func(c *call) error {
		cache, update, err := c.pair()
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(cache.shape))
		if err != nil {
			return err
		}
		if len(update.shape) != len(cache.shape) || a == 0 || update.dt != cache.dt {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		for d := range cache.shape {
			if update.shape[d] != cache.shape[d] && (d != a || update.shape[d] > cache.shape[d]) {
				return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
			}
		}
		starts := make([]int, cache.shape[0])
		out, err := c.output(0, cache.dt, cache.shape...)
		if err != nil {
			return err
		}
		if c.input(2) != nil {
			if starts, err = c.intsOf(2); err != nil {
				return err
			}
			if len(starts) != cache.shape[0] {
				return fmt.Errorf("%d places for a batch of %d", len(starts), cache.shape[0])
			}
		}
		copyElems(out, cache)
		outer, n, inner := splitAt(cache.shape, a)
		rows := update.shape[a]
		perBatch := outer / max(cache.shape[0], 1)
		for o := range outer {
			for i := range rows {
				at := starts[o/perBatch] + i
				if mode == "circular" && n > 0 {
					at = (at%n + n) % n
				}
				if at < 0 || at >= n {
					return fmt.Errorf("row %d is outside the cache of %d", at, n)
				}
				copyRange(out, (o*n+at)*inner, update, (o*rows+i)*inner, inner)
			}
		}
		return nil
	}, nil
}
