package control_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring/control"
)

// TestCutLeavesTheRest: what was learned on tracts that stay is what it was.
func TestCutLeavesTheRest(t *testing.T) {
	p := randomPlan(9)
	for i := range p.Params.Data {
		p.Params.Data[i] = float32(i) // as if learned: every number tells its place
	}
	p.Trained = true
	region := 4
	var gone []int
	for k, x := range p.Tracts {
		if x.To == 7 && x.From != region && len(gone) == 0 {
			gone = []int{k}
		}
	}
	q, err := control.Cut(p, []int{region}, gone)
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := q.Incoming(region)
	if lo != hi || len(q.Outgoing(region)) != 0 || !q.Trained {
		t.Fatalf("region %d has tracts left", region)
	}
	before := map[[2]int]int{}
	for k, x := range p.Tracts {
		before[[2]int{x.From, x.To}] = k
	}
	d, r := p.Width, p.Rank
	for k, x := range q.Tracts {
		old, ok := before[[2]int{x.From, x.To}]
		if !ok || k == 0 && old == gone[0] {
			t.Fatalf("%s is new", q.TractName(k))
		}
		lo, hi := q.Incoming(x.To)
		oldLo, oldHi := p.Incoming(x.To)
		a, b := q.Weights(q.Params, x.To), p.Weights(p.Params, x.To)
		slot, at := k-lo, old-oldLo
		for i := range d {
			if !slices.Equal(a.Synapse[i*(hi-lo)*r+slot*r:][:r], b.Synapse[i*(oldHi-oldLo)*r+at*r:][:r]) {
				t.Fatalf("%s: another synapse", q.TractName(k))
			}
		}
		if a.GateBias[slot] != b.GateBias[at] || !slices.Equal(a.GateState[slot*d:][:d], b.GateState[at*d:][:d]) || !slices.Equal(a.GateSignal[slot*r:][:r], b.GateSignal[at*r:][:r]) {
			t.Fatalf("%s: another gate", q.TractName(k))
		}
		axon, was := q.Weights(q.Params, x.From).Axon, p.Weights(p.Params, x.From).Axon
		slot, at = slices.Index(q.Outgoing(x.From), k), slices.Index(p.Outgoing(x.From), old)
		if !slices.Equal(axon[slot*r*d:][:r*d], was[at*r*d:][:r*d]) {
			t.Fatalf("%s: another axon", q.TractName(k))
		}
	}
	if e, f := q.Params.Get("effector:y/weight"), p.Params.Get("effector:y/weight"); e != nil && !slices.Equal(e, f) {
		t.Error("the head is another")
	}
	if _, err := control.Cut(p, nil, nil); err == nil {
		t.Error("nothing was cut, and no error")
	}
}

// TestReroute: the sense enters elsewhere by the matrices that it had.
func TestReroute(t *testing.T) {
	p := randomPlan(10)
	q, err := control.Reroute(p, "x", []int{6, 3, 5})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(q.Senses[0].Regions, []int{3, 5, 6}) || !slices.Equal(p.Senses[0].Regions, []int{0, 1}) {
		t.Fatalf("enters %v, the plan's own %v", q.Senses[0].Regions, p.Senses[0].Regions)
	}
	_, _, before := p.SenseWeights(p.Params, 0)
	_, _, after := q.SenseWeights(q.Params, 0)
	for k, from := range []int{0, 1, 0} {
		if !slices.Equal(after[k], before[from]) {
			t.Errorf("matrix %d is not the plan's %d", k, from)
		}
	}
	if err := control.Keeps(p, q, nil, control.KeepsTracts, control.KeepsIn, control.KeepsOut); err != nil {
		t.Error(err)
	}
	if _, err := control.Reroute(p, "taste", []int{1}); err == nil || !strings.Contains(err.Error(), `no sense "taste"; it has x`) {
		t.Errorf("error %v", err)
	}
}

func TestFacts(t *testing.T) {
	p := randomPlan(11)
	n := len(p.Regions)
	f := control.FactsOf(p)
	// Each region has a tract from the one before: at most n−2 hops from
	// region 1 to the last.
	if f.Tracts != len(p.Tracts) || len(f.Ways) != 1 || f.Ways[0].Hops < 1 || f.Ways[0].Hops > n-2 || f.Ways[0].Ticks < f.Ways[0].Hops {
		t.Errorf("%+v", f)
	}
	if f.Radius < 0.9 || f.Radius > 1.1 {
		t.Errorf("spectral radius %.3f", f.Radius)
	}
	blocks, err := control.Communities(p, 1)
	if err != nil || len(blocks) != n || slices.Max(blocks) == 0 {
		t.Errorf("communities %v (%v)", blocks, err)
	}
}

// TestGraft: a sense and an effector come with what was learned at them, to the
// regions of the same labels or others, and the rest stays.
func TestGraft(t *testing.T) {
	p, donor := randomPlan(12), randomPlan(13)
	donor.Senses[0].Name, donor.Effectors[0].Name, donor.Tasks[0].Effector = "z", "w", "w"
	donor.Init(13)
	for i := range donor.Params.Data {
		donor.Params.Data[i] = float32(i)
	}
	donor.Trained = true
	q, err := control.Graft(p, donor, "z", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Senses) != 2 || !q.Trained || len(p.Senses) != 1 || q.History[len(q.History)-1].Notes[0] != `sense "z" of plan "random 13", in r0, r1` {
		t.Fatalf("%d senses, %+v", len(q.Senses), q.History)
	}
	_, _, theirs := donor.SenseWeights(donor.Params, 0)
	_, _, own := p.SenseWeights(p.Params, 0)
	if _, _, kept := q.SenseWeights(q.Params, 0); !slices.Equal(kept[1], own[1]) {
		t.Error("the plan's own sense is another")
	}
	if _, _, got := q.SenseWeights(q.Params, 1); !slices.Equal(got[0], theirs[0]) || !slices.Equal(got[1], theirs[1]) {
		t.Error("the donor's matrices did not come along")
	}
	// Elsewhere, in the donor's order, the first again.
	if q, err = control.Graft(p, donor, "z", []int{7, 4, 5}); err != nil {
		t.Fatal(err)
	}
	_, _, got := q.SenseWeights(q.Params, 1)
	for k, from := range []int{0, 1, 0} {
		if !slices.Equal(got[k], theirs[from]) {
			t.Errorf("matrix %d is not the donor's %d", k, from)
		}
	}
	if q, err = control.Graft(p, donor, "w", []int{3}); err != nil {
		t.Fatal(err)
	}
	if len(q.Effectors) != 2 || len(q.Tasks) != 2 || q.Effectors[1].Regions[0] != 3 || !slices.Equal(q.Params.Get("effector:w/feedback"), donor.Params.Get("effector:w/feedback")) {
		t.Errorf("effectors %+v", q.Effectors)
	}
	// Under a name that the plan has, it takes that one's place.
	donor.Effectors[0].Name, donor.Tasks[0].Effector = "y", "y"
	donor.Init(13)
	if q, err = control.Graft(p, donor, "y", []int{3}); err != nil || len(q.Effectors) != 1 || len(q.Tasks) != 1 || q.Effectors[0].Regions[0] != 3 {
		t.Errorf("%v: %+v", err, q)
	}
	for name, want := range map[string]string{"taste": `no sense, part or effector "taste"; it has z, y`} {
		if _, err := control.Graft(p, donor, name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	donor.Width = 3
	if _, err := control.Graft(p, donor, "z", nil); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("widths: %v", err)
	}
}
