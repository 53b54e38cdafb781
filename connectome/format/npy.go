package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format/internal/pickle"
)

// NumPy's NPY (format versions 1 to 3, C or Fortran order) and NPZ.
//
// github.com/sbinet/npyio v0.6.0 was tried and not used: it allocates the
// header's declared length before reading, panics on a header without a
// newline or with its keys in another order, and refuses version 3 and more
// than two dimensions, all of which occur here.

func (s *source) readNPY() (*connectome.Connectome, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	a, err := s.parseNPY(data, stem(s.name))
	if err != nil {
		return nil, err
	}
	s.rep.Format = "NPY"
	if a.columnMajor {
		s.rep.Dialect = "Fortran order"
	}
	c, err := s.arraysConnectome([]*array{a})
	if err == nil && s.rep.Variable == a.name {
		s.rep.Variable = ""
	}
	return c, err
}

// parseNPY decodes an array of numbers or of text.
func (s *source) parseNPY(data []byte, name string) (*array, error) {
	bad := func(kind error, format string, args ...any) error {
		return s.failf(kind, 0, 0, "save it again with numpy.save", format, args...)
	}
	if len(data) < 10 || string(data[:6]) != "\x93NUMPY" {
		return nil, bad(ErrCorrupt, "no NPY header")
	}
	var size, at int
	switch data[6] {
	case 1:
		size, at = int(binary.LittleEndian.Uint16(data[8:])), 10
	case 2, 3:
		if len(data) < 12 {
			return nil, bad(ErrTruncated, "the header is cut off")
		}
		size, at = int(binary.LittleEndian.Uint32(data[8:])), 12
	default:
		return nil, bad(ErrUnsupported, "NPY version %d", data[6])
	}
	if size > len(data)-at {
		return nil, bad(ErrTruncated, "the header is cut off")
	}
	descr, fortran, shape, err := npyHeader(string(data[at : at+size]))
	if err != nil {
		return nil, bad(ErrCorrupt, "%v", err)
	}
	body := data[at+size:]
	a := &array{name: name, shape: shape, columnMajor: fortran}
	count := 1
	for _, n := range shape {
		if n < 0 || n > 0 && count > math.MaxInt32*64/n {
			return nil, bad(ErrTooLarge, "shape (%s)", shapeText(shape))
		}
		count *= n
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if strings.HasPrefix(descr, ">") {
		order = binary.BigEndian
	}
	kind := strings.TrimLeft(descr, "<>|=")
	if strings.HasPrefix(kind, "U") || strings.HasPrefix(kind, "S") {
		return s.npyText(a, body, kind, order, count)
	}
	if strings.HasPrefix(kind, "[") {
		return s.npyRecords(a, body, descr, count)
	}
	if strings.HasPrefix(kind, "O") {
		return s.npyObjects(a, body, count)
	}
	width, decode := npyNumber(kind, order)
	if decode == nil {
		return nil, s.failf(ErrUnsupported, 0, 0, "save a plain array of numbers", "element type %q", descr)
	}
	if len(body) < count*width {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "%d bytes where %s elements of %d bytes are declared", len(body), shapeText(shape), width)
	}
	a.data = make([]float64, count)
	for i := range a.data {
		a.data[i] = decode(body[i*width:])
	}
	return a, nil
}

// npyHeader reads the Python dictionary {'descr': …, 'fortran_order': …,
// 'shape': (…)}, whose keys may come in any order.
func npyHeader(h string) (descr string, fortran bool, shape []int, err error) {
	value := func(key string) (string, bool) {
		i := strings.Index(h, "'"+key+"'")
		if i < 0 {
			return "", false
		}
		_, v, ok := strings.Cut(h[i:], ":")
		return strings.TrimSpace(v), ok
	}
	v, ok := value("descr")
	if !ok || len(v) < 2 {
		return "", false, nil, errors.New("the header names no element type")
	}
	if v[0] == '[' {
		end := strings.IndexByte(v, ']')
		if end < 0 {
			return "", false, nil, errors.New("the fields of the elements are not closed")
		}
		descr = v[:end+1]
	} else {
		end := strings.IndexByte(v[1:], v[0])
		if end < 0 {
			return "", false, nil, errors.New("the element type is not quoted")
		}
		descr = v[1 : 1+end]
	}
	v, ok = value("fortran_order")
	if !ok {
		return "", false, nil, errors.New("the header names no order")
	}
	fortran = strings.HasPrefix(v, "True")
	v, ok = value("shape")
	open, end := strings.IndexByte(v, '('), strings.IndexByte(v, ')')
	if !ok || open != 0 || end < 0 {
		return "", false, nil, errors.New("the header names no shape")
	}
	for _, f := range strings.Split(v[1:end], ",") {
		f = strings.TrimSuffix(strings.TrimSpace(f), "L") // Python 2
		if f == "" {
			continue
		}
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 {
			return "", false, nil, fmt.Errorf("shape %q", v[:end+1])
		}
		if shape = append(shape, n); len(shape) > 32 {
			return "", false, nil, errors.New("more than 32 dimensions")
		}
	}
	return descr, fortran, shape, nil
}

