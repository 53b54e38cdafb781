package metrics

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/connectome"
)

// Summary is what a paper prints about a connectome. A measure that could not
// be taken is nil, and Skipped says why; it also says when the spectral radius
// among the facts is an estimate.
type Summary struct {
	Facts    Facts        `json:"facts"`
	Degree   Distribution `json:"degree"`
	Strength Distribution `json:"strength"`
	Weight   Distribution `json:"weight"`
	// Length describes the known tract lengths in mm, nil when none is.
	Length             *Distribution `json:"length_mm"`
	StrongComponents   int           `json:"strong_components"`
	Clustering         *float64      `json:"clustering"`
	WeightedClustering *float64      `json:"weighted_clustering"`
	PathLength         *float64      `json:"path_length"`
	Diameter           *float64      `json:"diameter"`
	Unreachable        *int          `json:"unreachable_pairs"`
	GlobalEfficiency   *float64      `json:"global_efficiency"`
	LocalEfficiency    *float64      `json:"local_efficiency"`
	WeightedPathLength *float64      `json:"weighted_path_length"`
	Modularity         *float64      `json:"modularity"`
	Communities        *int          `json:"communities"`
	SmallWorld         *SmallWorld   `json:"small_world"`
	// RichClub lists every degree; RichClubPeak is the level where the
	// normalised coefficient is largest among clubs of five regions or more.
	RichClub     []RichClubLevel `json:"rich_club,omitempty"`
	RichClubPeak *RichClubLevel  `json:"rich_club_peak"`
	Skipped      []string        `json:"skipped,omitempty"`
	// Notes qualify measures that were taken on a part of the tracts.
	Notes []string `json:"notes,omitempty"`
}

// Options say how much [Summarise] may compute.
type Options struct {
	// Seed chooses the random graphs and the order of the Louvain method.
	Seed uint64
	// Nulls is the number of random graphs that small-worldness and the rich
	// club compare with; 0 skips both.
	Nulls int
	// MaxWork bounds regions × tracts of each measure that needs that many
	// steps; measures above it are skipped. 0 means 2e9, a few seconds each;
	// infinity takes every measure, however long it takes.
	MaxWork float64
}

// Summarise takes every measure of the package.
func Summarise(c *connectome.Connectome, o Options) Summary {
	if o.MaxWork == 0 {
		o.MaxWork = 2e9
	}
	facts, estimate := factsOf(c, o.MaxWork)
	s := Summary{
		Facts:            facts,
		Degree:           Describe(Degrees(c).Total),
		Strength:         Describe(Strengths(c).Total),
		StrongComponents: len(StrongComponents(c)),
	}
	var weights, lengths []float64
	for t := range c.Tracts.All() {
		if t.From == t.To || !c.Directed && t.From > t.To {
			continue
		}
		weights = append(weights, t.Weight)
		if !math.IsNaN(t.Length) {
			lengths = append(lengths, t.Length)
		}
	}
	s.Weight = Describe(weights)
	if len(lengths) > 0 {
		d := Describe(lengths)
		s.Length = &d
	}
	skip := func(format string, args ...any) { s.Skipped = append(s.Skipped, fmt.Sprintf(format, args...)) }

	if estimate != nil {
		skip("%v", estimate)
	}
	n, tracts := float64(len(c.Regions)), float64(c.Tracts.Len())
	triangles := 0.0
	for _, d := range Degrees(c).Out {
		triangles += d * d
	}
	triangles *= cacheFactor(len(c.Regions))
	if triangles > o.MaxWork {
		skip("clustering and local efficiency: %.2g steps, above the limit of %.2g", triangles, o.MaxWork)
	} else {
		plain, weighted := Clustering(c).Mean, WeightedClustering(c).Mean
		s.Clustering, s.WeightedClustering = &plain, &weighted
		if local, ok := localEfficiency(c, o.MaxWork); ok {
			s.LocalEfficiency = &local
		} else {
			skip("local efficiency: more steps than the limit of %.2g", o.MaxWork)
		}
	}
	if n*tracts > o.MaxWork {
		skip("path lengths: %.2g steps, above the limit of %.2g", n*tracts, o.MaxWork)
	} else {
		paths, weighted := PathLength(c), WeightedPathLength(c)
		s.PathLength, s.Diameter, s.Unreachable = &paths.Mean, &paths.Diameter, &paths.Unreachable
		s.GlobalEfficiency, s.WeightedPathLength = &paths.Efficiency, &weighted.Mean
	}
	if tracts*10000 > o.MaxWork {
		skip("modularity: %.2g tracts, above the limit of %.2g", tracts, o.MaxWork/10000)
	} else {
		positive := c
		if s.Facts.Kind == "signed" {
			positive = positivePart(c)
			s.Notes = append(s.Notes, "modularity is that of the positive weights alone")
		}
		if m, err := Modularity(positive, 1, o.Seed); err != nil {
			skip("%v", err)
		} else {
			s.Modularity, s.Communities = &m.Q, &m.Count
		}
	}
	if o.Nulls > 0 {
		s.compareWithNulls(c, o, triangles+n*tracts, skip)
	}
	return s
}

// cacheFactor is how much longer a step takes on n regions than on a few:
// beyond 10,000 a row's targets are no longer in the processor's cache.
func cacheFactor(n int) float64 {
	if n > 10_000 {
		return 10
	}
	return 1
}

// positivePart is the connectome without its negative tracts.
func positivePart(c *connectome.Connectome) *connectome.Connectome {
	p := *c
	p.Tracts = c.Tracts.Filter(func(t connectome.Tract) bool { return t.Weight > 0 })
	return &p
}

// compareWithNulls takes small-worldness and rich club against the same
// random graphs.
func (s *Summary) compareWithNulls(c *connectome.Connectome, o Options, steps float64, skip func(string, ...any)) {
	if steps*float64(o.Nulls) > o.MaxWork {
		skip("small-worldness and rich club: %.2g steps for %d random graphs, above the limit of %.2g", steps*float64(o.Nulls), o.Nulls, o.MaxWork)
		return
	}
	var small smallWorldSums
	levels := richClub(c)
	mean := make([]float64, len(levels))
	err := overNulls(c, o.Nulls, o.Seed, func(random *connectome.Connectome) {
		small.add(random)
		addPhi(mean, richClub(random), o.Nulls)
	})
	if err != nil {
		skip("small-worldness and rich club: %v", err)
		return
	}
	if sw, err := small.compare(c); err != nil {
		skip("%v", err)
	} else {
		s.SmallWorld = &sw
	}
	s.RichClub = normalised(levels, mean)
	for i, level := range s.RichClub {
		if level.Regions >= 5 && (s.RichClubPeak == nil || level.Normalised > s.RichClubPeak.Normalised) {
			s.RichClubPeak = &s.RichClub[i]
		}
	}
}
