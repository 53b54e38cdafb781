package multiverse

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/learn"
)

// oneLearned runs a combination of a plan that learns: the plan and its null
// networks, all changed alike, learn and are scored.
func (s *Spec) oneLearned(ctx context.Context, u Universe, x *experiment.Setup) (Outcome, error) {
	out := Outcome{Universe: u}
	fail := func(err error) (Outcome, error) { return out, fmt.Errorf("%v: %w", u.Labels(), err) }
	real := u.changed(x.Plan)
	null, err := control.FindNull(s.Null)
	if err != nil {
		return fail(err)
	}
	o := control.NullOptions{Unscaled: u.Radius == radiusOwn, Recompute: u.Delays == recomputed}
	if slices.Contains(null.Keeps, control.KeepsBlocks) {
		if o.Blocks, err = control.Communities(real, 1); err != nil {
			return fail(err)
		}
	}
	plans := []*wiring.Plan{real}
	for n := range s.N {
		o.Seed = max(s.NullSeed, 1) + uint64(n)
		q, err := null.Draw(real, o)
		if err != nil {
			return fail(err)
		}
		plans = append(plans, q)
	}
	control.Settle(plans...)
	for i, q := range plans {
		v, err := experiment.Score(ctx, *x, q, s.lesson(u), s.Learned.Effector, s.Metric)
		if err != nil {
			return fail(err)
		}
		if i == 0 {
			out.Real = v
		} else {
			out.Nulls = append(out.Nulls, v)
		}
	}
	return out, nil
}

// changed is the plan before it learns, as the choices have it.
func (u Universe) changed(p *wiring.Plan) *wiring.Plan {
	q := *p
	q.Trained, q.Memory, q.Calibration = false, nil, nil
	if u.Gates != "" {
		q.FixedGates = u.Gates == gatesFixed
	}
	if u.Rank > 0 {
		q.Rank = u.Rank
	}
	if u.Width > 0 {
		q.Width = u.Width
	}
	q.Init(p.Provenance.Seed)
	return &q
}

// lesson says how a combination's plans learn.
func (s *Spec) lesson(u Universe) learn.Options {
	o := s.Learned.Learn.Options()
	if u.Rate > 0 {
		o.Rate = u.Rate
	}
	if u.Decay >= 0 {
		o.Decay = u.Decay
	}
	return o
}
