package format

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// Condensed matrices: one triangle of a symmetric matrix, with or without its
// diagonal, row by row: as one row or column of numbers, or as rows that grow
// or shrink by one. The upper triangle row by row is the lower one column by
// column, and the other way round, so that four readings cover all.

// triangle is a way of condensing.
type triangle struct{ lower, diagonal bool }

// triangles are the names that --format has for them. SciPy's and MATLAB's
// squareform make "condensed"; numpy.tril_indices(n, -1) and MATLAB's
// M(triu(true(n), 1)) "condensed-lower"; R's m[lower.tri(m, diag = TRUE)]
// "triangle".
var triangles = map[string]triangle{
	"condensed":       {},
	"condensed-lower": {lower: true},
	"triangle":        {diagonal: true},
	"triangle-lower":  {lower: true, diagonal: true},
}

func (t triangle) String() string {
	which, diagonal := "upper", "without its diagonal"
	if t.lower {
		which = "lower"
	}
	if t.diagonal {
		diagonal = "with its diagonal"
	}
	return fmt.Sprintf("the %s triangle %s, row by row", which, diagonal)
}

// size returns n for the numbers of a triangle of n × n, 0 when no triangle has
// that many.
func (t triangle) size(numbers int) int {
	n := condensedSize(numbers)
	if t.diagonal && n > 0 {
		n--
	}
	return n
}

// place is where the entry of row i and column j stands among the numbers of a
// triangle of n × n.
func (t triangle) place(n, i, j int) int {
	if t.lower == (i < j) {
		i, j = j, i
	}
	k := 0 // entries of a row that stand before or behind the diagonal's
	if !t.diagonal {
		k = 1
	}
	if t.lower { // row i begins behind those of 1−k, 2−k, … i−k entries
		return i*(i+1)/2 - k*i + j
	}
	return i*n - i*(i-1)/2 - k*i + j - i - k
}

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

// condensedShape follows the lengths of a table's rows: one row, rows of one
// number, or rows that grow from one or shrink to one.
type condensedShape struct {
	rows, numbers int
	last, step    int // the length of the last row, and how much more it is than that before
	other         bool
}

func (c *condensedShape) row(n int) {
	c.rows++
	c.numbers += n
	switch step := n - c.last; {
	case c.rows == 1:
	case c.rows == 2:
		c.step = step
		c.other = step < -1 || step > 1 || step >= 0 && c.last != 1
	default:
		c.other = c.other || step != c.step
	}
	c.last = n
}

// triangular says whether as many numbers were seen as a triangle has.
func (c *condensedShape) triangular() bool {
	return !c.other && (c.step >= 0 || c.last == 1) && c.numbers >= minCondensed && condensedSize(c.numbers) > 0
}

// fits says whether rows of these lengths can be a triangle of that kind.
func (c *condensedShape) fits(t triangle) bool {
	return c.step == 0 || t.lower == (c.step > 0)
}

// condensedShape measures a table whose first rows are given, which it reads
// whole where those may begin a triangle.
func (s *source) condensedShape(rows [][]string, delim byte, complete bool) (c condensedShape, err error) {
	word := func(f string) bool {
		_, k := parseNumber([]byte(f), delim != ',')
		return k == isText
	}
	for _, r := range rows {
		c.row(len(r))
		if c.other || slices.ContainsFunc(r, word) {
			c.other = true
			return c, nil
		}
	}
	if complete || len(rows) < 2 {
		return c, nil
	}
	t, err := s.table(delim)
	if err != nil {
		return c, err
	}
	defer t.close.Close()
	c = condensedShape{}
	for !c.other {
		if err := t.next(); err == io.EOF {
			break
		} else if err != nil {
			return c, err
		}
		c.row(len(withoutEmptyEnd(t.fields, 1)))
	}
	return c, nil
}

// raggedTriangle recognises rows that grow or shrink by one and have the same
// number on what would be the diagonal, 0 or 1: they are a triangle with it.
func raggedTriangle(rows [][]string) (name string, ok bool) {
	if len(rows) < 2 {
		return "", false
	}
	at, name := func(r []string) string { return r[0] }, "triangle"
	if len(rows[0]) == 1 {
		at, name = func(r []string) string { return r[len(r)-1] }, "triangle-lower"
	}
	x, k := parseNumber([]byte(at(rows[0])), true)
	ok = k == isNumber && (x == 0 || x == 1) && len(rows[0]) != len(rows[1])
	for _, r := range rows {
		y, k := parseNumber([]byte(at(r)), true)
		ok = ok && k == isNumber && x == y
	}
	return name, ok
}

// condensedError says which triangles numbers in one row or column, or in
// growing or shrinking rows, could be.
func condensedError(s *source, numbers int, fits func(triangle) bool) error {
	e := &AmbiguousError{Path: s.path, What: fmt.Sprintf("triangle of a matrix that %d numbers are", numbers), Option: "WithFormat"}
	for _, name := range sortedKeys(triangles) {
		if t := triangles[name]; fits(t) && t.size(numbers) > 1 {
			e.Candidates = append(e.Candidates, Candidate{name, fmt.Sprintf("%s, of %d × %d", t, t.size(numbers), t.size(numbers))})
		}
	}
	e.Flag = "--format " + e.Candidates[0].Name + ", say"
	return e
}

func anyTriangle(triangle) bool { return true }

// readCondensed reads the numbers of a triangle from text.
func (s *source) readCondensed(delim byte, kind triangle) (*connectome.Connectome, error) {
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
	if err := t.groups.ambiguous(s); err != nil {
		return nil, err
	}
	c, err := s.condensed(x, kind)
	if err != nil {
		return nil, err
	}
	s.rep.Format, s.rep.Dialect = "condensed matrix", delimiterName(delim)
	return c, s.joinLabels(c)
}

// condensed makes the symmetric matrix of a triangle's numbers.
func (s *source) condensed(x []float64, kind triangle) (*connectome.Connectome, error) {
	n := kind.size(len(x))
	if n < 2 {
		formula := "n(n−1)/2"
		if kind.diagonal {
			formula = "n(n+1)/2"
		}
		return nil, s.failf(ErrNotSquare, 0, 0, "the triangle of n regions has "+formula+" numbers", "%d numbers are no triangle", len(x))
	}
	m := newMatrix()
	m.n = n
	for i := range n {
		for j := range n {
			if i != j || kind.diagonal {
				m.add(j, x[kind.place(n, i, j)])
			}
		}
		m.endRow()
	}
	m.missing, m.infinite = 0, 0 // each stands once in the file
	for _, v := range x {
		if math.IsNaN(v) {
			m.missing++
		} else if math.IsInf(v, 0) {
			m.infinite++
		}
	}
	return s.finishMatrix(m, nil, connectome.RowsSource, "a triangle's matrix is symmetric"), nil
}
