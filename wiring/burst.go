package wiring

import (
	"fmt"
	"math"
	"slices"
)

// Burst gives regions two modes, as relay cells of the thalamus have (Sherman
// 2001; Smith, Cox, Sherman and Rinzel 2000). Each number of such a region has a
// stored potential p, 0 at first, which rises while its state h is below −¼ and
// is spent while it is above:
//
//	w    = σ(−16 (h(t−1) + ¼))
//	p(t) = p(t−1) + w (1 − p(t−1)) / Rise − (1 − w) p(t−1) / Fall
//	h(t) = (1−λ) h(t−1) + λ tanh(u + Gain·p(t−1)·max(u, 0))
//
// With little stored the region relays its input as others do, in tonic mode;
// the first excitation after some ticks of inhibition is enlarged, a burst.
type Burst struct {
	Gain float64
	// Rise and Fall are times in ticks, 1 or more.
	Rise, Fall float64
	// Regions are those that have it, in increasing order.
	Regions []int
}

// checkBurst reports the first mistake of a plan's [Plan.Burst].
func (p *Plan) checkBurst() error {
	b := p.Burst
	if b == nil {
		return nil
	}
	if p.IsRate() || p.Cell == CellGRU {
		return problemAt("$.burst", "cells of the kind %q have no burst; only %q ones do", p.Cell, CellGated)
	}
	if err := b.check(); err != nil {
		return problemAt("$.burst", "%v", err)
	}
	if len(b.Regions) == 0 {
		return problemAt("$.burst.regions", "no region has the burst; leave it out, or name some")
	}
	for i, j := range b.Regions {
		if j < 0 || j >= len(p.Regions) {
			return problemAt("$.burst.regions", "region %d of %d", j, len(p.Regions))
		}
		if i > 0 && j <= b.Regions[i-1] {
			return problemAt("$.burst.regions", "region %q is named twice", p.Regions[j].Label)
		}
	}
	return nil
}

func (b *Burst) check() error {
	switch {
	case !(b.Gain > 0) || math.IsInf(b.Gain, 0):
		return fmt.Errorf("gain is %v, want a positive number", b.Gain)
	case !(b.Rise >= 1) || math.IsInf(b.Rise, 0):
		return fmt.Errorf("rise is %v ticks, want 1 or more", b.Rise)
	case !(b.Fall >= 1) || math.IsInf(b.Fall, 0):
		return fmt.Errorf("fall is %v ticks, want 1 or more", b.Fall)
	}
	return nil
}

// burstFile is a plan's burst as its YAML says it.
type burstFile struct {
	Gain    float64  `yaml:"gain"`
	Rise    float64  `yaml:"rise"`
	Fall    float64  `yaml:"fall"`
	Regions []string `yaml:"regions"`
}

// RecipeBurst is a burst of a recipe, see [Burst]: without a place, of all
// regions.
type RecipeBurst struct {
	Gain  float64 `yaml:"gain"`
	Rise  float64 `yaml:"rise"`
	Fall  float64 `yaml:"fall"`
	Place []Place `yaml:"place,omitempty"`
}

// checkBurst checks a recipe's.
func (r *Recipe) checkBurst() error {
	if r.Burst == nil {
		return nil
	}
	b := Burst{Gain: r.Burst.Gain, Rise: r.Burst.Rise, Fall: r.Burst.Fall}
	if err := b.check(); err != nil {
		return r.fail("$.burst", "burst: %v", err)
	}
	return r.checkPlaces("$.burst", r.Burst.Place, false, true)
}

// burst finds the regions of a recipe's burst.
func (x *placement) burst(r *RecipeBurst) error {
	if r == nil {
		return nil
	}
	b := &Burst{Gain: r.Gain, Rise: r.Rise, Fall: r.Fall}
	if len(r.Place) == 0 {
		for j := range x.plan.Regions {
			b.Regions = append(b.Regions, j)
		}
	} else {
		found, _, err := x.choose("burst", -1, r.Place, "burst")
		if err != nil || len(found) == 0 {
			return err
		}
		b.Regions = slices.Sorted(slices.Values(found))
	}
	x.plan.Burst = b
	return nil
}

// bursting is a cell's burst.
type bursting struct{ gain, rise, fall float32 }

// Bursts says that the cell has a stored potential, see [Burst].
func (c *Cell) Bursts() bool { return c.burst != nil }

// excite enlarges the inputs u above zero by what is stored.
func (b *bursting) excite(u, stored []float32) {
	for i, p := range stored {
		if v := u[i]; v > 0 {
			u[i] = v + b.gain*p*v
		}
	}
}

// steepness is how sharply p rises below and falls above the threshold.
const steepness, threshold = 16, -0.25

// store lets what is stored rise or fall by the states before.
func (b *bursting) store(stored, before, prev []float32) {
	for i, p := range before {
		w := sigmoid(-steepness * (prev[i] - threshold))
		stored[i] = p + w*(1-p)/b.rise - (1-w)*p/b.fall
	}
}

// BackBurst carries gradients through the burst of a tick. dPre, that of what
// goes into tanh, becomes that of u; dStored, that of p(t), becomes that of
// p(t−1); what reaches h(t−1) is added to dState. act, stored and prev are
// tanh(…), p(t−1) and h(t−1).
func (c *Cell) BackBurst(dPre, dStored, dState, act, stored, prev []float32) {
	b := c.burst
	for i, p := range stored {
		w := sigmoid(-steepness * (prev[i] - threshold))
		d := dStored[i]
		dState[i] -= d * ((1-p)/b.rise + p/b.fall) * steepness * w * (1 - w)
		d *= 1 - w/b.rise - (1-w)/b.fall
		if a := act[i]; a > 0 {
			enlarged := 1 + b.gain*p
			if a < 1 { // else nothing passes tanh
				d += dPre[i] * b.gain * float32(math.Atanh(float64(a))) / enlarged
			}
			dPre[i] *= enlarged
		}
		dStored[i] = d
	}
}
