package reservoir

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/wiring"
)

// peerLags is how many last inputs a linear model without a reservoir gets.
const peerLags = 20

// compare scores what the result is compared with, on the same steps.
func (r *Result) compare(p *wiring.Plan, k *Task, d *Data, o FitOptions, all []step, learned, asked []int) error {
	add := func(name, metric string, score float64) {
		r.References = append(r.References, Reference{Name: name, Metric: metric, Score: score})
	}
	switch {
	case k.lags:
		// No linear readout of n states has more capacity than n (Jaeger 2001),
		// nor more than 1 a lag.
		add("bound: one a region", "capacity", float64(min(len(p.Effectors[0].Regions), len(d.Outputs))))
		if p.Rates.Activation == wiring.ActivationLinear {
			add("bound: controllable dimensions", "capacity", float64(min(Controllable(p), len(d.Outputs))))
		}
	case k.Decision:
		ideal, positive := 0, 0
		for _, row := range asked {
			a := all[row]
			s := &d.Sequences[a.sequence]
			if answer := s.Targets[a.t]; k.observer(s, d.Inputs, a.t, o.Task) > 0 == (answer > 0) {
				ideal++
			}
			if s.Targets[a.t] > 0 {
				positive++
			}
		}
		n := float64(len(asked))
		add("ideal observer", "accuracy", float64(ideal)/n)
		add("chance: the commoner answer", "accuracy", math.Max(float64(positive), n-float64(positive))/n)
	default:
		for _, lags := range []int{1, peerLags} {
			q := lagged(d, all, lags)
			w, _, err := regress(q, learned, 1e-10, false)
			if err != nil {
				continue // inputs that never change, or too few steps
			}
			predicted, targets := predict(q, w, asked)
			name := "linear, of the present input alone"
			if lags > 1 {
				name = fmt.Sprintf("linear, of the last %d inputs", lags)
			}
			add(name, "nrmse", agreement(predicted, targets, q.outputs)[0].nrmse)
		}
	}
	return nil
}

// lagged is the regression of the targets on the last inputs; zero before the
// first.
func lagged(d *Data, all []step, lags int) *problem {
	outputs := len(d.Outputs)
	return &problem{features: lags * d.Inputs, outputs: outputs, fill: func(row int, features, targets []float64) {
		a := all[row]
		s := &d.Sequences[a.sequence]
		clear(features)
		for i := range min(lags, a.t+1) {
			copy(features[i*d.Inputs:(i+1)*d.Inputs], s.Inputs[(a.t-i)*d.Inputs:])
		}
		copy(targets, s.Targets[a.t*outputs:][:outputs])
	}}
}

// Controllable returns the dimension of the space that the input reaches through
// W: the rank of (w, W w, W² w, …), the controllability matrix, to which the
// capacity of a linear reservoir is equal over all lags from 0 (Ballarin,
// Grigoryeva & Ortega, arXiv:2305.01457). It is found by Arnoldi's orthogonal
// vectors, which, unlike the matrix, keep their precision; leaks count as part
// of W, and delays of more than a step as one.
func Controllable(p *wiring.Plan) int {
	n := len(p.Regions)
	r := p.Rates
	apply := func(x []float64) []float64 {
		y := make([]float64, n)
		for _, t := range p.Tracts {
			y[t.To] += r.Leak[t.To] * t.Scale * x[t.From]
		}
		for j := range y {
			y[j] += (1 - r.Leak[j]) * x[j]
		}
		return y
	}
	norm := func(x []float64) float64 {
		s := 0.0
		for _, v := range x {
			s = math.Hypot(s, v)
		}
		return s
	}
	const tolerance = 1e-10 // of what is new in a vector
	var basis [][]float64
	extend := func(x []float64) bool {
		before := norm(x)
		for range 2 { // the second time for what rounding left
			for _, b := range basis {
				dot := 0.0
				for j := range x {
					dot += b[j] * x[j]
				}
				for j := range x {
					x[j] -= dot * b[j]
				}
			}
		}
		after := norm(x)
		if before == 0 || after <= tolerance*before {
			return false
		}
		for j := range x {
			x[j] /= after
		}
		basis = append(basis, x)
		return true
	}
	for s := range p.Senses {
		width := p.Senses[s].Width
		for k := range width {
			x := make([]float64, n)
			for j := range x {
				x[j] = r.Leak[j] * r.Input[s][j*width+k]
			}
			extend(x)
		}
	}
	for i := 0; i < len(basis) && len(basis) < n; i++ {
		extend(apply(basis[i]))
	}
	return len(basis)
}
