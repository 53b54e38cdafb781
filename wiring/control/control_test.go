package control_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	_ "github.com/connectomewire/wire/wiring/head" // of the default plan
)

func TestRewiredKeepsDegreesAndStrengths(t *testing.T) {
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(p.Tracts)
	q, err := control.Rewired(p, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, p.Tracts) {
		t.Fatal("the plan itself was changed")
	}
	n := len(p.Regions)
	in, out, strength := make([]int, n), make([]int, n), make([]float64, n)
	same := 0
	for k := range p.Tracts {
		a, b := p.Tracts[k], q.Tracts[k]
		in[a.To]++
		out[a.From]++
		in[b.To]--
		out[b.From]--
		strength[a.To] += a.Scale * a.Scale
		strength[b.To] -= b.Scale * b.Scale
		if a.From == b.From && a.To == b.To {
			same++
		}
	}
	for j := range n {
		if in[j] != 0 || out[j] != 0 || strength[j] > 1e-9 || strength[j] < -1e-9 {
			t.Errorf("%s: %d more tracts in, %d out, %g more strength", p.Regions[j].Label, -in[j], -out[j], -strength[j])
		}
	}
	if same > len(p.Tracts)/2 {
		t.Errorf("%d of %d tracts are where they were", same, len(p.Tracts))
	}
	again, err := control.Rewired(p, 5)
	if err != nil || !slices.Equal(q.Tracts, again.Tracts) {
		t.Errorf("the same seed gives another wiring: %v", err)
	}
	other, err := control.Rewired(p, 6)
	if err != nil || slices.Equal(q.Tracts, other.Tracts) {
		t.Errorf("another seed gives the same wiring: %v", err)
	}
}

func TestUntrainedKeepsTheLists(t *testing.T) {
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	q := control.Untrained(p)
	if slices.Equal(p.Params.Data, q.Params.Data) || len(q.Params.Lists) != len(p.Params.Lists) || len(q.Params.Lists) == 0 {
		t.Error("an untrained plan has other lists, or what was learned")
	}
}

func TestControlsOfAPlan(t *testing.T) {
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	// The default plan speaks and has no modules inside regions.
	if got := control.Of(p); !slices.Equal(got, []string{"untrained", "adapter", "gru", "dense", "ungated", "rewired", "unsteered", "strength", "length", "community", "random", "lattice", "feedforward", "placement"}) {
		t.Errorf("the default plan can have %q", got)
	}
	mute := *p
	mute.Effectors, mute.Tasks = nil, nil
	if got := control.Of(&mute); slices.Contains(got, "unsteered") {
		t.Errorf("a plan that says nothing can have %q", got)
	}
	for _, name := range control.Names() {
		c, err := control.Find(name)
		if err != nil || c.Name != name || c.Make == nil || c.About == "" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := control.Find("rewire"); err == nil || !strings.Contains(err.Error(), `did you mean "rewired"?; there are untrained, adapter, gru, dense, ungated, rewired`) {
		t.Errorf("%v, want a suggestion and the list", err)
	}
}
