// Package ticking draws the plans that ticks are timed on.
package ticking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// Plan is of so many regions and tracts, drawn at random with delays of one to
// three ticks, with a sense of 256 numbers and an effector.
func Plan(regions, tracts, width, rank int) *wiring.Plan {
	r := rand.New(rand.NewPCG(1, uint64(regions)))
	p := &wiring.Plan{Name: "ticking", Width: width, Rank: rank, Ticks: wiring.Ticks{Settle: 4, Max: 16}}
	for i := range regions {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	type pair struct{ from, to int }
	seen := map[pair]bool{}
	for len(p.Tracts) < tracts {
		x := pair{r.IntN(regions), r.IntN(regions)}
		if x.from == x.to || seen[x] {
			continue
		}
		seen[x] = true
		p.Tracts = append(p.Tracts, wiring.Tract{From: x.from, To: x.to, Weight: 1, Scale: 0.3 * r.Float64(), LengthMM: math.NaN(), Delay: 1 + r.IntN(3)})
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	p.Senses = []wiring.Sense{{Name: "image", Kind: wiring.KindVector, Read: wiring.ReadWhole, Regions: []int{0, 1}, Width: Inputs}}
	p.Effectors = []wiring.Effector{{Name: "hand", Head: "linear", Regions: []int{regions - 1}, Settings: wiring.Settings{"names": []string{"x"}}}}
	if regions <= 1000 {
		p.Init(5)
		return p
	}
	// As large, without the time that scaling to a spectral radius takes.
	p.Params = p.NewParams()
	for i := range p.Params.Data {
		p.Params.Data[i] = (r.Float32() - 0.5) / 4
	}
	return p
}

// Inputs is the width of the sense.
const Inputs = 256

// Numbers draws n numbers of variance 1.
func Numbers(n int) []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
