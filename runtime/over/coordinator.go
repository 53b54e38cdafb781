package over

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
)

// Options say how a coordinator works. The zero values of times are the usual ones.
type Options struct {
	// Workers are how many it wants beside itself.
	Workers int
	// Code is the version of the program.
	Code string
	// Half is that of the coordinator's [runtime.Config].
	Half bool
	// Patience is after how long without a sign of life a worker is lost, 30 s;
	// Gone after how long where the server knows that it does not listen, 5 s.
	Patience, Gone time.Duration
	// Wait is how long an episode waits for a worker in the place of one that was
	// lost, 1 minute. For those of the beginning it waits as long as its context.
	Wait time.Duration
	// Say is told what happens; nil is silent. It may be called by several
	// goroutines.
	Say func(string)
}

// Coordinator steps a plan together with workers. It is a [runtime.Team].
type Coordinator struct {
	transport Transport
	store     Store
	options   Options
	plan      *wiring.Plan
	share     *runtime.Share
	in, out   []int // tracts that lead from each worker, and to it
	own       word  // what it says of itself
	input     string
	turn      chan struct{} // held by the episode that is on
	stop      context.CancelFunc
	run       sync.WaitGroup
	silence   []func() // stop listening

	mu      sync.Mutex
	seats   []*seat // by worker; that of the coordinator is nil
	refused map[string]bool
	episode uint32
	now     *exchange
	lost    *LostError    // the last one whose place is empty
	change  chan struct{} // closed and made anew when a seat changed
}

// seat is a worker's place. The zero seat is free.
type seat struct {
	address, name string
	ready         bool
	heard         time.Time
	absent        time.Time // since when the server knows that nobody listens; zero for not
	asking        bool      // whether that is so
	begun         bool      // has begun the episode that is on
}

// Gather begins to call for workers for a plan, whose regions it divides, and returns
// at once; the first episode waits for them. It is to be closed.
func Gather(ctx context.Context, t Transport, s Store, p *wiring.Plan, o Options) (*Coordinator, error) {
	workers, err := runtime.Divide(p, o.Workers+1)
	if err != nil {
		return nil, err
	}
	return GatherAs(ctx, t, s, p, workers, o)
}

// GatherAs is [Gather] with the regions of each, the coordinator's first.
func GatherAs(ctx context.Context, t Transport, s Store, p *wiring.Plan, workers [][]int, o Options) (*Coordinator, error) {
	o.Workers = len(workers) - 1
	for _, d := range []struct {
		at    *time.Duration
		usual time.Duration
	}{{&o.Patience, 30 * time.Second}, {&o.Gone, 5 * time.Second}, {&o.Wait, time.Minute}} {
		if *d.at == 0 {
			*d.at = d.usual
		}
	}
	if o.Workers < 1 || o.Workers >= 1<<16 {
		return nil, fmt.Errorf("over: %d workers; want 1 to %d", o.Workers, 1<<16-1)
	}
	c := &Coordinator{transport: t, store: s, options: o, plan: p, turn: make(chan struct{}, 1), refused: map[string]bool{}, change: make(chan struct{})}
	c.share = &runtime.Share{Workers: workers, Team: c}
	var err error
	if c.in, c.out, err = c.share.Crossings(p, 0); err != nil {
		return nil, err
	}
	for w := range workers {
		c.seats = append(c.seats, nil)
		if w > 0 {
			c.seats[w] = &seat{}
		}
	}
	dir, err := os.MkdirTemp("", "wire-over")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := pack(p, workers, dir); err != nil {
		return nil, err
	}
	if c.input, err = s.PutDirectory(ctx, dir); err != nil {
		return nil, fmt.Errorf("send plan %q to its workers: %w", p.Name, err)
	}
	c.own = word{Address: newAddress(), Name: p.Name, Session: newSession(), Plan: record.Fingerprint(p), Kernels: kernels(), Code: o.Code}
	silence, err := t.Listen(c.own.Address, c.hear)
	if err != nil {
		return nil, err
	}
	c.silence = append(c.silence, silence)
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.run.Go(func() { c.call(ctx) })
	return c, nil
}

// Share is the coordinator's share, for [runtime.Config].
func (c *Coordinator) Share() *runtime.Share { return c.share }

// Close lets the workers go.
func (c *Coordinator) Close() error {
	c.stop()
	c.run.Wait()
	for _, f := range c.silence {
		f()
	}
	c.mu.Lock()
	for _, s := range c.seats {
		if s != nil && s.address != "" {
			c.tell(s.address, word{Kind: wordBye})
		}
	}
	c.mu.Unlock()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	return c.store.ForgetDirectory(ctx, c.input)
}

