package hdf5

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf16"
)

// Class says what a data set holds.
type Class int

// The classes that this package reads.
const (
	Other Class = iota
	Number
	Text
	Reference // to other objects, as in MATLAB's cell arrays
)

// Info describes a data set.
type Info struct {
	Shape []int // as HDF5 has it: the last axis runs fastest
	Class Class
	Width int // bytes an element
}

// datatype is a decoded type of elements.
type datatype struct {
	class     uint8
	size      int
	bigEndian bool
	signed    bool
	vlenText  bool
}

// Type classes of the format.
const (
	typeFixed, typeFloat, typeString, typeEnum, typeReference, typeVlen = 0, 1, 3, 8, 7, 9
)

func (o *Object) find(kind uint16) *message {
	for i := range o.messages {
		if o.messages[i].kind == kind {
			return &o.messages[i]
		}
	}
	return nil
}

// IsDataset says whether the object holds data.
func (o *Object) IsDataset() bool { return o.find(msgLayout) != nil && o.find(msgDataspace) != nil }

// Info returns shape and class of a data set.
func (o *Object) Info() (Info, error) {
	shape, err := o.shape()
	if err != nil {
		return Info{}, err
	}
	t, err := o.datatype()
	if err != nil {
		return Info{}, err
	}
	info := Info{Shape: shape, Width: t.size}
	switch {
	case t.class == typeFixed, t.class == typeFloat, t.class == typeEnum:
		info.Class = Number
	case t.class == typeString, t.class == typeVlen && t.vlenText:
		info.Class = Text
	case t.class == typeReference:
		info.Class = Reference
	}
	return info, nil
}

func (o *Object) shape() ([]int, error) {
	m := o.find(msgDataspace)
	if m == nil {
		return nil, errors.New("no data space")
	}
	return dataspace(o.f, m.body)
}

func dataspace(f *File, body []byte) ([]int, error) {
	r := &reader{f: f, b: body}
	version, rank := r.u8(), int(r.u8())
	r.skip(1)
	switch version {
	case 1:
		r.skip(5)
	case 2:
		r.skip(1)
	default:
		return nil, fmt.Errorf("%w: data space version %d", ErrUnsupported, version)
	}
	if rank > 32 {
		return nil, fmt.Errorf("%d dimensions", rank)
	}
	shape := make([]int, rank)
	for i := range shape {
		n := r.length()
		if n > math.MaxInt32 {
			return nil, fmt.Errorf("%w: a dimension of %d", ErrTooLarge, n)
		}
		shape[i] = int(n)
	}
	return shape, r.err
}

func (o *Object) datatype() (datatype, error) {
	m := o.find(msgDatatype)
	if m == nil {
		return datatype{}, errors.New("no data type")
	}
	if !m.shared {
		return readDatatype(o.f, m.body)
	}
	// A committed type: the message holds the address of another header.
	r := &reader{f: o.f, b: m.body}
	version := r.u8()
	r.skip(1)
	if version == 1 {
		r.skip(6)
	}
	address := r.offset()
	if r.err != nil {
		return datatype{}, r.err
	}
	messages, err := o.f.messages(address)
	if err != nil {
		return datatype{}, err
	}
	for _, m := range messages {
		if m.kind == msgDatatype && !m.shared {
			return readDatatype(o.f, m.body)
		}
	}
	return datatype{}, errors.New("no data type")
}

func readDatatype(f *File, body []byte) (datatype, error) {
	r := &reader{f: f, b: body}
	class := r.u8() & 15
	bits := r.uint(3)
	t := datatype{class: class, size: int(r.u32()), bigEndian: bits&1 != 0, signed: bits&8 != 0}
	if r.err != nil {
		return t, r.err
	}
	switch class {
	case typeVlen:
		t.vlenText = bits&15 == 1
	case typeEnum: // the base type follows
		if r.left() < 8 {
			return t, errTruncated
		}
		base := r.b[r.at:]
		if base[0]&15 != typeFixed {
			return t, fmt.Errorf("%w: an enumeration of class %d", ErrUnsupported, base[0]&15)
		}
		t.bigEndian, t.signed = base[1]&1 != 0, base[1]&8 != 0
	case typeString:
		t.bigEndian = false
	}
	return t, nil
}

