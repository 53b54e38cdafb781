package moduletest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/connectomewire/wire/modules"
)

// Model is a small ONNX model, written down in Go and serialized by
// [Model.Bytes].
type Model struct {
	Opset        int64 // of the default domain; 0 means 13
	Nodes        []Node
	Inputs       []Value
	Outputs      []Value
	Initializers []Initializer
}

// Node is an operator.
type Node struct {
	Op      string
	Domain  string
	Inputs  []string
	Outputs []string
	// Attributes by kind.
	Ints    map[string]int64
	Lists   map[string][]int64
	Floats  map[string]float32
	Reals   map[string][]float32
	Strings map[string]string
	// Bodies are subgraphs, such as the branches of If: a model's nodes,
	// outputs and initializers; what they do not make themselves they take
	// from the graph around them.
	Bodies map[string]*Model
}

// Value is an input or output of the model. An entry of Shape below 0 is
// open, and named by the entry of Symbols. Sequences are of the given type and
// have no shape.
type Value struct {
	Name    string
	DType   modules.DType
	Shape   []int
	Symbols []string

	Sequence bool
}

// Initializer is a constant tensor of any type but strings.
type Initializer struct {
	Name   string
	Tensor *modules.Tensor
	// External, when not empty, is the file that is claimed to hold the data.
	External string
}

// Field numbers of onnx.proto.
const (
	modelIRVersion, modelGraph, modelOpset           = 1, 7, 8
	opsetDomain, opsetVersion                        = 1, 2
	graphNode, graphName, graphInitializer           = 1, 2, 5
	graphInput, graphOutput                          = 11, 12
	nodeInput, nodeOutput, nodeName, nodeOp          = 1, 2, 3, 4
	nodeAttribute, nodeDomain                        = 5, 7
	attributeName, attributeInt, attributeType       = 1, 3, 20
	attributeFloat, attributeString, attributeInts   = 2, 4, 8
	attributeFloats                                  = 7
	attributeGraph                                   = 6
	valueName, valueType, typeTensor                 = 1, 2, 1
	typeSequence, sequenceElement                    = 4, 1
	tensorTypeElement, tensorTypeShape, shapeDim     = 1, 2, 1
	dimValue, dimParam                               = 1, 2
	tensorDims, tensorElement, tensorName, tensorRaw = 1, 2, 8, 9
	tensorExternal, tensorLocation                   = 13, 14
	entryKey, entryValue                             = 1, 2
)

// elementNumber gives the ONNX number of an element type.
var elementNumber = map[modules.DType]uint64{
	modules.Float32: 1, modules.Uint8: 2, modules.Int8: 3, modules.Uint16: 4, modules.Int16: 5, modules.Int32: 6, modules.Int64: 7, modules.String: 8,
	modules.Bool: 9, modules.Float16: 10, modules.Float64: 11, modules.Uint32: 12, modules.Uint64: 13, modules.BFloat16: 16,
}

// graph serializes the model's graph.
func (m *Model) graph(name string) []byte {
	var graph []byte
	for i := range m.Nodes {
		graph = message(graph, graphNode, m.Nodes[i].bytes(i))
	}
	graph = text(graph, graphName, name)
	for i := range m.Initializers {
		graph = message(graph, graphInitializer, m.Initializers[i].bytes())
	}
	for i := range m.Inputs {
		graph = message(graph, graphInput, m.Inputs[i].bytes())
	}
	for i := range m.Outputs {
		graph = message(graph, graphOutput, m.Outputs[i].bytes())
	}
	return graph
}

// Bytes serializes the model.
func (m *Model) Bytes() []byte {
	graph := m.graph("test")
	version := m.Opset
	if version == 0 {
		version = 13
	}
	out := number(nil, modelIRVersion, 8)
	out = message(out, modelGraph, graph)
	out = message(out, modelOpset, number(text(nil, opsetDomain, ""), opsetVersion, uint64(version)))
	for i := range m.Nodes {
		if d := m.Nodes[i].Domain; d != "" {
			out = message(out, modelOpset, number(text(nil, opsetDomain, d), opsetVersion, 1))
			break
		}
	}
	return out
}

