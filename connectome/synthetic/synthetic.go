package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
)

// Rule holds the constants of the generative rule in the package comment.
type Rule struct {
	Density        float64 // share of the possible undirected tracts that are kept, in (0, 1]
	LengthConstant float64 // λ in mm: the way over which streamlines fall off by e
	Homotopic      float64 // h, the advantage of homotopic pairs in nats
	Noise          float64 // σ in nats
	Spread         float64 // standard deviation in nats of a second noise that changes weights but not which tracts there are
	MedianWeight   float64 // median of the weights (log streamlines)
	Seed           uint64
}

// DefaultRule returns the rule of the default connectome. Density, λ and h
// were set by hand to resemble published group connectomes of the same
// atlas; nothing was fitted to a caption or any other task.
func DefaultRule() Rule {
	return Rule{Density: 0.36, LengthConstant: 24, Homotopic: 2.5, Noise: 1.2, Spread: 1.6, MedianWeight: 7, Seed: 82}
}

// Default returns the connectome that comes with wire: always the same 82
// regions and tracts, marked synthetic.
func Default() *connectome.Connectome {
	c, err := New(DefaultRule())
	if err != nil {
		panic(err) // the default rule is valid; a test makes this connectome
	}
	return c
}

// Names lists the built-in connectomes that [ByName] knows.
func Names() []string { return []string{"default"} }

// ByName returns a built-in connectome, or false when there is none of that
// name, so that commands can take "default" where they take a file.
func ByName(name string) (*connectome.Connectome, bool) {
	if name == "default" {
		return Default(), true
	}
	return nil, false
}

// New makes a connectome of 82 regions by the rule. It is undirected and
// carries tract lengths in mm, positions in mm, and the annotation of
// [atlas.Annotate].
func New(rule Rule) (*connectome.Connectome, error) {
	if !(rule.Density > 0 && rule.Density <= 1) {
		return nil, fmt.Errorf("synthetic connectome: density %v is not in (0, 1]", rule.Density)
	}
	if !(rule.LengthConstant > 0) || !(rule.Noise >= 0) || !(rule.Spread >= 0) || math.IsInf(rule.Noise+rule.Spread, 0) || math.IsNaN(rule.Homotopic) || math.IsNaN(rule.MedianWeight) {
		return nil, fmt.Errorf("synthetic connectome: need a length constant above 0 mm and a finite, non-negative noise and spread: %+v", rule)
	}
	regions, sizes := layout()
	pairs := score(regions, sizes, rule)
	tracts := choose(pairs, len(regions), rule)
	m, err := connectome.FromTracts(len(regions), tracts)
	if err != nil {
		return nil, err
	}
	c := &connectome.Connectome{
		Name:      "default",
		Source:    "synthetic: exponential distance rule over approximate Desikan–Killiany centroids (package connectome/synthetic)",
		License:   "Apache-2.0",
		Citation:  "none: synthetic, not a measurement",
		Synthetic: true,
		Regions:   regions,
		Tracts:    m,
		History: []string{fmt.Sprintf("synthetic: density %g, λ %g mm, homotopic %g, noise %g, spread %g, seed %d",
			rule.Density, rule.LengthConstant, rule.Homotopic, rule.Noise, rule.Spread, rule.Seed)},
	}
	atlas.Annotate(c)
	return c, c.Validate()
}

// layout places the regions: left cortex, right cortex, left nuclei, right
// nuclei, the order most files of this atlas use.
func layout() (regions []connectome.Region, sizes []float64) {
	for _, group := range [][]site{cortical, subcortical} {
		for _, side := range []struct {
			prefix     string
			hemisphere connectome.Hemisphere
			sign       float64
		}{{"lh-", connectome.Left, -1}, {"rh-", connectome.Right, 1}} {
			for _, s := range group {
				regions = append(regions, connectome.Region{
					Label:      side.prefix + s.name,
					Hemisphere: side.hemisphere,
					Position:   [3]float64{side.sign * s.at[0], s.at[1], s.at[2]},
					Located:    true,
				})
				sizes = append(sizes, s.size)
			}
		}
	}
	return regions, sizes
}

