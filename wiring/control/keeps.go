package control

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// strengthTolerance is how much of all strength together the sums out of the
// regions may differ by, see [KeepsStrengthOut].
const strengthTolerance = 0.05

// Keeps returns how a plan's wiring breaks the first of the properties that it
// should share with another's; nil where it has them all. Blocks are the
// regions' communities, for [KeepsBlocks].
func Keeps(p, q *wiring.Plan, blocks []int, properties ...Property) error {
	if len(p.Regions) != len(q.Regions) {
		return fmt.Errorf("%d regions where there were %d", len(q.Regions), len(p.Regions))
	}
	for _, property := range properties {
		check, known := checks[property]
		if !known {
			return fmt.Errorf("there is no property %q", property)
		}
		if err := check(p, q, blocks); err != nil {
			return fmt.Errorf("%s: %w", property, err)
		}
	}
	return nil
}

var checks = map[Property]func(p, q *wiring.Plan, blocks []int) error{
	KeepsTracts: keepsTracts,
	KeepsIn: func(p, q *wiring.Plan, _ []int) error {
		return sameCounts(p, q, func(t wiring.Tract) int { return t.To })
	},
	KeepsOut: func(p, q *wiring.Plan, _ []int) error {
		return sameCounts(p, q, func(t wiring.Tract) int { return t.From })
	},
	KeepsStrengthIn:  keepsStrengthIn,
	KeepsStrengthOut: keepsStrengthOut,
	KeepsLengths:     keepsLengths,
	KeepsBlocks:      keepsBlocks,
	KeepsNorm:        keepsNorm,
	KeepsOrder:       keepsOrder,
	KeepsWiring:      keepsWiring,
	KeepsSites:       keepsSites,
	KeepsWays:        keepsWays,
}

func keepsTracts(p, q *wiring.Plan, _ []int) error {
	if len(p.Tracts) != len(q.Tracts) {
		return fmt.Errorf("%d where there were %d", len(q.Tracts), len(p.Tracts))
	}
	have := map[[2]int]bool{}
	for k, t := range q.Tracts {
		if t.From == t.To || have[[2]int{t.From, t.To}] {
			return fmt.Errorf("%s is a loop, or there twice", q.TractName(k))
		}
		have[[2]int{t.From, t.To}] = true
	}
	return nil
}

// sameCounts compares how many tracts every region has at one end.
func sameCounts(p, q *wiring.Plan, end func(wiring.Tract) int) error {
	count := make([]int, len(p.Regions))
	for _, t := range p.Tracts {
		count[end(t)]++
	}
	for _, t := range q.Tracts {
		count[end(t)]--
	}
	for i, n := range count {
		if n != 0 {
			return fmt.Errorf("%s has %+d", p.Regions[i].Label, -n)
		}
	}
	return nil
}

func keepsStrengthIn(p, q *wiring.Plan, _ []int) error {
	in := func(p *wiring.Plan) [][]float64 {
		out := make([][]float64, len(p.Regions))
		for _, t := range p.Tracts {
			out[t.To] = append(out[t.To], t.Scale)
		}
		for _, s := range out {
			slices.Sort(s)
		}
		return out
	}
	before, after := in(p), in(q)
	for j := range before {
		if !slices.Equal(before[j], after[j]) {
			return fmt.Errorf("%s has others", p.Regions[j].Label)
		}
	}
	return nil
}

func keepsStrengthOut(p, q *wiring.Plan, _ []int) error {
	before, after := strengthsOut(p.Tracts, len(p.Regions)), strengthsOut(q.Tracts, len(p.Regions))
	var all, gap float64
	for i := range before {
		all += before[i]
		gap += math.Abs(after[i] - before[i])
	}
	if gap > strengthTolerance*all {
		return fmt.Errorf("%.3f of all strength leaves from elsewhere, at most %g may", gap/all, strengthTolerance)
	}
	return nil
}

func keepsLengths(p, q *wiring.Plan, _ []int) error {
	bin, err := lengthBins(p)
	if err != nil {
		return err
	}
	var count [10]int
	for _, t := range p.Tracts {
		count[bin(t.From, t.To)]++
	}
	for _, t := range q.Tracts {
		count[bin(t.From, t.To)]--
	}
	for k, n := range count {
		if n != 0 {
			return fmt.Errorf("%+d tracts in tenth %d of them", -n, k+1)
		}
	}
	return nil
}

func keepsBlocks(p, q *wiring.Plan, blocks []int) error {
	if len(blocks) != len(p.Regions) {
		return fmt.Errorf("%d communities are given for %d regions", len(blocks), len(p.Regions))
	}
	count := map[[2]int]int{}
	for _, t := range p.Tracts {
		count[[2]int{blocks[t.From], blocks[t.To]}]++
	}
	for _, t := range q.Tracts {
		count[[2]int{blocks[t.From], blocks[t.To]}]--
	}
	for pair, n := range count {
		if n != 0 {
			return fmt.Errorf("%+d tracts from community %d to %d", -n, pair[0], pair[1])
		}
	}
	return nil
}

func keepsNorm(p, q *wiring.Plan, _ []int) error {
	norms := func(p *wiring.Plan) []float64 {
		sum := make([]float64, len(p.Regions))
		for _, t := range p.Tracts {
			sum[t.To] += t.Scale * t.Scale
		}
		return sum
	}
	before := norms(p)
	for j, s := range norms(q) {
		if s > 0 && math.Abs(s-1) > 1e-6 && math.Abs(s-before[j]) > 1e-6 {
			return fmt.Errorf("%s has %.6f", q.Regions[j].Label, s)
		}
	}
	return nil
}

func keepsOrder(_, q *wiring.Plan, _ []int) error {
	// What can be taken away, tract by tract from regions without any in, is
	// not in a loop.
	in := make([]int, len(q.Regions))
	for _, t := range q.Tracts {
		in[t.To]++
	}
	var free []int
	for j, n := range in {
		if n == 0 {
			free = append(free, j)
		}
	}
	gone := 0
	for ; len(free) > 0; free = free[1:] {
		gone++
		for _, k := range q.Outgoing(free[0]) {
			to := q.Tracts[k].To
			if in[to]--; in[to] == 0 {
				free = append(free, to)
			}
		}
	}
	if gone < len(q.Regions) {
		return fmt.Errorf("%d regions are in loops, or behind them", len(q.Regions)-gone)
	}
	for _, e := range q.Effectors {
		if len(e.Feedback) > 0 {
			return fmt.Errorf("what effector %q does comes back in", e.Name)
		}
	}
	return nil
}
