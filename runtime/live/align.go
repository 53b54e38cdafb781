package live

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime/record"
)

// Timing says when there are steps.
type Timing struct {
	// Period between steps; 0 makes a step at every stamp.
	Period time.Duration
	// Wait is how long a step waits at most for senses that block, from when it
	// is due; 0 is as long as it takes.
	Wait time.Duration
}

// Step is what the senses have at an instant.
type Step struct {
	// Index counts from 0; At is t_k.
	Index int
	At    time.Duration
	// Chosen are the samples, by sense; a sense without one has nothing.
	Chosen map[string]*Chosen
	// Lost are what each sense has lost since the step before.
	Lost map[string]record.Lost
}

// Chosen is a sample that a step has chosen.
type Chosen struct {
	*Sample
	// Number counts the sense's samples from 0, in the order in which they were
	// queued.
	Number int
	// Held says that the step before had it already.
	Held bool
}

// never is before all stamps.
const never = time.Duration(math.MinInt64)

// Aligner aligns samples of senses that go by clocks of their own. Its memory is
// bounded by the queues. Methods are safe for concurrent use.
type Aligner struct {
	timing Timing
	start  time.Time

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when anything changes
	senses  []*sense
	feeds   []*Feed
	report  func(sense string, err error) // what could not be read; nil for nobody
	begun   bool
	first   time.Duration // of the first step
	last    time.Duration // of the last step
	steps   int
	since   time.Duration // when the coming step was due; never while it is not
}

// sense is one sense's samples.
type sense struct {
	name   string
	rules  Rules
	feed   *Feed
	queue  []*Chosen
	newest time.Duration // stamp of the last sample that was queued
	queued int
	held   *Chosen
	fresh  bool // held was not chosen by the last step
	counts Counts
	told   Counts // of counts, what steps have said
}

// NewAligner begins a stream.
func NewAligner(t Timing) (*Aligner, error) {
	if t.Period < 0 || t.Wait < 0 {
		return nil, fmt.Errorf("live: a step each %v with a wait of %v; want 0 or more", t.Period, t.Wait)
	}
	return &Aligner{timing: t, start: time.Now(), changed: make(chan struct{}), last: never, since: never}, nil
}

// Now is the time since the stream began.
func (a *Aligner) Now() time.Duration { return time.Since(a.start) }

// Feed adds a source's end, which feeds the senses that it is given rules for; each
// sense has one feed. All feeds are added before the first step is asked for.
func (a *Aligner) Feed(senses map[string]Rules) (*Feed, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &Feed{aligner: a, reached: never, senses: slices.Sorted(maps.Keys(senses))}
	for _, name := range f.senses {
		rules := senses[name]
		if err := rules.Validate(); err != nil {
			return nil, fmt.Errorf("live: sense %q: %w", name, err)
		}
		if rules.Policy == Latest {
			rules.Queue = 1
		}
		if a.sense(name) != nil {
			return nil, fmt.Errorf("live: sense %q is fed twice", name)
		}
		a.senses = append(a.senses, &sense{name: name, rules: rules, feed: f, newest: never})
	}
	a.feeds = append(a.feeds, f)
	return f, nil
}

func (a *Aligner) sense(name string) *sense {
	for _, s := range a.senses {
		if s.name == name {
			return s
		}
	}
	return nil
}

// change wakes all that wait. The caller holds the lock.
func (a *Aligner) change() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// Next returns the next step when it is there, and [io.EOF] when all sources have
// ended and everything was stepped through.
func (a *Aligner) Next(ctx context.Context) (*Step, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		a.mu.Lock()
		now := a.Now()
		t, wake, state := a.due(now)
		if state == ready {
			step := a.take(t)
			a.mu.Unlock()
			return step, nil
		}
		changed := a.changed
		a.mu.Unlock()
		if state == ended {
			return nil, io.EOF
		}
		var alarm <-chan time.Time
		if wake != never {
			alarm = time.After(wake - now)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-alarm:
		}
	}
}

type state int

const (
	waiting state = iota
	ready
	ended
)

