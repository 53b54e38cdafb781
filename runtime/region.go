package runtime

import (
	"fmt"
	"slices"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// region is one region of a process.
type region struct {
	net      *Network
	process  *process
	cell     *wiring.Cell
	index    int
	label    string
	lesioned bool
	prefix   int // how much of a slab of one row lies before its axons
	in       []incoming
	readers  []reader  // effectors that read the region
	feeds    []feed    // effectors whose feedback comes back into it
	paced    bool      // a sense that gives one vector a step enters it
	fills    []int     // parts that read it
	joined   []joining // parts that join it

	tick wiring.Tick // cut to the episode's batch

	// Buffers, made for the network's capacity. What a step needs for itself
	// alone is the process's.
	state, norm []float32
	stored      []float32 // of a cell that bursts
	drive       []float32 // senses, [batch, d]: the same in every tick
	pace        []float32 // senses of the current step
	whole       []float32 // drive with what belongs to this tick alone
	back        []float32 // scratch for normalised feedback, [batch, width]
	looks       []looking // scratch of the cell's glimpses
	// Copies of messages of which rows are cut or reordered, made when first
	// needed, and scratch to reorder states.
	gather, shuffle []float32

	cuts map[int][]int // rows of the batch for which an incoming tract is cut in this episode

	driven  bool
	altered bool // a tract is cut for some rows, or the episode reorders
	held    int  // the step that pace holds; −1 for none
	// silenced are the requests that are silenced here, and dead the rows of
	// those; dead is nil for none.
	silenced []bool
	dead     []int
}

// reader is an effector that reads the region, and the region's place among those
// it reads.
type reader struct{ effector, place int }

// feed is an effector whose feedback comes back into the region, the region's
// place among those where it does, and the matrix E_f [d, width].
type feed struct {
	effector, place, width int
	matrix                 []float32
}

// looking is the scratch of a glimpse.
type looking struct{ attention, seen, asked []float32 }

// incoming is a region's end of a tract: an axon of its source's slab.
type incoming struct {
	from    *region
	at      int   // of the message in the slab, for this episode's batch
	slot    int32 // among the source's axons
	delay   int32
	arrival int32
	cut     bool
}

// size makes the region's buffers for batches of so many rows.
func (r *region) size(capacity int) {
	c := r.cell
	r.state, r.norm = make([]float32, capacity*c.Width), make([]float32, capacity*c.Width)
	r.tick.In = make([]wiring.Message, len(c.In))
	if c.Bursts() {
		r.stored = make([]float32, capacity*c.Width)
	}
	r.drive = make([]float32, capacity*c.Width)
	r.whole, r.pace, r.back, r.gather, r.shuffle = nil, nil, nil, nil, nil
	looks := c.Glimpses()
	if r.paced || len(r.feeds) > 0 || len(looks) > 0 || len(r.joined) > 0 {
		r.whole = make([]float32, capacity*c.Width)
	}
	for i := range r.joined {
		r.joined[i].full = make([]float32, capacity*c.Width)
	}
	if r.paced {
		r.pace = make([]float32, capacity*c.Width)
	}
	for _, f := range r.feeds {
		r.back = make([]float32, max(len(r.back), capacity*f.width))
	}
	r.looks = make([]looking, len(looks))
	for i, l := range looks {
		r.looks[i] = looking{make([]float32, capacity*l.Places), make([]float32, capacity*l.Width), make([]float32, capacity*l.Width)}
	}
}

// prepare brings the region to the state before the first tick: silence.
func (r *region) prepare(e *episode) {
	c, n, rank := r.cell, e.batch*r.cell.Width, r.cell.Rank
	r.tick.State, r.tick.Norm = r.state[:n], r.norm[:n]
	r.tick.Columns, r.tick.Turned = e.columns, r.process.turned
	r.tick.Gates, r.tick.Mixed, r.tick.Act = r.process.gates, r.process.mixed, r.process.act
	r.tick.PrevState, r.tick.PrevNorm = r.tick.State, r.tick.Norm
	if r.stored != nil {
		r.tick.Stored, r.tick.PrevStored = r.stored[:n], r.stored[:n]
	}
	if e.base == 0 {
		clear(r.tick.State)
		clear(r.tick.Norm)
		clear(r.stored)
	} else {
		r.refill(e)
	}
	r.silenced, r.dead = nil, nil
	r.altered = e.reorder
	for k := range r.in {
		in := &r.in[k]
		in.at = e.across * (in.from.prefix + int(in.slot)*rank)
		r.tick.In[k].Stride = rank
		r.altered = r.altered || in.cut
	}
	r.cuts = nil
	for b, tract := range e.cut {
		if k, found := slices.BinarySearch(c.In, tract); found {
			if r.cuts == nil {
				r.cuts = map[int][]int{}
			}
			r.cuts[k] = append(r.cuts[k], b)
			r.altered = true
		}
	}
	if r.altered && r.gather == nil {
		r.gather = make([]float32, r.net.across*len(c.In)*rank)
	}
	if e.reorder && r.shuffle == nil {
		r.shuffle = make([]float32, r.net.capacity*c.Width)
	}
	for i := range r.joined {
		r.joined[i].prepare(e)
	}
	clear(r.drive[:n])
	r.driven = !r.lesioned && c.Embed(r.drive, e.entering(r.process.enters, -1), e.batch)
	r.held = -1
}

// refill gives the parts that run between the last episode and this one the
// state that the region was left in.
func (r *region) refill(e *episode) {
	for _, i := range r.fills {
		if f := e.fillings[i]; f.part.Runs(e.base) {
			buffer := <-f.freed
			copy(buffer, r.tick.Norm)
			f.states <- buffer
		}
	}
}

// step is the region's tick. It returns false when the episode has ended.
func (r *region) step(e *episode, t int, slab []float32) bool {
	for k := range r.in {
		r.tick.In[k].Data = r.process.now[r.in[k].arrival][r.in[k].at:]
	}
	if r.altered {
		r.alter(e)
	}
	if !r.listen(e, t) {
		return false
	}
	messages := slab[e.across*r.prefix:][:e.across*len(r.cell.Out)*r.cell.Rank]
	r.tick.Axons = messages // tract by tract already, in columns or of one row
	apart := e.columns == 0 && e.batch > 1
	if apart {
		r.tick.Axons = r.process.axons[:len(messages)]
	}
	r.advance(e, t)
	if apart {
		r.write(messages, e.batch)
	}
	return r.give(e, t)
}

// write writes what leaves the region into its part of a slab, tract by tract
// [out, batch, r], so that each target reads its message from one place.
func (r *region) write(messages []float32, batch int) {
	rank, width := r.cell.Rank, len(r.cell.Out)*r.cell.Rank
	for k := range r.cell.Out {
		kernel.CopyRows(messages[k*batch*rank:], rank, r.tick.Axons[k*rank:], width, batch, rank)
	}
}

// alter cuts tracts, and brings state and messages into a beam's new order.
func (r *region) alter(e *episode) {
	p, d, rank := r.process, r.cell.Width, r.cell.Rank
	if parents := p.parents; parents != nil {
		for _, s := range [][]float32{r.tick.State, r.tick.Norm, r.tick.Stored} {
			if s == nil {
				continue
			}
			for b, from := range parents {
				copy(r.shuffle[b*d:][:d], s[int(from)*d:][:d])
			}
			copy(s, r.shuffle)
		}
	}
	for k := range r.in {
		in := &r.in[k]
		m := wiring.Message{Data: r.tick.In[k].Data, Stride: rank}
		switch {
		case in.cut:
			m = wiring.Message{Data: p.zero, Stride: 0}
		case len(r.cuts[k]) > 0 || e.reorder && p.moved[in.delay]:
			to := r.gather[k*e.across*rank:][:e.across*rank]
			for b := range e.batch {
				row := b
				if e.reorder {
					row = int(p.rows[in.delay][b])
				}
				e.copyEpisode(to, b, m.Data, row, rank)
			}
			for _, b := range r.cuts[k] {
				e.clearEpisode(to, b, rank)
			}
			m = wiring.Message{Data: to, Stride: rank}
		}
		r.tick.In[k] = m
	}
}

// listen sets the tick's drive: what the senses bring, and what effectors fed
// back, in the order in which learning adds them.
func (r *region) listen(e *episode, t int) bool {
	n := e.batch * r.cell.Width
	drive := []float32(nil)
	if r.driven {
		drive = r.drive[:n]
	}
	own := false // drive is r.whole, which may be added to
	begin := func() {
		if own {
			return
		}
		drive, own = r.whole[:n], true
		copy(drive, r.drive) // zeros where nothing drives
	}
	if r.paced && !r.lesioned && t < e.steps*r.net.plan.Ticks.Settle {
		if step := t / r.net.plan.Ticks.Settle; step != r.held {
			clear(r.pace[:n])
			r.cell.Embed(r.pace, e.entering(r.process.enters, step), e.batch)
			r.held = step
		}
		begin()
		kernel.Add(drive, drive, r.pace)
	}
	if !r.lesioned {
		for i, look := range r.cell.Glimpses() {
			if x := e.inputs[look.Sense]; x != nil {
				begin()
				look.Look(drive, x, r.tick.Norm, r.looks[i].attention, r.looks[i].seen, r.looks[i].asked, e.batch)
			}
		}
	}
	for _, f := range r.feeds {
		a := e.actors[f.effector]
		if a == nil {
			continue
		}
		done, ok := receive(e, a.back[f.place], t)
		if !ok {
			return false
		}
		if done != nil && !r.lesioned {
			begin()
			wiring.Normalise(r.back, done, e.batch, f.width)
			wiring.AddFeedback(drive, f.matrix, r.back, e.batch, r.cell.Width, f.width)
		}
	}
	for i := range r.joined {
		x := &r.joined[i]
		if !x.hold(e, t) {
			return false
		}
		if parents := r.process.parents; parents != nil {
			x.reorder(parents, r.shuffle)
		}
		if x.holds && !r.lesioned {
			begin()
			kernel.Add(drive, drive, x.held)
		}
	}
	r.tick.Drive = drive
	return true
}

// advance computes the tick.
func (r *region) advance(e *episode, t int) {
	var began time.Duration
	if e.trace != nil {
		began = time.Since(e.start)
	}
	r.cell.Step(e.batch, &r.tick)
	if r.lesioned {
		clear(r.tick.Stored)
		clear(r.tick.State)
		clear(r.tick.Norm)
		clear(r.tick.Axons)
	} else {
		r.watch(e, t)
	}
	if e.trace != nil {
		e.trace.record(r, e, t, began, time.Since(e.start))
		for i := range r.joined {
			e.trace.Joined[r.joined[i].part.Index][t] = r.joined[i].strength()
		}
		if e.trace.States != nil {
			e.trace.keep(r, t)
		}
		if e.trace.Digests != nil {
			e.trace.digest(r, e, t)
		}
	}
}

// watch silences the region for requests whose state is no number. One look at
// a row is enough: states lie between −1 and 1, and one that is NaN makes all
// of its row's normalised ones NaN.
func (r *region) watch(e *episode, t int) {
	d := r.cell.Width
	for b := range e.batch {
		q := e.of[b]
		if v := r.tick.Norm[b*d]; v-v == 0 || r.silenced != nil && r.silenced[q] {
			continue
		}
		if r.silenced == nil {
			r.silenced = make([]bool, len(e.requests))
		}
		r.silenced[q] = true
		for row, of := range e.of {
			if of == q {
				r.dead = append(r.dead, row)
			}
		}
		e.report(fault{t, r.index, q, fmt.Errorf(
			"region %q: its state is no number at tick %d; the plan's parameters or its inputs are out of range", r.label, t)})
	}
	axons := len(r.cell.Out) * r.cell.Rank
	for _, b := range r.dead {
		clear(r.tick.State[b*d:][:d])
		clear(r.tick.Norm[b*d:][:d])
		if r.stored != nil {
			clear(r.stored[b*d:][:d])
		}
		e.clearEpisode(r.tick.Axons, b, axons)
	}
}

// give sends the normalised state to the parts and effectors that read the
// region.
func (r *region) give(e *episode, t int) bool {
	for _, i := range r.fills {
		f := e.fillings[i]
		if !f.part.Runs(e.base + t + 1) {
			continue
		}
		buffer, ok := receive(e, f.freed, t)
		if !ok {
			return false
		}
		copy(buffer, r.tick.Norm)
		if !send(e, f.states, buffer, t) {
			return false
		}
	}
	for _, x := range r.readers {
		a := e.actors[x.effector]
		if a == nil {
			continue
		}
		buffer, ok := receive(e, a.freed[x.place], t)
		if !ok {
			return false
		}
		copy(buffer, r.tick.Norm)
		// An actor that was done before the others still takes the last tick, so
		// what belongs to it must not be dropped: only what comes later may be.
		if !send(e, a.states[x.place], buffer, t-1) {
			return false
		}
	}
	return true
}
