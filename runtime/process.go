package runtime

import (
	"runtime/trace"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// process steps the regions of a group, one after the other, in one goroutine.
// Of each tick it keeps a slab: the messages of all its regions, one after the
// other, [out, batch, r] each, or [out, r, columns] in columns. Its message to a neighbour is the slab itself, so that
// nothing is copied; the ring is long enough that no slab is overwritten while
// a neighbour may read it.
type process struct {
	net     *Network
	index   int
	base    int // ticks since silence at the episode's first
	regions []*region
	sources []source         // the processes that its tracts come from
	targets []chan []float32 // to the other processes that its tracts lead to
	width   int              // numbers of a row of a slab
	ring    [][]float32      // the last slabs
	zero    []float32        // what arrives before anything was sent

	// arrivals are the delays by which something comes from a source, and now
	// holds, by arrival, the slab that arrives in this tick.
	arrivals []arrival
	now      [][]float32

	// Scratch of a region's step, and for what enters, by sense.
	gates, mixed, act, axons, turned []float32
	enters                           [][]float32

	// Beam search: the orders of the last ticks, newest first, and for each
	// delay where a row of a message that now arrives has gone since.
	reorders chan []int32
	orders   [][]int32
	moved    []bool
	rows     [][]int32
	parents  []int32 // of this tick; nil for none
}

// source is a process that tracts come from, perhaps the process itself.
type source struct {
	from        *process
	least, most int // delays of the tracts
	ch          chan []float32
	window      [][]float32 // its slabs of the last most … least ticks
}

// What a ring needs beyond the longest delay. Inside a process the slab that is
// written is one more than those that are read. A source of another process may
// be δ+1 messages ahead of what is needed there, which costs two more: the
// oldest that is read was sent δ ticks before.
const (
	insideSlabs = 1
	acrossSlabs = 3
)

// arrival is a delay of tracts from a source.
type arrival struct{ source, delay int }

// hear notes that a tract with a delay comes from a process.
func (p *process) hear(from *process, delay int) {
	i := slices.IndexFunc(p.sources, func(s source) bool { return s.from == from })
	if i < 0 {
		i = len(p.sources)
		p.sources = append(p.sources, source{from: from, least: delay, most: delay})
	}
	s := &p.sources[i]
	s.least, s.most = min(s.least, delay), max(s.most, delay)
	if a := (arrival{i, delay}); !slices.Contains(p.arrivals, a) {
		p.arrivals = append(p.arrivals, a)
	}
}

// arrival is the place of a process's messages of a delay among the arrivals.
func (p *process) arrival(from *process, delay int) int {
	return slices.IndexFunc(p.arrivals, func(a arrival) bool { return a.delay == delay && p.sources[a.source].from == from })
}

// lay makes the channels from the process's sources, and their rings as long
// as it needs them.
func (p *process) lay() {
	longest := 0
	for i := range p.sources {
		s := &p.sources[i]
		longest = max(longest, s.most)
		if s.from == p {
			p.long(s.most + insideSlabs)
			continue
		}
		s.ch = make(chan []float32, s.least+1)
		s.window = make([][]float32, s.most-s.least+1)
		s.from.targets = append(s.from.targets, s.ch)
		s.from.long(s.most + acrossSlabs)
	}
	p.long(1)
	p.now = make([][]float32, len(p.arrivals))
	p.enters = make([][]float32, len(p.net.plan.Senses))
	p.reorders = make(chan []int32, 2)
	p.orders, p.rows, p.moved = make([][]int32, longest), make([][]int32, longest+1), make([]bool, longest+1)
}

// long makes the ring at least so long.
func (p *process) long(slabs int) {
	if len(p.ring) < slabs {
		p.ring = make([][]float32, slabs)
	}
}

// size makes the process's buffers for batches of so many rows, of which a number
// takes so many places across.
func (p *process) size(capacity, across int, zero []float32) {
	p.zero = zero
	tracts, rank, acts, axons := 0, 0, 0, 0
	for _, r := range p.regions {
		tracts, rank, acts = max(tracts, len(r.cell.In)), r.cell.Rank, r.cell.Acts()
		axons = max(axons, len(r.cell.Out)*rank)
		r.size(capacity)
	}
	pitch := capacity
	if len(p.regions) > 0 && wiring.Columns(capacity, p.net.config.Half) > 0 {
		pitch = wiring.Pitch(capacity)
		p.turned = make([]float32, wiring.TurnedLen(p.net.plan.Width, capacity))
	}
	p.gates, p.mixed, p.act = make([]float32, across*tracts), make([]float32, pitch*tracts*rank), make([]float32, capacity*acts)
	p.axons = make([]float32, capacity*axons)
	for i := range p.ring {
		p.ring[i] = make([]float32, across*p.width)
	}
	for i := range p.orders {
		p.orders[i] = make([]int32, capacity)
	}
	for i := range p.rows {
		p.rows[i] = make([]int32, capacity)
	}
}

// prepare brings the process to the state before the first tick.
func (p *process) prepare(e *episode) {
	if p.base = e.base; p.base == 0 {
		p.drain()
	}
	for i := range p.orders {
		identity(p.orders[i])
	}
	p.parents = nil
	if e.reorder {
		p.reorders <- nil
	}
	for _, r := range p.regions {
		r.prepare(e)
	}
}

// drain empties what an earlier episode left in the process's channels.
func (p *process) drain() {
	for i := range p.sources {
		for len(p.sources[i].ch) > 0 {
			<-p.sources[i].ch
		}
	}
	for len(p.reorders) > 0 {
		<-p.reorders
	}
}

// run is the process's life in one episode.
func (p *process) run(e *episode) {
	for t := 0; int64(t) <= e.last.Load(); t++ {
		if e.over() || !p.take(e, t) {
			return
		}
		slab := p.ring[(p.base+t)%len(p.ring)][:e.across*p.width]
		if !p.tick(e, t, slab) {
			return
		}
		for _, ch := range p.targets {
			if !send(e, ch, slab, t) {
				return
			}
		}
	}
}

// tick steps the regions; Go's execution tracer, when it runs, shows how long.
func (p *process) tick(e *episode, t int, slab []float32) bool {
	if trace.IsEnabled() {
		defer trace.StartRegion(e.ctx, "tick").End()
	}
	for _, r := range p.regions {
		if !r.step(e, t, slab) {
			return false
		}
	}
	return true
}

// take receives the message of every neighbour and finds what arrives; in beam
// search it also takes the new order.
func (p *process) take(e *episode, t int) bool {
	now := p.base + t
	for i := range p.sources {
		s := &p.sources[i]
		if s.ch == nil || now < s.least {
			continue
		}
		slab, ok := receive(e, s.ch, t)
		if !ok {
			return false
		}
		s.window[(now-s.least)%len(s.window)] = slab
	}
	for i, a := range p.arrivals {
		s := &p.sources[a.source]
		switch sent := now - a.delay; {
		case sent < 0:
			p.now[i] = p.zero
		case s.ch == nil:
			p.now[i] = p.ring[sent%len(p.ring)]
		default:
			p.now[i] = s.window[sent%len(s.window)]
		}
	}
	if !e.reorder {
		return true
	}
	parents, ok := receive(e, p.reorders, t)
	if ok {
		p.reorder(parents, e.batch)
	}
	return ok
}

// reorder keeps a beam's new order, and finds where the rows of what arrives
// by each delay have gone since they were sent.
func (p *process) reorder(parents []int32, batch int) {
	p.parents = parents
	if len(p.orders) == 0 {
		return
	}
	oldest := p.orders[len(p.orders)-1]
	copy(p.orders[1:], p.orders)
	p.orders[0] = oldest
	if parents == nil {
		identity(oldest)
	} else {
		copy(oldest, parents)
	}
	identity(p.rows[0])
	for delay := 1; delay < len(p.rows); delay++ {
		p.moved[delay] = false
		for b := range batch {
			row := p.orders[delay-1][p.rows[delay-1][b]]
			p.rows[delay][b] = row
			p.moved[delay] = p.moved[delay] || int(row) != b
		}
	}
}

func identity(order []int32) {
	for b := range order {
		order[b] = int32(b)
	}
}
