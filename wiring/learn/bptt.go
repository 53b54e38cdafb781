package learn

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// backward carries the gradients in dNorm of the effectors' regions back
// through all ticks and adds those of the parameters to grad.
//
// With n = n(h), m = s·g·z, u = Σ U m + …, and δx the gradient of x:
//
//	δn(t)  = Vᵀ δz(t) + cᵀ δlogit(t+1) + heads
//	δh(t)  = (δn − n·mean(n·δn)) / rms + (1−λ) δh(t+1)
//	δu     = λ δh (1 − tanh²u)
//	δm     = Uᵀ δu
//	δlogit = s (δm·z) g (1−g)
//	δz(t−δ) = s g δm + a δlogit
func (t *tape) backward(s *shard, grad *gradients) error {
	net := t.net
	p := net.plan
	n, d, r := t.size, p.Width, p.Rank
	for tick := t.ticks; tick >= 1; tick-- {
		if err := t.backParts(tick, grad); err != nil {
			return err
		}
		for _, j := range net.active {
			if tick > t.last(j) {
				continue
			}
			g, c := &t.regions[j], net.cells[j]
			in, out := len(c.In), len(c.Out)

			// n(h): axons leave with it, the next tick's gates read it.
			dNorm := g.dNorm[tick*n*d:][:n*d]
			if out > 0 {
				kernel.GemmPacked(n, d, out*r, g.dAxons[tick*n*out*r:], out*r, net.back[j].axon, dNorm, d, true)
			}
			// h and the leak.
			dPre := g.dPre[(tick-1)*n*d:][:n*d]
			wg := &grad.weights[j]
			if c.Recurrent() {
				t.recurrent(j, tick, dNorm, dPre, wg)
			} else {
				t.leak(j, tick, dNorm, dPre, wg)
			}
			if c.Bursts() {
				at := (tick - 1) * n * d
				c.BackBurst(dPre, g.dStored, g.dState, g.act[at:], g.stored[at:][:n*d], g.state[at:])
			}
			for i, look := range c.Glimpses() {
				if x := s.inputs[look.Sense]; x != nil {
					dEmbed, dQuery := grad.look(look.Sense, j, p)
					t.scratch = grow(t.scratch, 2*n*look.Width+look.Places)
					look.Back(g.dNorm[(tick-1)*n*d:][:n*d], dEmbed, dQuery, dPre, x, g.norm[(tick-1)*n*d:][:n*d],
						g.attention[i][(tick-1)*n*look.Places:], g.seen[i][(tick-1)*n*look.Width:], t.scratch, n)
				}
			}
			if in == 0 {
				continue
			}
			// Synapses and gates.
			kernel.GemmPacked(n, in*r, d, dPre, d, net.back[j].synapse, g.dMixed, in*r, false)
			gates := g.gates[(tick-1)*n*in:]
			dGate := g.dGate[(tick-1)*n*in:][:n*in]
			scale := c.Scales()
			for k, tract := range c.In {
				tr := &p.Tracts[tract]
				z := t.message(tract, tick)
				var a, da []float32 // of gates that learn
				if !p.FixedGates {
					a, da = net.weights[j].GateSignal[k*r:][:r], wg.GateSignal[k*r:][:r]
				}
				var dz []float32 // of the source's axons
				width := 0
				if sent := tick - tr.Delay; sent >= 1 && net.ticksTo[tr.From] >= 0 {
					width = len(net.cells[tr.From].Out) * r
					dz = t.regions[tr.From].dAxons[sent*n*width+net.slot[tract]*r:]
				}
				var dBeta float32
				for b := range n {
					gate := gates[b*in+k]
					dm := g.dMixed[(b*in+k)*r:][:r]
					zb := z.Data[b*z.Stride:][:r]
					if p.FixedGates {
						if t.tracts != nil {
							t.tracts[b][tract] += float64(scale[k] * gate * kernel.ShortDot(dm, zb))
						}
						if dz != nil {
							addScaled(dz[b*width:][:r], scale[k]*gate, dm)
						}
						continue
					}
					dl := scale[k] * kernel.ShortDot(dm, zb) * gate * (1 - gate)
					dGate[b*in+k] = dl
					dBeta += dl
					addScaled(da, dl, zb)
					if t.tracts != nil { // through the synapse, and through the gate
						t.tracts[b][tract] += float64(scale[k]*gate*kernel.ShortDot(dm, zb) + dl*kernel.ShortDot(a, zb))
					}
					if dz != nil {
						addTwoScaled(dz[b*width:][:r], scale[k]*gate, dm, dl, a)
					}
				}
				if !p.FixedGates {
					wg.GateBias[k] += dBeta
				}
			}
			if !p.FixedGates {
				kernel.GemmPacked(n, d, in, dGate, in, net.back[j].gate, g.dNorm[(tick-1)*n*d:], d, true)
			}
		}
		t.holdBack(tick)
	}
	if t.tracts == nil {
		t.parameters(s, grad)
	}
	return nil
}

