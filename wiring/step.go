package wiring

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
)

// NormEpsilon is added to a state's mean square before [Cell.Step] divides by
// its root: n(h) = h / sqrt(mean(h²) + ε). It bounds the gain of a silent
// region, whose state is near zero, to 1/sqrt(ε) = 10.
const NormEpsilon = 1e-2

// Message is what a tract carries in one tick, see [kernel.Message].
type Message = kernel.Message

// Cell is one region's arithmetic with its learned matrices, for any number
// of episodes at once. It holds the plan's matrices transposed (see
// [Cell.Refresh]), keeps no state of its own and allocates nothing in
// [Cell.Step]; it is safe for concurrent use as long as nobody changes the
// parameters.
type Cell struct {
	// Region is the index of the region in the plan.
	Region int
	// In and Out are indices of tracts in the plan, in increasing order.
	In, Out []int
	// Width is d, Rank is r.
	Width, Rank int
	// Lambda is the leak λ = σ(ℓ); 0 of a GRU.
	Lambda float32

	gru     *gru      // in the place of the leak; nil for none
	scale   []float32 // s_ij of the incoming tracts
	weights Weights
	senses  []cellSense
	looks   []Glimpse

	// Vᵀ [d, out·r], Uᵀ [in·r, d] and cᵀ [d, in].
	axon, synapse, gate matrix
	half                bool // these are kept in binary16
	burst               *bursting
}

// cellSense is a sense that enters the cell's region.
type cellSense struct {
	sense  int
	width  int
	embed  []float32 // [d, width]
	turned matrix    // and transposed
}

// Cells returns the arithmetic of every region, in the plan's order.
func (p *Plan) Cells() ([]*Cell, error) { return p.cells(false, nil) }

// HalfCells are cells that keep the matrices of tracts in IEEE 754 binary16, each
// divided by a power of two so that none of its numbers overflows. They take half
// the memory, and what a tick of one input mostly waits for is memory. Sums are in
// float32. A plan learns with [Plan.Cells].
func (p *Plan) HalfCells() ([]*Cell, error) { return p.cells(true, nil) }

// SomeCells are the cells of some regions, in the plan's order with nil for the
// others: as those of [Plan.Cells], or with half of [Plan.HalfCells].
func (p *Plan) SomeCells(regions []int, half bool) ([]*Cell, error) {
	some := make([]bool, len(p.Regions))
	for _, j := range regions {
		if j < 0 || j >= len(some) {
			return nil, fmt.Errorf("plan %q has no region %d, it has %d", p.Name, j, len(some))
		}
		some[j] = true
	}
	return p.cells(half, some)
}

// cells are those of some regions, nil for all.
func (p *Plan) cells(half bool, some []bool) ([]*Cell, error) {
	if p.IsRate() {
		return nil, fmt.Errorf("plan %q is made of rate cells: fit it with `wire train --rule readout` and run it with `wire run`", p.Name)
	}
	if p.Params == nil {
		return nil, fmt.Errorf("plan %q has no parameters: initialise or train it first", p.Name)
	}
	if p.Params.released {
		return nil, fmt.Errorf("plan %q: %w", p.Name, errReleased)
	}
	cells := make([]*Cell, len(p.Regions))
	out := p.outgoing()
	for j := range p.Regions {
		if some != nil && !some[j] {
			continue
		}
		c := &Cell{Region: j, Out: out[j], Width: p.Width, Rank: p.Rank, half: half}
		lo, hi := p.Incoming(j)
		c.In, c.scale = make([]int, 0, hi-lo), make([]float32, 0, hi-lo)
		for k := lo; k < hi; k++ {
			c.In = append(c.In, k)
			c.scale = append(c.scale, float32(p.Tracts[k].Scale))
		}
		if b := p.Burst; b != nil && slices.Contains(b.Regions, j) {
			c.burst = &bursting{gain: float32(b.Gain), rise: float32(b.Rise), fall: float32(b.Fall)}
		}
		c.bind(p)
		if w := c.weights; w.Bias == nil || w.Leak == nil && w.GRUCandidate == nil {
			return nil, fmt.Errorf("plan %q: region %q has no parameters", p.Name, p.Regions[j].Label)
		}
		c.Refresh()
		cells[j] = c
	}
	return cells, nil
}

// bind finds the cell's parameters in the plan's; what it made of them it keeps.
func (c *Cell) bind(p *Plan) {
	c.weights = p.Weights(p.Params, c.Region)
	if w := c.weights; w.GRUCandidate != nil {
		if c.gru == nil {
			c.gru = &gru{width: p.Width}
		}
		c.gru.input, c.gru.state, c.gru.bias, c.gru.candidate = w.GRUInput, w.GRUState, w.GRUBias, w.GRUCandidate
	}
	turned := c.senses
	c.senses, c.looks = nil, nil
	for s := range p.Senses {
		_, _, embed := p.SenseWeights(p.Params, s)
		query := p.QueryWeights(p.Params, s)
		for i, at := range p.Senses[s].Regions {
			switch {
			case at == c.Region && query != nil:
				c.looks = append(c.looks, Glimpse{Sense: s, Places: p.Senses[s].Places, Width: p.Senses[s].Width, d: p.Width, embed: embed[i], query: query[i]})
			case at == c.Region:
				x := cellSense{sense: s, width: p.Senses[s].Width, embed: embed[i]}
				if n := len(c.senses); n < len(turned) {
					x.turned = turned[n].turned
				}
				c.senses = append(c.senses, x)
			}
		}
	}
}

