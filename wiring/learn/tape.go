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

	drive   []float32 // [size, d]
	carry   []float32 // [size, d]
	scratch []float32

	aims  []aimTape
	parts []partTape

	tracts [][]float64 // by episode, what each gives, see [Attribute]; nil when learning
}

// regionTape is one region's part.
type regionTape struct {
	state, norm []float32 // [ticks+1, size, d]
	stored      []float32 // [ticks+1, size, d] of a cell that bursts
	act         []float32 // [ticks, size, d], or what a GRU leaves
	gates       []float32 // [ticks, size, in]
	mixed       []float32 // [ticks, size, in·r]
	axons       []float32 // [ticks+1, size, out·r]; tick 0 unused
	base        []float32 // drive of the senses, [size, d]; empty without
	paced       []float32 // drive of those that give one vector a step, [steps, size, d]

	// What glimpses saw, by the cell's glimpses and then ticks: attention
	// [ticks, size, places], and the mean seen and the query, [ticks, size, width].
	attention, seen, asked [][]float32

	dNorm   []float32 // [ticks+1, size, d] gradient of n(h)
	dState  []float32 // [size, d] what reaches h(t−1) through the leak
	dStored []float32 // [size, d] gradient of what a cell that bursts stores
	dPre    []float32 // [ticks, size, d] gradient of u
	dAxons  []float32 // [ticks+1, size, out·r]
	dGate   []float32 // [ticks, size, in] gradient of the gates' logits
	dMixed  []float32 // [size, in·r]
}

// grow returns a slice of n elements, reusing s where it is large enough.
// The content is undefined.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// last is the last tick at which a region's state can still reach the nearest
// effector before the end.
func (t *tape) last(j int) int { return t.ticks - t.net.ticksTo[j] }

// prepare sizes the buffers for a shard.
func (t *tape) prepare(s *shard) {
	net := t.net
	d, r := net.plan.Width, net.plan.Rank
	t.size, t.ticks = len(s.items), s.ticks(net.plan.Ticks.Settle)
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
		if c.Bursts() {
			g.stored = grow(g.stored, (T+1)*n*d)
			clear(g.stored[:n*d])
		}
		g.act = grow(g.act, T*n*c.Acts())
		g.gates = grow(g.gates, T*n*in)
		g.mixed = grow(g.mixed, T*n*in*r)
		g.axons = grow(g.axons, (T+1)*n*out*r)
	}
	t.zeros = grow(t.zeros, n*r)
	clear(t.zeros)
	t.drive = grow(t.drive, n*d)
	t.carry = grow(t.carry, n*d)
	t.prepareParts()
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

// forward runs the plan over a shard. Every region is stepped by
// [wiring.Cell.Step], as at run time; only a part's module can fail.
func (t *tape) forward(s *shard) error {
	t.prepare(s)
	t.enter(s)
	t.feed(s)
	net := t.net
	p := net.plan
	n, d, r := t.size, p.Width, p.Rank
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
			w.PrevStored, w.Stored = nil, nil
			if c.Bursts() {
				w.PrevStored, w.Stored = g.stored[(tick-1)*n*d:], g.stored[tick*n*d:(tick+1)*n*d]
			}
			w.In = w.In[:0]
			for _, k := range c.In {
				w.In = append(w.In, t.message(k, tick))
			}
			w.Drive = t.driveOf(s, j, tick)
			w.Gates = g.gates[(tick-1)*n*in:]
			w.Mixed = g.mixed[(tick-1)*n*in*r:]
			w.Act = g.act[(tick-1)*n*c.Acts():]
			w.Axons = g.axons[tick*n*out*r:]
			c.Step(n, w)
		}
		if err := t.runParts(tick); err != nil {
			return err
		}
	}
	return nil
}

