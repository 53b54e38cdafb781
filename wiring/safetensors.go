package wiring

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/internal/half"
)

// maxTensors bounds tracts.safetensors.
const maxTensors = 4 << 30

// list1 is the name that plans of format 1 gave to the one list they could
// have: that of their effector.
const list1 = "words"

// The safetensors format is eight bytes of header length, a JSON header of
// names, types, shapes and offsets, and the data, little-endian
// (https://huggingface.co/docs/safetensors). No Go library for it is kept up,
// and the part a plan needs is small.

// rawTensor is a tensor as it stands in a safetensors file.
type rawTensor struct {
	name, dtype string
	shape       []int
	data        []byte
}

// tensorSizes are the bytes of an element of the types that a plan uses.
var tensorSizes = map[string]int{"F32": 4, "F16": 2, "I32": 4, "I8": 1}

// encodeTensors writes tensors as a safetensors file.
func encodeTensors(format string, tensors []rawTensor) []byte {
	var header bytes.Buffer
	fmt.Fprintf(&header, `{"__metadata__":{"format":%q,"version":"1"}`, format)
	size := 0
	for _, t := range tensors {
		dims := strings.Join(strings.Fields(fmt.Sprint(t.shape)), ",")
		quoted, err := json.Marshal(t.name)
		if err != nil {
			quoted = []byte(`""`) // strings always encode
		}
		fmt.Fprintf(&header, `,%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, quoted, t.dtype, dims, size, size+len(t.data))
		size += len(t.data)
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	out := make([]byte, 0, 8+header.Len()+size)
	out = binary.LittleEndian.AppendUint64(out, uint64(header.Len()))
	out = append(out, header.Bytes()...)
	for _, t := range tensors {
		out = append(out, t.data...)
	}
	return out
}

// tensorFile is a safetensors file taken apart.
type tensorFile struct {
	header map[string]json.RawMessage
	body   []byte
}

func decodeTensors(data []byte) (*tensorFile, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("%d bytes are too short for a safetensors file", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) {
		return nil, fmt.Errorf("the header claims %d bytes, the file has %d: it is cut short or no safetensors file", n, len(data)-8)
	}
	f := &tensorFile{body: data[8+n:]}
	if err := json.Unmarshal(data[8:8+n], &f.header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return f, nil
}

// has reports whether the file holds a tensor.
func (f *tensorFile) has(name string) bool { _, ok := f.header[name]; return ok }

// get returns a tensor of one of some types; its data are a view.
func (f *tensorFile) get(name string, dtypes ...string) (rawTensor, error) {
	var e struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	t := rawTensor{name: name}
	if !f.has(name) {
		names := slices.Sorted(maps.Keys(f.header))
		return t, fmt.Errorf("tensor %q is missing%s", name, edit.Suggestion(name, names))
	}
	if err := json.Unmarshal(f.header[name], &e); err != nil {
		return t, fmt.Errorf("tensor %q: %w", name, err)
	}
	if !slices.Contains(dtypes, e.DType) {
		return t, fmt.Errorf("tensor %q is of type %s, want %s", name, e.DType, strings.Join(dtypes, " or "))
	}
	t.dtype = e.DType
	count := 1
	for _, s := range e.Shape {
		if s < 0 || s > len(f.body) || count > len(f.body) {
			return t, fmt.Errorf("tensor %q has shape %v", name, e.Shape)
		}
		count *= s
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] > len(f.body) || e.Offsets[1]-e.Offsets[0] != tensorSizes[e.DType]*count {
		return t, fmt.Errorf("tensor %q has offsets %v, which do not fit its shape %v and the file's %d bytes", name, e.Offsets, e.Shape, len(f.body))
	}
	t.shape, t.data = e.Shape, f.body[e.Offsets[0]:e.Offsets[1]]
	return t, nil
}

// encodeFloats writes numbers as float16 where that keeps every one of them
// (see [Params.RoundToHalf]), else as float32.
func encodeFloats(values []float32) (dtype string, data []byte) {
	if !slices.ContainsFunc(values, func(v float32) bool { return math.Float32bits(half.From(half.To(v))) != math.Float32bits(v) }) {
		data = make([]byte, 0, 2*len(values))
		for _, v := range values {
			data = binary.LittleEndian.AppendUint16(data, half.To(v))
		}
		return "F16", data
	}
	data = make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return "F32", data
}

// decodeFloats fills dst with the numbers of an F32 or F16 tensor.
func decodeFloats(dst []float32, t rawTensor) {
	for k := range dst {
		if t.dtype == "F16" {
			dst[k] = half.From(binary.LittleEndian.Uint16(t.data[2*k:]))
		} else {
			dst[k] = math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*k:]))
		}
	}
}

// encode writes the parameters as safetensors: the layout's tensors in their
// order, then the lists.
func (q *Params) encode() []byte {
	var list []rawTensor
	for i := range q.Layout {
		t := &q.Layout[i]
		dtype, data := encodeFloats(q.Data[t.Offset:][:t.Len()])
		list = append(list, rawTensor{t.Name, dtype, t.Shape, data})
	}
	for _, name := range slices.Sorted(maps.Keys(q.Lists)) {
		var data []byte
		for _, v := range q.Lists[name] {
			data = binary.LittleEndian.AppendUint32(data, uint32(v))
		}
		list = append(list, rawTensor{name, "I32", []int{len(q.Lists[name])}, data})
	}
	return encodeTensors("wire plan", list)
}

// decode fills the parameters from safetensors. Tensors may stand in any
// order, but each of the layout must be there with its shape.
func (q *Params) decode(data []byte) error {
	f, err := decodeTensors(data)
	if err != nil {
		return err
	}
	for i := range q.Layout {
		t := &q.Layout[i]
		e, err := f.get(t.Name, "F32", "F16")
		if err != nil {
			return err
		}
		if fmt.Sprint(e.shape) != fmt.Sprint(t.Shape) {
			return fmt.Errorf("tensor %q has shape %v, the plan needs %v: the file belongs to another plan", t.Name, e.shape, t.Shape)
		}
		decodeFloats(q.Data[t.Offset:][:t.Len()], e)
	}
	q.Lists = nil
	for _, name := range slices.Sorted(maps.Keys(f.header)) {
		e, err := f.get(name, "I32")
		if err != nil {
			continue // a tensor of the layout, or of no use here
		}
		if len(e.shape) != 1 {
			return fmt.Errorf("list %q has shape %v, want one dimension", name, e.shape)
		}
		list := make([]int32, e.shape[0])
		for k := range list {
			list[k] = int32(binary.LittleEndian.Uint32(e.data[4*k:]))
		}
		q.SetList(name, list)
	}
	return nil
}