// due says, at a time of the clock, whether the coming step can be taken, at
// which t; or else when to look again though nothing changes, never for no such
// time.
func (a *Aligner) due(now time.Duration) (t, wake time.Duration, _ state) {
	t, pending := a.coming()
	open := false
	for _, f := range a.feeds {
		open = open || !f.closed
	}
	if !pending {
		if !open {
			return 0, never, ended
		}
		if !a.begun || a.timing.Period == 0 {
			a.since = never
			return 0, never, waiting
		}
	}
	// gates are senses that the step has to wait for; stalled are those of them
	// that no clock moves.
	gates, clock, stalled, any := 0, now >= t, 0, pending
	for _, s := range a.senses {
		passed := s.passed(t, now)
		any = any || passed
		if s.rules.Policy != Block {
			continue
		}
		if !s.feed.closed {
			gates++
		}
		switch {
		case passed:
		case s.feed.clocked:
			return t, t, waiting // until the clock is there
		default:
			stalled++
			a.absorb(s, t)
		}
	}
	if gates == 0 && open && a.timing.Period > 0 && !clock {
		return t, t, waiting
	}
	if stalled == 0 {
		return t, never, ready
	}
	if !any {
		a.since = never
		return t, never, waiting
	}
	if a.since == never {
		a.since = now
	}
	if a.timing.Wait == 0 {
		return t, never, waiting
	}
	if until := a.since + a.timing.Wait; now < until {
		return t, until, waiting
	}
	return t, never, ready
}

// coming is the time of the coming step; pending says that a sample waits for it
// or a later one.
func (a *Aligner) coming() (t time.Duration, pending bool) {
	queued := false
	for _, s := range a.senses {
		pending = pending || s.fresh
		if len(s.queue) > 0 && (!queued || s.queue[0].At < t) {
			t, pending, queued = s.queue[0].At, true, true
		}
	}
	if a.begun && a.timing.Period > 0 {
		t = a.first + time.Duration(a.steps)*a.timing.Period
	}
	return t, pending
}

// passed says whether the sense gives nothing more that is stamped t or before.
func (s *sense) passed(t, now time.Duration) bool {
	switch f := s.feed; {
	case s.newest >= t, f.closed:
		return true
	case f.clocked:
		return now >= t
	default:
		return f.reached > t
	}
}

// absorb makes room in the queue of a sense that a step at t waits for: all that
// is queued is before t, and only the last of it can be chosen.
func (a *Aligner) absorb(s *sense, t time.Duration) {
	if a.begun && a.timing.Period > 0 && len(s.queue) == s.rules.Queue {
		s.advance(t)
		a.change()
	}
}

// advance takes what is stamped t or before off the queue and holds the last of
// it.
func (s *sense) advance(t time.Duration) {
	n := 0
	for n < len(s.queue) && s.queue[n].At <= t {
		n++
	}
	if n == 0 {
		return
	}
	if s.fresh {
		s.counts.Skipped++
	}
	s.counts.Skipped += n - 1
	s.held, s.fresh = s.queue[n-1], true
	rest := copy(s.queue, s.queue[n:])
	clear(s.queue[rest:]) // what is gone may be large
	s.queue = s.queue[:rest]
}

// take takes the step at t.
func (a *Aligner) take(t time.Duration) *Step {
	if !a.begun {
		a.begun, a.first = true, t
	}
	step := &Step{Index: a.steps, At: t, Chosen: map[string]*Chosen{}, Lost: map[string]record.Lost{}}
	for _, s := range a.senses {
		s.advance(t)
		switch {
		case s.held == nil:
		case t-s.held.At > s.rules.Age:
			if s.fresh {
				s.counts.Skipped++
			}
			s.held = nil
		default:
			step.Chosen[s.name] = &Chosen{Sample: s.held.Sample, Number: s.held.Number, Held: !s.fresh}
			if s.fresh {
				s.counts.Used++
			}
		}
		s.fresh = false
		lost := record.Lost{Dropped: s.counts.Dropped - s.told.Dropped, Late: s.counts.Late - s.told.Late, Skipped: s.counts.Skipped - s.told.Skipped}
		if lost != (record.Lost{}) {
			step.Lost[s.name] = lost
		}
		s.told = s.counts
	}
	a.steps++
	a.last, a.since = t, never
	a.change()
	return step
}

// Counts are those of all senses, by name, and the number of steps.
func (a *Aligner) Counts() (steps int, senses map[string]Counts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	senses = map[string]Counts{}
	for _, s := range a.senses {
		c := s.counts
		c.Left = len(s.queue)
		if s.fresh { // absorbed for a step that did not come
			c.Left++
		}
		senses[s.name] = c
	}
	return a.steps, senses
}
