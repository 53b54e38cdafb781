package spread

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Work is an offer that a worker has joined.
type Work interface {
	// Do does a job. Several are done at once. Its result must not depend on
	// which worker does it.
	Do(ctx context.Context, job []byte) ([]byte, error)
	// Close is called when no job is being done any more.
	Close() error
}

// Worker does the jobs of all offers that it can join.
type Worker struct {
	Name  string // tells it from others, for people
	Slots int    // jobs that it does at once
	// Only is the one offer that it joins, whose inputs it has; "" is all.
	Only string
	// Open joins an offer; dir holds what it reads, "" where it reads nothing. An
	// error says why the worker stays out.
	Open func(ctx context.Context, o Offer, dir string) (Work, error)
	// Say is told what happens; nil is silent.
	Say func(string)
}

// place is an offer at a worker.
type place struct {
	offer Offer
	work  Work
	jobs  jetstream.Consumer
	dir   string
	ctx   context.Context
	stop  context.CancelFunc
	doing sync.WaitGroup
}

// shift is a worker at work.
type shift struct {
	*Worker
	stores
	link *Link
	mu   sync.Mutex
	open []*place
	more chan struct{} // closed and made anew when something was joined
}

// Work does jobs until the context ends; then it gives back those that it has
// begun.
func (l *Link) Work(ctx context.Context, w *Worker) error {
	var s stores
	var offers jetstream.KeyWatcher
	err := persist(ctx, func() (err error) {
		if s, err = l.open(ctx); err == nil {
			offers, err = s.offers.WatchAll(ctx)
		}
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("server %s: %w", l.URL, err)
	}
	x := &shift{Worker: w, stores: s, link: l, more: make(chan struct{})}
	defer offers.Stop() //nolint:errcheck // it ends with the connection else
	var wg sync.WaitGroup
	for range max(w.Slots, 1) {
		wg.Go(func() { x.slot(ctx) })
	}
	for {
		select {
		case e := <-offers.Updates():
			if e != nil {
				x.hear(ctx, e)
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	wg.Wait()
	for len(x.open) > 0 {
		x.leave(x.open[0].offer.ID)
	}
	return nil
}

func (x *shift) say(format string, args ...any) {
	if x.Say != nil {
		x.Say(fmt.Sprintf(format, args...))
	}
}

// hear joins an offer, or leaves one that was withdrawn.
func (x *shift) hear(ctx context.Context, e jetstream.KeyValueEntry) {
	if x.Only != "" && x.Only != e.Key() {
		return
	}
	if e.Operation() != jetstream.KeyValuePut {
		x.leave(e.Key())
		return
	}
	var o Offer
	if err := json.Unmarshal(e.Value(), &o); err != nil || o.ID != e.Key() || o.Heartbeat <= 0 {
		x.say("an offer that cannot be read: %s", e.Key())
		return
	}
	news := News{Worker: x.Name, Slots: max(x.Slots, 1)}
	if x.has(o) { // its coordinator came back
		x.tell(o, news)
		return
	}
	x.leave(o.ID)
	p, err := x.join(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		news.Out = err.Error()
		x.say("stays out of %s: %v", o.Name, err)
	} else {
		x.say("joins %s", o.Name)
		x.mu.Lock()
		x.open = append(x.open, p)
		slices.SortStableFunc(x.open, func(a, b *place) int { return cmp.Compare(a.offer.Time.UnixNano(), b.offer.Time.UnixNano()) })
		close(x.more)
		x.more = make(chan struct{})
		x.mu.Unlock()
	}
	x.tell(o, news)
}

// tell tells a coordinator of this worker.
func (x *shift) tell(o Offer, news News) {
	if data, err := json.Marshal(news); err == nil {
		x.link.nc.Publish(newsSubject+"."+o.ID, data) //nolint:errcheck // it is for people only
	}
}

// has says whether an offer is joined as it is.
func (x *shift) has(o Offer) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.open, func(p *place) bool {
		return p.offer.ID == o.ID && p.offer.Input == o.Input && p.offer.Heartbeat == o.Heartbeat && maps.Equal(p.offer.Checks, o.Checks)
	})
}

// join fetches what an offer reads and opens it.
func (x *shift) join(ctx context.Context, o Offer) (p *place, err error) {
	p = &place{offer: o}
	defer func() {
		if err != nil && p.dir != "" {
			os.RemoveAll(p.dir)
		}
	}()
	if o.Input != "" && x.Only == "" {
		if p.dir, err = os.MkdirTemp("", "wire-worker"); err != nil {
			return nil, err
		}
		if err := unpack(ctx, x.inputs, o.ID+"/"+o.Input, o.Input, p.dir); err != nil {
			return p, fmt.Errorf("fetch what it reads: %w", err)
		}
	}
	if p.jobs, err = x.jobs.Consumer(ctx, o.ID); err != nil {
		return p, err
	}
	if p.work, err = x.Open(ctx, o, p.dir); err != nil {
		return p, err
	}
	p.ctx, p.stop = context.WithCancel(ctx)
	return p, nil
}

// leave closes an offer once nothing is being done for it.
func (x *shift) leave(id string) {
	x.mu.Lock()
	i := slices.IndexFunc(x.open, func(p *place) bool { return p.offer.ID == id })
	if i < 0 {
		x.mu.Unlock()
		return
	}
	p := x.open[i]
	x.open = slices.Delete(x.open, i, i+1)
	x.mu.Unlock()
	p.stop()
	p.doing.Wait()
	if err := p.work.Close(); err != nil {
		x.say("close %s: %v", p.offer.Name, err)
	}
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
	x.say("%s is over", p.offer.Name)
}

// slot does one job after the other, of the oldest offer that has some.
func (x *shift) slot(ctx context.Context) {
	for ctx.Err() == nil {
		x.mu.Lock()
		open, more := slices.Clone(x.open), x.more
		for _, p := range open {
			p.doing.Add(1)
		}
		x.mu.Unlock()
		did := false
		for _, p := range open {
			if !did && p.ctx.Err() == nil {
				did = x.next(p)
			}
			p.doing.Done()
		}
		if len(open) == 0 {
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
	}
}

// next does a job of an offer, if there is one within a second.
func (x *shift) next(p *place) bool {
	m, err := p.jobs.Next(jetstream.FetchMaxWait(time.Second))
	if err != nil {
		if !errors.Is(err, jetstream.ErrNoMessages) && !errors.Is(err, context.DeadlineExceeded) {
			pause(p.ctx, time.Second) // the server is away, or the offer was withdrawn
		}
		return false
	}
	key := lastToken(m.Subject())
	if _, err := x.results.Get(p.ctx, p.offer.ID+"."+key); err == nil {
		m.Ack() //nolint:errcheck // it comes again
		return true
	}
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	var beating sync.WaitGroup
	beating.Go(func() {
		for pause(ctx, p.offer.Heartbeat) {
			m.InProgress() //nolint:errcheck // three may fail to come
		}
	})
	a := answer{Worker: x.Name}
	a.Result, err = p.work.Do(ctx, m.Data())
	if err == nil || p.ctx.Err() == nil && x.last(m, err, &a) {
		x.keep(ctx, p, key, a, m)
	} else if p.ctx.Err() != nil {
		m.Nak() //nolint:errcheck // it is given to another after the heartbeats' time else
	}
	stop()
	beating.Wait()
	return true
}

// last says whether a job has failed for the last time; if not it is given to
// another worker.
func (x *shift) last(m jetstream.Msg, err error, a *answer) bool {
	x.say("%v", err)
	info, unknown := m.Metadata()
	if unknown == nil && info.NumDelivered >= tries {
		a.Error = err.Error()
		return true
	}
	m.NakWithDelay(time.Second) //nolint:errcheck // as above
	return false
}

// keep stores an answer, however long that takes, and then lets go of the job.
func (x *shift) keep(ctx context.Context, p *place, key string, a answer, m jetstream.Msg) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := x.store(ctx, p.offer.ID, key, a)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		x.say("a result cannot be stored and is kept here until it can: %v", err)
		if !pause(ctx, wait) {
			return
		}
	}
	m.DoubleAck(ctx) //nolint:errcheck // it comes again, and its result is there
}
