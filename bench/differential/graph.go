package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// step is an operator, or a few that belong together, with its operands by
// number; 0 is the input, k the result of step k.
type step struct {
	// nodes name operands x0, x1, constants c0, c1, … and the result y; other
	// names are their own.
	nodes []moduletest.Node
	in    []int
	extra []*modules.Tensor // the constants
	shape []int             // of the result
	// quantum is by how much an element of the result may jump when an operand's
	// last digit differs, where the operand's largest magnitude is given; nil
	// for what does not jump.
	quantum func(largest float64) float64
}

// one makes node the step's only one: operands, then constants.
func (s *step) one(node moduletest.Node) {
	for j := range s.in {
		node.Inputs = append(node.Inputs, fmt.Sprintf("x%d", j))
	}
	for j := range s.extra {
		node.Inputs = append(node.Inputs, fmt.Sprintf("c%d", j))
	}
	node.Outputs = []string{"y"}
	s.nodes = []moduletest.Node{node}
}

func (s *step) has(op string) bool {
	return slices.ContainsFunc(s.nodes, func(n moduletest.Node) bool { return n.Op == op })
}

// String names the operators.
func (s *step) String() string {
	var ops []string
	for _, n := range s.nodes {
		ops = append(ops, n.Op)
	}
	return strings.Join(ops, "+")
}

// graph is a list of steps over one input.
type graph struct {
	input []int
	steps []step
}

// draw makes a random graph.
func draw(r *rand.Rand, size int) *graph {
	g := &graph{input: []int{1 + r.IntN(2), 1 + r.IntN(4), 2 + r.IntN(7), 2 + r.IntN(7)}}
	for len(g.steps) < size {
		if s, ok := g.next(r); ok {
			g.steps = append(g.steps, s)
		}
	}
	return g
}

// has says whether a step has an operator. QuantizeLinear is drawn once a graph:
// ONNX Runtime joins pairs of it, and computes with bytes what stands between
// two, also where the model asks for floats.
func (g *graph) has(op string) bool {
	return slices.ContainsFunc(g.steps, func(s step) bool { return s.has(op) })
}

func (g *graph) shape(k int) []int {
	if k == 0 {
		return g.input
	}
	return g.steps[k-1].shape
}

func constant(r *rand.Rand, shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return modules.Floats(v, shape...)
}

// next draws an operator that fits values made so far.
func (g *graph) next(r *rand.Rand) (step, bool) {
	k := r.IntN(len(g.steps) + 1)
	if len(g.steps) > 0 && r.IntN(3) > 0 {
		k = len(g.steps) // mostly go on from the last
	}
	x := g.shape(k)
	if r.IntN(4) == 0 {
		s, ok := block(r, k, x)
		return s, ok && !(s.has("QuantizeLinear") && g.has("QuantizeLinear"))
	}
	s := step{in: []int{k}, shape: slices.Clone(x)}
	node := moduletest.Node{Ints: map[string]int64{}, Lists: map[string][]int64{}}
	last := len(x) - 1
	// nothing that jumps: there a last digit becomes a whole number
	unary := []string{"Relu", "Sigmoid", "Tanh", "Neg", "Abs", "Softplus", "Elu", "HardSwish", "LeakyRelu", "Erf", "Identity", "Sin", "Softsign"}
	switch r.IntN(11) {
	case 0, 1:
		node.Op = unary[r.IntN(len(unary))]
	case 2: // with another value of the same shape
		node.Op = []string{"Add", "Sub", "Mul", "Max", "Min"}[r.IntN(5)]
		var fits []int
		for j := range len(g.steps) + 1 {
			if slices.Equal(g.shape(j), x) {
				fits = append(fits, j)
			}
		}
		s.in = append(s.in, fits[r.IntN(len(fits))])
	case 3: // with a constant that broadcasts
		node.Op = []string{"Add", "Sub", "Mul", "Max", "Min"}[r.IntN(5)]
		shape := slices.Clone(x[r.IntN(len(x)):])
		for i := range shape {
			if r.IntN(2) == 0 {
				shape[i] = 1
			}
		}
		s.extra = []*modules.Tensor{constant(r, shape...)}
	case 4:
		if len(x) != 4 || x[2] < 3 || x[3] < 3 {
			return s, false
		}
		node.Op = "Conv"
		oc, kernel, pad, stride, group := 1+r.IntN(5), 1+2*r.IntN(2), r.IntN(2), 1+r.IntN(2), 1
		if r.IntN(3) == 0 {
			oc, group = x[1], x[1]
		}
		s.extra = []*modules.Tensor{constant(r, oc, x[1]/group, kernel, kernel)}
		if r.IntN(2) == 0 {
			s.extra = append(s.extra, constant(r, oc))
		}
		node.Ints["group"] = int64(group)
		node.Lists["strides"], node.Lists["pads"] = []int64{int64(stride), int64(stride)}, []int64{int64(pad), int64(pad), int64(pad), int64(pad)}
		s.shape = []int{x[0], oc, (x[2]+2*pad-kernel)/stride + 1, (x[3]+2*pad-kernel)/stride + 1}
	case 5:
		if len(x) != 4 || x[2] < 2 || x[3] < 2 {
			return s, false
		}
		node.Op = []string{"MaxPool", "AveragePool"}[r.IntN(2)]
		node.Lists["kernel_shape"] = []int64{2, 2}
		s.shape = []int{x[0], x[1], x[2] - 1, x[3] - 1}
	case 6:
		n := 1 + r.IntN(6)
		node.Op, s.extra = "MatMul", []*modules.Tensor{constant(r, x[last], n)}
		s.shape[last] = n
	case 7:
		node.Op = []string{"Softmax", "LogSoftmax"}[r.IntN(2)]
		node.Ints["axis"] = int64(r.IntN(len(x)))
	case 8:
		node.Op = "Transpose"
		perm := r.Perm(len(x))
		s.shape = nil
		for _, p := range perm {
			node.Lists["perm"] = append(node.Lists["perm"], int64(p))
			s.shape = append(s.shape, x[p])
		}
	case 9:
		a := r.IntN(len(x))
		node.Op = []string{"ReduceMean", "ReduceMax", "ReduceL2", "ReduceMin"}[r.IntN(4)]
		node.Lists["axes"] = []int64{int64(a)}
		s.shape[a] = 1
	default:
		if len(x) < 2 {
			return s, false
		}
		node.Op = "Reshape"
		s.shape = append(slices.Clone(x[:last-1]), x[last-1]*x[last])
		if len(s.shape) < 2 || r.IntN(2) == 0 {
			s.shape = append(slices.Clone(x[:last]), x[last], 1)
		}
		if len(s.shape) > 5 {
			return s, false
		}
		dims := make([]int64, len(s.shape))
		for i, d := range s.shape {
			dims[i] = int64(d)
		}
		s.extra = []*modules.Tensor{modules.Ints(dims, len(dims))}
	}
	s.one(node)
	return s, true
}

