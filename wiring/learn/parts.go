package learn

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring/part"
)

// partTape is what a shard remembers of a part. Of its module's runs only what
// they were given is kept.
type partTape struct {
	x      []float32 // [runs, size, takes]
	joins  []float32 // what the last run adds to the drive, [size, d]
	ran    int       // runs so far
	dJoins []float32 // gradient of joins, [size, d]
}

// runsOf is how often a part runs in an episode: as often as what it gives can
// still reach an effector.
func (t *tape) runsOf(p *part.Part) int {
	if t.net.ticksTo[p.Into] < 0 {
		return 0
	}
	return max(t.last(p.Into)-1, 0) / p.Every
}

// prepareParts sizes the parts' buffers for a shard.
func (t *tape) prepareParts() {
	if t.parts == nil {
		t.parts = make([]partTape, len(t.net.parts))
	}
	for i, p := range t.net.parts {
		q := &t.parts[i]
		q.x = grow(q.x, t.runsOf(p)*t.size*p.Takes)
		q.joins = grow(q.joins, t.size*t.net.plan.Width)
		q.ran = 0
	}
}

// runParts runs the modules whose turn it is after a tick.
func (t *tape) runParts(tick int) error {
	n, d := t.size, t.net.plan.Width
	for i, p := range t.net.parts {
		q := &t.parts[i]
		if !p.Runs(tick) || q.ran == t.runsOf(p) {
			continue
		}
		x := q.x[q.ran*n*p.Takes:][:n*p.Takes]
		p.Take(x, t.regions[p.Region].norm[tick*n*d:], n)
		if err := p.Give(context.Background(), q.joins, x, n); err != nil {
			return t.failed(p, tick, err)
		}
		q.ran++
	}
	return nil
}

// joinParts adds to a region's drive what its parts hold.
func (t *tape) joinParts(j int, begin func() []float32) {
	for _, i := range t.net.joining[j] {
		if q := &t.parts[i]; q.ran > 0 {
			drive := begin()
			kernel.Add(drive, drive, q.joins)
		}
	}
}

func (t *tape) failed(p *part.Part, tick int, err error) error {
	return fmt.Errorf("learn: part %q, module %q, after tick %d: %w", p.Name, p.Module, tick, err)
}

// holdBack gathers, in a tick on the way back, the gradients of what parts
// held in it: those of the drives that it joined.
func (t *tape) holdBack(tick int) {
	n, d := t.size, t.net.plan.Width
	for i, p := range t.net.parts {
		q := &t.parts[i]
		if run := (tick - 1) / p.Every; run > 0 && run <= t.runsOf(p) && tick <= t.last(p.Into) {
			dPre := t.regions[p.Into].dPre[(tick-1)*n*d:][:n*d]
			kernel.Add(q.dJoins, q.dJoins, dPre)
		}
	}
}

// backParts pulls the gradients through the modules that ran after a tick.
func (t *tape) backParts(tick int, grad *gradients) error {
	n, d := t.size, t.net.plan.Width
	for i, p := range t.net.parts {
		run := tick / p.Every
		if !p.Runs(tick) || run > t.runsOf(p) {
			continue
		}
		q, g := &t.parts[i], &t.regions[p.Region]
		x := q.x[(run-1)*n*p.Takes:][:n*p.Takes]
		if err := p.Back(context.Background(), grad.parts[i], g.dNorm[tick*n*d:][:n*d], q.dJoins, x, g.norm[tick*n*d:], n); err != nil {
			return t.failed(p, tick, err)
		}
		clear(q.dJoins)
	}
	return nil
}
