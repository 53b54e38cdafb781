package protocol

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// setJSON takes a tensor's elements from JSON: a list, flat or nested as the
// shape is, in row-major order.
func (t *Tensor) setJSON(data []byte) error {
	size, ok := SizeOf(t.Datatype)
	if !ok {
		return Invalid("input %q: there is no datatype %q", t.Name, t.Datatype)
	}
	if t.Datatype == FP16 || t.Datatype == BF16 {
		return Invalid("input %q: %s goes as binary data only", t.Name, t.Datatype)
	}
	most := len(data)
	if size == 0 {
		most = min(most, maxList)
	}
	n, err := Elements(t.Shape, most)
	if err != nil {
		return Invalid("input %q: %v", t.Name, err)
	}
	t.Raw = make([]byte, 0, n*size)
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	count := 0
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return Invalid("input %q: its data are no list: %v", t.Name, err)
		}
		switch v := token.(type) {
		case json.Delim:
			switch {
			case v == '[':
				if depth++; depth > maxDimensions {
					return Invalid("input %q: lists in lists, %d deep", t.Name, depth)
				}
			case v == ']':
				depth--
			default:
				return Invalid("input %q: its data hold an object", t.Name)
			}
		default:
			if count++; count > n {
				return Invalid("input %q: more than the %d elements of shape %v were sent", t.Name, n, t.Shape)
			}
			if err := t.add(v); err != nil {
				return Invalid("input %q: element %d: %v", t.Name, count-1, err)
			}
		}
		if depth == 0 {
			break
		}
	}
	if count != n {
		return Invalid("input %q: %d elements of %d, of shape %v, were sent", t.Name, count, n, t.Shape)
	}
	return nil
}

// add appends an element as JSON has it.
func (t *Tensor) add(v any) error {
	switch v := v.(type) {
	case string:
		if t.Datatype != Bytes {
			break
		}
		t.List = append(t.List, []byte(v))
		return nil
	case bool:
		if t.Datatype != Bool {
			break
		}
		var b byte
		if v {
			b = 1
		}
		t.Raw = append(t.Raw, b)
		return nil
	case json.Number:
		return t.addNumber(string(v))
	}
	return Invalid("%v is no %s", v, t.Datatype)
}

func (t *Tensor) addNumber(s string) error {
	le := binary.LittleEndian
	bits, signed := 0, false
	switch t.Datatype {
	case Bytes:
		return Invalid("%s is no %s", s, t.Datatype)
	case FP32:
		v, err := strconv.ParseFloat(s, 32)
		if err != nil {
			return Invalid("%s is no FP32", s)
		}
		t.Raw = le.AppendUint32(t.Raw, math.Float32bits(float32(v)))
		return nil
	case FP64:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return Invalid("%s is no FP64", s)
		}
		t.Raw = le.AppendUint64(t.Raw, math.Float64bits(v))
		return nil
	case Bool:
		if s != "0" && s != "1" {
			return Invalid("%s is no BOOL", s)
		}
		bits = 8
	case Uint8, Uint16, Uint32, Uint64:
		bits = 8 * sizes[t.Datatype]
	case Int8, Int16, Int32, Int64:
		bits, signed = 8*sizes[t.Datatype], true
	}
	var v uint64
	var err error
	if signed {
		var i int64
		i, err = strconv.ParseInt(s, 10, bits)
		v = uint64(i)
	} else {
		v, err = strconv.ParseUint(s, 10, bits)
	}
	if err != nil {
		return Invalid("%s is no %s", s, t.Datatype)
	}
	for k := 0; k < bits; k += 8 {
		t.Raw = append(t.Raw, byte(v>>k))
	}
	return nil
}

// appendJSON appends the elements as a flat list of JSON. What is no finite
// number, which JSON does not have, is null.
func (t *Tensor) appendJSON(b []byte) ([]byte, error) {
	b = append(b, '[')
	if t.Datatype == Bytes {
		for i, e := range t.List {
			if i > 0 {
				b = append(b, ',')
			}
			s, err := json.Marshal(string(e))
			if err != nil {
				return nil, err
			}
			b = append(b, s...)
		}
		return append(b, ']'), nil
	}
	size := sizes[t.Datatype]
	le := binary.LittleEndian
	for i := 0; i+size <= len(t.Raw); i += size {
		if i > 0 {
			b = append(b, ',')
		}
		e := t.Raw[i:]
		switch t.Datatype {
		case Bool:
			b = strconv.AppendBool(b, e[0] != 0)
		case Uint8:
			b = strconv.AppendUint(b, uint64(e[0]), 10)
		case Uint16:
			b = strconv.AppendUint(b, uint64(le.Uint16(e)), 10)
		case Uint32:
			b = strconv.AppendUint(b, uint64(le.Uint32(e)), 10)
		case Uint64:
			b = strconv.AppendUint(b, le.Uint64(e), 10)
		case Int8:
			b = strconv.AppendInt(b, int64(int8(e[0])), 10)
		case Int16:
			b = strconv.AppendInt(b, int64(int16(le.Uint16(e))), 10)
		case Int32:
			b = strconv.AppendInt(b, int64(int32(le.Uint32(e))), 10)
		case Int64:
			b = strconv.AppendInt(b, int64(le.Uint64(e)), 10)
		case FP16:
			b = appendFloat(b, float64(half(le.Uint16(e))), 32)
		case BF16:
			b = appendFloat(b, float64(math.Float32frombits(uint32(le.Uint16(e))<<16)), 32)
		case FP32:
			b = appendFloat(b, float64(math.Float32frombits(le.Uint32(e))), 32)
		case FP64:
			b = appendFloat(b, math.Float64frombits(le.Uint64(e)), 64)
		}
	}
	return append(b, ']'), nil
}

func appendFloat(b []byte, v float64, bits int) []byte {
	if v-v != 0 {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, bits)
}