// leak carries the gradient of n(h) through a region's normalisation, leak and
// tanh to that of u.
func (t *tape) leak(j, tick int, dNorm, dPre []float32, wg *wiring.Weights) {
	g, lambda := &t.regions[j], t.net.cells[j].Lambda
	n, d := t.size, t.net.plan.Width
	act := g.act[(tick-1)*n*d:][:n*d]
	state, prev := g.state[tick*n*d:], g.state[(tick-1)*n*d:]
	norm := g.norm[tick*n*d:]
	keep := 1 - lambda
	var dLambda float32
	for b := range n {
		lo := b * d
		dn, nr, st, pr := dNorm[lo:][:d], norm[lo:][:d], state[lo:][:d], prev[lo:][:d]
		ac, dp, carry := act[lo:][:d], dPre[lo:][:d], g.dState[lo:][:d]
		inv := inverseRMS(st)
		shrink := kernel.Dot(nr, dn) / float32(d)
		var dl float32
		for i, v := range dn {
			dh := inv*(v-nr[i]*shrink) + carry[i]
			a := ac[i]
			dl += dh * (a - pr[i])
			dp[i] = lambda * dh * (1 - a*a)
			carry[i] = keep * dh
		}
		dLambda += dl
	}
	wg.Leak[0] += dLambda * lambda * keep
}

// recurrent does the same through a gated recurrent unit.
func (t *tape) recurrent(j, tick int, dNorm, dPre []float32, wg *wiring.Weights) {
	g, c := &t.regions[j], t.net.cells[j]
	n, d := t.size, t.net.plan.Width
	state, norm := g.state[tick*n*d:], g.norm[tick*n*d:]
	for b := range n {
		lo := b * d
		dn, nr, carry := dNorm[lo:][:d], norm[lo:][:d], g.dState[lo:][:d]
		inv := inverseRMS(state[lo:][:d])
		shrink := kernel.Dot(nr, dn) / float32(d)
		for i, v := range dn {
			carry[i] += inv * (v - nr[i]*shrink)
		}
	}
	t.scratch = grow(t.scratch, 4*n*d)
	c.BackRecurrent(n, g.dState, dPre, g.act[(tick-1)*n*c.Acts():], g.state[(tick-1)*n*d:], t.scratch, wg)
}

// parameters adds the gradients of the matrices: one product each over all
// ticks and episodes.
func (t *tape) parameters(s *shard, grad *gradients) {
	net := t.net
	p := net.plan
	n, d, r := t.size, p.Width, p.Rank
	sum := grow(t.scratch, n*d)
	t.scratch = sum
	for _, j := range net.active {
		g, c := &t.regions[j], net.cells[j]
		in, out := len(c.In), len(c.Out)
		rows := max(t.last(j), 0) * n
		if rows == 0 {
			continue
		}
		w := &grad.weights[j]
		if out > 0 {
			kernel.Gemm(true, false, out*r, d, rows, g.dAxons[n*out*r:], g.norm[n*d:], w.Axon, true)
		}
		if in > 0 {
			kernel.Gemm(true, false, d, in*r, rows, g.dPre, g.mixed, w.Synapse, true)
			if !p.FixedGates {
				kernel.Gemm(true, false, in, d, rows, g.dGate, g.norm, w.GateState, true)
			}
		}
		for q := range rows {
			for i, v := range g.dPre[q*d:][:d] {
				w.Bias[i] += v
			}
		}
		// Senses: x is the same at every tick.
		if len(g.base) > 0 {
			clear(sum)
			for q := range rows {
				row := sum[q%n*d:][:d]
				for i, v := range g.dPre[q*d:][:d] {
					row[i] += v
				}
			}
			for sense := range p.Senses {
				x := s.inputs[sense]
				if x == nil || p.Senses[sense].PerTick || p.Senses[sense].Read == wiring.ReadGlimpse {
					continue
				}
				t.embedding(grad, sense, j, sum, x)
			}
		}
		// One vector a step: x is the same during the step.
		for k := range s.steps {
			if !net.paced[j] {
				break
			}
			clear(sum)
			first, after := k*p.Ticks.Settle, min((k+1)*p.Ticks.Settle, rows/n)
			for q := first * n; q < after*n; q++ {
				row := sum[q%n*d:][:d]
				for i, v := range g.dPre[q*d:][:d] {
					row[i] += v
				}
			}
			for sense := range p.Senses {
				if x := s.inputs[sense]; x != nil && p.Senses[sense].PerTick {
					t.embedding(grad, sense, j, sum, x[k*n*p.Senses[sense].Width:])
				}
			}
		}
		for _, f := range net.feeds[j] {
			settle := p.Ticks.Settle
			if fed := rows - settle*n; fed > 0 {
				h := net.aims[f.aim].effector.FeedbackWidth
				kernel.Gemm(true, false, d, h, fed, g.dPre[settle*n*d:], t.aims[f.aim].feedIn, grad.feedback[f.aim][f.matrix], true)
			}
		}
	}
}

