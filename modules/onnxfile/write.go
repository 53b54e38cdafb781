package onnxfile

import (
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Marshal serializes a model as [Read] reads it: a deterministic sequence of
// bytes. Left out are inner values' types, functions, which [Read] inlines, and
// what types of maps and sequences hold.
func (m *Model) Marshal() []byte {
	var b []byte
	if m.IRVersion > 0 {
		b = number(b, 1, uint64(m.IRVersion))
	}
	if m.Producer != "" {
		b = text(b, 2, m.Producer)
	}
	if m.Description != "" {
		b = text(b, 6, m.Description)
	}
	b = message(b, 7, m.Graph.marshal())
	for _, domain := range sortedNames(m.Opsets) {
		b = message(b, 8, number(text(nil, 1, domain), 2, uint64(m.Opsets[domain])))
	}
	for _, key := range sortedNames(m.Metadata) {
		b = message(b, 14, text(text(nil, 1, key), 2, m.Metadata[key]))
	}
	return b
}

func (g *Graph) marshal() []byte {
	var b []byte
	for _, n := range g.Nodes {
		b = message(b, 1, n.marshal())
	}
	b = text(b, 2, g.Name)
	for _, t := range g.Initializers {
		b = message(b, 5, t.marshal())
	}
	for i := range g.Inputs {
		b = message(b, 11, g.Inputs[i].marshal())
	}
	for i := range g.Outputs {
		b = message(b, 12, g.Outputs[i].marshal())
	}
	return b
}

func (n *Node) marshal() []byte {
	b := n.marshalPlain()
	for _, name := range sortedNames(n.Attrs) {
		b = message(b, 5, n.Attrs[name].marshal())
	}
	if n.Domain != "" {
		b = text(b, 7, n.Domain)
	}
	return b
}

// marshalPlain serializes a node without its attributes and domain.
func (n *Node) marshalPlain() []byte {
	var b []byte
	for _, s := range n.Inputs {
		b = text(b, 1, s)
	}
	for _, s := range n.Outputs {
		b = text(b, 2, s)
	}
	b = text(b, 3, n.Name)
	return text(b, 4, n.Op)
}

func (a *Attr) marshal() []byte {
	b := a.marshalValue()
	if a.Ref != "" {
		b = text(b, 21, a.Ref)
	}
	return number(b, 20, uint64(a.Type))
}

// marshalValue serializes an attribute's name and value.
func (a *Attr) marshalValue() []byte {
	b := text(nil, 1, a.Name)
	switch a.Type {
	case AttrFloat:
		b = float(b, 2, a.F)
	case AttrInt:
		b = number(b, 3, uint64(a.I))
	case AttrString:
		b = text(b, 4, a.S)
	case AttrTensor:
		b = message(b, 5, a.T.marshal())
	case AttrGraph:
		b = message(b, 6, a.G.marshal())
	case AttrFloats:
		for _, f := range a.Floats {
			b = float(b, 7, f)
		}
	case AttrInts:
		for _, i := range a.Ints {
			b = number(b, 8, uint64(i))
		}
	case AttrStrings:
		for _, s := range a.Strings {
			b = text(b, 9, s)
		}
	case AttrTensors:
		for _, t := range a.Tensors {
			b = message(b, 10, t.marshal())
		}
	case AttrGraphs:
		for _, g := range a.Graphs {
			b = message(b, 11, g.marshal())
		}
	case AttrTypeProto:
		b = message(b, 14, a.V.marshalType())
	}
	return b
}

func (v *Value) marshal() []byte {
	return message(text(nil, 1, v.Name), 2, v.marshalType())
}

func (v *Value) marshalType() []byte {
	tensor := number(nil, 1, uint64(v.Elem))
	if v.Known {
		var shape []byte
		for k, size := range v.Shape {
			var dim []byte
			switch {
			case size >= 0:
				dim = number(nil, 1, uint64(size))
			case v.Symbols[k] != "":
				dim = text(nil, 2, v.Symbols[k])
			}
			shape = message(shape, 1, dim)
		}
		tensor = message(tensor, 2, shape)
	}
	inner := message(nil, 1, tensor)
	switch v.Kind {
	case SequenceKind:
		return message(nil, 4, message(nil, 1, inner))
	case OptionalKind:
		return message(nil, 9, message(nil, 1, inner))
	}
	return inner
}

func (t *Tensor) marshal() []byte {
	var b []byte
	for _, d := range t.Shape {
		b = number(b, 1, uint64(d))
	}
	b = number(b, 2, uint64(t.Elem))
	if t.Elem == String {
		for _, s := range t.Strings {
			b = text(b, 6, s)
		}
	}
	b = text(b, 8, t.Name)
	if t.Elem != String {
		raw := pack(t.Raw, t.Elem.Bits())
		b = slices.Grow(b, len(raw)+16)
		b = message(b, 9, raw)
	}
	return b
}

// pack lays elements of less than a byte side by side, the first in the lowest
// bits.
func pack(raw []byte, bits int) []byte {
	if bits%8 == 0 {
		return raw
	}
	out := make([]byte, (len(raw)*bits+7)/8)
	for i, v := range raw {
		for k := range bits {
			at := i*bits + k
			out[at/8] |= v >> k & 1 << (at % 8)
		}
	}
	return out
}

// Floats makes a constant of 32-bit floating-point numbers.
func Floats(name string, v []float32, shape ...int) *Tensor {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return &Tensor{Name: name, Elem: Float, Shape: slices.Clone(shape), Raw: raw}
}

// Ints makes a constant of 64-bit whole numbers.
func Ints(name string, v []int64, shape ...int) *Tensor {
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return &Tensor{Name: name, Elem: Int64, Shape: slices.Clone(shape), Raw: raw}
}

func number(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func float(b []byte, num protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), math.Float32bits(v))
}

func text(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func message(b []byte, num protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), m)
}
