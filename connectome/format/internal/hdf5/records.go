package hdf5

import (
	"bytes"
	"errors"
	"fmt"
)

// Compound data sets: tables whose elements are records, as h5py writes NumPy's
// structured arrays and PyTables its tables.

// Column is one field of all the records of a compound data set.
type Column struct {
	Name    string
	Width   int       // values a record
	Numbers []float64 // nil when the column holds texts
	Texts   []string
}

// member is a field of a compound type.
type member struct {
	name   string
	offset int
	kind   datatype
	repeat int
}

const (
	typeTime, typeBits, typeOpaque, typeCompound, typeArray = 2, 4, 5, 6, 10

	maxMembers    = 1000
	maxTypeLevels = 8
)

// Columns returns the fields of a compound data set, without those that hold
// neither numbers nor texts.
func (o *Object) Columns() ([]Column, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	if t.class != typeCompound {
		return nil, fmt.Errorf("%w: records of class %d", ErrUnsupported, t.class)
	}
	raw, err := o.raw(shape, t.size)
	if err != nil {
		return nil, err
	}
	var columns []Column
	used := 0
	for _, m := range t.members {
		width := m.kind.size * m.repeat
		if used += width; used > t.size {
			return nil, errors.New("fields that overlap")
		}
		if m.kind.size < 1 || m.repeat < 1 || m.offset < 0 || width > t.size-m.offset {
			return nil, fmt.Errorf("field %q lies outside its record", m.name)
		}
		c := Column{Name: m.name, Width: m.repeat}
		decode := m.kind.decoder()
		text := m.kind.class == typeString || m.kind.class == typeVlen && m.kind.vlenText
		if decode == nil && !text {
			continue
		}
		for at := m.offset; at+width <= len(raw); at += t.size {
			if text {
				cells, err := o.f.texts(m.kind, raw[at:at+width])
				if err != nil {
					return nil, err
				}
				c.Texts = append(c.Texts, cells...)
				continue
			}
			for k := range m.repeat {
				c.Numbers = append(c.Numbers, decode(raw[at+k*m.kind.size:]))
			}
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// Blobs returns the elements of a data set of byte sequences of any length.
func (o *Object) Blobs() ([][]byte, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	if t.class != typeVlen || t.vlenText {
		return nil, fmt.Errorf("%w: byte sequences of class %d", ErrUnsupported, t.class)
	}
	raw, err := o.raw(shape, t.size)
	if err != nil {
		return nil, err
	}
	var blobs [][]byte
	for ; len(raw) >= t.size; raw = raw[t.size:] {
		r := &reader{f: o.f, b: raw}
		n, address, index := r.u32(), r.offset(), r.u32()
		if r.err != nil {
			return nil, r.err
		}
		b, err := o.f.global(address, index)
		if err != nil {
			return nil, err
		}
		if blobs = append(blobs, b[:min(int64(n), int64(len(b)))]); len(blobs) > maxObjects {
			return nil, fmt.Errorf("%w: more than %d byte sequences", ErrTooLarge, maxObjects)
		}
	}
	return blobs, nil
}

// compoundMembers reads the fields of a compound type, whose own eight bytes
// have been read.
func (r *reader) compoundMembers(version uint8, count, size, level int) ([]member, error) {
	if count > maxMembers {
		return nil, fmt.Errorf("%w: %d fields", ErrTooLarge, count)
	}
	members := make([]member, 0, count)
	for range count {
		m := member{name: r.typeName(version), repeat: 1}
		if version >= 3 {
			m.offset = int(r.uint(sizeOf(uint64(size))))
		} else {
			m.offset = int(r.u32())
		}
		if version == 1 {
			rank := int(r.u8())
			r.skip(3 + 4 + 4)
			for k := range 4 {
				if d := int(r.u32()); k < rank {
					m.repeat = product(m.repeat, d)
				}
			}
		}
		kind, repeat, err := r.datatype(level + 1)
		if err != nil {
			return nil, err
		}
		m.kind, m.repeat = kind, product(m.repeat, repeat)
		members = append(members, m)
	}
	return members, r.err
}

// product multiplies counts of values; a product that no record can hold is 0.
func product(a, b int) int {
	if a < 0 || b < 0 || a > 1<<20 || b > 1<<20 || a*b > 1<<20 {
		return 0
	}
	return a * b
}

// typeName reads the name of a field or of an enumeration's value.
func (r *reader) typeName(version uint8) string {
	end := bytes.IndexByte(r.b[r.at:], 0)
	if r.err != nil || end < 0 {
		r.err = errTruncated
		return ""
	}
	name := string(r.b[r.at : r.at+end])
	if end++; version < 3 {
		end = (end + 7) &^ 7
	}
	r.skip(end)
	return name
}

// datatype reads a whole type, and how many of it stand one after the other:
// the length of an array's axes multiplied, else 1.
func (r *reader) datatype(level int) (t datatype, repeat int, err error) {
	if level > maxTypeLevels {
		return t, 0, errors.New("types nested too deep")
	}
	if r.err != nil {
		return t, 0, r.err
	}
	if r.left() < 8 {
		return t, 0, errTruncated
	}
	version, count := r.b[r.at]>>4, int(r.b[r.at+1])|int(r.b[r.at+2])<<8
	if class := r.b[r.at] & 15; class == typeArray {
		r.skip(8)
		rank := int(r.u8())
		if version < 3 {
			r.skip(3)
		}
		repeat = 1
		for range min(rank, 32) {
			repeat = product(repeat, int(r.u32()))
		}
		if version < 3 {
			r.skip(4 * rank)
		}
		t, inner, err := r.datatype(level + 1)
		return t, product(repeat, inner), err
	}
	if t, err = readDatatype(r.f, r.b[r.at:]); err != nil {
		return t, 0, err
	}
	r.skip(8)
	switch t.class {
	case typeFixed, typeBits:
		r.skip(4)
	case typeFloat:
		r.skip(12)
	case typeTime:
		r.skip(2)
	case typeOpaque:
		r.skip(count & 0xff)
	case typeCompound:
		_, err = r.compoundMembers(version, count, t.size, level)
	case typeVlen:
		_, _, err = r.datatype(level + 1)
	case typeEnum:
		var base datatype
		if base, _, err = r.datatype(level + 1); err == nil {
			for range count {
				r.typeName(version)
			}
			r.skip(product(count, base.size))
		}
	}
	if err == nil {
		err = r.err
	}
	return t, 1, err
}
