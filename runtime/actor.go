package runtime

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/trace"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// acting is the process of one actor: it reads its effector's regions at
// every tick, and what it does comes back in at the next.
type acting struct {
	actor Actor
	name  string
	batch int
	d     int // of a region's state
	width int // of the feedback

	states []chan []float32 // n(h), from each of the effector's regions
	freed  []chan []float32 // and the buffers back
	back   []chan []float32 // feedback, to each feedback region; nil is silence
	// When actors reorder, order is where this one's go.
	reorders bool
	norm     []float32 // states side by side, of effectors with several regions
	buffers  [][]float32
}

func newActing(p *wiring.Plan, effector int, actor Actor, batch int) *acting {
	e := &p.Effectors[effector]
	a := &acting{actor: actor, name: e.Name, batch: batch, d: p.Width, width: e.FeedbackWidth, reorders: reorders(actor)}
	for range e.Regions {
		states, freed := make(chan []float32, 2), make(chan []float32, 4)
		for range cap(freed) {
			freed <- make([]float32, batch*p.Width)
		}
		a.states, a.freed = append(a.states, states), append(a.freed, freed)
	}
	for range e.Feedback {
		back := make(chan []float32, 2)
		back <- nil // nothing was done before the first tick
		a.back = append(a.back, back)
	}
	if len(e.Regions) > 1 {
		a.norm = make([]float32, batch*p.Width*len(e.Regions))
	}
	return a
}

// follow takes what the actor of the last episode did in its last tick, which
// comes back in the first of this one; nil for no such actor.
func (a *acting) follow(before *acting) {
	if before == nil {
		return
	}
	for k, ch := range before.back {
		for len(ch) > 0 {
			<-a.back[k]
			a.back[k] <- <-ch
		}
	}
}

// run is the actor's life in one episode. Once it is done it only keeps the
// regions going until the others are.
func (a *acting) run(e *episode) {
	// Feedback is copied into a ring, so that the actor may reuse its buffers:
	// two wait in the channel, one is read, one is being written.
	ring := make([][]float32, 4)
	orders := make([][]int32, 4)
	for i := range ring {
		ring[i] = make([]float32, a.batch*a.width)
		orders[i] = make([]int32, a.batch)
	}
	ended := make([]bool, a.batch)
	open := a.batch
	for t := 0; int64(t) <= e.last.Load(); t++ {
		norm, ok := a.receive(e, t)
		if !ok {
			return
		}
		var reply Reply
		if open > 0 {
			var err error
			if reply, err = act(e.ctx, a.actor, t, norm); err != nil {
				e.cancel(fmt.Errorf("effector %q at tick %d: %w", a.name, t, err))
				return
			}
		}
		for k, b := range a.buffers {
			a.freed[k] <- b
		}
		for b := range ended {
			if !ended[b] && (reply.Done || slices.Contains(reply.Ended, b)) {
				ended[b] = true
				open--
				e.finish(b, t)
			}
		}
		if open == 0 {
			if int64(t) >= e.last.Load() {
				return
			}
			reply = Reply{}
		}
		var back []float32
		if reply.Feedback != nil && len(a.back) > 0 {
			back = ring[t%len(ring)]
			if len(reply.Feedback) != len(back) {
				e.cancel(fmt.Errorf("effector %q at tick %d: feedback of %d numbers; want %d", a.name, t, len(reply.Feedback), len(back)))
				return
			}
			copy(back, reply.Feedback)
			for b, over := range ended {
				if over { // as when it is alone
					clear(back[b*a.width:][:a.width])
				}
			}
		}
		for _, ch := range a.back {
			if !send(e, ch, back, t) {
				return
			}
		}
		if !a.reorders {
			continue
		}
		var order []int32
		if reply.Parents != nil {
			order = orders[t%len(orders)]
			if err := checkParents(reply.Parents, e.of); err != nil {
				e.cancel(fmt.Errorf("effector %q at tick %d: %w", a.name, t, err))
				return
			}
			copy(order, reply.Parents)
		}
		if !e.network.order(e, order, t) {
			return
		}
	}
}

// receive takes the states of the effector's regions after a tick and lays
// them side by side.
func (a *acting) receive(e *episode, t int) (norm []float32, ok bool) {
	a.buffers = a.buffers[:0]
	for _, ch := range a.states {
		b, ok := receive(e, ch, t)
		if !ok {
			return nil, false
		}
		a.buffers = append(a.buffers, b)
	}
	if len(a.buffers) == 1 {
		return a.buffers[0], true
	}
	width := a.d * len(a.buffers)
	for k, b := range a.buffers {
		for i := range a.batch {
			copy(a.norm[i*width+k*a.d:][:a.d], b[i*a.d:][:a.d])
		}
	}
	return a.norm, true
}

// checkParents refuses an order that leads from one request to another.
func checkParents(parents []int32, of []int) error {
	if len(parents) != len(of) {
		return fmt.Errorf("%d parents for a batch of %d", len(parents), len(of))
	}
	for b, p := range parents {
		if p < 0 || int(p) >= len(of) {
			return fmt.Errorf("row %d continues row %d of %d", b, p, len(of))
		}
		if of[b] != of[p] {
			return fmt.Errorf("row %d of request %d continues row %d of request %d; say in Episode.Requests which rows belong together", b, of[b], p, of[p])
		}
	}
	return nil
}

// act calls the actor and turns its panic into an error.
func act(ctx context.Context, a Actor, t int, norm []float32) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, "effector").End()
	}
	return a.Act(ctx, t, norm)
}
