package format

import (
	"io"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
)

// What stands around a labelled matrix in published tables: a corner that says
// which way rows and columns go, totals at the end of rows and columns, and
// titles above.

// cornerRows reads the corner of a labelled matrix, such as "from\to" or
// "target / source": what stands first in it is meant of the rows. connectome.RowsUnset
// when it says nothing.
func cornerRows(corner string) connectome.Rows {
	for _, w := range titleWords(corner) {
		for _, pair := range endWords {
			switch {
			case len(pair[0]) < 2: // "1" and "2", "i" and "j" tell no direction
			case w == pair[0], w == pair[0]+"s":
				return connectome.RowsSource
			case w == pair[1], w == pair[1]+"s":
				return connectome.RowsTarget
			}
		}
	}
	return connectome.RowsUnset
}

// rowsOf is what the rows of a matrix with that corner are.
func (s *source) rowsOf(corner string) connectome.Rows {
	if s.cfg.rows != connectome.RowsUnset {
		return s.cfg.rows
	}
	return cornerRows(corner)
}

// isTotal recognises the label of a row or column of sums.
func isTotal(label string) bool {
	return slices.Contains([]string{"total", "totals", "sum", "sums", "σ", "∑", "grand total", "row total", "row sum", "column total", "column sum", "col total", "col sum"},
		strings.ToLower(strings.TrimSpace(label)))
}

// leaveOutTotals takes off a last column and a last row that are called totals
// and are the sums of the others.
func (r *denseReader) leaveOutTotals() {
	d := r.d
	if !r.labelled || r.firstText == 0 || d.row < 2 || len(r.first) < 3 {
		return
	}
	rows, columns := d.row, r.width-1
	row, column := isTotal(d.rowLabels[rows-1]), isTotal(r.first[len(r.first)-1])
	name := "row and column"
	switch {
	case !row && !column:
		return
	case !row:
		name = "column"
	case !column:
		name = "row"
	}
	if row {
		rows--
	}
	if column {
		columns--
	}
	if !d.isSummed(rows, columns, row, column) {
		r.t.s.rep.Warnf("totals", "the last %s is called a total but is not the sum of the others: it is read as a region", name)
		return
	}
	kept := newMatrix()
	kept.keepNaN, kept.missing, kept.infinite, kept.firstMissing, kept.firstInfinite = d.keepNaN, d.missing, d.infinite, d.firstMissing, d.firstInfinite
	for i := range rows {
		for k := d.tracts.Start[i]; k < d.tracts.Start[i+1]; k++ {
			if int(d.tracts.Target[k]) < columns {
				kept.tracts.Target = append(kept.tracts.Target, d.tracts.Target[k])
				kept.tracts.Weight = append(kept.tracts.Weight, d.tracts.Weight[k])
			}
		}
		kept.endRow()
	}
	*d.matrix = *kept
	d.rowLabels = d.rowLabels[:rows]
	if column {
		r.first = r.first[:len(r.first)-1]
		r.firstText--
		r.width--
	}
	r.t.s.rep.Warnf("totals", "the last %s holds the sums of the others: it is left out", name)
}

// isSummed says whether the row and the column after those of a matrix, where
// they are asked about, hold its sums.
func (d *denseText) isSummed(rows, columns int, row, column bool) bool {
	down := make([]float64, columns+1)
	for i := range rows {
		sum, total := 0.0, 0.0
		for k := d.tracts.Start[i]; k < d.tracts.Start[i+1]; k++ {
			j, w := int(d.tracts.Target[k]), d.tracts.Weight[k]
			down[j] += w
			if j < columns {
				sum += w
			} else {
				total = w
			}
		}
		if column && !nearSum(sum, total) {
			return false
		}
	}
	for j := range columns {
		if row && !nearSum(down[j], d.tracts.At(rows, j)) {
			return false
		}
	}
	return true
}

// nearSum says whether a printed total is that of printed numbers.
func nearSum(sum, total float64) bool { return math.Abs(sum-total) <= 1e-3*max(1e-3, math.Abs(sum)) }

