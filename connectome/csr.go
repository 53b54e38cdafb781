package connectome

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

// CSR is a sparse matrix of tracts in compressed sparse row form: the tracts
// leaving region i are the half-open range Start[i]:Start[i+1] of the other
// slices, sorted by target, each target at most once. It needs 20 bytes a
// tract (12 without lengths) and 8 a region.
type CSR struct {
	Start  []int     // len = regions+1
	Target []int32   // target region of each tract
	Weight []float64 // weight of each tract, finite and never 0
	Length []float64 // length of each tract in mm; nil when unknown, NaN when one is unknown
}

// Len returns the number of directed tracts, the diagonal included.
func (m CSR) Len() int { return len(m.Target) }

// Regions returns the number of rows.
func (m CSR) Regions() int { return max(len(m.Start)-1, 0) }

// Row returns the half-open range of the tracts that leave region i.
func (m CSR) Row(i int) (lo, hi int) { return m.Start[i], m.Start[i+1] }

// Find returns the position of tract i → j, in O(log degree).
func (m CSR) Find(i, j int) (k int, ok bool) {
	lo, hi := m.Row(i)
	k, ok = slices.BinarySearch(m.Target[lo:hi], int32(j))
	return lo + k, ok
}

// At returns the weight of tract i → j, 0 where there is none.
func (m CSR) At(i, j int) float64 {
	if k, ok := m.Find(i, j); ok {
		return m.Weight[k]
	}
	return 0
}

// LengthAt returns the length in mm of the tract at position k of the
// slices, NaN when unknown.
func (m CSR) LengthAt(k int) float64 {
	if m.Length == nil {
		return math.NaN()
	}
	return m.Length[k]
}

// All yields every tract, by source and then by target.
func (m CSR) All() iter.Seq[Tract] {
	return func(yield func(Tract) bool) {
		for i := range m.Regions() {
			for k := m.Start[i]; k < m.Start[i+1]; k++ {
				if !yield(Tract{i, int(m.Target[k]), m.Weight[k], m.LengthAt(k)}) {
					return
				}
			}
		}
	}
}

// Dense returns the matrix as rows*rows weights, row-major, row = source.
func (m CSR) Dense() []float64 {
	n := m.Regions()
	d := make([]float64, n*n)
	for i := range n {
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			d[i*n+int(m.Target[k])] = m.Weight[k]
		}
	}
	return d
}

// Clone returns a copy that shares nothing with m.
func (m CSR) Clone() CSR {
	return CSR{slices.Clone(m.Start), slices.Clone(m.Target), slices.Clone(m.Weight), slices.Clone(m.Length)}
}

// SelfLoops counts the regions that have a tract to themselves.
func (m CSR) SelfLoops() int {
	d := 0
	for i := range m.Regions() {
		if _, ok := m.Find(i, i); ok {
			d++
		}
	}
	return d
}

// Transpose returns the matrix with sources and targets exchanged, in
// O(regions + tracts).
func (m CSR) Transpose() CSR {
	n := m.Regions()
	t := CSR{
		Start:  make([]int, n+1),
		Target: make([]int32, len(m.Target)),
		Weight: make([]float64, len(m.Weight)),
	}
	if m.Length != nil {
		t.Length = make([]float64, len(m.Length))
	}
	for _, j := range m.Target {
		t.Start[j+1]++
	}
	for i := range n {
		t.Start[i+1] += t.Start[i]
	}
	next := slices.Clone(t.Start)
	for i := range n {
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			p := next[m.Target[k]]
			next[m.Target[k]]++
			t.Target[p] = int32(i)
			t.Weight[p] = m.Weight[k]
			if m.Length != nil {
				t.Length[p] = m.Length[k]
			}
		}
	}
	return t
}

// Filter returns the matrix with only the tracts that keep accepts.
func (m CSR) Filter(keep func(t Tract) bool) CSR {
	f := CSR{Start: make([]int, len(m.Start))}
	if m.Length != nil {
		f.Length = []float64{}
	}
	for i := range m.Regions() {
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			if keep(Tract{i, int(m.Target[k]), m.Weight[k], m.LengthAt(k)}) {
				f.Target = append(f.Target, m.Target[k])
				f.Weight = append(f.Weight, m.Weight[k])
				if m.Length != nil {
					f.Length = append(f.Length, m.Length[k])
				}
			}
		}
		f.Start[i+1] = len(f.Target)
	}
	return f
}