// tell sends a word about the coordinator's session.
func (c *Coordinator) tell(to string, w word) error {
	w.Address, w.Session, w.Name = c.own.Address, c.own.Session, c.own.Name
	w.Plan, w.Kernels, w.Code = c.own.Plan, c.own.Kernels, c.own.Code
	return w.send(c.transport, to)
}

func (c *Coordinator) say(format string, args ...any) {
	if c.options.Say != nil {
		c.options.Say(fmt.Sprintf(format, args...))
	}
}

// call calls for workers as long as seats are free, says that the coordinator is
// there, and sees who is not any more.
func (c *Coordinator) call(ctx context.Context) {
	for {
		c.mu.Lock()
		free, over := false, c.episode
		if c.now != nil {
			over--
		}
		for w, s := range c.seats {
			if s == nil {
				continue
			}
			if free = free || !s.ready; s.address != "" {
				c.tell(s.address, word{Kind: wordBeat, Episode: over}) //nolint:errcheck // it is said again
				c.look(ctx, w, s)
			}
		}
		c.mu.Unlock()
		if free {
			c.tell(calls, word{Kind: wordCall}) //nolint:errcheck // it is said again
		}
		select {
		case <-time.After(beat):
		case <-ctx.Done():
			return
		}
	}
}

// look sees whether a worker is still there. The lock is held.
func (c *Coordinator) look(ctx context.Context, w int, s *seat) {
	quiet := time.Since(s.heard)
	switch {
	case quiet > c.options.Patience:
		c.lose(w, fmt.Sprintf("nothing was heard of it for %v", c.options.Patience))
	case !s.absent.IsZero() && time.Since(s.absent) > c.options.Gone:
		c.lose(w, "it has left the server")
	case quiet > 2*beat && !s.asking:
		s.asking = true
		c.run.Go(func() {
			absent := c.transport.Absent(ctx, s.address)
			c.mu.Lock()
			defer c.mu.Unlock()
			if s.asking = false; !absent {
				s.absent = time.Time{}
			} else if s.absent.IsZero() {
				s.absent = time.Now()
			}
		})
	}
}

// lose gives a worker's seat up, and the episode with it. The lock is held.
func (c *Coordinator) lose(w int, why string) {
	s := c.seats[w]
	err := &LostError{Worker: s.name, Regions: len(c.share.Workers[w]), Why: why}
	c.tell(s.address, word{Kind: wordBye}) //nolint:errcheck // it sees for itself
	c.say("%v", err)
	c.lost = err
	c.leave(w)
	if c.now != nil {
		c.now.fail(err)
	}
}

// leave frees a seat. The lock is held.
func (c *Coordinator) leave(w int) {
	c.seats[w] = &seat{}
	c.changed()
}

func (c *Coordinator) changed() {
	close(c.change)
	c.change = make(chan struct{})
}

// at is the seat of an address; nil for none. The lock is held.
func (c *Coordinator) at(address string) (int, *seat) {
	for w, s := range c.seats {
		if s != nil && s.address == address && address != "" {
			return w, s
		}
	}
	return 0, nil
}

// hear takes whatever is sent to the coordinator.
func (c *Coordinator) hear(frame []byte) {
	h, payload, err := parse(frame)
	if err != nil {
		return
	}
	if h.kind != kindWord {
		c.mu.Lock()
		x := c.now
		if x != nil && x.of(&h) {
			c.seats[h.from].heard = time.Now()
		} else {
			x = nil
		}
		c.mu.Unlock()
		if x != nil {
			x.take(&h, payload)
		}
		return
	}
	var w word
	if json.Unmarshal(payload, &w) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.Kind == wordHello {
		c.greet(w)
		return
	}
	i, s := c.at(w.Address)
	if s == nil || w.Session != c.own.Session {
		if w.Session == c.own.Session && w.Kind == wordBeat {
			c.tell(w.Address, word{Kind: wordBye}) //nolint:errcheck // it asks again
		}
		return
	}
	s.heard, s.absent = time.Now(), time.Time{}
	switch w.Kind {
	case wordBeat:
		if w.Ready && !s.ready {
			c.seated(i, s, w)
		}
	case wordBusy:
		if !s.ready {
			c.leave(i)
		}
	case wordOut:
		c.refused[w.Address] = true
		if s.ready {
			c.lose(i, w.Why)
			return
		}
		c.say("worker %s stays out: %s", s.name, w.Why)
		c.leave(i)
	case wordBegun:
		if w.Episode == c.episode {
			s.begun = true
		}
	case wordEnded:
		if w.Episode == c.episode && c.now != nil {
			c.now.fail(fmt.Errorf("worker %s: %s", s.name, w.Why))
		}
	}
}

