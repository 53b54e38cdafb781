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

// buildLinearAttention is attention as a recurrence: a matrix S for each head
// decays, is corrected by what it recalls for a key (the delta rule), takes up
// key·valueᵀ and is read by the query (Yang et al. 2024).
func buildLinearAttention(s *spec) (operation, error) {
	qHeads, kvHeads, scale, rule := s.int("q_num_heads", 0), s.int("kv_num_heads", 0), s.float("scale", 0), s.str("update_rule", "gated_delta")
	gated, delta := rule == "gated" || rule == "gated_delta", rule == "delta" || rule == "gated_delta"
	if !gated && !delta && rule != "linear" {
		return nil, fmt.Errorf("update rule %q is not known", rule)
	}
	if qHeads < 1 || kvHeads < 1 || qHeads%kvHeads != 0 {
		return nil, fmt.Errorf("%d query heads do not divide into %d heads", qHeads, kvHeads)
	}
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		q, err := headsOf(c.in[0], qHeads)
		if err != nil {
			return err
		}
		k, err := headsOf(c.in[1], kvHeads)
		if err != nil {
			return err
		}
		v, err := headsOf(c.in[2], kvHeads)
		if err != nil {
			return err
		}
		past, decay, beta := c.input(3), c.input(4), c.input(5)
		if (decay != nil) != gated || (beta != nil) != delta {
			return fmt.Errorf("update rule %q and its inputs do not fit: %s", rule, describeAll(c.in))
		}
		if q.dim != k.dim || k.batch != q.batch || v.batch != q.batch || k.rows != q.rows || v.rows != q.rows || len(c.in[0].shape) != 3 {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		if past != nil && past.n != q.batch*kvHeads*k.dim*v.dim {
			return fmt.Errorf("state %v does not fit", past.shape)
		}
		y, err := c.output(0, f32, q.batch, q.rows, qHeads*v.dim)
		if err != nil {
			return err
		}
		t, err := c.output(1, f32, q.batch, kvHeads, k.dim, v.dim)
		if err != nil {
			return err
		}
		if err := wantF32(past, decay, beta); err != nil {
			return err
		}
		state := view[float32](t)
		clear(state)
		if past != nil {
			copy(state, view[float32](past))
		}
		factor := scale
		if factor == 0 {
			factor = float32(1 / math.Sqrt(float64(q.dim)))
		}
		out, _ := headsOf(y, qHeads)
		// one number a head, or one for each of its dimensions
		each := func(t *tensor, b, head, i int) []float32 {
			width := t.shape[len(t.shape)-1]
			n := width / kvHeads
			if width == 1 {
				n, head = 1, 0
			}
			at := (b*q.rows+i)*width + head*n
			return view[float32](t)[at : at+n]
		}
		write, recalled := make([]float32, v.dim), make([]float32, v.dim)
		group := qHeads / kvHeads
		for b := range q.batch {
			for head := range kvHeads {
				m := state[(b*kvHeads+head)*k.dim*v.dim:][:k.dim*v.dim]
				line := func(d int) []float32 { return m[d*v.dim : (d+1)*v.dim] }
				for i := range q.rows {
					key := k.row(b, head, i)
					if gated {
						g := each(decay, b, head, i)
						for d := range k.dim {
							kernel.MulScalar(line(d), line(d), float32(math.Exp(float64(g[min(d, len(g)-1)]))))
						}
					}
					copy(write, v.row(b, head, i))
					if delta {
						clear(recalled)
						for d, x := range key {
							kernel.Axpy(x, line(d), recalled)
						}
						kernel.Sub(write, write, recalled)
						kernel.MulScalar(write, write, each(beta, b, head, i)[0])
					}
					for d, x := range key {
						kernel.Axpy(x, write, line(d))
					}
					for h := head * group; h < (head+1)*group; h++ {
						dst := out.row(b, h, i)
						clear(dst)
						for d, x := range q.row(b, h, i) {
							kernel.Axpy(x, line(d), dst)
						}
						kernel.MulScalar(dst, dst, factor)
					}
				}
			}
		}
		return nil
	}, nil
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