// mirror returns the homotopic region of each region in layout's order.
func mirror() []int {
	nc, ns := len(cortical), len(subcortical)
	m := make([]int, 2*(nc+ns))
	for i := range nc {
		m[i], m[nc+i] = nc+i, i
	}
	for i := range ns {
		m[2*nc+i], m[2*nc+ns+i] = 2*nc+ns+i, 2*nc+i
	}
	return m
}

type pair struct {
	i, j  int
	way   float64 // mm
	score float64 // log n up to a constant
}

// score rates every pair i < j by the rule.
func score(regions []connectome.Region, sizes []float64, rule Rule) []pair {
	random := rand.New(rand.NewPCG(rule.Seed, 0x73796e7468))
	other := mirror()
	shared := map[[2]int]float64{}
	var pairs []pair
	for i := range regions {
		for j := i + 1; j < len(regions); j++ {
			image := [2]int{min(other[i], other[j]), max(other[i], other[j])}
			common, drawn := shared[image]
			if !drawn {
				common = random.NormFloat64()
				shared[[2]int{i, j}] = common
			}
			noise := (common + random.NormFloat64()) / math.Sqrt2
			way := wayBetween(regions[i], regions[j])
			s := math.Log(sizes[i]*sizes[j]) - way/rule.LengthConstant + rule.Noise*noise
			if other[i] == j {
				s += rule.Homotopic
			}
			pairs = append(pairs, pair{i, j, way, s})
		}
	}
	return pairs
}

// wayBetween is the straight distance within a hemisphere; between the
// hemispheres the way leads through the corpus callosum, an arch at the
// midline from the genu (y = 30) to the splenium (y = −40), or, between
// nuclei of the same kind below it, the commissures.
func wayBetween(a, b connectome.Region) float64 {
	if a.Hemisphere == b.Hemisphere {
		return distance(a.Position, b.Position)
	}
	y := min(30, max(-40, (a.Position[1]+b.Position[1])/2))
	arch := 26 - (y+5)*(y+5)/80 // 10–26 mm high
	callosum := [3]float64{0, y, arch}
	return distance(a.Position, callosum) + distance(callosum, b.Position)
}

func distance(a, b [3]float64) float64 {
	return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
}

// choose keeps each region's strongest pair and then the strongest of all up
// to the density, and gives them weights and lengths. Both are rounded, so
// that the last bits of the mathematics library do not matter.
func choose(pairs []pair, n int, rule Rule) []connectome.Tract {
	slices.SortFunc(pairs, func(a, b pair) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return (a.i*n + a.j) - (b.i*n + b.j)
	})
	wanted := int(math.Round(rule.Density * float64(len(pairs))))
	served := make([]bool, n)
	var kept, rest []pair
	for _, p := range pairs {
		if !served[p.i] || !served[p.j] {
			served[p.i], served[p.j] = true, true
			kept = append(kept, p)
		} else {
			rest = append(rest, p)
		}
	}
	if room := wanted - len(kept); room > 0 {
		kept = append(kept, rest[:room]...)
	}
	scores := make([]float64, len(kept))
	for k, p := range kept {
		scores[k] = p.score
	}
	slices.Sort(scores)
	shift := rule.MedianWeight - scores[len(scores)/2]
	random := rand.New(rand.NewPCG(rule.Seed, 0x737072656164))
	var tracts []connectome.Tract
	for _, p := range kept {
		w := p.score + shift + rule.Spread*random.NormFloat64()
		w = max(0.1, math.Round(w*1000)/1000)
		length := math.Round(p.way*1.15*10) / 10
		tracts = append(tracts,
			connectome.Tract{From: p.i, To: p.j, Weight: w, Length: length},
			connectome.Tract{From: p.j, To: p.i, Weight: w, Length: length})
	}
	return tracts
}
