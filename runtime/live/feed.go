package live

import (
	"context"
	"time"
)

// Feed is a source's end of an [Aligner]. Its methods are for the source's own
// goroutine.
type Feed struct {
	aligner *Aligner
	senses  []string
	// clocked says that samples are stamped when they arrive; reached is how far
	// the stamps of others have come.
	clocked bool
	reached time.Duration
	closed  bool
}

// Senses are those that the feed is for.
func (f *Feed) Senses() []string { return f.senses }

// Now is the time since the stream began.
func (f *Feed) Now() time.Duration { return f.aligner.Now() }

// ByClock says that what is pushed from now on has no stamp of its own: it is
// stamped when it finds room in its queue. No step need wait for it.
func (f *Feed) ByClock() {
	f.aligner.mu.Lock()
	defer f.aligner.mu.Unlock()
	f.clocked = true
	f.aligner.change()
}

// Reach says that all that is pushed from now on is stamped after t.
func (f *Feed) Reach(t time.Duration) {
	f.aligner.mu.Lock()
	defer f.aligner.mu.Unlock()
	if next := t + 1; next > f.reached {
		f.reached = next
		f.aligner.change()
	}
}

// Push gives a sample to a sense of the feed's. Stamps of a source do not go back;
// what does is late. Where the sense's policy says so Push waits for room. The only
// error is that of an ended context.
func (f *Feed) Push(ctx context.Context, name string, sample Sample) error {
	a := f.aligner
	a.mu.Lock()
	s := a.sense(name)
	s.counts.Given++
	if !f.clocked && sample.At > f.reached {
		f.reached = sample.At
		a.change()
	}
	for {
		if f.clocked {
			sample.At = max(a.Now(), after(s.newest), after(a.last))
		}
		if sample.At <= s.newest || sample.At <= a.last {
			s.counts.Late++
			break
		}
		if len(s.queue) < s.rules.Queue {
			s.queue = append(s.queue, &Chosen{Sample: &sample, Number: s.queued})
			s.queued++
			s.newest = sample.At
			a.change()
			break
		}
		if s.rules.Policy != Block {
			rest := copy(s.queue, s.queue[1:])
			s.queue[rest] = nil
			s.queue = s.queue[:rest]
			s.counts.Dropped++
			continue
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			a.mu.Lock()
			s.counts.Given-- // nobody was given it
			a.mu.Unlock()
			return ctx.Err()
		}
		a.mu.Lock()
	}
	a.mu.Unlock()
	return nil
}

// after is the next instant.
func after(t time.Duration) time.Duration { return t + 1 }

// Bad says that something could not be read; the source goes on. name is the sense
// that it was for, "" where that is not known.
func (f *Feed) Bad(name string, err error) {
	if name == "" {
		name = f.only()
	}
	f.aligner.bad(name, err)
}

// only is the feed's sense; "" where it has several.
func (f *Feed) only() string {
	if len(f.senses) == 1 {
		return f.senses[0]
	}
	return ""
}

func (a *Aligner) bad(name string, err error) {
	a.mu.Lock()
	if s := a.sense(name); s != nil {
		s.counts.Bad++
	}
	report := a.report
	a.mu.Unlock()
	if report != nil {
		report(name, err)
	}
}

// Close says that nothing more will come.
func (f *Feed) Close() {
	f.aligner.mu.Lock()
	defer f.aligner.mu.Unlock()
	f.closed = true
	f.aligner.change()
}
