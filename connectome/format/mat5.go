package format

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/connectomewire/wire/connectome"
)

// MATLAB's MAT-file version 5 ("MAT-File Format", The MathWorks). No sound Go
// library for it was found: the kept ones are for version 7.3 only, or trust
// the sizes in element tags.

// MAT data types (miXXX) and array classes (mxXXX).
const (
	miINT8, miUINT8, miINT16, miUINT16, miINT32, miUINT32 = 1, 2, 3, 4, 5, 6
	miSINGLE, miDOUBLE, miINT64, miUINT64                 = 7, 9, 12, 13
	miMATRIX, miCOMPRESSED, miUTF8, miUTF16, miUTF32      = 14, 15, 16, 17, 18
	mxCELL, mxSTRUCT, mxOBJECT, mxCHAR, mxSPARSE          = 1, 2, 3, 4, 5
	mxDOUBLE, mxUINT64, mxOPAQUE                          = 6, 15, 17
)

// matReader decodes the elements of one file.
type matReader struct {
	s      *source
	order  binary.ByteOrder
	budget int64 // bytes that compressed elements may still expand to
	arrays []*array
	others []string // variables that are neither numbers nor text
	// strings are variables that stand for objects, whose texts come from the
	// subsystem.
	strings []*array
}

var errMAT = errors.New("element")

func (s *source) readMAT5() (*connectome.Connectome, error) {
	r, err := s.mat5()
	if err != nil {
		return nil, err
	}
	s.rep.Format = "MAT v5"
	c, err := s.arraysConnectome(r.arrays)
	if err != nil && len(r.arrays) == 0 && len(r.others) > 0 {
		return nil, s.failf(ErrUnsupported, 0, 0, "save the matrix as a plain variable of real numbers", "the file holds only %s", listOr(r.others, ""))
	}
	return c, err
}

// mat5 reads the variables of a file.
func (s *source) mat5() (*matReader, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	if len(data) < 128 {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "a MAT-file of %d bytes", len(data))
	}
	r := &matReader{s: s, order: binary.LittleEndian, budget: s.cfg.maxBytes}
	if string(data[126:128]) == "MI" {
		r.order = binary.BigEndian
	}
	if err := r.file(data[128:]); err != nil {
		return nil, err
	}
	if at := r.order.Uint64(data[116:124]); at > 128 && at < uint64(len(data)) {
		r.subsystem(data[at:])
	}
	return r, nil
}

