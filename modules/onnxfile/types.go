package onnxfile

import (
	"fmt"
	"strings"
)

// ElemType is an ONNX element type, numbered as in TensorProto.DataType.
type ElemType int32

// The element types of ONNX.
const (
	Undefined  ElemType = 0
	Float      ElemType = 1
	Uint8      ElemType = 2
	Int8       ElemType = 3
	Uint16     ElemType = 4
	Int16      ElemType = 5
	Int32      ElemType = 6
	Int64      ElemType = 7
	String     ElemType = 8
	Bool       ElemType = 9
	Float16    ElemType = 10
	Double     ElemType = 11
	Uint32     ElemType = 12
	Uint64     ElemType = 13
	Complex64  ElemType = 14
	Complex128 ElemType = 15
	BFloat16   ElemType = 16

	Float8E4M3FN   ElemType = 17
	Float8E4M3FNUZ ElemType = 18
	Float8E5M2     ElemType = 19
	Float8E5M2FNUZ ElemType = 20
	Uint4          ElemType = 21
	Int4           ElemType = 22
	Float4E2M1     ElemType = 23
	Float8E8M0     ElemType = 24
	Uint2          ElemType = 25
	Int2           ElemType = 26
	Float6E2M3     ElemType = 27
	Float6E3M2     ElemType = 28
)

var elemNames = [...]string{"undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
	"float16", "double", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
	"uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2", "float6e2m3", "float6e3m2"}

var elemBits = [...]int{0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4, 8, 2, 2, 6, 6}

// String returns the name ONNX uses, for example "float16".
func (e ElemType) String() string {
	if e < 0 || int(e) >= len(elemNames) {
		return fmt.Sprintf("element type %d", int32(e))
	}
	return elemNames[e]
}

// Bits returns how many bits an element takes in a file, 0 for strings and
// unknown types. Elements of less than a byte lie packed there, the first in
// the lowest bits.
func (e ElemType) Bits() int {
	if e < 0 || int(e) >= len(elemBits) {
		return 0
	}
	return elemBits[e]
}

// Size returns the number of bytes of an element in [Tensor.Raw], 0 for
// strings and unknown types. It is at least 1: elements of 2, 4 and 6 bits are
// unpacked, one a byte.
func (e ElemType) Size() int { return (e.Bits() + 7) / 8 }

// Model is an ONNX model.
type Model struct {
	IRVersion       int64
	Producer        string // name and version of the program that wrote it
	Description     string
	Opsets          map[string]int64 // version by domain; "" is ai.onnx
	Metadata        map[string]string
	Graph           *Graph
	Functions       []*Function // model-local functions
	ExternalFiles   []string    // files of external data that were read, in order of appearance
	InitializerSize int64       // bytes of all tensors in initializers

	mapped []func() error // what Close has to give back
}

// Opset returns the version of the default operator domain, 1 if the model
// does not say.
func (m *Model) Opset() int64 {
	if v, ok := m.Opsets[""]; ok {
		return v
	}
	return 1
}

// Function is a model-local function: a named subgraph that nodes can call.
type Function struct {
	Name, Domain    string
	Inputs, Outputs []string
	Attributes      []string         // names without default
	Defaults        map[string]*Attr // attributes with a default
	Opsets          map[string]int64 // as in [Model]
	Nodes           []*Node
}

// Graph is a graph of operators: a model's main graph or the body of If, Loop
// and Scan.
type Graph struct {
	Name string
	// Inputs are what a caller has to give: initializers are not among them,
	// even where the file lists them.
	Inputs []Value
	// Outputs in the model's order.
	Outputs []Value
	// Initializers are the constants, in the file's order.
	Initializers []*Tensor
	// Nodes are sorted topologically, in the file's order where that allows.
	Nodes []*Node
	// Values are the types the file states for inner values, by name.
	Values map[string]Value
	// Captures are the names of outer values this graph (or a graph in it)
	// reads; empty for a main graph. Sorted.
	Captures []string

	byInitializer map[string]*Tensor
}

// Initializer returns the constant with the given name, or nil.
func (g *Graph) Initializer(name string) *Tensor { return g.byInitializer[name] }

