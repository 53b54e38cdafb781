package runtime

import (
	"fmt"
	"math"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// region is the process that steps one region.
type region struct {
	net      *Network
	cell     *wiring.Cell
	index    int
	label    string
	lesioned bool
	in       []incoming
	out      []chan wiring.Message
	readers  []reader  // effectors that read the region
	feeds    []feed    // effectors whose feedback comes back into it
	paced    bool      // a sense that gives one vector a step enters it
	fills    []int     // parts that read it
	joined   []joining // parts that join it
	maxDelay int

	// Buffers, sized for the network's batch.
	tick  *wiring.Tick
	ring  [][]float32 // axons of the last ticks, [batch, out·r] each
	zero  []float32   // what a tract carries before anything was sent, [batch, r]
	drive []float32   // senses, [batch, d]: the same in every tick
	pace  []float32   // senses of the current step
	whole []float32   // drive with what belongs to this tick alone
	back  []float32   // scratch for normalised feedback, [batch, width]
	looks []looking   // scratch of the cell's glimpses

	driven   bool
	step     int // that pace holds; −1 for none
	silenced bool

	// Beam search: the orders of the last maxDelay ticks, newest first, and
	// scratch to apply them.
	orders  [][]int32
	parents []int32 // of this tick; nil for none
	gather  []float32
	shuffle []float32
	rows    []int32
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

// incoming is a region's end of a tract.
type incoming struct {
	ch    chan wiring.Message
	delay int
	cut   bool
	rows  []int // of the batch, for which the tract is cut in this episode
}

// size makes the region's buffers for a batch.
func (r *region) size(batch int) {
	c := r.cell
	r.tick = c.NewTick(batch)
	for i := range r.ring {
		r.ring[i] = make([]float32, batch*len(c.Out)*c.Rank)
	}
	r.zero = make([]float32, batch*c.Rank)
	r.drive = make([]float32, batch*c.Width)
	r.whole, r.pace, r.back = nil, nil, nil
	looks := c.Glimpses()
	if r.paced || len(r.feeds) > 0 || len(looks) > 0 || len(r.joined) > 0 {
		r.whole = make([]float32, batch*c.Width)
	}
	for i := range r.joined {
		r.joined[i].held = make([]float32, batch*c.Width)
	}
	if r.paced {
		r.pace = make([]float32, batch*c.Width)
	}
	for _, f := range r.feeds {
		r.back = make([]float32, max(len(r.back), batch*f.width))
	}
	r.looks = make([]looking, len(looks))
	for i, l := range looks {
		r.looks[i] = looking{make([]float32, batch*l.Places), make([]float32, batch*l.Width), make([]float32, batch*l.Width)}
	}
	r.orders = make([][]int32, r.maxDelay)
	for i := range r.orders {
		r.orders[i] = make([]int32, batch)
	}
	r.gather = make([]float32, batch*len(c.In)*c.Rank)
	r.shuffle = make([]float32, batch*c.Width)
	r.rows = make([]int32, batch)
}

// prepare brings the region and its incoming tracts to the state before the
// first tick: silence.
func (r *region) prepare(e *episode) {
	clear(r.tick.State)
	clear(r.tick.Norm)
	r.silenced = false
	r.parents = nil
	for k := range r.in {
		in := &r.in[k]
		for range in.delay {
			in.ch <- wiring.Message{Data: r.zero, Stride: r.cell.Rank}
		}
		in.rows = in.rows[:0]
		for b, tract := range e.cut {
			if tract == r.cell.In[k] {
				in.rows = append(in.rows, b)
			}
		}
	}
	for i := range r.joined {
		r.joined[i].prepare(e)
	}
	for i := range r.orders {
		identity(r.orders[i])
	}
	clear(r.drive)
	r.driven = !r.lesioned && r.cell.Embed(r.drive, r.net.entering(e, -1), e.batch)
	r.step = -1
}

// run is the region's life in one episode.
func (r *region) run(e *episode) {
	for t := 0; int64(t) <= e.last.Load(); t++ {
		if !r.take(e, t) || !r.listen(e, t) {
			return
		}
		r.advance(e, t)
		if !r.give(e, t) {
			return
		}
	}
}

// take receives one message from every incoming tract and, in beam search,
// brings everything into the new order.
func (r *region) take(e *episode, t int) bool {
	for k := range r.in {
		m, ok := receive(e, r.in[k].ch, t)
		if !ok {
			return false
		}
		if r.in[k].cut {
			m = wiring.Message{Data: r.zero, Stride: r.cell.Rank}
		} else if len(r.in[k].rows) > 0 {
			m = r.without(k, m)
		}
		r.tick.In[k] = m
	}
	if e.reorder {
		parents, ok := receive(e, e.orders[r.index], t)
		if !ok {
			return false
		}
		r.reorder(parents)
		r.parents = parents
	}
	return true
}

// without copies incoming message k, with zeros for the inputs of the batch
// for which the tract is cut.
func (r *region) without(k int, m wiring.Message) wiring.Message {
	batch, rank := len(r.rows), r.cell.Rank
	to := r.gather[k*batch*rank:][:batch*rank]
	for b := range batch {
		copy(to[b*rank:][:rank], m.Data[b*m.Stride:][:rank])
	}
	for _, b := range r.in[k].rows {
		clear(to[b*rank:][:rank])
	}
	return wiring.Message{Data: to, Stride: rank}
}

// listen sets the tick's drive: what the senses bring, and what effectors fed
// back, in the order in which learning adds them.
func (r *region) listen(e *episode, t int) bool {
	drive := []float32(nil)
	if r.driven {
		drive = r.drive
	}
	own := false // drive is r.whole, which may be added to
	begin := func() {
		if own {
			return
		}
		copy(r.whole, r.drive) // zeros where nothing drives
		drive, own = r.whole, true
	}
	if r.paced && !r.lesioned && t < e.steps*r.net.plan.Ticks.Settle {
		if step := t / r.net.plan.Ticks.Settle; step != r.step {
			clear(r.pace)
			r.cell.Embed(r.pace, r.net.entering(e, step), e.batch)
			r.step = step
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
		if r.parents != nil {
			x.reorder(r.parents, r.shuffle)
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
	r.tick.Axons = r.ring[t%len(r.ring)]
	var began time.Duration
	if e.trace != nil {
		began = time.Since(e.start)
	}
	r.cell.Step(e.batch, r.tick)
	if !r.lesioned && !r.silenced {
		if at := firstNotFinite(r.tick.State); at >= 0 {
			r.silenced = true
			e.report(r.net.config.Policy, fault{t, r.index, fmt.Errorf(
				"region %q: its state is %v at tick %d; the plan's parameters or its inputs are out of range",
				r.label, r.tick.State[at], t)})
		}
	}
	if r.lesioned || r.silenced {
		clear(r.tick.State)
		clear(r.tick.Norm)
		clear(r.tick.Axons)
	}
	if e.trace != nil {
		e.trace.record(r, t, e.batch, began, time.Since(e.start))
		for i := range r.joined {
			e.trace.Joined[r.joined[i].part.Index][t] = r.joined[i].strength()
		}
		if e.trace.States != nil {
			e.trace.keep(r, t)
		}
	}
}

// give sends one message on every outgoing tract, and the normalised state
// to the effectors that read the region.
func (r *region) give(e *episode, t int) bool {
	for k, ch := range r.out {
		if !send(e, ch, r.cell.Message(r.tick, k), t) {
			return false
		}
	}
	for _, i := range r.fills {
		f := e.fillings[i]
		if !f.part.Runs(t + 1) {
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

// reorder applies a beam's new order to the state, and all orders since it
// was sent to each message.
func (r *region) reorder(parents []int32) {
	batch, d, rank := len(r.rows), r.cell.Width, r.cell.Rank
	if len(r.orders) > 0 {
		oldest := r.orders[len(r.orders)-1]
		copy(r.orders[1:], r.orders)
		r.orders[0] = oldest
		if parents == nil {
			identity(oldest)
		} else {
			copy(oldest, parents)
		}
	}
	if parents != nil {
		for _, s := range [][]float32{r.tick.State, r.tick.Norm} {
			for b, p := range parents {
				copy(r.shuffle[b*d:][:d], s[int(p)*d:][:d])
			}
			copy(s, r.shuffle)
		}
	}
	for k, in := range r.in {
		identity(r.rows)
		moved := false
		for _, order := range r.orders[:in.delay] {
			for b, row := range r.rows {
				r.rows[b] = order[row]
			}
		}
		for b, row := range r.rows {
			moved = moved || int(row) != b
		}
		if !moved {
			continue
		}
		m := r.tick.In[k]
		to := r.gather[k*batch*rank:][:batch*rank]
		for b, row := range r.rows {
			copy(to[b*rank:][:rank], m.Data[int(row)*m.Stride:][:rank])
		}
		r.tick.In[k] = wiring.Message{Data: to, Stride: rank}
	}
}

func identity(order []int32) {
	for b := range order {
		order[b] = int32(b)
	}
}

// firstNotFinite returns the index of the first value that is NaN or
// infinite, or -1. The sum decides quickly.
func firstNotFinite(values []float32) int {
	var sum float32
	for _, v := range values {
		sum += v - v // 0, or NaN for NaN and infinities
	}
	if sum == 0 {
		return -1
	}
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return i
		}
	}
	return -1
}
