package format

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// matrix collects a square matrix row by row for the readers of dense
// formats.
type matrix struct {
	n        int
	tracts   connectome.CSR // rows as in the file, whatever they stand for
	row      int            // rows finished
	missing  int
	infinite int
	// firstMissing and firstInfinite are row and column, from 1.
	firstMissing, firstInfinite [2]int
	// keepNaN keeps missing entries as NaN: for lengths, where NaN means
	// unknown. Such a matrix is only looked up in.
	keepNaN bool
}

func newMatrix() *matrix { return &matrix{tracts: connectome.CSR{Start: []int{0}}} }

// add sets entry (current row, col). Columns must come in order.
func (m *matrix) add(col int, w float64) {
	switch {
	case w == 0:
		return
	case math.IsNaN(w):
		if m.missing++; m.missing == 1 {
			m.firstMissing = [2]int{m.row + 1, col + 1}
		}
		if !m.keepNaN {
			return
		}
	case math.IsInf(w, 0):
		if m.infinite++; m.infinite == 1 {
			m.firstInfinite = [2]int{m.row + 1, col + 1}
		}
		if !m.keepNaN {
			return
		}
		w = math.NaN()
	}
	m.tracts.Target = append(m.tracts.Target, int32(col))
	m.tracts.Weight = append(m.tracts.Weight, w)
}

func (m *matrix) endRow() {
	m.tracts.Start = append(m.tracts.Start, len(m.tracts.Target))
	m.row++
}

// permuteRows reorders rows: row i of the result is row order[i] of m.
func permuteRows(m connectome.CSR, order []int) connectome.CSR {
	p := connectome.CSR{Start: make([]int, 1, len(m.Start)), Target: make([]int32, 0, len(m.Target)), Weight: make([]float64, 0, len(m.Weight))}
	for _, i := range order {
		lo, hi := m.Row(i)
		p.Target = append(p.Target, m.Target[lo:hi]...)
		p.Weight = append(p.Weight, m.Weight[lo:hi]...)
		p.Start = append(p.Start, len(p.Target))
	}
	return p
}

// finishMatrix turns a matrix as read into the tracts of a connectome:
// missing values taken out, lengths attached (may be nil; same orientation),
// rows made sources, and the symmetry decided. convention is what rows mean
// in this format, how says by whose word.
func (s *source) finishMatrix(m *matrix, lengths *matrix, convention connectome.Rows, how string) *connectome.Connectome {
	rep := s.rep
	rep.Missing += m.missing
	rep.Infinite += m.infinite
	if m.missing > 0 {
		rep.MissingHow = "n/a, NaN or empty" + place(m.firstMissing)
	}
	if m.infinite > 0 {
		rep.InfiniteHow = strings.TrimPrefix(place(m.firstInfinite), ", ")
	}
	tracts := s.dropMissing(m.tracts.Shrink(len(m.tracts.Target)))
	if lengths != nil {
		tracts.Length = make([]float64, len(tracts.Target))
		for i := range tracts.Regions() {
			for k := tracts.Start[i]; k < tracts.Start[i+1]; k++ {
				l := lengths.tracts.At(i, int(tracts.Target[k]))
				if l < 0 {
					l = math.NaN()
				}
				tracts.Length[k] = l
			}
		}
		for _, l := range lengths.tracts.Weight {
			rep.MaxLengthOfAll = max(rep.MaxLengthOfAll, finiteOr0(l))
		}
	}
	rep.Orientation, rep.OrientationHow = convention, how
	if s.cfg.rows != connectome.RowsUnset {
		rep.Orientation, rep.OrientationHow = s.cfg.rows, "as asked for with --rows"
	}
	if rep.Orientation == connectome.RowsTarget {
		tracts = tracts.Transpose()
	}
	c := &connectome.Connectome{Tracts: tracts, Directed: true, Regions: make([]connectome.Region, m.n)}
	s.decideSymmetry(c)
	return c
}

// place says where in the matrix the first of something is.
func place(entry [2]int) string {
	if entry[0] == 0 {
		return ""
	}
	return fmt.Sprintf(", the first in row %d, column %d", entry[0], entry[1])
}

