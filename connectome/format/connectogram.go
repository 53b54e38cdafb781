package format

import (
	"bytes"
	"io"

	"github.com/connectomewire/wire/connectome"
)

// DSI Studio's connectogram, the table that Circos's table viewer reads: two
// header rows and two label columns, of sums or running numbers and of names,
// around the matrix.

func isConnectogram(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	f := bytes.Fields(line)
	return len(f) > 2 && string(f[0]) == "data" && string(f[1]) == "data"
}

func (s *source) readConnectogram() (*connectome.Connectome, error) {
	head, err := s.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	t, err := s.table(sniffDelimiter(head))
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	var names []string
	m := newMatrix()
	for row := 0; ; row++ {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		f := t.fields
		f = withoutEmptyEnd(f, 2)
		switch {
		case len(f) < 3:
			return nil, s.failf(ErrRagged, t.line, 0, "", "%d fields in a connectogram", len(f))
		case row == 0:
			m.n = len(f) - 2
		case len(f) != m.n+2:
			return nil, s.failf(ErrRagged, t.line, 0, "", "%d fields where the first row has %d", len(f), m.n+2)
		case row == 1:
			for _, name := range f[2:] {
				names = append(names, string(name))
			}
		case m.row == m.n:
			return nil, s.failf(ErrNotSquare, t.line, 0, "", "more rows than the %d columns", m.n)
		default:
			if string(f[1]) != names[m.row] {
				return nil, s.failf(ErrLabels, t.line, 2, "a connectome needs the same regions in rows and columns", "row %d is %s, column %d is %q", m.row+1, quoteShort(f[1]), m.row+1, names[m.row])
			}
			for j, field := range f[2:] {
				x, k := t.number(field)
				if k == isText {
					return nil, s.failf(ErrNumber, t.line, j+3, numberAdvice(field, ""), "%s in a matrix", quoteShort(field))
				}
				m.add(j, x)
			}
			m.endRow()
		}
	}
	if m.row != m.n {
		return nil, s.failf(ErrTruncated, t.line, 0, "", "%d rows for %d columns", m.row, m.n)
	}
	s.rep.Format = "DSI Studio connectogram"
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "second row and second column", true, "rows and columns bear the same labels"
	c := s.finishMatrix(m, nil, connectome.RowsSource, "the convention of plain matrices; the file does not say")
	for i := range c.Regions {
		c.Regions[i].Label = names[i]
	}
	s.noteDuplicateLabels(c.Regions)
	return c, s.joinLabels(c)
}
