package wiring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"github.com/connectomewire/wire/internal/double"
)

// RateCell is the arithmetic of one region of a plan of rate cells, in
// float64:
//
//	s_j(t) = b_j + Σ_k w_jk u_k(t) + Σ_i W_ji x_i(t−δ_ij)
//	x_j(t) = (1−a_j) x_j(t−1) + a_j tanh(s_j(t))
//
// the leaky echo-state network of Jaeger et al. (Neural Networks 20:335, 2007)
// with the leak a. Products are fused into the sum, in this order: the bias,
// the numbers of the senses, tracts by delay and then source. It is safe for
// concurrent use.
type RateCell struct {
	// In and Out are indices of tracts in the plan, in increasing order.
	In, Out []int

	bias, leak float64
	linear     bool
	input      [][]float64 // by sense
	order      []int       // of In
	weights    []float64   // in that order
}

// RateCells returns the arithmetic of every region of a plan of rate cells.
func (p *Plan) RateCells() ([]*RateCell, error) {
	if !p.IsRate() || p.Rates == nil {
		return nil, fmt.Errorf("plan %q has no rate cells", p.Name)
	}
	cells := make([]*RateCell, len(p.Regions))
	out := p.outgoing()
	for j := range cells {
		c := &RateCell{Out: out[j], bias: p.Rates.Bias[j], leak: p.Rates.Leak[j], linear: p.Rates.Activation == ActivationLinear}
		for s := range p.Senses {
			width := p.Senses[s].Width
			c.input = append(c.input, p.Rates.Input[s][j*width:][:width])
		}
		lo, hi := p.Incoming(j)
		for k := lo; k < hi; k++ {
			c.In = append(c.In, k)
			c.order = append(c.order, k-lo)
		}
		sort.SliceStable(c.order, func(a, b int) bool { return p.Tracts[lo+c.order[a]].Delay < p.Tracts[lo+c.order[b]].Delay })
		for _, k := range c.order {
			c.weights = append(c.weights, p.Tracts[lo+k].Scale)
		}
		cells[j] = c
	}
	return cells, nil
}

// Step returns the region's next state: of its last, of what each sense gives
// at this step, nil for nothing, and of what arrives by the tracts of
// [RateCell.In].
func (c *RateCell) Step(last float64, inputs [][]float64, in []float64) float64 {
	sum := c.bias
	for s, u := range inputs {
		if u == nil {
			continue
		}
		for k, w := range c.input[s] {
			sum = math.FMA(w, u[k], sum)
		}
	}
	for i, k := range c.order {
		sum = math.FMA(c.weights[i], in[k], sum)
	}
	if !c.linear {
		sum = math.Tanh(sum)
	}
	return leaky(last, sum, c.leak)
}

// leaky is (1−a)x + a·y, no product fused.
func leaky(x, y, a float64) float64 {
	if a == 1 {
		return y
	}
	return float64((1-a)*x) + float64(a*y)
}

// RateStepper steps all regions of a plan of rate cells at once, to the bits
// of their [RateCell]s.
type RateStepper struct {
	plan   *Plan
	pitch  int // regions, padded
	groups []rateGroup
	inputs [][]float64 // by sense, [width, pitch]

	// Noise is the standard deviation of what is added to every state in every
	// tick, drawn by NoiseSeed: the same at the same region and tick whatever the
	// tracts are. 0 is none.
	Noise     float64
	NoiseSeed uint64
}

// rateGroup are the tracts of one delay: a matrix where there are many, else
// lists.
type rateGroup struct {
	delay   int
	dense   []float64 // [from, pitch of to]
	first   []int     // of each target's tracts in the lists
	sources []int
	weights []float64
}

// RateStepper makes one of the plan's present numbers.
func (p *Plan) RateStepper() (*RateStepper, error) {
	if !p.IsRate() || p.Rates == nil {
		return nil, fmt.Errorf("plan %q has no rate cells", p.Name)
	}
	n := len(p.Regions)
	r := &RateStepper{plan: p, pitch: double.Padded(n)}
	byDelay := map[int][]int{}
	for k := range p.Tracts {
		byDelay[p.Tracts[k].Delay] = append(byDelay[p.Tracts[k].Delay], k)
	}
	for delay, tracts := range byDelay {
		r.groups = append(r.groups, r.group(delay, tracts))
	}
	sort.Slice(r.groups, func(a, b int) bool { return r.groups[a].delay < r.groups[b].delay })
	for s := range p.Senses {
		width := p.Senses[s].Width
		in := make([]float64, width*r.pitch)
		for j := range n {
			for k := range width {
				in[k*r.pitch+j] = p.Rates.Input[s][j*width+k]
			}
		}
		r.inputs = append(r.inputs, in)
	}
	return r, nil
}

