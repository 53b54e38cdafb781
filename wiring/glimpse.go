package wiring

import (
	"math"

	"github.com/connectomewire/wire/internal/kernel"
)

// A Glimpse is how one region looks at a sense that is read by [ReadGlimpse]:
// the module gives a vector x_p for each place p of a grid, and at every tick
// the region's own normalised state of the tick before asks which matter,
//
//	q = Q n(h(t−1))    a = softmax(x_p·q / √width)    u(t) += E Σ_p a_p x_p
//
// which is attention with one query (Bahdanau, Cho and Bengio 2015; scaled as
// by Vaswani et al. 2017).
type Glimpse struct {
	// Sense is its index in the plan; it has Places vectors of Width numbers.
	Sense, Places, Width int

	d            int
	embed, query []float32 // E [d, width], Q [width, d]
}

// Look adds what the region sees to drive, [batch, d]. x is [batch, places,
// width], standardised; prev the region's normalised state before, [batch, d].
// attention, [batch, places], and seen, [batch, width], receive a and Σ a x,
// and asked, [batch, width], the query: [Glimpse.Back] needs them.
func (g *Glimpse) Look(drive, x, prev, attention, seen, asked []float32, batch int) {
	w, p := g.Width, g.Places
	kernel.Gemm(false, true, batch, w, g.d, prev, g.query, asked, false)
	f := float32(1 / math.Sqrt(float64(w)))
	for b := range batch {
		a, q, to := attention[b*p:][:p], asked[b*w:][:w], seen[b*w:][:w]
		for k := range a {
			a[k] = f * kernel.Dot(q, x[(b*p+k)*w:][:w])
		}
		top := kernel.Max(a)
		kernel.SubScalar(a, a, top)
		kernel.Exp(a, a)
		kernel.MulScalar(a, a, 1/kernel.Sum(a))
		clear(to)
		for k, v := range a {
			for i, e := range x[(b*p+k)*w:][:w] {
				to[i] += v * e
			}
		}
	}
	kernel.Gemm(false, true, batch, g.d, w, seen, g.embed, drive, true)
}

// Back adds the gradients of E and Q to dEmbed and dQuery and of prev to
// dPrev, [batch, d], from that of the drive; the other arguments are what
// [Glimpse.Look] read and wrote. scratch has 2·batch·width + places numbers.
func (g *Glimpse) Back(dPrev, dEmbed, dQuery, dDrive, x, prev, attention, seen, scratch []float32, batch int) {
	w, p := g.Width, g.Places
	kernel.Gemm(true, false, g.d, w, batch, dDrive, seen, dEmbed, true)
	dSeen, dAsked, da := scratch[:batch*w], scratch[batch*w:2*batch*w], scratch[2*batch*w:][:p]
	clear(dAsked)
	kernel.Gemm(false, false, batch, w, g.d, dDrive, g.embed, dSeen, false)
	f := float32(1 / math.Sqrt(float64(w)))
	for b := range batch {
		a, ds, dq := attention[b*p:][:p], dSeen[b*w:][:w], dAsked[b*w:][:w]
		var mean float32
		for k := range da {
			da[k] = kernel.Dot(ds, x[(b*p+k)*w:][:w])
			mean += a[k] * da[k]
		}
		for k := range da {
			s := f * a[k] * (da[k] - mean)
			for i, e := range x[(b*p+k)*w:][:w] {
				dq[i] += s * e
			}
		}
	}
	kernel.Gemm(true, false, w, g.d, batch, dAsked, prev, dQuery, true)
	kernel.Gemm(false, false, batch, g.d, w, dAsked, g.query, dPrev, true)
}
