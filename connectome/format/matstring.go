package format

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// MATLAB's strings ("a" rather than 'a', since R2016b) are objects: the
// variable holds the number of an object, and what the objects hold stands in
// the file's subsystem, a list of a table and of values. MathWorks does not
// document it; the layout is the one that the readers of the field agree on.

// matObjects is that list: the table, and the words of each value after it, nil
// for values of other types.
type matObjects struct {
	table  []byte
	values [][]uint64
	order  binary.ByteOrder
}

// objectMark begins the numbers that stand for an object.
const objectMark = 0xdd000000

// strings returns the texts of the string array that the numbers of a variable
// stand for: mark, number of dimensions, dimensions, object, class. ok is false
// when they cannot be found.
func (m *matObjects) strings(reference []float64) (texts []string, ok bool) {
	if m == nil || len(reference) < 6 || reference[0] != objectMark || reference[1] != 2 {
		return nil, false
	}
	if k, ok := m.property(int(reference[4])); ok && k >= 0 && k < len(m.values) {
		return decodeStrings(m.values[k])
	}
	for _, v := range m.values { // a table of another version, but one string array only
		if t, decodes := decodeStrings(v); decodes {
			if ok {
				return nil, false
			}
			texts, ok = t, true
		}
	}
	return texts, ok
}

// property returns which value the first property of an object is. The table
// begins with a version, a number of names and the places of its parts: the
// second holds the properties of objects that are saved whole, as strings are,
// the third six numbers an object, of which the fourth says where in the second.
func (m *matObjects) property(object int) (int, bool) {
	word := func(at int) (int, bool) {
		if at < 0 || at+4 > len(m.table) {
			return 0, false
		}
		return int(m.order.Uint32(m.table[at:])), true
	}
	saved, ok1 := word(12)
	objects, ok2 := word(16)
	entry, ok3 := word(objects + 24*object + 12)
	if !ok1 || !ok2 || !ok3 || object < 0 || object > len(m.table) || entry < 1 {
		return 0, false
	}
	at := saved
	for range entry {
		n, ok := word(at)
		if !ok || n > len(m.table) {
			return 0, false
		}
		at += (4 + 12*n + 7) &^ 7
	}
	n, ok := word(at)
	value, ok2 := word(at + 12)
	kind, ok3 := word(at + 8)
	return value, ok && ok2 && ok3 && n >= 1 && kind == 1
}

// decodeStrings reads a string array: a version, the number of dimensions, the
// dimensions, the length of each text, and the texts in UTF-16, one after the
// other.
func decodeStrings(words []uint64) ([]string, bool) {
	if len(words) < 4 || words[0] != 1 || words[1] < 2 || words[1] > 8 || uint64(len(words)) < 2+words[1] {
		return nil, false
	}
	count := uint64(1)
	for _, n := range words[2 : 2+words[1]] {
		if n > uint64(len(words)) {
			return nil, false
		}
		if count *= n; count > uint64(len(words)) {
			return nil, false
		}
	}
	words = words[2+words[1]:]
	if uint64(len(words)) < count {
		return nil, false
	}
	lengths, words := words[:count], words[count:]
	units := make([]uint16, 0, 4*len(words))
	for _, w := range words {
		units = append(units, uint16(w), uint16(w>>16), uint16(w>>32), uint16(w>>48))
	}
	texts := make([]string, count)
	for i, n := range lengths {
		if n == 1<<64-1 { // <missing>
			continue
		}
		if n > uint64(len(units)) {
			return nil, false
		}
		texts[i] = string(utf16.Decode(units[:n]))
		units = units[n:]
	}
	return texts, true
}

// wordsOf splits bytes into words of 64 bits.
func wordsOf(data []byte, order binary.ByteOrder) []uint64 {
	words := make([]uint64, len(data)/8)
	for i := range words {
		words[i] = order.Uint64(data[8*i:])
	}
	return words
}

// matlabObjects reads the subsystem of a file of version 7.3; nil when there is
// none.
func (h *hdf5Reader) matlabObjects() *matObjects {
	list := h.objects["/#subsystem#/MCOS"]
	if list == nil {
		return nil
	}
	parts, err := list.Referenced()
	if err != nil || len(parts) < 3 {
		return nil
	}
	m := &matObjects{order: binary.LittleEndian}
	if m.table, err = parts[0].Bytes(); err != nil {
		return nil
	}
	for _, p := range parts[2:] {
		var words []uint64
		if p.IsDataset() && p.Attribute("MATLAB_class") == "uint64" {
			if data, err := p.Bytes(); err == nil {
				words = wordsOf(data, m.order)
			}
		}
		m.values = append(m.values, words)
	}
	return m
}

// object keeps a variable that stands for a string array until the subsystem is
// known; false when it stands for something else.
func (r *matReader) object(name string, rest []byte) bool {
	for range 2 { // the kind of object, and its class
		_, text, after, err := r.element(rest)
		if err != nil || string(text) != "MCOS" && string(text) != "string" {
			return false
		}
		rest = after
	}
	a := &array{name: name}
	e, _, _, err := r.inner(a, rest, 0)
	if err != nil || len(e.data) < 6 {
		return false
	}
	a.data = e.data
	r.strings = append(r.strings, a)
	return true
}

// subsystem reads the objects that stand at an offset of the file, and gives
// the string arrays their texts. What cannot be understood is left out: labels
// are then asked for.
func (r *matReader) subsystem(data []byte) {
	if len(r.strings) == 0 {
		return
	}
	m := r.objects(data)
	for _, a := range r.strings {
		texts, ok := m.strings(a.data)
		if !ok {
			r.others = append(r.others, a.name)
			continue
		}
		r.arrays = append(r.arrays, &array{name: a.name, shape: []int{len(texts), 1}, text: texts})
	}
}

// objects unwraps the subsystem: an array of bytes that is a file within the
// file, with a structure, with the field MCOS, an object that is a cell array.
func (r *matReader) objects(data []byte) *matObjects {
	kind, body, _, err := r.element(data)
	if err == nil && kind == miCOMPRESSED {
		if body, err = r.inflate(body); err == nil {
			kind, body, _, err = r.element(body)
		}
	}
	if err != nil || kind != miMATRIX {
		return nil
	}
	file, _, err := r.matrixBytes(body)
	at := bytes.Index(file, []byte("FileWrapper__"))
	if err != nil || at < 0 {
		return nil
	}
	at += (len("FileWrapper__") + 7) &^ 7
	if at > len(file) {
		return nil
	}
	kind, body, _, err = r.element(file[at:])
	if err != nil || kind != miMATRIX {
		return nil
	}
	_, rest, err := r.matrixBytes(body) // the cells
	if err != nil {
		return nil
	}
	m := &matObjects{order: r.order}
	for k := 0; len(rest) >= 8; k++ {
		kind, body, after, err := r.element(rest)
		if err != nil || kind != miMATRIX {
			break
		}
		rest = after
		value, _, err := r.matrixBytes(body)
		switch {
		case err != nil:
			value = nil
		case k == 0:
			m.table = value
		}
		if k >= 2 {
			m.values = append(m.values, wordsOf(value, r.order))
		}
	}
	return m
}

// matrixBytes returns the bytes of an array's first part, and what stands after
// its name.
func (r *matReader) matrixBytes(body []byte) (first, rest []byte, err error) {
	rest = body
	for range 3 { // flags, dimensions, name
		if _, _, rest, err = r.element(rest); err != nil {
			return nil, nil, err
		}
	}
	if len(rest) == 0 {
		return nil, nil, nil
	}
	_, first, _, err = r.element(rest)
	return first, rest, err
}