// A matrix takes about as long as lists of a 32nd of its elements.
const rateDense, rateMaxDense = 32, 1 << 13

// group arranges the tracts of one delay, which are sorted by target.
func (r *RateStepper) group(delay int, tracts []int) rateGroup {
	n := len(r.plan.Regions)
	g := rateGroup{delay: delay}
	if n <= rateMaxDense && len(tracts) >= n*n/rateDense {
		g.dense = make([]float64, n*r.pitch)
		for _, k := range tracts {
			t := &r.plan.Tracts[k]
			g.dense[t.From*r.pitch+t.To] = t.Scale
		}
		return g
	}
	g.first = make([]int, n+1)
	for _, k := range tracts {
		t := &r.plan.Tracts[k]
		g.first[t.To+1]++
		g.sources, g.weights = append(g.sources, t.From), append(g.weights, t.Scale)
	}
	for j := range n {
		g.first[j+1] += g.first[j]
	}
	return g
}

// add adds W x of the group's tracts to the sums.
func (g *rateGroup) add(sums, x []float64, n int) {
	if g.dense != nil {
		double.Accumulate(sums, x, 1, g.dense, len(sums), n)
		return
	}
	for j := range n {
		sum := sums[j]
		for k := g.first[j]; k < g.first[j+1]; k++ {
			sum = math.FMA(g.weights[k], x[g.sources[k]], sum)
		}
		sums[j] = sum
	}
}

// Run steps the plan from silence through a series and returns the states at
// the end of every step, [steps, regions]. inputs are by the plan's senses,
// [steps, width] each, nil for one that gives nothing.
func (r *RateStepper) Run(inputs [][]float64, steps int) ([]float64, error) {
	p, n := r.plan, len(r.plan.Regions)
	if err := p.CheckSeries(inputs, steps); err != nil {
		return nil, err
	}
	depth := max(p.MaxDelay(), 1)
	past := make([]float64, depth*r.pitch) // a ring of the last ticks
	at := func(tick int) []float64 { return past[tick%depth*r.pitch:][:r.pitch] }
	states := make([]float64, steps*n)
	drive, sums := make([]float64, r.pitch), make([]float64, r.pitch)
	leak, linear := p.Rates.Leak, p.Rates.Activation == ActivationLinear
	var noise *rand.Rand
	if r.Noise > 0 {
		noise = Stream(r.NoiseSeed, "state noise")
	}
	tick := depth // what was before lies in the ring, zero
	for step := range steps {
		clear(drive)
		copy(drive, p.Rates.Bias)
		for s, u := range inputs {
			if width := p.Senses[s].Width; u != nil {
				double.Accumulate(drive, u[step*width:], 1, r.inputs[s], r.pitch, width)
			}
		}
		for range p.Ticks.Settle {
			copy(sums, drive)
			for i := range r.groups {
				r.groups[i].add(sums, at(tick-r.groups[i].delay), n)
			}
			last, now := at(tick-1), at(tick)
			if !linear {
				double.Tanh(sums[:n], sums[:n])
			}
			for j, y := range sums[:n] {
				now[j] = leaky(last[j], y, leak[j])
			}
			if noise != nil {
				for j := range n {
					now[j] += r.Noise * noise.NormFloat64()
				}
			}
			tick++
		}
		copy(states[step*n:], at(tick - 1)[:n])
	}
	for i, v := range states {
		if !finite(v) {
			return nil, fmt.Errorf("region %q: its state is %v at step %d; the plan's numbers or its inputs are out of range", p.Regions[i%n].Label, v, i/n)
		}
	}
	return states, nil
}

// maxStates bounds the states that are kept at once: 2 GiB.
const maxStates = 1 << 28

// CheckSeries checks what the senses of a plan of rate cells are given for a
// number of steps.
func (p *Plan) CheckSeries(inputs [][]float64, steps int) error {
	if steps < 0 || steps > maxStates/len(p.Regions) {
		return fmt.Errorf("%d steps of %d regions are %d states, more than the %d that are kept at once", steps, len(p.Regions), steps*len(p.Regions), maxStates)
	}
	if len(inputs) > len(p.Senses) {
		return fmt.Errorf("%d series for the %d senses of plan %q", len(inputs), len(p.Senses), p.Name)
	}
	for s, u := range inputs {
		sense := &p.Senses[s]
		if u != nil && len(u) != steps*sense.Width {
			return fmt.Errorf("sense %q of plan %q got %d numbers, want %d steps of %d", sense.Name, p.Name, len(u), steps, sense.Width)
		}
		for i, v := range u {
			if !finite(v) {
				return fmt.Errorf("sense %q got %v at step %d, want a number", sense.Name, v, i/sense.Width)
			}
		}
	}
	return nil
}