// enter computes what the senses drive regions with: the same at every tick,
// or for each step.
func (t *tape) enter(s *shard) {
	net := t.net
	p := net.plan
	n, d := t.size, p.Width
	constant, step := make([][]float32, len(p.Senses)), make([][]float32, len(p.Senses))
	for sense := range p.Senses {
		if !p.Senses[sense].PerTick {
			constant[sense] = s.inputs[sense]
		}
	}
	for _, j := range net.active {
		g := &t.regions[j]
		g.base, g.paced = g.base[:0], g.paced[:0]
	}
	for sense := range p.Senses {
		if constant[sense] == nil {
			continue
		}
		for _, j := range p.Senses[sense].Regions {
			if net.ticksTo[j] >= 0 && len(t.regions[j].base) == 0 {
				g := &t.regions[j]
				g.base = grow(g.base, n*d)
				clear(g.base)
				net.cells[j].Embed(g.base, constant, n)
			}
		}
	}
	for _, j := range net.active {
		if !net.paced[j] {
			continue
		}
		g := &t.regions[j]
		g.paced = grow(g.paced, s.steps*n*d)
		clear(g.paced)
		for k := range s.steps {
			for sense := range p.Senses {
				step[sense] = nil
				if size := n * net.data.Numbers[sense]; p.Senses[sense].PerTick && s.inputs[sense] != nil {
					step[sense] = s.inputs[sense][k*size:][:size]
				}
			}
			net.cells[j].Embed(g.paced[k*n*d:][:n*d], step, n)
		}
	}
	for _, j := range net.active {
		looks := net.cells[j].Glimpses()
		g := &t.regions[j]
		if g.attention == nil && len(looks) > 0 {
			g.attention, g.seen, g.asked = make([][]float32, len(looks)), make([][]float32, len(looks)), make([][]float32, len(looks))
		}
		for i := range looks {
			g.attention[i] = grow(g.attention[i], t.ticks*n*looks[i].Places)
			g.seen[i] = grow(g.seen[i], t.ticks*n*looks[i].Width)
			g.asked[i] = grow(g.asked[i], n*looks[i].Width)
		}
	}
}

// feed normalises what comes back in at the ticks after settling.
func (t *tape) feed(s *shard) {
	net := t.net
	n, after := t.size, t.ticks-net.plan.Ticks.Settle
	if t.aims == nil {
		t.aims = make([]aimTape, len(net.aims))
		for i := range t.aims {
			t.aims[i].tape = net.aims[i].readout.Tape()
		}
	}
	for i := range net.aims {
		a, q := &net.aims[i], &t.aims[i]
		if len(a.feedback) == 0 {
			continue
		}
		h := a.effector.FeedbackWidth
		q.feedIn = grow(q.feedIn, after*n*h)
		for w := range after {
			for b := range s.items {
				row := q.feedIn[(w*n+b)*h:][:h]
				if target := s.items[b].targets[i]; target != nil && (w+1)*h <= len(target.Feedback) {
					kernel.RMSNorm(row, target.Feedback[w*h:][:h], wiring.NormEpsilon)
				} else {
					clear(row)
				}
			}
		}
	}
}

// driveOf is what enters a region at a tick besides its tracts; nil for
// nothing.
func (t *tape) driveOf(s *shard, j, tick int) []float32 {
	net := t.net
	p, g := net.plan, &t.regions[j]
	n, d := t.size, p.Width
	var drive []float32
	if len(g.base) > 0 {
		drive = g.base
	}
	own := false // drive is t.drive, which may be added to
	begin := func() {
		if own {
			return
		}
		if drive == nil {
			clear(t.drive)
		} else {
			copy(t.drive, drive)
		}
		drive, own = t.drive, true
	}
	if step := (tick - 1) / p.Ticks.Settle; net.paced[j] && step < s.steps {
		begin()
		kernel.Add(drive, drive, g.paced[step*n*d:][:n*d])
	}
	for i, look := range net.cells[j].Glimpses() {
		if x := s.inputs[look.Sense]; x != nil {
			begin()
			look.Look(drive, x, g.norm[(tick-1)*n*d:][:n*d], g.attention[i][(tick-1)*n*look.Places:], g.seen[i][(tick-1)*n*look.Width:], g.asked[i], n)
		}
	}
	if tick > p.Ticks.Settle {
		for _, f := range net.feeds[j] {
			a := &net.aims[f.aim]
			h := a.effector.FeedbackWidth
			begin()
			wiring.AddFeedback(drive, a.feedback[f.matrix], t.aims[f.aim].feedIn[(tick-1-p.Ticks.Settle)*n*h:], n, d, h)
		}
	}
	t.joinParts(j, func() []float32 { begin(); return drive })
	return drive
}
