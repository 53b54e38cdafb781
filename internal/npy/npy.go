// Package npy reads and writes NumPy's arrays (NEP 1, format versions 1 to 3)
// value by value, so that an array need not fit into memory twice.
//
// github.com/sbinet/npyio v0.6.0 was tried and not used: it allocates the
// header's declared length before it reads, panics on a header without a
// newline or with its keys in another order, and refuses version 3 and more
// than two dimensions.
package npy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/half"
)

// Errors that reading wraps.
var (
	// ErrFormat reports what is not an array, or a damaged header.
	ErrFormat = errors.New("not an array of NumPy")
	// ErrType reports elements that are neither numbers nor text.
	ErrType = errors.New("elements are neither numbers nor text")
	// ErrShort reports an array that is cut off.
	ErrShort = errors.New("the array is cut off")
)

// Bounds of a header.
const (
	maxHeader = 1 << 16
	maxAxes   = 32
	maxText   = 1 << 16 // characters of an element
)

// magic begins every file.
const magic = "\x93NUMPY"

// Reader reads an array from its first element to its last, in the order in
// which they stand.
type Reader struct {
	// Type is the element type as NumPy writes it, for example "<f4".
	Type string
	// Shape of the array; empty for a single element.
	Shape []int
	// Fortran says that the first axis varies fastest.
	Fortran bool

	in     *bufio.Reader
	order  binary.ByteOrder
	kind   byte // 'f' 'i' 'u' 'b' of numbers, 'U' 'S' of text
	width  int  // bytes of an element
	buffer []byte
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	head := make([]byte, 8)
	if _, err := io.ReadFull(in, head); err != nil || string(head[:6]) != magic {
		return nil, fmt.Errorf("%w: it does not begin with \\x93NUMPY", ErrFormat)
	}
	lengthBytes := 4
	switch head[6] {
	case 1:
		lengthBytes = 2
	case 2, 3:
	default:
		return nil, fmt.Errorf("%w: version %d of the format", ErrFormat, head[6])
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(in, length[:lengthBytes]); err != nil {
		return nil, fmt.Errorf("%w: in its header", ErrShort)
	}
	n := binary.LittleEndian.Uint32(length)
	if n > maxHeader {
		return nil, fmt.Errorf("%w: a header of %d bytes", ErrFormat, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, fmt.Errorf("%w: in its header", ErrShort)
	}
	out := &Reader{in: in}
	if err := out.header(string(text)); err != nil {
		return nil, err
	}
	return out, nil
}

// header reads the Python dictionary {'descr': …, 'fortran_order': …,
// 'shape': (…)}, whose keys may come in any order.
func (r *Reader) header(h string) error {
	value := func(key string) string {
		_, after, _ := strings.Cut(h, "'"+key+"'")
		_, v, _ := strings.Cut(after, ":")
		return strings.TrimSpace(v)
	}
	v := value("descr")
	if strings.HasPrefix(v, "[") {
		return fmt.Errorf("%w: a structured array; save one plain array", ErrType)
	}
	if len(v) < 2 || v[0] != '\'' && v[0] != '"' {
		return fmt.Errorf("%w: the header names no element type", ErrFormat)
	}
	end := strings.IndexByte(v[1:], v[0])
	if end < 0 {
		return fmt.Errorf("%w: the element type is not quoted", ErrFormat)
	}
	r.Type = v[1 : 1+end]
	if err := r.element(); err != nil {
		return err
	}
	if v = value("fortran_order"); v == "" {
		return fmt.Errorf("%w: the header names no order", ErrFormat)
	}
	r.Fortran = strings.HasPrefix(v, "True")
	v = value("shape")
	end = strings.IndexByte(v, ')')
	if !strings.HasPrefix(v, "(") || end < 0 {
		return fmt.Errorf("%w: the header names no shape", ErrFormat)
	}
	count := 1
	for _, f := range strings.Split(v[1:end], ",") {
		if f = strings.TrimSuffix(strings.TrimSpace(f), "L"); f == "" { // L: Python 2
			continue
		}
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: shape %q", ErrFormat, v[:end+1])
		}
		if n > 0 && count > math.MaxInt/16/max(1, r.width)/n {
			return fmt.Errorf("%w: shape %q is too large", ErrFormat, v[:end+1])
		}
		count *= n
		if r.Shape = append(r.Shape, n); len(r.Shape) > maxAxes {
			return fmt.Errorf("%w: more than %d axes", ErrFormat, maxAxes)
		}
	}
	return nil
}

// element reads the element type.
func (r *Reader) element() error {
	r.order = binary.LittleEndian
	if strings.HasPrefix(r.Type, ">") {
		r.order = binary.BigEndian
	}
	t := strings.TrimLeft(r.Type, "<>|=")
	switch t {
	case "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1":
		r.kind, r.width = t[0], int(t[1]-'0')
		return nil
	case "?":
		r.kind, r.width = 'b', 1
		return nil
	}
	if n, err := strconv.Atoi(strings.TrimLeft(t, "US")); err == nil && (t[0] == 'U' || t[0] == 'S') && n >= 0 && n <= maxText {
		r.kind, r.width = t[0], n
		if r.kind == 'U' {
			r.width *= 4
		}
		return nil
	}
	if strings.HasPrefix(t, "O") {
		return fmt.Errorf("%w: pickled Python objects (%q); save a plain array of numbers or text", ErrType, r.Type)
	}
	return fmt.Errorf("%w: %q", ErrType, r.Type)
}

// IsText says whether elements are text.
func (r *Reader) IsText() bool { return r.kind == 'U' || r.kind == 'S' }

// IsWhole says whether elements are whole numbers or truth values.
func (r *Reader) IsWhole() bool { return r.kind == 'i' || r.kind == 'u' || r.kind == 'b' }

// Len is the number of elements.
func (r *Reader) Len() int {
	n := 1
	for _, x := range r.Shape {
		n *= x
	}
	return n
}

// next reads the bytes of so many elements.
func (r *Reader) next(elements int) ([]byte, error) {
	n := elements * r.width
	if cap(r.buffer) < n {
		r.buffer = make([]byte, n)
	}
	r.buffer = r.buffer[:n]
	if _, err := io.ReadFull(r.in, r.buffer); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%w: it has fewer than %d elements of type %q", ErrShort, r.Len(), r.Type)
		}
		return nil, err
	}
	return r.buffer, nil
}

