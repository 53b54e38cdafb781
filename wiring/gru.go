package wiring

import "github.com/connectomewire/wire/internal/kernel"

// gru is a region's gated recurrent unit (Cho et al. 2014), which takes the place
// of its leak in a plan of such cells. u is the region's input as in other cells,
// its bias with it:
//
//	z    = σ(W_z u + R_z h(t−1) + b_z)
//	r    = σ(W_r u + R_r h(t−1) + b_r)
//	c    = tanh(u + R_c (r ⊙ h(t−1)))
//	h(t) = (1−z) h(t−1) + z c
//
// W and R hold the update's rows, then the reset's.
type gru struct {
	width                         int
	input, state, bias, candidate []float32 // W [2d, d], R [2d, d], b [2d], R_c [d, d]
	turnedInput, turnedState      matrix    // [d, 2d]
	turnedCandidate               matrix    // [d, d]
}

// What a step of a gru leaves in [Tick.Act], each [batch, d]: u, z and r side by
// side ([batch, 2d]), r ⊙ h and c.
const gruActs = 5

func gruParts(act []float32, batch, d int) (u, gates, kept, candidate []float32) {
	n := batch * d
	return act[:n], act[n : 3*n], act[3*n : 4*n], act[4*n : 5*n]
}

// refresh brings the transposed matrices up to date.
func (g *gru) refresh() {
	d := g.width
	g.turnedInput.fill(g.input, d, 2*d)
	g.turnedState.fill(g.state, d, 2*d)
	g.turnedCandidate.fill(g.candidate, d, d)
}

// Acts is how many numbers a row [Tick.Act] receives.
func (c *Cell) Acts() int {
	if c.gru != nil {
		return gruActs * c.Width
	}
	return c.Width
}

// Recurrent says that the cell is a gated recurrent unit, see [CellGRU].
func (c *Cell) Recurrent() bool { return c.gru != nil }

// step makes the state of u, which stands where [gruParts] puts it.
func (g *gru) step(batch int, act, prev, state []float32) {
	d := g.width
	u, gates, kept, candidate := gruParts(act, batch, d)
	for b := range batch {
		copy(gates[b*2*d:][:2*d], g.bias)
	}
	g.turnedInput.product(batch, u, gates, true)
	g.turnedState.product(batch, prev, gates, true)
	kernel.Sigmoid(gates, gates)
	for b := range batch {
		r, h := gates[b*2*d+d:][:d], prev[b*d:][:d]
		for i, v := range h {
			kept[b*d+i] = r[i] * v
		}
	}
	copy(candidate, u)
	g.turnedCandidate.product(batch, kept, candidate, true)
	kernel.Tanh(candidate, candidate)
	for b := range batch {
		z, c, h, to := gates[b*2*d:][:d], candidate[b*d:][:d], prev[b*d:][:d], state[b*d:][:d]
		for i, v := range h {
			to[i] = (1-z[i])*v + z[i]*c[i]
		}
	}
}

// BackRecurrent carries the gradient of a region's state through a tick of a plan
// of gated recurrent units: dState, [batch, d], is that of h(t) and becomes that of
// h(t−1); dPre receives that of u; those of the unit's matrices are added to grad.
// act is what [Cell.Step] left, prev is h(t−1), and scratch has 4·batch·d numbers.
func (c *Cell) BackRecurrent(batch int, dState, dPre, act, prev, scratch []float32, grad *Weights) {
	g, d := c.gru, c.Width
	n := batch * d
	u, gates, kept, candidate := gruParts(act, batch, d)
	dGates, dCandidate, dKept := scratch[:2*n], scratch[2*n:3*n], scratch[3*n:4*n]
	for b := range batch {
		for i := range d {
			k := b*d + i
			dh, z, cand, h := dState[k], gates[b*2*d+i], candidate[k], prev[k]
			dGates[b*2*d+i] = dh * (cand - h) * z * (1 - z)
			dCandidate[k] = dh * z * (1 - cand*cand)
			dState[k] = dh * (1 - z)
		}
	}
	kernel.Gemm(false, false, batch, d, d, dCandidate, g.candidate, dKept, false)
	for b := range batch {
		for i := range d {
			k := b*d + i
			r := gates[b*2*d+d+i]
			dGates[b*2*d+d+i] = dKept[k] * prev[k] * r * (1 - r)
			dState[k] += dKept[k] * r
		}
	}
	copy(dPre[:n], dCandidate)
	kernel.Gemm(false, false, batch, d, 2*d, dGates, g.input, dPre, true)
	kernel.Gemm(false, false, batch, d, 2*d, dGates, g.state, dState, true)
	kernel.Gemm(true, false, d, d, batch, dCandidate, kept, grad.GRUCandidate, true)
	kernel.Gemm(true, false, 2*d, d, batch, dGates, u, grad.GRUInput, true)
	kernel.Gemm(true, false, 2*d, d, batch, dGates, prev, grad.GRUState, true)
	for b := range batch {
		for i, v := range dGates[b*2*d:][:2*d] {
			grad.GRUBias[i] += v
		}
	}
}
