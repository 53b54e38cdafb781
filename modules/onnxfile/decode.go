package onnxfile

import (
	"fmt"

	onnx "github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gorgonia.org/tensor"

	"github.com/connectomewire/wire/internal/foreign"
)

// skeleton serializes what onnx-go can decode of a graph: nodes with their
// operands and plain attributes, inputs and outputs by name.
func skeleton(g *Graph, nodes []*Node) []byte {
	var graph []byte
	for _, n := range nodes {
		graph = message(graph, 1, nodeSkeleton(n))
	}
	graph = text(graph, 2, g.Name)
	for _, v := range g.Inputs {
		graph = message(graph, 11, text(nil, 1, v.Name))
	}
	for _, v := range g.Outputs {
		graph = message(graph, 12, text(nil, 1, v.Name))
	}
	return message(nil, 7, graph)
}

func nodeSkeleton(n *Node) []byte {
	b := n.marshalPlain()
	for _, name := range sortedNames(n.Attrs) {
		if a := n.Attrs[name]; !setAside(a) {
			b = message(b, 5, a.marshal())
		}
	}
	return b
}

// setAside reports whether onnx-go does not know an attribute.
func setAside(a *Attr) bool {
	switch a.Type {
	case AttrFloat, AttrInt, AttrString, AttrFloats, AttrInts, AttrStrings:
		return a.Ref != ""
	}
	return true
}

// decode has onnx-go decode the skeleton of a graph and fills g.Nodes with
// what the backend recorded, completed with what was set aside.
func decode(g *Graph, nodes []*Node) error {
	for _, n := range nodes {
		if len(n.Outputs) == 0 {
			return fmt.Errorf("node %v has no output", n)
		}
	}
	if len(nodes) == 0 || len(g.Outputs) == 0 {
		return nil // onnx-go refuses a graph that only passes values on
	}
	rec := &recorder{WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0), nodes: nodes}
	err := foreign.Call("onnx-go", func() error { return onnx.NewModel(rec).UnmarshalBinary(skeleton(g, nodes)) })
	if err != nil {
		return fmt.Errorf("onnx-go: %w", err)
	}
	if len(rec.recorded) != len(nodes) {
		return fmt.Errorf("onnx-go decoded %d of %d nodes", len(rec.recorded), len(nodes))
	}
	g.Nodes = rec.recorded
	return nil
}

// recorder is the onnx-go backend: a graph of values whose edges lead from an
// operator's output to its inputs, and the list of operators applied.
type recorder struct {
	*simple.WeightedDirectedGraph
	nodes    []*Node // what the file says, in the file's order
	recorded []*Node
	pending  []recordedEdge // edges since the last operator
}

type recordedEdge struct {
	output, input *value
	position      int
}

// value is a node of the recorder's graph. It carries a name and a tensor, as
// onnx-go asks.
type value struct {
	id   int64
	name string
	data tensor.Tensor
}

func (v *value) ID() int64                       { return v.id }
func (v *value) SetName(s string)                { v.name = s }
func (v *value) GetName() string                 { return v.name }
func (v *value) SetTensor(t tensor.Tensor) error { v.data = t; return nil }
func (v *value) GetTensor() tensor.Tensor        { return v.data }
func (r *recorder) NewNode() graph.Node          { return &value{id: r.WeightedDirectedGraph.NewNode().ID()} }
func (r *recorder) SetWeightedEdge(e graph.WeightedEdge) {
	from, to := e.From().(*value), e.To().(*value)
	r.pending = append(r.pending, recordedEdge{from, to, int(e.Weight())})
	if from.id != to.id { // a simple graph holds no self-edge; the list does
		r.WeightedDirectedGraph.SetWeightedEdge(e)
	}
}

// ApplyOperation implements onnx-go's OperationCarrier: it closes the list of
// edges of one operator.
func (r *recorder) ApplyOperation(op onnx.Operation, outputs ...graph.Node) error {
	i := len(r.recorded)
	if i >= len(r.nodes) || r.nodes[i].Op != op.Name {
		return fmt.Errorf("operator %d is %q, not what the file holds there", i, op.Name)
	}
	file := r.nodes[i]
	n := &Node{Name: file.Name, Op: op.Name, Domain: file.Domain, Attrs: map[string]*Attr{}}
	for _, o := range outputs {
		n.Outputs = append(n.Outputs, o.(*value).name)
	}
	n.Inputs = make([]string, len(file.Inputs))
	for _, e := range r.pending {
		if e.position < len(n.Inputs) && e.output == outputs[0] {
			n.Inputs[e.position] = e.input.name
		}
	}
	r.pending = r.pending[:0]
	for name, v := range op.Attributes {
		if a := attribute(name, v); a != nil {
			n.Attrs[name] = a
		}
	}
	for name, a := range file.Attrs {
		if n.Attrs[name] == nil {
			n.Attrs[name] = a
		}
	}
	r.recorded = append(r.recorded, n)
	return nil
}

// attribute converts what onnx-go made of an attribute.
func attribute(name string, v any) *Attr {
	a := &Attr{Name: name}
	switch v := v.(type) {
	case float32:
		a.Type, a.F = AttrFloat, v
	case int64:
		a.Type, a.I = AttrInt, v
	case string:
		a.Type, a.S = AttrString, v
	case []float32:
		a.Type, a.Floats = AttrFloats, v
	case []int64:
		a.Type, a.Ints = AttrInts, v
	case []string:
		a.Type, a.Strings = AttrStrings, v
	default:
		return nil
	}
	return a
}