// model writes the graph down; its last value is the output, or all are.
func (g *graph) model(all bool) *moduletest.Model {
	name := func(k int) string { return fmt.Sprintf("v%d", k) }
	m := &moduletest.Model{Opset: 17,
		Inputs: []moduletest.Value{{Name: name(0), DType: modules.Float32, Shape: g.input}},
	}
	from := len(g.steps)
	if all {
		from = 1
	}
	for k := from; k <= len(g.steps); k++ {
		m.Outputs = append(m.Outputs, moduletest.Value{Name: name(k), DType: modules.Float32, Shape: g.shape(k)})
	}
	for i, s := range g.steps {
		for j, c := range s.extra {
			m.Initializers = append(m.Initializers, moduletest.Initializer{Name: fmt.Sprintf("v%d.c%d", i+1, j), Tensor: c})
		}
		// A step's names become the graph's.
		names := map[string]string{"": "", "y": name(i + 1)}
		for j, k := range s.in {
			names[fmt.Sprintf("x%d", j)] = name(k)
		}
		global := func(list []string) (out []string) {
			for _, n := range list {
				if known, ok := names[n]; ok {
					n = known
				} else {
					n = fmt.Sprintf("v%d.%s", i+1, n)
				}
				out = append(out, n)
			}
			return out
		}
		for _, n := range s.nodes {
			n.Inputs, n.Outputs = global(n.Inputs), global(n.Outputs)
			m.Nodes = append(m.Nodes, n)
		}
	}
	return m
}

// without cuts a step out: its readers read its first operand. It fails where
// that has another shape.
func (g *graph) without(at int) (*graph, bool) {
	s := g.steps[at]
	if !slices.Equal(s.shape, g.shape(s.in[0])) {
		return nil, false
	}
	h := &graph{input: g.input}
	for i, t := range g.steps {
		if i == at {
			continue
		}
		t.in = slices.Clone(t.in)
		for j, k := range t.in {
			if k == at+1 {
				k = s.in[0]
			}
			if k > at+1 {
				k--
			}
			t.in[j] = k
		}
		h.steps = append(h.steps, t)
	}
	return h, true
}

// shrink finds a smaller graph that still differs.
func (g *graph) shrink(differs func(*graph) bool) *graph {
	for n := 1; n < len(g.steps); n++ { // the first value that differs
		if h := (&graph{g.input, g.steps[:n]}); differs(h) {
			g = h
			break
		}
	}
	for changed := true; changed; {
		changed = false
		for at := len(g.steps) - 1; at >= 0 && len(g.steps) > 1; at-- {
			if h, ok := g.without(at); ok && differs(h) {
				g, changed = h, true
				break
			}
		}
	}
	return g
}
