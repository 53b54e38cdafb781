package goengine_test

import (
	"fmt"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

type (
	lists   = map[string][]int64
	numbers = map[string]int64
	reals   = map[string]float32
	words   = map[string]string
	tensors = []*modules.Tensor
)

func TestGradientsShapes(t *testing.T) {
	x := func() *modules.Tensor { return spaced(1, -1, 1, 2, 3, 4) }
	first := []int{0}
	checkCases(t, []gradCase{
		{node: node("Identity"), in: tensors{x()}},
		{node: node("Reshape"), in: tensors{x(), ints(4, -1)}},
		{node: node("Flatten"), in: tensors{x()}},
		{node: moduletest.Node{Op: "Squeeze"}, in: tensors{spaced(1, -1, 1, 2, 1, 3), ints(1)}},
		{node: node("Unsqueeze"), in: tensors{x(), ints(0, 2)}},
		{node: node("Transpose"), in: tensors{x()}},
		{name: "perm", node: moduletest.Node{Op: "Transpose", Lists: lists{"perm": {1, 2, 0}}}, in: tensors{x()}},
		{name: "large", node: moduletest.Node{Op: "Transpose", Lists: lists{"perm": {0, 2, 1, 3}}}, in: tensors{spaced(1, -1, 1, 2, 9, 4, 8)}},
		{node: node("Expand"), in: tensors{spaced(1, -1, 1, 3, 1), ints(2, 1, 5)}},
		{node: node("Tile"), in: tensors{x(), ints(2, 1, 3)}},
		{node: moduletest.Node{Op: "Concat", Ints: numbers{"axis": 1}}, in: tensors{x(), spaced(2, 0, 1, 2, 1, 4), spaced(3, 0, 1, 2, 5, 4)}},
		{node: moduletest.Node{Op: "Split", Ints: numbers{"axis": 2}}, in: tensors{x(), ints(1, 3)}, outs: 2},
		{name: "even", opset: 13, node: moduletest.Node{Op: "Split", Ints: numbers{"axis": 2}}, in: tensors{x()}, outs: 2},
		{node: node("Slice"), in: tensors{x(), ints(1, 3), ints(9, -9), ints(1, 2), ints(1, -2)}},
		{node: node("Pad"), in: tensors{x(), ints(0, 1, 2, 1, 0, -1), modules.Floats([]float32{0.5})}},
		{name: "reflect", node: moduletest.Node{Op: "Pad", Strings: words{"mode": "reflect"}}, in: tensors{x(), ints(0, 1, 2, 0, 2, 3)}},
		{name: "edge", node: moduletest.Node{Op: "Pad", Strings: words{"mode": "edge"}}, in: tensors{x(), ints(1, 1, 2, 0, 2, 3)}},
		{node: moduletest.Node{Op: "DepthToSpace", Ints: numbers{"blocksize": 2}}, in: tensors{spaced(1, -1, 1, 1, 8, 2, 3)}},
		{name: "CRD", node: moduletest.Node{Op: "DepthToSpace", Ints: numbers{"blocksize": 2}, Strings: words{"mode": "CRD"}}, in: tensors{spaced(1, -1, 1, 1, 8, 2, 3)}},
		{node: moduletest.Node{Op: "SpaceToDepth", Ints: numbers{"blocksize": 2}}, in: tensors{spaced(1, -1, 1, 1, 2, 4, 6)}},
		{node: node("Trilu"), in: tensors{spaced(1, -1, 1, 2, 4, 5), ints(1)}},
		{node: node("ReverseSequence"), in: tensors{spaced(1, -1, 1, 4, 3, 2), ints(3, 1, 4)}},
		{node: node("Range"), in: tensors{modules.Floats([]float32{1}), modules.Floats([]float32{6.3}), modules.Floats([]float32{0.7})}},
		{node: moduletest.Node{Op: "Cast", Ints: numbers{"to": 11}}, in: tensors{x()}},
		{node: node("Dropout"), in: tensors{x()}},
		{name: "training", node: moduletest.Node{Op: "Dropout", Ints: numbers{"seed": 5}}, in: tensors{x(), modules.Floats([]float32{0.4}), {DType: modules.Bool, U8: []uint8{1}}}, by: first},
		{node: node("Gather"), in: tensors{x(), ints(1, -1, 0, 1)}, opset: 13},
		{name: "axis", node: moduletest.Node{Op: "Gather", Ints: numbers{"axis": 1}}, in: tensors{x(), modules.Ints([]int64{1, 0, 1, 2}, 2, 2)}},
		{node: moduletest.Node{Op: "GatherElements", Ints: numbers{"axis": 1}}, in: tensors{spaced(1, -1, 1, 2, 3), modules.Ints([]int64{1, 1, 2, 0}, 2, 2)}},
		{node: node("GatherND"), in: tensors{x(), modules.Ints([]int64{0, 1, 1, -1, 0, 1}, 3, 2)}},
		{node: moduletest.Node{Op: "Compress", Ints: numbers{"axis": 1}}, in: tensors{x(), {DType: modules.Bool, Shape: []int{3}, U8: []uint8{1, 0, 1}}}},
		{node: moduletest.Node{Op: "ScatterElements", Ints: numbers{"axis": 1}}, in: tensors{spaced(1, -1, 1, 2, 3), modules.Ints([]int64{1, 1, 2, 0}, 2, 2), spaced(2, -1, 1, 2, 2)}},
		{name: "add", opset: 18, node: moduletest.Node{Op: "ScatterElements", Strings: words{"reduction": "add"}}, in: tensors{spaced(1, -1, 1, 2, 3), modules.Ints([]int64{1, 1, 0, 0}, 2, 2), spaced(2, -1, 1, 2, 2)}},
		{name: "mul", opset: 18, node: moduletest.Node{Op: "ScatterElements", Ints: numbers{"axis": 1}, Strings: words{"reduction": "mul"}}, in: tensors{spaced(1, -1, 1, 2, 3), modules.Ints([]int64{1, 1, 0, 0}, 2, 2), spaced(2, -1, 1, 2, 2)}},
		{name: "max", opset: 18, node: moduletest.Node{Op: "ScatterElements", Ints: numbers{"axis": 1}, Strings: words{"reduction": "max"}}, in: tensors{spaced(1, -1, 1, 2, 3), modules.Ints([]int64{1, 1, 0, 0}, 2, 2), spaced(2, -1.1, 1.2, 2, 2)}},
		{node: node("ScatterND"), in: tensors{x(), modules.Ints([]int64{0, 1, 1, 2}, 2, 2), spaced(2, -1, 1, 2, 4)}},
		{name: "add", opset: 18, node: moduletest.Node{Op: "ScatterND", Strings: words{"reduction": "add"}}, in: tensors{x(), modules.Ints([]int64{0, 1, 0, 1}, 2, 2), spaced(2, -1, 1, 2, 4)}},
		{node: node("OneHot"), in: tensors{ints(1, 3, 0), modules.Ints([]int64{4}), modules.Floats([]float32{0.2, 1.5}, 2)}, by: []int{2}},
		{node: node("TopK"), in: tensors{x(), ints(2)}, outs: 2, by: first},
		{name: "axis", node: moduletest.Node{Op: "TopK", Ints: numbers{"axis": 1, "largest": 0}}, in: tensors{x(), ints(2)}, outs: 2, by: first},
		{node: einsum("bij,bjk->bik"), in: tensors{spaced(1, -1, 1, 2, 3, 4), spaced(2, -1, 1, 2, 4, 2)}},
		{name: "sum", node: einsum("ij,k->i"), in: tensors{spaced(1, -1, 1, 3, 4), spaced(2, -1, 1, 2)}},
		{name: "trace", node: einsum("ii->"), in: tensors{spaced(1, -1, 1, 3, 3)}},
		{name: "ellipsis", node: einsum("...ij,...jk->...ik"), in: tensors{spaced(1, -1, 1, 2, 1, 3, 4), spaced(2, -1, 1, 5, 4, 2)}},
		{node: node("Det"), in: tensors{spaced(1, -1, 1, 2, 3, 3)}},
	})
}

func TestGradientsReductions(t *testing.T) {
	var cases []gradCase
	for _, op := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"} {
		for _, axes := range [][]int64{nil, {0}, {1}, {-1}, {0, 2}, {1, 2}} {
			for _, keep := range []int64{0, 1} {
				c := gradCase{name: fmt.Sprint(axes, keep), opset: 18, node: moduletest.Node{Op: op, Ints: numbers{"keepdims": keep}}, in: tensors{spaced(1, 0.3, 1.4, 2, 3, 4)}}
				if axes != nil {
					c.in = append(c.in, ints(axes...))
				}
				cases = append(cases, c)
			}
		}
	}
	for k := range int64(4) {
		cases = append(cases, gradCase{name: fmt.Sprint(k), node: moduletest.Node{Op: "CumSum", Ints: numbers{"exclusive": k & 1, "reverse": k >> 1}}, in: tensors{spaced(1, -1, 1, 3, 4, 2), modules.Ints([]int64{1})}})
		cases = append(cases, gradCase{name: fmt.Sprint(k), opset: 26, node: moduletest.Node{Op: "CumProd", Ints: numbers{"exclusive": k & 1, "reverse": k >> 1}}, in: tensors{spaced(1, -1, 1, 3, 4, 2), modules.Ints([]int64{1})}})
	}
	zeros := modules.Floats([]float32{0, 2, 3, 0, 0, 4, 1, 5, 2}, 3, 3)
	cases = append(cases, gradCase{name: "of zeros", opset: 18, node: node("ReduceProd"), in: tensors{zeros, ints(1)}})
	checkCases(t, cases)
}