// trimmedMatrix reads a matrix without the empty columns and rows that
// spreadsheets keep behind it. ok is false when there are none.
func (s *source) trimmedMatrix(delim byte) (c *connectome.Connectome, ok bool, err error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, false, err
	}
	defer t.close.Close()
	width, most, last, end := 0, 0, 0, 0 // columns with content and of the longest row, the last line with content and of all
	for {
		if err := t.next(); err == io.EOF {
			break
		} else if err != nil {
			return nil, false, err
		}
		end, most = t.line, max(most, len(t.fields))
		if n := len(withoutEmptyEnd(t.fields, 0)); n > 0 {
			last, width = t.line, max(width, n)
		}
	}
	if last == 0 || last == end && width == most {
		return nil, false, nil
	}
	rows, lines, err := s.tableRows(delim)
	if err != nil {
		return nil, false, err
	}
	var text tableText
	written := 0
	for i, r := range rows {
		if lines[i] > last {
			break
		}
		for ; written < lines[i]-1; written++ {
			text.row() // so that lines are those of the file
		}
		text.row(r[:min(len(r), width)]...)
		written++
	}
	inner := text.source(s, s.member)
	if c, err = inner.readDense('\t'); err != nil {
		return nil, false, err
	}
	s.rep.Dialect = strings.Replace(s.rep.Dialect, "tab-separated", delimiterName(delim), 1)
	s.rep.Infof("empty-ends", "empty rows or columns behind the matrix are left out")
	return c, true, nil
}

// titledMatrix reads a labelled matrix that has titles or other lines above it,
// or columns before its labels. ok is false when there is none in the table, or
// when something else could be meant.
func (s *source) titledMatrix(delim byte) (c *connectome.Connectome, ok bool, err error) {
	head, err := s.textHead(sniffSize)
	if err != nil {
		return nil, false, err
	}
	if b := findBlock(sampleRows(head, delim, len(head) < sniffSize)); b.rows == 0 {
		return nil, false, nil
	}
	rows, lines, err := s.tableRows(delim)
	if err != nil {
		return nil, false, err
	}
	b := findBlock(rows)
	if b.rows == 0 || b.top == 0 && b.left == 0 && len(rows) == b.rows+1 || !b.alone(rows) {
		return nil, false, nil
	}
	var t tableText
	written := 0
	for i := b.top; i <= b.top+b.rows; i++ {
		for ; written < lines[i]-1; written++ {
			t.row() // so that lines are those of the file
		}
		t.row(append([]string{rows[i][b.names]}, rows[i][b.left+1:b.left+1+b.columns]...)...)
		written++
	}
	c, err = t.source(s, s.member).readDense('\t')
	if err != nil {
		return nil, false, err
	}
	s.rep.Dialect = strings.Replace(s.rep.Dialect, "tab-separated", delimiterName(delim), 1)
	var left []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{b.top, "line above the header", "lines above the header"},
		{len(rows) - b.top - 1 - b.rows, "line below the matrix", "lines below the matrix"},
		{b.left, "other column before the values", "other columns before the values"},
	} {
		if part.n > 0 {
			left = append(left, plural.Count(part.n, part.one, part.many))
		}
	}
	s.rep.Warnf("around-the-matrix", "left out: %s", strings.Join(left, ", "))
	return c, true, nil
}

// sharesNames says whether at least half of the shorter of a block's header and
// labels stands in the other: rows and columns are the same regions.
func (b block) sharesNames(rows [][]string) bool {
	head := rows[b.top][b.left+1 : b.left+1+b.columns]
	shared := 0
	for _, r := range rows[b.top+1 : b.top+1+b.rows] {
		if slices.Contains(head, cellAt(r, b.names)) {
			shared++
		}
	}
	return 2*shared >= min(b.rows, b.columns)
}

// named finds the labels of rows in another column before the values where the
// last of them holds none of the header's.
func (b block) named(rows [][]string) block {
	for k := b.left; k >= 0; k-- {
		if other := (block{b.top, b.left, b.rows, b.columns, k}); other.sharesNames(rows) {
			return other
		}
	}
	return b
}

// alone says whether a block is all there is of numbers in a table: no row of
// it is short, and no number stands beside or below it.
func (b block) alone(rows [][]string) bool {
	width := b.left + 1 + b.columns
	for _, r := range rows[b.top : b.top+1+b.rows] {
		if len(r) < width || filled(r[width:]) > 0 {
			return false
		}
	}
	for _, r := range rows[b.top+1+b.rows:] {
		if slices.ContainsFunc(r, func(f string) bool { _, k := parseNumber([]byte(f), true); return k == isNumber }) {
			return false
		}
	}
	return true
}
