package format

import (
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Triangles in rows: the lower triangle of a symmetric matrix with its diagonal,
// rows of 1, 2, …, n numbers, or the upper one, rows of n, n−1, …, 1.

// raggedTriangle reads such a table; ok is false when the text is anything else.
// The diagonal must be zero: without it, rows may also be those of a triangle
// that leaves the diagonal out and has one region more.
func (s *source) raggedTriangle(delim byte) (c *connectome.Connectome, ok bool, err error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, false, err
	}
	defer t.close.Close()
	var rows [][]string
	lower, upper := true, true
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false, err
		}
		fields := withoutEmptyEnd(t.fields, 1)
		row := make([]string, len(fields))
		for i, f := range fields {
			if _, k := t.number(f); k != isNumber {
				return nil, false, nil
			}
			row[i] = string(f)
		}
		rows = append(rows, row)
		lower = lower && len(row) == len(rows)
		upper = upper && len(row) == len(rows[0])-len(rows)+1
		if !lower && !upper {
			return nil, false, nil
		}
	}
	n := len(rows)
	if n < 3 || upper && len(rows[n-1]) != 1 || t.groups.ambiguous(s) != nil {
		return nil, false, nil
	}
	at := func(i, j int) string { // i ≥ j
		if lower {
			return rows[i][j]
		}
		return rows[j][i-j]
	}
	for i := range n {
		if x, _ := parseNumber([]byte(at(i, i)), true); x != 0 {
			return nil, false, nil
		}
	}
	full := tableText{count: n, rest: func(i int) []string {
		row := make([]string, n)
		for j := range n {
			row[j] = strings.Replace(at(max(i, j), min(i, j)), ",", ".", 1)
		}
		return row
	}}
	if c, err = full.readMatrix(s, s.member); err != nil {
		return nil, true, err
	}
	which := "upper"
	if lower {
		which = "lower"
	}
	s.rep.Dialect = delimiterName(delim) + ", " + which + " triangle"
	s.rep.Infof("ragged-triangle", "rows are those of the %s triangle of a symmetric matrix", which)
	return c, true, nil
}