func TestGradientsNormalisation(t *testing.T) {
	x := func() *modules.Tensor { return spaced(1, -1, 1, 2, 6, 3, 2) }
	p := func(seed uint64, n ...int) *modules.Tensor { return spaced(seed, 0.5, 1.5, n...) }
	var cases []gradCase
	for _, opset := range []int64{11, 13} {
		for _, op := range []string{"Softmax", "LogSoftmax"} {
			for _, axis := range []int64{1, -1, 2} {
				cases = append(cases, gradCase{name: fmt.Sprint(opset, axis), opset: opset, node: moduletest.Node{Op: op, Ints: numbers{"axis": axis}}, in: tensors{spaced(1, -2, 2, 2, 3, 5)}})
			}
		}
	}
	cases = append(cases,
		gradCase{node: node("LayerNormalization"), in: tensors{spaced(1, -1, 1, 3, 4, 10), p(2, 10), p(3, 10)}},
		gradCase{name: "axis 1", node: moduletest.Node{Op: "LayerNormalization", Ints: numbers{"axis": 1}}, in: tensors{spaced(1, -1, 1, 3, 4, 5), p(2, 4, 5)}},
		gradCase{node: node("BatchNormalization"), in: tensors{x(), p(2, 6), p(3, 6), p(4, 6), p(5, 6)}, by: []int{0, 1, 2}},
		gradCase{node: node("InstanceNormalization"), in: tensors{x(), p(2, 6), p(3, 6)}},
		gradCase{opset: 18, node: moduletest.Node{Op: "GroupNormalization", Ints: numbers{"num_groups": 3}}, in: tensors{x(), p(2, 3), p(3, 3)}},
		gradCase{name: "21", opset: 21, node: moduletest.Node{Op: "GroupNormalization", Ints: numbers{"num_groups": 3}}, in: tensors{x(), p(2, 6), p(3, 6)}},
		gradCase{node: node("LpNormalization"), in: tensors{x()}},
		gradCase{name: "1", node: moduletest.Node{Op: "LpNormalization", Ints: numbers{"p": 1, "axis": 1}}, in: tensors{away(x(), 0)}},
		gradCase{node: moduletest.Node{Op: "LRN", Ints: numbers{"size": 3}, Floats: reals{"alpha": 0.5, "beta": 0.75}}, in: tensors{x()}},
		gradCase{node: node("MeanVarianceNormalization"), in: tensors{x()}},
		gradCase{opset: 15, name: "training", node: moduletest.Node{Op: "BatchNormalization", Ints: numbers{"training_mode": 1}}, in: tensors{x(), p(2, 6), p(3, 6), p(4, 6), p(5, 6)}, by: []int{0, 1, 2}},
	)
	checkCases(t, cases)
}

