package learn

import (
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// tape holds everything one worker remembers of a shard's forward pass, and
// the gradients on the way back. Buffers grow to the largest shard seen and
// are then reused. Arrays over ticks have the tick first; tick 0 is the state
// before the first step, all zero, and is stored where it is needed.
type tape struct {
	net     *network
	size    int // episodes
	ticks   int
	regions []regionTape
	zeros   []float32 // a message before the first
	tick    wiring.Tick

	feedIn  []float32 // n(hidden) of every speaking tick, [words, size, hidden]
	drive   []float32 // [size, d]
	carry   []float32 // [size, d]
	scratch []float32

	read readTape
}

// regionTape is one region's part.
type regionTape struct {
	state, norm []float32 // [ticks+1, size, d]
	act         []float32 // [ticks, size, d]
	gates       []float32 // [ticks, size, in]
	mixed       []float32 // [ticks, size, in·r]
	axons       []float32 // [ticks+1, size, out·r]; tick 0 unused
	base        []float32 // drive of the senses, [size, d]; nil without

	dNorm  []float32 // [ticks+1, size, d] gradient of n(h)
	dState []float32 // [size, d] what reaches h(t−1) through the leak
	dPre   []float32 // [ticks, size, d] gradient of u
	dAxons []float32 // [ticks+1, size, out·r]
	dGate  []float32 // [ticks, size, in] gradient of the gates' logits
	dMixed []float32 // [size, in·r]
}

// grow returns a slice of n elements, reusing s where it is large enough.
// The content is undefined.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// last is the last tick at which a region's state can still reach the
// language region before the end.
func (t *tape) last(j int) int { return t.ticks - t.net.ticksTo[j] }

// prepare sizes the buffers for a shard.
func (t *tape) prepare(s *shard) {
	net := t.net
	d, r := net.plan.Width, net.plan.Rank
	t.size, t.ticks = s.size, s.ticks(net.plan.Stare)
	n, T := t.size, t.ticks
	if t.regions == nil {
		t.regions = make([]regionTape, len(net.cells))
	}
	for _, j := range net.active {
		g := &t.regions[j]
		c := net.cells[j]
		in, out := len(c.In), len(c.Out)
		g.state = grow(g.state, (T+1)*n*d)
		g.norm = grow(g.norm, (T+1)*n*d)
		clear(g.state[:n*d])
		clear(g.norm[:n*d])
		g.act = grow(g.act, T*n*d)
		g.gates = grow(g.gates, T*n*in)
		g.mixed = grow(g.mixed, T*n*in*r)
		g.axons = grow(g.axons, (T+1)*n*out*r)
	}
	t.zeros = grow(t.zeros, n*r)
	clear(t.zeros)
	t.drive = grow(t.drive, n*d)
	t.carry = grow(t.carry, n*d)
}

// message is the view of what tract k carried when it arrives at tick.
func (t *tape) message(k, tick int) wiring.Message {
	tr := &t.net.plan.Tracts[k]
	sent := tick - tr.Delay
	r := t.net.plan.Rank
	if sent < 1 || t.net.ticksTo[tr.From] < 0 {
		return wiring.Message{Data: t.zeros, Stride: r}
	}
	width := len(t.net.cells[tr.From].Out) * r
	return wiring.Message{Data: t.regions[tr.From].axons[sent*t.size*width+t.net.slot[k]*r:], Stride: width}
}

// forward runs the plan over a shard: stare, then one tick a word. Every
// region is stepped by [wiring.Cell.Step], as at run time.
func (t *tape) forward(s *shard) {
	t.prepare(s)
	net := t.net
	p := net.plan
	n, d, r := t.size, p.Width, p.Rank
	e := &p.Effectors[0]

	for _, j := range net.active {
		g := &t.regions[j]
		t.regions[j].base = g.base[:0]
	}
	for sense := range p.Senses {
		if s.inputs[sense] == nil {
			continue
		}
		for _, j := range p.Senses[sense].Regions {
			if net.ticksTo[j] >= 0 && len(t.regions[j].base) == 0 {
				g := &t.regions[j]
				g.base = grow(g.base, n*d)
				clear(g.base)
				net.cells[j].Embed(g.base, s.inputs, n)
			}
		}
	}
	words := t.ticks - p.Stare
	h := net.data.Hidden
	t.feedIn = grow(t.feedIn, words*n*h)
	for w := range words {
		for b, c := range s.captions {
			row := t.feedIn[(w*n+b)*h:][:h]
			if w < len(c.Words) {
				kernel.RMSNorm(row, c.Hidden[w*h:][:h], wiring.NormEpsilon)
			} else {
				clear(row)
			}
		}
	}
	feedback := net.out.Feedback

	for tick := 1; tick <= t.ticks; tick++ {
		for _, j := range net.active {
			if tick > t.last(j) {
				continue
			}
			g, c := &t.regions[j], net.cells[j]
			in, out := len(c.In), len(c.Out)
			w := &t.tick
			w.PrevState, w.State = g.state[(tick-1)*n*d:], g.state[tick*n*d:(tick+1)*n*d]
			w.PrevNorm, w.Norm = g.norm[(tick-1)*n*d:tick*n*d], g.norm[tick*n*d:(tick+1)*n*d]
			w.In = w.In[:0]
			for _, k := range c.In {
				w.In = append(w.In, t.message(k, tick))
			}
			w.Drive = nil
			if len(g.base) > 0 {
				w.Drive = g.base
			}
			if j == e.Feedback && tick > p.Stare {
				if w.Drive == nil {
					clear(t.drive)
				} else {
					copy(t.drive, g.base)
				}
				kernel.Gemm(false, true, n, d, h, t.feedIn[(tick-1-p.Stare)*n*h:], feedback, t.drive, true)
				w.Drive = t.drive
			}
			w.Gates = g.gates[(tick-1)*n*in:]
			w.Mixed = g.mixed[(tick-1)*n*in*r:]
			w.Act = g.act[(tick-1)*n*d:]
			w.Axons = g.axons[tick*n*out*r:]
			c.Step(n, w)
		}
	}
}
