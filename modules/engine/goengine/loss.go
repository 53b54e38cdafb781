package goengine

import (
	"fmt"
	"math"
)

var lossTable = map[string]operator{
	"NegativeLogLikelihoodLoss":         {build: buildLoss(false)},
	"SoftmaxCrossEntropyLoss":           {build: buildLoss(true)},
	"ai.onnx.preview.training.Adagrad":  {build: buildAdagrad},
	"ai.onnx.preview.training.Adam":     {build: buildAdam},
	"ai.onnx.preview.training.Momentum": {build: buildMomentum},
}

// logSoftmax turns logits [outer, classes, inner] into log-probabilities.
func logSoftmax(x []float64, outer, classes, inner int) {
	for o := range outer {
		for i := range inner {
			m, sum := math.Inf(-1), 0.0
			for k := range classes {
				m = max(m, x[(o*classes+k)*inner+i])
			}
			for k := range classes {
				sum += math.Exp(x[(o*classes+k)*inner+i] - m)
			}
			for k := range classes {
				x[(o*classes+k)*inner+i] -= m + math.Log(sum)
			}
		}
	}
}

// buildLoss is the negative log-likelihood of targets under log-probabilities
// [batch, classes, space…], or under logits.
func buildLoss(logits bool) builder {
	return func(s *spec) (operation, error) {
		reduction, ignore, hasIgnore := s.str("reduction", "mean"), s.int("ignore_index", 0), s.has("ignore_index")
		return func(c *call) error {
			x, err := c.need(0)
			if err != nil {
				return err
			}
			if _, err := c.need(1); err != nil {
				return err
			}
			weight := c.input(2)
			target, err := c.intsOf(1)
			if err != nil {
				return err
			}
			if len(x.shape) < 2 || (weight != nil && weight.n != x.shape[1]) {
				return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
			}
			outer, classes, inner := splitAt(x.shape, 1)
			if len(target) != outer*inner {
				return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
			}
			logp := make([]float64, x.n)
			for i := range logp {
				logp[i] = x.at(i)
			}
			if logits {
				logSoftmax(logp, outer, classes, inner)
			}
			losses := make([]float64, len(target))
			total, weights := 0.0, 0.0
			for j, t := range target {
				if hasIgnore && t == ignore {
					continue
				}
				if t < 0 || t >= classes {
					return fmt.Errorf("target %d is out of range for %d classes", t, classes)
				}
				w := 1.0
				if weight != nil {
					w = weight.at(t)
				}
				losses[j] = -w * logp[(j/inner*classes+t)*inner+j%inner]
				total += losses[j]
				weights += w
			}
			if logits && len(c.out) > 1 && c.out[1] != nil {
				lp, err := c.output(1, x.dt, x.shape...)
				if err != nil {
					return err
				}
				if err := castFrom(lp, logp); err != nil {
					return err
				}
			}
			switch reduction {
			case "none":
				out, err := c.output(0, x.dt, c.in[1].shape...)
				if err != nil {
					return err
				}
				return castFrom(out, losses)
			case "mean":
				total /= weights
			}
			out, err := c.output(0, x.dt)
			if err != nil {
				return err
			}
			return castFrom(out, []float64{total})
		}, nil
	}
}

// optimizer updates groups of tensors: R, T, then len(groups) lists of as many
// tensors. update computes one element; results go to the first and the state
// outputs.
func optimizer(groups int, update func(rate float64, t int, v []float64)) operation {
	return func(c *call) error {
		n := (len(c.in) - 2) / groups
		if len(c.in) < 2 || len(c.in) != 2+n*groups || len(c.out) < n*(groups-1) {
			return fmt.Errorf("%d inputs do not make %d groups", len(c.in), groups)
		}
		for _, t := range c.in[2:] {
			if err := wantF32(t); err != nil {
				return err
			}
		}
		rate, step := c.in[0].at(0), int(c.in[1].at(0))
		vals := make([]float64, groups)
		for i := range n {
			x := c.in[2+i]
			outs := make([][]float32, groups-1)
			for g := range outs {
				t, err := c.output(g*n+i, f32, x.shape...)
				if err != nil {
					return err
				}
				outs[g] = view[float32](t)
			}
			for k := range x.n {
				for g := range groups {
					t := c.in[2+g*n+i]
					if t.n != x.n {
						return errShape
					}
					vals[g] = float64(view[float32](t)[k])
				}
				update(rate, step, vals) // leaves x in vals[0], states from vals[2] on
				outs[0][k] = float32(vals[0])
				for g := 1; g < len(outs); g++ {
					outs[g][k] = float32(vals[g+1])
				}
			}
		}
		return nil
	}
}

func buildAdagrad(s *spec) (operation, error) {
	decay, eps, norm := float64(s.float("decay_factor", 0)), float64(s.float("epsilon", 1e-6)), float64(s.float("norm_coefficient", 0))
	return optimizer(3, func(rate float64, t int, v []float64) {
		g := norm*v[0] + v[1]
		v[2] += g * g
		v[0] -= rate / (1 + float64(t)*decay) * g / (math.Sqrt(v[2]) + eps)
	}), nil
}

func buildAdam(s *spec) (operation, error) {
	alpha, beta, eps := float64(s.float("alpha", 0.9)), float64(s.float("beta", 0.999)), float64(s.float("epsilon", 1e-6))
	norm, post := float64(s.float("norm_coefficient", 0)), float64(s.float("norm_coefficient_post", 0))
	return optimizer(4, func(rate float64, t int, v []float64) {
		g := norm*v[0] + v[1]
		v[2] = alpha*v[2] + (1-alpha)*g
		v[3] = beta*v[3] + (1-beta)*g*g
		if t > 0 {
			rate *= math.Sqrt(1-math.Pow(beta, float64(t))) / (1 - math.Pow(alpha, float64(t)))
		}
		v[0] = (1 - post) * (v[0] - rate*v[2]/(math.Sqrt(v[3])+eps))
	}), nil
}

func buildMomentum(s *spec) (operation, error) {
	alpha, beta, norm := float64(s.float("alpha", 0)), float64(s.float("beta", 0)), float64(s.float("norm_coefficient", 0))
	nesterov := s.str("mode", "standard") == "nesterov"
	return optimizer(3, func(rate float64, t int, v []float64) {
		g := norm*v[0] + v[1]
		b := 1.0
		if t > 0 {
			b = beta
		}
		v[2] = alpha*v[2] + b*g
		if nesterov {
			v[0] -= rate * (g + alpha*v[2])
		} else {
			v[0] -= rate * v[2]
		}
	}), nil
}
