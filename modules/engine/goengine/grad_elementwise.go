package goengine

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// gradBlock is how many elements an element-wise product takes at a time, so
// that its scratch stays in the cache.
const gradBlock = 1024

// scratchBlocks are the temporaries of an element-wise product.
type scratchBlocks [2][gradBlock]float32

// slope computes dx = dy · f′ for a block, from x or y = f(x); dx may be dy.
// tmp holds scratch.
type slope func(dx, dy, v []float32, tmp *scratchBlocks)

// byInput and byOutput make entries of element-wise functions whose slope
// follows from x, or from y.
func byInput(f func(s *spec) slope) gradient  { return elementwiseGrad(f, keep(0), 0) }
func byOutput(f func(s *spec) slope) gradient { return elementwiseGrad(f, 0, keep(0)) }

func elementwiseGrad(f func(s *spec) slope, in, out keeping) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		slope, act := f(s), s.fused
		if act.name != "" {
			out |= keep(0)
		}
		return &pullback{in: in, out: out, pull: func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			g.deactivate(act)
			v := g.out[0]
			if in != 0 {
				v = g.in[0]
			}
			t := g.over(0, 0)
			g.slope(view[float32](t), view[float32](g.dout[0]), view[float32](v), slope)
			g.give(0, t)
			return nil
		}}, nil
	}, 0)
}

// slope applies f block by block.
func (g *gcall) slope(dx, dy, v []float32, f slope) {
	run := func(i, j int, tmp *scratchBlocks) {
		for ; i < j; i += gradBlock {
			e := min(i+gradBlock, j)
			f(dx[i:e], dy[i:e], v[i:e], tmp)
		}
	}
	workers := threadsFor(g.threads, len(dx))
	if workers == 1 {
		run(0, len(dx), &g.frame.tape.blocks)
		return
	}
	kernel.Parallel(workers, len(dx), 4*gradBlock, func(_, i, j int) { run(i, j, new(scratchBlocks)) })
}

// deactivate turns the gradient of output 0 into that before a fused
// activation, whose value the output is.
func (g *gcall) deactivate(act activation) {
	if act.name == "" {
		return
	}
	d := g.dout[0]
	if d.buf != nil && d.buf.refs != 1 {
		d = g.frame.gradient(d.shape)
		copy(view[float32](d), view[float32](g.dout[0]))
		id := g.step.out[0]
		g.frame.drop(id)
		g.frame.tape.grads[id], g.dout[0] = d, d
	}
	x := view[float32](d)
	g.slope(x, x, view[float32](g.out[0]), act.slope())
}

// slope is the derivative of a fused activation by its value.
func (f activation) slope() slope {
	switch f.name {
	case "Relu":
		return reluSlope
	case "LeakyRelu":
		return leakySlope(f.a)
	case "Clip":
		return clipSlope(f.a, f.b)
	case "Sigmoid":
		return sigmoidSlope
	case "Tanh":
		return tanhSlope
	case "HardSigmoid":
		return hardSigmoidSlope(f.a)
	}
	panic("the slope of a fused " + f.name + " does not follow from its value")
}

func reluSlope(dx, dy, y []float32, _ *scratchBlocks) { kernel.ReLUSlope(dx, dy, y) }

func hardSwishSlope(dx, dy, x []float32, _ *scratchBlocks) { kernel.HardSwishSlope(dx, dy, x) }

// keepIf is x or 0, without a branch.
func keepIf(x float32, yes bool) float32 {
	var mask uint32
	if yes {
		mask = math.MaxUint32
	}
	return math.Float32frombits(math.Float32bits(x) & mask)
}

// leakySlope reads x, or y where alpha is positive.
func leakySlope(alpha float32) slope {
	return func(dx, dy, v []float32, tmp *scratchBlocks) {
		t := tmp[0][:len(v)]
		kernel.ReLUSlope(t, dy, v)
		kernel.MulScalar(t, t, 1-alpha)
		kernel.MulScalar(dx, dy, alpha)
		kernel.Add(dx, dx, t)
	}
}

// clipSlope reads x or y: it is 1 strictly between the bounds, else 0.
func clipSlope(lo, hi float32) slope { return insideSlope(1, lo, hi) }

// hardSigmoidSlope reads y.
func hardSigmoidSlope(alpha float32) slope { return insideSlope(alpha, 0, 1) }

func insideSlope(s, lo, hi float32) slope {
	return func(dx, dy, v []float32, _ *scratchBlocks) { kernel.InsideSlope(dx, dy, v, s, lo, hi) }
}

func sigmoidSlope(dx, dy, y []float32, tmp *scratchBlocks) {
	t := tmp[0][:len(y)]
	kernel.SubFromScalar(t, y, 1)
	kernel.Mul(t, t, y)
	kernel.Mul(dx, dy, t)
}

