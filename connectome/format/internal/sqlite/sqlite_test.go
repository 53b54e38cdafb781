package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const pageSize = 512

// number writes a variable-length integer.
func number(v uint64) []byte {
	if v >= 1<<56 {
		b := make([]byte, 9)
		b[8] = byte(v)
		v >>= 8
		for i := 7; i >= 0; i-- {
			b[i], v = byte(v&0x7f)|0x80, v>>7
		}
		return b
	}
	b := []byte{byte(v & 0x7f)}
	for v >>= 7; v > 0; v >>= 7 {
		b = append([]byte{byte(v&0x7f) | 0x80}, b...)
	}
	return b
}

// record writes a row's values.
func record(values ...Value) []byte {
	var header, body []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			header = append(header, 0)
		case int:
			switch {
			case v == 0 || v == 1:
				header = append(header, byte(8+v))
			case v >= math.MinInt8 && v <= math.MaxInt8:
				header, body = append(header, 1), append(body, byte(v))
			case v >= math.MinInt16 && v <= math.MaxInt16:
				header, body = append(header, 2), binary.BigEndian.AppendUint16(body, uint16(v))
			case v >= -1<<23 && v < 1<<23:
				header, body = append(header, 3), append(body, byte(v>>16), byte(v>>8), byte(v))
			case v >= math.MinInt32 && v <= math.MaxInt32:
				header, body = append(header, 4), binary.BigEndian.AppendUint32(body, uint32(v))
			case v >= -1<<47 && v < 1<<47:
				header, body = append(header, 5), binary.BigEndian.AppendUint32(append(body, byte(v>>40), byte(v>>32)), uint32(v))
			default:
				header, body = append(header, 6), binary.BigEndian.AppendUint64(body, uint64(v))
			}
		case float64:
			header, body = append(header, 7), binary.BigEndian.AppendUint64(body, math.Float64bits(v))
		case string:
			header, body = append(header, number(uint64(13+2*len(v)))...), append(body, v...)
		case []byte:
			header, body = append(header, number(uint64(12+2*len(v)))...), append(body, v...)
		}
	}
	return append(append([]byte{byte(len(header) + 1)}, header...), body...)
}

// database is a file that is put together page by page, the first is page 1.
type database struct{ pages [][]byte }

// page adds a page of cells and returns its number; inner pages name the right
// child in right.
func (d *database) page(kind byte, right uint32, cells ...[]byte) uint32 {
	p := make([]byte, pageSize)
	at := 0
	if len(d.pages) == 0 {
		at = 100
		copy(p, Magic)
		binary.BigEndian.PutUint16(p[16:], pageSize)
		p[18], p[19] = 1, 1
		binary.BigEndian.PutUint32(p[56:], 1)
	}
	p[at] = kind
	binary.BigEndian.PutUint16(p[at+3:], uint16(len(cells)))
	header := 8
	if kind == innerTable || kind == innerIndex {
		header = 12
		binary.BigEndian.PutUint32(p[at+8:], right)
	}
	end := pageSize
	for i, c := range cells {
		end -= max(len(c), 4)
		copy(p[end:], c)
		binary.BigEndian.PutUint16(p[at+header+2*i:], uint16(end))
	}
	d.pages = append(d.pages, p)
	return uint32(len(d.pages))
}

// cell is a leaf's, of a row with its number.
func cell(rowid int, values ...Value) []byte {
	r := record(values...)
	return slices.Concat(number(uint64(len(r))), number(uint64(rowid)), r)
}

// schema begins a database with one table, whose root is page 2.
func schema(sql string) *database {
	d := &database{}
	d.page(leafTable, 0, cell(1, "table", "t", "t", 2, sql))
	return d
}

func (d *database) bytes() []byte { return slices.Concat(d.pages...) }

// read returns all rows of the only table, as text.
func read(data []byte) (string, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", err
	}
	tables, err := f.Tables()
	if err != nil {
		return "", err
	}
	if len(tables) != 1 {
		return "", fmt.Errorf("%d tables", len(tables))
	}
	var out []string
	rows := f.Rows(tables[0])
	for rows.Next() {
		out = append(out, strings.Trim(fmt.Sprintf("%v", rows.Values()), "[]"))
	}
	return strings.Join(out, ", "), rows.Err()
}

