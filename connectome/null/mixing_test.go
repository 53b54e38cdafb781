package null_test

import (
	"errors"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/null"
	"github.com/connectomewire/wire/connectome/synthetic"
)

// kept is the share of c's tracts that d has too.
func kept(c, d *connectome.Connectome) float64 {
	both := 0
	for t := range c.Tracts.All() {
		if _, ok := d.Tracts.Find(t.From, t.To); ok {
			both++
		}
	}
	return float64(both) / float64(c.Tracts.Len())
}

func TestRewiringLeavesLittleInPlace(t *testing.T) {
	c := synthetic.Default() // density 0.36: chance alone keeps about that, hubs more
	for kind, most := range map[null.Kind]float64{
		null.DegreePreserving: 0.55, null.StrengthPreserving: 0.55, null.GeometryPreserving: 0.85, null.ErdosRenyi: 0.45,
	} {
		for _, connected := range []bool{false, true} {
			d, err := null.Generate(c, kind, null.Options{Seed: 1, Connected: connected})
			if err != nil {
				t.Fatal(err)
			}
			share := kept(c, d)
			t.Logf("%s, connected %v: %.0f %% of the tracts stay; %s", kind, connected, 100*share, d.History[len(d.History)-1])
			if share > most {
				t.Errorf("%s, connected %v: %.0f %% of the tracts stay", kind, connected, 100*share)
			}
		}
	}
}

func TestHardlyRewirableNetworksAreRefused(t *testing.T) {
	// A complete network but for one tract has a handful of swaps at most.
	const n = 30
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if i != j && i+j != 1 {
				tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1})
			}
		}
	}
	m, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "dense", Regions: make([]connectome.Region, n), Tracts: m}
	if _, err := null.Generate(c, null.DegreePreserving, null.Options{}); !errors.Is(err, null.ErrRigid) || !contains(err, "threshold") {
		t.Errorf("error: %v", err)
	}
}