func (n *Node) bytes(i int) []byte {
	var b []byte
	for _, name := range n.Inputs {
		b = text(b, nodeInput, name)
	}
	for _, name := range n.Outputs {
		b = text(b, nodeOutput, name)
	}
	b = text(b, nodeName, fmt.Sprintf("%s_%d", n.Op, i))
	b = text(b, nodeOp, n.Op)
	const typeFloat, typeInt, typeString, typeGraph, typeFloats, typeInts = 1, 2, 3, 5, 6, 7
	for _, name := range slices.Sorted(maps.Keys(n.Ints)) {
		b = message(b, nodeAttribute, number(number(text(nil, attributeName, name), attributeInt, uint64(n.Ints[name])), attributeType, typeInt))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Lists)) {
		a := text(nil, attributeName, name)
		for _, v := range n.Lists[name] {
			a = number(a, attributeInts, uint64(v))
		}
		b = message(b, nodeAttribute, number(a, attributeType, typeInts))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Floats)) {
		a := protowire.AppendTag(text(nil, attributeName, name), attributeFloat, protowire.Fixed32Type)
		a = protowire.AppendFixed32(a, math.Float32bits(n.Floats[name]))
		b = message(b, nodeAttribute, number(a, attributeType, typeFloat))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Reals)) {
		a := text(nil, attributeName, name)
		for _, v := range n.Reals[name] {
			a = protowire.AppendFixed32(protowire.AppendTag(a, attributeFloats, protowire.Fixed32Type), math.Float32bits(v))
		}
		b = message(b, nodeAttribute, number(a, attributeType, typeFloats))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Strings)) {
		b = message(b, nodeAttribute, number(text(text(nil, attributeName, name), attributeString, n.Strings[name]), attributeType, typeString))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Bodies)) {
		b = message(b, nodeAttribute, number(message(text(nil, attributeName, name), attributeGraph, n.Bodies[name].graph(name)), attributeType, typeGraph))
	}
	if n.Domain != "" {
		b = text(b, nodeDomain, n.Domain)
	}
	return b
}

func (v *Value) bytes() []byte {
	var shape []byte
	for k, size := range v.Shape {
		var dim []byte
		if size >= 0 {
			dim = number(nil, dimValue, uint64(size))
		} else {
			dim = text(nil, dimParam, v.Symbols[k])
		}
		shape = message(shape, shapeDim, dim)
	}
	tensor := number(nil, tensorTypeElement, elementNumber[v.DType])
	if v.Sequence {
		inner := message(nil, typeTensor, tensor)
		return message(text(nil, valueName, v.Name), valueType, message(nil, typeSequence, message(nil, sequenceElement, inner)))
	}
	tensor = message(tensor, tensorTypeShape, shape)
	return message(text(nil, valueName, v.Name), valueType, message(nil, typeTensor, tensor))
}

func (w *Initializer) bytes() []byte {
	var b []byte
	for _, d := range w.Tensor.Shape {
		b = number(b, tensorDims, uint64(d))
	}
	b = number(b, tensorElement, elementNumber[w.Tensor.DType])
	b = text(b, tensorName, w.Name)
	if w.External != "" {
		const external = 1
		b = message(b, tensorExternal, text(text(nil, entryKey, "location"), entryValue, w.External))
		return number(b, tensorLocation, external)
	}
	var raw []byte
	for _, v := range w.Tensor.F32 {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, v := range w.Tensor.F64 {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	for _, v := range w.Tensor.I64 {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	for _, v := range w.Tensor.I32 {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	raw = append(append(raw, w.Tensor.U8...), w.Tensor.Raw...)
	return message(b, tensorRaw, raw)
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}
