package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
)

// Network is a plan made ready to run. It is made once and runs one episode
// at a time; calls of Run from several goroutines wait for each other.
type Network struct {
	number    uint64 // among the program's
	plan      *wiring.Plan
	config    Config
	regions   []*region
	processes []*process
	parts     []*part.Part
	inlets    []*inlet // from other workers, and outlets to them
	outlets   []*outlet

	mu       sync.Mutex
	capacity int // rows that the buffers hold
	across   int // and the numbers that one of a message takes for these
	// past is the last episode where the next may continue it, and elapsed the
	// ticks since silence; nil and 0 where none may.
	past    *episode
	elapsed int

	onBegin func(*episode) // for tests
}

// New makes a network of a plan. The plan must be initialised or trained;
// its parameters may not change as long as the network is used. With
// Config.Release it gives some up.
func New(p *wiring.Plan, c Config) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := c.Share.check(p); err != nil {
		return nil, err
	}
	cells, err := c.Share.cells(p, c.Half)
	if err != nil {
		return nil, err
	}
	if c.Release {
		p.Release(cells)
	}
	return assemble(p, cells, c)
}

// With makes another network of the same plan, which shares the matrices with
// this one where both keep them alike: both may run at once.
func (n *Network) With(c Config) (*Network, error) {
	if c.Half != n.config.Half || c.Share != n.config.Share {
		return New(n.plan, c)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := c.Share.check(n.plan); err != nil {
		return nil, err
	}
	cells := make([]*wiring.Cell, len(n.regions))
	for j, r := range n.regions {
		cells[j] = r.cell
	}
	return assemble(n.plan, cells, c)
}

// made counts the networks.
var made atomic.Uint64

func assemble(p *wiring.Plan, cells []*wiring.Cell, c Config) (*Network, error) {
	n := &Network{plan: p, config: c, regions: make([]*region, len(cells)), number: made.Add(1)}
	for j, cell := range cells {
		n.regions[j] = &region{net: n, cell: cell, index: j, label: p.Regions[j].Label}
	}
	for _, j := range c.LesionRegions {
		if j < 0 || j >= len(n.regions) {
			return nil, fmt.Errorf("runtime: lesion of region %d of %d", j, len(n.regions))
		}
		n.regions[j].lesioned = true
	}
	if err := n.connect(); err != nil {
		return nil, err
	}
	for i := range p.Effectors {
		e := &p.Effectors[i]
		for k, j := range e.Regions {
			n.regions[j].readers = append(n.regions[j].readers, reader{i, k})
		}
		for k, matrix := range p.FeedbackWeights(p.Params, i) {
			r := n.regions[e.Feedback[k]]
			r.feeds = append(r.feeds, feed{effector: i, place: k, width: e.FeedbackWidth, matrix: matrix})
		}
	}
	if err := n.addParts(); err != nil {
		return nil, err
	}
	for i := range p.Senses {
		for _, j := range p.Senses[i].Regions {
			n.regions[j].paced = n.regions[j].paced || p.Senses[i].PerTick
		}
	}
	return n, nil
}

// connect groups the regions in processes and lays the tracts.
func (n *Network) connect() error {
	p, c := n.plan, n.config
	groups, err := c.groups(p)
	if err != nil {
		return err
	}
	cut := make([]bool, len(p.Tracts))
	for _, k := range c.LesionTracts {
		if k < 0 || k >= len(p.Tracts) {
			return fmt.Errorf("runtime: lesion of tract %d of %d", k, len(p.Tracts))
		}
		cut[k] = true
	}
	place := make([]int, len(p.Tracts)) // of a tract's axon in its source's slab
	n.receiveFrom(place)
	for i, group := range groups {
		q := &process{net: n, index: i}
		for _, j := range group {
			r := n.regions[j]
			r.process, r.prefix = q, q.width
			for slot, k := range r.cell.Out {
				place[k] = slot
			}
			q.width += len(r.cell.Out) * r.cell.Rank
			q.regions = append(q.regions, r)
		}
		n.processes = append(n.processes, q)
	}
	for _, r := range n.regions {
		if r.cell == nil {
			continue
		}
		r.in = make([]incoming, 0, len(r.cell.In))
		for _, k := range r.cell.In {
			t := &p.Tracts[k]
			if t.Delay < 1 {
				return fmt.Errorf("runtime: tract %s has a delay of %d ticks; it must be 1 or more", p.TractName(k), t.Delay)
			}
			from := n.regions[t.From]
			r.in = append(r.in, incoming{from: from, slot: int32(place[k]), cut: cut[k], delay: int32(t.Delay)})
			r.process.hear(from.process, t.Delay)
		}
	}
	for _, q := range n.processes {
		q.lay()
	}
	n.sendTo(place)
	for _, r := range n.regions {
		for k := range r.in {
			in := &r.in[k]
			in.arrival = int32(r.process.arrival(in.from.process, int(in.delay)))
		}
	}
	return nil
}

// addParts puts the plan's parts into their regions.
func (n *Network) addParts() error {
	p, c := n.plan, n.config
	if n.works() {
		return nil // they are the coordinator's
	}
	if len(p.Parts) > 0 && len(c.Parts) == 0 {
		return fmt.Errorf("runtime: plan %q has parts; open its modules and give Config.Parts", p.Name)
	}
	var err error
	if n.parts, err = part.Bind(p, c.Parts); err != nil {
		return fmt.Errorf("runtime: %w", err)
	}
	for _, i := range c.LesionParts {
		if i < 0 || i >= len(n.parts) {
			return fmt.Errorf("runtime: lesion of part %d of %d", i, len(n.parts))
		}
	}
	for i, x := range n.parts {
		if !slices.Contains(c.LesionParts, i) {
			n.regions[x.Region].fills = append(n.regions[x.Region].fills, i)
			n.regions[x.Into].joined = append(n.regions[x.Into].joined, joining{part: x})
		}
	}
	return nil
}

// Config returns the network's configuration.
func (n *Network) Config() Config { return n.config }

// Groups returns the regions of each process, by index; of those that the network
// steps itself, see [Share].
func (n *Network) Groups() [][]int {
	groups := make([][]int, len(n.processes))
	for i, q := range n.processes {
		for _, r := range q.regions {
			groups[i] = append(groups[i], r.index)
		}
	}
	return groups
}

// Run runs an episode. It returns when every goroutine it started has ended.
// An error says that the episode could not run or was cancelled, or that all
// its requests failed; that of some is in [Result.Requests].
func (n *Network) Run(ctx context.Context, ep Episode) (*Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.check(&ep); err != nil {
		return nil, err
	}
	e := n.begin(ctx, &ep)
	defer e.cancel(nil)
	if err := n.gather(e, &ep); err != nil {
		n.past, n.elapsed = nil, 0
		return nil, err
	}
	if e.exchange != nil {
		defer e.exchange.Close()
	}
	n.live(e)
	if err := context.Cause(e.ctx); err != nil {
		return nil, err
	}
	res, err := e.result()
	if err == nil && res.Err() == nil && !e.reorder && int(e.last.Load())+1 == ep.Ticks {
		n.keep(e)
	}
	return res, err
}

// keep lets the next episode continue this one.
func (n *Network) keep(e *episode) {
	n.past, n.elapsed = e, e.base+int(e.last.Load())+1
	e.trace, e.inputs, e.exchange = nil, nil, nil // are not kept
}

// live lets everything live through an episode, to its end.
func (n *Network) live(e *episode) {
	n.prepare(e)
	n.past, n.elapsed = nil, 0
	if n.onBegin != nil {
		n.onBegin(e)
	}
	var here, ports, final sync.WaitGroup
	n.open(e, &ports)
	if n.works() {
		final.Go(func() { e.tellFaults() })
	}
	for _, q := range n.processes {
		here.Go(func() { q.run(e) })
	}
	for _, a := range e.actors {
		if a != nil {
			here.Go(func() { a.run(e) })
		}
	}
	for _, f := range e.fillings {
		if f != nil {
			here.Go(func() { f.run(e, n.plan.Width) })
		}
	}
	here.Wait()
	close(e.done)
	ports.Wait()
	close(e.idle)
	final.Wait()
}

// check refuses an episode that does not suit the plan.
func (n *Network) check(ep *Episode) error {
	if ep.Batch == 0 {
		ep.Batch = 1
	}
	if ep.Batch < 0 || ep.Ticks < 1 {
		return fmt.Errorf("runtime: an episode of %d inputs and %d ticks; want 1 or more of both", ep.Batch, ep.Ticks)
	}
	if err := checkRequests(ep); err != nil {
		return err
	}
	if ep.Continue && (n.past == nil || n.past.batch != ep.Batch) {
		return fmt.Errorf("runtime: there is no episode of %d inputs to continue: the last one failed, ended before its last tick, was of another batch, or there was none", ep.Batch)
	}
	if len(ep.Inputs) > len(n.plan.Senses) {
		return fmt.Errorf("runtime: %d inputs for the plan's %d senses", len(ep.Inputs), len(n.plan.Senses))
	}
	for s, x := range ep.Inputs {
		sense := &n.plan.Senses[s]
		steps := 1
		if sense.PerTick {
			steps = ep.Steps
		}
		if want := steps * ep.Batch * sense.Numbers(); x != nil && len(x) != want {
			return fmt.Errorf("runtime: sense %q got %d numbers; want %d steps of %d inputs of %d numbers",
				sense.Name, len(x), steps, ep.Batch, sense.Numbers())
		}
	}
	if len(ep.Actors) > len(n.plan.Effectors) {
		return fmt.Errorf("runtime: %d actors for the plan's %d effectors", len(ep.Actors), len(n.plan.Effectors))
	}
	reordering := 0
	for _, a := range ep.Actors {
		if a != nil && reorders(a) {
			reordering++
		}
	}
	if reordering > 1 {
		return fmt.Errorf("runtime: %d actors reorder the batch; only one may", reordering)
	}
	for _, c := range []struct {
		what string
		cut  []int
		of   int
	}{{"tract", ep.Cut, len(n.plan.Tracts)}, {"part", ep.CutParts, len(n.plan.Parts)}} {
		if c.cut != nil && len(c.cut) != ep.Batch {
			return fmt.Errorf("runtime: cuts of %ss for %d inputs of %d", c.what, len(c.cut), ep.Batch)
		}
		for _, k := range c.cut {
			if k < -1 || k >= c.of {
				return fmt.Errorf("runtime: cut of %s %d of %d", c.what, k, c.of)
			}
		}
	}
	if reordering > 0 && (ep.Cut != nil || ep.CutParts != nil || ep.Continue) {
		return errors.New("runtime: an actor that reorders the batch cannot be combined with cuts, nor in an episode that continues another")
	}
	return nil
}

// checkRequests refuses requests that are not counted from 0, each with a row.
func checkRequests(ep *Episode) error {
	if ep.Requests == nil {
		return nil
	}
	if len(ep.Requests) != ep.Batch {
		return fmt.Errorf("runtime: requests of %d rows for a batch of %d", len(ep.Requests), ep.Batch)
	}
	seen := make([]bool, ep.Batch)
	most := 0
	for _, q := range ep.Requests {
		if q < 0 || q >= ep.Batch {
			return fmt.Errorf("runtime: a row belongs to request %d of at most %d", q, ep.Batch)
		}
		seen[q], most = true, max(most, q)
	}
	if q := slices.Index(seen[:most+1], false); q >= 0 {
		return fmt.Errorf("runtime: request %d has no row", q)
	}
	return nil
}

// prepare makes room for an episode's batch and brings everything to the state
// before the first tick: silence, or where the last episode ended. Buffers that
// were made for a larger batch serve a smaller one.
func (n *Network) prepare(e *episode) {
	if e.batch > n.capacity {
		n.capacity = e.batch
		widest := 0
		for _, q := range n.all() {
			widest = max(widest, q.width)
		}
		n.across = max(n.capacity, wiring.Columns(n.capacity, n.config.Half))
		zero := make([]float32, n.across*widest)
		for _, q := range n.all() {
			q.size(n.capacity, n.across, zero)
		}
	}
	for _, o := range n.outlets {
		o.prepare(e)
	}
	for _, q := range n.processes {
		q.prepare(e)
	}
	for _, i := range n.inlets {
		i.base = e.base
	}
}