// Refresh brings the transposed matrices and the leak up to date after the plan's
// parameters changed.
func (c *Cell) Refresh() {
	d, r := c.Width, c.Rank
	fill := (*matrix).fill
	if c.half {
		fill = (*matrix).fillHalf
	}
	fill(&c.axon, c.weights.Axon, d, len(c.Out)*r)
	fill(&c.synapse, c.weights.Synapse, len(c.In)*r, d)
	fill(&c.gate, c.weights.GateState, d, len(c.weights.GateBias)) // none where gates are fixed
	for i := range c.senses {
		s := &c.senses[i]
		s.turned.fill(s.embed, s.width, d)
	}
	if c.gru != nil {
		c.gru.refresh()
		return
	}
	c.Lambda = sigmoid(c.weights.Leak[0])
}

// Scales returns s_ij of the incoming tracts, in the order of [Cell.In]; it
// may not be changed.
func (c *Cell) Scales() []float32 { return c.scale }

// sigmoid is the logistic function 1/(1+e^−x).
func sigmoid(x float32) float32 {
	return float32(1 / (1 + math.Exp(-float64(x))))
}

// Tick holds what one region reads and writes in one tick, for a batch of B
// episodes. All slices are row-major with the episode first. PrevState may be
// the same memory as State, and PrevNorm as Norm.
type Tick struct {
	// PrevState is h(t−1) and PrevNorm n(h(t−1)), both [B, d].
	PrevState, PrevNorm []float32
	// PrevStored is p(t−1), and Stored receives p(t), both [B, d], of a cell that
	// bursts; they may be the same memory.
	PrevStored, Stored []float32
	// Columns, when not 0, says that what is a few numbers of an episode lies in
	// columns, number by number, with the episodes side by side: messages that
	// arrive are [r, Columns], axons [out·r, Columns], gates [in, Columns], and rows of
	// gated messages are [Pitch] apart. It is the batch or a little more, see [Columns].
	Columns int
	// Turned is scratch for columns, see [TurnedLen].
	Turned []float32
	// In holds z(t−δ) of every incoming tract, in the order of [Cell.In].
	In []Message
	// Drive is Σ E x, what modules bring into the region, [B, d]; nil for none.
	Drive []float32

	// Gates receives g(t), [B, in]; in columns [in, Columns].
	Gates []float32
	// Mixed receives s·g·z of every incoming tract, [B, in·r]; in columns
	// [in·r, Pitch].
	Mixed []float32
	// Act receives tanh(u(t)), [B, d]; of a GRU more, [Cell.Acts] numbers a row.
	Act []float32
	// State receives h(t), [B, d].
	State []float32
	// Norm receives n(h(t)), [B, d].
	Norm []float32
	// Axons receives z(t) of every outgoing tract, stacked: [B, out·r]; in columns
	// [out·r, Columns], so that tracts lie one after the other.
	Axons []float32
}

// NewTick returns a tick's buffers for a batch; In is sized but left empty,
// and the previous state shares memory with the next.
func (c *Cell) NewTick(batch int) *Tick {
	state := make([]float32, batch*c.Width)
	norm := make([]float32, batch*c.Width)
	var stored []float32
	if c.Bursts() {
		stored = make([]float32, batch*c.Width)
	}
	return &Tick{
		PrevStored: stored, Stored: stored,
		PrevState: state, PrevNorm: norm, State: state, Norm: norm,
		In:    make([]Message, len(c.In)),
		Gates: make([]float32, batch*len(c.In)),
		Mixed: make([]float32, batch*len(c.In)*c.Rank),
		Act:   make([]float32, batch*c.Acts()),
		Axons: make([]float32, batch*len(c.Out)*c.Rank),
	}
}

// Message returns the view of the k-th outgoing tract in the tick's stacked
// axons.
func (c *Cell) Message(t *Tick, k int) Message {
	return Message{Data: t.Axons[k*c.Rank:], Stride: len(c.Out) * c.Rank}
}

// Glimpses lists the senses that the region looks at tick by tick, by
// [Glimpse.Look]; what it sees joins the drive.
func (c *Cell) Glimpses() []Glimpse { return c.looks }

