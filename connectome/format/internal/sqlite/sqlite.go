// Package sqlite reads the tables of SQLite databases, version 3
// (https://www.sqlite.org/fileformat2.html).
//
// It only walks the tables' b-trees: it runs no SQL, so that nothing that a
// file says is executed, and reads every page at most once for a table, so that
// a damaged file can neither loop nor grow. A whole SQL engine in Go
// (modernc.org/sqlite) adds 6.5 MB to a program of 107 MB, a minute to its
// first build, and makes the fuzzing of every other reader 2.5 times slower.
package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf16"
)

// What is wrong with a file.
var (
	ErrCorrupt     = errors.New("corrupt database")
	ErrTooLarge    = errors.New("too large")
	ErrUnsupported = errors.New("unsupported")
)

// Magic begins every database.
const Magic = "SQLite format 3\x00"

const (
	maxPayload = 64 << 20 // of one row
	maxColumns = 1 << 15  // SQLite's own limit is 32767
	maxDepth   = 20       // of a b-tree, as in SQLite
)

// File is an open database.
type File struct {
	r        io.ReaderAt
	pageSize int
	usable   int // bytes of a page that are not reserved
	pages    int64
	order    binary.ByteOrder // of text in UTF-16, nil for UTF-8
}

// Open looks at the header of a database of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var h [100]byte
	if n, err := r.ReadAt(h[:], 0); n < len(h) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("%w: the header is cut off", ErrCorrupt)
		}
		return nil, err
	}
	if string(h[:16]) != Magic {
		return nil, fmt.Errorf("%w: not a SQLite database", ErrCorrupt)
	}
	f := &File{r: r, pageSize: int(binary.BigEndian.Uint16(h[16:]))}
	if f.pageSize == 1 {
		f.pageSize = 1 << 16
	}
	if f.pageSize < 512 || f.pageSize&(f.pageSize-1) != 0 {
		return nil, fmt.Errorf("%w: pages of %d bytes", ErrCorrupt, f.pageSize)
	}
	if f.usable = f.pageSize - int(h[20]); f.usable < 480 {
		return nil, fmt.Errorf("%w: %d of %d bytes of a page are usable", ErrCorrupt, f.usable, f.pageSize)
	}
	if h[19] > 2 {
		return nil, fmt.Errorf("%w: read version %d", ErrUnsupported, h[19])
	}
	switch encoding := binary.BigEndian.Uint32(h[56:]); encoding {
	case 0, 1:
	case 2:
		f.order = binary.LittleEndian
	case 3:
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%w: text encoding %d", ErrCorrupt, encoding)
	}
	f.pages = size / int64(f.pageSize)
	return f, nil
}

// Value is nil, an int64, a float64, a string or a []byte.
type Value any

// Rows walks a b-tree in the order of its keys.
type Rows struct {
	f      *File
	seen   []uint64 // pages visited, a bit each
	path   []place
	table  Table
	values []Value
	err    error
}

// place is a page of the b-tree and where the walk stands in it.
type place struct {
	page  []byte
	at    int // offset of the b-tree header
	cells int
	next  int // cell to visit; cells is the right-most child of an inner page
	down  bool
}

// Kinds of pages.
const (
	innerIndex, innerTable = 2, 5
	leafIndex, leafTable   = 10, 13
)

// Rows begins to read a table.
func (f *File) Rows(t Table) *Rows {
	r := &Rows{f: f, table: t, seen: make([]uint64, f.pages/64+1)}
	r.err = r.enter(t.root)
	return r
}

// Err returns the error that ended the walk.
func (r *Rows) Err() error { return r.err }

// Values are the current row's, in the order of the table's columns, until the
// next call of Next.
func (r *Rows) Values() []Value { return r.values }

