package metrics

import (
	"container/heap"
	"math"

	"github.com/connectomewire/wire/connectome"
)

// Paths describes the shortest directed paths between all ordered pairs of
// different regions.
type Paths struct {
	// Mean is the mean length of the paths that exist, Diameter the longest.
	Mean     float64
	Diameter float64
	// Efficiency is the mean of 1/length with 0 for pairs without a path:
	// Latora & Marchiori (2001), Phys Rev Lett 87:198701.
	Efficiency float64
	// Unreachable counts the ordered pairs without a path.
	Unreachable int
}

// PathLength measures paths in tracts, whatever their weights: the
// characteristic path length of Watts & Strogatz (1998), Nature 393:440.
// It takes O(regions · tracts).
func PathLength(c *connectome.Connectome) Paths {
	n := len(c.Regions)
	distance := make([]int32, n)
	queue := make([]int32, 0, n)
	return gather(n, func(start int, visit func(length float64)) {
		for i := range distance {
			distance[i] = -1
		}
		distance[start] = 0
		queue = append(queue[:0], int32(start))
		for at := 0; at < len(queue); at++ {
			i := queue[at]
			lo, hi := c.Tracts.Row(int(i))
			for _, j := range c.Tracts.Target[lo:hi] {
				if distance[j] < 0 {
					distance[j] = distance[i] + 1
					visit(float64(distance[j]))
					queue = append(queue, j)
				}
			}
		}
	})
}

// WeightedPathLength measures paths with every tract as long as 1/|weight|, so
// that strong tracts are short (Rubinov & Sporns 2010, NeuroImage 52:1059). It
// takes O(regions · tracts · log regions).
func WeightedPathLength(c *connectome.Connectome) Paths {
	n := len(c.Regions)
	distance := make([]float64, n)
	var frontier frontier
	return gather(n, func(start int, visit func(length float64)) {
		for i := range distance {
			distance[i] = math.Inf(1)
		}
		distance[start] = 0
		frontier = append(frontier[:0], reached{0, int32(start)})
		for len(frontier) > 0 {
			r := heap.Pop(&frontier).(reached)
			i := int(r.region)
			if r.distance > distance[i] {
				continue
			}
			if i != start {
				visit(r.distance)
			}
			lo, hi := c.Tracts.Row(i)
			for k := lo; k < hi; k++ {
				j := c.Tracts.Target[k]
				if d := r.distance + 1/math.Abs(c.Tracts.Weight[k]); d < distance[j] {
					distance[j] = d
					heap.Push(&frontier, reached{d, j})
				}
			}
		}
	})
}

// gather runs a search from every region and sums up what it visits.
func gather(n int, search func(start int, visit func(length float64))) Paths {
	var p Paths
	found, sum, inverse := 0, 0.0, 0.0
	visit := func(length float64) {
		found++
		sum += length
		inverse += 1 / length
		p.Diameter = max(p.Diameter, length)
	}
	for i := range n {
		search(i, visit)
	}
	if found > 0 {
		p.Mean = sum / float64(found)
	}
	if n > 1 {
		p.Efficiency = inverse / (float64(n) * float64(n-1))
	}
	p.Unreachable = n*(n-1) - found
	return p
}

type reached struct {
	distance float64
	region   int32
}

// frontier is a heap of regions, nearest first, ties by number.
type frontier []reached

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(i, j int) bool {
	return f[i].distance < f[j].distance || f[i].distance == f[j].distance && f[i].region < f[j].region
}
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push adds a reached region; [heap.Push] calls it.
func (f *frontier) Push(x any) { *f = append(*f, x.(reached)) }

// Pop removes the last reached region; [heap.Pop] calls it.
func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// LocalEfficiency is the mean over regions of the efficiency of the graph
// among a region's neighbours, weights ignored: Latora & Marchiori (2001), Phys
// Rev Lett 87:198701. In directed connectomes it is that of the Brain
// Connectivity Toolbox (efficiency_bin with its local option, after Fagiolo
// 2007): neighbours are those that a tract joins in either direction, paths
// among them follow the tracts, and a neighbour counts twice that is joined in
// both directions. With s the number of tracts between i and a neighbour and d
// the length of paths,
//
//	E_i = Σ_{a≠b} s_a s_b / d(a→b)  /  [(Σ s)² − Σ s²]
func LocalEfficiency(c *connectome.Connectome) float64 {
	e, _ := localEfficiency(c, math.Inf(1))
	return e
}

// localEfficiency gives up, with false, when it has looked at more tracts than
// the bound. How many that takes depends on how well neighbours are linked:
// in a complete graph as many as there are triangles, in a clustered sparse
// one up to the sum of cubed degrees.
func localEfficiency(c *connectome.Connectome, bound float64) (float64, bool) {
	n := len(c.Regions)
	if n == 0 {
		return 0, true
	}
	s := symmetrised(c, func(float64) float64 { return 1 })
	joined := make([]float64, n) // tracts between the region and each neighbour
	distance := make([]int32, n)
	var queue []int32
	total, looked := 0.0, 0.0
	for i := range n {
		lo, hi := s.Row(i)
		if hi-lo < 2 {
			continue
		}
		around := s.Target[lo:hi]
		sum, squares := 0.0, 0.0
		for k, j := range around {
			w := s.Weight[lo+k]
			joined[j] = w
			sum += w
			squares += w * w
		}
		paths := 0.0
		for _, start := range around {
			for _, j := range around {
				distance[j] = -1
			}
			distance[start] = 0
			queue = append(queue[:0], start)
			for at := 0; at < len(queue) && len(queue) < len(around); at++ {
				a := queue[at]
				alo, ahi := c.Tracts.Row(int(a))
				looked += float64(ahi - alo)
				for _, j := range c.Tracts.Target[alo:ahi] {
					if joined[j] > 0 && distance[j] < 0 {
						distance[j] = distance[a] + 1
						paths += joined[start] * joined[j] / float64(distance[j])
						queue = append(queue, j)
					}
				}
			}
		}
		if looked > bound {
			return 0, false
		}
		total += paths / (sum*sum - squares)
		for _, j := range around {
			joined[j] = 0
		}
	}
	return total / float64(n), true
}
