package onnxfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds on what a file may ask for.
const (
	maxDepth = 16      // of subgraphs
	maxDims  = 64      // of a tensor
	maxElems = 1 << 40 // of a tensor
)

var errTruncated = errors.New("not an ONNX model, or one that is cut off or damaged")

// fields calls f for every field of a message. v is the payload of a
// length-delimited field; n is the value of a varint or fixed field.
func fields(msg []byte, f func(num protowire.Number, typ protowire.Type, v []byte, n uint64) error) error {
	for len(msg) > 0 {
		num, typ, size := protowire.ConsumeTag(msg)
		if size < 0 {
			return errTruncated
		}
		msg = msg[size:]
		var v []byte
		var n uint64
		switch typ {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(msg)
		case protowire.Fixed32Type:
			var x uint32
			x, size = protowire.ConsumeFixed32(msg)
			n = uint64(x)
		case protowire.Fixed64Type:
			n, size = protowire.ConsumeFixed64(msg)
		case protowire.BytesType:
			v, size = protowire.ConsumeBytes(msg)
		default:
			size = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if size < 0 {
			return errTruncated
		}
		msg = msg[size:]
		if err := f(num, typ, v, n); err != nil {
			return err
		}
	}
	return nil
}

// varints appends the numbers of a repeated field, packed or not.
func varints(dst []int64, typ protowire.Type, v []byte, n uint64) ([]int64, error) {
	switch typ {
	case protowire.VarintType:
		return append(dst, int64(n)), nil
	case protowire.BytesType:
		for len(v) > 0 {
			x, size := protowire.ConsumeVarint(v)
			if size < 0 {
				return dst, errTruncated
			}
			dst, v = append(dst, int64(x)), v[size:]
		}
		return dst, nil
	}
	return dst, errTruncated
}

// fixed appends the little-endian bytes of a repeated fixed-size field.
func fixed(dst []byte, typ protowire.Type, v []byte, n uint64, size int) ([]byte, error) {
	switch {
	case typ == protowire.BytesType && len(v)%size == 0:
		return append(dst, v...), nil
	case typ == protowire.Fixed32Type && size == 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
	case typ == protowire.Fixed64Type && size == 8:
		return binary.LittleEndian.AppendUint64(dst, n), nil
	}
	return dst, errTruncated
}

// reader reads one file.
type reader struct {
	path  string
	dir   string // of external data; "" forbids them
	files map[string][]byte
	model *Model

	maps   bool // files are mapped, if they can be
	mapped []func() error
}

func (r *reader) wrap(where string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if where != "" {
			if e.Where == "" {
				e.Where = where
			} else {
				e.Where = where + ", " + e.Where
			}
		}
		return e
	}
	return &Error{Path: r.path, Where: where, Err: err}
}

func pair(msg []byte) (key, value string, err error) {
	err = fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, _ uint64) error {
		switch num {
		case 1:
			key = string(v)
		case 2:
			value = string(v)
		}
		return nil
	})
	return key, value, err
}

func opset(into map[string]int64, msg []byte) error {
	var domain string
	var version int64
	err := fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, n uint64) error {
		switch num {
		case 1:
			domain = canonicalDomain(string(v))
		case 2:
			version = int64(n)
		}
		return nil
	})
	if err == nil && version < 1 {
		err = fmt.Errorf("operator set %q has version %d", domain, version)
	}
	into[domain] = version
	return err
}

func canonicalDomain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

func (r *reader) modelProto(msg []byte) error {
	m := &Model{Opsets: map[string]int64{}, Metadata: map[string]string{}}
	r.model = m
	var graph []byte
	var functions [][]byte
	var version string
	found := false
	err := fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, n uint64) error {
		switch num {
		case 1:
			m.IRVersion = int64(n)
		case 2:
			m.Producer = string(v)
		case 3:
			version = string(v)
		case 6:
			m.Description = string(v)
		case 7:
			graph, found = v, true
		case 8:
			return opset(m.Opsets, v)
		case 14:
			k, s, err := pair(v)
			m.Metadata[k] = s
			return err
		case 25:
			functions = append(functions, v)
		}
		return nil
	})
	if err != nil {
		return r.wrap("", err)
	}
	if !found {
		return r.wrap("", errors.New("holds no graph: not an ONNX model"))
	}
	m.Producer = strings.TrimSpace(m.Producer + " " + version)
	for i, f := range functions {
		fn, err := r.functionProto(f)
		if err != nil {
			return r.wrap(fmt.Sprintf("function %d", i), err)
		}
		m.Functions = append(m.Functions, fn)
	}
	m.Graph, err = r.graphProto(graph, 0)
	return err
}

