package metrics

import (
	"math"

	"github.com/connectomewire/wire/connectome"
)

// Coefficients are a clustering coefficient of every region and their mean.
type Coefficients struct {
	Mean    float64
	Regions []float64
}

// Clustering returns the share of the possible triangles around every region
// that exist, weights ignored.
//
// Undirected (Watts & Strogatz 1998, Nature 393:440), with k neighbours and t
// tracts between them:
//
//	C_i = 2 t_i / (k_i (k_i − 1))
//
// Directed (Fagiolo 2007, Phys Rev E 76:026107), over all eight kinds of
// triangle, with d the total degree and r the number of reciprocated tracts:
//
//	C_i = [(A + Aᵀ)³]_ii / (2 [d_i (d_i − 1) − 2 r_i])
//
// Regions with fewer than two neighbours have C = 0 and count in the mean, as
// in the Brain Connectivity Toolbox.
func Clustering(c *connectome.Connectome) Coefficients {
	return clustering(c, func(float64) float64 { return 1 })
}

// WeightedClustering is [Clustering] with every triangle counted by the
// geometric mean of its weights, absolute and scaled by the largest (Onnela et
// al. 2005, Phys Rev E 71:065103; Fagiolo 2007 for directed connectomes).
func WeightedClustering(c *connectome.Connectome) Coefficients {
	largest := 0.0
	for t := range c.Tracts.All() {
		if t.From != t.To {
			largest = max(largest, math.Abs(t.Weight))
		}
	}
	return clustering(c, func(w float64) float64 { return math.Cbrt(math.Abs(w) / largest) })
}

// clustering evaluates Fagiolo's formula with value(weight) in place of A; on
// a symmetric matrix it equals the undirected one, since then d = 2k, r = k.
func clustering(c *connectome.Connectome, value func(weight float64) float64) Coefficients {
	n := len(c.Regions)
	s := symmetrised(c, value)
	out := Coefficients{Regions: make([]float64, n)}
	mark := make([]float64, n)
	for i := range n {
		lo, hi := s.Row(i)
		for k := lo; k < hi; k++ {
			mark[s.Target[k]] = s.Weight[k]
		}
		closed := 0.0
		for k := lo; k < hi; k++ {
			jlo, jhi := s.Row(int(s.Target[k]))
			sum := 0.0
			for l := jlo; l < jhi; l++ {
				sum += s.Weight[l] * mark[s.Target[l]]
			}
			closed += s.Weight[k] * sum
		}
		degree, mutual := 0.0, 0.0
		for k := lo; k < hi; k++ {
			j := int(s.Target[k])
			mark[j] = 0
			degree++
			_, out := c.Tracts.Find(i, j)
			_, in := c.Tracts.Find(j, i)
			if out && in {
				degree++
				mutual++
			}
		}
		if possible := 2 * (degree*(degree-1) - 2*mutual); possible > 0 {
			out.Regions[i] = closed / possible
		}
		out.Mean += out.Regions[i] / float64(n)
	}
	return out
}

// symmetrised is f(W) + f(W)ᵀ without the diagonal.
func symmetrised(c *connectome.Connectome, value func(weight float64) float64) connectome.CSR {
	var b connectome.Builder
	for t := range c.Tracts.All() {
		if t.From != t.To {
			v := value(t.Weight)
			b.Add(t.From, t.To, v, math.NaN())
			b.Add(t.To, t.From, v, math.NaN())
		}
	}
	m, _ := b.Build(len(c.Regions), connectome.SumParallel)
	return m
}