// count multiplies a shape.
func count(shape []int) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d > 0 && n > math.MaxInt64/16/int64(d) {
			return 0, fmt.Errorf("%w: %v elements", ErrTooLarge, shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// raw returns the bytes of all elements.
func (o *Object) raw(shape []int, width int) ([]byte, error) {
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	if width < 1 || n > o.f.budget/int64(width) {
		return nil, fmt.Errorf("%w: %d elements of %d bytes", ErrTooLarge, n, width)
	}
	need := n * int64(width)
	m := o.find(msgLayout)
	if m == nil {
		return nil, errors.New("no layout")
	}
	r := &reader{f: o.f, b: m.body}
	var l layout
	switch version := r.u8(); version {
	case 1, 2:
		rank := int(r.u8())
		l.class = r.u8()
		r.skip(5)
		if l.class != 0 {
			l.address = r.offset()
		}
		for range rank {
			l.chunk = append(l.chunk, int(r.u32()))
		}
		if l.class == 2 && rank > 0 {
			l.element = l.chunk[rank-1]
			l.chunk = l.chunk[:rank-1]
		}
		if l.class == 0 {
			l.compact = r.bytes(int(r.u32()))
		}
	case 3:
		switch l.class = r.u8(); l.class {
		case 0:
			l.compact = r.bytes(int(r.u16()))
		case 1:
			l.address = r.offset()
		case 2:
			rank := int(r.u8())
			l.address = r.offset()
			for range rank - 1 {
				l.chunk = append(l.chunk, int(r.u32()))
			}
			l.element = int(r.u32())
		}
	case 4:
		switch l.class = r.u8(); l.class {
		case 0:
			l.compact = r.bytes(int(r.u16()))
		case 1:
			l.address = r.offset()
		case 2:
			l.v4(r)
		}
	default:
		return nil, fmt.Errorf("%w: data layout version %d", ErrUnsupported, version)
	}
	if r.err != nil {
		return nil, r.err
	}
	var data []byte
	switch l.class {
	case 0:
		data = l.compact
	case 1:
		if o.f.undefined(l.address) { // never written
			return o.zeros(need)
		}
		w, err := o.f.window(l.address, need)
		if err != nil {
			return nil, err
		}
		data = w.b
	case 2:
		if data, err = o.chunks(&l, shape, width, need); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: data layout class %d", ErrUnsupported, l.class)
	}
	if int64(len(data)) < need {
		return nil, errTruncated
	}
	o.f.budget -= need
	return data[:need], nil
}

// maxUnwritten bounds data sets that are declared but hold nothing.
const maxUnwritten = 1 << 20

func (o *Object) zeros(n int64) ([]byte, error) {
	if n > maxUnwritten {
		return nil, fmt.Errorf("%w: %d bytes are declared but not written", ErrTooLarge, n)
	}
	return make([]byte, n), nil
}

type layout struct {
	class   uint8
	compact []byte
	address uint64
	chunk   []int
	element int
	index   uint8 // of version 4
	flags   uint8
	single  uint64 // stored size of a single filtered chunk
	page    uint8
}

// v4 decodes the chunked layout of version 4.
func (l *layout) v4(r *reader) {
	l.flags = r.u8()
	rank := int(r.u8())
	width := int(r.u8())
	for k := range rank {
		n := int(r.uint(width))
		if k < rank-1 {
			l.chunk = append(l.chunk, n)
		} else {
			l.element = n
		}
	}
	switch l.index = r.u8(); l.index {
	case 1:
		if l.flags&2 != 0 {
			l.single = r.length()
			r.skip(4)
		}
	case 3:
		l.page = r.u8()
	case 4:
		r.skip(5)
	case 5:
		r.skip(6)
	}
	l.address = r.offset()
}

type filter struct {
	id     uint16
	values []uint32
}

func (o *Object) filters() ([]filter, error) {
	m := o.find(msgFilters)
	if m == nil {
		return nil, nil
	}
	r := &reader{f: o.f, b: m.body}
	version, n := r.u8(), int(r.u8())
	if version == 1 {
		r.skip(6)
	}
	var all []filter
	for range n {
		f := filter{id: r.u16()}
		name := 0
		if version == 1 || f.id >= 256 {
			name = int(r.u16())
		}
		r.skip(2)
		values := int(r.u16())
		if version == 1 {
			name = (name + 7) &^ 7
		}
		r.skip(name)
		for range values {
			f.values = append(f.values, r.u32())
			if r.err != nil {
				return nil, r.err
			}
		}
		if version == 1 && values%2 == 1 {
			r.skip(4)
		}
		all = append(all, f)
	}
	return all, r.err
}

// chunks assembles a chunked data set.
func (o *Object) chunks(l *layout, shape []int, width int, need int64) ([]byte, error) {
	rank := len(shape)
	if len(l.chunk) != rank || l.element != width || rank == 0 {
		return nil, errors.New("chunks do not fit the data set")
	}
	size := int64(width)
	for _, c := range l.chunk {
		if c < 1 || size > math.MaxInt32/int64(c) {
			return nil, fmt.Errorf("chunks of %v", l.chunk)
		}
		size *= int64(c)
	}
	filters, err := o.filters()
	if err != nil {
		return nil, err
	}
	type piece struct {
		at   []int
		data []byte
	}
	var pieces []piece
	var total int64
	add := func(at []int, stored []byte, mask uint32) error {
		data, err := unfilter(stored, filters, mask, size)
		if err != nil {
			return err
		}
		if int64(len(data)) < size {
			return errTruncated
		}
		// More chunks than the data set has room for are a loop or a bomb.
		if total += size; total > 4*need+64*size && total > 1<<24 {
			return fmt.Errorf("%w: more chunks than data", ErrTooLarge)
		}
		pieces = append(pieces, piece{at, data})
		return nil
	}
	if l.index == 0 {
		err = o.f.btree1(l.address, 1, rank+1, 0, map[uint64]bool{}, func(key *reader, child uint64) error {
			n, mask := key.u32(), key.u32()
			at := make([]int, rank)
			for i := range at {
				x := key.uint(8)
				if x > math.MaxInt32 {
					return errors.New("a chunk outside the data set")
				}
				at[i] = int(x)
			}
			w, err := o.f.window(child, int64(n))
			if err != nil {
				return err
			}
			return add(at, w.b, mask)
		})
	} else {
		err = o.indexedChunks(l, shape, size, len(filters) > 0, add)
	}
	if err != nil {
		return nil, err
	}
	if need > maxUnwritten && total < need/64 {
		return nil, fmt.Errorf("%w: %d bytes are declared, %d written", ErrTooLarge, need, total)
	}
	out := make([]byte, need)
	for _, p := range pieces {
		place(out, shape, p.data, p.at, l.chunk, width)
	}
	return out, nil
}

// indexedChunks reads the chunk indices of layout version 4 that files of
// fixed size use.
func (o *Object) indexedChunks(l *layout, shape []int, size int64, filtered bool, add func([]int, []byte, uint32) error) error {
	rank := len(shape)
	grid := make([]int, rank)
	for i := range grid {
		grid[i] = (shape[i] + l.chunk[i] - 1) / l.chunk[i]
	}
	n, err := count(grid)
	if err != nil {
		return err
	}
	if o.f.undefined(l.address) {
		return nil
	}
	if n > int64(len(o.f.data)) {
		return fmt.Errorf("%w: %d chunks", ErrTooLarge, n)
	}
	at := func(k int64) []int {
		x := make([]int, rank)
		for i := rank - 1; i >= 0; i-- {
			x[i] = int(k%int64(grid[i])) * l.chunk[i]
			k /= int64(grid[i])
		}
		return x
	}
	switch l.index {
	case 1:
		stored := size
		if l.flags&2 != 0 {
			stored = int64(min(l.single, math.MaxInt64/2))
		}
		w, err := o.f.window(l.address, stored)
		if err != nil {
			return err
		}
		return add(at(0), w.b, 0)
	case 2:
		for k := range n {
			w, err := o.f.window(l.address+uint64(k*size), size)
			if err != nil {
				return err
			}
			if err := add(at(k), w.b, 0); err != nil {
				return err
			}
		}
		return nil
	case 3:
		return o.fixedArray(l, n, size, filtered, at, add)
	}
	return fmt.Errorf("%w: chunk index type %d; copy the file with h5repack -l CONTI", ErrUnsupported, l.index)
}

// fixedArray reads a fixed array of chunk addresses.
func (o *Object) fixedArray(l *layout, n, size int64, filtered bool, at func(int64) []int, add func([]int, []byte, uint32) error) error {
	f := o.f
	r, err := f.window(l.address, -1)
	if err != nil {
		return err
	}
	r.signature("FAHD")
	r.skip(2)
	entry := int(r.u8())
	pageBits := r.u8()
	entries := r.length()
	block := r.offset()
	if r.err != nil {
		return r.err
	}
	if f.undefined(block) {
		return nil
	}
	if pageBits < 63 && entries > 1<<pageBits {
		return fmt.Errorf("%w: a paged chunk index; copy the file with h5repack -l CONTI", ErrUnsupported)
	}
	d, err := f.window(block, -1)
	if err != nil {
		return err
	}
	d.signature("FADB")
	d.skip(2)
	d.offset()
	for k := range min(n, int64(min(entries, 1<<40))) {
		address := d.offset()
		stored, mask := size, uint32(0)
		if filtered {
			stored = int64(d.uint(entry - f.offsetSize - 4))
			mask = d.u32()
		}
		if d.err != nil {
			return d.err
		}
		if f.undefined(address) {
			continue
		}
		if stored < 0 {
			return errTruncated
		}
		w, err := f.window(address, stored)
		if err != nil {
			return err
		}
		if err := add(at(k), w.b, mask); err != nil {
			return err
		}
	}
	return nil
}

// unfilter undoes the filters of one chunk, last first. A set bit of the mask
// means that the filter was skipped.
func unfilter(data []byte, filters []filter, mask uint32, size int64) ([]byte, error) {
	for i := len(filters) - 1; i >= 0; i-- {
		if mask&(1<<i) != 0 {
			continue
		}
		switch f := filters[i]; f.id {
		case 1: // deflate
			z, err := zlib.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, fmt.Errorf("chunk: %w", err)
			}
			out, err := io.ReadAll(io.LimitReader(z, size+64))
			if err != nil {
				return nil, fmt.Errorf("chunk: %w", err)
			}
			data = out
		case 2: // shuffle
			width := 0
			if len(f.values) > 0 {
				width = int(f.values[0])
			}
			if width > 1 && width <= len(data) {
				out := make([]byte, len(data))
				n := len(data) / width
				for b := range width {
					for k := range n {
						out[k*width+b] = data[b*n+k]
					}
				}
				copy(out[n*width:], data[n*width:])
				data = out
			}
		case 3: // Fletcher-32 checksum at the end
			if len(data) < 4 {
				return nil, errTruncated
			}
			data = data[:len(data)-4]
		default:
			return nil, fmt.Errorf("%w: filter %d; copy the file with h5repack -f GZIP=4", ErrUnsupported, f.id)
		}
	}
	return data, nil
}

// place copies a chunk to where it belongs, row by row.
func place(out []byte, shape []int, chunk []byte, at, size []int, width int) {
	rank := len(shape)
	for i := range rank {
		if at[i] >= shape[i] {
			return
		}
	}
	rows := 1
	for _, n := range size[:rank-1] {
		rows *= n
	}
	last := min(size[rank-1], shape[rank-1]-at[rank-1]) * width
	index := make([]int, rank)
rows:
	for row := range rows {
		k := row
		for i := rank - 2; i >= 0; i-- {
			index[i] = k % size[i]
			k /= size[i]
		}
		to := 0
		for i := range rank - 1 {
			x := at[i] + index[i]
			if x >= shape[i] {
				continue rows
			}
			to = to*shape[i] + x
		}
		to = (to*shape[rank-1] + at[rank-1]) * width
		from := row * size[rank-1] * width
		copy(out[to:to+last], chunk[from:from+last])
	}
}

// Numbers returns the elements of a numeric data set, the last axis fastest.
func (o *Object) Numbers() ([]float64, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	decode := t.decoder()
	if decode == nil {
		return nil, fmt.Errorf("%w: elements of class %d with %d bytes", ErrUnsupported, t.class, t.size)
	}
	raw, err := o.raw(shape, t.size)
	if err != nil {
		return nil, err
	}
	x := make([]float64, len(raw)/t.size)
	for i := range x {
		x[i] = decode(raw[i*t.size:])
	}
	return x, nil
}

func (t datatype) decoder() func([]byte) float64 {
	word := func(b []byte) uint64 {
		var x uint64
		for i := range t.size {
			c := b[i]
			if t.bigEndian {
				x = x<<8 | uint64(c)
			} else {
				x |= uint64(c) << (8 * i)
			}
		}
		return x
	}
	switch {
	case t.class == typeFloat && t.size == 8:
		return func(b []byte) float64 { return math.Float64frombits(word(b)) }
	case t.class == typeFloat && t.size == 4:
		return func(b []byte) float64 { return float64(math.Float32frombits(uint32(word(b)))) }
	case (t.class == typeFixed || t.class == typeEnum) && t.size >= 1 && t.size <= 8:
		shift := 64 - 8*t.size
		return func(b []byte) float64 {
			x := word(b)
			if t.signed {
				return float64(int64(x<<shift) >> shift)
			}
			return float64(x)
		}
	}
	return nil
}

// Texts returns the elements of a data set of fixed- or variable-length
// strings.
func (o *Object) Texts() ([]string, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	raw, err := o.raw(shape, t.size)
	if err != nil {
		return nil, err
	}
	return o.f.texts(t, raw)
}

func (f *File) texts(t datatype, raw []byte) ([]string, error) {
	if t.size < 1 {
		return nil, errTruncated
	}
	out := make([]string, 0, min(len(raw)/t.size, 1<<20))
	for ; len(raw) >= t.size; raw = raw[t.size:] {
		cell := raw[:t.size]
		if t.class == typeVlen {
			r := &reader{f: f, b: cell}
			n, address, index := r.u32(), r.offset(), r.u32()
			if r.err != nil {
				return nil, r.err
			}
			var err error
			if cell, err = f.global(address, index); err != nil {
				return nil, err
			}
			cell = cell[:min(int64(n), int64(len(cell)))]
		}
		cell, _, _ = bytes.Cut(cell, []byte{0})
		out = append(out, strings.TrimRight(string(cell), " "))
	}
	return out, nil
}

// global returns an object of a global heap collection.
func (f *File) global(address uint64, index uint32) ([]byte, error) {
	if index == 0 || address == 0 || f.undefined(address) {
		return nil, nil
	}
	r, err := f.window(address, -1)
	if err != nil {
		return nil, err
	}
	r.signature("GCOL")
	r.skip(4)
	size := r.length()
	if r.err != nil || size > uint64(len(r.b)) {
		return nil, errTruncated
	}
	r.b = r.b[:size]
	for r.left() >= 16 {
		id := r.u16()
		r.skip(6)
		n := r.length()
		if r.err != nil || n > uint64(r.left()) {
			return nil, errTruncated
		}
		body := r.bytes(int(n))
		if uint32(id) == index {
			return body, nil
		}
		if id == 0 {
			break
		}
		r.skip(min(int(-n&7), r.left()))
	}
	return nil, errors.New("a text that is not in its heap")
}

// Referenced returns the objects that a data set of references points to.
func (o *Object) Referenced() ([]*Object, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	if t.class != typeReference || t.size < o.f.offsetSize {
		return nil, fmt.Errorf("%w: references of %d bytes", ErrUnsupported, t.size)
	}
	raw, err := o.raw(shape, t.size)
	if err != nil {
		return nil, err
	}
	if len(raw)/t.size > maxObjects {
		return nil, fmt.Errorf("%w: %d references", ErrTooLarge, len(raw)/t.size)
	}
	var all []*Object
	for ; len(raw) >= t.size; raw = raw[t.size:] {
		r := &reader{f: o.f, b: raw}
		address := r.offset()
		messages, err := o.f.messages(address)
		if err != nil {
			return nil, err
		}
		all = append(all, &Object{f: o.f, address: address, messages: messages})
	}
	return all, nil
}

// Chars returns a data set of 16-bit character codes as one text, as MATLAB
// stores it.
func (o *Object) Chars() (string, error) {
	x, err := o.Numbers()
	if err != nil {
		return "", err
	}
	units := make([]uint16, len(x))
	for i, v := range x {
		units[i] = uint16(int64(v))
	}
	return strings.TrimRight(string(utf16.Decode(units)), " \x00"), nil
}

// Attribute returns a text or number attribute as text, "" when the object
// has none of that name.
func (o *Object) Attribute(name string) string {
	for _, m := range o.messages {
		if m.kind != msgAttribute {
			continue
		}
		if have, value := o.f.attribute(m.body); have == name {
			return value
		}
	}
	return ""
}

func (f *File) attribute(body []byte) (name, value string) {
	r := &reader{f: f, b: body}
	version := r.u8()
	flags := r.u8()
	n, nt, ns := int(r.u16()), int(r.u16()), int(r.u16())
	if version == 3 {
		r.skip(1)
	}
	pad := func(k int) int { return k }
	if version == 1 {
		pad = func(k int) int { return (k + 7) &^ 7 }
	}
	text, _, _ := bytes.Cut(r.bytes(pad(n)), []byte{0})
	name = string(text)
	tb := r.bytes(pad(nt))
	r.skip(pad(ns))
	if r.err != nil || flags&1 != 0 {
		return name, ""
	}
	t, err := readDatatype(f, tb)
	if err != nil || t.size < 1 || t.size > r.left() {
		return name, ""
	}
	if t.class == typeString || t.class == typeVlen && t.vlenText {
		texts, err := f.texts(t, r.b[r.at:r.at+t.size])
		if err != nil || len(texts) == 0 {
			return name, ""
		}
		return name, texts[0]
	}
	if decode := t.decoder(); decode != nil {
		return name, fmt.Sprint(decode(r.b[r.at:]))
	}
	return name, ""
}
