package runtime

import (
	"cmp"
	"fmt"
	goruntime "runtime"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// A process is worth its messages from about this many multiply-adds a tick
// on: 0.1 ms or so, where waking a goroutine on another processor takes a few
// microseconds.
const worthProcess = 400_000

// Work is about how many multiply-adds each region takes in a tick of one
// input, by the plan's regions: of its tracts' matrices, and of activations,
// each counted as some. Parts' modules run beside the regions and are not
// counted.
func Work(p *wiring.Plan) []float64 {
	d, r := float64(p.Width), float64(p.Rank)
	work := make([]float64, len(p.Regions))
	for j := range work {
		work[j] = 30*d + 500 // leak, tanh, normalisation, and what a step costs besides
		if p.Cell == wiring.CellGRU {
			work[j] += 5 * d * d
		}
	}
	for _, t := range p.Tracts {
		work[t.From] += r * d            // axon
		work[t.To] += r*d + d + 3*r + 20 // synapse, gate
	}
	for i := range p.Senses {
		s := &p.Senses[i]
		for _, j := range s.Regions {
			if s.Read == wiring.ReadGlimpse {
				work[j] += 2*d*float64(s.Width) + 2*float64(s.Numbers())
			}
		}
	}
	return work
}

// ByWork divides a plan's regions among so many processes so that each has
// about the same arithmetic: the largest first, each to the process that has
// least.
func ByWork(p *wiring.Plan, processes int) [][]int {
	return divide(Work(p), everyRegion(p), make([][]int, max(1, min(processes, len(p.Regions)))))
}

// divide gives regions to groups, which may have some.
func divide(work []float64, regions []int, groups [][]int) [][]int {
	loads := make([]float64, len(groups))
	for i, g := range groups {
		for _, j := range g {
			loads[i] += work[j]
		}
	}
	order := slices.Clone(regions)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(work[b], work[a]) })
	for _, j := range order {
		i := 0
		for k, load := range loads {
			if load < loads[i] {
				i = k
			}
		}
		groups[i] = append(groups[i], j)
		loads[i] += work[j]
	}
	for _, g := range groups {
		slices.Sort(g)
	}
	return groups
}

func everyRegion(p *wiring.Plan) []int {
	all := make([]int, len(p.Regions))
	for j := range all {
		all[j] = j
	}
	return all
}

// ByRegion gives every region a process of its own.
func ByRegion(p *wiring.Plan) [][]int {
	groups := make([][]int, len(p.Regions))
	for j := range groups {
		groups[j] = []int{j}
	}
	return groups
}

// ByLobe gives every lobe of every hemisphere a process, in the order in which
// the plan names them; regions of no lobe are together.
func ByLobe(p *wiring.Plan) [][]int {
	return By(p, func(j int) string { return p.Regions[j].Hemisphere + " " + p.Regions[j].Lobe })
}

// By gives the regions of each name a process, in the order in which the plan
// has them.
func By(p *wiring.Plan, name func(region int) string) [][]int {
	var groups [][]int
	at := map[string]int{}
	for j := range p.Regions {
		i, ok := at[name(j)]
		if !ok {
			i = len(groups)
			at[name(j)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], j)
	}
	return groups
}

// groups are the processes' regions under the configuration.
func (c Config) groups(p *wiring.Plan) ([][]int, error) {
	own := c.Share.own(p)
	if c.Groups == nil {
		n, work := c.Processes, Work(p)
		if n == 0 {
			total := 0.0
			for _, j := range own {
				total += work[j]
			}
			n = max(1, min(goruntime.GOMAXPROCS(0), int(total/worthProcess)))
		}
		return divide(work, own, make([][]int, max(1, min(n, len(own))))), nil
	}
	if c.Processes != 0 && c.Processes != len(c.Groups) {
		return nil, fmt.Errorf("runtime: %d processes and %d groups; give the one or the other", c.Processes, len(c.Groups))
	}
	seen := make([]bool, len(p.Regions))
	for i, g := range c.Groups {
		if len(g) == 0 {
			return nil, fmt.Errorf("runtime: group %d has no region", i)
		}
		for _, j := range g {
			if j < 0 || j >= len(seen) {
				return nil, fmt.Errorf("runtime: group %d has region %d of %d", i, j, len(seen))
			}
			if seen[j] {
				return nil, fmt.Errorf("runtime: region %q is in two groups", p.Regions[j].Label)
			}
			seen[j] = true
		}
	}
	if j := slices.Index(seen, false); j >= 0 {
		return nil, fmt.Errorf("runtime: region %q is in no group", p.Regions[j].Label)
	}
	if c.Share == nil {
		return c.Groups, nil
	}
	here := make([]bool, len(seen))
	for _, j := range own {
		here[j] = true
	}
	var groups [][]int
	for _, g := range c.Groups {
		g = slices.DeleteFunc(slices.Clone(g), func(j int) bool { return !here[j] })
		if len(g) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, nil
}
