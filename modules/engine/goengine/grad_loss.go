package goengine

import "math"

var lossGrads = map[string]gradient{
	"NegativeLogLikelihoodLoss": lossGrad(false),
	"SoftmaxCrossEntropyLoss":   lossGrad(true),

	"ai.onnx.preview.training.Adagrad":  optimizerGrad(3, adagradBack),
	"ai.onnx.preview.training.Adam":     optimizerGrad(4, adamBack),
	"ai.onnx.preview.training.Momentum": optimizerGrad(3, momentumBack),
}

// lossGrad is by the logits or log-probabilities.
func lossGrad(logits bool) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		reduction, ignore, hasIgnore := s.str("reduction", "mean"), s.int("ignore_index", 0), s.has("ignore_index")
		p := &pullback{in: keep(1, 2)}
		if logits {
			p.in |= keep(0)
		}
		p.pull = func(g *gcall) error {
			if !g.wants(0) {
				return nil
			}
			weight := g.input(2)
			target, err := g.intsOf(1)
			if err != nil {
				return err
			}
			outer, classes, inner := splitAt(g.in[0].shape, 1)
			t := g.zero(0)
			dx := view[float32](t)
			grad := make([]float64, t.n) // by log-probabilities
			if d := g.dout[0]; d != nil {
				total := 0.0
				factor := func(j int) float64 {
					k := target[j]
					switch {
					case hasIgnore && k == ignore:
						return 0
					case weight != nil:
						return weight.at(k)
					}
					return 1
				}
				for j := range target {
					total += factor(j)
				}
				for j, k := range target {
					f := -factor(j)
					if f == 0 {
						continue
					}
					switch reduction {
					case "none":
						f *= d.at(j)
					case "mean":
						f *= d.at(0) / total
					default:
						f *= d.at(0)
					}
					grad[(j/inner*classes+k)*inner+j%inner] = f
				}
			}
			if len(g.dout) > 1 && g.dout[1] != nil {
				for i, v := range view[float32](g.dout[1]) {
					grad[i] += float64(v)
				}
			}
			if !logits {
				for i, v := range grad {
					dx[i] = float32(v)
				}
				g.give(0, t)
				return nil
			}
			logp := make([]float64, t.n)
			for i, v := range view[float32](g.in[0]) {
				logp[i] = float64(v)
			}
			logSoftmax(logp, outer, classes, inner)
			for o := range outer {
				for i := range inner {
					sum := 0.0
					for k := range classes {
						sum += grad[(o*classes+k)*inner+i]
					}
					for k := range classes {
						at := (o*classes+k)*inner + i
						dx[at] = float32(grad[at] - math.Exp(logp[at])*sum)
					}
				}
			}
			g.give(0, t)
			return nil
		}
		return p, nil
	}, 0)
}

// optimizerGrad is by all but the step's number. back turns gradients of one element's
// results, which lie in d where the step's values lie in v, into those of the values,
// and returns that of the rate.
func optimizerGrad(groups int, build func(s *spec) func(rate float64, t int, v, d []float64) float64) gradient {
	return differentiable(func(s *spec, _ []bool) (*pullback, error) {
		back := build(s)
		return &pullback{in: everything, pull: func(g *gcall) error {
			n := (len(g.in) - 2) / groups
			rate, step, dRate := g.in[0].at(0), int(g.in[1].at(0)), 0.0
			v, d := make([]float64, groups), make([]float64, groups)
			for i := range n {
				given := make([]*tensor, groups)
				for k := range given {
					given[k] = g.zero(2 + k*n + i)
				}
				for e := range given[0].n {
					for k := range groups {
						v[k] = float64(view[float32](g.in[2+k*n+i])[e])
						d[k] = 0
						if out := max(k-1, 0)*n + i; k != 1 && g.dout[out] != nil { // the gradient is no result
							d[k] = float64(view[float32](g.dout[out])[e])
						}
					}
					dRate += back(rate, step, v, d)
					for k := range groups {
						view[float32](given[k])[e] = float32(d[k])
					}
				}
				for k, t := range given {
					g.giveOrFree(2+k*n+i, []*tensor{t})
				}
			}
			if g.wants(0) {
				t := g.zero(0)
				view[float32](t)[0] = float32(dRate)
				g.give(0, t)
			}
			return nil
		}}, nil
	})
}

func adagradBack(s *spec) func(rate float64, t int, v, d []float64) float64 {
	decay, eps, norm := float64(s.float("decay_factor", 0)), float64(s.float("epsilon", 1e-6)), float64(s.float("norm_coefficient", 0))
	return func(rate float64, t int, v, d []float64) float64 {
		g, slowed := norm*v[0]+v[1], 1/(1+float64(t)*decay)
		root := math.Sqrt(v[2] + g*g)
		size := root + eps
		d[2] += d[0] * rate * slowed * g / (size * size) / (2 * root)
		d[1] = 2*g*d[2] - d[0]*rate*slowed/size
		dRate := -d[0] * slowed * g / size
		d[0] += norm * d[1]
		return dRate
	}
}

func adamBack(s *spec) func(rate float64, t int, v, d []float64) float64 {
	alpha, beta, eps := float64(s.float("alpha", 0.9)), float64(s.float("beta", 0.999)), float64(s.float("epsilon", 1e-6))
	norm, post := float64(s.float("norm_coefficient", 0)), float64(s.float("norm_coefficient_post", 0))
	return func(rate float64, t int, v, d []float64) float64 {
		g, warm := norm*v[0]+v[1], 1.0
		if t > 0 {
			warm = math.Sqrt(1-math.Pow(beta, float64(t))) / (1 - math.Pow(alpha, float64(t)))
		}
		m, root := alpha*v[2]+(1-alpha)*g, math.Sqrt(beta*v[3]+(1-beta)*g*g)
		size := root + eps
		d[0] *= 1 - post
		d[2] -= d[0] * rate * warm / size
		d[3] += d[0] * rate * warm * m / (size * size) / (2 * root)
		d[1] = (1-alpha)*d[2] + 2*(1-beta)*g*d[3]
		dRate := -d[0] * warm * m / size
		d[0] += norm * d[1]
		d[2] *= alpha
		d[3] *= beta
		return dRate
	}
}

func momentumBack(s *spec) func(rate float64, t int, v, d []float64) float64 {
	alpha, beta, norm := float64(s.float("alpha", 0)), float64(s.float("beta", 0)), float64(s.float("norm_coefficient", 0))
	nesterov := s.str("mode", "standard") == "nesterov"
	return func(rate float64, t int, v, d []float64) float64 {
		g, b := norm*v[0]+v[1], 1.0
		if t > 0 {
			b = beta
		}
		moved := alpha*v[2] + b*g
		dRate := -d[0] * moved
		if nesterov {
			dRate = -d[0] * (g + alpha*moved)
			d[2] -= d[0] * rate * alpha
			d[1] = b*d[2] - rate*d[0]
		} else {
			d[2] -= d[0] * rate
			d[1] = b * d[2]
		}
		d[0] += norm * d[1]
		d[2] *= alpha
		return dRate
	}
}
