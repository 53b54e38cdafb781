package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// block draws operators that belong together and that engines merge or have
// kernels of their own for: quantised and half-precision arithmetic, attention,
// layer normalisation, gated activations. It fails where the value does not fit.
func block(r *rand.Rand, k int, x []int) (step, bool) {
	s := step{in: []int{k}, shape: slices.Clone(x)}
	last := x[len(x)-1]
	switch r.IntN(10) {
	case 0:
		quantised(&s, r)
	case 1:
		integerProduct(&s, r, last, false)
	case 2:
		integerProduct(&s, r, last, true)
	case 3:
		return s, integerConvolution(&s, r, x)
	case 4:
		halfWeights(&s, r, last)
	case 5:
		s.nodes = []moduletest.Node{
			node("Cast", "x0", "h").to(float16), node("Cast", "h", "y").to(float32s),
		}
		s.quantum = func(largest float64) float64 { return largest / 1024 }
	case 6:
		return s, attention(&s, r, x)
	case 7:
		if last < 2 {
			return s, false
		}
		s.extra = []*modules.Tensor{constant(r, last), constant(r, last)}
		s.one(moduletest.Node{Op: "LayerNormalization", Ints: map[string]int64{"axis": -1}})
	case 8:
		if last < 2 {
			return s, false
		}
		normalisation(&s, r, last)
	default:
		gated(&s, r)
	}
	return s, true
}

// ONNX's numbers of element types.
const float32s, float16 = 1, 10

type drawn moduletest.Node

// node is an operator of one result, "y" or a name of its own, given last.
func node(op string, names ...string) drawn {
	n := len(names) - 1
	return drawn{Op: op, Inputs: names[:n], Outputs: names[n:], Ints: map[string]int64{}, Lists: map[string][]int64{}}
}

func (n drawn) to(elem int64) moduletest.Node {
	n.Ints["to"] = elem
	return moduletest.Node(n)
}

func nodes(list ...drawn) (out []moduletest.Node) {
	for _, n := range list {
		out = append(out, moduletest.Node(n))
	}
	return out
}

func scalar(v float32) *modules.Tensor { return modules.Floats([]float32{v}) }

func bytes(v []uint8, shape ...int) *modules.Tensor {
	return &modules.Tensor{DType: modules.Uint8, Shape: shape, U8: v}
}

// weights are signed bytes of seven bits: with eight, ONNX Runtime's products
// saturate on processors without VNNI.
func weights(r *rand.Rand, shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := &modules.Tensor{DType: modules.Int8, Shape: shape, Raw: make([]byte, n)}
	for i := range t.Raw {
		t.Raw[i] = byte(r.IntN(128) - 64)
	}
	return t
}

// quantised goes to bytes and back.
func quantised(s *step, r *rand.Rand) {
	scale := float32(0.02 + 0.1*r.Float64())
	zero := bytes([]uint8{uint8(r.IntN(256))})
	if r.IntN(2) == 0 {
		zero = &modules.Tensor{DType: modules.Int8, Shape: []int{}, Raw: []byte{byte(r.IntN(256))}}
	}
	s.extra = []*modules.Tensor{scalar(scale), zero}
	s.nodes = nodes(node("QuantizeLinear", "x0", "c0", "c1", "q"), node("DequantizeLinear", "q", "c0", "c1", "y"))
	s.quantum = func(float64) float64 { return float64(scale) }
}

