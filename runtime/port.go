package runtime

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// inlet is where the messages of another worker come in: a process that steps
// nothing, whose slab is the message.
type inlet struct {
	*process
	worker int
}

// outlet sends another worker what the tracts that lead there carry: one message a
// tick, when all processes that they come from have stepped it.
type outlet struct {
	worker  int
	from    []*process
	slabs   []chan []float32 // of those
	now     [][]float32      // of this tick
	carried []carried
	rank    int
	data    []byte
}

// carried is where a tract's axon lies: in the slab of a source, behind so many
// numbers of an episode.
type carried struct{ source, at int32 }

// receiveFrom makes an inlet for each worker that tracts come from, and gives those
// tracts their places in its slab.
func (n *Network) receiveFrom(place []int) {
	s := n.config.Share
	if s == nil {
		return
	}
	at := make([]*inlet, len(s.Workers))
	of := n.owners()
	for k, t := range n.plan.Tracts {
		w := of[t.From]
		if w == s.Own || of[t.To] != s.Own {
			continue
		}
		i := at[w]
		if i == nil {
			i = &inlet{&process{net: n, index: -1}, w}
			at[w] = i
			n.inlets = append(n.inlets, i)
		}
		place[k] = i.width / n.plan.Rank
		i.width += n.plan.Rank
		n.regions[t.From].process = i.process
	}
	slices.SortFunc(n.inlets, func(a, b *inlet) int { return a.worker - b.worker })
}

// sendTo makes an outlet for each worker that tracts lead to.
func (n *Network) sendTo(place []int) {
	s := n.config.Share
	if s == nil {
		return
	}
	at := make([]*outlet, len(s.Workers))
	of := n.owners()
	for k, t := range n.plan.Tracts {
		w := of[t.To]
		if w == s.Own || of[t.From] != s.Own {
			continue
		}
		o := at[w]
		if o == nil {
			o = &outlet{worker: w, rank: n.plan.Rank}
			at[w] = o
			n.outlets = append(n.outlets, o)
		}
		r := n.regions[t.From]
		i := slices.Index(o.from, r.process)
		if i < 0 {
			i = len(o.from)
			ch := make(chan []float32, 1)
			o.from, o.slabs = append(o.from, r.process), append(o.slabs, ch)
			r.process.targets = append(r.process.targets, ch)
			r.process.long(outletSlabs)
		}
		o.carried = append(o.carried, carried{int32(i), int32(r.prefix + place[k]*o.rank)})
	}
	for _, o := range n.outlets {
		o.now = make([][]float32, len(o.from))
	}
	slices.SortFunc(n.outlets, func(a, b *outlet) int { return a.worker - b.worker })
}

// outletSlabs is what a ring needs where an outlet reads it: one slab is read, one
// waits and one is written.
const outletSlabs = 3

// owners are the workers of the plan's regions, which were checked.
func (n *Network) owners() []int {
	of, err := n.config.Share.owners(len(n.plan.Regions))
	if err != nil {
		panic(err)
	}
	return of
}

// all are the processes and the inlets.
func (n *Network) all() []*process {
	all := slices.Clone(n.processes)
	for _, i := range n.inlets {
		all = append(all, i.process)
	}
	return all
}

// open starts all that passes between workers.
func (n *Network) open(e *episode, ports *sync.WaitGroup) {
	for _, i := range n.inlets {
		ports.Go(func() { i.run(e) })
	}
	for _, o := range n.outlets {
		ports.Go(func() { o.run(e) })
	}
	if e.exchange == nil {
		return
	}
	if n.works() {
		ports.Go(func() { e.hearEnd() })
		if e.reorder {
			ports.Go(func() { n.hearOrders(e) })
		}
		return
	}
	ports.Go(func() { e.tellEnd() })
	for _, w := range n.others() {
		ports.Go(func() { e.hearFaults(w) })
		if e.trace != nil {
			ports.Go(func() { e.hearTrace(w) })
		}
	}
}

// pass does what a message of a tick needs. It returns false when the episode has
// ended: cancelled, or over before the tick after, which is the first that needs it.
func (e *episode) pass(tick int, do func(context.Context) error) bool {
	err := do(e.early)
	if err != nil && e.early.Err() != nil && e.ctx.Err() == nil {
		if int64(tick) >= e.last.Load() {
			return false
		}
		err = do(e.ctx)
	}
	if err != nil {
		e.cancel(err)
	}
	return err == nil
}

// run is an inlet's life in one episode.
func (i *inlet) run(e *episode) {
	for t := 0; int64(t) <= e.last.Load(); t++ {
		slab := i.ring[(i.base+t)%len(i.ring)][:e.across*i.width]
		if !e.pass(t, func(ctx context.Context) error {
			data, err := e.exchange.Receive(ctx, i.worker, LaneAxons)
			if err != nil {
				return err
			}
			if want := 4 * e.batch * i.width; len(data) != want {
				return fmt.Errorf("worker %d sends %d bytes for tick %d; want %d", i.worker, len(data), t, want)
			}
			for k := range i.width {
				data = takeNumbers(slab[k*e.across:][:e.batch], data)
			}
			return nil
		}) {
			return
		}
		for _, ch := range i.targets {
			if !send(e, ch, slab, t) {
				return
			}
		}
	}
}

// prepare makes an outlet ready for an episode.
func (o *outlet) prepare(e *episode) {
	for _, ch := range o.slabs {
		for len(ch) > 0 { // what an earlier episode left
			<-ch
		}
	}
	if size := 4 * e.batch * o.rank * len(o.carried); cap(o.data) < size {
		o.data = make([]byte, size)
	} else {
		o.data = o.data[:size]
	}
}