func TestGradientsPooling(t *testing.T) {
	x := func() *modules.Tensor { return spaced(1, -1, 1, 2, 3, 7, 8) }
	l := lists{"kernel_shape": {3, 2}, "strides": {2, 1}, "pads": {1, 0, 1, 1}}
	ids := []int64{0, 3, 5, 10, 15, 12, 9, 2}
	checkCases(t, []gradCase{
		{node: moduletest.Node{Op: "MaxPool", Lists: l}, in: tensors{x()}},
		{name: "1d", node: moduletest.Node{Op: "MaxPool", Lists: lists{"kernel_shape": {3}, "dilations": {2}}}, in: tensors{spaced(1, -1, 1, 2, 3, 9)}},
		{name: "3d", node: moduletest.Node{Op: "MaxPool", Lists: lists{"kernel_shape": {2, 2, 2}}}, in: tensors{spaced(1, -1, 1, 1, 2, 3, 4, 3)}},
		{node: moduletest.Node{Op: "AveragePool", Lists: l}, in: tensors{x()}},
		{name: "with padding", node: moduletest.Node{Op: "AveragePool", Lists: l, Ints: numbers{"count_include_pad": 1, "ceil_mode": 1}}, in: tensors{x()}},
		{node: moduletest.Node{Op: "LpPool", Lists: l}, in: tensors{away(x(), 0)}},
		{name: "3", node: moduletest.Node{Op: "LpPool", Lists: l, Ints: numbers{"p": 3}}, in: tensors{away(x(), 0)}},
		{node: node("GlobalAveragePool"), in: tensors{x()}},
		{node: node("GlobalMaxPool"), in: tensors{x()}},
		{node: node("GlobalLpPool"), in: tensors{away(x(), 0)}},
		{node: moduletest.Node{Op: "MaxUnpool", Lists: lists{"kernel_shape": {2, 2}, "strides": {2, 2}}}, in: tensors{spaced(1, 0, 1, 1, 2, 2, 2), modules.Ints([]int64{0, 3, 9, 14, 16, 18, 28, 31}, 1, 2, 2, 2)}},
		{name: "larger", node: moduletest.Node{Op: "MaxUnpool", Lists: lists{"kernel_shape": {2, 2}, "strides": {2, 2}}}, in: tensors{spaced(1, 0, 1, 1, 1, 2, 4), modules.Ints(ids, 1, 1, 2, 4), ints(1, 1, 5, 9)}},
	})
}

