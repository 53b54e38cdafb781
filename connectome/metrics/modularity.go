package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// Modules is a division of a connectome into communities.
type Modules struct {
	// Q is the modularity of the division.
	Q float64
	// Community is the number of every region's community, from 0 in the
	// order of their first regions; Count is how many there are.
	Community []int
	Count     int
}

// Modularity divides a connectome into communities by the Louvain method
// (Blondel et al. 2008, J Stat Mech P10008) on its weights, in the order that
// the seed shuffles the regions into; of ten such runs (one above 100,000
// tracts) it returns the best.
// Its Q is that of Leicht & Newman (2008), Phys Rev Lett 100:118703, which on
// undirected connectomes is Newman's:
//
//	Q = 1/m Σ_ij (w_ij − γ k_i^out k_j^in / m) [i and j share a community]
//
// with m the sum of all weights. γ = 1 is usual; larger values give smaller
// communities. Self-loops are left out. Negative weights have no place in this
// null model and are an error.
func Modularity(c *connectome.Connectome, gamma float64, seed uint64) (Modules, error) {
	if !(gamma > 0) || math.IsInf(gamma, 0) {
		return Modules{}, fmt.Errorf("modularity: resolution %v is not above 0", gamma)
	}
	for t := range c.Tracts.All() {
		if t.Weight < 0 && t.From != t.To {
			return Modules{}, fmt.Errorf("modularity: tract %s → %s has the negative weight %g; threshold at 0 or take absolute weights first",
				c.Title(int(t.From)), c.Title(int(t.To)), t.Weight)
		}
	}
	best := Modules{Q: math.Inf(-1)}
	runs := 10
	if c.Tracts.Len() > 100_000 {
		runs = 1
	}
	for run := range runs {
		random := rand.New(rand.NewPCG(seed, uint64(run)))
		community := louvain(newLevel(c), gamma, random)
		if q := modularityOf(c, community, gamma); q > best.Q {
			best = Modules{Q: q, Community: community}
		}
	}
	if math.Abs(best.Q) < 1e-12 { // the noise of a sum that is nothing
		best.Q = 0
	}
	for _, m := range best.Community {
		best.Count = max(best.Count, m+1)
	}
	return best, nil
}

// modularityOf evaluates Q for a division.
func modularityOf(c *connectome.Connectome, community []int, gamma float64) float64 {
	s := Strengths(c)
	count := 0
	for _, m := range community {
		count = max(count, m+1)
	}
	out, in := make([]float64, count), make([]float64, count)
	total, inside := 0.0, 0.0
	for i, m := range community {
		out[m] += s.Out[i]
		in[m] += s.In[i]
		total += s.Out[i]
	}
	for t := range c.Tracts.All() {
		if t.From != t.To && community[t.From] == community[t.To] {
			inside += t.Weight
		}
	}
	if total == 0 {
		return 0
	}
	q := inside / total
	for m := range out {
		q -= gamma * out[m] / total * in[m] / total
	}
	return q
}

// level is a graph whose nodes are communities of the level below. links are
// wᵢⱼ + wⱼᵢ between different nodes; what lies inside a node never matters to
// a move.
type level struct {
	links   connectome.CSR
	out, in []float64
	total   float64
}

func newLevel(c *connectome.Connectome) level {
	s := Strengths(c)
	l := level{links: symmetrised(c, func(w float64) float64 { return w }), out: s.Out, in: s.In}
	for _, w := range s.Out {
		l.total += w
	}
	return l
}

// louvain moves nodes between communities until no move helps, merges every
// community into a node, and goes on with that graph until nothing merges.
func louvain(l level, gamma float64, random *rand.Rand) []int {
	community := l.moves(gamma, random)
	count := renumber(community)
	if count == len(community) || l.total == 0 {
		return community
	}
	upper := louvain(l.merge(community, count), gamma, random)
	for i, m := range community {
		community[i] = upper[m]
	}
	renumber(community)
	return community
}

// moves puts every node by itself and then, in random order, moves each to
// the neighbouring community that raises Q most, until a sweep moves none.
func (l level) moves(gamma float64, random *rand.Rand) []int {
	n := len(l.out)
	community := make([]int, n)
	out, in := slices.Clone(l.out), slices.Clone(l.in) // of each community
	order := make([]int, n)
	for i := range n {
		community[i], order[i] = i, i
	}
	if l.total == 0 {
		return community
	}
	random.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	toward := make([]float64, n) // links from the node to each community
	var near []int               // communities with such links
	isNear := make([]bool, n)
	for sweep, moved := 0, true; moved && sweep < 100; sweep++ {
		moved = false
		for _, i := range order {
			own := community[i]
			near = append(near[:0], own)
			isNear[own] = true
			lo, hi := l.links.Row(i)
			for k := lo; k < hi; k++ {
				m := community[l.links.Target[k]]
				if !isNear[m] {
					near = append(near, m)
					isNear[m] = true
				}
				toward[m] += l.links.Weight[k]
			}
			out[own] -= l.out[i]
			in[own] -= l.in[i]
			// The gain of joining community m, up to the factor 1/total.
			gain := func(m int) float64 {
				return toward[m] - gamma*(l.out[i]*in[m]+l.in[i]*out[m])/l.total
			}
			best := own
			for _, m := range near {
				if gain(m) > gain(best)+1e-12*l.total {
					best = m
				}
			}
			out[best] += l.out[i]
			in[best] += l.in[i]
			community[i] = best
			moved = moved || best != own
			for _, m := range near {
				toward[m], isNear[m] = 0, false
			}
		}
	}
	return community
}

// merge makes every community a node.
func (l level) merge(community []int, count int) level {
	up := level{out: make([]float64, count), in: make([]float64, count), total: l.total}
	var b connectome.Builder
	for i, m := range community {
		up.out[m] += l.out[i]
		up.in[m] += l.in[i]
	}
	for t := range l.links.All() {
		if from, to := community[t.From], community[t.To]; from != to {
			b.Add(from, to, t.Weight, math.NaN())
		}
	}
	up.links, _ = b.Build(count, connectome.SumParallel)
	return up
}

// renumber numbers communities from 0 in the order of their first members
// and returns how many there are.
func renumber(community []int) int {
	number := map[int]int{}
	for i, m := range community {
		if _, known := number[m]; !known {
			number[m] = len(number)
		}
		community[i] = number[m]
	}
	return len(number)
}
