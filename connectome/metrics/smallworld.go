package metrics

import (
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/null"
)

// SmallWorld compares clustering and path length with random graphs.
type SmallWorld struct {
	// Gamma is clustering over that of the random graphs, Lambda path length
	// over theirs, Sigma = Gamma/Lambda (Humphries & Gurney 2008, PLoS One
	// 3:e0002051).
	Gamma  float64 `json:"gamma"`
	Lambda float64 `json:"lambda"`
	Sigma  float64 `json:"sigma"`
	// Nulls is how many random graphs of the same degrees were drawn.
	Nulls int `json:"nulls"`
}

// SmallWorldness measures binary clustering and path length against the mean
// of n degree-preserving random graphs ([null.DegreePreserving]) drawn from the seed.
// The error is that of the null model when the graph cannot be rewired.
func SmallWorldness(c *connectome.Connectome, n int, seed uint64) (SmallWorld, error) {
	var sums smallWorldSums
	if err := overNulls(c, n, seed, sums.add); err != nil {
		return SmallWorld{}, fmt.Errorf("small-worldness: %w", err)
	}
	return sums.compare(c)
}

// smallWorldSums adds up what random graphs have.
type smallWorldSums struct {
	clustering, length float64
	n                  int
}

func (s *smallWorldSums) add(random *connectome.Connectome) {
	s.clustering += Clustering(random).Mean
	s.length += PathLength(random).Mean
	s.n++
}

// compare holds c against the mean of the random graphs.
func (s *smallWorldSums) compare(c *connectome.Connectome) (SmallWorld, error) {
	if s.clustering == 0 || s.length == 0 {
		return SmallWorld{}, fmt.Errorf("small-worldness: the random graphs have no triangles or no paths to compare with")
	}
	w := SmallWorld{Nulls: s.n}
	w.Gamma = Clustering(c).Mean * float64(s.n) / s.clustering
	w.Lambda = PathLength(c).Mean * float64(s.n) / s.length
	w.Sigma = w.Gamma / w.Lambda
	return w, nil
}

// overNulls calls measure with n degree-preserving random graphs, in order.
func overNulls(c *connectome.Connectome, n int, seed uint64, measure func(random *connectome.Connectome)) error {
	if n < 1 {
		return fmt.Errorf("%d random graphs to compare with; want at least 1", n)
	}
	for i := range n {
		random, err := null.Generate(c, null.DegreePreserving, null.Options{Seed: seed, Index: i})
		if err != nil {
			return err
		}
		measure(random)
	}
	return nil
}

// RichClubLevel is the rich-club coefficient at one degree.
type RichClubLevel struct {
	// Degree is k: the club are the regions whose total degree is above it.
	Degree int `json:"degree"`
	// Regions is the size of the club.
	Regions int `json:"regions"`
	// Phi is the share of possible tracts within the club that exist;
	// Normalised is Phi over the mean of the random graphs.
	Phi        float64 `json:"phi"`
	Normalised float64 `json:"normalised"`
}

// RichClub returns the rich-club coefficients of every degree that occurs,
// as long as the club has two regions (Colizza et al. 2006, Nat Phys 2:110; van den
// Heuvel & Sporns 2011, J Neurosci 31:15775):
//
//	φ(k) = E_>k / (N_>k (N_>k − 1))    φ_norm(k) = φ(k) / ⟨φ_random(k)⟩
//
// with n degree-preserving random graphs drawn from the seed. Directed
// connectomes are ranked by in- plus out-degree. Weights are ignored.
func RichClub(c *connectome.Connectome, n int, seed uint64) ([]RichClubLevel, error) {
	levels := richClub(c)
	mean := make([]float64, len(levels))
	err := overNulls(c, n, seed, func(random *connectome.Connectome) { addPhi(mean, richClub(random), n) })
	if err != nil {
		return nil, fmt.Errorf("rich club: %w", err)
	}
	return normalised(levels, mean), nil
}

// addPhi adds a random graph's coefficients to the mean of n; it has the same
// degrees, and so the same levels.
func addPhi(mean []float64, levels []RichClubLevel, n int) {
	for i, level := range levels {
		mean[i] += level.Phi / float64(n)
	}
}

func normalised(levels []RichClubLevel, mean []float64) []RichClubLevel {
	for i := range levels {
		if mean[i] > 0 {
			levels[i].Normalised = levels[i].Phi / mean[i]
		}
	}
	return levels
}

func richClub(c *connectome.Connectome) []RichClubLevel {
	degree := Degrees(c).Total
	highest := 0
	for _, d := range degree {
		highest = max(highest, int(d))
	}
	// members[k] and tracts[k] count what lies wholly above degree k.
	members, tracts := make([]int, highest+1), make([]int, highest+1)
	occurs := make([]bool, highest+1)
	for _, d := range degree {
		occurs[int(d)] = true
		if d >= 1 {
			members[int(d)-1]++
		}
	}
	for t := range c.Tracts.All() {
		if lower := int(min(degree[t.From], degree[t.To])); t.From != t.To && lower >= 1 {
			tracts[lower-1]++
		}
	}
	for k := highest - 1; k >= 0; k-- {
		members[k] += members[k+1]
		tracts[k] += tracts[k+1]
	}
	var levels []RichClubLevel
	for k := range members {
		if occurs[k] && members[k] >= 2 {
			m := members[k]
			levels = append(levels, RichClubLevel{Degree: k, Regions: m, Phi: float64(tracts[k]) / float64(m*(m-1))})
		}
	}
	return levels
}
