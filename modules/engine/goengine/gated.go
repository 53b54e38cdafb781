package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// Activations that newer networks use.
var gatedTable = map[string]operator{
	"Swish":                   {build: buildSwish("alpha", 1)},
	"com.microsoft.QuickGelu": {build: buildSwish("alpha", 1.702)},
	"SwiGLU":                  {build: buildSwiGLU},
	"com.microsoft.BiasGelu":  {build: biasGelu(kernel.GELU)},
	"com.microsoft.FastGelu":  {build: biasGelu(fastGelu)},
}

// swish is x·σ(αx).
func swish(dst, x []float32, alpha float32) {
	if alpha == 1 {
		kernel.SiLU(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = float32(float64(v) / (1 + math.Exp(-float64(alpha)*float64(v))))
	}
}

func buildSwish(attr string, otherwise float32) builder {
	return func(s *spec) (operation, error) {
		alpha := s.float(attr, otherwise)
		return unary(func(d, x []float32) { swish(d, x, alpha) }, func(x float64) float64 { return x / (1 + math.Exp(-float64(alpha)*x)) })(s)
	}
}

// buildSwiGLU is swish(a)·b.
func buildSwiGLU(s *spec) (operation, error) {
	alpha := s.float("alpha", 1)
	return func(c *call) error {
		a, b, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(a, b); err != nil {
			return err
		}
		if !slices.Equal(a.shape, b.shape) {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		out, err := c.output(0, f32, a.shape...)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		swish(dst, view[float32](a), alpha)
		kernel.Mul(dst, dst, view[float32](b))
		return nil
	}, nil
}

func fastGelu(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(geluTanh(float64(v)))
	}
}

// biasGelu adds a row to the last dimension before the activation.
func biasGelu(f func(dst, src []float32)) builder {
	return func(*spec) (operation, error) {
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			bias := c.input(1)
			if err := wantF32(x, bias); err != nil {
				return err
			}
			if bias != nil && (len(x.shape) == 0 || bias.n != x.shape[len(x.shape)-1]) {
				return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
			}
			out, err := c.outputOver(0, 0, f32, x.shape...)
			if err != nil {
				return err
			}
			dst := view[float32](out)
			if bias == nil {
				chunks(c.threads, dst, view[float32](x), f)
				return nil
			}
			n := bias.n
			for at := 0; at < x.n; at += n {
				kernel.Add(dst[at:at+n], view[float32](x)[at:at+n], view[float32](bias))
			}
			chunks(c.threads, dst, dst, f)
			return nil
		}, nil
	}
}
