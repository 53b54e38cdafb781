package runtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// Bound are the regions that only the coordinator can step, sorted: those that
// senses enter, that effectors read or feed back to, and that have parts.
func Bound(p *wiring.Plan) []int {
	var bound []int
	for i := range p.Senses {
		bound = append(bound, p.Senses[i].Regions...)
	}
	for i := range p.Effectors {
		bound = append(append(bound, p.Effectors[i].Regions...), p.Effectors[i].Feedback...)
	}
	for i := range p.Parts {
		bound = append(bound, p.Parts[i].Region, p.Parts[i].Into)
	}
	slices.Sort(bound)
	return slices.Compact(bound)
}

// Divide divides a plan's regions among so many workers, the coordinator first, so
// that each has about the same arithmetic. Where the plan says of all regions where
// they lie, neighbours are together, since most tracts are short: space is halved
// across its longest side, again and again (Berger and Bokhari 1987). A plan with too
// few regions that are not [Bound] is an error.
func Divide(p *wiring.Plan, workers int) ([][]int, error) {
	bound := Bound(p)
	rest := slices.DeleteFunc(everyRegion(p), func(j int) bool { return contains(bound, j) })
	if workers < 1 || workers > len(rest)+1 {
		return nil, fmt.Errorf("runtime: plan %q has %d regions without senses, effectors and parts: want 1 to %d workers, not %d", p.Name, len(rest), len(rest)+1, workers)
	}
	work := Work(p)
	groups := make([][]int, workers)
	groups[0] = bound
	if !slices.ContainsFunc(p.Regions, func(r wiring.Region) bool { return !r.Located }) {
		inSpace(p, work, bound, rest, groups)
	} else {
		groups = divide(work, rest, groups)
	}
	for i, g := range groups {
		if len(g) == 0 {
			return nil, fmt.Errorf("runtime: plan %q has too little arithmetic for %d workers: worker %d would have none", p.Name, workers, i)
		}
	}
	return groups, nil
}

func contains(sorted []int, j int) bool {
	_, found := slices.BinarySearch(sorted, j)
	return found
}

// inSpace gives the rest to groups, the first of which has the bound ones.
func inSpace(p *wiring.Plan, work []float64, bound, rest []int, groups [][]int) {
	sum := func(regions []int) (total float64) {
		for _, j := range regions {
			total += work[j]
		}
		return total
	}
	has, more := sum(bound), sum(rest)
	level := (has + more) / float64(len(groups))
	var shares []int // groups that get some
	var want []float64
	for i := range groups {
		switch {
		case i > 0:
			shares, want = append(shares, i), append(want, min(level, more/float64(max(len(groups)-1, 1))))
		case has < level && len(rest) >= len(groups):
			shares, want = append(shares, i), append(want, level-has)
		}
	}
	var halve func(regions, shares []int, want []float64)
	halve = func(regions, shares []int, want []float64) {
		if len(shares) == 1 {
			i := shares[0]
			groups[i] = append(slices.Clone(groups[i]), regions...)
			slices.Sort(groups[i])
			return
		}
		axis := longest(p, regions)
		regions = slices.Clone(regions)
		slices.SortStableFunc(regions, func(a, b int) int { return cmp.Compare(p.Regions[a].Position[axis], p.Regions[b].Position[axis]) })
		k := len(shares) / 2
		left, all := 0.0, 0.0
		for i, w := range want {
			if all += w; i < k {
				left += w
			}
		}
		total, before, cut := sum(regions), 0.0, 0
		for cut < len(regions)-(len(shares)-k) && (cut < k || before+work[regions[cut]]/2 < total*left/all) {
			before += work[regions[cut]]
			cut++
		}
		halve(regions[:cut], shares[:k], want[:k])
		halve(regions[cut:], shares[k:], want[k:])
	}
	if len(shares) > 0 {
		halve(rest, shares, want)
	}
}

// longest is the axis along which regions reach farthest.
func longest(p *wiring.Plan, regions []int) (axis int) {
	reach := -1.0
	for a := range 3 {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, j := range regions {
			x := p.Regions[j].Position[a]
			lo, hi = min(lo, x), max(hi, x)
		}
		if hi-lo > reach {
			axis, reach = a, hi-lo
		}
	}
	return axis
}