func TestValuesOfEveryType(t *testing.T) {
	values := []Value{nil, 0, 1, -1, 127, -128, 128, -32768, 40000, -8388608, 1 << 30, -1 << 31, 1 << 40, -1 << 47, 1 << 62, math.MinInt64, 2.5, math.Inf(-1), "", "région", []byte{1, 2}}
	var names []string
	for i := range values {
		names = append(names, fmt.Sprint("c", i))
	}
	d := schema("CREATE TABLE t(" + strings.Join(names, ",") + ")")
	d.page(leafTable, 0, cell(1, values...))
	f, err := Open(bytes.NewReader(d.bytes()), int64(len(d.bytes())))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	rows := f.Rows(tables[0])
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	for i, got := range rows.Values() {
		want := values[i]
		if n, ok := want.(int); ok {
			want = int64(n)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("value %d is %#v, want %#v", i, got, want)
		}
	}
	if rows.Next() || rows.Err() != nil {
		t.Errorf("another row, or %v", rows.Err())
	}
}

func TestRows(t *testing.T) {
	long := strings.Repeat("abcdefghij", 200) // overflows onto four pages
	shorter := strings.Repeat("abcdefghij", 190)
	overflowing := func(long string) *database {
		d := schema("CREATE TABLE t(id INTEGER PRIMARY KEY, x, y DEFAULT 7)")
		r := record(nil, long)
		const least = (pageSize-12)*32/255 - 23
		local := least + (len(r)-least)%(pageSize-4)
		if local > pageSize-35 {
			local = least
		}
		d.page(leafTable, 0, cell(4, nil, "short"), slices.Concat(number(uint64(len(r))), number(9), r[:local], []byte{0, 0, 0, 3}))
		for rest := r[local:]; len(rest) > 0; {
			p := make([]byte, pageSize)
			n := copy(p[4:], rest)
			if rest = rest[n:]; len(rest) > 0 {
				binary.BigEndian.PutUint32(p, uint32(len(d.pages)+2))
			}
			d.pages = append(d.pages, p)
		}
		return d
	}
	deep := func() *database {
		d := schema("CREATE TABLE t(x)")
		// Root with two children, the right one with two leaves.
		d.page(innerTable, 4, slices.Concat([]byte{0, 0, 0, 3}, number(2)))
		d.page(leafTable, 0, cell(1, "a"), cell(2, "b"))
		d.page(innerTable, 6, slices.Concat([]byte{0, 0, 0, 5}, number(3)))
		d.page(leafTable, 0, cell(3, "c"))
		d.page(leafTable, 0, cell(4, "d"), cell(5, "e"))
		return d
	}
	index := func() *database {
		d := schema("CREATE TABLE t(x, k PRIMARY KEY) WITHOUT ROWID")
		of := func(k string, x int) []byte { r := record(k, x); return append(number(uint64(len(r))), r...) }
		d.page(innerIndex, 4, append([]byte{0, 0, 0, 3}, of("b", 2)...))
		d.page(leafIndex, 0, of("a", 3))
		d.page(leafIndex, 0, of("c", 4))
		return d
	}
	for name, x := range map[string]struct {
		d    *database
		want string
	}{
		"overflow, the row's number and a default": {overflowing(long), "4 short 7, 9 " + long + " 7"},
		"overflow of another length":               {overflowing(shorter), "4 short 7, 9 " + shorter + " 7"},
		"several levels, in order":                 {deep(), "a, b, c, d, e"},
		"without row numbers, keys first":          {index(), "3 a, 2 b, 4 c"},
	} {
		if got, err := read(x.d.bytes()); err != nil || got != x.want {
			t.Errorf("%s: %.80s, %v; want %.80s", name, got, err, x.want)
		}
	}
}

func TestUTF16(t *testing.T) {
	for encoding, order := range map[uint32]binary.AppendByteOrder{2: binary.LittleEndian, 3: binary.BigEndian} {
		text := func(s string) string {
			var b []byte
			for _, r := range s {
				b = order.AppendUint16(b, uint16(r))
			}
			return string(b)
		}
		d := &database{}
		d.page(leafTable, 0, cell(1, text("table"), text("t"), text("t"), 2, text("CREATE TABLE t(x)")))
		d.page(leafTable, 0, cell(1, text("gyrus é")))
		binary.BigEndian.PutUint32(d.pages[0][56:], encoding)
		if got, err := read(d.bytes()); err != nil || got != "gyrus é" {
			t.Errorf("encoding %d: %q, %v", encoding, got, err)
		}
	}
}

