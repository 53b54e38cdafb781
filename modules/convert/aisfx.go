package convert

import (
	"fmt"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// Frames and mel bands of a block that aiSFX hears, about 2.3 s.
const (
	aisfxFrames = 100
	aisfxBands  = 96
)

// aisfx writes the embedding net (Ma et al., "Representation Learning for the
// Automatic Indexing of Sound Effects Libraries", ISMIR 2022) from blocks of a
// log-mel spectrogram to a vector each, and the mean and the maximum of these
// over the sound, one after the other. Its heads of class names are left out.
func aisfx(b *builder) error {
	x := b.node("Reshape", in("spectrogram", b.ints(-1, 1, aisfxFrames, aisfxBands)))
	width := 1
	for block := 1; block <= 4; block++ {
		for layer := 1; layer <= 2; layer++ {
			name := fmt.Sprintf("embedding_net.conv_block%d.", block)
			conv, norm := fmt.Sprintf("%sconv%d.weight", name, layer), fmt.Sprintf("%sbn%d", name, layer)
			output := b.tensor(conv, anySize, width, 3, 3).Shape[0]
			x = b.node("Conv", in(x, b.weight(conv, output, width, 3, 3)), intsAttr("kernel_shape", 3, 3), intsAttr("pads", 1, 1, 1, 1))
			x = b.node("Relu", in(b.normalized(x, norm, output, 1e-5)))
			width = output
		}
		if block < 4 {
			x = b.node("MaxPool", in(x), intsAttr("kernel_shape", 2, 2), intsAttr("strides", 2, 2))
		}
	}
	x = b.node("ReduceMean", in(x), intsAttr("axes", 3), intAttr("keepdims", 0))
	x = b.node("ReduceMax", in(x), intsAttr("axes", 2), intAttr("keepdims", 0))
	outer := b.node("Slice", in(b.node("Shape", in("spectrogram")), b.ints(0), b.ints(2)))
	b.named("blocks", "Reshape", in(x, b.node("Concat", in(outer, b.ints(int64(width))), intAttr("axis", 0))))
	mean := b.node("ReduceMean", in("blocks"), intsAttr("axes", 1), intAttr("keepdims", 0))
	peak := b.node("ReduceMax", in("blocks"), intsAttr("axes", 1), intAttr("keepdims", 0))
	b.named("embedding", "Concat", in(mean, peak), intAttr("axis", 1))

	b.graph.Inputs = []onnxfile.Value{value("spectrogram", onnxfile.Float, "batch", "blocks", aisfxFrames, aisfxBands)}
	b.graph.Outputs = []onnxfile.Value{
		value("embedding", onnxfile.Float, "batch", 2*width), value("blocks", onnxfile.Float, "batch", "blocks", width),
	}
	return nil
}
