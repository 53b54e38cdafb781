package experiment

import (
	"fmt"
	"testing"

	"github.com/connectomewire/wire/wiring"
)

// TestRelations: gates that grow with distance are found to, others are not.
func TestRelations(t *testing.T) {
	p := &wiring.Plan{}
	rng := wiring.Stream(1, "relations")
	for i := range 20 {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint(i), Located: true, Position: [3]float64{100 * rng.Float64(), 0, 0}, Lobe: fmt.Sprint(i % 2)})
	}
	var far, chance []float64
	for i := range 20 {
		for j := range 20 {
			if i != j && rng.Float64() < 0.5 {
				p.Tracts = append(p.Tracts, wiring.Tract{From: i, To: j, Weight: rng.Float64()})
				d := p.Regions[i].Position[0] - p.Regions[j].Position[0]
				far, chance = append(far, d*d), append(chance, rng.Float64())
			}
		}
	}
	found := relations(p, far, 199, 1)
	if len(found) != 3 || found[1].Name != "distance" || found[1].Rho < 0.999 || found[1].P > 0.01 || found[0].P < 0.05 {
		t.Errorf("gates that are distances: %+v", found)
	}
	for _, r := range relations(p, chance, 199, 1) {
		if r.P < 0.02 {
			t.Errorf("gates by chance go with %s: %+v", r.Name, r)
		}
	}
}
