package wiring

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxTensors bounds tracts.safetensors.
const maxTensors = 4 << 30

// wordsTensor holds [Params.Words].
const wordsTensor = "words"

// The safetensors format is eight bytes of header length, a JSON header of
// names, types, shapes and offsets, and the data, little-endian
// (https://huggingface.co/docs/safetensors). No Go library for it is kept up,
// and the part a plan needs is small.

// encode writes the parameters as safetensors: the layout's tensors in their
// order, then the allowed words.
func (q *Params) encode() []byte {
	var header bytes.Buffer
	header.WriteString(`{"__metadata__":{"format":"wire plan","version":"1"}`)
	entry := func(name, dtype string, shape []int, lo, hi int) {
		dims := strings.Join(strings.Fields(fmt.Sprint(shape)), ",")
		quoted, err := json.Marshal(name)
		if err != nil {
			quoted = []byte(`""`) // strings always encode
		}
		fmt.Fprintf(&header, `,%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, quoted, dtype, dims, lo, hi)
	}
	for i := range q.Layout {
		t := &q.Layout[i]
		entry(t.Name, "F32", t.Shape, 4*t.Offset, 4*(t.Offset+t.Len()))
	}
	end := 4 * len(q.Data)
	if q.Words != nil {
		entry(wordsTensor, "I32", []int{len(q.Words)}, end, end+4*len(q.Words))
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	out := make([]byte, 0, 8+header.Len()+end+4*len(q.Words))
	out = binary.LittleEndian.AppendUint64(out, uint64(header.Len()))
	out = append(out, header.Bytes()...)
	for _, v := range q.Data {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	for _, w := range q.Words {
		out = binary.LittleEndian.AppendUint32(out, uint32(w))
	}
	return out
}

// decode fills the parameters from safetensors. Tensors may stand in any
// order, but each of the layout must be there with its shape.
func (q *Params) decode(data []byte) error {
	if len(data) < 8 {
		return fmt.Errorf("%d bytes are too short for a safetensors file", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) {
		return fmt.Errorf("the header claims %d bytes, the file has %d: it is cut short or no safetensors file", n, len(data)-8)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &raw); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	body := data[8+n:]
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	tensor := func(name, dtype string) (entry, []byte, error) {
		var e entry
		if err := json.Unmarshal(raw[name], &e); err != nil {
			return e, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if e.DType != dtype {
			return e, nil, fmt.Errorf("tensor %q is of type %s, want %s", name, e.DType, dtype)
		}
		count := 1
		for _, s := range e.Shape {
			if s < 0 || s > len(body) || count > len(body) {
				return e, nil, fmt.Errorf("tensor %q has shape %v", name, e.Shape)
			}
			count *= s
		}
		if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] > len(body) || e.Offsets[1]-e.Offsets[0] != 4*count {
			return e, nil, fmt.Errorf("tensor %q has offsets %v, which do not fit its shape %v and the file's %d bytes", name, e.Offsets, e.Shape, len(body))
		}
		return e, body[e.Offsets[0]:e.Offsets[1]], nil
	}
	for i := range q.Layout {
		t := &q.Layout[i]
		if _, ok := raw[t.Name]; !ok {
			var names []string
			for name := range raw {
				names = append(names, name)
			}
			slices.Sort(names)
			return fmt.Errorf("tensor %q is missing%s", t.Name, didYouMean(t.Name, names))
		}
		e, b, err := tensor(t.Name, "F32")
		if err != nil {
			return err
		}
		if fmt.Sprint(e.Shape) != fmt.Sprint(t.Shape) {
			return fmt.Errorf("tensor %q has shape %v, the plan needs %v: the file belongs to another plan", t.Name, e.Shape, t.Shape)
		}
		for k := range t.Len() {
			q.Data[t.Offset+k] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*k:]))
		}
	}
	q.Words = nil
	if _, ok := raw[wordsTensor]; ok {
		e, b, err := tensor(wordsTensor, "I32")
		if err != nil {
			return err
		}
		if len(e.Shape) != 1 {
			return fmt.Errorf("tensor %q has shape %v, want one dimension", wordsTensor, e.Shape)
		}
		q.Words = make([]int32, e.Shape[0])
		for k := range q.Words {
			q.Words[k] = int32(binary.LittleEndian.Uint32(b[4*k:]))
		}
	}
	return nil
}