func (r *matReader) file(data []byte) error {
	for len(data) >= 8 {
		kind, body, rest, err := r.element(data)
		if err != nil {
			return r.s.failf(ErrTruncated, 0, 0, "fetch or save the file again", "%v", err)
		}
		data = rest
		switch kind {
		case miCOMPRESSED:
			if body, err = r.inflate(body); err != nil {
				return err
			}
			if len(body) < 8 {
				continue
			}
			inner, body2, _, err := r.element(body)
			if err != nil {
				return r.s.failf(ErrTruncated, 0, 0, "fetch or save the file again", "%v", err)
			}
			if inner == miMATRIX {
				if err := r.variable(body2); err != nil {
					return err
				}
			}
		case miMATRIX:
			if err := r.variable(body); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *matReader) inflate(body []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, r.s.failf(ErrCorrupt, 0, 0, "fetch or save the file again", "%v", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, r.budget+1))
	if int64(len(out)) > r.budget {
		return nil, r.s.failf(ErrTooLarge, 0, 0, "raise the bound with --max-bytes if the file is sound", "variables expand beyond %d bytes", r.s.cfg.maxBytes)
	}
	r.budget -= int64(len(out))
	if err != nil && len(out) == 0 {
		return nil, r.s.failf(ErrCorrupt, 0, 0, "fetch or save the file again", "%v", err)
	}
	return out, nil // a cut-off element shows when it is decoded
}

// element splits the first element off data: its type, its body and what
// follows. Elements of up to four bytes are packed in their tag; the others
// are padded to eight bytes, except compressed ones.
func (r *matReader) element(data []byte) (kind int, body, rest []byte, err error) {
	if len(data) < 8 {
		return 0, nil, nil, fmt.Errorf("%w cut off in its tag", errMAT)
	}
	tag := r.order.Uint32(data)
	if size := tag >> 16; size != 0 {
		if size > 4 {
			return 0, nil, nil, fmt.Errorf("%w of %d bytes packed in a tag of four", errMAT, size)
		}
		return int(tag & 0xffff), data[4 : 4+size], data[8:], nil
	}
	size := int64(r.order.Uint32(data[4:]))
	if size > int64(len(data)-8) {
		return 0, nil, nil, fmt.Errorf("%w of %d bytes, of which %d are there", errMAT, size, len(data)-8)
	}
	body, rest = data[8:8+size], data[8+size:]
	if pad := int(-size & 7); tag != miCOMPRESSED {
		rest = rest[min(pad, len(rest)):]
	}
	return int(tag), body, rest, nil
}

func (r *matReader) variable(body []byte) error {
	a, class, err := r.matrix(body, 0)
	if err != nil {
		if errors.Is(err, errMAT) {
			return r.s.failf(ErrTruncated, 0, 0, "fetch or save the file again", "%v", err)
		}
		return err
	}
	if a == nil {
		return nil
	}
	switch class {
	case mxSTRUCT, mxOBJECT:
		return nil // its fields were added one by one
	case mxOPAQUE:
		r.others = append(r.others, a.name)
		return nil
	}
	if a.text == nil && a.data == nil && len(a.shape) == 0 {
		r.others = append(r.others, a.name)
		return nil
	}
	r.arrays = append(r.arrays, a)
	return nil
}

// maxMATDepth bounds cells and structures within each other.
const maxMATDepth = 16

// matrix decodes an miMATRIX element.
func (r *matReader) matrix(body []byte, depth int) (*array, int, error) {
	if depth > maxMATDepth {
		return nil, 0, fmt.Errorf("%w: cells nested more than %d deep", errMAT, maxMATDepth)
	}
	if len(body) == 0 { // an empty cell
		return &array{text: []string{""}}, mxCHAR, nil
	}
	_, flags, rest, err := r.element(body)
	if err != nil {
		return nil, 0, err
	}
	if len(flags) < 8 {
		return nil, 0, fmt.Errorf("%w without flags", errMAT)
	}
	word := r.order.Uint32(flags)
	class := int(word & 0xff)
	if class == mxOPAQUE {
		_, name, rest, err := r.element(rest)
		if err == nil && depth == 0 && r.object(string(name), rest) {
			return nil, class, nil
		}
		return &array{name: string(name)}, class, err
	}
	kind, dims, rest, err := r.element(rest)
	if err != nil {
		return nil, 0, err
	}
	_, name, rest, err := r.element(rest)
	if err != nil {
		return nil, 0, err
	}
	sizes, ok := r.numbers(kind, dims)
	if !ok {
		return nil, 0, fmt.Errorf("%w: dimensions of type %d", errMAT, kind)
	}
	a := &array{name: string(name), columnMajor: true}
	count := int64(1)
	for _, n := range sizes {
		if !(n >= 0 && n <= math.MaxInt32) || n > 0 && float64(count) > float64(math.MaxInt64/2)/n {
			return nil, 0, fmt.Errorf("%w %q: dimension %v", errMAT, a.name, n)
		}
		a.shape = append(a.shape, int(n))
		count *= int64(n)
	}
	if len(a.shape) > 32 {
		return nil, 0, fmt.Errorf("%w %q: %d dimensions", errMAT, a.name, len(a.shape))
	}
	switch {
	case class == mxCELL:
		err = r.cell(a, rest, count, depth)
	case class == mxSTRUCT:
		err = r.structure(a, rest, count, depth)
	case class == mxCHAR:
		err = r.char(a, rest)
	case class == mxSPARSE:
		err = r.sparse(a, rest)
	case class >= mxDOUBLE && class <= mxUINT64:
		err = r.numeric(a, rest, count)
		if err == nil && word&complexFlag != 0 && r.imaginary(rest) {
			a.name, a.shape, a.data = a.name+" (complex)", nil, nil
		}
	default:
		a.shape = nil
	}
	return a, class, err
}

// numbers decodes the numbers of an element; ok is false for other types.
func (r *matReader) numbers(kind int, body []byte) (x []float64, ok bool) {
	name := map[int]string{miINT8: "i1", miUINT8: "u1", miINT16: "i2", miUINT16: "u2", miINT32: "i4", miUINT32: "u4",
		miSINGLE: "f4", miDOUBLE: "f8", miINT64: "i8", miUINT64: "u8", miUTF8: "u1", miUTF16: "u2", miUTF32: "u4"}[kind]
	width, decode := npyNumber(name, r.order)
	if decode == nil {
		return nil, false
	}
	x = make([]float64, len(body)/width)
	for i := range x {
		x[i] = decode(body[i*width:])
	}
	return x, true
}

// numeric decodes a full array: doubles may be stored in a smaller type.
func (r *matReader) numeric(a *array, rest []byte, count int64) error {
	kind, body, _, err := r.element(rest)
	if err != nil {
		return fmt.Errorf("%q: %w", a.name, err)
	}
	x, ok := r.numbers(kind, body)
	if !ok {
		return fmt.Errorf("%w of %q: type %d", errMAT, a.name, kind)
	}
	if int64(len(x)) < count {
		return fmt.Errorf("%w: %q has %d of %d values", errMAT, a.name, len(x), count)
	}
	a.data = x[:count]
	return nil
}

// complexFlag marks arrays with a second, imaginary part.
const complexFlag = 0x800

// imaginary says whether the second part of an array is anything but zeros.
func (r *matReader) imaginary(rest []byte) bool {
	_, _, rest, err := r.element(rest)
	if err != nil {
		return false
	}
	kind, body, _, err := r.element(rest)
	if err != nil {
		return false
	}
	x, _ := r.numbers(kind, body)
	return slices.ContainsFunc(x, func(v float64) bool { return v != 0 })
}

// char decodes a character array into its rows, column-major like all
// arrays.
func (r *matReader) char(a *array, rest []byte) error {
	kind, body, _, err := r.element(rest)
	if err != nil {
		return fmt.Errorf("%q: %w", a.name, err)
	}
	var units []rune
	switch kind {
	case miUTF8, miINT8, miUINT8:
		units = []rune(string(body))
	case miUTF16, miUINT16, miINT16:
		u := make([]uint16, len(body)/2)
		for i := range u {
			u[i] = r.order.Uint16(body[2*i:])
		}
		units = utf16.Decode(u)
	case miUTF32, miUINT32, miINT32:
		for i := 0; i+4 <= len(body); i += 4 {
			units = append(units, rune(r.order.Uint32(body[i:])))
		}
	default:
		return fmt.Errorf("%w of %q: characters of type %d", errMAT, a.name, kind)
	}
	rows := 1
	if len(a.shape) > 0 {
		rows = a.shape[0]
	}
	if rows > len(units) {
		rows = len(units)
	}
	a.text = make([]string, rows)
	if rows == 0 {
		a.text = []string{""}
		return nil
	}
	columns := len(units) / rows
	for i := range rows {
		var b strings.Builder
		for j := range columns {
			b.WriteRune(units[j*rows+i])
		}
		a.text[i] = strings.Trim(b.String(), " \t\r\n\x00") // rows are padded to one width, on either side
	}
	return nil
}

// inner decodes the next array of a cell or a structure, and returns what
// stands after it.
func (r *matReader) inner(a *array, rest []byte, depth int) (e *array, class int, after []byte, err error) {
	if len(rest) < 8 {
		return nil, 0, nil, fmt.Errorf("%w: %q ends early", errMAT, a.name)
	}
	kind, body, after, err := r.element(rest)
	if err != nil {
		return nil, 0, nil, err
	}
	if kind != miMATRIX {
		return nil, 0, nil, fmt.Errorf("%w of %q: type %d inside", errMAT, a.name, kind)
	}
	e, class, err = r.matrix(body, depth+1)
	return e, class, after, err
}

// cell decodes a cell array of texts. A cell array of other things is listed
// as neither numbers nor text.
func (r *matReader) cell(a *array, rest []byte, count int64, depth int) error {
	var texts []string
	for range count {
		e, _, after, err := r.inner(a, rest, depth)
		if err != nil {
			return err
		}
		rest = after
		switch {
		case e.text != nil:
			texts = append(texts, strings.TrimSpace(strings.Join(e.text, " ")))
		case len(e.data) == 1:
			texts = append(texts, formatFloats(e.data))
		default:
			a.shape = nil
			return nil
		}
	}
	a.text = texts
	if a.text == nil {
		a.text = []string{}
	}
	return nil
}

// structure adds the fields of a single structure as variables of their own:
// name.field.
func (r *matReader) structure(a *array, rest []byte, count int64, depth int) error {
	if count != 1 {
		r.others = append(r.others, a.name)
		return nil
	}
	_, size, rest, err := r.element(rest)
	if err != nil {
		return err
	}
	_, names, rest, err := r.element(rest)
	if err != nil {
		return err
	}
	if len(size) < 4 {
		return fmt.Errorf("%w of %q: field name length", errMAT, a.name)
	}
	width := int(r.order.Uint32(size))
	if width <= 0 || width > 1024 {
		return fmt.Errorf("%w of %q: field names of %d bytes", errMAT, a.name, width)
	}
	for ; len(names) >= width; names = names[width:] {
		f, class, after, err := r.inner(a, rest, depth)
		if err != nil {
			return err
		}
		rest = after
		field, _, _ := bytes.Cut(names[:width], []byte{0})
		f.name = a.name + "." + string(field)
		if class != mxSTRUCT && (f.text != nil || f.data != nil) {
			r.arrays = append(r.arrays, f)
		}
	}
	return nil
}

// sparse decodes a sparse matrix into a full one, within reason.
func (r *matReader) sparse(a *array, rest []byte) error {
	var part [3][]float64 // row indices, column starts, values
	for k := range part {
		kind, body, after, err := r.element(rest)
		if err != nil {
			return fmt.Errorf("%q: %w", a.name, err)
		}
		rest = after
		x, ok := r.numbers(kind, body)
		if !ok {
			return fmt.Errorf("%w of %q: type %d", errMAT, a.name, kind)
		}
		part[k] = x
	}
	if len(a.shape) != 2 {
		return fmt.Errorf("%w: %q is sparse with %d dimensions", errMAT, a.name, len(a.shape))
	}
	full, err := sparseArray(a.name, a.shape[0], part[0], part[1], part[2])
	if err != nil {
		return fmt.Errorf("%w of %v", errMAT, err)
	}
	if len(part[1]) != a.shape[1]+1 {
		return fmt.Errorf("%w: %q has %d column starts for %d columns", errMAT, a.name, len(part[1]), a.shape[1])
	}
	a.data, a.shape = full.data, full.shape
	return nil
}

// maxSparse bounds the rows of a sparse matrix that is read as a full one.
const maxSparse = 8192

// sparseArray expands a matrix in compressed sparse columns.
func sparseArray(name string, rows int, ir, jc, values []float64) (*array, error) {
	columns := len(jc) - 1
	if columns < 0 || rows < 0 || rows > maxSparse || columns > maxSparse {
		return nil, fmt.Errorf("%q: a sparse matrix of %d × %d is not supported", name, rows, columns)
	}
	if int64(rows)*int64(columns) > 1<<16+4096*int64(len(values)) {
		return nil, fmt.Errorf("%q: a sparse matrix of %d × %d with %d entries is not supported", name, rows, columns, len(values))
	}
	a := &array{name: name, shape: []int{rows, columns}, columnMajor: true, data: make([]float64, rows*columns)}
	if !slices.IsSorted(jc) {
		return nil, fmt.Errorf("%q: column starts are not sorted", name)
	}
	for j := range columns {
		lo, hi := jc[j], jc[j+1]
		if !(lo >= 0 && hi <= float64(len(ir)) && hi <= float64(len(values))) {
			return nil, fmt.Errorf("%q: column %d spans %v to %v of %d", name, j, lo, hi, len(ir))
		}
		for k := int(lo); k < int(hi); k++ {
			if i := ir[k]; i >= 0 && i < float64(rows) {
				a.data[j*rows+int(i)] = values[k]
			} else {
				return nil, fmt.Errorf("%q: row %v of %d", name, i, rows)
			}
		}
	}
	return a, nil
}
