package wiring

import (
	"math"
	"sort"

	"github.com/connectomewire/wire/connectome"
)

// candidate is a tract of the connectome that a plan may keep.
type candidate struct {
	from, to int
	weight   float64 // as in the source
	length   float64 // mm, NaN when unknown
	delay    int
	keep     bool
}

// candidates lists the connectome's tracts between different regions, sorted
// by target, then source. Lengths that the source does not give are taken as
// the straight line between the regions' centres; estimated counts those.
func candidates(c *connectome.Connectome, velocity, tick float64) (list []candidate, estimated int) {
	for t := range c.Tracts.All() {
		if t.From == t.To || t.Weight == 0 || math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) {
			continue
		}
		length := t.Length
		if !(length > 0) || math.IsInf(length, 0) {
			length = math.NaN()
			a, b := &c.Regions[t.From], &c.Regions[t.To]
			if a.Located && b.Located {
				length = distance(a.Position, b.Position)
				estimated++
			}
		}
		list = append(list, candidate{from: t.From, to: t.To, weight: t.Weight, length: length, delay: delay(length, velocity, tick)})
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].to != list[j].to {
			return list[i].to < list[j].to
		}
		return list[i].from < list[j].from
	})
	return list, estimated
}

func distance(a, b [3]float64) float64 {
	var s float64
	for i := range a {
		s += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(s)
}

// maxDelay bounds delays, and so the memory of a tract's channel.
const maxDelay = 1000

// delay is max(1, ⌈length / (velocity·tick)⌉) ticks; m/s times ms is mm. An
// unknown length takes one tick.
func delay(length, velocity, tick float64) int {
	if !(length > 0) {
		return 1
	}
	return int(min(max(1, math.Ceil(length/(velocity*tick)-1e-9)), maxDelay))
}

// keepStrongest marks the n incoming tracts of largest magnitude for every
// region; n = 0 marks all. Of equal weights the lower source is kept.
func keepStrongest(list []candidate, n int) {
	for lo := 0; lo < len(list); {
		hi := lo
		for hi < len(list) && list[hi].to == list[lo].to {
			hi++
		}
		order := make([]int, hi-lo)
		for i := range order {
			order[i] = lo + i
		}
		sort.SliceStable(order, func(a, b int) bool {
			return math.Abs(list[order[a]].weight) > math.Abs(list[order[b]].weight)
		})
		if n > 0 && len(order) > n {
			order = order[:n]
		}
		for _, k := range order {
			list[k].keep = true
		}
		lo = hi
	}
}

// route finds the path of least delay from one region to another; where two
// paths reach a region at the same tick the one with the stronger last tract
// is taken. It returns the candidates along it, or ok = false. When keptOnly
// is set only kept tracts are used.
func route(n int, list []candidate, from, to int, keptOnly bool) (path []int, ticks int, ok bool) {
	const unreached = math.MaxInt
	out := make([][]int, n)
	for k := range list {
		if !keptOnly || list[k].keep {
			out[list[k].from] = append(out[list[k].from], k)
		}
	}
	cost := make([]int, n)
	via := make([]int, n)
	done := make([]bool, n)
	for i := range cost {
		cost[i], via[i] = unreached, -1
	}
	cost[from] = 0
	// Dijkstra's algorithm; delays are small integers, so buckets do for a heap.
	buckets := [][]int{{from}}
	for c := 0; c < len(buckets); c++ {
		for b := 0; b < len(buckets[c]); b++ {
			i := buckets[c][b]
			if done[i] || cost[i] != c {
				continue
			}
			done[i] = true
			for _, k := range out[i] {
				t := &list[k]
				nc := c + t.delay
				better := nc < cost[t.to]
				if nc == cost[t.to] && !done[t.to] && via[t.to] >= 0 {
					better = math.Abs(t.weight) > math.Abs(list[via[t.to]].weight)
				}
				if !better {
					continue
				}
				cost[t.to], via[t.to] = nc, k
				for len(buckets) <= nc {
					buckets = append(buckets, nil)
				}
				buckets[nc] = append(buckets[nc], t.to)
			}
		}
	}
	if cost[to] == unreached {
		return nil, 0, false
	}
	for i := to; i != from; i = list[via[i]].from {
		path = append(path, via[i])
	}
	for a, b := 0, len(path)-1; a < b; a, b = a+1, b-1 {
		path[a], path[b] = path[b], path[a]
	}
	return path, cost[to], true
}

// heavyTail is the ratio of the largest to the median weight beyond which
// weights are scaled logarithmically, as log(1 + |w| / median).
const heavyTail = 20

// scales returns s_ij for tracts sorted by target: the magnitude of the
// weight, log-scaled when heavy-tailed over the whole connectome, divided by
// the root of the sum of squares over the target's tracts. With Σ_i s_ij² = 1
// the matrix of squares is row-stochastic, its spectral radius 1, and a
// network of independent random blocks of unit variance has a spectral radius
// of about 1 (Aljadeff, Stern and Sharpee 2015, Phys Rev Lett 114:088101).
func scales(tracts []Tract) (logarithmic bool) {
	if len(tracts) == 0 {
		return false
	}
	sorted := make([]float64, len(tracts))
	for i, t := range tracts {
		sorted[i] = math.Abs(t.Weight)
	}
	sort.Float64s(sorted)
	median := sorted[len(sorted)/2]
	logarithmic = sorted[len(sorted)-1] > heavyTail*median
	for lo := 0; lo < len(tracts); {
		hi := lo
		var sum float64
		for ; hi < len(tracts) && tracts[hi].To == tracts[lo].To; hi++ {
			s := math.Abs(tracts[hi].Weight)
			if logarithmic {
				s = math.Log1p(s / median)
			}
			tracts[hi].Scale = s
			sum += s * s
		}
		for k := lo; k < hi; k++ {
			tracts[k].Scale /= math.Sqrt(sum)
		}
		lo = hi
	}
	return logarithmic
}
