package format

import (
	"fmt"
	"io"
	"math"

	"github.com/connectomewire/wire/connectome"
)

// Condensed matrices: the upper triangle of a symmetric matrix without its
// diagonal, row by row (which is the lower one column by column), as
// scipy.spatial.distance.squareform and MATLAB's squareform make them.

// condensedSize returns n for the n(n−1)/2 numbers of a triangle, 0 when no
// triangle has that many.
func condensedSize(numbers int) int {
	n := int(math.Round((1 + math.Sqrt(1+8*float64(numbers))) / 2))
	if n < 2 || n*(n-1)/2 != numbers {
		return 0
	}
	return n
}

// minCondensed is the smallest triangle that a column of numbers is suspected
// to be: of 4 × 4.
const minCondensed = 6

// condensedLength counts the numbers of a single row or a single column; 0
// for other tables.
func condensedLength(rows [][]string) int {
	if len(rows) == 1 {
		return len(rows[0])
	}
	for _, r := range rows {
		if len(r) != 1 {
			return 0
		}
	}
	return len(rows)
}

// isCondensed recognises as many numbers in one row or column as a triangle
// has.
func (s *source) isCondensed(rows [][]string, _ byte) bool {
	n := condensedLength(rows)
	if n < minCondensed || condensedSize(n) == 0 {
		return false
	}
	for _, r := range rows {
		for _, f := range r {
			if isWord(f) {
				return false
			}
		}
	}
	return true
}

// condensedError says that a vector could be a triangle.
func condensedError(s *source, numbers int) error {
	n := condensedSize(numbers)
	return &AmbiguousError{Path: s.path, What: fmt.Sprintf("meaning of %d numbers in one row or column", numbers), Option: "WithFormat", Flag: "--format condensed", Candidates: []Candidate{
		{"condensed", fmt.Sprintf("the upper triangle of %d × %d, row by row, as SciPy and MATLAB condense a symmetric matrix", n, n)},
	}}
}

// readCondensed reads the numbers of a triangle from text.
func (s *source) readCondensed(delim byte) (*connectome.Connectome, error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	var x []float64
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		f := t.fields
		f = withoutEmptyEnd(f, 1)
		for j, field := range f {
			v, k := t.number(field)
			if k == isText && len(x) == 0 && len(f) == 1 {
				continue // a title
			}
			if k == isText {
				return nil, s.failf(ErrNumber, t.line, j+1, numberAdvice(field, ""), "%s in a condensed matrix", quoteShort(field))
			}
			x = append(x, v)
		}
	}
	c, err := s.condensed(x)
	if err != nil {
		return nil, err
	}
	s.rep.Format, s.rep.Dialect = "condensed matrix", delimiterName(delim)
	return c, s.joinLabels(c)
}

// condensed makes the symmetric matrix of a triangle's numbers.
func (s *source) condensed(x []float64) (*connectome.Connectome, error) {
	n := condensedSize(len(x))
	if n == 0 {
		return nil, s.failf(ErrNotSquare, 0, 0, "a condensed matrix of n regions has n(n−1)/2 numbers", "%d numbers are no triangle", len(x))
	}
	m := newMatrix()
	m.n = n
	at := func(i, j int) float64 { // i < j
		return x[i*n-i*(i+1)/2+j-i-1]
	}
	for i := range n {
		for j := range n {
			switch {
			case j < i:
				m.add(j, at(j, i))
			case j > i:
				m.add(j, at(i, j))
			}
		}
		m.endRow()
	}
	m.missing, m.infinite = m.missing/2, m.infinite/2 // each stands once in the file
	return s.finishMatrix(m, nil, connectome.RowsSource, "a condensed matrix is symmetric"), nil
}
