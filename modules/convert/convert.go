package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules/onnxfile"
	"github.com/connectomewire/wire/modules/weights"
)

// ErrUnknown reports weights of an architecture that is not known here.
var ErrUnknown = errors.New("weights of an architecture that is not known here (EfficientNet-Lite, BERT, aiSFX); export the model to ONNX with its own library")

// architecture is a family of networks.
type architecture struct {
	name  string
	mark  string // the end of the name of a tensor that only it has
	build func(b *builder) error
}

var architectures = []architecture{
	{"EfficientNet-Lite", "_blocks.0._depthwise_conv.weight", efficientNetLite},
	{"BERT", "embeddings.word_embeddings.weight", bert},
	{"aiSFX", "embedding_net.conv_block1.conv1.weight", aisfx},
}

// Convert makes an ONNX model of weights. config holds the configuration
// files beside them; it may be nil where the architecture needs none.
func Convert(w *weights.File, config fs.FS) (*onnxfile.Model, error) {
	for _, a := range architectures {
		for _, name := range w.Names() {
			prefix, ok := strings.CutSuffix(name, a.mark)
			if !ok || prefix != "" && !strings.HasSuffix(prefix, ".") {
				continue
			}
			b := &builder{weights: w, prefix: prefix, config: config, graph: &onnxfile.Graph{Name: a.name}}
			err := a.build(b)
			if err == nil {
				err = b.err
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
			return &onnxfile.Model{IRVersion: 8, Producer: "wire", Description: a.name, Opsets: map[string]int64{"": 17}, Graph: b.graph}, nil
		}
	}
	return nil, ErrUnknown
}

// builder writes a graph. The first error stays; later calls do nothing that
// matters.
type builder struct {
	weights *weights.File
	prefix  string // of the architecture's tensors
	config  fs.FS
	graph   *onnxfile.Graph
	err     error
}

func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// has reports whether there is a tensor.
func (b *builder) has(name string) bool { return b.weights.Tensors[b.prefix+name] != nil }

// anySize is a dimension that is not checked.
const anySize = -1

// tensor is a tensor of the weights, of that shape.
func (b *builder) tensor(name string, shape ...int) *weights.Tensor {
	t := b.weights.Tensors[b.prefix+name]
	if t == nil {
		b.fail("there is no tensor %q", b.prefix+name)
		return &weights.Tensor{Elem: weights.F32, Shape: make([]int, len(shape))}
	}
	fits := len(t.Shape) == len(shape)
	for k := range shape {
		fits = fits && (shape[k] == t.Shape[k] || shape[k] == anySize && t.Shape[k] > 0)
	}
	if !fits {
		b.fail("tensor %q has the shape %v, not %v", b.prefix+name, t.Shape, shape)
		return &weights.Tensor{Elem: weights.F32, Shape: make([]int, len(shape))}
	}
	return t
}

// weight makes a constant of a tensor and gives its name.
func (b *builder) weight(name string, shape ...int) string {
	t := b.tensor(name, shape...)
	return b.constant(onnxfile.Floats(name, t.Float32s(), t.Shape...))
}

// transposed makes a constant of a matrix, rows and columns exchanged.
func (b *builder) transposed(name string, rows, columns int) string {
	t := b.tensor(name, rows, columns)
	if b.err != nil {
		return name
	}
	from := t.Float32s()
	to := make([]float32, len(from))
	for r := range rows {
		for c := range columns {
			to[c*rows+r] = from[r*columns+c]
		}
	}
	return b.constant(onnxfile.Floats(name, to, columns, rows))
}

// constant adds a constant unless one of its name is there.
func (b *builder) constant(t *onnxfile.Tensor) string {
	if !slices.ContainsFunc(b.graph.Initializers, func(o *onnxfile.Tensor) bool { return o.Name == t.Name }) {
		b.graph.Initializers = append(b.graph.Initializers, t)
	}
	return t.Name
}

// ints makes a constant of whole numbers, named after them.
func (b *builder) ints(v ...int64) string {
	return b.constant(onnxfile.Ints("i"+strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", "_"), "[]"), v, len(v)))
}

// float makes a constant of one number.
func (b *builder) float(name string, v float32) string {
	return b.constant(onnxfile.Floats(name, []float32{v}))
}

// node adds an operator and gives the name of its output.
func (b *builder) node(op string, inputs []string, attrs ...*onnxfile.Attr) string {
	name := fmt.Sprintf("%s_%d", strings.ToLower(op), len(b.graph.Nodes))
	b.named(name, op, inputs, attrs...)
	return name
}

// named adds an operator whose output has a name.
func (b *builder) named(output, op string, inputs []string, attrs ...*onnxfile.Attr) {
	n := &onnxfile.Node{Name: output, Op: op, Inputs: inputs, Outputs: []string{output}, Attrs: map[string]*onnxfile.Attr{}}
	for _, a := range attrs {
		n.Attrs[a.Name] = a
	}
	b.graph.Nodes = append(b.graph.Nodes, n)
}

// in is a list of inputs.
func in(names ...string) []string { return names }

func intAttr(name string, v int64) *onnxfile.Attr {
	return &onnxfile.Attr{Name: name, Type: onnxfile.AttrInt, I: v}
}

func intsAttr(name string, v ...int64) *onnxfile.Attr {
	return &onnxfile.Attr{Name: name, Type: onnxfile.AttrInts, Ints: v}
}

func floatAttr(name string, v float32) *onnxfile.Attr {
	return &onnxfile.Attr{Name: name, Type: onnxfile.AttrFloat, F: v}
}

func stringAttr(name, v string) *onnxfile.Attr {
	return &onnxfile.Attr{Name: name, Type: onnxfile.AttrString, S: v}
}

// value describes an input or output: sizes, or names of open dimensions.
func value(name string, elem onnxfile.ElemType, shape ...any) onnxfile.Value {
	v := onnxfile.Value{Name: name, Elem: elem, Known: true}
	for _, s := range shape {
		size, symbol := -1, ""
		switch s := s.(type) {
		case int:
			size = s
		case string:
			symbol = s
		}
		v.Shape, v.Symbols = append(v.Shape, size), append(v.Symbols, symbol)
	}
	return v
}

// normalized is a batch normalisation whose tensors begin with name.
func (b *builder) normalized(x, name string, channels int, epsilon float32) string {
	inputs := in(x)
	for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
		inputs = append(inputs, b.weight(name+"."+part, channels))
	}
	return b.node("BatchNormalization", inputs, floatAttr("epsilon", epsilon))
}

// read decodes a configuration file into v; it is false when there is none.
func (b *builder) read(name string, v any) bool {
	ok, err := readJSON(b.config, name, v)
	if err != nil {
		b.fail("%w", err)
	}
	return ok
}