// greet gives a worker a seat, if one is free and it suits. The lock is held.
func (c *Coordinator) greet(w word) {
	if w.Address == "" {
		return
	}
	i, s := c.at(w.Address)
	if s == nil {
		if why := unlike(c.own, w); why != "" {
			if !c.refused[w.Address] {
				c.refused[w.Address] = true
				c.say("worker %s stays out: %s", w.Name, why)
			}
			c.tell(w.Address, word{Kind: wordOut, Why: why}) //nolint:errcheck // it asks again
			return
		}
		for j, free := range c.seats {
			if free != nil && free.address == "" && !c.refused[w.Address] {
				i, s = j, free
				s.address, s.name, s.heard = w.Address, w.Name, time.Now()
				break
			}
		}
	}
	if s != nil && !s.ready {
		c.tell(s.address, word{Kind: wordSeat, Seat: i, Input: c.input, Half: c.options.Half}) //nolint:errcheck // it asks again
	}
}

// seated takes a worker that is ready, and has the same plan. The lock is held.
func (c *Coordinator) seated(i int, s *seat, w word) {
	if why := unlike(c.own, w); why != "" || w.Plan == "" {
		c.refused[s.address] = true
		c.say("worker %s stays out: %s", s.name, why)
		c.tell(s.address, word{Kind: wordOut, Why: why}) //nolint:errcheck // it is told again
		c.leave(i)
		return
	}
	s.ready = true
	c.say("worker %s steps %d of %d regions", s.name, len(c.share.Workers[i]), len(c.plan.Regions))
	c.changed()
}

// Begin implements [runtime.Team].
func (c *Coordinator) Begin(ctx context.Context, h runtime.Heading) (runtime.Exchange, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	x, err := c.begin(ctx, &h)
	if err != nil {
		<-c.turn
		return nil, err
	}
	return x, nil
}

// begin waits until all are there and begins.
func (c *Coordinator) begin(ctx context.Context, h *runtime.Heading) (*exchange, error) {
	for {
		if err := c.complete(ctx); err != nil {
			return nil, err
		}
		c.mu.Lock()
		if c.missing() == 0 {
			break
		}
		c.mu.Unlock()
	}
	defer c.mu.Unlock()
	c.episode++
	addresses := []string{c.own.Address}
	for _, s := range c.seats[1:] {
		addresses = append(addresses, s.address)
		s.begun = false
	}
	begin := word{Kind: wordBegin, Episode: c.episode, Heading: h, Addresses: addresses}
	head := header{plan: short(c.own.Plan), session: c.own.Session, episode: c.episode}
	// It outlives the runtime's context, so that Close can still be said.
	x := newExchange(context.WithoutCancel(ctx), c.transport, head, 0, addresses, h, c.plan, c.in, c.out)
	for _, a := range addresses[1:] {
		if err := c.tell(a, begin); errors.Is(err, errTooLong) { // any other comes again
			return nil, fmt.Errorf("begin an episode of %d inputs: %w", h.Batch, err)
		}
	}
	said := time.Now()
	x.remind = func() { // whoever did not hear it
		if time.Since(said) < firstWait {
			return
		}
		said = time.Now()
		c.mu.Lock()
		defer c.mu.Unlock()
		for w, s := range c.seats {
			if s != nil && s.address == addresses[w] && !s.begun {
				c.tell(s.address, begin) //nolint:errcheck // it is said again
			}
		}
	}
	x.closing = func() error {
		c.mu.Lock()
		c.now = nil
		for _, a := range addresses[1:] {
			c.tell(a, word{Kind: wordOver, Episode: head.episode}) //nolint:errcheck // beats say it again
		}
		c.mu.Unlock()
		<-c.turn
		return nil
	}
	c.now = x
	x.start()
	return x, nil
}

// missing counts the seats whose workers are not ready. The lock is held.
func (c *Coordinator) missing() (n int) {
	for _, s := range c.seats {
		if s != nil && !s.ready {
			n++
		}
	}
	return n
}

// complete waits until all seats are taken by workers that are ready.
func (c *Coordinator) complete(ctx context.Context) error {
	said := false
	var late <-chan time.Time
	for {
		c.mu.Lock()
		missing := c.missing()
		lost, change := c.lost, c.change
		if missing == 0 {
			c.lost = nil
		}
		c.mu.Unlock()
		if missing == 0 {
			return nil
		}
		if !said {
			said = true
			c.say("waiting for %d of %d workers", missing, c.options.Workers)
		}
		if lost != nil && late == nil {
			late = time.After(c.options.Wait)
		}
		select {
		case <-change:
		case <-late:
			return fmt.Errorf("%w, and no other came within %v", lost, c.options.Wait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
