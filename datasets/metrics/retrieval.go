package metrics

import (
	"fmt"
	"math"
	"sort"
)

// Unit scales vectors to length one, in new memory. A zero vector stays
// zero.
func Unit(vectors [][]float32) [][]float32 {
	out := make([][]float32, len(vectors))
	for i, v := range vectors {
		sum := 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		scale := 0.0
		if sum > 0 {
			scale = 1 / math.Sqrt(sum)
		}
		out[i] = make([]float32, len(v))
		for k, x := range v {
			out[i][k] = float32(float64(x) * scale)
		}
	}
	return out
}

// Ranks gives for each query the rank, from 1, of the best-placed right
// answer in a gallery ordered by cosine: right[i] is the gallery index that
// query i asks for. Equal cosines count against the query, so that a model
// that says the same of everything does not look good.
func Ranks(queries, gallery [][]float32, right []int) ([]int, error) {
	if len(right) != len(queries) {
		return nil, fmt.Errorf("retrieval: %d answers for %d queries", len(right), len(queries))
	}
	q, g := Unit(queries), Unit(gallery)
	ranks := make([]int, len(q))
	for i := range q {
		if right[i] < 0 || right[i] >= len(g) {
			return nil, fmt.Errorf("retrieval: the answer of query %d is %d, not in 0..%d", i, right[i], len(g)-1)
		}
		own := cosine(q[i], g[right[i]])
		ranks[i] = 1
		for j := range g {
			if j != right[i] && cosine(q[i], g[j]) >= own {
				ranks[i]++
			}
		}
	}
	return ranks, nil
}

// RecallAt is the share of ranks of at most k: R@k, in 0..1.
func RecallAt(ranks []int, k int) float64 {
	if len(ranks) == 0 {
		return 0
	}
	hits := 0
	for _, r := range ranks {
		if r <= k {
			hits++
		}
	}
	return float64(hits) / float64(len(ranks))
}

// cosine of two unit vectors.
func cosine(a, b []float32) float32 {
	var sum float32
	for i := range min(len(a), len(b)) {
		sum += a[i] * b[i]
	}
	return sum
}

// neighbour is a place in a gallery and its cosine with a query.
type neighbour struct {
	index  int
	cosine float32
}

// nearest gives the k nearest places, nearest first, earlier before later
// where cosines are equal.
func nearest(query []float32, gallery [][]float32, k int) []neighbour {
	all := make([]neighbour, len(gallery))
	for i, g := range gallery {
		all[i] = neighbour{i, cosine(query, g)}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].cosine > all[j].cosine })
	return all[:min(k, len(all))]
}
