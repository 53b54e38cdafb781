package goengine

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// internalTable holds the operators that only fusion makes.
var internalTable = map[string]operator{
	internalDomain + ".SiLU":     {build: unary(kernel.SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) })},
	internalDomain + ".LastNorm": {build: buildLastNorm},
	// native: what is not float32 goes through the nodes it was merged from
	internalDomain + ".Attention": {native: true, build: buildMergedAttention},
}

// buildLastNorm normalises the last dimension, with an optional scale and
// shift of any length that repeats along it.
func buildLastNorm(s *spec) (operation, error) {
	epsilon := s.float("epsilon", 1e-5)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if err := wantF32(c.in...); err != nil {
			return err
		}
		if _, err := axisOf(-1, len(x.shape)); err != nil {
			return err
		}
		n := x.shape[len(x.shape)-1]
		scale, bias := c.input(1), c.input(2)
		fits := true
		for _, t := range []*tensor{scale, bias} {
			fits = fits && (t == nil || t.n == n)
		}
		if !fits {
			return errShape
		}
		out, err := c.outputOver(0, 0, f32, x.shape...)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		for i := 0; i < x.n; i += n {
			row := dst[i : i+n]
			normalizeRow(row, src[i:i+n], epsilon)
			if scale != nil {
				kernel.Mul(row, row, view[float32](scale))
			}
			if bias != nil {
				kernel.Add(row, row, view[float32](bias))
			}
		}
		return nil
	}, nil
}
