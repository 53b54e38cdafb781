package transform

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/internal/disjoint"
)

// derive returns c with other tracts and one more step in its history.
func derive(c *connectome.Connectome, m connectome.CSR, format string, args ...any) *connectome.Connectome {
	out := c.Clone()
	out.Tracts = m
	out.Report = nil
	out.History = append(out.History, fmt.Sprintf(format, args...))
	return out
}

// count is the number of tracts as people count them: pairs when undirected.
func count(c *connectome.Connectome, m connectome.CSR) int {
	loops := 0
	for i := range m.Regions() {
		if _, ok := m.Find(i, i); ok {
			loops++
		}
	}
	if c.Directed {
		return m.Len()
	}
	return (m.Len()-loops)/2 + loops
}

// keep filters tracts and records how many are left.
func keep(c *connectome.Connectome, f func(t connectome.Tract) bool, format string, args ...any) *connectome.Connectome {
	m := c.Tracts.Filter(f)
	step := fmt.Sprintf(format, args...)
	return derive(c, m, "%s: kept %d of %d tracts", step, count(c, m), count(c, c.Tracts))
}

// Threshold keeps the tracts whose absolute weight is at least least.
func Threshold(c *connectome.Connectome, least float64) (*connectome.Connectome, error) {
	if !(least >= 0) || math.IsInf(least, 0) {
		return nil, fmt.Errorf("threshold %v: want a number from 0 up", least)
	}
	return keep(c, func(t connectome.Tract) bool { return math.Abs(t.Weight) >= least }, "threshold at |weight| ≥ %g", least), nil
}

// Proportional keeps the tracts of largest absolute weight until the given
// share of all possible tracts, the density, is reached, as BCT's
// threshold_proportional does. Self-loops are kept and do not count. Of equal
// weights the earlier region's goes first.
//
// With tree the maximum spanning forest is kept whatever the density, so that
// no component falls apart: van Wijk, Stam & Daffertshofer (2010), PLoS One
// 5:e13701, discuss why thresholds that disconnect mislead. On directed
// connectomes the forest ignores directions and keeps the stronger direction
// of each of its pairs.
func Proportional(c *connectome.Connectome, density float64, tree bool) (*connectome.Connectome, error) {
	if !(density >= 0 && density <= 1) {
		return nil, fmt.Errorf("density %v: want a share in 0..1", density)
	}
	type ranked struct {
		t    connectome.Tract
		size float64
	}
	var all []ranked
	for t := range c.Tracts.All() {
		if t.From != t.To && (c.Directed || t.From < t.To) {
			all = append(all, ranked{t, math.Abs(t.Weight)})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.size, a.size) })
	n := len(c.Regions)
	possible := n * (n - 1)
	if !c.Directed {
		possible /= 2
	}
	room := int(math.Round(density * float64(possible)))

	chosen := make(map[[2]int]bool, room)
	if tree {
		sets := disjoint.New(n)
		for _, r := range all { // Kruskal, strongest first
			if sets.Join(r.t.From, r.t.To) {
				chosen[[2]int{r.t.From, r.t.To}] = true
			}
		}
	}
	for _, r := range all {
		if len(chosen) >= room {
			break
		}
		chosen[[2]int{r.t.From, r.t.To}] = true
	}
	what := fmt.Sprintf("proportional threshold at density %g", density)
	if tree {
		what += ", spanning tree kept"
	}
	return keep(c, func(t connectome.Tract) bool {
		return t.From == t.To || chosen[[2]int{t.From, t.To}] || !c.Directed && chosen[[2]int{t.To, t.From}]
	}, "%s", what), nil
}

// RemoveSelfLoops drops the tracts from a region to itself.
func RemoveSelfLoops(c *connectome.Connectome) *connectome.Connectome {
	return keep(c, func(t connectome.Tract) bool { return t.From != t.To }, "remove self-loops")
}

// Transpose exchanges sources and targets, for files whose rows are targets
// but were read as sources.
func Transpose(c *connectome.Connectome) *connectome.Connectome {
	return derive(c, c.Tracts.Transpose(), "transpose: sources and targets exchanged")
}

// Both says how [Symmetrise] joins the two directions of a pair.
type Both string

// The ways to join w_ij and w_ji, an absent one counting as 0.
const (
	Mean Both = "mean"
	Max  Both = "max" // of absolute value
	Min  Both = "min" // of absolute value: keeps reciprocated pairs only
	Sum  Both = "sum"
)

// Symmetrise makes the connectome undirected. A pair's length is the mean of
// its known lengths.
func Symmetrise(c *connectome.Connectome, how Both) (*connectome.Connectome, error) {
	join := map[Both]func(a, b float64) float64{
		Mean: func(a, b float64) float64 { return (a + b) / 2 },
		Sum:  func(a, b float64) float64 { return a + b },
		Max: func(a, b float64) float64 {
			if math.Abs(b) > math.Abs(a) {
				return b
			}
			return a
		},
		Min: func(a, b float64) float64 {
			if math.Abs(b) < math.Abs(a) {
				return b
			}
			return a
		},
	}[how]
	if join == nil {
		return nil, fmt.Errorf("symmetrise by %q: want mean, max, min or sum", how)
	}
	var tracts []connectome.Tract
	for t := range c.Tracts.All() {
		if t.From == t.To {
			tracts = append(tracts, t)
			continue
		}
		back, length := 0.0, t.Length
		if k, ok := c.Tracts.Find(t.To, t.From); ok {
			if t.From > t.To {
				continue // done from the other side
			}
			back = c.Tracts.Weight[k]
			switch other := c.Tracts.LengthAt(k); {
			case math.IsNaN(length):
				length = other
			case !math.IsNaN(other):
				length = (length + other) / 2
			}
		}
		if w := join(t.Weight, back); w != 0 {
			tracts = append(tracts,
				connectome.Tract{From: t.From, To: t.To, Weight: w, Length: length},
				connectome.Tract{From: t.To, To: t.From, Weight: w, Length: length})
		}
	}
	m, err := connectome.FromTracts(len(c.Regions), tracts)
	if err != nil {
		return nil, err
	}
	out := derive(c, m, "symmetrise by %s", how)
	out.Directed = false
	return out, nil
}

// LargestComponent keeps the regions of the largest weakly connected
// component, the first of equals.
func LargestComponent(c *connectome.Connectome) (*connectome.Connectome, error) {
	var largest []int
	components := metrics.WeakComponents(c)
	for _, component := range components {
		if len(component) > len(largest) {
			largest = component
		}
	}
	if len(largest) == 0 {
		return nil, fmt.Errorf("largest component of %q: it has no regions", c.Name)
	}
	return subset(c, largest, fmt.Sprintf("largest of %d components", len(components))), nil
}