// Validate checks the form of the matrix: ordered row starts, sorted targets
// in range without repeats, finite weights that are not 0, lengths that are
// either unknown or not negative.
func (m CSR) Validate() error {
	n := m.Regions()
	if len(m.Start) == 0 {
		if len(m.Target) != 0 {
			return fmt.Errorf("matrix has tracts but no row starts")
		}
		return nil
	}
	if len(m.Weight) != len(m.Target) || m.Length != nil && len(m.Length) != len(m.Target) {
		return fmt.Errorf("matrix has %d targets, %d weights, %d lengths", len(m.Target), len(m.Weight), len(m.Length))
	}
	if m.Start[0] != 0 || m.Start[n] != len(m.Target) {
		return fmt.Errorf("matrix rows span %d:%d of %d tracts", m.Start[0], m.Start[n], len(m.Target))
	}
	for i := range n {
		lo, hi := m.Row(i)
		if lo > hi || hi > len(m.Target) {
			return fmt.Errorf("matrix row %d spans %d:%d", i, lo, hi)
		}
		for k := lo; k < hi; k++ {
			j := int(m.Target[k])
			switch w := m.Weight[k]; {
			case j < 0 || j >= n:
				return fmt.Errorf("tract %d → %d: the target is not one of %d regions", i, j, n)
			case k > lo && m.Target[k-1] >= m.Target[k]:
				return fmt.Errorf("tract %d → %d: targets are not sorted or repeat", i, j)
			case w == 0 || math.IsNaN(w) || math.IsInf(w, 0):
				return fmt.Errorf("tract %d → %d: weight %v", i, j, w)
			}
			if l := m.LengthAt(k); l < 0 || math.IsInf(l, 0) {
				return fmt.Errorf("tract %d → %d: length %v mm", i, j, l)
			}
		}
	}
	return nil
}

// symmetric says whether the matrix equals its transpose, and if not where
// it first differs.
func (m CSR) symmetric() (i, j int, ok bool) {
	t := m.Transpose()
	for i := range m.Regions() {
		lo, hi := m.Row(i)
		tlo, thi := t.Row(i)
		for k := 0; k < max(hi-lo, thi-tlo); k++ {
			switch {
			case lo+k >= hi:
				return i, int(t.Target[tlo+k]), false
			case tlo+k >= thi || m.Target[lo+k] != t.Target[tlo+k] || m.Weight[lo+k] != t.Weight[tlo+k]:
				return i, int(m.Target[lo+k]), false
			}
		}
	}
	return 0, 0, true
}

// FromDense returns the matrix of weights (rows = sources); NaN and 0 are no
// tract. lengths, in mm, may be nil; it is read only where there is a tract.
func FromDense(weights, lengths [][]float64) (CSR, error) {
	n := len(weights)
	m := CSR{Start: make([]int, n+1)}
	if lengths != nil {
		if len(lengths) != n {
			return CSR{}, fmt.Errorf("%d rows of lengths for %d rows of weights", len(lengths), n)
		}
		m.Length = []float64{}
	}
	for i, row := range weights {
		if len(row) != n || lengths != nil && len(lengths[i]) != n {
			return CSR{}, fmt.Errorf("row %d has %d columns for %d regions", i, len(row), n)
		}
		for j, w := range row {
			if w == 0 || math.IsNaN(w) {
				continue
			}
			if math.IsInf(w, 0) {
				return CSR{}, fmt.Errorf("tract %d → %d: weight %v", i, j, w)
			}
			m.Target = append(m.Target, int32(j))
			m.Weight = append(m.Weight, w)
			if lengths != nil {
				m.Length = append(m.Length, lengths[i][j])
			}
		}
		m.Start[i+1] = len(m.Target)
	}
	return m, nil
}

// FromTracts returns the matrix over n regions of tracts in any order;
// weights of parallel tracts are added.
func FromTracts(n int, tracts []Tract) (CSR, error) {
	var b Builder
	for _, t := range tracts {
		if t.From < 0 || t.To < 0 || t.From >= n || t.To >= n {
			return CSR{}, fmt.Errorf("tract %d → %d is not between %d regions", t.From, t.To, n)
		}
		b.Add(t.From, t.To, t.Weight, t.Length)
	}
	m, _ := b.Build(n, SumParallel)
	return m, nil
}