func TestGradientsPictures(t *testing.T) {
	x := func() *modules.Tensor { return spaced(1, -1, 1, 1, 2, 4, 5) }
	var cases []gradCase
	for _, mode := range []string{"nearest", "linear", "cubic"} {
		for _, coordinates := range []string{"half_pixel", "align_corners", "asymmetric"} {
			for _, to := range [][]float32{{1, 1, 2, 1.7}, {1, 1, 0.6, 0.5}} {
				cases = append(cases, gradCase{name: fmt.Sprint(mode, coordinates, to), node: moduletest.Node{Op: "Resize", Strings: words{"mode": mode, "coordinate_transformation_mode": coordinates}},
					in: tensors{x(), nil, modules.Floats(to, 4)}, by: []int{0}, single: true})
			}
		}
	}
	cases = append(cases, gradCase{opset: 9, node: node("Upsample"), in: tensors{x(), modules.Floats([]float32{1, 1, 2, 3}, 4)}, by: []int{0}, single: true})
	grid := func() *modules.Tensor { return spaced(3, -1.2, 1.25, 1, 3, 3, 2) }
	for _, mode := range []string{"linear", "cubic", "nearest"} {
		for _, padding := range []string{"zeros", "border", "reflection"} {
			c := gradCase{name: mode + " " + padding, opset: 20, node: moduletest.Node{Op: "GridSample", Strings: words{"mode": mode, "padding_mode": padding}}, in: tensors{x(), grid()}}
			if mode != "cubic" || padding != "zeros" {
				c.by = []int{0}
			}
			if mode == "linear" && padding == "zeros" {
				c.by = nil
				c.in[1] = modules.Floats([]float32{-0.52, 0.33, 0.11, -0.41, 0.24, 0.57, 0.3, -0.2}, 1, 2, 2, 2)
			}
			cases = append(cases, c)
		}
	}
	rois := modules.Floats([]float32{0, 0, 3, 3, 1, 0.5, 4, 2.5}, 2, 4)
	for _, mode := range []string{"avg", "max"} {
		cases = append(cases, gradCase{name: mode, node: moduletest.Node{Op: "RoiAlign", Strings: words{"mode": mode}, Ints: numbers{"output_height": 2, "output_width": 3, "sampling_ratio": 2}},
			in: tensors{spaced(1, 0.2, 1, 1, 2, 4, 5), rois, ints(0, 0)}, by: []int{0}, step: 2e-3})
	}
	checkCases(t, cases)
}

