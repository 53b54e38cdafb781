package hdf5

import (
	"errors"
	"fmt"
	"math"
)

// Class says what a data set holds.
type Class int

// The classes that this package reads.
const (
	Other Class = iota
	Number
	Text
	Reference // to other objects, as in MATLAB's cell arrays
	Records   // with named fields
	Blob      // sequences of bytes
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
	members   []member // of a compound type
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
	case t.class == typeCompound:
		info.Class = Records
	case t.class == typeVlen:
		info.Class = Blob
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
		return wholeDatatype(o.f, m.body)
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
			return wholeDatatype(o.f, m.body)
		}
	}
	return datatype{}, errors.New("no data type")
}

// wholeDatatype reads a type with the fields of its records.
func wholeDatatype(f *File, body []byte) (datatype, error) {
	t, err := readDatatype(f, body)
	if err != nil || t.class != typeCompound {
		return t, err
	}
	r := &reader{f: f, b: body, at: 8}
	t.members, err = r.compoundMembers(body[0]>>4, int(body[1])|int(body[2])<<8, t.size, 0)
	return t, err
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