// npyField is one field of the elements of a structured array.
type npyField struct {
	name, descr   string
	width, repeat int
	decode        func([]byte) float64 // nil for text
}

var npyFieldPattern = regexp.MustCompile(`\(\s*(?:'([^']*)'|"([^"]*)")\s*,\s*'([^']*)'\s*(?:,\s*\(([0-9, ]*)\)\s*)?\)`)

// npyFields reads a list such as [('source', '<i8'), ('name', '<U8')].
func npyFields(descr string) (fields []npyField, size int, err error) {
	for _, m := range npyFieldPattern.FindAllStringSubmatch(descr, -1) {
		f := npyField{name: m[1] + m[2], descr: m[3], repeat: 1}
		order := binary.ByteOrder(binary.LittleEndian)
		if strings.HasPrefix(f.descr, ">") {
			order = binary.BigEndian
		}
		kind := strings.TrimLeft(f.descr, "<>|=")
		if f.width, f.decode = npyNumber(kind, order); f.decode == nil {
			n, err := strconv.Atoi(strings.TrimLeft(kind, "USV"))
			if err != nil || n < 0 || n > 1<<20 || !strings.ContainsAny(kind[:1], "USV") {
				return nil, 0, fmt.Errorf("field %q of type %q", f.name, f.descr)
			}
			if f.width = n; kind[0] == 'U' {
				f.width = 4 * n
			}
		}
		for _, d := range strings.FieldsFunc(m[4], func(r rune) bool { return r == ',' || r == ' ' }) {
			n, err := strconv.Atoi(d)
			if err != nil || n < 0 || n > 1<<20 || f.repeat > 1<<20 {
				return nil, 0, fmt.Errorf("field %q of shape (%s)", f.name, m[4])
			}
			f.repeat *= n
		}
		if size += f.width * f.repeat; size > 1<<24 || len(fields) > 1000 {
			return nil, 0, errors.New("too many or too large fields")
		}
		fields = append(fields, f)
	}
	if len(fields) == 0 || size == 0 {
		return nil, 0, fmt.Errorf("fields %.60s", descr)
	}
	return fields, size, nil
}

// npyRecords reads a structured array as a table whose columns are the fields.
func (s *source) npyRecords(a *array, body []byte, descr string, count int) (*array, error) {
	fields, size, err := npyFields(descr)
	if err != nil {
		return nil, s.failf(ErrUnsupported, 0, 0, "save one plain array of numbers", "a structured array: %v", err)
	}
	if count > len(body)/size {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "%d bytes where %d records of %d bytes are declared", len(body), count, size)
	}
	a.records = &tableText{}
	var row []string
	for _, f := range fields {
		if f.repeat == 1 {
			row = append(row, f.name)
		}
	}
	a.records.row(row...)
	from, _ := edgeEnds(row)
	a.fields, a.namesEnds = len(row), from >= 0
	a.records.count = count
	a.records.rest = func(i int) []string {
		at := body[i*size:]
		row = row[:0]
		for _, f := range fields {
			cell := at[:f.width*f.repeat]
			at = at[len(cell):]
			switch {
			case f.repeat != 1:
			case f.decode != nil:
				row = append(row, number(f.decode(cell)))
			default:
				order := binary.ByteOrder(binary.LittleEndian)
				if strings.HasPrefix(f.descr, ">") {
					order = binary.BigEndian
				}
				row = append(row, npyCell(cell, strings.Contains(f.descr, "U"), order))
			}
		}
		return row
	}
	return a, nil
}