// page reads a page that was not visited before.
func (r *Rows) page(number uint32) ([]byte, error) {
	n := int64(number)
	if n < 1 || n > r.f.pages {
		return nil, fmt.Errorf("%w: page %d of %d", ErrCorrupt, n, r.f.pages)
	}
	if r.seen[n/64]&(1<<(n%64)) != 0 {
		return nil, fmt.Errorf("%w: page %d is used twice", ErrCorrupt, n)
	}
	r.seen[n/64] |= 1 << (n % 64)
	b := make([]byte, r.f.pageSize)
	if k, err := r.f.r.ReadAt(b, (n-1)*int64(r.f.pageSize)); k < len(b) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("%w: page %d is cut off", ErrCorrupt, n)
		}
		return nil, err
	}
	return b, nil
}

// enter goes down to a page.
func (r *Rows) enter(number uint32) error {
	if len(r.path) >= maxDepth {
		return fmt.Errorf("%w: a tree of more than %d levels", ErrCorrupt, maxDepth)
	}
	b, err := r.page(number)
	if err != nil {
		return err
	}
	p := place{page: b}
	if number == 1 {
		p.at = 100
	}
	header := 8
	switch kind := b[p.at]; kind {
	case innerTable, innerIndex:
		header = 12
		p.down = true
	case leafTable, leafIndex:
	default:
		return fmt.Errorf("%w: page %d of kind %d in a table", ErrCorrupt, number, kind)
	}
	if kind := b[p.at]; (kind == innerIndex || kind == leafIndex) != r.table.withoutRowID {
		return fmt.Errorf("%w: page %d of kind %d in table %s", ErrCorrupt, number, kind, r.table.Name)
	}
	p.cells = int(binary.BigEndian.Uint16(b[p.at+3:]))
	if p.at+header+2*p.cells > r.f.usable {
		return fmt.Errorf("%w: page %d with %d cells", ErrCorrupt, number, p.cells)
	}
	r.path = append(r.path, p)
	return nil
}

// Next goes to the next row. It returns false at the end and on an error.
func (r *Rows) Next() bool {
	for r.err == nil && len(r.path) > 0 {
		p := &r.path[len(r.path)-1]
		inner := p.page[p.at] == innerTable || p.page[p.at] == innerIndex
		switch {
		case inner && p.next > p.cells, !inner && p.next >= p.cells:
			r.path = r.path[:len(r.path)-1]
			continue
		case inner && p.next == p.cells:
			p.next++
			r.err = r.enter(binary.BigEndian.Uint32(p.page[p.at+8:]))
			continue
		}
		cell, err := r.cell(p)
		if err != nil {
			r.err = err
			break
		}
		switch {
		case inner && p.down: // what stands left of the cell comes first
			if p.down = false; p.page[p.at] == innerTable {
				p.next++
				p.down = true
			}
			r.err = r.enter(binary.BigEndian.Uint32(cell))
			continue
		case inner: // the cell of an index is a row itself
			cell = cell[4:]
			p.down = true
		}
		p.next++
		if r.err = r.row(cell); r.err == nil {
			return true
		}
	}
	return false
}

// cell is the current cell up to the end of its page.
func (r *Rows) cell(p *place) ([]byte, error) {
	header := 8
	if p.page[p.at] == innerTable || p.page[p.at] == innerIndex {
		header = 12
	}
	at := int(binary.BigEndian.Uint16(p.page[p.at+header+2*p.next:]))
	if at < p.at+header || at+4 > r.f.usable {
		return nil, fmt.Errorf("%w: a cell at byte %d of a page", ErrCorrupt, at)
	}
	return p.page[at:r.f.usable], nil
}

