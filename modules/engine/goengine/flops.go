package goengine

import (
	"strings"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// flops is twice the multiply-adds of a node whose operands have known
// shapes; 0 for operators that are not sums of products and where an output's
// shape is not known.
func flops(n *onnxfile.Node, in, out []*tensor) int64 {
	if len(out) == 0 || out[0] == nil || len(in) == 0 || in[0] == nil {
		return recurrentFLOPs(n, in)
	}
	x, y := in[0], out[0]
	elements := int64(y.n)
	switch n.Op {
	case "Conv", "ConvInteger", "DeformConv", "CausalConvWithState":
		return 2 * elements * perOutput(in[1])
	case "QLinearConv":
		return 2 * elements * perOutput(in[3])
	case "ConvTranspose": // every input element meets every weight of its channel
		return 2 * int64(x.n) * perOutput(in[1])
	case "MatMul", "MatMulInteger", "QLinearMatMul", "MatMulNBits":
		if len(x.shape) == 0 {
			return 0
		}
		return 2 * elements * int64(x.shape[len(x.shape)-1])
	case "FusedMatMul", "TransposeMatMul":
		s := &spec{node: n}
		shape, _ := exchanged(x.shape, s.int("transA", 0) != 0, s.int("transBatchA", 0) != 0)
		if len(shape) == 0 {
			return 0
		}
		return 2 * elements * int64(shape[len(shape)-1])
	case "Gemm":
		if len(x.shape) != 2 {
			return 0
		}
		k := x.shape[1]
		if a := n.Attrs["transA"]; a != nil && a.I != 0 {
			k = x.shape[0]
		}
		return 2 * elements * int64(k)
	case "Einsum":
		return einsumFLOPs(n, in)
	case "Attention", "MultiHeadAttention", "GroupQueryAttention", "FlexAttention":
		return attentionFLOPs(n, in, out)
	case "LinearAttention":
		return linearAttentionFLOPs(n, in)
	}
	return recurrentFLOPs(n, in)
}

// perOutput is how many weights of [out, in/groups, kernel…] an output
// element meets.
func perOutput(w *tensor) int64 {
	if len(w.shape) < 2 {
		return 0
	}
	return int64(product(w.shape[1:]))
}

// recurrentFLOPs counts the products of RNN, GRU and LSTM: input and state
// with all gates' weights at each step in each direction.
func recurrentFLOPs(n *onnxfile.Node, in []*tensor) int64 {
	switch n.Op {
	case "RNN", "GRU", "LSTM":
	default:
		return 0
	}
	if len(in) < 3 || len(in[0].shape) != 3 || len(in[1].shape) != 3 || len(in[2].shape) != 3 {
		return 0
	}
	steps := int64(in[0].shape[0] * in[0].shape[1]) // rows of the sequence
	return 2 * steps * int64(in[1].n+in[2].n)
}

// einsumFLOPs is the size of the space of all indices, for two operands and
// more.
func einsumFLOPs(n *onnxfile.Node, in []*tensor) int64 {
	a := n.Attrs["equation"]
	if a == nil || len(in) < 2 || strings.Contains(a.S, ".") {
		return 0
	}
	left, _, _ := strings.Cut(strings.ReplaceAll(a.S, " ", ""), "->")
	sizes := map[rune]int{}
	for i, term := range strings.Split(left, ",") {
		if i >= len(in) || len(term) != len(in[i].shape) {
			return 0
		}
		for k, letter := range term {
			sizes[letter] = max(sizes[letter], in[i].shape[k])
		}
	}
	space := int64(1)
	for _, size := range sizes {
		space *= int64(size)
	}
	return 2 * space * int64(len(in)-1)
}
