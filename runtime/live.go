package runtime

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/connectomewire/wire/wiring"
)

// episode is what the goroutines of one Run share.
type episode struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	ended   <-chan struct{} // the context's
	network *Network
	batch   int
	columns int   // how messages lie, see wiring.Tick
	across  int   // numbers that one number of a message takes: columns, or batch
	base    int   // ticks since silence when it began; 0 unless it continues another
	of      []int // request of each row
	inputs  [][]float32
	steps   int
	cut     []int
	actors  []*acting // by effector; nil for one that is not asked
	// fillings are the parts' processes, by part; nil for one that is silenced.
	fillings []*filling
	cutParts []int
	// last is the last tick of the episode. It is lowered at most once, when
	// all requests have ended, and early ends then: so every process still
	// finishes whatever belongs to any of them.
	last    atomic.Int64
	early   context.Context
	stop    context.CancelFunc
	stopped <-chan struct{} // early's
	trace   *Trace
	start   time.Time
	reorder bool
	// exchange is with the other workers, nil where there are none. done is
	// closed when all that is stepped here has ended, idle when all has come in and
	// gone out as well; fresh says that there are faults that the coordinator was
	// not told of.
	exchange   Exchange
	done, idle chan struct{}
	fresh      chan struct{}
	whole      bool // all was stepped, and the coordinator knows

	mu       sync.Mutex
	requests []request
	open     int // requests that have not ended
	faults   []fault
}

// request is how far one request has come.
type request struct {
	busy   int // actors that are not done with a row, summed over its rows
	latest int // the tick at which one was done, the latest of them
	failed int // the first tick at which it failed; math.MaxInt for none
	closed bool
}

// last is the request's last tick in an episode of so many ticks.
func (q *request) last(ticks int, asked bool) int {
	end := ticks - 1
	if asked && q.busy == 0 {
		end = q.latest
	}
	return min(end, q.failed)
}

// fault is a failure of a region, or behind the regions of a part, ordered by
// tick and then place so that what is reported does not depend on scheduling.
type fault struct {
	tick, at, request int
	err               error
}

func (n *Network) begin(ctx context.Context, ep *Episode) *episode {
	e := &episode{network: n, batch: ep.Batch, steps: ep.Steps, cut: ep.Cut, cutParts: ep.CutParts, of: ep.Requests, start: time.Now(),
		done: make(chan struct{}), idle: make(chan struct{}), fresh: make(chan struct{}, 1)}
	e.across = ep.Batch
	if e.columns = wiring.Columns(ep.Batch, n.config.Half); e.columns > 0 {
		e.across = e.columns
	}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	e.early, e.stop = context.WithCancel(e.ctx)
	e.ended, e.stopped = e.ctx.Done(), e.early.Done()
	e.inputs = make([][]float32, len(n.plan.Senses))
	copy(e.inputs, ep.Inputs)
	if ep.Continue {
		e.base = n.elapsed
	}
	e.last.Store(int64(ep.Ticks) - 1)
	if e.of == nil {
		e.of = make([]int, ep.Batch)
		for b := range e.of {
			e.of[b] = b
		}
	}
	e.requests = make([]request, slices.Max(e.of)+1)
	e.open = len(e.requests)
	for i := range e.requests {
		e.requests[i].failed = math.MaxInt
	}
	if n.config.Trace {
		e.trace = newTrace(n.plan, ep.Ticks)
		e.trace.Started = e.start
		if n.config.Digests {
			e.trace.Digests = make([][]uint64, ep.Ticks)
			for t := range e.trace.Digests {
				e.trace.Digests[t] = make([]uint64, len(n.plan.Tracts))
			}
		}
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
		if e.base > 0 {
			e.actors[i].follow(n.past.actors[i])
		}
		for _, q := range e.of {
			e.requests[q].busy++
		}
		e.reorder = e.reorder || reorders(a)
	}
	e.fillings = make([]*filling, len(n.parts))
	for i, x := range n.parts {
		if !slices.Contains(n.config.LesionParts, i) {
			e.fillings[i] = newFilling(x, n.config, len(n.regions)+i, n.plan.Width, ep.Batch)
		}
	}
	return e
}

// finish notes that an actor was done with a row at a tick.
func (e *episode) finish(row, t int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := &e.requests[e.of[row]]
	q.busy--
	q.latest = max(q.latest, t)
	if q.busy == 0 {
		e.close(q)
	}
}

// report notes a failure. Unless the policy is to go on, it ends the request.
func (e *episode) report(f fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, f)
	if e.network.works() { // the coordinator knows what follows
		select {
		case e.fresh <- struct{}{}:
		default:
		}
		return
	}
	if e.network.config.Policy != Silence {
		q := &e.requests[f.request]
		q.failed = min(q.failed, f.tick)
		e.close(q)
	}
}

// close notes that a request has ended. The last of them ends the episode,
// with the latest of their ticks.
func (e *episode) close(q *request) {
	if q.closed {
		return
	}
	q.closed = true
	if e.open--; e.open > 0 {
		return
	}
	e.lower(e.latest())
}

// lower ends the episode with a tick, if that comes before its last.
func (e *episode) lower(last int) {
	if int64(last) < e.last.Load() {
		e.last.Store(int64(last))
		e.stop()
	}
}

// latest is the last tick of the longest request.
func (e *episode) latest() int {
	latest := 0
	for i := range e.requests {
		latest = max(latest, e.requests[i].last(int(e.last.Load())+1, e.asked()))
	}
	return latest
}

// asked says whether the episode has an actor.
func (e *episode) asked() bool {
	return slices.ContainsFunc(e.actors, func(a *acting) bool { return a != nil })
}

// result sums up an episode that has ended.
func (e *episode) result() (*Result, error) {
	slices.SortStableFunc(e.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.tick, b.tick), cmp.Compare(a.at, b.at), cmp.Compare(a.request, b.request))
	})
	result := &Result{Ticks: e.latest() + 1, Requests: make([]Outcome, len(e.requests)), Trace: e.trace}
	failed := 0
	for i := range e.requests {
		q, out := &e.requests[i], &result.Requests[i]
		last := q.last(int(e.last.Load())+1, e.asked())
		out.Ticks = last + 1
		seen := map[int]bool{}
		for _, f := range e.faults {
			if f.request != i || f.tick > last || seen[f.at] {
				continue
			}
			seen[f.at] = true
			out.Faults = append(out.Faults, f.err.Error())
			if out.Err == nil && e.network.config.Policy != Silence {
				out.Err = f.err
				failed++
			}
		}
		if e.trace != nil {
			e.trace.note(out.Faults, i, len(e.requests))
		}
	}
	if e.trace != nil {
		e.trace.Ticks = result.Ticks
		e.trace.addCalls(e.fillings)
	}
	if failed == len(e.requests) {
		return nil, result.Err()
	}
	return result, nil
}

// over says whether the episode was cancelled.
func (e *episode) over() bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
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
		case <-e.ended:
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
		case <-e.ended:
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

// entering writes the inputs that enter at every tick, or, from 0, at a step,
// to dst, by sense.
func (e *episode) entering(dst [][]float32, step int) [][]float32 {
	clear(dst)
	for s, x := range e.inputs {
		sense := &e.network.plan.Senses[s]
		switch {
		case x == nil || sense.PerTick != (step >= 0):
		case sense.PerTick:
			size := e.batch * sense.Numbers()
			dst[s] = x[step*size:][:size]
		default:
			dst[s] = x
		}
	}
	return dst
}
