package metrics

import (
	"slices"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/disjoint"
)

// WeakComponents returns the regions of every component when directions are
// ignored, each sorted, the components in the order of their first regions.
func WeakComponents(c *connectome.Connectome) [][]int {
	n := len(c.Regions)
	sets := disjoint.New(n)
	for i := 0; i < n; i++ {
		lo, hi := c.Tracts.Row(i)
		for _, j := range c.Tracts.Target[lo:hi] {
			sets.Join(i, int(j))
		}
	}
	number := make([]int, n)
	var components [][]int
	for i := 0; i < n; i++ {
		r := sets.Root(i)
		if r == i {
			number[i] = len(components)
			components = append(components, nil)
		}
		components[number[r]] = append(components[number[r]], i)
	}
	return components
}

// StrongComponents returns the strongly connected components, in which every
// region reaches every other along directed tracts: Tarjan (1972), SIAM J
// Comput 1:146, without recursion so that long chains cannot exhaust the
// stack. Each component is sorted, and the components come in the order of
// their first regions.
func StrongComponents(c *connectome.Connectome) [][]int {
	n, m := len(c.Regions), c.Tracts
	const unseen = -1
	order := make([]int, n) // when a region was first seen
	low := make([]int, n)   // earliest region on the stack it reaches
	onStack := make([]bool, n)
	next := make([]int, n) // next tract to follow
	for i := range order {
		order[i] = unseen
	}
	var stack, path []int
	var components [][]int
	seen := 0
	for start := 0; start < n; start++ {
		if order[start] != unseen {
			continue
		}
		path = append(path[:0], start)
		for len(path) > 0 {
			i := path[len(path)-1]
			lo, hi := m.Row(i)
			if order[i] == unseen {
				order[i], low[i] = seen, seen
				seen++
				next[i] = lo
				stack = append(stack, i)
				onStack[i] = true
			}
			descended := false
			for next[i] < hi {
				j := int(m.Target[next[i]])
				next[i]++
				if order[j] == unseen {
					path = append(path, j)
					descended = true
					break
				}
				if onStack[j] {
					low[i] = min(low[i], order[j])
				}
			}
			if descended {
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				above := path[len(path)-1]
				low[above] = min(low[above], low[i])
			}
			if low[i] == order[i] {
				var component []int
				for {
					j := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					onStack[j] = false
					component = append(component, j)
					if j == i {
						break
					}
				}
				slices.Sort(component)
				components = append(components, component)
			}
		}
	}
	slices.SortFunc(components, func(a, b []int) int { return a[0] - b[0] })
	return components
}
