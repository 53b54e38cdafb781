package metrics

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// Facts are the plain counts of a connectome that two readers of one file
// must agree on.
type Facts struct {
	// Nodes is the number of regions.
	Nodes int `json:"nodes"`
	// EdgesOffdiag counts tracts without self-loops: ordered pairs of a
	// directed connectome, unordered pairs of an undirected one.
	EdgesOffdiag int `json:"edges_offdiag"`
	// Directed is the connectome's own statement.
	Directed bool `json:"directed"`
	// NearSymmetric says that the source's weights were symmetric up to
	// rounding without being exactly so, as its reader reported, or that the
	// connectome's own are (see [SymmetryOf]).
	NearSymmetric bool `json:"near_symmetric"`
	// Kind is "binary" (every weight 1), "weighted" (none negative) or
	// "signed", by the weights off the diagonal.
	Kind string `json:"kind"`
	// DiagNonzero counts self-loops.
	DiagNonzero int `json:"diag_nonzero"`
	// Density is EdgesOffdiag over the number of possible ones.
	Density float64 `json:"density"`
	// Min and Max are those of the full matrix, absent tracts as 0 and the
	// diagonal included.
	Min float64 `json:"min"`
	Max float64 `json:"max"`
	// WeightSum adds the matrix off the diagonal; a tract of an undirected
	// connectome counts in both directions.
	WeightSum float64 `json:"weight_sum"`
	// Reciprocity is the share of tracts (i, j), i ≠ j, with a tract (j, i):
	// Newman, Forrest & Balthrop (2002), Phys Rev E 66:035101. It is 1 for
	// undirected connectomes and 0 without tracts.
	Reciprocity float64 `json:"reciprocity"`
	// WeakComponents counts the components when directions are ignored;
	// LargestComponent is the number of regions in the largest.
	WeakComponents   int `json:"weak_components"`
	LargestComponent int `json:"largest_component"`
	// SpectralRadiusOffdiag is [SpectralRadius].
	SpectralRadiusOffdiag float64 `json:"spectral_radius_offdiag"`
	// TopStrengthIndex is the region with the largest strength: the sum of
	// the absolute weights of its tracts in both directions, self-loops left
	// out; the first of equals, -1 without regions.
	TopStrengthIndex int    `json:"top_strength_index"`
	TopStrengthLabel string `json:"top_strength_label"`
}

// MarshalJSON writes null for the label of a region that has none.
func (f Facts) MarshalJSON() ([]byte, error) {
	type plain Facts // without this method
	out := struct {
		plain
		TopStrengthLabel *string `json:"top_strength_label"`
	}{plain: plain(f)}
	if f.TopStrengthLabel != "" {
		out.TopStrengthLabel = &f.TopStrengthLabel
	}
	return json.Marshal(out)
}

// FactsOf counts the facts of a connectome.
func FactsOf(c *connectome.Connectome) Facts {
	f, _ := factsOf(c, math.Inf(1))
	return f
}

// FactsWithin is [FactsOf] within about maxWork steps for the spectral radius,
// the only fact that takes long; the error says that it is an estimate.
func FactsWithin(c *connectome.Connectome, maxWork float64) (Facts, error) {
	return factsOf(c, maxWork)
}

func factsOf(c *connectome.Connectome, maxWork float64) (Facts, error) {
	n := len(c.Regions)
	f := Facts{Nodes: n, Directed: c.Directed, TopStrengthIndex: -1}
	m := c.Tracts
	strength := make([]float64, n)
	binary, signed := true, false
	reciprocal := 0
	var sides asymmetry
	withOpposites(m, func(i, j int, w, back float64) {
		sides.add(w, back)
		f.Min, f.Max = min(f.Min, w), max(f.Max, w)
		if i == j {
			f.DiagNonzero++
			return
		}
		f.EdgesOffdiag++
		f.WeightSum += w
		strength[i] += math.Abs(w)
		strength[j] += math.Abs(w)
		binary = binary && w == 1
		signed = signed || w < 0
		if back != 0 {
			reciprocal++
		}
	})
	if n > 0 && m.Len() == n*n {
		f.Min, f.Max = slices.Min(m.Weight), slices.Max(m.Weight)
	}
	if f.EdgesOffdiag > 0 {
		f.Reciprocity = float64(reciprocal) / float64(f.EdgesOffdiag)
	}
	if n > 1 {
		f.Density = float64(f.EdgesOffdiag) / (float64(n) * float64(n-1))
	}
	if !c.Directed {
		f.EdgesOffdiag /= 2
	}
	switch {
	case signed:
		f.Kind = "signed"
	case binary && f.EdgesOffdiag > 0:
		f.Kind = "binary"
	default:
		f.Kind = "weighted"
	}
	f.NearSymmetric = sides.symmetry() == connectome.NearSymmetric ||
		c.Report != nil && c.Report.Symmetry == connectome.NearSymmetric
	components := WeakComponents(c)
	f.WeakComponents = len(components)
	for _, component := range components {
		f.LargestComponent = max(f.LargestComponent, len(component))
	}
	radius, err := spectralRadius(c, maxWork)
	f.SpectralRadiusOffdiag = radius
	for i, s := range strength {
		if f.TopStrengthIndex < 0 || s > strength[f.TopStrengthIndex] {
			f.TopStrengthIndex = i
		}
	}
	if f.TopStrengthIndex >= 0 {
		f.TopStrengthLabel = c.Regions[f.TopStrengthIndex].Label
	}
	return f, err
}

// SymmetryOf compares every weight with the one in the other direction:
// symmetric when all are equal, near-symmetric when none differs by more than
// a millionth of the largest, else directed.
func SymmetryOf(c *connectome.Connectome) connectome.Symmetry {
	var a asymmetry
	withOpposites(c.Tracts, func(_, _ int, w, back float64) { a.add(w, back) })
	return a.symmetry()
}

// asymmetry gathers how far weights are from those in the other direction.
type asymmetry struct{ largest, difference float64 }

func (a *asymmetry) add(w, back float64) {
	a.largest = max(a.largest, math.Abs(w))
	a.difference = max(a.difference, math.Abs(w-back))
}

func (a asymmetry) symmetry() connectome.Symmetry {
	switch {
	case a.difference == 0:
		return connectome.Symmetric
	case a.difference <= 1e-6*a.largest:
		return connectome.NearSymmetric
	default:
		return connectome.Asymmetric
	}
}

// withOpposites visits every tract i → j with its weight and that of j → i,
// 0 where there is none, in O(regions + tracts).
func withOpposites(m connectome.CSR, visit func(i, j int, w, back float64)) {
	t := connectome.CSR{Start: m.Start, Target: m.Target, Weight: m.Weight}.Transpose()
	for i := range m.Regions() {
		lo, hi := m.Row(i)
		at, end := t.Row(i)
		for k := lo; k < hi; k++ {
			j, back := m.Target[k], 0.0
			for at < end && t.Target[at] < j {
				at++
			}
			if at < end && t.Target[at] == j {
				back = t.Weight[at]
			}
			visit(i, int(j), m.Weight[k], back)
		}
	}
}