func tanhSlope(dx, dy, y []float32, tmp *scratchBlocks) {
	t := tmp[0][:len(y)]
	kernel.Mul(t, y, y)
	kernel.SubFromScalar(t, t, 1)
	kernel.Mul(dx, dy, t)
}

// siluSlope is σ(x)·(1 + x·(1−σ(x))).
func siluSlope(dx, dy, x []float32, tmp *scratchBlocks) {
	s, t := tmp[0][:len(x)], tmp[1][:len(x)]
	kernel.Sigmoid(s, x)
	kernel.SubFromScalar(t, s, 1)
	kernel.Mul(t, t, x)
	kernel.AddScalar(t, t, 1)
	kernel.Mul(t, t, s)
	kernel.Mul(dx, dy, t)
}

// geluSlope is Φ(x) + x·φ(x), of the normal distribution.
func geluSlope(dx, dy, x []float32, tmp *scratchBlocks) {
	s, t := tmp[0][:len(x)], tmp[1][:len(x)]
	kernel.Mul(s, x, x)
	kernel.MulScalar(s, s, -0.5)
	kernel.Exp(s, s)
	kernel.MulScalar(s, s, float32(1/math.Sqrt(2*math.Pi)))
	kernel.Mul(s, s, x)
	kernel.MulScalar(t, x, float32(1/math.Sqrt2))
	kernel.Erf(t, t)
	kernel.AddScalar(t, t, 1)
	kernel.MulScalar(t, t, 0.5)
	kernel.Add(t, t, s)
	kernel.Mul(dx, dy, t)
}

func geluTanhSlope(dx, dy, x []float32, tmp *scratchBlocks) {
	const c, a = 0.7978845608028654, 0.044715 // √(2/π)
	s, t := tmp[0][:len(x)], tmp[1][:len(x)]
	kernel.Mul(s, x, x)
	kernel.MulScalar(t, s, a)
	kernel.AddScalar(t, t, 1)
	kernel.Mul(t, t, x)
	kernel.MulScalar(t, t, c)
	kernel.Tanh(t, t)
	// (1+t)/2 + x/2·(1−t²)·c·(1+3a·x²)
	kernel.MulScalar(s, s, 3*a)
	kernel.AddScalar(s, s, 1)
	kernel.MulScalar(s, s, c)
	kernel.Mul(s, s, x)
	for i, v := range t {
		dx[i] = dy[i] * 0.5 * ((1 + v) + s[i]*(1-v*v))
	}
}

// exactly makes a slope of a function of one number.
func exactly(f func(v float64) float64) func(*spec) slope {
	return func(*spec) slope { return slowly(f) }
}

func slowly(f func(v float64) float64) slope {
	return func(dx, dy, v []float32, _ *scratchBlocks) {
		for i, x := range v {
			dx[i] = float32(float64(dy[i]) * f(float64(x)))
		}
	}
}

func fixed(f slope) func(*spec) slope { return func(*spec) slope { return f } }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func when(yes bool, v float64) float64 {
	if yes {
		return v
	}
	return 0
}

