package format

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// MATLAB's MAT-file version 4, which DSI Studio writes: no header, only
// variables, each five words (type, rows, columns, whether complex, length of
// the name), the name, and the values by columns.

// mat4Header is what stands before the name of a variable.
type mat4Header struct {
	order                  binary.ByteOrder
	format, class          int // of the values: 0 double … 5 uint8; 0 numbers, 1 text, 2 sparse
	rows, columns, nameLen int64
	complex                bool
}

const mat4HeaderSize = 20

// mat4Formats are the types of values, by their digit in the type.
var mat4Formats = [...]string{"f8", "f4", "i4", "i2", "u2", "u1"}

// parseMAT4Header reads the five words; ok is false when they cannot begin a
// variable.
func parseMAT4Header(data []byte) (h mat4Header, ok bool) {
	if len(data) < mat4HeaderSize {
		return h, false
	}
	h.order = binary.LittleEndian
	kind := h.order.Uint32(data)
	if kind > 999 {
		h.order = binary.BigEndian
		if kind = h.order.Uint32(data); kind < 1000 || kind > 1999 {
			return h, false
		}
	}
	h.format, h.class = int(kind/10%10), int(kind%10)
	h.rows, h.columns = int64(h.order.Uint32(data[4:])), int64(h.order.Uint32(data[8:]))
	complex := h.order.Uint32(data[12:])
	h.complex = complex == 1
	h.nameLen = int64(h.order.Uint32(data[16:]))
	return h, kind/100%10 == 0 && h.format < len(mat4Formats) && h.class <= 2 && complex <= 1 &&
		h.rows < 1<<31 && h.columns < 1<<31 && h.nameLen >= 2 && h.nameLen <= 256
}

// isMAT4 recognises a first variable with a name of plain letters.
func isMAT4(head []byte) bool {
	h, ok := parseMAT4Header(head)
	if !ok || int64(len(head)) < mat4HeaderSize+h.nameLen {
		return false
	}
	name := head[mat4HeaderSize : mat4HeaderSize+h.nameLen]
	last := len(name) - 1
	return name[last] == 0 && len(bytes.Trim(name[:last], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.")) == 0
}

func (s *source) readMAT4() (*connectome.Connectome, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	var arrays []*array
	for len(data) > 0 {
		h, ok := parseMAT4Header(data)
		if !ok {
			return nil, s.failf(ErrCorrupt, 0, 0, "", "no variable where one should begin")
		}
		data = data[mat4HeaderSize:]
		width, decode := npyNumber(mat4Formats[h.format], h.order)
		size := h.rows * h.columns
		if left := int64(len(data)) - h.nameLen; left < 0 || size > left/int64(width) {
			return nil, s.failf(ErrTruncated, 0, 0, "", "a variable of %d × %d values, of which %d bytes are there", h.rows, h.columns, max(0, left))
		}
		a := &array{name: strings.TrimRight(string(data[:h.nameLen]), "\x00"), shape: []int{int(h.rows), int(h.columns)}, columnMajor: true}
		data = data[h.nameLen:]
		a.data = make([]float64, size)
		for i := range a.data {
			a.data[i] = decode(data[i*width:])
		}
		data = data[size*int64(width):]
		if h.complex {
			data = data[min(int64(len(data)), size*int64(width)):]
		}
		switch {
		case h.complex, h.class == 2:
			s.rep.Infof("skipped-array", "%s is complex or sparse", a.name)
			continue
		case h.class == 1, h.format == 5 && h.rows == 1:
			a.text, a.data = mat4Text(a), nil
		}
		arrays = append(arrays, a)
	}
	s.rep.Format = "MAT v4"
	return s.arraysConnectome(arrays)
}

// mat4Text reads codes of characters: a text a row, or, as DSI Studio has it,
// one row of lines.
func mat4Text(a *array) []string {
	texts := []string{}
	if a.shape[1] == 0 {
		return texts // however many rows it claims
	}
	for i := range a.shape[0] {
		var b strings.Builder
		for j := range a.shape[1] {
			b.WriteByte(byte(a.at2(i, j)))
		}
		texts = append(texts, strings.Trim(b.String(), " \t\r\n\x00"))
	}
	if len(texts) == 1 {
		texts = strings.Split(texts[0], "\n")
	}
	return texts
}
