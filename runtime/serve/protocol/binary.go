package protocol

import (
	"encoding/binary"
	"slices"
)

// maxList is how many elements a tensor of type BYTES may have: each takes
// memory, though it has no bytes.
const maxList = 1 << 20

// SetBinary takes a tensor's elements from the binary form: little-endian ones,
// or, of type BYTES, each behind its length in four bytes. The bytes are not
// copied. Datatype and Shape say what has to be there.
func (t *Tensor) SetBinary(b []byte) error {
	size, ok := SizeOf(t.Datatype)
	if !ok {
		return Invalid("input %q: there is no datatype %q", t.Name, t.Datatype)
	}
	if size > 0 {
		n, err := Elements(t.Shape, len(b)/size)
		if err != nil {
			return Invalid("input %q: %v", t.Name, err)
		}
		if n*size != len(b) {
			return Invalid("input %q: %s of shape %v takes %d bytes; %d were sent", t.Name, t.Datatype, t.Shape, n*size, len(b))
		}
		t.Raw = b
		return nil
	}
	n, err := Elements(t.Shape, min(len(b)/4, maxList))
	if err != nil {
		return Invalid("input %q: %v", t.Name, err)
	}
	list := make([][]byte, 0, n)
	for len(b) > 0 {
		if len(b) < 4 {
			return Invalid("input %q: %d bytes where the length of an element takes 4", t.Name, len(b))
		}
		k := binary.LittleEndian.Uint32(b)
		if b = b[4:]; uint64(k) > uint64(len(b)) {
			return Invalid("input %q: element %d is said to have %d bytes; %d are left", t.Name, len(list), k, len(b))
		}
		if len(list) == n {
			return Invalid("input %q: more than the %d elements of shape %v were sent", t.Name, n, t.Shape)
		}
		list = append(list, b[:k:k])
		b = b[k:]
	}
	if len(list) != n {
		return Invalid("input %q: %d elements of %d, of shape %v, were sent", t.Name, len(list), n, t.Shape)
	}
	t.List = list
	return nil
}

// AppendBinary appends the binary form.
func (t *Tensor) AppendBinary(b []byte) []byte {
	if t.Datatype != Bytes {
		return append(b, t.Raw...)
	}
	b = slices.Grow(b, t.binarySize())
	for _, e := range t.List {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(e))), e...)
	}
	return b
}

// binarySize is how long the binary form is.
func (t *Tensor) binarySize() int {
	n := len(t.Raw)
	for _, e := range t.List {
		n += 4 + len(e)
	}
	return n
}
