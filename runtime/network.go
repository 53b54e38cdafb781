package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
)

// Network is a plan made ready to run. It is made once and runs one episode
// at a time; calls of Run from several goroutines wait for each other.
type Network struct {
	plan    *wiring.Plan
	config  Config
	regions []*region
	parts   []*part.Part

	mu    sync.Mutex
	batch int // what the buffers are sized for

	onBegin func(*episode) // for tests
}

// Episode is one input, or a batch of them, presented for some ticks.
type Episode struct {
	// Batch is the number of inputs stepped side by side; 0 means 1. The
	// result of each is independent of the others.
	Batch int
	// Inputs holds each sense's standardised vectors, [batch, numbers], or
	// [Steps, batch, numbers] of a sense that gives one a step, at the sense's
	// index in the plan; nil for a sense that gets nothing.
	Inputs [][]float32
	// Steps is how many steps the senses that give one vector a step last, each
	// [wiring.Ticks.Settle] ticks; 0 without such a sense.
	Steps int
	// Ticks is how long the episode lasts at most.
	Ticks int
	// Actors act on what effectors read, by the plan's effectors; nil for one
	// that is not asked. Without any the episode only runs.
	Actors []Actor
	// Cut, when not nil, holds a tract's index for each input of the batch:
	// for that input the tract carries zeros. −1 cuts none. Many lesions of
	// one input are so compared at once. It cannot be combined with an actor
	// that reorders.
	Cut []int
	// CutParts is the same of parts, which then give nothing.
	CutParts []int
}

// Actor decides what an effector does. Its methods are called by one
// goroutine, tick after tick. An actor may keep the slices it is given only
// until it returns. The episode ends when all actors are done.
type Actor interface {
	// Act gets the normalised states of the effector's regions after a tick,
	// side by side, [batch, regions·d], and answers what follows.
	Act(ctx context.Context, tick int, norm []float32) (Reply, error)
}

// Reply is what an actor answers to one tick.
type Reply struct {
	// Feedback enters the effector's feedback regions in the next tick,
	// [batch, feedback width]; nil for nothing. It may be reused once Act is
	// called again: the network copies it.
	Feedback []float32
	// Parents, when not nil, says which episode of the batch each one
	// continues from the next tick on: beam search drops and copies them.
	// The actor must say so with [Reorders], and only one may.
	Parents []int32
	// Done says that the actor has acted for the last time.
	Done bool
}

// Reorders is implemented by actors whose replies have Parents. Regions then
// wait for the actor in every tick instead of running freely.
type Reorders interface{ Reorders() bool }

func reorders(a Actor) bool {
	r, ok := a.(Reorders)
	return ok && r.Reorders()
}

// Result is the outcome of an episode.
type Result struct {
	// Ticks is the number of ticks that belong to the episode.
	Ticks int
	// Trace is nil unless Config.Trace.
	Trace *Trace
	// Faults are the regions that were silenced, see [Silence].
	Faults []string
}