func finiteOr0(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// dropMissing removes the values that mean "not measured". Unless the caller
// named them, −1 is taken so when it is the only negative value, stands off
// the diagonal, and there are weights above 1: then the matrix is neither a
// correlation nor a matrix of signs, but a tractography export.
func (s *source) dropMissing(m connectome.CSR) connectome.CSR {
	sentinel := s.cfg.missing
	how := "as asked for with --missing"
	if sentinel == nil {
		offDiagonal, positive, other := 0, 0.0, false
		for i := range m.Regions() {
			for k := m.Start[i]; k < m.Start[i+1]; k++ {
				switch w := m.Weight[k]; {
				case w == -1 && int(m.Target[k]) != i:
					offDiagonal++
				case w < 0 && w != -1:
					other = true
				default:
					positive = max(positive, w)
				}
			}
		}
		if offDiagonal == 0 || other || positive <= 1 {
			return m
		}
		sentinel = []float64{-1}
		how = "−1, the only negative value"
		s.rep.Warnf("missing-sentinel", "−1 is taken as missing: it is the only negative value and occurs off the diagonal; pass --missing with no value to keep it as a weight")
	}
	var first [2]int
	kept := m.Filter(func(t connectome.Tract) bool {
		missing := slices.Contains(sentinel, t.Weight)
		if missing && first[0] == 0 {
			first = [2]int{t.From + 1, t.To + 1}
		}
		return !missing
	})
	if n := m.Len() - kept.Len(); n > 0 {
		s.rep.Missing += n
		s.rep.MissingHow = how + place(first)
	}
	return kept
}

// Two entries that differ by at most relTolerance of the larger, or by
// absTolerance of the matrix's largest entry, differ by rounding only: files
// print four to eight digits, and float32 holds seven. No directed connectome
// is that close to its transpose. Differences up to noTolerance of the largest
// entry are arithmetic noise, which is not worth a remark.
const (
	relTolerance = 1e-3
	absTolerance = 1e-5
	noTolerance  = 1e-12
)

// minTriangle is the number of tracts above which a matrix or edge list with
// nothing on one side of the diagonal is taken to be one half of an
// undirected one. By chance that happens once in 2^6 directed graphs.
const minTriangle = 6

// decideSymmetry finds out whether the matrix of c is undirected, and makes
// it exactly symmetric if so.
func (s *source) decideSymmetry(c *connectome.Connectome) {
	rep, m := s.rep, c.Tracts
	rep.SelfLoops = m.SelfLoops()
	st := compareTranspose(m)
	rep.MaxAsymmetry = st.maxDiff
	want := s.cfg.directed
	switch {
	case want != nil && *want:
		rep.Symmetry, rep.SymmetryHow = connectome.Asymmetric, "as asked for with --directed"
		return
	case st.exact:
		rep.Symmetry, rep.SymmetryHow = connectome.Symmetric, "every tract equals its opposite"
		c.Directed = false
		if m.Length != nil || st.maxDiff > 0 {
			c.Tracts = symmetrise(m, m.Transpose(), meanOfBoth)
		}
	case st.near:
		rep.Symmetry = connectome.NearSymmetric
		rep.SymmetryHow = fmt.Sprintf("tracts differ from their opposites by rounding only (at most %.3g); averaged", st.maxDiff)
		c.Directed = false
		c.Tracts = symmetrise(m, m.Transpose(), meanOfBoth)
	case (st.below == 0 || st.above == 0) && st.below+st.above >= minTriangle && !s.cfg.triangles:
		rep.Symmetry = connectome.DeclaredUndirected
		rep.SymmetryHow = "one triangle of the matrix is empty: each pair is listed once"
		rep.Warnf("triangle", "only one triangle of the matrix is filled; it is read as undirected (pass --directed if it is a directed, loop-free graph)")
		c.Directed = false
		c.Tracts = symmetrise(m, m.Transpose(), sumOfBoth)
	case want != nil:
		rep.Symmetry, rep.SymmetryHow = connectome.DeclaredUndirected, "as asked for with --undirected; the two directions are averaged"
		c.Directed = false
		c.Tracts = symmetrise(m, m.Transpose(), meanOfBoth)
	default:
		rep.Symmetry = connectome.Asymmetric
		rep.SymmetryHow = fmt.Sprintf("tracts differ from their opposites by up to %.3g", st.maxDiff)
	}
}

type symmetryStats struct {
	exact, near  bool
	maxDiff      float64
	above, below int // tracts off the diagonal with target > source, and < source
}

func compareTranspose(m connectome.CSR) symmetryStats {
	t := m.Transpose()
	st := symmetryStats{exact: true, near: true}
	largest := 0.0
	for _, w := range m.Weight {
		largest = max(largest, math.Abs(w))
	}
	for i := range m.Regions() {
		eachPair(m, t, i, func(j int32, k, tk int) {
			var a, b float64
			if k >= 0 {
				a = m.Weight[k]
				if int(j) > i {
					st.above++
				} else if int(j) < i {
					st.below++
				}
			}
			if tk >= 0 {
				b = t.Weight[tk]
			}
			d := math.Abs(a - b)
			if d > 0 {
				st.exact = st.exact && d <= noTolerance*largest
				st.maxDiff = max(st.maxDiff, d)
				if d > relTolerance*max(math.Abs(a), math.Abs(b)) && d > absTolerance*largest {
					st.near = false
				}
			}
		})
	}
	return st
}

// eachPair walks row i of a and b together: visit gets every target that
// either has, with its position in each matrix or −1.
func eachPair(a, b connectome.CSR, i int, visit func(j int32, ka, kb int)) {
	ka, ea := a.Row(i)
	kb, eb := b.Row(i)
	for ka < ea || kb < eb {
		switch {
		case kb >= eb || ka < ea && a.Target[ka] < b.Target[kb]:
			visit(a.Target[ka], ka, -1)
			ka++
		case ka >= ea || b.Target[kb] < a.Target[ka]:
			visit(b.Target[kb], -1, kb)
			kb++
		default:
			visit(a.Target[ka], ka, kb)
			ka++
			kb++
		}
	}
}

type joinRule int

const (
	meanOfBoth    joinRule = iota // the two directions are two measurements of one tract
	sumOfBoth                     // the two directions are two tracts, or one is not listed
	sumUnlessSame                 // the same, but equal weights are one tract listed from both sides
)

// symmetrise joins m with its transpose t. The diagonal stays as it is.
func symmetrise(m connectome.CSR, t connectome.CSR, rule joinRule) connectome.CSR {
	n := m.Regions()
	out := connectome.CSR{Start: make([]int, n+1)}
	total := 0
	for i := range n {
		eachPair(m, t, i, func(int32, int, int) { total++ })
	}
	out.Target = make([]int32, 0, total)
	out.Weight = make([]float64, 0, total)
	if m.Length != nil {
		out.Length = make([]float64, 0, total)
	}
	for i := range n {
		eachPair(m, t, i, func(j int32, k, tk int) {
			var a, b float64
			la, lb := math.NaN(), math.NaN()
			if k >= 0 {
				a, la = m.Weight[k], m.LengthAt(k)
			}
			if tk >= 0 {
				b, lb = t.Weight[tk], t.LengthAt(tk)
			}
			w := a + b
			if rule == meanOfBoth || rule == sumUnlessSame && k >= 0 && tk >= 0 && sameWeight(a, b) {
				w = a/2 + b/2
			}
			if int(j) == i {
				w = a
			}
			if w == 0 {
				return
			}
			out.Target = append(out.Target, j)
			out.Weight = append(out.Weight, w)
			if m.Length != nil {
				out.Length = append(out.Length, meanKnown(la, lb))
			}
		})
		out.Start[i+1] = len(out.Target)
	}
	return out
}

// meanKnown returns the mean of those of a and b that are known.
func meanKnown(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	case a == b:
		return a
	}
	return a/2 + b/2
}
