package null

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/internal/disjoint"
	"github.com/connectomewire/wire/internal/plural"
)

// degreePreserving rewires by Maslov–Sneppen swaps.
func degreePreserving(e *edges, opt Options, rng *rand.Rand) (string, error) {
	return rewire(e, opt, rng, nil)
}

// geometryPreserving allows only swaps whose two new tracts fall in the same
// distance bins as the two old ones, so the histogram of distances stays as
// it is; each weight goes to the new tract in its own bin.
func geometryPreserving(e *edges, opt Options, rng *rand.Rand) (string, error) {
	bounds := distanceBins(e, opt.Bins)
	bin := func(i, j int32) int {
		b, _ := slices.BinarySearch(bounds, e.distance(i, j))
		return b
	}
	return rewire(e, opt, rng, bin)
}

// distanceBins returns the inner bounds of bins that hold about equally many
// of the network's own tracts.
func distanceBins(e *edges, bins int) []float64 {
	d := make([]float64, len(e.list))
	for k, t := range e.list {
		d[k] = e.distance(t.from, t.to)
	}
	slices.Sort(d)
	var bounds []float64
	for b := 1; b < bins; b++ {
		bounds = append(bounds, d[len(d)*b/bins])
	}
	return slices.Compact(bounds)
}

// move records where two edges were before a swap.
type move struct {
	k, l       int
	kOld, lOld edge
}

// rewire swaps the ends of random pairs of tracts, (a→b, c→d) to (a→d, c→b),
// which keeps every degree. A swap that would make a self-loop or a parallel
// tract is refused, and so is one that changes the bins when bin is not nil.
//
// With opt.Connected it checks weak connectedness not after every swap but
// after a window of them, rolls a window back that broke it, and adapts the
// window's size (Gkantsidis, Mihail & Zegura 2003, ALENEX).
func rewire(e *edges, opt Options, rng *rand.Rand, bin func(i, j int32) int) (string, error) {
	m := len(e.list)
	if m < 2 || m == e.pairs() {
		return "", fmt.Errorf("%w: %s on %s of regions; choose a sparser connectome (threshold it first) or the weight shuffle", ErrRigid, plural.Count(m, "tract", "tracts"), plural.Count(e.pairs(), "pair", "pairs"))
	}
	set := newPairSet(e.n)
	for _, t := range e.list {
		set.set(t.from, t.to, true)
	}
	if opt.Connected && !connected(e) {
		return "", fmt.Errorf("the network is not weakly connected to begin with; keep its largest component first")
	}
	var (
		wanted   = m * opt.Swaps
		attempts = 1000 * m
		tried    int
		swapped  int
		window   = max(1, m/10)
		journal  []move
	)
	for ; tried < attempts && swapped < wanted; tried++ {
		if tried%4096 == 4095 && e.stopped() {
			break
		}
		mv, ok := trySwap(e, set, rng, bin)
		if !ok {
			continue
		}
		swapped++
		if !opt.Connected {
			continue
		}
		if journal = append(journal, mv); len(journal) >= window {
			swapped -= settle(e, set, &journal, &window)
		}
	}
	if opt.Connected && len(journal) > 0 {
		swapped -= settle(e, set, &journal, &window)
	}
	if 2*swapped < min(m, wanted) { // a swap moves two tracts
		return "", fmt.Errorf("%w: only %d swaps among %d tracts succeeded in %d attempts; the network may be nearly complete, a star or a ring: threshold it first, or use the weight or label shuffle", ErrRigid, swapped, m, tried)
	}
	return fmt.Sprintf("%d swaps on %d tracts", swapped, m), nil
}

// trySwap attempts one swap of two random edges.
func trySwap(e *edges, set *pairSet, rng *rand.Rand, bin func(i, j int32) int) (move, bool) {
	k, l := rng.IntN(len(e.list)), rng.IntN(len(e.list))
	p, q := e.list[k], e.list[l]
	a, b, c, d := p.from, p.to, q.from, q.to
	if !e.directed && rng.IntN(2) == 1 {
		c, d = d, c
	}
	if k == l || a == c || a == d || b == c || b == d {
		return move{}, false
	}
	order := func(i, j int32) (int32, int32) {
		if !e.directed && i > j {
			return j, i
		}
		return i, j
	}
	ai, aj := order(a, d)
	ci, cj := order(c, b)
	if set.has(ai, aj) || set.has(ci, cj) {
		return move{}, false
	}
	first, second := k, l // first becomes a–d, second c–b
	if bin != nil {
		pb, qb, ab, cb := bin(p.from, p.to), bin(q.from, q.to), bin(a, d), bin(c, b)
		switch {
		case pb == ab && qb == cb:
		case pb == cb && qb == ab:
			first, second = l, k
		default:
			return move{}, false
		}
	}
	mv := move{k, l, p, q}
	set.set(p.from, p.to, false)
	set.set(q.from, q.to, false)
	e.place(first, a, d)
	e.place(second, c, b)
	set.set(ai, aj, true)
	set.set(ci, cj, true)
	return mv, true
}

// settle keeps the window's swaps when the network is still connected, and
// undoes them otherwise. It returns how many it undid.
func settle(e *edges, set *pairSet, journal *[]move, window *int) (undone int) {
	moves := *journal
	*journal = moves[:0]
	if connected(e) {
		*window += max(1, *window/10)
		return 0
	}
	for i := len(moves) - 1; i >= 0; i-- {
		mv := moves[i]
		for _, k := range []int{mv.k, mv.l} {
			set.set(e.list[k].from, e.list[k].to, false)
		}
		e.list[mv.k], e.list[mv.l] = mv.kOld, mv.lOld
		for _, k := range []int{mv.k, mv.l} {
			set.set(e.list[k].from, e.list[k].to, true)
		}
	}
	*window = max(1, *window/2)
	return len(moves)
}

// connected says whether the network is weakly connected.
func connected(e *edges) bool {
	sets := disjoint.New(e.n)
	parts := e.n
	for _, t := range e.list {
		if sets.Join(int(t.from), int(t.to)) {
			parts--
		}
	}
	return parts == 1
}