// New makes a network of a plan. The plan must be initialised or trained;
// changes of its parameters afterwards are not seen until [Network.Refresh].
func New(p *wiring.Plan, c Config) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	cells, err := p.Cells()
	if err != nil {
		return nil, err
	}
	n := &Network{plan: p, config: c, regions: make([]*region, len(cells))}
	for j, cell := range cells {
		n.regions[j] = &region{net: n, cell: cell, index: j, label: p.Regions[j].Label}
	}
	for _, j := range c.LesionRegions {
		if j < 0 || j >= len(n.regions) {
			return nil, fmt.Errorf("runtime: lesion of region %d of %d", j, len(n.regions))
		}
		n.regions[j].lesioned = true
	}
	cutTract := make([]bool, len(p.Tracts))
	for _, k := range c.LesionTracts {
		if k < 0 || k >= len(p.Tracts) {
			return nil, fmt.Errorf("runtime: lesion of tract %d of %d", k, len(p.Tracts))
		}
		cutTract[k] = true
	}
	// One channel a tract, shared by its source's out and its target's in.
	tracts := make([]chan wiring.Message, len(p.Tracts))
	for k := range p.Tracts {
		delay := p.Tracts[k].Delay
		if delay < 1 {
			return nil, fmt.Errorf("runtime: tract %s has a delay of %d ticks; it must be 1 or more", p.TractName(k), delay)
		}
		tracts[k] = make(chan wiring.Message, delay+1)
	}
	for _, r := range n.regions {
		longest := 0
		for _, k := range r.cell.In {
			r.in = append(r.in, incoming{ch: tracts[k], delay: p.Tracts[k].Delay, cut: cutTract[k]})
			r.maxDelay = max(r.maxDelay, p.Tracts[k].Delay)
		}
		for _, k := range r.cell.Out {
			r.out = append(r.out, tracts[k])
			longest = max(longest, p.Tracts[k].Delay)
		}
		// At most δ+1 messages wait in a channel, one is held by the target
		// and one is being written: δ+3 buffers are never overwritten early.
		r.ring = make([][]float32, longest+3)
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

// addParts puts the plan's parts into their regions.
func (n *Network) addParts() error {
	p, c := n.plan, n.config
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

// episode is what the goroutines of one Run share.
type episode struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	batch  int
	inputs [][]float32
	steps  int
	cut    []int
	actors []*acting // by effector; nil for one that is not asked
	// fillings are the parts' processes, by part; nil for one that is silenced.
	fillings []*filling
	cutParts []int
	// last is the last tick of the episode; the actors may lower it, and the
	// one that does closes stopped.
	last    atomic.Int64
	stopped chan struct{}
	trace   *Trace
	start   time.Time

	orders  []chan []int32 // beam order, from an actor to every region
	reorder bool

	mu     sync.Mutex
	faults []fault
	// busy actors are not done; the others were at lastDone or before.
	busy, lastDone int
}

// fault is a failure of a region, ordered by tick and then region so that
// the one reported does not depend on scheduling.
type fault struct {
	tick, region int
	err          error
}

// Run runs an episode. It returns when every goroutine it started has ended.
func (n *Network) Run(ctx context.Context, ep Episode) (*Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.check(&ep); err != nil {
		return nil, err
	}
	n.size(ep.Batch)
	e := n.begin(ctx, &ep)
	defer e.cancel(nil)

	var wg sync.WaitGroup
	if n.onBegin != nil {
		n.onBegin(e)
	}
	for _, r := range n.regions {
		r.prepare(e)
	}
	for _, r := range n.regions {
		wg.Go(func() { r.run(e) })
	}
	for _, a := range e.actors {
		if a != nil {
			wg.Go(func() { a.run(e) })
		}
	}
	for _, f := range e.fillings {
		if f != nil {
			wg.Go(func() { f.run(e, n.plan.Width) })
		}
	}
	wg.Wait()
	n.drain()

	if err := n.outcome(e); err != nil {
		return nil, err
	}
	result := &Result{Ticks: int(e.last.Load()) + 1, Trace: e.trace}
	for _, f := range e.faults {
		if f.tick < result.Ticks {
			result.Faults = append(result.Faults, f.err.Error())
		}
	}
	if e.trace != nil {
		e.trace.Ticks = result.Ticks
		e.trace.addCalls(e.fillings)
		e.trace.Notes = append(e.trace.Notes, result.Faults...)
	}
	return result, nil
}

func (n *Network) check(ep *Episode) error {
	if ep.Batch == 0 {
		ep.Batch = 1
	}
	if ep.Batch < 0 || ep.Ticks < 1 {
		return fmt.Errorf("runtime: an episode of %d inputs and %d ticks; want 1 or more of both", ep.Batch, ep.Ticks)
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
	if reordering > 0 && (ep.Cut != nil || ep.CutParts != nil) {
		return errors.New("runtime: an actor that reorders the batch cannot be combined with cuts")
	}
	return nil
}

// size makes room for a batch.
func (n *Network) size(batch int) {
	if batch == n.batch {
		return
	}
	n.batch = batch
	for _, r := range n.regions {
		r.size(batch)
	}
}

func (n *Network) begin(ctx context.Context, ep *Episode) *episode {
	e := &episode{batch: ep.Batch, steps: ep.Steps, cut: ep.Cut, cutParts: ep.CutParts, stopped: make(chan struct{}), start: time.Now()}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	e.inputs = make([][]float32, len(n.plan.Senses))
	copy(e.inputs, ep.Inputs)
	e.last.Store(int64(ep.Ticks) - 1)
	if n.config.Trace {
		e.trace = newTrace(n.plan, ep.Ticks)
		e.trace.Started = e.start
		if n.config.States {
			e.trace.States = make([][][]float32, len(n.regions))
			for j := range e.trace.States {
				e.trace.States[j] = make([][]float32, ep.Ticks)
			}
		}
	}
	e.actors = make([]*acting, len(n.plan.Effectors))
	for i, a := range ep.Actors {
		if a == nil {
			continue
		}
		e.actors[i] = newActing(n.plan, i, a, ep.Batch)
		e.busy++
		e.reorder = e.reorder || reorders(a)
	}
	e.fillings = make([]*filling, len(n.parts))
	for i, x := range n.parts {
		if !slices.Contains(n.config.LesionParts, i) {
			e.fillings[i] = newFilling(x, n.config, len(n.regions)+i, n.plan.Width, ep.Batch)
		}
	}
	if e.reorder {
		e.orders = make([]chan []int32, len(n.regions))
		for j := range e.orders {
			e.orders[j] = make(chan []int32, 2)
			e.orders[j] <- nil
		}
	}
	return e
}

// finish notes that an actor was done at a tick. The last of them ends the
// episode, with the latest of their ticks.
func (e *episode) finish(t int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy--
	e.lastDone = max(e.lastDone, t)
	if e.busy == 0 && int64(e.lastDone) < e.last.Load() {
		e.last.Store(int64(e.lastDone))
		close(e.stopped)
	}
}

// drain empties the tracts after an episode.
func (n *Network) drain() {
	for _, r := range n.regions {
		for _, in := range r.in {
			for len(in.ch) > 0 {
				<-in.ch
			}
		}
	}
}

// outcome returns the error an episode ended with.
func (n *Network) outcome(e *episode) error {
	if n.config.Policy == Silence {
		// Regions' faults are notes; the actors' are not.
		if cause := context.Cause(e.ctx); cause != nil {
			return cause
		}
		return nil
	}
	var first *fault
	for i := range e.faults {
		f := &e.faults[i]
		if first == nil || f.tick < first.tick || f.tick == first.tick && f.region < first.region {
			first = f
		}
	}
	if first != nil {
		return first.err
	}
	return context.Cause(e.ctx)
}

// report notes a region's failure and, unless the policy is to go on, ends
// the episode.
func (e *episode) report(policy Policy, f fault) {
	e.mu.Lock()
	e.faults = append(e.faults, f)
	e.mu.Unlock()
	if policy != Silence {
		e.cancel(f.err)
	}
}

// receive takes the next value of a channel for a tick. It returns false when
// the episode has ended: cancelled, or over before this tick.
func receive[T any](e *episode, ch <-chan T, tick int) (T, bool) {
	select {
	case v := <-ch:
		return v, true
	default:
	}
	for stopped := e.stopped; ; stopped = nil {
		select {
		case v := <-ch:
			return v, true
		case <-e.ctx.Done():
			var zero T
			return zero, false
		case <-stopped:
			// Every process finishes the last tick, so what belongs to it
			// still comes; what comes later does not.
			if int64(tick) > e.last.Load() {
				var zero T
				return zero, false
			}
		}
	}
}

// send puts a value into a channel for a tick; see receive.
func send[T any](e *episode, ch chan<- T, v T, tick int) bool {
	select {
	case ch <- v:
		return true
	default:
	}
	for stopped := e.stopped; ; stopped = nil {
		select {
		case ch <- v:
			return true
		case <-e.ctx.Done():
			return false
		case <-stopped:
			// Targets take no message after the last tick; there is no use
			// in waiting, and what they still need fits in the channel.
			if int64(tick) >= e.last.Load() {
				return true
			}
		}
	}
}

// entering returns the inputs that enter at every tick, or, from 0, at a step.
func (n *Network) entering(e *episode, step int) [][]float32 {
	out := make([][]float32, len(e.inputs))
	for s, x := range e.inputs {
		switch paced := n.plan.Senses[s].PerTick; {
		case x == nil || paced != (step >= 0):
		case paced:
			size := e.batch * n.plan.Senses[s].Numbers()
			out[s] = x[step*size:][:size]
		default:
			out[s] = x
		}
	}
	return out
}