func (r *reader) functionProto(msg []byte) (*Function, error) {
	f := &Function{Opsets: map[string]int64{}, Defaults: map[string]*Attr{}}
	err := fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, _ uint64) error {
		switch num {
		case 1:
			f.Name = string(v)
		case 4:
			f.Inputs = append(f.Inputs, string(v))
		case 5:
			f.Outputs = append(f.Outputs, string(v))
		case 6:
			f.Attributes = append(f.Attributes, string(v))
		case 7:
			n, err := r.nodeProto(v, 1)
			if err != nil {
				return err
			}
			f.Nodes = append(f.Nodes, n)
		case 9:
			return opset(f.Opsets, v)
		case 10:
			f.Domain = canonicalDomain(string(v))
		case 11:
			a, err := r.attributeProto(v, 1)
			if err != nil {
				return err
			}
			f.Defaults[a.Name] = a
		}
		return nil
	})
	return f, err
}

// graphProto reads a graph, has onnx-go decode its skeleton and checks and
// sorts the result.
func (r *reader) graphProto(msg []byte, depth int) (*Graph, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("subgraphs are nested more than %d deep", maxDepth)
	}
	g := &Graph{Values: map[string]Value{}, byInitializer: map[string]*Tensor{}}
	var inputs []Value
	var nodes []*Node
	err := fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, _ uint64) error {
		switch num {
		case 1:
			n, err := r.nodeProto(v, depth)
			if err != nil {
				return r.wrap(fmt.Sprintf("node %d", len(nodes)), err)
			}
			nodes = append(nodes, n)
		case 2:
			g.Name = string(v)
		case 5:
			t, err := r.tensorProto(v)
			if err != nil {
				return r.wrap(fmt.Sprintf("initializer %q", t.Name), err)
			}
			if t.Name == "" {
				return errors.New("an initializer has no name")
			}
			if g.byInitializer[t.Name] != nil {
				return fmt.Errorf("initializer %q is there twice", t.Name)
			}
			g.Initializers = append(g.Initializers, t)
			g.byInitializer[t.Name] = t
			r.model.InitializerSize += int64(len(t.Raw))
		case 11, 12, 13:
			val, err := valueInfo(v)
			if err != nil {
				return err
			}
			switch num {
			case 11:
				inputs = append(inputs, val)
			case 12:
				g.Outputs = append(g.Outputs, val)
			default:
				g.Values[val.Name] = val
			}
		case 15:
			return errors.New("sparse initializers are not supported; save the model with dense ones")
		}
		return nil
	})
	where := "graph " + fmt.Sprintf("%q", g.Name)
	if err != nil {
		return nil, r.wrap(where, err)
	}
	for _, in := range inputs {
		if g.byInitializer[in.Name] == nil {
			g.Inputs = append(g.Inputs, in)
		}
	}
	if err := decode(g, nodes); err != nil {
		return nil, r.wrap(where, err)
	}
	if err := check(g, depth > 0); err != nil {
		return nil, r.wrap(where, err)
	}
	return g, nil
}

func (r *reader) nodeProto(msg []byte, depth int) (*Node, error) {
	n := &Node{Attrs: map[string]*Attr{}}
	err := fields(msg, func(num protowire.Number, _ protowire.Type, v []byte, _ uint64) error {
		switch num {
		case 1:
			n.Inputs = append(n.Inputs, string(v))
		case 2:
			n.Outputs = append(n.Outputs, string(v))
		case 3:
			n.Name = string(v)
		case 4:
			n.Op = string(v)
		case 5:
			a, err := r.attributeProto(v, depth)
			if err != nil {
				return err
			}
			if n.Attrs[a.Name] != nil {
				return fmt.Errorf("attribute %q is there twice", a.Name)
			}
			n.Attrs[a.Name] = a
		case 7:
			n.Domain = canonicalDomain(string(v))
		}
		return nil
	})
	if err == nil && n.Op == "" {
		err = errors.New("node has no operator")
	}
	if err != nil {
		return n, r.wrap(n.String(), err)
	}
	return n, nil
}

