package over

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
)

// Worker steps regions of plans that coordinators have, one plan at a time.
type Worker struct {
	Name string // tells it from others, for people
	Code string // version of the program
	// Patience is after how long without a sign of life it leaves a coordinator; 0
	// is 30 s.
	Patience time.Duration
	// Processes is [runtime.Config.Processes].
	Processes int
	// Say is told what happens; nil is silent. It may be called by several
	// goroutines.
	Say func(string)
}

// place is a worker's seat at a coordinator.
type place struct {
	*service
	from    word // the coordinator's, who gave it
	seat    int
	ctx     context.Context
	leave   context.CancelCauseFunc
	running sync.WaitGroup
	others  []otherNetwork // the latest last

	// What follows is the service's lock's.
	heard   time.Time
	network *runtime.Network // nil until it is ready
	plan    *wiring.Plan
	workers [][]int
	finger  string
	episode uint32
	now     *joined
}

// joined is an episode at a worker.
type joined struct {
	x     *exchange
	stop  context.CancelCauseFunc
	ended chan struct{}
}

// service is a worker at work.
type service struct {
	Worker
	transport Transport
	store     Store
	address   string

	mu    sync.Mutex
	place *place
	// out are the sessions that it stays out of.
	out map[uint64]bool
}

// Serve answers coordinators' calls until the context ends.
func (w Worker) Serve(ctx context.Context, t Transport, s Store) error {
	if w.Patience == 0 {
		w.Patience = 30 * time.Second
	}
	v := &service{Worker: w, transport: t, store: s, address: newAddress(), out: map[uint64]bool{}}
	own, err := t.Listen(v.address, func(frame []byte) { v.hear(ctx, frame) })
	if err != nil {
		return err
	}
	defer own()
	all, err := t.Listen(calls, func(frame []byte) { v.hear(ctx, frame) })
	if err != nil {
		return err
	}
	defer all()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			v.beat()
		case <-ctx.Done():
			v.mu.Lock()
			p := v.place
			v.mu.Unlock()
			if p != nil {
				p.tell(word{Kind: wordOut, Why: "it was stopped"}) //nolint:errcheck // the coordinator sees for itself
				v.end(p, context.Cause(ctx))
				p.running.Wait()
			}
			return nil
		}
	}
}

func (v *service) say(format string, args ...any) {
	if v.Say != nil {
		v.Say(fmt.Sprintf(format, args...))
	}
}

// tell tells the coordinator something.
func (p *place) tell(w word) error {
	w.Address, w.Session, w.Name = p.address, p.from.Session, p.Name
	w.Kernels, w.Code = kernels(), p.Code
	return w.send(p.transport, p.from.Address)
}

// beat says that the worker is there, and leaves a coordinator that is not.
func (v *service) beat() {
	v.mu.Lock()
	p := v.place
	if p == nil {
		v.mu.Unlock()
		return
	}
	w := word{Kind: wordBeat, Ready: p.network != nil, Plan: p.finger, Seat: p.seat}
	lost := time.Since(p.heard) > v.Patience
	v.mu.Unlock()
	if lost {
		v.say("nothing was heard of the coordinator of %s for %v", p.from.Name, v.Patience)
		v.end(p, errors.New("the coordinator is lost"))
		return
	}
	p.tell(w) //nolint:errcheck // it is said again
}

// end leaves a coordinator.
func (v *service) end(p *place, why error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.place != p {
		return
	}
	v.place = nil
	p.leave(why)
	v.say("is done with %s", p.from.Name)
}

// hear takes whatever is sent to the worker.
func (v *service) hear(ctx context.Context, frame []byte) {
	h, payload, err := parse(frame)
	if err != nil || ctx.Err() != nil {
		return
	}
	if h.kind != kindWord {
		v.mu.Lock()
		var x *exchange
		if p := v.place; p != nil && p.now != nil && p.now.x.of(&h) {
			x = p.now.x
			if h.from == 0 {
				p.heard = time.Now()
			}
		}
		v.mu.Unlock()
		if x != nil {
			x.take(&h, payload)
		}
		return
	}
	var w word
	if json.Unmarshal(payload, &w) != nil || w.Address == "" {
		return
	}
	v.mu.Lock()
	p := v.place
	ours := p != nil && p.from.Session == w.Session && p.from.Address == w.Address
	if ours {
		p.heard = time.Now()
	}
	switch {
	case w.Kind == wordCall && p == nil && !v.out[w.Session]:
		word{Kind: wordHello, Address: v.address, Name: v.Name, Session: w.Session, Kernels: kernels(), Code: v.Code}.send(v.transport, w.Address) //nolint:errcheck // it is called again
	case w.Kind == wordSeat && p == nil:
		v.sit(ctx, w)
	case w.Kind == wordSeat && !ours:
		word{Kind: wordBusy, Address: v.address, Name: v.Name, Session: w.Session}.send(v.transport, w.Address) //nolint:errcheck // its patience ends
	case w.Kind == wordOut && (ours || p == nil) && !v.out[w.Session]:
		v.out[w.Session] = true
		v.say("stays out of %s: %s", w.Name, w.Why)
	}
	v.mu.Unlock()
	if !ours {
		return
	}
	switch w.Kind {
	case wordBegin:
		p.begin(w)
	case wordOver:
		p.over(w.Episode, errClosed)
	case wordBeat:
		p.over(w.Episode, errClosed)
	case wordBye, wordOut:
		v.end(p, errors.New("the coordinator is done"))
	}
}