func TestGradientsSignals(t *testing.T) {
	n := func(n int64) *modules.Tensor { return modules.Ints([]int64{n}) }
	checkCases(t, []gradCase{
		{node: node("DFT"), in: tensors{spaced(1, -1, 1, 2, 6, 1)}},
		{name: "complex", node: node("DFT"), in: tensors{spaced(1, -1, 1, 2, 8, 2)}},
		{name: "inverse", node: moduletest.Node{Op: "DFT", Ints: numbers{"inverse": 1}}, in: tensors{spaced(1, -1, 1, 2, 6, 2)}},
		{name: "onesided", node: moduletest.Node{Op: "DFT", Ints: numbers{"onesided": 1}}, in: tensors{spaced(1, -1, 1, 2, 8, 1)}},
		{name: "padded", node: node("DFT"), in: tensors{spaced(1, -1, 1, 2, 5, 1), n(8)}},
		{name: "to real", opset: 20, node: moduletest.Node{Op: "DFT", Ints: numbers{"inverse": 1, "onesided": 1}}, in: tensors{spaced(1, -1, 1, 1, 5, 2)}},
		{name: "to odd real", opset: 20, node: moduletest.Node{Op: "DFT", Ints: numbers{"inverse": 1, "onesided": 1}}, in: tensors{spaced(1, -1, 1, 1, 4, 2), n(7)}},
		{node: node("STFT"), in: tensors{spaced(1, -1, 1, 2, 20, 1), n(3), spaced(2, 0, 1, 8)}, by: []int{0}},
		{name: "whole", node: moduletest.Node{Op: "STFT", Ints: numbers{"onesided": 0}}, in: tensors{spaced(1, -1, 1, 1, 20, 2), n(4), nil, n(6)}, by: []int{0}},
		{node: moduletest.Node{Op: "NegativeLogLikelihoodLoss"}, in: tensors{spaced(1, -2, 0, 3, 4), ints(1, 0, 3)}},
		{name: "weighted", node: moduletest.Node{Op: "NegativeLogLikelihoodLoss", Ints: numbers{"ignore_index": 2}, Strings: words{"reduction": "none"}}, in: tensors{spaced(1, -2, 0, 3, 4, 2), modules.Ints([]int64{1, 2, 0, 3, 2, 1}, 3, 2), spaced(2, 0.5, 1, 4)}, by: []int{0}},
		{node: moduletest.Node{Op: "SoftmaxCrossEntropyLoss"}, in: tensors{spaced(1, -2, 1, 3, 4), ints(1, 0, 3)}, outs: 2},
		{name: "sum", node: moduletest.Node{Op: "SoftmaxCrossEntropyLoss", Strings: words{"reduction": "sum"}}, in: tensors{spaced(1, -2, 1, 3, 4), ints(1, 0, 3), spaced(2, 0.5, 1, 4)}, by: []int{0}},
	})
}

func TestGradientsRecurrent(t *testing.T) {
	var cases []gradCase
	gates := map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4}
	for _, op := range []string{"RNN", "GRU", "LSTM"} {
		for _, direction := range []string{"forward", "reverse", "bidirectional"} {
			for k := range 4 { // lengths; states given, linear before reset or peepholes
				const steps, batch, width, hidden = 5, 3, 4, 6
				ds := 1
				if direction == "bidirectional" {
					ds = 2
				}
				gh := gates[op] * hidden
				n := moduletest.Node{Op: op, Strings: words{"direction": direction}, Ints: numbers{"hidden_size": hidden}}
				c := gradCase{name: fmt.Sprint(direction, k), in: tensors{spaced(1, -1, 1, steps, batch, width), spaced(2, -0.5, 0.5, ds, gh, width), spaced(3, -0.5, 0.5, ds, gh, hidden), spaced(4, -0.5, 0.5, ds, 2*gh), nil}, by: []int{0}}
				if k&1 != 0 {
					c.in[4] = &modules.Tensor{DType: modules.Int32, Shape: []int{batch}, I32: []int32{5, 2, 3}}
				}
				if k&2 != 0 {
					c.in = append(c.in, spaced(5, -1, 1, ds, batch, hidden))
					c.by = append(c.by, 5)
					switch op {
					case "GRU":
						n.Ints["linear_before_reset"] = 1
					case "LSTM":
						c.in = append(c.in, spaced(6, -1, 1, ds, batch, hidden), spaced(7, -0.5, 0.5, ds, 3*hidden))
						c.by = append(c.by, 6)
						n.Ints["input_forget"] = int64(k & 1)
					}
				}
				c.node, c.outs = n, 2
				if op == "LSTM" {
					c.outs = 3
				}
				cases = append(cases, c)
			}
		}
	}
	cases = append(cases, gradCase{name: "batch first", node: moduletest.Node{Op: "GRU", Ints: numbers{"hidden_size": 5, "layout": 1}}, in: tensors{spaced(1, -1, 1, 2, 4, 3), spaced(2, -0.5, 0.5, 1, 15, 3), spaced(3, -0.5, 0.5, 1, 15, 5)}, by: []int{0}, outs: 2})
	checkCases(t, cases)
}