var elementwiseGrads = map[string]gradient{
	"Relu":    byOutput(fixed(reluSlope)),
	"Sigmoid": byOutput(fixed(sigmoidSlope)),
	"Tanh":    byOutput(fixed(tanhSlope)),
	"Exp":     byOutput(fixed(func(dx, dy, y []float32, _ *scratchBlocks) { kernel.Mul(dx, dy, y) })),
	"Sqrt": byOutput(fixed(func(dx, dy, y []float32, tmp *scratchBlocks) {
		t := tmp[0][:len(y)]
		kernel.AddScalar(t, y, 0)
		kernel.Add(t, t, t)
		kernel.Div(dx, dy, t)
	})),
	"Erf": byInput(fixed(func(dx, dy, x []float32, tmp *scratchBlocks) {
		t := tmp[0][:len(x)]
		kernel.Mul(t, x, x)
		kernel.MulScalar(t, t, -1)
		kernel.Exp(t, t)
		kernel.MulScalar(t, t, float32(2/math.Sqrt(math.Pi)))
		kernel.Mul(dx, dy, t)
	})),
	"Log":        byInput(fixed(func(dx, dy, x []float32, _ *scratchBlocks) { kernel.Div(dx, dy, x) })),
	"Abs":        byInput(exactly(sign)),
	"Neg":        byInput0(func(dx, dy, _ []float32, _ *scratchBlocks) { kernel.MulScalar(dx, dy, -1) }),
	"Reciprocal": byOutput(exactly(func(y float64) float64 { return -y * y })),
	"Sin":        byInput(exactly(math.Cos)),
	"Cos":        byInput(exactly(func(x float64) float64 { return -math.Sin(x) })),
	"Tan":        byOutput(exactly(func(y float64) float64 { return 1 + y*y })),
	"Asin":       byInput(exactly(func(x float64) float64 { return 1 / math.Sqrt(1-x*x) })),
	"Acos":       byInput(exactly(func(x float64) float64 { return -1 / math.Sqrt(1-x*x) })),
	"Atan":       byInput(exactly(func(x float64) float64 { return 1 / (1 + x*x) })),
	"Sinh":       byInput(exactly(math.Cosh)),
	"Cosh":       byInput(exactly(math.Sinh)),
	"Asinh":      byInput(exactly(func(x float64) float64 { return 1 / math.Sqrt(x*x+1) })),
	"Acosh":      byInput(exactly(func(x float64) float64 { return 1 / math.Sqrt(x*x-1) })),
	"Atanh":      byInput(exactly(func(x float64) float64 { return 1 / (1 - x*x) })),
	"Softplus":   byInput(exactly(logistic)),
	"Softsign":   byInput(exactly(func(x float64) float64 { d := 1 + math.Abs(x); return 1 / (d * d) })),
	"HardSwish":  byInput(fixed(hardSwishSlope)),
	"Mish": byInput(exactly(func(x float64) float64 {
		t := math.Tanh(softplus(x))
		return t + x*(1-t*t)*logistic(x)
	})),
	"LeakyRelu":   byInput(func(s *spec) slope { return leakySlope(s.float("alpha", 0.01)) }),
	"HardSigmoid": byOutput(func(s *spec) slope { return hardSigmoidSlope(s.float("alpha", 0.2)) }),
	"Gelu": byInput(func(s *spec) slope {
		if s.str("approximate", "none") == "tanh" {
			return geluTanhSlope
		}
		return geluSlope
	}),
	"Elu": byInput(func(s *spec) slope {
		a := float64(s.float("alpha", 1))
		return slowly(func(x float64) float64 {
			if x < 0 {
				return a * math.Exp(x)
			}
			return 1
		})
	}),
	"Celu": byInput(func(s *spec) slope {
		a := float64(s.float("alpha", 1))
		return slowly(func(x float64) float64 {
			if x < 0 {
				return math.Exp(x / a)
			}
			return 1
		})
	}),
	"Selu": byInput(func(s *spec) slope {
		a, g := float64(s.float("alpha", 1.6732632423543772)), float64(s.float("gamma", 1.0507009873554805))
		return slowly(func(x float64) float64 {
			if x <= 0 {
				return g * a * math.Exp(x)
			}
			return g
		})
	}),
	"ThresholdedRelu": byInput(func(s *spec) slope {
		a := float64(s.float("alpha", 1))
		return slowly(func(x float64) float64 { return when(x > a, 1) })
	}),
	"Shrink": byInput(func(s *spec) slope {
		lambda := float64(s.float("lambd", 0.5))
		return slowly(func(x float64) float64 { return when(x < -lambda || x > lambda, 1) })
	}),
	internalDomain + ".SiLU": byInput(fixed(siluSlope)),
	"Clip":                   clipGrad,
}

// byInput0 is for functions whose slope is constant: nothing is read.
func byInput0(f slope) gradient {
	return differentiable(func(*spec, []bool) (*pullback, error) {
		return &pullback{pull: func(g *gcall) error {
			if g.wants(0) {
				t := g.over(0, 0)
				d := view[float32](g.dout[0])
				g.slope(view[float32](t), d, d, f)
				g.give(0, t)
			}
			return nil
		}}, nil
	}, 0)
}

// clipGrad passes gradients strictly between the bounds.
var clipGrad = differentiable(func(s *spec, _ []bool) (*pullback, error) {
	attrs := s.opset < 11
	lo, hi := s.float("min", float32(math.Inf(-1))), s.float("max", float32(math.Inf(1)))
	return &pullback{in: keep(0, 1, 2), pull: func(g *gcall) error {
		lo, hi := lo, hi
		if !attrs {
			if t := g.input(1); t != nil && t.n > 0 {
				lo = float32(t.at(0))
			}
			if t := g.input(2); t != nil && t.n > 0 {
				hi = float32(t.at(0))
			}
		}
		x, dy := view[float32](g.in[0]), view[float32](g.dout[0])
		for i, beyond := range []func(v float32) bool{nil, func(v float32) bool { return v < lo }, func(v float32) bool { return v > hi }} {
			if i == 0 || i >= len(g.in) || g.in[i] == nil || !g.wants(i) {
				continue
			}
			t := g.zero(i)
			for k, v := range x {
				if beyond(v) {
					view[float32](t)[0] += dy[k]
				}
			}
			g.give(i, t)
		}
		if g.wants(0) {
			t := g.over(0, 0)
			g.slope(view[float32](t), dy, x, clipSlope(lo, hi))
			g.give(0, t)
		}
		return nil
	}}, nil
}, 0, 1, 2)