// Node is an operator with its operands. Absent optional inputs and unused
// outputs are "".
type Node struct {
	Name    string // may be empty
	Op      string
	Domain  string // "" is ai.onnx
	Inputs  []string
	Outputs []string
	Attrs   map[string]*Attr
}

// String names the node for messages: `Conv "features.0"`.
func (n *Node) String() string {
	op := n.Op
	if n.Domain != "" {
		op = n.Domain + "." + op
	}
	name := n.Name
	if name == "" {
		for _, o := range n.Outputs {
			if o != "" {
				name = "→" + o
				break
			}
		}
	}
	return fmt.Sprintf("%s %q", op, name)
}

// AttrType is the kind of an attribute, numbered as in AttributeProto.
type AttrType int32

// The kinds of attributes.
const (
	AttrFloat     AttrType = 1
	AttrInt       AttrType = 2
	AttrString    AttrType = 3
	AttrTensor    AttrType = 4
	AttrGraph     AttrType = 5
	AttrFloats    AttrType = 6
	AttrInts      AttrType = 7
	AttrStrings   AttrType = 8
	AttrTensors   AttrType = 9
	AttrGraphs    AttrType = 10
	AttrTypeProto AttrType = 13 // a TypeProto, used by Optional
)

// Attr is an attribute of a node; Type says which field holds it.
type Attr struct {
	Name    string
	Type    AttrType
	F       float32
	I       int64
	S       string
	Floats  []float32
	Ints    []int64
	Strings []string
	T       *Tensor
	G       *Graph
	Tensors []*Tensor
	Graphs  []*Graph
	V       *Value // of AttrTypeProto
	// Ref names the attribute of the enclosing function this one takes its
	// value from; empty outside functions.
	Ref string
}

// Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	TensorKind Kind = iota
	SequenceKind
	OptionalKind
	MapKind
	OtherKind // sparse tensors
)

// Value describes an input, output or inner value.
type Value struct {
	Name string
	Kind Kind
	Elem ElemType // of the tensor, or of the tensors in a sequence or optional
	// Of is the kind inside a sequence (tensors or maps) or an optional
	// (a tensor or a sequence).
	Of Kind
	// Known says whether the file states a shape at all.
	Known bool
	// Shape holds one entry a dimension: its size, or -1 where the model
	// leaves it open.
	Shape []int
	// Symbols holds the names of open dimensions, "" where there is none.
	Symbols []string
}

// String prints the value like `input float[batch, 3, 64, 64]`.
func (v Value) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s ", v.Name)
	switch v.Kind {
	case SequenceKind:
		b.WriteString("sequence of ")
		if v.Of == MapKind {
			b.WriteString("maps")
			return b.String()
		}
	case OptionalKind:
		b.WriteString("optional ")
	case MapKind:
		b.WriteString("map")
		return b.String()
	case OtherKind:
		b.WriteString("not a tensor")
		return b.String()
	}
	b.WriteString(v.Elem.String())
	if !v.Known {
		return b.String()
	}
	b.WriteByte('[')
	for i, d := range v.Shape {
		if i > 0 {
			b.WriteString(", ")
		}
		switch {
		case d >= 0:
			fmt.Fprint(&b, d)
		case v.Symbols[i] != "":
			b.WriteString(v.Symbols[i])
		default:
			b.WriteByte('?')
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Tensor is a constant of a model.
type Tensor struct {
	Name  string
	Elem  ElemType
	Shape []int
	// Raw holds the elements, little-endian and row-major, Elem.Size() bytes
	// each (a bool is one byte, 0 or 1; int4 and int2 are a byte with their
	// sign, other narrow types a byte with zeros above). It may alias the
	// file.
	Raw []byte
	// Strings holds the elements of a string tensor.
	Strings []string
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Error says what is wrong with a model and where.
type Error struct {
	Path  string // of the file, may be empty
	Where string // such as `graph "main", node Conv "c1"`; may be empty
	Err   error
}

// Error implements error.
func (e *Error) Error() string {
	s := "onnx model"
	if e.Path != "" {
		s = e.Path
	}
	if e.Where != "" {
		s += ": " + e.Where
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
