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

func TestGradientsStateful(t *testing.T) {
	x, w := spaced(1, -1, 1, 2, 3, 6), spaced(2, -1, 1, 3, 1, 4)
	checkCases(t, []gradCase{
		{opset: 28, node: node("CausalConvWithState"), in: tensors{x, w}, by: []int{0}, outs: 2},
		{opset: 28, name: "with state", node: moduletest.Node{Op: "CausalConvWithState", Strings: words{"activation": "silu"}}, in: tensors{x, w, spaced(3, -1, 1, 3), spaced(4, -1, 1, 2, 3, 3)}, by: []int{0, 3}, outs: 2},
		{opset: 24, node: node("TensorScatter"), in: tensors{spaced(1, -1, 1, 2, 5, 3), spaced(2, -1, 1, 2, 2, 3), ints(1, 3)}},
		{opset: 24, name: "circular", node: moduletest.Node{Op: "TensorScatter", Strings: words{"mode": "circular"}}, in: tensors{spaced(1, -1, 1, 2, 5, 3), spaced(2, -1, 1, 2, 2, 3), ints(4, 3)}},
	})
}
