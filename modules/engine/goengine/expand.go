package goengine

import (
	"fmt"
	"strings"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// expansions make several nodes of one: operators that are nothing but others
// in a row, as ONNX Runtime's own ones for quantised models and those with an
// activation.
var expansions = map[string]func(e *expansion){
	"com.microsoft.QLinearAdd":               func(e *expansion) { e.quantized("Add", []int{0, 3}, 6) },
	"com.microsoft.QLinearMul":               func(e *expansion) { e.quantized("Mul", []int{0, 3}, 6) },
	"com.microsoft.QLinearSigmoid":           func(e *expansion) { e.quantized("Sigmoid", []int{0}, 3) },
	"com.microsoft.QLinearLeakyRelu":         func(e *expansion) { e.quantized("LeakyRelu", []int{0}, 3, "alpha") },
	"com.microsoft.QLinearSoftmax":           func(e *expansion) { e.quantized("Softmax", []int{0}, 3, "axis") },
	"com.microsoft.QLinearAveragePool":       func(e *expansion) { e.pool("AveragePool") },
	"com.microsoft.QLinearGlobalAveragePool": func(e *expansion) { e.pool("GlobalAveragePool") },
	"com.microsoft.QLinearReduceMean":        func(e *expansion) { e.quantized("ReduceMean", []int{0}, 3, "axes", "keepdims") },
	"com.microsoft.QLinearConcat":            (*expansion).concat,
	"com.microsoft.QLinearWhere":             (*expansion).where,
	"com.microsoft.QGemm":                    (*expansion).gemm,
	"com.microsoft.DynamicQuantizeMatMul":    (*expansion).dynamicMatMul,
	"com.microsoft.FusedGemm":                func(e *expansion) { e.activated("Gemm", "", "alpha", "beta", "transA", "transB") },
	"com.microsoft.FusedConv": func(e *expansion) {
		e.activated("Conv", "activation_params", "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
	},
	"com.microsoft.MatMulIntegerToFloat": func(e *expansion) { e.integerMatMul(e.in(0), e.in(2), e.in(4), e.in(1), e.in(3), e.in(5), e.in(6)) },
}

// recordingExpansions are those of recordings: operators that an optimiser merged
// are taken apart again, so that gradients pass what they were.
var recordingExpansions = map[string]func(e *expansion){
	"com.microsoft.FusedMatMul":     (*expansion).fusedMatMul,
	"com.microsoft.TransposeMatMul": (*expansion).fusedMatMul,
}

// expansion writes the nodes that stand for one.
type expansion struct {
	node  *onnxfile.Node
	nodes []*onnxfile.Node
}

// expandAll replaces the nodes that have an expansion.
func expandAll(nodes []*onnxfile.Node, recording bool) []*onnxfile.Node {
	var out []*onnxfile.Node
	for i, n := range nodes {
		f := expansions[fullName(n)]
		if f == nil && recording {
			f = recordingExpansions[fullName(n)]
		}
		if f != nil && out == nil {
			out = append(make([]*onnxfile.Node, 0, len(nodes)+8), nodes[:i]...)
		}
		switch {
		case f != nil:
			e := &expansion{node: n}
			f(e)
			out = append(out, e.nodes...)
		case out != nil:
			out = append(out, n)
		}
	}
	if out == nil {
		return nodes
	}
	return out
}

// fullName is an operator's name with its domain, as in the table.
func fullName(n *onnxfile.Node) string {
	if n.Domain == "" {
		return n.Op
	}
	return n.Domain + "." + n.Op
}

// in is the name of an input, "" if absent.
func (e *expansion) in(i int) string {
	if i < len(e.node.Inputs) {
		return e.node.Inputs[i]
	}
	return ""
}

// add writes a node and returns the name of its first output.
func (e *expansion) add(op string, inputs ...string) string {
	return e.addWith(op, nil, 1, inputs...)[0]
}

func (e *expansion) addWith(op string, attrs map[string]*onnxfile.Attr, outputs int, inputs ...string) []string {
	for len(inputs) > 0 && inputs[len(inputs)-1] == "" {
		inputs = inputs[:len(inputs)-1]
	}
	if attrs == nil {
		attrs = map[string]*onnxfile.Attr{}
	}
	n := &onnxfile.Node{Name: e.node.Name, Op: op, Inputs: inputs, Attrs: attrs}
	for i := range outputs {
		n.Outputs = append(n.Outputs, fmt.Sprintf("%s/%s/%d/%d", e.node.Outputs[0], strings.ToLower(op), len(e.nodes), i))
	}
	e.nodes = append(e.nodes, n)
	return n.Outputs
}

// result makes the last node's output the expanded node's.
func (e *expansion) result() { e.nodes[len(e.nodes)-1].Outputs[0] = e.node.Outputs[0] }

// attrs copies attributes of the node.
func (e *expansion) attrs(names ...string) map[string]*onnxfile.Attr {
	out := map[string]*onnxfile.Attr{}
	for _, name := range names {
		if a := e.node.Attrs[name]; a != nil {
			out[name] = a
		}
	}
	return out
}

func (e *expansion) intAttr(name string) int64 {
	if a := e.node.Attrs[name]; a != nil {
		return a.I
	}
	return 0
}

func intsAttr(name string, values ...int64) map[string]*onnxfile.Attr {
	return map[string]*onnxfile.Attr{name: {Name: name, Type: onnxfile.AttrInts, Ints: values}}
}

// dequantize reads the input at i, with its scale and zero point behind it.
func (e *expansion) dequantize(i int) string {
	return e.add("DequantizeLinear", e.in(i), e.in(i+1), e.in(i+2))
}

// quantized computes op on numbers and quantises the result with the scale and
// zero point at out.
func (e *expansion) quantized(op string, operands []int, out int, attrs ...string) {
	var xs []string
	for _, i := range operands {
		xs = append(xs, e.dequantize(i))
	}
	y := e.addWith(op, e.attrs(attrs...), 1, xs...)[0]
	e.add("QuantizeLinear", y, e.in(out), e.in(out+1))
	e.result()
}

// pool may have its channels last.
func (e *expansion) pool(op string) {
	x := e.dequantize(0)
	last := e.intAttr("channels_last") == 1
	if last {
		x = e.addWith("Transpose", intsAttr("perm", 0, 3, 1, 2), 1, x)[0]
	}
	x = e.addWith(op, e.attrs("kernel_shape", "strides", "pads", "auto_pad", "ceil_mode", "count_include_pad", "dilations"), 1, x)[0]
	if last {
		x = e.addWith("Transpose", intsAttr("perm", 0, 2, 3, 1), 1, x)[0]
	}
	e.add("QuantizeLinear", x, e.in(3), e.in(4))
	e.result()
}

func (e *expansion) concat() {
	var xs []string
	for i := 2; i+2 < len(e.node.Inputs); i += 3 {
		xs = append(xs, e.dequantize(i))
	}
	y := e.addWith("Concat", e.attrs("axis"), 1, xs...)[0]
	e.add("QuantizeLinear", y, e.in(0), e.in(1))
	e.result()
}

func (e *expansion) where() {
	y := e.add("Where", e.in(0), e.dequantize(1), e.dequantize(4))
	e.add("QuantizeLinear", y, e.in(7), e.in(8))
	e.result()
}

// toFloat casts to float32.
func (e *expansion) toFloat(x string) string {
	return e.addWith("Cast", map[string]*onnxfile.Attr{"to": {Name: "to", Type: onnxfile.AttrInt, I: int64(f32)}}, 1, x)[0]
}

// gemm multiplies bytes, adds integers and leaves numbers or bytes.
func (e *expansion) gemm() {
	a, b := e.in(0), e.in(3)
	if e.intAttr("transA") != 0 {
		a = e.addWith("Transpose", intsAttr("perm", 1, 0), 1, a)[0]
	}
	if e.intAttr("transB") != 0 {
		b = e.addWith("Transpose", intsAttr("perm", 1, 0), 1, b)[0]
	}
	y := e.add("MatMulInteger", a, b, e.in(2), e.in(5))
	if e.in(6) != "" {
		y = e.add("Add", y, e.in(6))
	}
	y = e.add("Mul", e.toFloat(y), e.add("Mul", e.in(1), e.in(4)))
	if alpha := e.node.Attrs["alpha"]; alpha != nil && alpha.F != 1 {
		t := &onnxfile.Attr{Name: "value_float", Type: onnxfile.AttrFloat, F: alpha.F}
		y = e.add("Mul", y, e.addWith("Constant", map[string]*onnxfile.Attr{"value_float": t}, 1)[0])
	}
	if e.in(7) != "" {
		e.add("QuantizeLinear", y, e.in(7), e.in(8))
	}
	e.result()
}

// dynamicMatMul quantises the left operand first.
func (e *expansion) dynamicMatMul() {
	q := e.addWith("DynamicQuantizeLinear", nil, 3, e.in(0))
	e.integerMatMul(q[0], q[1], q[2], e.in(1), e.in(2), e.in(3), e.in(4))
}

func (e *expansion) integerMatMul(a, aScale, aZero, b, bScale, bZero, bias string) {
	y := e.add("MatMulInteger", a, b, aZero, bZero)
	y = e.add("Mul", e.toFloat(y), e.add("Mul", aScale, bScale))
	if bias != "" {
		e.add("Add", y, bias)
	}
	e.result()
}

// number is a constant.
func (e *expansion) number(v float32) string {
	t := &onnxfile.Attr{Name: "value_float", Type: onnxfile.AttrFloat, F: v}
	return e.addWith("Constant", map[string]*onnxfile.Attr{"value_float": t}, 1)[0]
}

// fusedMatMul is α·op(a)·op(b); see buildFusedMatMul.
func (e *expansion) fusedMatMul() {
	x := make([]string, 2)
	for i, side := range []string{"A", "B"} {
		x[i] = e.in(i)
		for _, move := range []struct{ attr, equation string }{{"transBatch" + side, "a...b->...ab"}, {"trans" + side, "...ab->...ba"}} {
			if e.intAttr(move.attr) != 0 {
				equation := &onnxfile.Attr{Name: "equation", Type: onnxfile.AttrString, S: move.equation}
				x[i] = e.addWith("Einsum", map[string]*onnxfile.Attr{"equation": equation}, 1, x[i])[0]
			}
		}
	}
	y := e.add("MatMul", x...)
	if alpha := e.node.Attrs["alpha"]; alpha != nil && alpha.F != 1 {
		e.add("Mul", y, e.number(alpha.F))
	}
	e.result()
}

// activated is an operator and the activation behind it, which compiling may merge
// again.
func (e *expansion) activated(op, params string, attrs ...string) {
	y := e.addWith(op, e.attrs(attrs...), 1, e.node.Inputs...)[0]
	var a, b float32
	if v := e.node.Attrs["activation_alpha"]; v != nil {
		a = v.F
	}
	if v := e.node.Attrs["activation_beta"]; v != nil {
		b = v.F
	}
	if v := e.node.Attrs[params]; v != nil && len(v.Floats) > 0 {
		a, b = v.Floats[0], v.Floats[min(1, len(v.Floats)-1)]
	}
	slopes := func(names ...string) map[string]*onnxfile.Attr {
		out := map[string]*onnxfile.Attr{}
		for i, name := range names {
			out[name] = &onnxfile.Attr{Name: name, Type: onnxfile.AttrFloat, F: []float32{a, b}[i]}
		}
		return out
	}
	name := ""
	if v := e.node.Attrs["activation"]; v != nil {
		name = v.S
	}
	switch name {
	case "":
	case "Clip":
		e.add("Min", e.add("Max", y, e.number(a)), e.number(b))
	case "LeakyRelu":
		e.addWith(name, slopes("alpha"), 1, y)
	case "HardSigmoid":
		e.addWith(name, slopes("alpha", "beta"), 1, y)
	default:
		e.add(name, y)
	}
	e.result()
}
