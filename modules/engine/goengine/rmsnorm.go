package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

var rmsTable = map[string]operator{
	"RMSNormalization": {build: buildRMSNorm},
	// what exporters wrote before the standard had it
	"SimplifiedLayerNormalization":               {build: buildRMSNorm},
	"com.microsoft.SimplifiedLayerNormalization": {build: buildRMSNorm},
	// x + skip (+ bias), then a normalisation
	"com.microsoft.SkipLayerNormalization":           {build: skipNorm(true)},
	"com.microsoft.SkipSimplifiedLayerNormalization": {build: skipNorm(false)},
	"com.microsoft.EmbedLayerNormalization":          {build: buildEmbedNorm},
}

// rmsRow writes x/√(mean(x²)+ε) to dst and returns the factor.
func rmsRow(dst, x []float32, epsilon float32) float32 {
	inv := float32(1 / math.Sqrt(float64(kernel.Dot(x, x)/float32(len(x))+epsilon)))
	kernel.MulScalar(dst[:len(x)], x, inv)
	return inv
}

func buildRMSNorm(s *spec) (operation, error) {
	epsilon, axis := s.float("epsilon", 1e-5), s.int("axis", -1)
	return func(c *call) error {
		x, scale, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(c.in...); err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		n := product(x.shape[a:])
		if shape, err := broadcastShape(nil, x.shape, scale.shape); err != nil || !slices.Equal(shape, x.shape) {
			return fmt.Errorf("scale %v does not fit %v", scale.shape, x.shape)
		}
		out, err := c.output(0, f32, x.shape...)
		if err != nil {
			return err
		}
		var inv []float32
		if len(c.out) > 1 && c.out[1] != nil {
			stats := slices.Clone(x.shape)
			for i := a; i < len(stats); i++ {
				stats[i] = 1
			}
			t, err := c.output(1, f32, stats...)
			if err != nil {
				return err
			}
			inv = view[float32](t)
		}
		if n == 0 {
			return nil
		}
		dst, src := view[float32](out), view[float32](x)
		kernel.Parallel(threadsFor(c.threads, x.n), x.n/n, 1, func(_, i, j int) {
			for ; i < j; i++ {
				row := dst[i*n : (i+1)*n]
				f := rmsRow(row, src[i*n:(i+1)*n], epsilon)
				if inv != nil {
					inv[i] = f
				}
				if scale.n == n {
					kernel.Mul(row, row, view[float32](scale))
				}
			}
		})
		if scale.n != n {
			return arith(opMul, out, out, scale, c.threads)
		}
		return nil
	}, nil
}

// skipNorm adds a residual and a bias before it normalises the last
// dimension; output 3 is the sum.
func skipNorm(centred bool) builder {
	return func(s *spec) (operation, error) {
		epsilon := s.float("epsilon", 1e-12)
		return func(c *call) error {
			if err := c.first(3); err != nil {
				return err
			}
			x, skip, gamma := c.in[0], c.in[1], c.in[2]
			beta, bias := c.input(3), c.input(4)
			if !centred {
				beta, bias = nil, c.input(3)
			}
			if err := wantF32(c.in...); err != nil {
				return err
			}
			if len(x.shape) == 0 || skip.n == 0 || x.n%skip.n != 0 {
				return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
			}
			n := x.shape[len(x.shape)-1]
			for _, t := range []*tensor{gamma, beta, bias} {
				if t != nil && t.n != n {
					return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
				}
			}
			out, err := c.output(0, f32, x.shape...)
			if err != nil {
				return err
			}
			var sums []float32
			if len(c.out) > 3 && c.out[3] != nil {
				t, err := c.output(3, f32, x.shape...)
				if err != nil {
					return err
				}
				sums = view[float32](t)
			}
			dst, src, res := view[float32](out), view[float32](x), view[float32](skip)
			for at := 0; at < x.n; at += n {
				row := dst[at : at+n]
				kernel.Add(row, src[at:at+n], res[at%skip.n:at%skip.n+n])
				if bias != nil {
					kernel.Add(row, row, view[float32](bias))
				}
				if sums != nil {
					copy(sums[at:], row)
				}
				if centred {
					normalizeRow(row, row, epsilon)
				} else {
					rmsRow(row, row, epsilon)
				}
				kernel.Mul(row, row, view[float32](gamma))
				if beta != nil {
					kernel.Add(row, row, view[float32](beta))
				}
			}
			return nil
		}, nil
	}
}