// embedding adds the gradient of a sense's matrix in a region: the product of
// the drive's, [size, d], and what entered, [size, width].
func (t *tape) embedding(grad *gradients, sense, j int, drive, x []float32) {
	for i, at := range t.net.plan.Senses[sense].Regions {
		if at == j {
			width := t.net.plan.Senses[sense].Width
			kernel.Gemm(true, false, t.net.plan.Width, width, t.size, drive, x, grad.embeds[sense][i], true)
		}
	}
}

// addScaled is y += f·x.
func addScaled(y []float32, f float32, x []float32) {
	for len(y) >= 4 && len(x) >= 4 {
		y[0] += f * x[0]
		y[1] += f * x[1]
		y[2] += f * x[2]
		y[3] += f * x[3]
		y, x = y[4:], x[4:]
	}
	for i, v := range x {
		y[i] += f * v
	}
}

// addTwoScaled is y += f·x + g·z.
func addTwoScaled(y []float32, f float32, x []float32, g float32, z []float32) {
	for len(y) >= 4 && len(x) >= 4 && len(z) >= 4 {
		y[0] += f*x[0] + g*z[0]
		y[1] += f*x[1] + g*z[1]
		y[2] += f*x[2] + g*z[2]
		y[3] += f*x[3] + g*z[3]
		y, x, z = y[4:], x[4:], z[4:]
	}
	for i, v := range x {
		y[i] += f*v + g*z[i]
	}
}

// inverseRMS is the factor of [wiring.Normalise].
func inverseRMS(h []float32) float32 {
	return float32(1 / math.Sqrt(float64(kernel.Dot(h, h))/float64(len(h))+wiring.NormEpsilon))
}

// gradients are one shard's gradients, with views of their tensors.
type gradients struct {
	params  *wiring.Params
	weights []wiring.Weights
	embeds  [][][]float32
	queries [][][]float32
	// feedback holds the matrices of each aim.
	feedback [][][]float32
	parts    []wiring.PartWeights
}

// look returns the gradients of E and Q of a sense that a region glimpses at.
func (g *gradients) look(sense, region int, p *wiring.Plan) (embed, query []float32) {
	at := slices.Index(p.Senses[sense].Regions, region)
	return g.embeds[sense][at], g.queries[sense][at]
}

func newGradients(p *wiring.Plan, aims []aim) *gradients {
	g := &gradients{params: p.NewParams()}
	for j := range p.Regions {
		g.weights = append(g.weights, p.Weights(g.params, j))
	}
	for s := range p.Senses {
		_, _, embed := p.SenseWeights(g.params, s)
		g.embeds = append(g.embeds, embed)
		g.queries = append(g.queries, p.QueryWeights(g.params, s))
	}
	for i := range p.Parts {
		g.parts = append(g.parts, p.PartWeights(g.params, i))
	}
	for i := range aims {
		g.feedback = append(g.feedback, p.FeedbackWeights(g.params, aims[i].index))
	}
	return g
}

// clearGradients sizes and empties the gradients of the states.
func (t *tape) clearGradients() {
	net := t.net
	n, T, d, r := t.size, t.ticks, net.plan.Width, net.plan.Rank
	for _, j := range net.active {
		g, c := &t.regions[j], net.cells[j]
		in, out := len(c.In), len(c.Out)
		g.dNorm = grow(g.dNorm, (T+1)*n*d)
		clear(g.dNorm)
		g.dState = grow(g.dState, n*d)
		clear(g.dState)
		if net.cells[j].Bursts() {
			g.dStored = grow(g.dStored, n*d)
			clear(g.dStored)
		}
		g.dAxons = grow(g.dAxons, (T+1)*n*out*r)
		clear(g.dAxons)
		g.dPre = grow(g.dPre, T*n*d)
		g.dGate = grow(g.dGate, T*n*in)
		g.dMixed = grow(g.dMixed, n*in*r)
	}
	for i := range t.parts {
		q := &t.parts[i]
		q.dJoins = grow(q.dJoins, n*d)
		clear(q.dJoins)
	}
}
