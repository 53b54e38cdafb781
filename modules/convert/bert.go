package convert

import (
	"errors"
	"fmt"
	"math"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// bertConfig is what is read of a BERT's config.json.
type bertConfig struct {
	Heads      int     `json:"num_attention_heads"`
	Activation string  `json:"hidden_act"`
	Epsilon    float32 `json:"layer_norm_eps"`
	Positions  string  `json:"position_embedding_type"`
}

// bert writes the encoder (Devlin et al. 2018) from token numbers to a vector
// each and, for a sentence transformer, one vector for the text.
func bert(b *builder) error {
	c := bertConfig{Activation: "gelu", Epsilon: 1e-12}
	if !b.read("config.json", &c) && b.err == nil {
		return errors.New("config.json must lie beside the weights: it holds the number of attention heads")
	}
	words := b.tensor("embeddings.word_embeddings.weight", anySize, anySize).Shape
	width := words[1]
	switch {
	case b.err != nil:
		return b.err
	case c.Heads < 1 || width%c.Heads != 0:
		return fmt.Errorf("config.json: %d attention heads for vectors of %d numbers", c.Heads, width)
	case c.Activation != "gelu":
		return fmt.Errorf("config.json: hidden_act %q is not known, only gelu", c.Activation)
	case c.Positions != "" && c.Positions != "absolute":
		return fmt.Errorf("config.json: position_embedding_type %q is not known, only absolute", c.Positions)
	}
	norm := func(x, name string) string {
		return b.node("LayerNormalization", in(x, b.weight(name+".weight", width), b.weight(name+".bias", width)), intAttr("axis", -1), floatAttr("epsilon", c.Epsilon))
	}
	linear := func(x, name string, from, to int) string {
		return b.node("Add", in(b.node("MatMul", in(x, b.transposed(name+".weight", to, from))), b.weight(name+".bias", to)))
	}
	gather := func(table string, rows int, indices string) string {
		return b.node("Gather", in(b.weight(table, rows, width), indices), intAttr("axis", 0))
	}

	positions := b.tensor("embeddings.position_embeddings.weight", anySize, width).Shape[0]
	length := b.node("Gather", in(b.node("Shape", in("input_ids")), b.ints(1)), intAttr("axis", 0))
	place := b.node("Slice", in(b.weight("embeddings.position_embeddings.weight", positions, width), b.ints(0), length, b.ints(0)))
	x := b.node("Add", in(gather("embeddings.word_embeddings.weight", words[0], "input_ids"), place))
	x = b.node("Add", in(x, gather("embeddings.token_type_embeddings.weight", anySize, "token_type_ids")))
	x = norm(x, "embeddings.LayerNorm")

	mask := b.node("Cast", in("attention_mask"), intAttr("to", int64(onnxfile.Float)))
	hidden := b.node("Sub", in(b.float("one", 1), b.node("Unsqueeze", in(mask, b.ints(1, 2)))))
	hidden = b.node("Mul", in(hidden, b.float("hide", -1e9)))
	layers := 0
	for ; b.err == nil && b.has(fmt.Sprintf("encoder.layer.%d.attention.self.query.weight", layers)); layers++ {
		x = bertLayer(b, x, hidden, fmt.Sprintf("encoder.layer.%d.", layers), c.Heads, width, linear, norm)
	}
	if layers == 0 && b.err == nil {
		return errors.New("it has no layers")
	}
	b.named("last_hidden_state", "Identity", in(x))
	b.graph.Inputs = []onnxfile.Value{
		value("input_ids", onnxfile.Int64, "batch", "tokens"), value("attention_mask", onnxfile.Int64, "batch", "tokens"),
		value("token_type_ids", onnxfile.Int64, "batch", "tokens"),
	}
	b.graph.Outputs = []onnxfile.Value{value("last_hidden_state", onnxfile.Float, "batch", "tokens", width)}
	sentence(b, mask, width)
	return nil
}

// bertLayer is self-attention and a network of two layers, each added to what
// goes in and normalised afterwards.
func bertLayer(b *builder, x, hidden, name string, heads, width int, linear func(x, name string, from, to int) string, norm func(x, name string) string) string {
	size := width / heads
	split := func(part string, order ...int64) string {
		y := linear(x, name+"attention.self."+part, width, width)
		return b.node("Transpose", in(b.node("Reshape", in(y, b.ints(0, 0, int64(heads), int64(size))))), intsAttr("perm", order...))
	}
	query, key, val := split("query", 0, 2, 1, 3), split("key", 0, 2, 3, 1), split("value", 0, 2, 1, 3)
	scores := b.node("Mul", in(b.node("MatMul", in(query, key)), b.float("scale", float32(1/math.Sqrt(float64(size))))))
	shares := b.node("Softmax", in(b.node("Add", in(scores, hidden))), intAttr("axis", -1))
	mixed := b.node("Transpose", in(b.node("MatMul", in(shares, val))), intsAttr("perm", 0, 2, 1, 3))
	mixed = linear(b.node("Reshape", in(mixed, b.ints(0, 0, int64(width)))), name+"attention.output.dense", width, width)
	x = norm(b.node("Add", in(x, mixed)), name+"attention.output.LayerNorm")

	wide := b.tensor(name+"intermediate.dense.weight", anySize, width).Shape[0]
	inner := gelu(b, linear(x, name+"intermediate.dense", width, wide))
	return norm(b.node("Add", in(x, linear(inner, name+"output.dense", wide, width))), name+"output.LayerNorm")
}

// gelu is x/2 · (1 + erf(x/√2)).
func gelu(b *builder, x string) string {
	e := b.node("Erf", in(b.node("Div", in(x, b.float("sqrt2", math.Sqrt2)))))
	e = b.node("Mul", in(x, b.node("Add", in(e, b.float("one", 1)))))
	return b.node("Mul", in(e, b.float("half", 0.5)))
}

// sentence adds one vector for the text, pooled and scaled to length 1 as the
// configuration files of a sentence transformer say.
func sentence(b *builder, mask string, width int) {
	p, err := ReadPooling(b.config)
	out := ""
	switch {
	case err != nil:
		b.fail("%w", err)
		return
	case p.How == "mean":
		m := b.node("Unsqueeze", in(mask, b.ints(2)))
		sum := b.node("ReduceSum", in(b.node("Mul", in("last_hidden_state", m)), b.ints(1)), intAttr("keepdims", 0))
		count := b.node("Max", in(b.node("ReduceSum", in(m, b.ints(1)), intAttr("keepdims", 0)), b.float("least", 1e-9)))
		out = b.node("Div", in(sum, count))
	case p.How == "first":
		out = b.node("Gather", in("last_hidden_state", b.constant(onnxfile.Ints("first", []int64{0}))), intAttr("axis", 1))
	case p.How != "":
		b.fail("pooling: only the mean and the first token are known")
		return
	default:
		return
	}
	if p.Normalize {
		length := b.node("Max", in(b.node("ReduceL2", in(out), intsAttr("axes", 1), intAttr("keepdims", 1)), b.float("least", 1e-9)))
		out = b.node("Div", in(out, length))
	}
	b.named("sentence_embedding", "Identity", in(out))
	b.graph.Outputs = append(b.graph.Outputs, value("sentence_embedding", onnxfile.Float, "batch", width))
}