// varint reads a variable-length integer and what stands after it.
func varint(b []byte) (x int64, rest []byte, err error) {
	var v uint64
	for i, c := range b {
		if i == 8 {
			return int64(v<<8 | uint64(c)), b[i+1:], nil
		}
		if v = v<<7 | uint64(c&0x7f); c < 0x80 {
			return int64(v), b[i+1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%w: a number is cut off", ErrCorrupt)
}

// row decodes a cell into the values of the table's columns.
func (r *Rows) row(cell []byte) error {
	size, cell, err := varint(cell)
	if err != nil {
		return err
	}
	rowid := int64(0)
	if !r.table.withoutRowID {
		if rowid, cell, err = varint(cell); err != nil {
			return err
		}
	}
	payload, err := r.payload(cell, size)
	if err != nil {
		return err
	}
	return r.record(payload, rowid)
}

// payload puts together what lies in the cell and on overflow pages.
func (r *Rows) payload(cell []byte, size int64) ([]byte, error) {
	if size < 0 || size > maxPayload {
		return nil, fmt.Errorf("%w: a row of %d bytes", ErrTooLarge, uint64(size))
	}
	u, p := r.f.usable, int(size)
	most := u - 35
	if r.table.withoutRowID {
		most = (u-12)*64/255 - 23
	}
	local := p
	if p > most {
		least := (u-12)*32/255 - 23
		if local = least + (p-least)%(u-4); local > most {
			local = least
		}
	}
	if local > len(cell) || local < p && local+4 > len(cell) {
		return nil, fmt.Errorf("%w: a row of %d bytes does not fit its page", ErrCorrupt, p)
	}
	if local == p {
		return cell[:p], nil
	}
	out := append([]byte(nil), cell[:local]...)
	next := binary.BigEndian.Uint32(cell[local:])
	for len(out) < p {
		b, err := r.page(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(b)
		out = append(out, b[4:min(u, 4+p-len(out))]...)
	}
	return out, nil
}

// record decodes a row.
func (r *Rows) record(b []byte, rowid int64) error {
	size, rest, err := varint(b)
	if err != nil {
		return err
	}
	if size < 1 || size > int64(len(b)) {
		return fmt.Errorf("%w: a row's header of %d bytes", ErrCorrupt, size)
	}
	header, body := b[len(b)-len(rest):size], b[size:]
	stored := r.table.stored
	clear(r.values)
	if r.values == nil {
		r.values = make([]Value, len(r.table.Columns))
	}
	at := 0
	for ; len(header) > 0; at++ {
		var kind int64
		if kind, header, err = varint(header); err != nil {
			return err
		}
		v, width, err := r.f.value(kind, body)
		if err != nil {
			return err
		}
		body = body[width:]
		if at < len(stored) && stored[at] >= 0 {
			r.values[stored[at]] = v
		}
	}
	for ; at < len(stored); at++ { // columns added after the row was written
		if j := stored[at]; j >= 0 {
			r.values[j] = r.table.Columns[j].fallback
		}
	}
	if r.table.rowid >= 0 {
		r.values[r.table.rowid] = rowid
	}
	return nil
}

// value decodes a value by its serial type.
func (f *File) value(kind int64, body []byte) (Value, int, error) {
	width := int64(0)
	switch {
	case kind >= 1 && kind <= 4:
		width = kind
	case kind == 5:
		width = 6
	case kind == 6, kind == 7:
		width = 8
	case kind == 0, kind == 8, kind == 9:
	case kind >= 12:
		width = (kind - 12) / 2
	default:
		return nil, 0, fmt.Errorf("%w: a value of type %d", ErrCorrupt, kind)
	}
	if width > int64(len(body)) {
		return nil, 0, fmt.Errorf("%w: a value of %d bytes where %d are left", ErrCorrupt, width, len(body))
	}
	b := body[:width]
	switch {
	case kind == 0:
		return nil, 0, nil
	case kind == 7:
		x := math.Float64frombits(binary.BigEndian.Uint64(b))
		return x, 8, nil
	case kind <= 6:
		x := int64(int8(b[0]))
		for _, c := range b[1:] {
			x = x<<8 | int64(c)
		}
		return x, int(width), nil
	case kind <= 9:
		return kind - 8, 0, nil
	case kind%2 == 1:
		return f.text(b), int(width), nil
	}
	return b, int(width), nil
}

// text decodes text of the file's encoding.
func (f *File) text(b []byte) string {
	if f.order == nil {
		return string(b)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = f.order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