// Step computes one tick of the region:
//
//	g_ij(t) = σ(β_ij + a_ij·z_ij(t−δ) + c_ij·n(h_j(t−1)))
//	u_j(t)  = Σ_i s_ij g_ij(t) U_ij z_ij(t−δ) + Σ_k E_k x_k(t) + b_j
//	h_j(t)  = (1−λ_j) h_j(t−1) + λ_j tanh(u_j(t))
//	z_jk(t) = V_jk n(h_j(t))
//
// The gate reads the signal as it arrives, and so needs nothing that the
// target does not have; fixed gates are ½. Sums run in the order of [Cell.In].
// A plan of gated recurrent units makes h_j(t) of u_j(t) as these do.
func (c *Cell) Step(batch int, t *Tick) {
	d, in, out := c.Width, len(c.In), len(c.Out)

	switch {
	case in == 0:
	case t.Columns > 0:
		c.gateColumns(batch, t)
	default:
		c.gateRows(batch, t)
	}

	// Input: u = bias (+ drive) + synapses, then tanh, in Act.
	act := t.Act[:batch*d]
	for b := range batch {
		row := act[b*d:][:d]
		copy(row, c.weights.Bias)
		if t.Drive != nil {
			kernel.Add(row, row, t.Drive[b*d:][:d])
		}
	}
	switch {
	case in == 0:
	case t.Columns > 0:
		c.synapse.ofColumns(batch, t.Mixed, Pitch(batch), act)
	default:
		c.synapse.product(batch, t.Mixed, act, true)
	}

	// State and its normalised copy.
	if c.gru != nil {
		c.gru.step(batch, t.Act, t.PrevState, t.State)
	} else {
		if c.burst != nil {
			c.burst.excite(act, t.PrevStored[:batch*d])
			c.burst.store(t.Stored, t.PrevStored[:batch*d], t.PrevState)
		}
		kernel.Tanh(act, act)
		kernel.Mix(t.State, 1-c.Lambda, t.PrevState[:batch*d], c.Lambda, act)
	}
	Normalise(t.Norm, t.State, batch, d)

	// Axons.
	switch {
	case out == 0:
	case t.Columns > 0:
		c.turn(batch, t, t.Norm)
		c.axon.columns(t.Columns, t.Turned, t.Axons, t.Columns)
	default:
		c.axon.product(batch, t.Norm, t.Axons, false)
	}
}

// gateRows computes gates, and messages gated by them.
func (c *Cell) gateRows(batch int, t *Tick) {
	r, in := c.Rank, len(c.In)
	if c.weights.GateBias == nil {
		c.letThrough(batch, t)
		return
	}
	// The state's part is one product, the signal's part r numbers a tract.
	gates := t.Gates[:batch*in]
	c.gate.product(batch, t.PrevNorm, gates, false)
	// Tract by tract, since a tract's messages lie in one place; what they
	// bring is kept side by side for the product.
	if batch == 1 {
		kernel.GatherOnce(r, t.Mixed, t.In, c.weights.GateSignal, c.weights.GateBias, gates)
	}
	for k := 0; k < in && batch > 1; k++ {
		m := &t.In[k]
		kernel.Gather(batch, r, t.Mixed[k*r:], in*r, m.Data, m.Stride, c.weights.GateSignal[k*r:], c.weights.GateBias[k], gates[k:], in)
	}
	kernel.Sigmoid(gates, gates)
	for b := range batch {
		kernel.ScaleRows(in, r, t.Mixed[b*in*r:], c.scale, gates[b*in:])
	}
}

// Normalise writes n(h) = h / sqrt(mean(h²) + [NormEpsilon]) of every row of
// state, [batch, d], to norm.
func Normalise(norm, state []float32, batch, d int) {
	for b := range batch {
		kernel.RMSNorm(norm[b*d:][:d], state[b*d:][:d], NormEpsilon)
	}
}

// Embed adds E·x of every sense that enters the region to drive, [batch, d],
// those of its glimpses aside. inputs holds a sense's standardised vectors,
// [batch, width], at the sense's index in the plan; nil when the sense is
// missing. It reports whether anything was added.
func (c *Cell) Embed(drive []float32, inputs [][]float32, batch int) bool {
	added := false
	for _, s := range c.senses {
		if x := inputs[s.sense]; x != nil {
			s.turned.product(batch, x, drive, true)
			added = true
		}
	}
	return added
}

// Standardise writes (x − mean)/scale of every row of x, [batch, width], or
// [batch, places, width], to
// dst: what enters a region has about zero mean and unit variance over the
// training set. dst may be x.
func (p *Plan) Standardise(dst []float32, sense int, x []float32, batch int) {
	s := &p.Senses[sense]
	mean := p.Params.Get(senseName(s.Name, "mean"))
	scale := p.Params.Get(senseName(s.Name, "scale"))
	for b := range batch * max(s.Places, 1) {
		row := x[b*s.Width:][:s.Width]
		to := dst[b*s.Width:][:s.Width]
		for i, v := range row {
			to[i] = (v - mean[i]) / scale[i]
		}
	}
}
