package format

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
)

// MatrixMarket exchange format (Boisvert, Pozo & Remington, NISTIR 5935).

// checkNodes refuses a declared number of regions that the content could not
// justify: a header alone must not make us allocate.
func (s *source) checkNodes(n, evidence, line int) error {
	if n > 100_000+4*evidence || n > math.MaxInt32-2 {
		return s.failf(ErrTooLarge, line, 0, "correct the header", "%d regions declared for %d entries", n, evidence)
	}
	return nil
}

func (s *source) readMatrixMarket() (*connectome.Connectome, error) {
	t, err := s.table(' ')
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	banner, err := t.readLine()
	if err != nil {
		return nil, s.wrap(err, ErrTruncated, "")
	}
	word := strings.Fields(strings.ToLower(string(banner)))
	if len(word) < 5 || word[1] != "matrix" {
		return nil, s.failf(ErrSyntax, 1, 0, "", "banner %s", quoteShort(bytes.TrimSpace(banner)))
	}
	layout, field, symmetry := word[2], word[3], word[4]
	switch {
	case layout != "coordinate" && layout != "array":
		return nil, s.failf(ErrUnsupported, 1, 0, "use coordinate or array", "layout %q", layout)
	case field != "real" && field != "integer" && field != "pattern" && field != "double":
		return nil, s.failf(ErrUnsupported, 1, 0, "tracts have real weights", "field %q", field)
	case symmetry != "general" && symmetry != "symmetric" && symmetry != "skew-symmetric":
		return nil, s.failf(ErrUnsupported, 1, 0, "use general, symmetric or skew-symmetric", "symmetry %q", symmetry)
	case field == "pattern" && layout == "array":
		return nil, s.failf(ErrSyntax, 1, 0, "", "a dense pattern has no values")
	}
	if err := t.next(); err != nil {
		return nil, s.wrap(err, ErrTruncated, "")
	}
	var size [3]int
	want := 2
	if layout == "coordinate" {
		want = 3
	}
	if len(t.fields) != want {
		return nil, s.failf(ErrSyntax, t.line, 0, "", "%d numbers in the line of sizes, want %d", len(t.fields), want)
	}
	for i, f := range t.fields {
		x, ok := parseShort(f)
		if !ok || x >= math.MaxInt32 && i < 2 {
			return nil, s.failf(ErrNumber, t.line, i+1, "", "size %s", quoteShort(f))
		}
		size[i] = int(x)
	}
	n := size[0]
	if n != size[1] {
		return nil, s.failf(ErrNotSquare, t.line, 0, "a connectivity matrix has one row and one column a region", "%d × %d", n, size[1])
	}
	if n == 0 {
		return nil, s.failf(ErrEmpty, t.line, 0, "", "a matrix of 0 regions")
	}
	r := &mmReader{s: s, t: t, n: n, pattern: field == "pattern", mirror: 0}
	switch symmetry {
	case "symmetric":
		r.mirror = 1
	case "skew-symmetric":
		r.mirror = -1
	}
	if layout == "coordinate" {
		err = r.coordinates(size[2])
	} else {
		err = r.array()
	}
	if err != nil {
		return nil, err
	}
	if err := s.checkNodes(n, r.b.Len(), 0); err != nil {
		return nil, err
	}
	m, st := r.b.Build(n, s.cfg.parallel)
	s.rep.Parallel += st.Parallel
	s.rep.ZeroWeight += st.Zero
	s.rep.Format, s.rep.Dialect = "MatrixMarket", layout+" "+field+" "+symmetry
	if st.Parallel > 0 {
		s.rep.ParallelHow = fmt.Sprintf("the first in row %d, column %d", st.First[0]+1, st.First[1]+1)
		s.rep.Warnf("parallel-edges", "%s an earlier one; their weights are %s", plural.Count(st.Parallel, "entry repeats", "entries repeat"), verb(s.cfg.parallel))
	}
	c := s.finishMatrix(&matrix{n: n, tracts: m, missing: r.missing, infinite: r.infinite}, nil, connectome.RowsSource, "the convention of plain matrices; the file does not say")
	return c, s.joinLabels(c)
}

type mmReader struct {
	s                 *source
	t                 *table
	n                 int
	pattern           bool
	mirror            float64 // factor of the entry across the diagonal, 0 for none
	b                 connectome.Builder
	missing, infinite int
}

func (r *mmReader) add(i, j int, f []byte, column int) error {
	w := 1.0
	if f != nil {
		x, k := parseNumber(f, false)
		switch k {
		case isText:
			return r.s.failf(ErrNumber, r.t.line, column, "", "value %s", quoteShort(f))
		case isMissing:
			r.missing++
			return nil
		case isInfinite:
			r.infinite++
			return nil
		}
		w = x
	}
	r.b.Add(i, j, w, math.NaN())
	if r.mirror != 0 && i != j {
		r.b.Add(j, i, w*r.mirror, math.NaN())
	}
	return nil
}

func (r *mmReader) coordinates(entries int) error {
	want := 3
	if r.pattern {
		want = 2
	}
	seen := 0
	for ; ; seen++ {
		err := r.t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		f := r.t.fields
		if len(f) != want {
			return r.s.failf(ErrRagged, r.t.line, 0, "", "%d values, want %d", len(f), want)
		}
		var at [2]int
		for k := range at {
			x, ok := parseShort(f[k])
			if !ok || x < 1 || x > float64(r.n) {
				return r.s.failf(ErrNode, r.t.line, k+1, "indices run from 1", "index %s of %d regions", quoteShort(f[k]), r.n)
			}
			at[k] = int(x) - 1
		}
		var value []byte
		if !r.pattern {
			value = f[2]
		}
		if err := r.add(at[0], at[1], value, 3); err != nil {
			return err
		}
	}
	if seen < entries {
		return r.s.failf(ErrTruncated, r.t.line, 0, "fetch the file again", "%d of %d entries", seen, entries)
	}
	if seen > entries {
		return r.s.failf(ErrSyntax, r.t.line, 0, "correct the header", "%d entries where %d were declared", seen, entries)
	}
	return nil
}

// array reads values by columns; of a symmetric matrix only the lower
// triangle is there.
func (r *mmReader) array() error {
	i, j := 0, 0
	if r.mirror < 0 {
		i = 1
	}
	for j < r.n && i < r.n {
		err := r.t.next()
		if err == io.EOF {
			return r.s.failf(ErrTruncated, r.t.line, 0, "fetch the file again", "the matrix ends in column %d of %d", j+1, r.n)
		}
		if err != nil {
			return err
		}
		for column, f := range r.t.fields {
			if j >= r.n || i >= r.n {
				return r.s.failf(ErrSyntax, r.t.line, column+1, "correct the header", "more values than declared")
			}
			if err := r.add(i, j, f, column+1); err != nil {
				return err
			}
			if i++; i == r.n {
				j++
				switch {
				case r.mirror > 0:
					i = j
				case r.mirror < 0:
					i = j + 1
				default:
					i = 0
				}
			}
		}
	}
	return nil
}
