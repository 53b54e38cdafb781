package convert

import (
	"fmt"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Strides of EfficientNet's seven stages (Tan & Le 2019, table 1); blocks
// after a stage's first have none.
var stageStrides = []int64{1, 2, 2, 2, 1, 2, 1}

// liteSides are the sides of the pictures that EfficientNet-Lite 0 to 4 were
// trained with, by the number of blocks and the width of the third stage.
var liteSides = map[[2]int]int{{16, 40}: 224, {21, 40}: 240, {21, 48}: 260, {24, 48}: 280, {30, 56}: 300}

// batchEpsilon is that of EfficientNet's batch normalisations.
const batchEpsilon = 1e-3

// efficientNetLite writes the network from pictures to a grid of features,
// their mean and the classes: inverted bottlenecks without squeeze and
// excitation, with ReLU6, padded as TensorFlow's SAME.
func efficientNetLite(b *builder) error {
	relu6 := func(x string) string {
		return b.node("Clip", in(x, b.float("zero", 0), b.float("six", 6)))
	}
	conv := func(x, name string, outputs, inputs, kernel int, stride, group int64) string {
		return b.node("Conv", in(x, b.weight(name+".weight", outputs, inputs, kernel, kernel)),
			stringAttr("auto_pad", "SAME_UPPER"), intsAttr("kernel_shape", int64(kernel), int64(kernel)), intsAttr("strides", stride, stride), intAttr("group", group))
	}
	width := b.tensor("_conv_stem.weight", anySize, 3, 3, 3).Shape[0]
	x := relu6(b.normalized(conv("picture", "_conv_stem", width, 3, 3, 2, 1), "_bn0", width, batchEpsilon))

	stage, third, blocks, before := -1, 0, 0, 0 // before is the width of the last block's output
	for ; b.err == nil; blocks++ {
		name := fmt.Sprintf("_blocks.%d.", blocks)
		if !b.has(name + "_depthwise_conv.weight") {
			break
		}
		depthwise := b.tensor(name+"_depthwise_conv.weight", anySize, 1, anySize, anySize).Shape
		output := b.tensor(name+"_project_conv.weight", anySize, depthwise[0], 1, 1).Shape[0]
		stride := int64(1)
		if output != before {
			if stage++; stage == len(stageStrides) {
				return fmt.Errorf("it has more than %d stages", len(stageStrides))
			}
			stride, before = stageStrides[stage], output
			if stage == 2 {
				third = output
			}
		}
		inner, from := x, width
		if b.has(name + "_expand_conv.weight") {
			inner = relu6(b.normalized(conv(x, name+"_expand_conv", depthwise[0], from, 1, 1, 1), name+"_bn0", depthwise[0], batchEpsilon))
		} else if depthwise[0] != from {
			return fmt.Errorf("block %d has %d channels after %d", blocks, depthwise[0], from)
		}
		inner = relu6(b.normalized(conv(inner, name+"_depthwise_conv", depthwise[0], 1, depthwise[2], stride, int64(depthwise[0])), name+"_bn1", depthwise[0], batchEpsilon))
		inner = b.normalized(conv(inner, name+"_project_conv", output, depthwise[0], 1, 1, 1), name+"_bn2", output, batchEpsilon)
		if stride == 1 && output == from {
			inner = b.node("Add", in(inner, x))
		}
		if b.has(name + "_se_reduce.weight") {
			return fmt.Errorf("block %d has squeeze and excitation: it is an EfficientNet, but not a Lite one", blocks)
		}
		x, width = inner, output
	}
	side := liteSides[[2]int{blocks, third}]
	if side == 0 && b.err == nil {
		return fmt.Errorf("%d blocks, of width %d in the third stage, are none of Lite 0 to 4", blocks, third)
	}
	features := b.tensor("_conv_head.weight", anySize, width, 1, 1).Shape[0]
	head := b.normalized(conv(x, "_conv_head", features, width, 1, 1, 1), "_bn1", features, batchEpsilon)
	b.named("grid", "Clip", in(head, "zero", "six"))
	b.named("features", "Flatten", in(b.node("GlobalAveragePool", in("grid"))), intAttr("axis", 1))
	classes := b.tensor("_fc.weight", anySize, features).Shape[0]
	b.named("logits", "Gemm", in("features", b.weight("_fc.weight", classes, features), b.weight("_fc.bias", classes)), intAttr("transB", 1))

	cells := (side + 31) / 32 // five strides of 2
	b.graph.Inputs = []onnxfile.Value{value("picture", onnxfile.Float, "batch", 3, side, side)}
	b.graph.Outputs = []onnxfile.Value{
		value("features", onnxfile.Float, "batch", features), value("logits", onnxfile.Float, "batch", classes),
		value("grid", onnxfile.Float, "batch", features, cells, cells),
	}
	return nil
}
