package goengine_test

import (
	"fmt"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

func TestGradientsGated(t *testing.T) {
	x := func() *modules.Tensor { return spaced(1, -2, 2, 2, 3, 8) }
	row := func(seed uint64) *modules.Tensor { return spaced(seed, 0.4, 1.5, 8) }
	ms := func(op string) moduletest.Node { return moduletest.Node{Op: op, Domain: "com.microsoft"} }
	cos, sin := spaced(5, -1, 1, 4, 4), spaced(6, -1, 1, 4, 4)
	checkCases(t, []gradCase{
		{opset: 24, node: moduletest.Node{Op: "Swish", Floats: reals{"alpha": 1.3}}, in: tensors{x()}},
		{node: ms("QuickGelu"), in: tensors{x()}},
		{opset: 28, node: moduletest.Node{Op: "SwiGLU", Floats: reals{"alpha": 0.7}}, in: tensors{x(), spaced(2, -1, 1, 2, 3, 8)}},
		{node: ms("BiasGelu"), in: tensors{x(), spaced(2, -1, 1, 8)}},
		{node: ms("FastGelu"), in: tensors{x(), spaced(2, -1, 1, 8)}},
		{name: "without bias", node: ms("FastGelu"), in: tensors{x()}},
		{opset: 23, node: node("RMSNormalization"), in: tensors{x(), row(2)}},
		{opset: 23, name: "axis", node: moduletest.Node{Op: "RMSNormalization", Ints: numbers{"axis": 1}}, in: tensors{x(), row(2)}},
		{node: ms("SkipLayerNormalization"), in: tensors{x(), spaced(2, -1, 1, 2, 3, 8), row(3), row(4), row(5)}, by: []int{0, 1}, outs: 1},
		{node: ms("SkipSimplifiedLayerNormalization"), in: tensors{x(), spaced(2, -1, 1, 3, 8), row(3)}, by: []int{0, 1}},
		{opset: 23, node: node("RotaryEmbedding"), in: tensors{spaced(1, -1, 1, 1, 2, 3, 8), cos, sin, modules.Ints([]int64{2, 0, 3}, 1, 3)}, by: []int{0}},
		{opset: 23, name: "interleaved", node: moduletest.Node{Op: "RotaryEmbedding", Ints: numbers{"interleaved": 1, "num_heads": 2}}, in: tensors{spaced(1, -1, 1, 1, 3, 16), cos, sin, modules.Ints([]int64{2, 0, 3}, 1, 3)}, by: []int{0}},
		{opset: 20, node: node("AffineGrid"), in: tensors{spaced(1, -1, 1, 2, 2, 3), ints(2, 1, 3, 4)}},
		{opset: 20, name: "3d", node: moduletest.Node{Op: "AffineGrid", Ints: numbers{"align_corners": 1}}, in: tensors{spaced(1, -1, 1, 1, 3, 4), ints(1, 1, 3, 4, 2)}},
		{opset: 18, node: node("CenterCropPad"), in: tensors{spaced(1, -1, 1, 4, 7), ints(6, 3)}},
		{opset: 18, node: moduletest.Node{Op: "Col2Im", Lists: lists{"pads": {1, 0, 1, 0}}}, in: tensors{spaced(1, -1, 1, 2, 12, 24), ints(5, 5), ints(2, 2)}},
	})
}

func TestGradientsAttention(t *testing.T) {
	var cases []gradCase
	for k := range 16 {
		n := moduletest.Node{Op: "Attention", Ints: numbers{}, Floats: reals{}}
		c := gradCase{name: fmt.Sprint(k), opset: 24, in: tensors{spaced(1, -1, 1, 2, 4, 3, 6), spaced(2, -1, 1, 2, 2, 5, 6), spaced(3, -1, 1, 2, 2, 5, 7)}, by: []int{0, 1, 2}}
		if k&1 != 0 { // heads side by side
			n.Ints["q_num_heads"], n.Ints["kv_num_heads"] = 4, 2
			c.in = tensors{spaced(1, -1, 1, 2, 3, 24), spaced(2, -1, 1, 2, 5, 12), spaced(3, -1, 1, 2, 5, 14)}
		}
		if k&2 != 0 {
			n.Ints["is_causal"] = 1
			n.Floats["softcap"] = 0.8
		}
		if k&4 != 0 {
			keys := 5
			if k&8 != 0 {
				keys = 9
			}
			c.in = append(c.in, spaced(4, -1, 1, 3, keys))
		} else {
			c.in = append(c.in, nil)
		}
		if k&8 != 0 {
			c.in = append(c.in, spaced(5, -1, 1, 2, 2, 4, 6), spaced(6, -1, 1, 2, 2, 4, 7))
			c.by, c.outs = append(c.by, 4, 5), 3
		}
		c.node = n
		cases = append(cases, c)
	}
	checkCases(t, cases)
}

// What attention shows of its scores passes gradients too, at every stage.
func TestGradientsAttentionScores(t *testing.T) {
	var cases []gradCase
	for stage := range int64(4) {
		n := moduletest.Node{Op: "Attention", Ints: numbers{"qk_matmul_output_mode": stage, "is_causal": 0}, Floats: reals{"softcap": 0.9}}
		in := tensors{spaced(1, -1, 1, 2, 4, 3, 6), spaced(2, -1, 1, 2, 2, 5, 6), spaced(3, -1, 1, 2, 2, 5, 7), spaced(4, -1, 1, 4, 1, 5)}
		cases = append(cases, gradCase{name: fmt.Sprint(stage), opset: 24, node: n, in: in, by: []int{0, 1, 2, 3}, outs: 4})
	}
	checkCases(t, cases)
}

func TestGradientsMergedAttention(t *testing.T) {
	ms := func(op string, ints numbers) moduletest.Node {
		return moduletest.Node{Op: op, Domain: "com.microsoft", Ints: ints}
	}
	const batch, rows, heads, dim = 2, 3, 2, 4
	const width = heads * dim
	x := func(seed uint64, n ...int) *modules.Tensor { return spaced(seed, -1, 1, n...) }
	i32 := func(v ...int32) *modules.Tensor {
		return &modules.Tensor{DType: modules.Int32, Shape: []int{len(v)}, I32: v}
	}
	capped := func(n moduletest.Node) moduletest.Node { n.Floats = reals{"softcap": 0.9}; return n }
	rows3 := func(seed uint64) *modules.Tensor { return x(seed, batch, rows, width) }
	cases := []gradCase{
		{node: ms("Attention", numbers{"num_heads": heads}), in: tensors{x(1, batch, rows, 5), x(2, 5, 3*width), x(3, 3*width)}},
		{name: "causal, with past and bias", node: ms("Attention", numbers{"num_heads": heads, "unidirectional": 1}), outs: 2, by: []int{0, 1, 2, 4, 5},
			in: tensors{x(1, batch, rows, 5), x(2, 5, 3*width), x(3, 3*width), i32(5, 4), x(4, 2, batch, heads, 2, dim), x(5, batch, heads, rows, rows+2)}},
		{name: "sizes", node: func() moduletest.Node {
			n := ms("Attention", numbers{"num_heads": heads})
			n.Lists = lists{"qkv_hidden_sizes": {width, width, 2 * heads}}
			return n
		}(), in: tensors{x(1, batch, rows, 5), x(2, 5, 2*width+2*heads), x(3, 2*width+2*heads)}},
		{node: ms("MultiHeadAttention", numbers{"num_heads": heads}), in: tensors{rows3(1), x(2, batch, 5, width), x(3, batch, 5, 2*heads)}},
		{name: "biased, with past", node: ms("MultiHeadAttention", numbers{"num_heads": heads, "unidirectional": 1}), outs: 3, by: []int{0, 1, 2, 3, 5, 6, 7},
			in: tensors{rows3(1), rows3(2), rows3(3), x(4, 3*width), i32(5, 4), x(5, 1, heads, rows, rows+2), x(6, batch, heads, 2, dim), x(7, batch, heads, 2, dim)}},
		{name: "packed", node: ms("MultiHeadAttention", numbers{"num_heads": heads}), in: tensors{x(1, batch, rows, heads, 3, dim)}},
		{name: "packed keys", node: ms("MultiHeadAttention", numbers{"num_heads": heads}), in: tensors{rows3(1), x(2, batch, 5, heads, 2, dim)}},
		{name: "prompt", node: capped(ms("GroupQueryAttention", numbers{"num_heads": 4, "kv_num_heads": heads})), by: []int{0, 1, 2}, outs: 3,
			in: tensors{x(1, batch, rows, 2*width), rows3(2), rows3(3), nil, nil, i32(rows-1, rows-2), i32(rows)}},
		{name: "step, turned", node: ms("GroupQueryAttention", numbers{"num_heads": 4, "kv_num_heads": heads, "do_rotary": 1, "local_window_size": 3}), by: []int{0, 1, 2, 3, 4, 10, 11}, outs: 3,
			in: tensors{x(1, batch, 1, 2*width), x(2, batch, 1, width), x(3, batch, 1, width), x(4, batch, heads, 5, dim), x(5, batch, heads, 5, dim), i32(4, 2), i32(5), x(6, 8, 2), x(7, 8, 2), nil,
				x(8, batch, 4, 1, 5), x(9, 4)}},
		{name: "packed", node: ms("GroupQueryAttention", numbers{"num_heads": 4, "kv_num_heads": heads, "do_rotary": 1, "rotary_interleaved": 1, "smooth_softmax": 1}), by: []int{0}, outs: 3,
			in: tensors{x(1, batch, rows, 4*width), nil, nil, nil, nil, i32(rows-1, rows-1), i32(rows), x(6, 8, 2), x(7, 8, 2)}},
		{node: ms("EmbedLayerNormalization", nil), by: []int{2, 3, 4, 5, 6}, outs: 3,
			in: tensors{modules.Ints([]int64{1, 3, 1, 0}, 2, 2), modules.Ints([]int64{1, 1, 0, 1}, 2, 2), x(1, 4, 6), x(2, 3, 6), x(3, 2, 6), x(4, 6), x(5, 6)}},
	}
	checkCases(t, cases)
}

func TestGradientsFlexAttention(t *testing.T) {
	shape := []int{1, 4, 3, 5}
	body := func(nodes ...moduletest.Node) *moduletest.Model {
		return &moduletest.Model{Nodes: nodes, Inputs: []moduletest.Value{{Name: "s", DType: modules.Float32, Shape: shape}}, Outputs: []moduletest.Value{{Name: "r", DType: modules.Float32, Shape: shape}}}
	}
	n := func(op string, out string, in ...string) moduletest.Node {
		return moduletest.Node{Op: op, Inputs: in, Outputs: []string{out}}
	}
	flex := func(bodies map[string]*moduletest.Model) moduletest.Node {
		return moduletest.Node{Op: "FlexAttention", Domain: "ai.onnx.preview", Bodies: bodies, Floats: reals{"scale": 0.7}}
	}
	in := tensors{spaced(1, -1, 1, 1, 4, 3, 6), spaced(2, -1, 1, 1, 2, 5, 6), spaced(3, -1, 1, 1, 2, 5, 7)}
	score, prob := body(n("Tanh", "u", "s"), n("Mul", "r", "u", "s")), body(n("Sin", "u", "s"), n("Add", "r", "u", "s"))
	checkCases(t, []gradCase{
		{opset: 26, node: flex(nil), in: in},
		{opset: 26, name: "scores", node: flex(map[string]*moduletest.Model{"score_mod": score}), in: in},
		{opset: 26, name: "weights", node: flex(map[string]*moduletest.Model{"prob_mod": prob}), in: in},
		{opset: 26, name: "both", node: flex(map[string]*moduletest.Model{"score_mod": score, "prob_mod": prob}), in: in},
	})
}

func TestGradientsLinearAttention(t *testing.T) {
	const batch, rows, qHeads, heads, dim, vdim = 2, 4, 4, 2, 3, 5
	var cases []gradCase
	for _, rule := range []string{"linear", "gated", "delta", "gated_delta"} {
		for k := range 2 { // with a state; one decay a head or for each dimension
			c := gradCase{opset: 28, name: fmt.Sprint(rule, k), outs: 2, node: moduletest.Node{Op: "LinearAttention", Ints: numbers{"q_num_heads": qHeads, "kv_num_heads": heads}, Strings: words{"update_rule": rule}},
				in: tensors{spaced(1, -1, 1, batch, rows, qHeads*dim), spaced(2, -1, 1, batch, rows, heads*dim), spaced(3, -1, 1, batch, rows, heads*vdim), nil, nil, nil}, by: []int{0, 1, 2}}
			if k == 1 {
				c.in[3] = spaced(4, -1, 1, batch, heads, dim, vdim)
				c.by = append(c.by, 3)
			}
			if rule != "linear" && rule != "delta" {
				c.in[4] = spaced(5, -0.6, -0.1, batch, rows, []int{heads, heads * dim}[k])
				c.by = append(c.by, 4)
			}
			if rule != "linear" && rule != "gated" {
				c.in[5] = spaced(6, 0.2, 0.9, batch, rows, heads)
				c.by = append(c.by, 5)
			}
			cases = append(cases, c)
		}
	}
	checkCases(t, cases)
}

func TestGradientsDeformed(t *testing.T) {
	x := func(seed uint64, n ...int) *modules.Tensor { return spaced(seed, -1, 1, n...) }
	// offsets that keep away from the grid's lines
	off := func(n ...int) *modules.Tensor {
		t := spaced(3, 0.25, 0.75, n...)
		for i := range t.F32 {
			t.F32[i] -= float32(i % 2)
		}
		return t
	}
	rois := modules.Floats([]float32{0, 0, 0, 3, 3, 1, 1, 0, 4, 2}, 2, 5)
	checkCases(t, []gradCase{
		{opset: 19, node: moduletest.Node{Op: "DeformConv", Lists: lists{"pads": {1, 1, 1, 1}}}, in: tensors{x(1, 2, 2, 4, 5), x(2, 3, 2, 3, 3), off(2, 18, 4, 5)}},
		{opset: 19, name: "groups, mask", node: moduletest.Node{Op: "DeformConv", Ints: numbers{"group": 2, "offset_group": 2}, Lists: lists{"strides": {2, 1}}},
			in: tensors{x(1, 1, 4, 5, 5), x(2, 2, 2, 2, 2), off(1, 16, 2, 4), x(4, 2), x(5, 1, 8, 2, 4)}},
		{node: moduletest.Node{Op: "MaxRoiPool", Lists: lists{"pooled_shape": {2, 3}}}, in: tensors{x(1, 2, 2, 4, 5), rois}, by: []int{0}, step: 2e-3},
		{node: node("Unique"), in: tensors{x(1, 2, 5)}},
		{name: "axis", node: moduletest.Node{Op: "Unique", Ints: numbers{"axis": 1, "sorted": 0}}, in: tensors{x(1, 2, 3, 2)}, outs: 2},
	})
}

func TestGradientsStateful(t *testing.T) {
	x, w := spaced(1, -1, 1, 2, 3, 6), spaced(2, -1, 1, 3, 1, 4)
	checkCases(t, []gradCase{
		{opset: 28, node: node("CausalConvWithState"), in: tensors{x, w}, by: []int{0}, outs: 2},
		{opset: 28, name: "with state", node: moduletest.Node{Op: "CausalConvWithState", Strings: words{"activation": "silu"}}, in: tensors{x, w, spaced(3, -1, 1, 3), spaced(4, -1, 1, 2, 3, 3)}, by: []int{0, 3}, outs: 2},
		{opset: 24, node: node("TensorScatter"), in: tensors{spaced(1, -1, 1, 2, 5, 3), spaced(2, -1, 1, 2, 2, 3), ints(1, 3)}},
		{opset: 24, name: "circular", node: moduletest.Node{Op: "TensorScatter", Strings: words{"mode": "circular"}}, in: tensors{spaced(1, -1, 1, 2, 5, 3), spaced(2, -1, 1, 2, 2, 3), ints(4, 3)}},
	})
}
