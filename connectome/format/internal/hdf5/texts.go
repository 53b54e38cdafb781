package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

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

// Bytes returns the elements of a data set as they stand in the file.
func (o *Object) Bytes() ([]byte, error) {
	shape, err := o.shape()
	if err != nil {
		return nil, err
	}
	t, err := o.datatype()
	if err != nil {
		return nil, err
	}
	return o.raw(shape, t.size)
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
