package goengine

import "fmt"

var rotaryTable = map[string]operator{
	"RotaryEmbedding":               {build: buildRotary},
	"com.microsoft.RotaryEmbedding": {build: buildMicrosoftRotary},
}

// rotation turns pairs of numbers of each head by angles that depend on the
// position (Su et al. 2021).
type rotation struct {
	cos, sin    []float32 // [positions, half]
	half        int
	interleaved bool
	// position of row i of a batch in the caches.
	position func(b, i int) int
	limit    int // of positions
}

// apply turns rows of x into y, which may be the same.
func (r *rotation) apply(y, x headed) error {
	if 2*r.half > x.dim {
		return fmt.Errorf("%d angles do not fit heads of %d", r.half, x.dim)
	}
	for b := range x.batch {
		for i := range x.rows {
			p := r.position(b, i)
			if p < 0 || p >= r.limit {
				return fmt.Errorf("position %d is outside the caches of %d", p, r.limit)
			}
			cos, sin := r.cos[p*r.half:(p+1)*r.half], r.sin[p*r.half:(p+1)*r.half]
			for h := range x.heads {
				src, dst := x.row(b, h, i), y.row(b, h, i)
				for k := range r.half {
					j, l := k, k+r.half
					if r.interleaved {
						j, l = 2*k, 2*k+1
					}
					u, v := src[j], src[l]
					dst[j], dst[l] = cos[k]*u-sin[k]*v, sin[k]*u+cos[k]*v
				}
				copy(dst[2*r.half:], src[2*r.half:])
			}
		}
	}
	return nil
}

func buildRotary(s *spec) (operation, error) {
	heads, interleaved, dim := s.int("num_heads", 0), s.int("interleaved", 0) == 1, s.int("rotary_embedding_dim", 0)
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		return rotate(c, c.in[0], c.in[1], c.in[2], 3, heads, dim, interleaved)
	}, nil
}

// buildMicrosoftRotary has the positions before the caches.
func buildMicrosoftRotary(s *spec) (operation, error) {
	heads, interleaved, dim, scale := s.int("num_heads", 0), s.int("interleaved", 0) == 1, s.int("rotary_embedding_dim", 0), s.float("scale", 1)
	if scale != 1 {
		return nil, fmt.Errorf("scale %v is not supported", scale)
	}
	return func(c *call) error {
		if err := c.first(4); err != nil {
			return err
		}
		n := heads
		if width := c.in[2].shape[len(c.in[2].shape)-1] * 2; n == 0 && len(c.in[0].shape) == 3 && width > 0 {
			n = c.in[0].shape[2] / width
		}
		return rotate(c, c.in[0], c.in[2], c.in[3], 1, n, dim, interleaved)
	}, nil
}

func rotate(c *call, x, cos, sin *tensor, ids, heads, dim int, interleaved bool) error {
	in, err := headsOf(x, heads)
	if err != nil {
		return err
	}
	if err := wantF32(cos, sin); err != nil {
		return err
	}
	y, err := c.output(0, f32, x.shape...)
	if err != nil {
		return err
	}
	r := rotation{cos: view[float32](cos), sin: view[float32](sin), half: in.dim / 2, interleaved: interleaved}
	if dim > 0 {
		r.half = dim / 2
	}
	if len(cos.shape) < 2 || cos.shape[len(cos.shape)-1] != r.half || cos.n != sin.n {
		return fmt.Errorf("caches %v and %v do not fit %d angles", cos.shape, sin.shape, r.half)
	}
	r.limit = cos.n / max(r.half, 1)
	positions := c.input(ids)
	switch {
	case positions == nil: // the caches hold a row for each row of the batch
		r.position = func(b, i int) int { return b*in.rows + i }
	default:
		list, err := c.intsOf(ids)
		if err != nil {
			return err
		}
		switch len(list) {
		case 1: // where the first row is
			r.position = func(_, i int) int { return list[0] + i }
		case in.batch * in.rows:
			r.position = func(b, i int) int { return list[b*in.rows+i] }
		default:
			return fmt.Errorf("%d positions for %d rows", len(list), in.batch*in.rows)
		}
	}
	out, _ := headsOf(y, heads)
	return r.apply(out, in)
}
