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

// buildEmbedNorm sums the vectors of word, position and segment and
// normalises them.
func buildEmbedNorm(s *spec) (operation, error) {
	epsilon := s.float("epsilon", 1e-12)
	return func(c *call) error {
		for _, i := range []int{0, 2, 3, 5, 6} {
			if _, err := c.need(i); err != nil {
				return err
			}
		}
		ids, segments, words, places, kinds, gamma, beta, mask := c.in[0], c.in[1], c.in[2], c.in[3], c.input(4), c.in[5], c.in[6], c.input(7)
		if err := wantF32(words, places, kinds, gamma, beta); err != nil {
			return err
		}
		if len(ids.shape) != 2 || len(words.shape) != 2 || gamma.n != words.shape[1] || beta.n != gamma.n {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		batch, length, n := ids.shape[0], ids.shape[1], words.shape[1]
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
		row := func(t *tensor, i int) ([]float32, error) {
			i, err := wrapIndex(i, t.shape[0])
			if err != nil {
				return nil, err
			}
			return view[float32](t)[i*n : (i+1)*n], nil
		}
		counts := view[int32](index)
		clear(counts)
		for i := range batch * length {
			dst := view[float32](out)[i*n : (i+1)*n]
			w, err := row(words, int(ids.at(i)))
			if err != nil {
				return err
			}
			at := i % length
			if p := c.input(8); p != nil {
				at = int(p.at(i % p.n))
			}
			p, err := row(places, at)
			if err != nil {
				return err
			}
			kernel.Add(dst, w, p)
			if segments != nil && kinds != nil {
				k, err := row(kinds, int(segments.at(i)))
				if err != nil {
					return err
				}
				kernel.Add(dst, dst, k)
			}
			if sums != nil {
				copy(sums[i*n:], dst)
			}
			normalizeRow(dst, dst, epsilon)
			kernel.Mul(dst, dst, view[float32](gamma))
			kernel.Add(dst, dst, view[float32](beta))
			if mask != nil && mask.at(i) == 1 {
				counts[i/length]++
			}
		}
		return nil
	}, nil
}
