package spread

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Kinds of work that is offered.
const (
	KindExperiment = "experiment"
	KindEvaluation = "evaluation"
)

// Here is the name of a coordinator's own worker.
const Here = "here"

// Shared is work that workers share, this process among them.
type Shared struct {
	Link *Link
	// Slots is how many jobs are done here, beside those of the workers.
	Slots int
	// Heartbeat is that of [Offer].
	Heartbeat time.Duration
	// Tell hears of workers, one at a time; nil for none.
	Tell func(News)

	queue *Queue
	stop  context.CancelFunc
	here  sync.WaitGroup
}

// begin offers work, with what it reads, and begins to do some of it here.
func (x *Shared) begin(ctx context.Context, o Offer, input string, here Work) (err error) {
	o.Heartbeat = x.Heartbeat
	if x.queue, err = x.Link.Offer(ctx, o, input, x.Tell); err != nil {
		return err
	}
	ctx, x.stop = context.WithCancel(ctx)
	if x.Slots < 1 {
		return nil
	}
	w := &Worker{Name: Here, Slots: x.Slots, Only: o.ID, Open: func(context.Context, Offer, string) (Work, error) { return here, nil }}
	x.here.Go(func() {
		if err := x.Link.Work(ctx, w); err != nil && x.Tell != nil {
			x.Tell(News{Worker: w.Name, Out: err.Error()})
		}
	})
	return nil
}

// Close ends what is done here and withdraws the offer; done says that all is done.
func (x *Shared) Close(done bool) error {
	if x.queue == nil {
		return nil
	}
	x.stop()
	x.here.Wait()
	return x.queue.Close(done)
}

// run has jobs done that are told as JSON, and their results too.
func run[J fmt.Stringer, R any](ctx context.Context, q *Queue, jobs []J, took func(job int, result R) error) error {
	all := make([]Job, len(jobs))
	for i, j := range jobs {
		data, err := json.Marshal(j)
		if err != nil {
			return err
		}
		all[i] = Job{Data: data, Name: j.String()}
	}
	return q.Run(ctx, all, func(i int, result []byte) error {
		var r R
		if err := json.Unmarshal(result, &r); err != nil {
			return fmt.Errorf("%s: %w", jobs[i], err)
		}
		return took(i, r)
	})
}