func (r *reader) attributeProto(msg []byte, depth int) (*Attr, error) {
	a := &Attr{}
	var seen AttrType
	err := fields(msg, func(num protowire.Number, typ protowire.Type, v []byte, n uint64) (err error) {
		switch num {
		case 1:
			a.Name = string(v)
		case 2:
			a.F, seen = math.Float32frombits(uint32(n)), AttrFloat
		case 3:
			a.I, seen = int64(n), AttrInt
		case 4:
			a.S, seen = string(v), AttrString
		case 5:
			a.T, err = r.tensorProto(v)
			seen = AttrTensor
		case 6:
			a.G, err = r.graphProto(v, depth+1)
			seen = AttrGraph
		case 7:
			var raw []byte
			raw, err = fixed(nil, typ, v, n, 4)
			for i := 0; i+4 <= len(raw); i += 4 {
				a.Floats = append(a.Floats, math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
			}
			seen = AttrFloats
		case 8:
			a.Ints, err = varints(a.Ints, typ, v, n)
			seen = AttrInts
		case 9:
			a.Strings = append(a.Strings, string(v))
			seen = AttrStrings
		case 10:
			var t *Tensor
			t, err = r.tensorProto(v)
			a.Tensors = append(a.Tensors, t)
			seen = AttrTensors
		case 11:
			var g *Graph
			g, err = r.graphProto(v, depth+1)
			a.Graphs = append(a.Graphs, g)
			seen = AttrGraphs
		case 14:
			a.V = &Value{}
			err = typeProto(a.V, v)
			seen = AttrTypeProto
		case 20:
			a.Type = AttrType(n)
		case 21:
			a.Ref = string(v)
		case 22, 23:
			err = errors.New("sparse tensors are not supported")
		}
		return err
	})
	if a.Type == 0 {
		a.Type = seen // files before IR version 2 do not say
	}
	if err == nil {
		switch {
		case a.Name == "":
			err = errors.New("an attribute has no name")
		case a.Type == AttrTensor && a.T == nil && a.Ref == "", a.Type == AttrGraph && a.G == nil && a.Ref == "":
			err = errors.New("is empty")
		}
	}
	if err != nil {
		return a, r.wrap(fmt.Sprintf("attribute %q", a.Name), err)
	}
	return a, nil
}

func valueInfo(msg []byte) (Value, error) {
	v := Value{Kind: OtherKind}
	err := fields(msg, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
		switch num {
		case 1:
			v.Name = string(b)
		case 2:
			return typeProto(&v, b)
		}
		return nil
	})
	return v, err
}

func typeProto(v *Value, msg []byte) error {
	return fields(msg, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
		switch num {
		case 1:
			v.Kind = TensorKind
			return tensorType(v, b)
		case 4, 9:
			inner := Value{Kind: OtherKind}
			err := fields(b, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
				if num == 1 {
					return shallowType(&inner, b)
				}
				return nil
			})
			v.Kind, v.Elem, v.Of = SequenceKind, inner.Elem, inner.Kind
			if num == 9 {
				v.Kind = OptionalKind
			}
			return err
		case 5:
			v.Kind = MapKind
		}
		return nil
	})
}

// shallowType reads the type inside a sequence or optional: only its element
// type matters.
func shallowType(v *Value, msg []byte) error {
	return fields(msg, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
		switch num {
		case 1:
			v.Kind = TensorKind
			return tensorType(v, b)
		case 4:
			v.Kind = SequenceKind
			return fields(b, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
				if num != 1 {
					return nil
				}
				return fields(b, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
					if num == 1 {
						return tensorType(v, b)
					}
					return nil
				})
			})
		case 5:
			v.Kind = MapKind
		}
		return nil
	})
}

func tensorType(v *Value, msg []byte) error {
	return fields(msg, func(num protowire.Number, _ protowire.Type, b []byte, n uint64) error {
		switch num {
		case 1:
			v.Elem = ElemType(n)
		case 2:
			v.Known = true
			v.Shape, v.Symbols = []int{}, []string{}
			return fields(b, func(num protowire.Number, _ protowire.Type, b []byte, _ uint64) error {
				if num != 1 {
					return nil
				}
				if len(v.Shape) >= maxDims {
					return fmt.Errorf("value %q has more than %d dimensions", v.Name, maxDims)
				}
				size, symbol := -1, ""
				err := fields(b, func(num protowire.Number, _ protowire.Type, b []byte, n uint64) error {
					switch num {
					case 1:
						size = int(int64(n))
					case 2:
						symbol = string(b)
					}
					return nil
				})
				if size < 0 {
					size = -1 // some exporters write -1 for an open dimension
				}
				v.Shape = append(v.Shape, size)
				v.Symbols = append(v.Symbols, symbol)
				return err
			})
		}
		return nil
	})
}

// tensorFields are the fields of a constant as the file has them.
type tensorFields struct {
	dims                 []int64
	raw, floats, doubles []byte
	int32s, int64s       []int64
	uint64s              []int64
	hasRaw, segmented    bool
	outside              bool              // the data lie in another file,
	external             map[string]string // which this describes
}

