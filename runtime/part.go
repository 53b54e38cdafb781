package runtime

import (
	"context"
	"fmt"
	"math"
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
	given  chan []float32 // what joins; nil for nothing
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

// run is the part's life in one episode. A part that was silenced goes on and
// gives nothing.
func (f *filling) run(e *episode, d int) {
	silenced := false
	// What is given after the last tick would come too late.
	for t := f.part.Every - 1; int64(t) < e.last.Load(); t += f.part.Every {
		norm, ok := receive(e, f.states, t+1)
		if !ok {
			return
		}
		x := make([]float32, e.batch*f.part.Takes) // a call that was given up may still read it
		f.part.Take(x, norm, e.batch)
		f.freed <- norm
		var joins []float32
		if !silenced {
			var err error
			if joins, err = f.call(e, x, d); err != nil {
				if e.ctx.Err() != nil {
					return
				}
				e.report(f.config.Policy, fault{t, f.at, fmt.Errorf("part %q at tick %d: %w", f.part.Name, t, err)})
				if f.config.Policy != Silence {
					return
				}
				silenced = true
			}
		}
		if !send(e, f.given, joins, t) {
			return
		}
	}
}

// call runs the module under the policy of failures.
func (f *filling) call(e *episode, x []float32, d int) (joins []float32, err error) {
	began := time.Since(e.start)
	done := make(chan []float32, 1+f.config.Retries) // calls that were given up may end later
	err = f.config.Guard(e.ctx, f.part.Module, func(ctx context.Context) error {
		out := make([]float32, e.batch*d)
		if err := f.part.Give(ctx, out, x, e.batch); err != nil {
			return err
		}
		done <- out
		return nil
	})
	if e.trace != nil {
		f.calls = append(f.calls, Call{Module: f.part.Module, Part: f.part.Name, Begin: began, End: time.Since(e.start)})
	}
	if err != nil {
		return nil, err
	}
	return <-done, nil
}

// joining is a region's end of a part that joins it.
type joining struct {
	part  *part.Part
	held  []float32 // [batch, d]
	holds bool      // something, since the first run
	rows  []int     // of the batch, for which the part is cut in this episode
}

// prepare brings it to the state before the first tick.
func (j *joining) prepare(e *episode) {
	j.holds, j.rows = false, j.rows[:0]
	for b, i := range e.cutParts {
		if i == j.part.Index {
			j.rows = append(j.rows, b)
		}
	}
}

// hold takes what the part gave in the last tick, if that was its turn. It
// returns false when the episode has ended.
func (j *joining) hold(e *episode, t int) bool {
	if t == 0 || !j.part.Runs(t) {
		return true
	}
	given, ok := receive(e, e.fillings[j.part.Index].given, t)
	if !ok {
		return false
	}
	if j.holds = given != nil; !j.holds {
		return true
	}
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