func TestDamagedDatabases(t *testing.T) {
	good := func() *database {
		d := schema("CREATE TABLE t(x)")
		d.page(innerTable, 4, slices.Concat([]byte{0, 0, 0, 3}, number(1)))
		d.page(leafTable, 0, cell(1, "a"))
		d.page(leafTable, 0, cell(2, "b"))
		return d
	}
	if got, err := read(good().bytes()); err != nil || got != "a, b" {
		t.Fatalf("the whole file: %q, %v", got, err)
	}
	for name, x := range map[string]struct {
		spoil func(d *database) []byte
		is    error
		want  string
	}{
		"cut header":        {func(d *database) []byte { return d.bytes()[:60] }, ErrCorrupt, "the header is cut off"},
		"other magic":       {func(d *database) []byte { d.pages[0][3] = 'x'; return d.bytes() }, ErrCorrupt, "not a SQLite database"},
		"page size":         {func(d *database) []byte { d.pages[0][17] = 3; return d.bytes() }, ErrCorrupt, "pages of 515 bytes"},
		"reserved bytes":    {func(d *database) []byte { d.pages[0][20] = 200; return d.bytes() }, ErrCorrupt, "312 of 512 bytes"},
		"version":           {func(d *database) []byte { d.pages[0][19] = 3; return d.bytes() }, ErrUnsupported, "read version 3"},
		"encoding":          {func(d *database) []byte { d.pages[0][59] = 9; return d.bytes() }, ErrCorrupt, "text encoding 9"},
		"cut page":          {func(d *database) []byte { return d.bytes()[:3*pageSize+10] }, ErrCorrupt, "page 4 of 3"},
		"kind of a page":    {func(d *database) []byte { d.pages[2][0] = 7; return d.bytes() }, ErrCorrupt, "page 3 of kind 7"},
		"index in a table":  {func(d *database) []byte { d.pages[2][0] = leafIndex; return d.bytes() }, ErrCorrupt, "page 3 of kind 10 in table t"},
		"a loop":            {func(d *database) []byte { binary.BigEndian.PutUint32(d.pages[1][8:], 2); return d.bytes() }, ErrCorrupt, "page 2 is used twice"},
		"page 0":            {func(d *database) []byte { binary.BigEndian.PutUint32(d.pages[1][8:], 0); return d.bytes() }, ErrCorrupt, "page 0 of 4"},
		"too many cells":    {func(d *database) []byte { d.pages[2][3] = 9; return d.bytes() }, ErrCorrupt, "page 3 with 2305 cells"},
		"cell in the head":  {func(d *database) []byte { d.pages[2][8], d.pages[2][9] = 0, 3; return d.bytes() }, ErrCorrupt, "a cell at byte 3"},
		"row too large":     {func(d *database) []byte { d.pages[2] = spoilt(number(1<<40), number(1)); return d.bytes() }, ErrTooLarge, "a row of 1099511627776 bytes"},
		"negative size":     {func(d *database) []byte { d.pages[2] = spoilt(number(math.MaxUint64), number(1)); return d.bytes() }, ErrTooLarge, "a row of"},
		"header too long":   {func(d *database) []byte { d.pages[2] = spoilt([]byte{2, 1, 9, 9}); return d.bytes() }, ErrCorrupt, "a row's header of 9 bytes"},
		"type that is none": {func(d *database) []byte { d.pages[2] = spoilt([]byte{2, 1, 2, 10}); return d.bytes() }, ErrCorrupt, "a value of type 10"},
		"value cut off":     {func(d *database) []byte { d.pages[2] = spoilt([]byte{2, 1, 2, 6}); return d.bytes() }, ErrCorrupt, "a value of 8 bytes where 0 are left"},
		"table's statement": {func(d *database) []byte {
			return append((&database{pages: [][]byte{first("CREATE TABLE t")}}).bytes(), slices.Concat(d.pages[1:]...)...)
		}, ErrCorrupt, `table "t": no list of columns`},
	} {
		data := x.spoil(good())
		if _, err := read(data); !errors.Is(err, x.is) || !strings.Contains(fmt.Sprint(err), x.want) {
			t.Errorf("%s: %v, want %v: %s", name, err, x.is, x.want)
		}
	}
}

// spoilt is a leaf page whose only cell begins with these bytes.
func spoilt(parts ...[]byte) []byte {
	d := &database{pages: [][]byte{nil}}
	d.page(leafTable, 0, slices.Concat(parts...))
	return d.pages[1][:pageSize:pageSize]
}

// first is the first page of a database with a table.
func first(sql string) []byte { return schema(sql).pages[0] }