// integerProduct multiplies quantised rows by a matrix of bytes, with a scale
// that is given or found.
func integerProduct(s *step, r *rand.Rand, k int, dynamic bool) {
	n := 1 + r.IntN(9)
	const of = 0.01 // scale of the matrix
	w := weights(r, k, n)
	if dynamic {
		s.extra = []*modules.Tensor{w, scalar(of)}
		s.nodes = []moduletest.Node{
			{Op: "DynamicQuantizeLinear", Inputs: []string{"x0"}, Outputs: []string{"q", "scale", "zero"}},
			{Op: "MatMulInteger", Inputs: []string{"q", "c0", "zero"}, Outputs: []string{"sum"}},
			node("Cast", "sum", "whole").to(float32s),
			moduletest.Node(node("Mul", "scale", "c1", "both")), moduletest.Node(node("Mul", "whole", "both", "y")),
		}
		s.quantum = func(largest float64) float64 { return 2 * largest / 255 * 64 * of }
	} else {
		scale := float32(0.02 + 0.1*r.Float64())
		s.extra = []*modules.Tensor{w, scalar(scale), bytes([]uint8{uint8(r.IntN(256))}), scalar(scale * of)}
		s.nodes = []moduletest.Node{
			moduletest.Node(node("QuantizeLinear", "x0", "c1", "c2", "q")),
			moduletest.Node(node("MatMulInteger", "q", "c0", "c2", "sum")),
			node("Cast", "sum", "whole").to(float32s), moduletest.Node(node("Mul", "whole", "c3", "y")),
		}
		s.quantum = func(float64) float64 { return float64(scale) * 64 * of }
	}
	s.shape[len(s.shape)-1] = n
}

// integerConvolution is QLinearConv between bytes.
func integerConvolution(s *step, r *rand.Rand, x []int) bool {
	if len(x) != 4 || x[2] < 3 || x[3] < 3 {
		return false
	}
	oc, group, kernel, pad := 1+r.IntN(6), 1, 1+2*r.IntN(2), r.IntN(2)
	if r.IntN(3) == 0 {
		oc, group = x[1], x[1]
	}
	in, of, out := float32(0.02+0.1*r.Float64()), make([]float32, oc), float32(0.05+0.1*r.Float64())
	for i := range of {
		of[i] = float32(0.005 + 0.01*r.Float64())
	}
	scales := modules.Floats(of, oc)
	if r.IntN(2) == 0 {
		scales = scalar(of[0])
	}
	zeros := &modules.Tensor{DType: modules.Int8, Shape: slices.Clone(scales.Shape), Raw: make([]byte, scales.Len())}
	bias := &modules.Tensor{DType: modules.Int32, Shape: []int{oc}, I32: make([]int32, oc)}
	for i := range bias.I32 {
		bias.I32[i] = int32(r.IntN(2001) - 1000)
	}
	s.extra = []*modules.Tensor{
		scalar(in), bytes([]uint8{uint8(r.IntN(256))}), weights(r, oc, x[1]/group, kernel, kernel), scales, zeros,
		scalar(out), bytes([]uint8{uint8(r.IntN(256))}), bias,
	}
	conv := node("QLinearConv", "q", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "p")
	conv.Ints["group"] = int64(group)
	conv.Lists["pads"] = []int64{int64(pad), int64(pad), int64(pad), int64(pad)}
	s.nodes = nodes(node("QuantizeLinear", "x0", "c0", "c1", "q"), conv, node("DequantizeLinear", "p", "c5", "c6", "y"))
	s.shape = []int{x[0], oc, x[2] + 2*pad - kernel + 1, x[3] + 2*pad - kernel + 1}
	s.quantum = func(float64) float64 { return float64(out) * (1 + math.Ceil(64*0.015*float64(in)/float64(out))) }
	return true
}

// halfWeights multiplies by a matrix of half precision, as exporters keep them.
func halfWeights(s *step, r *rand.Rand, k int) {
	n := 1 + r.IntN(9)
	w := &modules.Tensor{DType: modules.Float16, Shape: []int{k, n}}
	for range k * n {
		bits := uint16(r.IntN(2))<<15 | uint16(11+r.IntN(5))<<10 | uint16(r.IntN(1024)) // 2^-4 to 2
		w.Raw = append(w.Raw, byte(bits), byte(bits>>8))
	}
	s.extra = []*modules.Tensor{w}
	s.nodes = []moduletest.Node{node("Cast", "c0", "w").to(float32s), moduletest.Node(node("MatMul", "x0", "w", "y"))}
	s.shape[len(s.shape)-1] = n
}

