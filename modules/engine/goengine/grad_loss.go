package goengine

import "math"

var lossGrads = map[string]gradient{
	"NegativeLogLikelihoodLoss": lossGrad(false),
	"SoftmaxCrossEntropyLoss":   lossGrad(true),
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