// npyObjects reads an array of pickled objects that are texts. Nothing of a
// pickle is ever run.
func (s *source) npyObjects(a *array, body []byte, count int) (*array, error) {
	v, err := pickle.Load(body)
	if err != nil {
		return nil, s.failf(ErrUnsupported, 0, 0, "it holds pickled Python objects; save a plain array of numbers, or of text (array.astype(str))", "element type \"|O\": %v", err)
	}
	texts, ok := pickle.Texts(v)
	if !ok || len(texts) != count {
		return nil, s.failf(ErrUnsupported, 0, 0, "save a plain array of numbers, or of text (array.astype(str)): pickled objects are not run", "element type \"|O\": pickled objects that are no texts")
	}
	a.text = texts
	return a, nil
}

// npyNumber returns the width of an element type and its decoder, nil when
// the type is not a number.
func npyNumber(kind string, o binary.ByteOrder) (int, func([]byte) float64) {
	switch kind {
	case "f8":
		return 8, func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }
	case "f4":
		return 4, func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }
	case "f2":
		return 2, func(b []byte) float64 { return halfFloat(o.Uint16(b)) }
	case "i8":
		return 8, func(b []byte) float64 { return float64(int64(o.Uint64(b))) }
	case "i4":
		return 4, func(b []byte) float64 { return float64(int32(o.Uint32(b))) }
	case "i2":
		return 2, func(b []byte) float64 { return float64(int16(o.Uint16(b))) }
	case "i1":
		return 1, func(b []byte) float64 { return float64(int8(b[0])) }
	case "u8":
		return 8, func(b []byte) float64 { return float64(o.Uint64(b)) }
	case "u4":
		return 4, func(b []byte) float64 { return float64(o.Uint32(b)) }
	case "u2":
		return 2, func(b []byte) float64 { return float64(o.Uint16(b)) }
	case "u1":
		return 1, func(b []byte) float64 { return float64(b[0]) }
	case "b1", "?":
		return 1, func(b []byte) float64 {
			if b[0] != 0 {
				return 1
			}
			return 0
		}
	}
	return 0, nil
}

// halfFloat decodes IEEE 754 binary16.
func halfFloat(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// npyText decodes arrays of fixed-width text: U (UTF-32) and S (bytes).
func (s *source) npyText(a *array, body []byte, kind string, o binary.ByteOrder, count int) (*array, error) {
	width, err := strconv.Atoi(kind[1:])
	if err != nil || width < 0 || width > 1<<20 {
		return nil, s.failf(ErrCorrupt, 0, 0, "", "element type %q", kind)
	}
	unit := 1
	if kind[0] == 'U' {
		unit = 4
	}
	if len(body) < count*width*unit || width == 0 && count > 1<<20 {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "%d bytes where %d texts of %d characters are declared", len(body), count, width)
	}
	a.text = make([]string, count)
	for i := range a.text {
		cell := body[i*width*unit : (i+1)*width*unit]
		a.text[i] = npyCell(cell, unit == 4, o)
	}
	return a, nil
}

// npyCell decodes one text of fixed width.
func npyCell(cell []byte, utf32 bool, o binary.ByteOrder) string {
	var b strings.Builder
	if !utf32 {
		text, _, _ := bytes.Cut(cell, []byte{0})
		return strings.TrimSpace(string(text))
	}
	for k := 0; k+4 <= len(cell); k += 4 {
		r := rune(o.Uint32(cell[k:]))
		if r == 0 {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// isNPZ says whether an archive holds NumPy arrays and nothing else.
func (all members) isNPZ() bool {
	for _, m := range all {
		if path.Ext(m.name) != ".npy" {
			return false
		}
	}
	return len(all) > 0
}

func (s *source) readNPZ(all members) (*connectome.Connectome, error) {
	var arrays []*array
	var skipped []string
	left := s.cfg.maxBytes
	for _, m := range all {
		data, err := m.all()
		if err != nil {
			return nil, err
		}
		if left -= int64(len(data)); left < 0 {
			return nil, s.failf(ErrTooLarge, 0, 0, "raise the bound with --max-bytes if the file is sound", "the arrays expand beyond the bound")
		}
		a, err := m.parseNPY(data, strings.TrimSuffix(m.member, ".npy"))
		if errors.Is(err, ErrUnsupported) { // another array may be the connectome
			skipped = append(skipped, err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, a)
	}
	for _, why := range skipped {
		s.rep.Warnf("skipped-array", "an array is left out: %s", why)
	}
	s.rep.Format = "NPZ"
	if c, ok, err := s.readSparseNPZ(arrays); ok {
		return c, err
	}
	return s.arraysConnectome(arrays)
}