// embedNorm adds rows of tables that tokens, their places and kinds choose, and
// normalises the sums.
type embedNorm struct{ epsilon float32 }

func newEmbedNorm(s *spec) (*embedNorm, error) { return &embedNorm{s.float("epsilon", 1e-12)}, nil }

func buildEmbedNorm(s *spec) (operation, error) {
	e, err := newEmbedNorm(s)
	if err != nil {
		return nil, err
	}
	return e.run, nil
}

// check checks a call's operands.
func (e *embedNorm) check(c *call) error {
	for _, i := range []int{0, 2, 3, 5, 6} {
		if _, err := c.need(i); err != nil {
			return err
		}
	}
	ids, words, gamma, beta := c.in[0], c.in[2], c.in[5], c.in[6]
	if err := wantF32(words, c.in[3], c.input(4), gamma, beta); err != nil {
		return err
	}
	if len(ids.shape) != 2 || len(words.shape) != 2 || gamma.n != words.shape[1] || beta.n != gamma.n {
		return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
	}
	return nil
}

// each fills sum with that of token i's rows, one after the other, and calls f with
// their numbers in the tables of words, places and kinds; -1 for none.
func (e *embedNorm) each(c *call, sum []float32, f func(i int, rows [3]int)) error {
	ids, segments, kinds := c.in[0], c.input(1), c.input(4)
	n, length := len(sum), ids.shape[1]
	for i := range ids.n {
		rows := [3]int{int(ids.at(i)), i % length, -1}
		if p := c.input(8); p != nil {
			rows[1] = int(p.at(i % p.n))
		}
		if segments != nil && kinds != nil {
			rows[2] = int(segments.at(i))
		}
		for k, t := range []*tensor{c.in[2], c.in[3], kinds} {
			if k == 2 && (segments == nil || kinds == nil) {
				break
			}
			row, err := wrapIndex(rows[k], t.shape[0])
			if err != nil {
				return err
			}
			rows[k] = row
			own := view[float32](t)[row*n : (row+1)*n]
			if k == 0 {
				copy(sum, own)
			} else {
				kernel.Add(sum, sum, own)
			}
		}
		f(i, rows)
	}
	return nil
}

func (e *embedNorm) run(c *call) error {
	if err := e.check(c); err != nil {
		return err
	}
	batch, length, n := c.in[0].shape[0], c.in[0].shape[1], c.in[2].shape[1]
	out, err := c.output(0, f32, batch, length, n)
	if err != nil {
		return err
	}
	index, err := c.output(1, i32, batch)
	if err != nil {
		return err
	}
	var sums []float32
	if len(c.out) > 2 && c.out[2] != nil {
		t, err := c.output(2, f32, batch, length, n)
		if err != nil {
			return err
		}
		sums = view[float32](t)
	}
	gamma, beta, mask := view[float32](c.in[5]), view[float32](c.in[6]), c.input(7)
	counts, sum := view[int32](index), c.floats(n)
	clear(counts)
	return e.each(c, sum, func(i int, _ [3]int) {
		dst := view[float32](out)[i*n : (i+1)*n]
		if sums != nil {
			copy(sums[i*n:], sum)
		}
		normalizeRow(dst, sum, e.epsilon)
		kernel.Mul(dst, dst, gamma)
		kernel.Add(dst, dst, beta)
		if mask != nil && mask.at(i) == 1 {
			counts[i/length]++
		}
	})
}
