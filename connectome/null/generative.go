package null

import (
	"cmp"
	"fmt"
	"github.com/connectomewire/wire/connectome"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// distanceRule draws tracts with probability proportional to exp(−d/λ).
func distanceRule(e *edges, opt Options, rng *rand.Rand) (string, error) {
	if e.n > pairwiseLimit {
		return "", fmt.Errorf("the distance rule weighs every pair of at most %d regions, this connectome has %d", pairwiseLimit, e.n)
	}
	lambda := opt.Lambda
	if lambda == 0 {
		lambda = fitLambda(e)
	}
	// Sampling without replacement (Efraimidis & Spirakis 2006, Inf Process
	// Lett 97:181): each pair gets an exponential waiting time at a rate of
	// its weight, and the first m arrive. In logarithms, so that no weight
	// underflows.
	type arrival struct {
		when float64
		i, j int32
	}
	all := make([]arrival, e.pairs())
	for p := range all {
		i, j := e.pair(p)
		all[p] = arrival{math.Log(rng.ExpFloat64()) + e.distance(i, j)/lambda, i, j}
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.when, b.when) })
	for k := range e.list {
		e.place(k, all[k].i, all[k].j)
	}
	e.strongestShortest()
	return fmt.Sprintf("λ = %.3g mm", lambda), nil
}

// fitLambda returns the λ at which m pairs drawn with inclusion probability
// 1−exp(−c·exp(−d/λ)) have the connectome's own mean distance.
func fitLambda(e *edges) float64 {
	var target, all float64
	for _, t := range e.list {
		target += e.distance(t.from, t.to)
	}
	target /= float64(len(e.list))
	d := make([]float64, e.pairs())
	for p := range d {
		d[p] = e.distance(e.pair(p))
		all += d[p]
	}
	// No decay gives the mean over all pairs; a network of longer tracts than
	// that has no finite λ, and gets a flat rule.
	const flat = 1e6
	if target >= all/float64(len(d)) {
		return flat
	}
	lo, hi := math.Log(0.5), math.Log(flat)
	for range 40 {
		mid := (lo + hi) / 2
		if meanDistance(d, math.Exp(mid), len(e.list)) < target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}

// meanDistance is the expected mean distance of m pairs drawn by the rule.
func meanDistance(d []float64, lambda float64, m int) float64 {
	shortest := slices.Min(d)
	include := func(logC float64) (count, sum float64) {
		for _, x := range d {
			p := -math.Expm1(-math.Exp(logC - (x-shortest)/lambda))
			count += p
			sum += p * x
		}
		return count, sum
	}
	lo, hi := -50.0, 800.0
	for range 60 {
		mid := (lo + hi) / 2
		if count, _ := include(mid); count < float64(m) {
			lo = mid
		} else {
			hi = mid
		}
	}
	count, sum := include(lo)
	return sum / math.Max(count, math.SmallestNonzeroFloat64)
}

// strongestShortest gives the strongest weights to the shortest tracts.
func (e *edges) strongestShortest() {
	weights := make([]float64, len(e.list))
	for k, t := range e.list {
		weights[k] = t.weight
	}
	slices.SortFunc(weights, func(a, b float64) int { return cmp.Compare(b, a) })
	slices.SortStableFunc(e.list, func(a, b edge) int {
		return cmp.Compare(e.distance(a.from, a.to), e.distance(b.from, b.to))
	})
	for k := range e.list {
		e.list[k].weight = weights[k]
	}
}

// pairwiseLimit bounds the models whose memory grows with the square of the
// regions: 32 bytes for each of 12.5 million pairs.
const pairwiseLimit = 5000

// homophily grows an undirected network tract by tract, each drawn with
// probability proportional to d^η · (K + ε)^γ, where K is the matching index
// of two regions: the share of their neighbours that they have in common.
func homophily(e *edges, opt Options, rng *rand.Rand) (string, error) {
	if e.directed {
		return "", fmt.Errorf("the homophily model grows undirected networks; symmetrise the connectome first")
	}
	if e.n > pairwiseLimit {
		return "", fmt.Errorf("the homophily model takes at most %d regions, this connectome has %d", pairwiseLimit, e.n)
	}
	const epsilon = 1e-5 // as in the reference implementation: pairs without shared neighbours stay possible
	for i := range e.n {
		for j := range i {
			if e.distance(int32(j), int32(i)) == 0 {
				c := &connectome.Connectome{Regions: e.regions}
				return "", fmt.Errorf("regions %s and %s lie at the same place", c.Title(j), c.Title(i))
			}
		}
	}
	words := (e.n + 63) / 64
	rows := make([]uint64, e.n*words)
	row := func(i int) []uint64 { return rows[i*words:][:words] }
	degree := make([]int, e.n)
	matching := func(i, j int) float64 {
		shared := 0
		a, b := row(i), row(j)
		for w := range a {
			shared += bits.OnesCount64(a[w] & b[w])
		}
		total := degree[i] + degree[j]
		if a[j>>6]>>(j&63)&1 == 1 { // the tract between the two counts for neither
			total -= 2
		}
		if total <= 0 {
			return 0
		}
		return 2 * float64(shared) / float64(total)
	}
	index := func(i, j int) int {
		if i > j {
			i, j = j, i
		}
		return j*(j-1)/2 + i
	}
	tree := newSumTree(e.pairs())
	distance := make([]float64, e.pairs())
	for p := range distance {
		distance[p] = math.Pow(e.distance(e.pair(p)), opt.Eta)
		tree.set(p, distance[p]*math.Pow(epsilon, opt.Gamma))
	}
	used := make([]bool, e.pairs())
	for k := range e.list {
		if e.stopped() {
			break
		}
		p := tree.draw(rng.Float64())
		if used[p] { // only by rounding at a bin's edge: take the next free pair
			for q := range used {
				if r := (p + q) % len(used); !used[r] {
					p = r
					break
				}
			}
		}
		i32, j32 := e.pair(p)
		i, j := int(i32), int(j32)
		used[p] = true
		tree.set(p, 0)
		e.place(k, i32, j32)
		row(i)[j>>6] |= 1 << (j & 63)
		row(j)[i>>6] |= 1 << (i & 63)
		degree[i]++
		degree[j]++
		for _, u := range [2]int{i, j} {
			for v := range e.n {
				if v == u {
					continue
				}
				if q := index(u, v); !used[q] {
					tree.set(q, distance[q]*math.Pow(matching(u, v)+epsilon, opt.Gamma))
				}
			}
		}
	}
	e.strongestShortest()
	return fmt.Sprintf("η = %g, γ = %g", opt.Eta, opt.Gamma), nil
}

// sumTree holds weights and draws an index in proportion to them, both in
// logarithmic time.
type sumTree struct {
	size int // leaves, a power of two
	sum  []float64
}

func newSumTree(n int) *sumTree {
	size := 1
	for size < n {
		size *= 2
	}
	return &sumTree{size, make([]float64, 2*size)}
}

func (t *sumTree) set(i int, w float64) {
	i += t.size
	t.sum[i] = w
	for i /= 2; i > 0; i /= 2 {
		t.sum[i] = t.sum[2*i] + t.sum[2*i+1]
	}
}

// draw returns the index at which the running sum passes u times the total.
func (t *sumTree) draw(u float64) int {
	x := u * t.sum[1]
	i := 1
	for i < t.size {
		i *= 2
		if x >= t.sum[i] && t.sum[i+1] > 0 {
			x -= t.sum[i]
			i++
		}
	}
	return i - t.size
}
