package engine

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/cpu"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// hasVNNI says that the processor sums products of bytes in 32 bits. x86
// processors without it sum pairs in 16 bits first, where ONNX Runtime's
// kernels then saturate.
var hasVNNI = runtime.GOARCH != "amd64" && runtime.GOARCH != "386" || cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI

// saturates returns why ONNX Runtime computes a model wrongly on a processor
// without VNNI, nil if it does not: the model multiplies int8 weights so large
// that two products of bytes can exceed 16 bits. Models that were quantised
// with weights of 7 bits ("reduce range"), as is advised for such processors,
// are safe.
func saturates(model []byte, path string) error {
	m, err := onnxfile.Read(model, path)
	if err != nil {
		return nil // the engine will say
	}
	if node, weights := wideProduct(m.Graph); node != nil {
		return fmt.Errorf("%v multiplies int8 weights %q of 8 bits, which ONNX Runtime sums in 16 bits, with saturation, on a processor without VNNI", node, weights)
	}
	return nil
}

// weightInput says which input of an integer product holds the weights.
var weightInput = map[string]int{
	"MatMulInteger": 1, "ConvInteger": 1, "QLinearMatMul": 3, "QLinearConv": 3,
	"com.microsoft.QGemm": 3, "com.microsoft.DynamicQuantizeMatMul": 1, "com.microsoft.MatMulIntegerToFloat": 1, "com.microsoft.QAttention": 1,
}

// wideProduct finds a product of int8 weights that are unknown or need all
// eight bits: a quantised operator, or an operator of floats between
// dequantisation, which ONNX Runtime turns into one.
func wideProduct(g *onnxfile.Graph) (*onnxfile.Node, string) {
	makers := map[string]*onnxfile.Node{}
	for _, n := range g.Nodes {
		for _, o := range n.Outputs {
			makers[o] = n
		}
	}
	for _, n := range g.Nodes {
		for _, b := range n.Bodies() {
			if node, weights := wideProduct(b); node != nil {
				return node, weights
			}
		}
		op := n.Op
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		weights := ""
		if at, ok := weightInput[op]; ok && at < len(n.Inputs) {
			weights = n.Inputs[at]
		} else if slices.Contains([]string{"Conv", "MatMul", "Gemm"}, op) && len(n.Inputs) > 1 {
			x, w := makers[n.Inputs[0]], makers[n.Inputs[1]]
			if x != nil && w != nil && x.Op == "DequantizeLinear" && w.Op == "DequantizeLinear" {
				weights = w.Inputs[0]
			}
		}
		if t := g.Initializer(weights); weights != "" && t != nil && wide(t) {
			return n, weights
		}
	}
	return nil, ""
}

// wide reports whether int8 weights are so large that 255·(a+b) can exceed 16
// bits.
func wide(t *onnxfile.Tensor) bool {
	if t.Elem != onnxfile.Int8 {
		return false
	}
	for _, b := range t.Raw {
		if v := int8(b); v > 64 || v < -64 {
			return true
		}
	}
	return false
}
