package own

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/internal/npy"
)

// readArrays reads NPY or NPZ: rows are the first axis. Of one axis the rows
// are numbers or texts, of two vectors, of three series; further axes are
// laid out in a row's steps. In NPZ every array is a column, and names that
// end (or begin) with train, validation or test, as x_train, say the split.
func (b *builder) readArrays(path string) error {
	b.d.Report.Source = SourceArrays
	if !strings.EqualFold(filepath.Ext(path), ".npz") {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return b.parseArray(file, path, stem(path), map[datasets.Split]*block{})
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("%s: not an archive of arrays: %w; save it again with numpy.savez", path, err)
	}
	defer z.Close()
	return b.parseArchive(&z.Reader, path)
}

func (b *builder) parseArchive(z *zip.Reader, path string) error {
	b.d.Report.Source = SourceArrays
	blocks := map[datasets.Split]*block{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			b.d.Report.note("%s in %s is not an array", f.Name, path)
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		err = b.parseArray(r, path, name, blocks)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// block is the rows of one split in an archive.
type block struct {
	rows  []*Row
	first string // the array that they came with
}

// arrayName takes a split out of an array's name.
func arrayName(name string) (column string, split datasets.Split) {
	for _, separator := range []string{"_", "-", "."} {
		if before, after, ok := cutLast(name, separator); ok {
			if s, ok := splitNamed(after); ok {
				return before, s
			}
		}
		if before, after, ok := strings.Cut(name, separator); ok {
			if s, ok := splitNamed(before); ok {
				return after, s
			}
		}
	}
	return name, ""
}

func cutLast(s, separator string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// parseArray adds an array as a column.
func (b *builder) parseArray(in io.Reader, path, name string, blocks map[datasets.Split]*block) error {
	fail := func(err error) error { return fmt.Errorf("%s: array %q: %w", path, name, err) }
	r, err := npy.NewReader(in)
	if err != nil {
		return fail(err)
	}
	if len(r.Shape) == 0 {
		b.d.Report.note("array %q of %s is a single value", name, path)
		return nil
	}
	column, split := arrayName(name)
	n := r.Shape[0]
	bl := blocks[split]
	if bl == nil {
		bl = &block{first: name}
		if n == 0 {
			return fail(fmt.Errorf("%w: it has no rows", ErrNothing))
		}
		if int64(n) > b.left/valueBytes {
			return b.tooLarge(Place{File: path})
		}
		blocks[split] = bl
		for i := range n {
			bl.rows = append(bl.rows, b.row(Place{path, i + 1}, split))
		}
	}
	if n != len(bl.rows) {
		return fail(fmt.Errorf("it has %d rows, %q has %d; the first axis of all arrays must be rows, and as long", n, bl.first, len(bl.rows)))
	}
	inner := r.Shape[1:]
	width := 1
	for _, k := range inner {
		width *= k
	}
	if width == 0 {
		return fail(fmt.Errorf("%w: its rows have no elements", ErrNothing))
	}
	if int64(n) > b.left/int64(width) {
		return b.tooLarge(Place{File: path})
	}
	k := b.column(column, arrayKind(r, column))
	switch {
	case r.IsText():
		err = b.textArray(r, bl.rows, k, width)
	case len(inner) == 0:
		err = b.numberArray(r, bl.rows, k)
	default:
		err = b.vectorArray(r, bl.rows, k, width)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// arrayKind is what the shape and the type of an array say.
func arrayKind(r *npy.Reader, column string) Kind {
	switch {
	case r.IsText():
		return ""
	case len(r.Shape) == 1 && r.IsWhole() && slices.Contains(labelNames, strings.ToLower(column)):
		return Label
	case len(r.Shape) == 1:
		return Number
	case len(r.Shape) == 2:
		return Vector
	}
	return Series
}

func (b *builder) textArray(r *npy.Reader, rows []*Row, k, width int) error {
	if r.Fortran && width > 1 {
		return fmt.Errorf("texts in Fortran order; save numpy.ascontiguousarray of it")
	}
	for _, row := range rows {
		v := Value{}
		for range width {
			t, err := r.Text()
			if err != nil {
				return err
			}
			if t = strings.TrimSpace(t); t != "" {
				v.Texts = append(v.Texts, t)
			}
		}
		v.Missing = v.Texts == nil
		if err := b.set(row, k, v); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) numberArray(r *npy.Reader, rows []*Row, k int) error {
	var x [1]float64
	for _, row := range rows {
		if err := r.Float64s(x[:]); err != nil {
			return err
		}
		// NaN stays a value: in an array nothing else says that one is missing,
		// and it must not be taken for that.
		if err := b.set(row, k, Value{Texts: []string{strconv.FormatFloat(x[0], 'g', -1, 64)}}); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) vectorArray(r *npy.Reader, rows []*Row, k, width int) error {
	steps := 0
	if len(r.Shape) > 2 {
		steps = r.Shape[1]
	}
	if r.Fortran {
		return b.fortranArray(r, rows, k, width, steps)
	}
	for _, row := range rows {
		v := Value{Data: make([]float32, width), Steps: steps}
		if err := r.Float32s(v.Data); err != nil {
			return err
		}
		if err := b.set(row, k, v); err != nil {
			return err
		}
	}
	return nil
}

// fortranArray reads an array whose first axis varies fastest: element
// (i, j, …) stands at i + j·n + …
func (b *builder) fortranArray(r *npy.Reader, rows []*Row, k, width, steps int) error {
	for _, row := range rows {
		if err := b.set(row, k, Value{Data: make([]float32, width), Steps: steps}); err != nil {
			return err
		}
	}
	inner := r.Shape[1:]
	column := make([]float32, len(rows))
	index := make([]int, len(inner))
	for range width {
		if err := r.Float32s(column); err != nil {
			return err
		}
		at := 0
		for d, i := range index {
			at = at*inner[d] + i
		}
		for i, row := range rows {
			row.Values[k].Data[at] = column[i]
		}
		for d := range index { // the first of the inner axes is the fastest
			if index[d]++; index[d] < inner[d] {
				break
			}
			index[d] = 0
		}
	}
	return nil
}