// tensorProto reads a constant. The returned tensor is never nil, so that its
// name can be reported.
func (r *reader) tensorProto(msg []byte) (*Tensor, error) {
	t := &Tensor{Shape: []int{}}
	f := tensorFields{dims: []int64{}, external: map[string]string{}}
	if err := fields(msg, func(num protowire.Number, typ protowire.Type, v []byte, n uint64) error {
		return f.field(t, num, typ, v, n)
	}); err != nil {
		return t, err
	}
	if f.segmented {
		return t, errors.New("segmented tensors are not supported")
	}
	count, err := t.setShape(f.dims)
	if err != nil {
		return t, err
	}
	size := (count*t.Elem.Bits() + 7) / 8
	switch {
	case t.Elem.Bits() == 0 && t.Elem != String:
		return t, fmt.Errorf("has an unsupported %v", t.Elem)
	case f.outside && t.Elem == String:
		return t, errors.New("strings cannot lie in an external file")
	case f.outside:
		t.Raw, err = r.external(f.external, size)
	case t.Elem == String && len(t.Strings) != count:
		err = fmt.Errorf("shape %v asks for %d strings, the file holds %d", f.dims, count, len(t.Strings))
	case t.Elem != String:
		t.Raw = f.data(t.Elem)
	}
	if err == nil && t.Elem != String && len(t.Raw) != size {
		err = fmt.Errorf("shape %v of %v asks for %d bytes, the file holds %d", f.dims, t.Elem, size, len(t.Raw))
	}
	if err == nil && t.Elem.Bits() < 8 && t.Elem != String {
		t.Raw = unpack(t.Raw, t.Elem, count)
	}
	return t, err
}

// unpack gives every element of less than a byte one of its own.
func unpack(packed []byte, elem ElemType, count int) []byte {
	out := make([]byte, count)
	bits := elem.Bits()
	signed := elem == Int4 || elem == Int2
	for i := range out {
		at := i * bits
		v := uint16(packed[at/8]) >> (at % 8)
		if at%8+bits > 8 {
			v |= uint16(packed[at/8+1]) << (8 - at%8)
		}
		out[i] = byte(v) & (1<<bits - 1)
		if signed {
			out[i] = byte(int8(out[i]<<(8-bits)) >> (8 - bits))
		}
	}
	return out
}

// field takes one field; names, types and strings go into the tensor at once.
func (f *tensorFields) field(t *Tensor, num protowire.Number, typ protowire.Type, v []byte, n uint64) (err error) {
	switch num {
	case 1:
		f.dims, err = varints(f.dims, typ, v, n)
	case 2:
		t.Elem = ElemType(n)
	case 3:
		f.segmented = true
	case 4:
		f.floats, err = fixed(f.floats, typ, v, n, 4)
	case 5:
		f.int32s, err = varints(f.int32s, typ, v, n)
	case 6:
		t.Strings = append(t.Strings, string(v))
	case 7:
		f.int64s, err = varints(f.int64s, typ, v, n)
	case 8:
		t.Name = string(v)
	case 9:
		f.raw, f.hasRaw = v, true
	case 10:
		f.doubles, err = fixed(f.doubles, typ, v, n, 8)
	case 11:
		f.uint64s, err = varints(f.uint64s, typ, v, n)
	case 13:
		var key, value string
		key, value, err = pair(v)
		f.external[key] = value
	case 14:
		f.outside = n == 1
	}
	return err
}

// data returns the bytes of the elements, whichever field holds them.
func (f *tensorFields) data(elem ElemType) (raw []byte) {
	switch {
	case f.hasRaw:
		return f.raw
	case elem == Float || elem == Complex64:
		return f.floats
	case elem == Double || elem == Complex128:
		return f.doubles
	case elem == Int64:
		return littleEndian(f.int64s, 8)
	case elem == Uint64 || elem == Uint32:
		return littleEndian(f.uint64s, elem.Size())
	}
	if elem == Float6E2M3 || elem == Float6E3M2 { // the only ones that are not packed there
		return pack6(f.int32s)
	}
	return littleEndian(f.int32s, elem.Size()) // everything narrow is in int32_data
}

// littleEndian writes the low bytes of each number, size of them.
func littleEndian(numbers []int64, size int) (raw []byte) {
	for _, x := range numbers {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))[:len(raw)+size]
	}
	return raw
}

// pack6 lays 6-bit numbers end to end, as raw_data has them.
func pack6(numbers []int64) []byte {
	out := make([]byte, (len(numbers)*6+7)/8)
	for i, x := range numbers {
		for b := range 6 {
			out[(i*6+b)/8] |= byte(x>>b&1) << ((i*6 + b) % 8)
		}
	}
	return out
}

// setShape takes over the dimensions and returns how many elements they ask
// for.
func (t *Tensor) setShape(dims []int64) (count int, err error) {
	if len(dims) > maxDims {
		return 0, fmt.Errorf("has %d dimensions, at most %d are supported", len(dims), maxDims)
	}
	count = 1
	for _, d := range dims {
		if d < 0 || (d > 0 && int64(count) > maxElems/d) {
			return 0, fmt.Errorf("has an impossible shape %v", dims)
		}
		count *= int(d)
		t.Shape = append(t.Shape, int(d))
	}
	return count, nil
}
