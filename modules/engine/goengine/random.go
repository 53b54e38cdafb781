package goengine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Random operators draw from a generator that the node's seed attribute
// starts anew at every call, so that runs repeat to the bit.
var randomTable = map[string]operator{
	"RandomUniform":     {impure: true, build: randomOp(true, false)},
	"RandomNormal":      {impure: true, build: randomOp(false, false)},
	"RandomUniformLike": {impure: true, native: true, build: randomOp(true, true)},
	"RandomNormalLike":  {impure: true, native: true, build: randomOp(false, true)},
	"Bernoulli":         {impure: true, native: true, build: buildBernoulli},
	"Multinomial":       {impure: true, build: buildMultinomial},
	"Dropout":           {impure: true, build: buildDropout},
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

func (s *spec) seed() uint64 { return uint64(math.Float32bits(s.float("seed", 0))) }

func randomOp(uniform, like bool) builder {
	return func(s *spec) (operation, error) {
		lo, hi, mean, scale := s.float("low", 0), s.float("high", 1), s.float("mean", 0), s.float("scale", 1)
		shape, dt, seed := s.ints("shape"), onnxfile.ElemType(s.int("dtype", 0)), s.seed()
		return func(c *call) error {
			shape, dt := shape, dt
			if like {
				x, err := c.need(0)
				if err != nil {
					return err
				}
				shape = x.shape
				if dt == 0 {
					dt = x.dt
				}
			}
			if dt == 0 {
				dt = f32
			}
			out, err := c.output(0, dt, shape...)
			if err != nil {
				return err
			}
			rng := newRandom(seed)
			vals := make([]float64, out.n)
			for i := range vals {
				if uniform {
					vals[i] = float64(lo) + rng.Float64()*float64(hi-lo)
				} else {
					vals[i] = float64(mean) + rng.NormFloat64()*float64(scale)
				}
			}
			return castFrom(out, vals)
		}, nil
	}
}

func buildBernoulli(s *spec) (operation, error) {
	dt, seed := onnxfile.ElemType(s.int("dtype", 0)), s.seed()
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		to := dt
		if to == 0 {
			to = x.dt
		}
		out, err := c.output(0, to, x.shape...)
		if err != nil {
			return err
		}
		rng := newRandom(seed)
		vals := make([]float64, out.n)
		for i := range vals {
			if rng.Float64() < x.at(i) {
				vals[i] = 1
			}
		}
		return castFrom(out, vals)
	}, nil
}

func buildMultinomial(s *spec) (operation, error) {
	samples, dt, seed := s.int("sample_size", 1), onnxfile.ElemType(s.int("dtype", int(i32))), s.seed()
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if len(x.shape) != 2 || x.shape[1] == 0 {
			return fmt.Errorf("wants [batch, classes], got %v", x.shape)
		}
		out, err := c.output(0, dt, x.shape[0], samples)
		if err != nil {
			return err
		}
		rng := newRandom(seed)
		var vals []int64
		n := x.shape[1]
		for b := range x.shape[0] {
			sums := make([]float64, n)
			total := 0.0
			for i := range n {
				total += math.Exp(x.at(b*n + i))
				sums[i] = total
			}
			for range samples {
				i, _ := slices.BinarySearch(sums, rng.Float64()*total)
				vals = append(vals, int64(min(i, n-1)))
			}
		}
		return castFrom(out, vals)
	}, nil
}

// buildDropout is the identity outside training; in training mode elements
// are dropped with the node's seed.
func buildDropout(s *spec) (operation, error) {
	ratioAttr, seed := s.float("ratio", 0.5), s.int("seed", 0)
	modern := s.opset >= 12
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		ratio, training := float64(ratioAttr), false
		if modern {
			if t := c.input(1); t != nil && t.n > 0 {
				ratio = t.at(0)
			}
			if t := c.input(2); t != nil && t.n > 0 {
				training = t.at(0) != 0
			}
		}
		var mask *tensor
		if len(c.out) > 1 && c.out[1] != nil {
			dt := bool8
			if !modern && s.opset < 10 {
				dt = x.dt
			}
			if mask, err = c.output(1, dt, x.shape...); err != nil {
				return err
			}
			one := newTensor(dt, 1)
			if err := cast(one, of(u8, []uint8{1}, 1)); err != nil {
				return err
			}
			fillWith(mask, one)
		}
		if !training || ratio == 0 {
			c.alias(0, x, x.shape...)
			return nil
		}
		if x.dt != f32 {
			return fmt.Errorf("drops elements of float32 only, got %v", x.dt)
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		rng := newRandom(uint64(seed))
		dst := view[float32](out)
		for i, v := range view[float32](x) {
			keep := rng.Float64() >= ratio
			if keep {
				dst[i] = v / float32(1-ratio)
			} else {
				dst[i] = 0
			}
			if mask != nil {
				view[uint8](mask)[i] = b2u(keep)
			}
		}
		return nil
	}, nil
}
