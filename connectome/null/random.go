package null

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
)

// erdosRenyi puts the tracts on pairs of regions drawn without replacement.
func erdosRenyi(e *edges, _ Options, rng *rand.Rand) (string, error) {
	m, pairs := len(e.list), e.pairs()
	// Floyd's algorithm: m distinct numbers below pairs, without a list of them.
	chosen := make([]int, 0, m)
	taken := make(map[int]bool, m)
	for v := pairs - m; v < pairs; v++ {
		p := rng.IntN(v + 1)
		if taken[p] {
			p = v
		}
		taken[p] = true
		chosen = append(chosen, p)
	}
	rng.Shuffle(m, func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	for k, p := range chosen {
		i, j := e.pair(p)
		e.place(k, i, j)
	}
	return "", nil
}

// pair returns the p-th pair of regions that can hold a tract.
func (e *edges) pair(p int) (i, j int32) {
	if e.directed {
		row := p / (e.n - 1)
		col := p % (e.n - 1)
		if col >= row {
			col++
		}
		return int32(row), int32(col)
	}
	// Row j of the lower triangle holds the pairs (0..j−1, j).
	lo, hi := 0, e.n
	for lo < hi {
		mid := (lo + hi) / 2
		if mid*(mid+1)/2 <= p {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return int32(p - lo*(lo-1)/2), int32(lo)
}

// lattice joins each region to its nearest on a ring in file order; the
// strongest weights lie between the nearest.
func lattice(e *edges, _ Options, _ *rand.Rand) (string, error) {
	slices.SortStableFunc(e.list, func(a, b edge) int { return cmp.Compare(b.weight, a.weight) })
	k := 0
	for i, j := range ringPairs(e.n, e.directed) {
		if k == len(e.list) {
			break
		}
		e.place(k, i, j)
		k++
	}
	return "", nil
}

// ringPairs yields every pair that can hold a tract, nearest on the ring
// first.
func ringPairs(n int, directed bool) iter.Seq2[int32, int32] {
	return func(yield func(i, j int32) bool) {
		for step := 1; 2*step <= n; step++ {
			around := n
			if 2*step == n {
				around = step // opposite sides: each pair once
			}
			for i := range around {
				a, b := int32(i), int32((i+step)%n)
				if !yield(a, b) || directed && !yield(b, a) {
					return
				}
			}
		}
	}
}

// smallWorld is the ring lattice with a share of its tracts' targets moved at
// random.
func smallWorld(e *edges, opt Options, rng *rand.Rand) (string, error) {
	if _, err := lattice(e, opt, rng); err != nil {
		return "", err
	}
	set := newPairSet(e.n)
	for _, t := range e.list {
		set.set(t.from, t.to, true)
	}
	moved := 0
	for k := range e.list {
		if rng.Float64() >= opt.Rewire {
			continue
		}
		from, old := e.list[k].from, e.list[k].to
		for range 100 { // a full row has no free target: bounded tries
			to := int32(rng.IntN(e.n))
			i, j := from, to
			if !e.directed && i > j {
				i, j = j, i
			}
			if to == from || set.has(i, j) {
				continue
			}
			set.set(from, old, false)
			set.set(i, j, true)
			e.place(k, i, j)
			moved++
			break
		}
	}
	return fmt.Sprintf("%d of %d tracts rewired", moved, len(e.list)), nil
}