// sit takes a seat. The lock is held.
func (v *service) sit(ctx context.Context, w word) {
	p := &place{service: v, from: w, seat: w.Seat, heard: time.Now()}
	p.ctx, p.leave = context.WithCancelCause(ctx)
	v.place = p
	p.running.Go(func() {
		if err := p.open(); err != nil && p.ctx.Err() == nil {
			v.mu.Lock()
			v.out[w.Session] = true
			v.mu.Unlock()
			v.say("stays out of %s: %v", w.Name, err)
			p.tell(word{Kind: wordOut, Why: err.Error()}) //nolint:errcheck // the coordinator sees for itself
			v.end(p, err)
			return
		}
		v.beat()
	})
}

// open fetches the plan and makes the network of the worker's regions.
func (p *place) open() error {
	dir, err := os.MkdirTemp("", "wire-over")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := p.store.GetDirectory(p.ctx, p.from.Input, dir); err != nil {
		return err
	}
	plan, workers, err := unpack(dir)
	if err != nil {
		return err
	}
	finger := record.Fingerprint(plan)
	if why := unlike(p.from, word{Code: p.Code, Kernels: kernels(), Plan: finger}); why != "" {
		return errors.New(why)
	}
	config := runtime.Default()
	config.Processes, config.Half = p.Processes, p.from.Half
	config.Release = true // what other workers step is not needed
	config.Share = &runtime.Share{Workers: workers, Own: p.seat}
	n, err := runtime.New(plan, config)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.workers, p.finger, p.network = plan, workers, finger, n
	p.say("steps %d of the %d regions of %s", len(workers[p.seat]), len(plan.Regions), p.from.Name)
	return nil
}

// What an episode may have at most, so that sizes of messages are numbers.
const mostBatch, mostTicks = 1 << 20, 1 << 24

// begin begins an episode, unless it has.
func (p *place) begin(w word) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.network == nil || w.Heading == nil || w.Episode < p.episode {
		return
	}
	p.tell(word{Kind: wordBegun, Episode: w.Episode}) //nolint:errcheck // it is asked again
	if w.Episode == p.episode {
		return
	}
	before := p.now
	if before != nil {
		before.stop(errClosed)
	}
	p.episode = w.Episode
	fail := func(err error) {
		p.tell(word{Kind: wordEnded, Episode: w.Episode, Why: err.Error()}) //nolint:errcheck // its patience ends
	}
	if h := w.Heading; len(w.Addresses) != len(p.workers) || h.Batch < 1 || h.Batch > mostBatch || h.Ticks < 1 || h.Ticks > mostTicks {
		fail(errors.New("the episode cannot be read"))
		return
	}
	in, out, err := p.network.Config().Share.Crossings(p.plan, p.seat)
	if err != nil {
		fail(err)
		return
	}
	ctx, stop := context.WithCancelCause(p.ctx)
	head := header{plan: short(p.from.Plan), session: p.from.Session, episode: w.Episode}
	j := &joined{stop: stop, ended: make(chan struct{}),
		x: newExchange(ctx, p.transport, head, p.seat, w.Addresses, w.Heading, p.plan, in, out)}
	j.x.start()
	p.now = j
	p.running.Go(func() {
		if before != nil {
			<-before.ended
		}
		err := p.join(ctx, w.Heading, j.x)
		for ctx.Err() == nil { // others may still need what was sent
			if err != nil {
				fail(err)
			}
			select {
			case <-time.After(beat):
			case <-ctx.Done():
			}
		}
		j.x.Close() //nolint:errcheck // it is nothing but an end
		close(j.ended)
	})
}

// join steps through an episode.
func (p *place) join(ctx context.Context, h *runtime.Heading, x *exchange) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	n, err := p.networkOf(h)
	if err != nil {
		return err
	}
	return n.Join(ctx, *h, x)
}

// mostNetworks bounds how many of a coordinator's networks a worker has one for.
const mostNetworks = 8

// networkOf is the network for one of the coordinator's. Only the goroutine of the
// episode that is on asks.
func (p *place) networkOf(h *runtime.Heading) (*runtime.Network, error) {
	for i, x := range p.others {
		if x.of == h.Network {
			p.others = append(slices.Delete(p.others, i, i+1), x)
			return x.n, nil
		}
	}
	p.mu.Lock()
	n := p.network
	p.mu.Unlock()
	n, err := n.With(h.Config(n.Config()))
	if err != nil {
		return nil, err
	}
	if len(p.others) == mostNetworks {
		p.others = slices.Delete(p.others, 0, 1)
	}
	p.others = append(p.others, otherNetwork{h.Network, n})
	return n, nil
}

// otherNetwork is what steps the regions for one of the coordinator's networks.
type otherNetwork struct {
	of uint64
	n  *runtime.Network
}

// over ends an episode and all before it.
func (p *place) over(episode uint32, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil && p.episode <= episode {
		p.now.stop(why)
	}
}
