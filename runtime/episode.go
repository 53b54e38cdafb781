package runtime

import "context"

// Episode is one input, or a batch of them, presented for some ticks.
type Episode struct {
	// Batch is the number of inputs stepped side by side, the rows of the
	// batch; 0 means 1. No bit of a row depends on the others.
	Batch int
	// Requests says which request each row of the batch belongs to, counted
	// from 0; nil makes each row a request of its own. The beams of one input
	// are one request: they fail together, and only among them may an actor
	// reorder.
	Requests []int
	// Inputs holds each sense's standardised vectors, [batch, numbers], or
	// [Steps, batch, numbers] of a sense that gives one a step, at the sense's
	// index in the plan; nil for a sense that gets nothing.
	Inputs [][]float32
	// Steps is how many steps the senses that give one vector a step last, each
	// [wiring.Ticks.Settle] ticks; 0 without such a sense.
	Steps int
	// Ticks is how long the episode lasts at most.
	Ticks int
	// Continue begins in the state, and with the messages on their way, in which
	// the network's last episode ended, instead of in silence: so a long one can
	// be run in pieces, to the same bits. That one must have had the same batch,
	// lasted for all its ticks and not failed; nothing may reorder. What was
	// silenced, see [Silence], begins anew. Ticks count from the piece's first.
	Continue bool
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
	// Parents, when not nil, says which row of the batch each one continues
	// from the next tick on, one of the same request: beam search drops and
	// copies them. The actor must say so with [Reorders], and only one may.
	Parents []int32
	// Ended are rows for which the actor has acted for the last time. It is
	// called on until all have ended.
	Ended []int
	// Done says so of all rows.
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
	// Ticks is the number of ticks that belong to the episode: those of its
	// longest request.
	Ticks int
	// Requests are the outcomes of the episode's requests, of each row unless
	// [Episode.Requests] says otherwise.
	Requests []Outcome
	// Trace is nil unless Config.Trace.
	Trace *Trace
}

// Outcome is what became of one request. It does not depend on the others.
type Outcome struct {
	// Ticks is the number of ticks until all actors were done with the
	// request, or it failed.
	Ticks int
	// Err is why the request failed; nil under [Silence].
	Err error
	// Faults are the regions and parts that were silenced, see [Silence].
	Faults []string
}

// Err returns the error of the first request that failed, nil for none.
func (r *Result) Err() error {
	for i := range r.Requests {
		if err := r.Requests[i].Err; err != nil {
			return err
		}
	}
	return nil
}
