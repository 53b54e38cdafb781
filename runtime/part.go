package runtime

import (
	"context"
	"fmt"
	"math"
	"runtime/trace"
	"sync"
	"time"

	"github.com/connectomewire/wire/wiring/part"
)

// filling is the process of one part in one episode: after every k-th tick it
// takes its region's normalised state, runs the module, and gives what joins
// the drive from the next tick on. The region that it joins holds it until
// then.
type filling struct {
	part   *part.Part
	config Config
	at     int // behind the regions, in the order of faults

	states chan []float32 // n(h) of the region
	freed  chan []float32 // and the buffers back
	given  chan []float32 // what joins
	calls  []Call
}

func newFilling(p *part.Part, c Config, at, d, batch int) *filling {
	f := &filling{part: p, config: c, at: at,
		states: make(chan []float32, 2), freed: make(chan []float32, 4), given: make(chan []float32, 2)}
	for range cap(f.freed) {
		f.freed <- make([]float32, batch*d)
	}
	return f
}

// run is the part's life in one episode. What fails for one request is silent
// for it from then on, and goes on for the others.
func (f *filling) run(e *episode, d int) {
	silenced := make([]bool, len(e.requests))
	rows := make([]int, 0, e.batch) // that are not silenced
	first := f.part.Every - 1 - e.base%f.part.Every
	if e.base > 0 && f.part.Runs(e.base) {
		first = -1 // after the last tick of the episode before
	}
	// What is given after the last tick comes too late, unless another episode
	// continues this one, and begins with it.
	for t := first; int64(t) < e.last.Load(); t += f.part.Every {
		norm, ok := receive(e, f.states, t+1)
		if !ok {
			return
		}
		rows = rows[:0]
		for b, q := range e.of {
			if !silenced[q] {
				rows = append(rows, b)
			}
		}
		joins := make([]float32, e.batch*d)
		x := f.take(e, norm, rows, d)
		f.freed <- norm
		for i, err := range f.give(e, joins, x, rows, d) {
			q := e.of[rows[i]]
			if err == nil || silenced[q] {
				continue
			}
			if e.over() {
				return
			}
			silenced[q] = true
			e.report(fault{max(t, 0), f.at, q, fmt.Errorf("part %q at tick %d: %w", f.part.Name, max(t, 0), err)})
		}
		for b, q := range e.of {
			if silenced[q] {
				clear(joins[b*d:][:d])
			}
		}
		if !send(e, f.given, joins, t) {
			return
		}
	}
}

// take computes what the module is given of some rows, side by side, in memory
// of its own: a call that was given up may still read it.
func (f *filling) take(e *episode, norm []float32, rows []int, d int) []float32 {
	x := make([]float32, len(rows)*f.part.Takes)
	if len(rows) < e.batch {
		for i, b := range rows { // never behind b, so that nothing is lost
			copy(norm[i*d:][:d], norm[b*d:][:d])
		}
	}
	f.part.Take(x, norm, len(rows))
	return x
}

// give writes what joins the drive to rows of joins, and returns their errors;
// nil for none. A call that fails for many is done again for each alone, all at
// once, so that it is known which failed: what hangs then takes its time once.
func (f *filling) give(e *episode, joins, x []float32, rows []int, d int) []error {
	if len(rows) == 0 {
		return nil
	}
	scatter := func(rows []int, given []float32) {
		for i, b := range rows {
			copy(joins[b*d:][:d], given[i*d:][:d])
		}
	}
	given, call, err := f.call(e, x, len(rows), d)
	f.calls = append(f.calls, call)
	if err == nil {
		scatter(rows, given)
		return nil
	}
	if len(rows) == 1 {
		return []error{err}
	}
	errs := make([]error, len(rows))
	calls := make([]Call, len(rows))
	var wg sync.WaitGroup
	for i, b := range rows {
		wg.Go(func() {
			given, call, err := f.call(e, x[i*f.part.Takes:][:f.part.Takes], 1, d)
			if calls[i], errs[i] = call, err; err == nil {
				scatter([]int{b}, given)
			}
		})
	}
	wg.Wait()
	f.calls = append(f.calls, calls...)
	return errs
}

// call runs the module under the policy of failures.
func (f *filling) call(e *episode, x []float32, rows, d int) (joins []float32, call Call, err error) {
	call = Call{Module: f.part.Module, Part: f.part.Name, Begin: time.Since(e.start)}
	if trace.IsEnabled() {
		defer trace.StartRegion(e.ctx, "part").End()
	}
	done := make(chan []float32, 1+f.config.Retries) // calls that were given up may end later
	err = f.config.Guard(e.ctx, f.part.Module, func(ctx context.Context) error {
		out := make([]float32, rows*d)
		if err := f.part.Give(ctx, out, x, rows); err != nil {
			return err
		}
		done <- out
		return nil
	})
	call.End = time.Since(e.start)
	if err != nil {
		return nil, call, err
	}
	return <-done, call, nil
}

// joining is a region's end of a part that joins it.
type joining struct {
	part  *part.Part
	full  []float32 // memory for the network's capacity
	held  []float32 // [batch, d]
	holds bool      // something, since the first run
	rows  []int     // of the batch, for which the part is cut in this episode
}

// prepare brings it to the state before the first tick.
func (j *joining) prepare(e *episode) {
	j.holds, j.rows = j.holds && e.base > 0, j.rows[:0]
	j.held = j.full[:e.batch*e.network.plan.Width]
	for b, i := range e.cutParts {
		if i == j.part.Index {
			j.rows = append(j.rows, b)
		}
	}
}

// hold takes what the part gave in the last tick, if that was its turn. It
// returns false when the episode has ended.
func (j *joining) hold(e *episode, t int) bool {
	if now := e.base + t; now == 0 || !j.part.Runs(now) {
		return true
	}
	given, ok := receive(e, e.fillings[j.part.Index].given, t)
	if !ok {
		return false
	}
	j.holds = true
	copy(j.held, given)
	d := len(j.held) / e.batch
	for _, b := range j.rows {
		clear(j.held[b*d:][:d])
	}
	return true
}

// reorder applies a beam's new order to what is held.
func (j *joining) reorder(parents []int32, scratch []float32) {
	d := len(j.held) / len(parents)
	for b, p := range parents {
		copy(scratch[b*d:][:d], j.held[int(p)*d:][:d])
	}
	copy(j.held, scratch)
}

// strength is the root mean square of what is held.
func (j *joining) strength() float32 {
	if !j.holds {
		return 0
	}
	return float32(math.Sqrt(meanSquare(j.held)))
}
