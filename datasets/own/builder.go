package own

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// ErrTooLarge reports data beyond Options.MaxBytes.
var ErrTooLarge = errors.New("the data are too large")

// ErrNothing reports a path at which there are no data.
var ErrNothing = errors.New("nothing to read")

// builder gathers the rows of a source, whose columns may turn up late.
type builder struct {
	d      *Dataset
	f      *faults
	places map[string]int // of columns, by name
	hints  []Kind         // what the source knows a column to be; "" to be guessed
	left   int64          // bytes
}

func newBuilder(name string, o Options) *builder {
	return &builder{
		d:      &Dataset{Name: name, Options: o},
		f:      &faults{},
		places: map[string]int{},
		left:   o.maxBytes(),
	}
}

// column finds or adds a column.
func (b *builder) column(name string, hint Kind) int {
	if k, ok := b.places[name]; ok {
		return k
	}
	k := len(b.d.Columns)
	b.places[name] = k
	b.d.Columns = append(b.d.Columns, Column{Name: name})
	b.hints = append(b.hints, hint)
	return k
}

// withFile opens a file, which may have as many bytes as the data.
func (b *builder) withFile(path string, do func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return do(&bounded{file, b.d.Options.maxBytes()})
}

// bounded fails once more bytes were read than it may have.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One byte more tells a file of this length from a longer one.
		var one [1]byte
		n, err := b.in.Read(one[:])
		if n > 0 {
			return 0, fmt.Errorf("%w: raise the bound, or cut the file", ErrTooLarge)
		}
		return 0, err
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// row adds a row.
func (b *builder) row(place Place, split datasets.Split) *Row {
	r := &Row{Place: place, Split: split}
	b.d.Rows = append(b.d.Rows, r)
	b.d.Report.Read++
	return r
}

// bad counts a row that cannot be read at all.
func (b *builder) bad(p Problem) {
	b.f.row(p)
	b.d.Report.Read++
}

// valueBytes is about what a value takes beside its content.
const valueBytes = 152

// set gives a row its value in a column.
func (b *builder) set(r *Row, column int, v Value) error {
	for len(r.Values) <= column {
		r.Values = append(r.Values, Value{Missing: true})
	}
	r.Values[column] = v
	b.left -= valueBytes + 4*int64(len(v.Data))
	for _, t := range v.Texts {
		b.left -= 16 + int64(len(t))
	}
	if b.left < 0 {
		return b.tooLarge(r.Place)
	}
	return nil
}

func (b *builder) tooLarge(at Place) error {
	return fmt.Errorf("%s: %w: they take more than %d bytes; raise the bound, or cut the file", at, ErrTooLarge, b.d.Options.maxBytes())
}

// setText gives a row a text; an empty one is none.
func (b *builder) setText(r *Row, column int, text string) error {
	if text = strings.TrimSpace(text); text == "" {
		return b.set(r, column, Value{Missing: true})
	}
	return b.set(r, column, Value{Texts: []string{text}})
}

// setFile gives a row a file: written is what the data call it, path where it
// is.
func (b *builder) setFile(r *Row, column int, written, path string) error {
	return b.set(r, column, Value{Texts: []string{written}, Path: path})
}

// resolve makes a path of a file that is named in a table in folder.
func resolve(folder, name string) string {
	if path := filepath.FromSlash(name); filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, filepath.FromSlash(name))
}

// types pads the rows and finds out what every column is. Files that tables
// name are looked for in folder.
func (b *builder) types(folder string) error {
	for _, r := range b.d.Rows {
		for len(r.Values) < len(b.d.Columns) {
			r.Values = append(r.Values, Value{Missing: true})
		}
	}
	if err := b.patternColumns(); err != nil {
		return err
	}
	for name := range b.d.Options.Kinds {
		if _, ok := b.places[name]; !ok {
			_, err := b.d.Column(name)
			return fmt.Errorf("--kind: %w", err)
		}
	}
	for k := range b.d.Columns {
		c := &b.d.Columns[k]
		if c.Kind = b.d.Options.Kinds[c.Name]; c.Kind == "" {
			c.Kind = b.hints[k]
		}
		if c.Kind == "" {
			c.Kind = b.guess(k)
		}
		b.convert(k, folder)
	}
	return nil
}

// isFile says whether there is a regular file.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// isFolder says whether there is a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