// attention lets rows attend to one another.
func attention(s *step, r *rand.Rand, x []int) bool {
	if len(x) < 3 {
		return false
	}
	rows, d, inner, out := x[len(x)-2], x[len(x)-1], 1+r.IntN(8), 1+r.IntN(8)
	s.extra = []*modules.Tensor{constant(r, d, inner), constant(r, d, inner), constant(r, d, out), scalar(float32(1 / math.Sqrt(float64(inner))))}
	turn := node("Transpose", "k", "kt")
	for i := range len(x) - 2 {
		turn.Lists["perm"] = append(turn.Lists["perm"], int64(i))
	}
	turn.Lists["perm"] = append(turn.Lists["perm"], int64(len(x)-1), int64(len(x)-2))
	softmax := node("Softmax", "scaled", "p")
	softmax.Ints["axis"] = -1
	list := []drawn{node("MatMul", "x0", "c0", "q"), node("MatMul", "x0", "c1", "k"), turn, node("MatMul", "x0", "c2", "v"),
		node("MatMul", "q", "kt", "scores")}
	switch r.IntN(3) {
	case 0:
		list = append(list, node("Mul", "scores", "c3", "scaled"))
	case 1:
		s.extra[3] = scalar(float32(math.Sqrt(float64(inner))))
		list = append(list, node("Div", "scores", "c3", "scaled"))
	default: // no row sees a later one
		mask := make([]float32, rows*rows)
		for i := range rows {
			for j := i + 1; j < rows; j++ {
				mask[i*rows+j] = -1e4
			}
		}
		s.extra = append(s.extra, modules.Floats(mask, rows, rows))
		list = append(list, node("Mul", "scores", "c3", "mild"), node("Add", "mild", "c4", "scaled"))
	}
	s.nodes = nodes(append(list, softmax, node("MatMul", "p", "v", "y"))...)
	s.shape[len(x)-1] = out
	return true
}

// normalisation is layer normalisation written out, as older exporters do.
func normalisation(s *step, r *rand.Rand, d int) {
	mean, spread := node("ReduceMean", "x0", "mean"), node("ReduceMean", "square", "variance")
	mean.Lists["axes"], spread.Lists["axes"] = []int64{-1}, []int64{-1}
	s.extra = []*modules.Tensor{scalar(2), scalar(1e-3), constant(r, d), constant(r, d)}
	s.nodes = nodes(mean, node("Sub", "x0", "mean", "centred"), node("Pow", "centred", "c0", "square"), spread, node("Add", "variance", "c1", "more"),
		node("Sqrt", "more", "deviation"), node("Div", "centred", "deviation", "unit"), node("Mul", "unit", "c2", "scaled"), node("Add", "scaled", "c3", "y"))
}

// gated is an activation written out: GELU, its approximation by tanh, SiLU, or
// a sigmoid of a multiple.
func gated(s *step, r *rand.Rand) {
	switch r.IntN(4) {
	case 0:
		s.extra = []*modules.Tensor{scalar(math.Sqrt2), scalar(1), scalar(0.5)}
		s.nodes = nodes(node("Div", "x0", "c0", "a"), node("Erf", "a", "b"), node("Add", "b", "c1", "c"), node("Mul", "x0", "c", "d"), node("Mul", "d", "c2", "y"))
	case 1:
		s.extra = []*modules.Tensor{scalar(3), scalar(0.044715), scalar(float32(math.Sqrt(2 / math.Pi))), scalar(1), scalar(0.5)}
		s.nodes = nodes(node("Pow", "x0", "c0", "cube"), node("Mul", "cube", "c1", "a"), node("Add", "x0", "a", "b"), node("Mul", "b", "c2", "c"),
			node("Tanh", "c", "d"), node("Add", "d", "c3", "e"), node("Mul", "x0", "e", "f"), node("Mul", "f", "c4", "y"))
	case 2:
		s.nodes = nodes(node("Sigmoid", "x0", "a"), node("Mul", "x0", "a", "y"))
	default:
		s.extra = []*modules.Tensor{scalar(1.702)}
		s.nodes = nodes(node("Mul", "x0", "c0", "a"), node("Sigmoid", "a", "b"), node("Mul", "x0", "b", "y"))
	}
}
