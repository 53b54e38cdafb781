package control_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// TestPlacementOfAReservoir: the input weights go where the input goes, and what
// is read everywhere is still read everywhere.
func TestPlacementOfAReservoir(t *testing.T) {
	brain := synthetic.Default()
	enter := []string{brain.Names()[3], brain.Names()[40]}
	p, _, err := reservoir.Build(brain, reservoir.Options{Rho: 0.9, Enter: enter, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	n, err := control.FindNull("placement")
	if err != nil {
		t.Fatal(err)
	}
	q, err := n.Draw(p, control.NullOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(q.Senses[0].Regions, p.Senses[0].Regions) || len(q.Effectors[0].Regions) != len(brain.Regions) {
		t.Errorf("enters %v, %d regions are read", q.Senses[0].Regions, len(q.Effectors[0].Regions))
	}
	var before, after []float64
	for j, v := range q.Rates.Input[0] {
		if v != 0 {
			after = append(after, v)
			if !slices.Contains(q.Senses[0].Regions, j) {
				t.Errorf("%v enters region %d, where the sense is not", v, j)
			}
		}
	}
	for _, v := range p.Rates.Input[0] {
		if v != 0 {
			before = append(before, v)
		}
	}
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		t.Errorf("weights %v, before %v", after, before)
	}
	all, _, err := reservoir.Build(brain, reservoir.Options{Rho: 0.9, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Draw(all, control.NullOptions{Seed: 1}); err == nil || !strings.Contains(err.Error(), "no other place") {
		t.Errorf("error %v", err)
	}
}

// TestPlacementKeepsWhatRegionsAre: only what is at the ends is drawn anew: the
// tracts start with the plan's own numbers.
func TestPlacementKeepsWhatRegionsAre(t *testing.T) {
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	n, err := control.FindNull("placement")
	if err != nil {
		t.Fatal(err)
	}
	q, err := n.Draw(p, control.NullOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	own := control.Untrained(p)
	for j, r := range p.Regions {
		if a, b := q.Weights(q.Params, j), own.Weights(own.Params, j); !slices.Equal(a.Axon, b.Axon) || !slices.Equal(a.Synapse, b.Synapse) {
			t.Errorf("%s: other numbers are drawn", r.Label)
		}
	}
	for _, s := range q.Senses {
		for _, j := range s.Regions {
			if q.Regions[j].Slot == "" && s.Module != "" {
				t.Errorf("sense %s is in %s, whose slot is empty", s.Name, q.Regions[j].Label)
			}
		}
	}
	if q.Ticks != p.Ticks {
		t.Errorf("ticks %v, the plan's %v", q.Ticks, p.Ticks)
	}
}
