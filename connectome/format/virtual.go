package format

import (
	"bytes"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Tables that come in other clothes (sheets of a workbook, tables of a
// database, records of JSON, structured arrays) are handed to the readers of
// text as tab-separated lines, so that all of them follow one set of rules.

// tableText builds such lines: those that row adds, then those that rest makes
// one after the other when they are read, so that a large table is never held
// as text.
type tableText struct {
	b     bytes.Buffer
	count int // rows that rest makes
	rest  func(i int) (fields []string)
}

// row adds a line; an empty row is an empty line, so that line numbers are row
// numbers.
func (t *tableText) row(fields ...string) { writeRow(&t.b, fields) }

func writeRow(b *bytes.Buffer, fields []string) {
	for i, f := range fields {
		if i > 0 {
			b.WriteByte('\t')
		}
		f = strings.Map(func(r rune) rune {
			switch r {
			case '\t', '\n', '\r', 0:
				return ' '
			}
			return r
		}, f)
		if f = strings.TrimSpace(f); strings.HasPrefix(f, `"`) || i == 0 && f != "" && strings.ContainsRune("#%*", rune(f[0])) {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		b.WriteString(f)
	}
	b.WriteByte('\n')
}

// open returns a reader of all lines.
func (t *tableText) open() io.Reader {
	if t.rest == nil {
		return bytes.NewReader(t.b.Bytes())
	}
	return io.MultiReader(bytes.NewReader(t.b.Bytes()), &restReader{t: t})
}

// restReader makes the lines of a table while they are read.
type restReader struct {
	t   *tableText
	at  int
	buf bytes.Buffer
}

func (r *restReader) Read(p []byte) (int, error) {
	for r.buf.Len() < len(p) && r.at < r.t.count {
		writeRow(&r.buf, r.t.rest(r.at))
		r.at++
	}
	return r.buf.Read(p)
}

// source is the source of those lines: a part of s with a name of its own.
func (t *tableText) source(s *source, member string) *source {
	inner := *s
	if member != "" {
		inner.member = member
	}
	inner.open = func() (io.ReadCloser, error) { return io.NopCloser(t.open()), nil }
	inner.nested++
	return &inner
}

// readEdges reads lines that are known to be edges. The report keeps the
// format of the file that they come from.
func (t *tableText) readEdges(s *source, member string) (*connectome.Connectome, error) {
	inner := t.source(s, member)
	head, err := io.ReadAll(io.LimitReader(t.open(), sniffSize+1))
	if err != nil {
		return nil, err
	}
	format, dialect := s.rep.Format, s.rep.Dialect
	c, err := inner.readEdgeList('\t', sampleRows(head[:min(len(head), sniffSize)], '\t', len(head) <= sniffSize))
	if format != "" {
		s.rep.Format, s.rep.Dialect = format, dialect
	}
	return c, err
}

// readMatrix reads lines that are known to be a matrix.
func (t *tableText) readMatrix(s *source, member string) (*connectome.Connectome, error) {
	format, dialect := s.rep.Format, s.rep.Dialect
	c, err := t.source(s, member).readDense('\t')
	if format != "" {
		s.rep.Format, s.rep.Dialect = format, dialect
	}
	return c, err
}
