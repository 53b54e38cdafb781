package learn

import (
	"math"

	"github.com/connectomewire/wire/wiring"
)

// adamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019).
type adamW struct {
	first, second []float32 // running means of gradient and squared gradient
	step          int
}

func newAdamW(n int) *adamW {
	return &adamW{first: make([]float32, n), second: make([]float32, n)}
}

// update changes the parameters by one step. grad is scaled by factor.
func (a *adamW) update(q *wiring.Params, grad []float32, factor, rate float64, o *Options) {
	a.step++
	b1, b2 := float32(o.Beta1), float32(o.Beta2)
	// Both bias corrections in the rate and in epsilon's place.
	c1 := 1 - math.Pow(o.Beta1, float64(a.step))
	c2 := 1 - math.Pow(o.Beta2, float64(a.step))
	size := float32(rate / c1)
	root := float32(1 / math.Sqrt(c2))
	f := float32(factor)
	const epsilon = 1e-8
	for i := range q.Layout {
		t := &q.Layout[i]
		if !o.learns(t) {
			continue
		}
		shrink := float32(1)
		if t.Decay {
			shrink = float32(1 - rate*o.Decay)
		}
		lo, hi := t.Offset, t.Offset+t.Len()
		v, g, m, s := q.Data[lo:hi], grad[lo:hi], a.first[lo:hi], a.second[lo:hi]
		for k, x := range g {
			x *= f
			m[k] = b1*m[k] + (1-b1)*x
			s[k] = b2*s[k] + (1-b2)*x*x
			v[k] = shrink*v[k] - size*m[k]/(float32(math.Sqrt(float64(s[k])))*root+epsilon)
		}
	}
}

// oneCycle is the learning rate at a step (Smith and Topin 2019): a cosine
// from 1/25 of the largest up to it, then one down to 1/10,000 of that start.
func oneCycle(step, steps int, o *Options) float64 {
	low := o.Rate / 25
	end := low / 1e4
	at := (float64(step) + 0.5) / float64(steps)
	cosine := func(from, to, x float64) float64 { return to + (from-to)/2*(1+math.Cos(math.Pi*x)) }
	if at < o.WarmUp {
		return cosine(low, o.Rate, at/o.WarmUp)
	}
	return cosine(o.Rate, end, (at-o.WarmUp)/(1-o.WarmUp))
}