// chunk is how many elements are read at once.
const chunk = 4096

// Float64s reads the next numbers.
func (r *Reader) Float64s(to []float64) error {
	if r.IsText() {
		return fmt.Errorf("%w: they are text", ErrType)
	}
	for len(to) > 0 {
		n := min(len(to), chunk)
		b, err := r.next(n)
		if err != nil {
			return err
		}
		for i := range to[:n] {
			to[i] = r.number(b[i*r.width:])
		}
		to = to[n:]
	}
	return nil
}

// Float32s reads the next numbers, rounded.
func (r *Reader) Float32s(to []float32) error {
	if r.IsText() {
		return fmt.Errorf("%w: they are text", ErrType)
	}
	for len(to) > 0 {
		n := min(len(to), chunk)
		b, err := r.next(n)
		if err != nil {
			return err
		}
		for i := range to[:n] {
			to[i] = float32(r.number(b[i*r.width:]))
		}
		to = to[n:]
	}
	return nil
}

func (r *Reader) number(b []byte) float64 {
	switch {
	case r.kind == 'b':
		return float64(min(b[0], 1))
	case r.kind == 'f' && r.width == 8:
		return math.Float64frombits(r.order.Uint64(b))
	case r.kind == 'f' && r.width == 4:
		return float64(math.Float32frombits(r.order.Uint32(b)))
	case r.kind == 'f':
		return float64(half.From(r.order.Uint16(b)))
	case r.kind == 'i' && r.width == 8:
		return float64(int64(r.order.Uint64(b)))
	case r.kind == 'i' && r.width == 4:
		return float64(int32(r.order.Uint32(b)))
	case r.kind == 'i' && r.width == 2:
		return float64(int16(r.order.Uint16(b)))
	case r.kind == 'i':
		return float64(int8(b[0]))
	case r.width == 8:
		return float64(r.order.Uint64(b))
	case r.width == 4:
		return float64(r.order.Uint32(b))
	case r.width == 2:
		return float64(r.order.Uint16(b))
	}
	return float64(b[0])
}

// Text reads the next text.
func (r *Reader) Text() (string, error) {
	if !r.IsText() {
		return "", fmt.Errorf("%w: they are numbers", ErrType)
	}
	cell, err := r.next(1)
	if err != nil {
		return "", err
	}
	if r.kind == 'S' {
		return strings.TrimRight(string(cell), "\x00"), nil
	}
	var b strings.Builder
	for ; len(cell) >= 4; cell = cell[4:] {
		c := rune(r.order.Uint32(cell))
		if c == 0 {
			break
		}
		b.WriteRune(c)
	}
	return b.String(), nil
}