// run is an outlet's life in one episode.
func (o *outlet) run(e *episode) {
	for t := 0; int64(t) <= e.last.Load(); t++ {
		for i, ch := range o.slabs {
			slab, ok := receive(e, ch, t+1) // nobody needs it before
			if !ok {
				return
			}
			o.now[i] = slab
		}
		data := o.data
		for _, c := range o.carried {
			for k := range o.rank { // columns are longer than the batch
				data = putNumbers(data, o.now[c.source][e.across*(int(c.at)+k):][:e.batch])
			}
		}
		if !e.pass(t, func(ctx context.Context) error { return e.exchange.Send(ctx, o.worker, LaneAxons, o.data) }) {
			return
		}
	}
}

// putNumbers writes numbers to data and returns what is left of it.
func putNumbers(data []byte, numbers []float32) []byte {
	to := data[:4*len(numbers)]
	for i, v := range numbers {
		binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
	}
	return data[len(to):]
}

// takeNumbers reads them.
func takeNumbers(numbers []float32, data []byte) []byte {
	from := data[:4*len(numbers)]
	for i := range numbers {
		numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
	}
	return data[len(from):]
}

// order gives an actor's order of the beams to all processes, and to the other
// workers.
func (n *Network) order(e *episode, order []int32, t int) bool {
	if e.exchange != nil && int64(t) < e.last.Load() { // the last orders nothing
		data := make([]byte, 4*len(order))
		for b, p := range order {
			binary.LittleEndian.PutUint32(data[4*b:], uint32(p))
		}
		for _, w := range n.others() {
			if !e.pass(t, func(ctx context.Context) error { return e.exchange.Send(ctx, w, LaneOrders, data) }) {
				return e.ctx.Err() == nil
			}
		}
	}
	for _, p := range n.processes {
		if !send(e, p.reorders, order, t) {
			return false
		}
	}
	return true
}

// hearOrders gives the coordinator's orders to all processes.
func (n *Network) hearOrders(e *episode) {
	ring := make([][]int32, 4) // two wait, one is read, one is written
	for i := range ring {
		ring[i] = make([]int32, e.batch)
	}
	for t := 0; int64(t) < e.last.Load(); t++ {
		var order []int32
		if !e.pass(t, func(ctx context.Context) error {
			data, err := e.exchange.Receive(ctx, 0, LaneOrders)
			if err != nil || len(data) == 0 {
				return err
			}
			if len(data) != 4*e.batch {
				return fmt.Errorf("the coordinator's order of tick %d has %d bytes; want %d", t, len(data), 4*e.batch)
			}
			order = ring[t%len(ring)]
			for b := range order {
				order[b] = int32(binary.LittleEndian.Uint32(data[4*b:]))
			}
			return checkParents(order, e.of)
		}) {
			return
		}
		for _, p := range n.processes {
			if !send(e, p.reorders, order, t) {
				return
			}
		}
	}
}

// tellEnd tells all workers the last tick, once it is known.
func (e *episode) tellEnd() {
	select {
	case <-e.stopped:
	case <-e.done:
	}
	last := binary.LittleEndian.AppendUint32(nil, uint32(e.last.Load()))
	for _, w := range e.network.others() {
		if err := e.exchange.Send(e.ctx, w, LaneEnd, last); err != nil {
			e.cancel(err)
			return
		}
	}
}

// hearEnd ends the episode with the coordinator's last tick.
func (e *episode) hearEnd() {
	last, err := e.exchange.Receive(e.ctx, 0, LaneEnd)
	if err == nil && len(last) != 4 {
		err = errors.New("the coordinator's word of the last tick cannot be read")
	}
	if err != nil {
		e.cancel(err)
		return
	}
	e.lower(int(binary.LittleEndian.Uint32(last)))
}

// farFault is a fault as the coordinator is told of it.
type farFault struct {
	Tick    int    `json:"tick"`
	At      int    `json:"at"`
	Request int    `json:"request"`
	Text    string `json:"text"`
}

// tellFaults tells the coordinator of faults as they come, and in the end that there
// are no more and nothing is waited for.
func (e *episode) tellFaults() {
	told := 0
	for over := false; ; {
		e.mu.Lock()
		faults := e.faults[told:]
		e.mu.Unlock()
		told += len(faults)
		for _, f := range faults {
			text := f.err.Error()
			text = strings.ToValidUTF8(text[:min(len(text), LongestFault/8)], "") // JSON may take six bytes for one
			data, err := json.Marshal(farFault{f.tick, f.at, f.request, text})
			if err == nil {
				err = e.exchange.Send(e.ctx, 0, LaneFaults, data)
			}
			if err != nil {
				e.cancel(err)
				return
			}
		}
		if over {
			break
		}
		select {
		case <-e.fresh:
		case <-e.idle:
			over = true
		}
	}
	err := e.tellTrace()
	if err == nil {
		err = e.exchange.Send(e.ctx, 0, LaneFaults, nil)
	}
	if err != nil {
		e.cancel(err)
		return
	}
	e.whole = true
}

// hearFaults takes a worker's faults until it has stepped the last tick.
func (e *episode) hearFaults(worker int) {
	for {
		data, err := e.exchange.Receive(e.ctx, worker, LaneFaults)
		if err == nil && len(data) == 0 {
			return
		}
		var f farFault
		if err == nil {
			err = json.Unmarshal(data, &f)
		}
		if err == nil && (f.Tick < 0 || f.At < 0 || f.At >= len(e.network.regions) || f.Request < 0 || f.Request >= len(e.requests)) {
			err = fmt.Errorf("worker %d tells of a fault at tick %d of region %d for request %d, which there is not", worker, f.Tick, f.At, f.Request)
		}
		if err != nil {
			e.cancel(err)
			return
		}
		e.report(fault{f.Tick, f.At, f.Request, errors.New(f.Text)})
	}
}
