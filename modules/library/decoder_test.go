package library_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// Sizes of the small decoder: entries, width, heads, places.
const (
	tinyEntries = 19
	tinyWidth   = 8
	tinyHeads   = 2
	tinyPlaces  = 40
	tinyEnd     = tinyEntries - 1
)

// graphBuilder writes a graph node by node.
type graphBuilder struct {
	moduletest.Model
	random *rand.Rand
}

// op adds a node with one output and returns its name.
func (b *graphBuilder) op(op string, n moduletest.Node, inputs ...string) string {
	n.Op, n.Inputs = op, inputs
	if n.Outputs == nil {
		n.Outputs = []string{fmt.Sprintf("%s_%d", strings.ToLower(op), len(b.Nodes))}
	}
	b.Nodes = append(b.Nodes, n)
	return n.Outputs[0]
}

func (b *graphBuilder) plain(op string, inputs ...string) string {
	return b.op(op, moduletest.Node{}, inputs...)
}

// named gives a value another name.
func (b *graphBuilder) named(name, value string) string {
	return b.op("Identity", moduletest.Node{Outputs: []string{name}}, value)
}

// ints and weights add constants.
func (b *graphBuilder) ints(v ...int64) string {
	name := fmt.Sprintf("ints_%d", len(b.Initializers))
	b.Initializers = append(b.Initializers, moduletest.Initializer{Name: name, Tensor: modules.Ints(v, len(v))})
	return name
}

func (b *graphBuilder) scalar(v int64) string {
	name := fmt.Sprintf("scalar_%d", len(b.Initializers))
	b.Initializers = append(b.Initializers, moduletest.Initializer{Name: name, Tensor: modules.Ints([]int64{v})})
	return name
}

func (b *graphBuilder) weights(scale float64, shape ...int) string {
	name := fmt.Sprintf("weights_%d", len(b.Initializers))
	t, err := modules.NewTensor(modules.Float32, shape...)
	if err != nil {
		panic(err)
	}
	for i := range t.F32 {
		t.F32[i] = float32(scale * b.random.NormFloat64())
	}
	b.Initializers = append(b.Initializers, moduletest.Initializer{Name: name, Tensor: t})
	return name
}

// size is a dimension of a value as a scalar.
func (b *graphBuilder) size(value string, dim int64) string {
	return b.op("Gather", moduletest.Node{Ints: map[string]int64{"axis": 0}}, b.plain("Shape", value), b.scalar(dim))
}

// heads turns [batch, cells, width] into [batch, heads, cells, width/heads].
func (b *graphBuilder) heads(x string) string {
	split := b.plain("Reshape", x, b.ints(0, 0, tinyHeads, tinyWidth/tinyHeads))
	return b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {0, 2, 1, 3}}}, split)
}

// attend is softmax(q kᵀ) v with an optional mask, added to x.
func (b *graphBuilder) attend(x, q, k, v, allowed string) string {
	keys := b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {0, 1, 3, 2}}}, k)
	scores := b.plain("MatMul", q, keys)
	if allowed != "" {
		const never = "never"
		b.Initializers = append(b.Initializers, moduletest.Initializer{Name: never, Tensor: modules.Floats([]float32{-1e9})})
		scores = b.plain("Where", allowed, scores, never)
	}
	mixed := b.plain("MatMul", b.op("Softmax", moduletest.Node{Ints: map[string]int64{"axis": -1}}, scores), v)
	joined := b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {0, 2, 1, 3}}}, mixed)
	return b.plain("Add", x, b.plain("Reshape", joined, b.ints(0, 0, tinyWidth)))
}

// decoderKind says which of the ports that exporters write a decoder has.
type decoderKind struct {
	mask, positions bool // attention_mask, position_ids
	cache, branch   bool // past_key_values.*, use_cache_branch
	cross           bool // encoder_hidden_states, and its keys and values in the cache
	embeds          bool // inputs_embeds in place of input_ids
	inside          bool // all of it is inside an If
	names           string
}

// tinyDecoder is a transformer of one layer with GPT-2's or Whisper's ports.
// All kinds have the same weights, so that all have to say the same.
func tinyDecoder(kind decoderKind) *moduletest.Model {
	b := &graphBuilder{random: rand.New(rand.NewPCG(7, 7))}
	b.Opset = 17
	const head = tinyWidth / tinyHeads
	table, places := b.weights(1, tinyEntries, tinyWidth), b.weights(0.7, tinyPlaces, tinyWidth)
	project := func() string { return b.weights(0.6, tinyWidth, tinyWidth) }
	wq, wk, wv, cq, ck, cv := project(), project(), project(), project(), project(), project()

	var embedded, steps string
	if kind.embeds {
		embedded = "inputs_embeds"
		b.Inputs = append(b.Inputs, value(embedded, modules.Float32, "batch_size", "sequence_length", tinyWidth))
		steps = b.size(embedded, 1)
	} else {
		b.Inputs = append(b.Inputs, value("input_ids", modules.Int64, "batch_size", "sequence_length"))
		embedded = b.op("Gather", moduletest.Node{Ints: map[string]int64{"axis": 0}}, table, "input_ids")
		steps = b.size("input_ids", 1)
	}

	own := "past_key_values.0."
	made := "present.0."
	if kind.cross {
		own, made = own+"decoder.", made+"decoder."
	}
	pastLength := ""
	if kind.cache {
		pastLength = "past_" + kind.names + "sequence_length"
		for _, end := range []string{"key", "value"} {
			b.Inputs = append(b.Inputs, value(own+end, modules.Float32, "batch_size", tinyHeads, pastLength, head))
		}
	}
	// The length of the cache; the branch without one ignores what it is given.
	past := b.scalar(0)
	if kind.cache {
		past = b.size(own+"key", 2)
	}
	one := b.scalar(1)
	total := b.plain("Add", past, steps)
	rows := b.plain("Range", past, total, one)
	if kind.positions {
		b.Inputs = append(b.Inputs, value("position_ids", modules.Int64, "batch_size", "sequence_length"))
		embedded = b.plain("Add", embedded, b.op("Gather", moduletest.Node{Ints: map[string]int64{"axis": 0}}, places, "position_ids"))
	} else {
		embedded = b.plain("Add", embedded, b.op("Gather", moduletest.Node{Ints: map[string]int64{"axis": 0}}, places, rows))
	}
	columns := b.plain("Range", b.scalar(0), total, one)
	allowed := b.plain("GreaterOrEqual", b.plain("Unsqueeze", rows, b.ints(1)), b.plain("Unsqueeze", columns, b.ints(0)))
	if kind.mask {
		b.Inputs = append(b.Inputs, value("attention_mask", modules.Int64, "batch_size", "total_sequence_length"))
		// A mask that does not cover past and present together is an error.
		fits := b.plain("Reshape", "attention_mask", b.op("Concat", moduletest.Node{Ints: map[string]int64{"axis": 0}},
			b.ints(-1), b.ints(1), b.ints(1), b.plain("Unsqueeze", total, b.ints(0))))
		allowed = b.plain("And", allowed, b.plain("Greater", fits, b.scalar(0)))
	}
	q, k, v := b.heads(b.plain("MatMul", embedded, wq)), b.heads(b.plain("MatMul", embedded, wk)), b.heads(b.plain("MatMul", embedded, wv))
	if kind.cross {
		b.Inputs = append(b.Inputs, value("encoder_hidden_states", modules.Float32, "batch_size", "encoder_sequence_length", tinyWidth))
	}
	crossKeys := func(b *graphBuilder, w string) string { return b.heads(b.plain("MatMul", "encoder_hidden_states", w)) }
	var ek, ev string
	switch {
	case kind.branch:
		b.Inputs = append(b.Inputs, value("use_cache_branch", modules.Bool, 1))
		// As exporters merge them: the branch with a cache joins, and gives
		// nothing for the encoder's keys, which the caller has to keep.
		with, without := &graphBuilder{}, &graphBuilder{}
		with.op("Concat", moduletest.Node{Ints: map[string]int64{"axis": 2}, Outputs: []string{"with_k"}}, own+"key", k)
		with.op("Concat", moduletest.Node{Ints: map[string]int64{"axis": 2}, Outputs: []string{"with_v"}}, own+"value", v)
		without.named("without_k", k)
		without.named("without_v", v)
		outputs := []string{"all_k", "all_v"}
		ends := []string{"k", "v"}
		if kind.cross {
			for i, end := range []string{"key", "value"} {
				name := "past_key_values.0.encoder." + end
				b.Inputs = append(b.Inputs, value(name, modules.Float32, "batch_size", tinyHeads, "encoder_sequence_length_out", head))
				with.named([]string{"with_ek", "with_ev"}[i], name)
				with.op("Slice", moduletest.Node{Outputs: []string{[]string{"with_dk", "with_dv"}[i]}}, name, with.ints2("a", 0), with.ints2("b", 0), with.ints2("c", 0))
				keys := crossKeys(without, []string{ck, cv}[i])
				without.named([]string{"without_ek", "without_ev"}[i], keys)
				without.named([]string{"without_dk", "without_dv"}[i], keys)
			}
			outputs = append(outputs, "cross_k", "cross_v", "dummy_k", "dummy_v")
			ends = append(ends, "ek", "ev", "dk", "dv")
			ek, ev = "cross_k", "cross_v"
		}
		for _, end := range ends {
			with.Outputs = append(with.Outputs, value("with_"+end, modules.Float32, "b", "h", "s", "w"))
			without.Outputs = append(without.Outputs, value("without_"+end, modules.Float32, "b", "h", "s", "w"))
		}
		b.Nodes = append(b.Nodes, moduletest.Node{Op: "If", Inputs: []string{"use_cache_branch"}, Outputs: outputs,
			Bodies: map[string]*moduletest.Model{"then_branch": &with.Model, "else_branch": &without.Model}})
		k, v = "all_k", "all_v"
	case kind.cache:
		k = b.op("Concat", moduletest.Node{Ints: map[string]int64{"axis": 2}}, own+"key", k)
		v = b.op("Concat", moduletest.Node{Ints: map[string]int64{"axis": 2}}, own+"value", v)
	}
	x := b.attend(embedded, q, k, v, allowed)
	if kind.cross {
		if ek == "" {
			ek, ev = crossKeys(b, ck), crossKeys(b, cv)
		}
		x = b.attend(x, b.heads(b.plain("MatMul", x, cq)), ek, ev, "")
	}
	back := b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {1, 0}}}, table)
	b.op("MatMul", moduletest.Node{Outputs: []string{"logits"}}, x, back)
	b.Outputs = append(b.Outputs, value("logits", modules.Float32, "batch_size", "sequence_length", tinyEntries))
	b.named(made+"key", k)
	b.named(made+"value", v)
	for _, end := range []string{"key", "value"} {
		b.Outputs = append(b.Outputs, value(made+end, modules.Float32, "batch_size", tinyHeads, "present_length", head))
	}
	if kind.cross && kind.branch {
		for i, end := range []string{"key", "value"} {
			b.named("present.0.encoder."+end, []string{"dummy_k", "dummy_v"}[i])
			b.Outputs = append(b.Outputs, value("present.0.encoder."+end, modules.Float32, "n", tinyHeads, "encoder_sequence_length_out", head))
		}
	}
	return &b.Model
}

// ints2 adds a constant of one number under a name that no outer graph has.
func (b *graphBuilder) ints2(name string, v int64) string {
	name = fmt.Sprintf("body_%s_%d", name, len(b.Initializers))
	b.Initializers = append(b.Initializers, moduletest.Initializer{Name: name, Tensor: modules.Ints([]int64{v}, 1)})
	return name
}

// mergedDecoder has a decoder with a cache and one without in the branches of an
// If, as exporters merge them whole.
func mergedDecoder() *moduletest.Model {
	with, without := tinyDecoder(decoderKind{cache: true, mask: true, positions: true}), tinyDecoder(decoderKind{mask: true, positions: true})
	merged := &moduletest.Model{Opset: 17, Inputs: append(slices.Clone(with.Inputs), value("use_cache_branch", modules.Bool, 1))}
	n := moduletest.Node{Op: "If", Inputs: []string{"use_cache_branch"}, Bodies: map[string]*moduletest.Model{"then_branch": with, "else_branch": without}}
	for k, v := range with.Outputs {
		merged.Outputs = append(merged.Outputs, v)
		n.Outputs = append(n.Outputs, v.Name)
		for _, body := range []*moduletest.Model{with, without} { // no name twice
			inner := fmt.Sprintf("inner_%d", k)
			body.Nodes = append(body.Nodes, moduletest.Node{Op: "Identity", Inputs: []string{"of_" + v.Name}, Outputs: []string{inner}})
			for i := range body.Nodes {
				for j, name := range body.Nodes[i].Outputs {
					if name == v.Name {
						body.Nodes[i].Outputs[j] = "of_" + v.Name
					}
				}
			}
			body.Outputs[k].Name = inner
		}
	}
	with.Inputs, without.Inputs = nil, nil
	merged.Nodes = []moduletest.Node{n}
	return merged
}

// tinyEmbedder makes the vectors that tinyDecoder makes of its tokens.
func tinyEmbedder() *moduletest.Model {
	b := &graphBuilder{random: rand.New(rand.NewPCG(7, 7))}
	b.Opset = 17
	table := b.weights(1, tinyEntries, tinyWidth)
	b.Inputs = []moduletest.Value{value("input_ids", modules.Int64, "batch_size", "sequence_length")}
	b.op("Gather", moduletest.Node{Ints: map[string]int64{"axis": 0}, Outputs: []string{"inputs_embeds"}}, table, "input_ids")
	b.Outputs = []moduletest.Value{value("inputs_embeds", modules.Float32, "batch_size", "sequence_length", tinyWidth)}
	return &b.Model
}

// tinyEncoder turns a picture or mel frames into hidden states.
func tinyEncoder(input string) *moduletest.Model {
	b := &graphBuilder{random: rand.New(rand.NewPCG(9, 9))}
	b.Opset = 17
	var cells string
	if input == "pixel_values" {
		b.Inputs = []moduletest.Value{value(input, modules.Float32, "batch_size", "num_channels", "height", "width")}
		cells = b.op("Conv", moduletest.Node{Lists: map[string][]int64{"strides": {8, 8}}}, input, b.weights(0.1, tinyWidth, 3, 8, 8))
		cells = b.plain("Reshape", cells, b.ints(0, 0, -1))
	} else {
		b.Inputs = []moduletest.Value{value(input, modules.Float32, "batch_size", 80, 3000)}
		cells = b.op("Conv", moduletest.Node{Lists: map[string][]int64{"strides": {100}}}, input, b.weights(0.05, tinyWidth, 80, 100))
	}
	b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {0, 2, 1}}, Outputs: []string{"last_hidden_state"}}, cells)
	b.Outputs = []moduletest.Value{value("last_hidden_state", modules.Float32, "batch_size", "encoder_sequence_length", tinyWidth)}
	return &b.Model
}

// tinyWords is a tokenizer.json whose entry k is "wk", the last one the end.
func tinyWords() string {
	var list []string
	for i := range tinyEnd {
		list = append(list, fmt.Sprintf(`"w%d": %d`, i, i))
	}
	return fmt.Sprintf(`{"added_tokens": [{"id": %d, "content": "<end>", "special": true}], "pre_tokenizer": {"type": "Whitespace"},
 "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {%s, "<end>": %d}}}`, tinyEnd, strings.Join(list, ", "), tinyEnd)
}

// tinyYAMNet takes a waveform and scores three pitches in frames of 25 ms.
func tinyYAMNet() *moduletest.Model {
	b := &graphBuilder{}
	const window = 400
	kernels := modules.Floats(make([]float32, 0, 3*window), 3, 1, window)
	for _, hz := range []float64{250, 1000, 3000} {
		for i := range window {
			kernels.F32 = append(kernels.F32, float32(math.Sin(2*math.Pi*hz*float64(i)/16000)/window*2))
		}
	}
	b.Initializers = append(b.Initializers, moduletest.Initializer{Name: "kernels", Tensor: kernels})
	clip := b.plain("Unsqueeze", "waveform", b.ints(0, 1))
	energy := b.op("Conv", moduletest.Node{Lists: map[string][]int64{"strides": {160}}}, clip, "kernels")
	frames := b.op("Transpose", moduletest.Node{Lists: map[string][]int64{"perm": {0, 2, 1}}}, b.plain("Abs", energy))
	b.op("Squeeze", moduletest.Node{Outputs: []string{"output_0"}}, frames, b.ints(0))
	b.op("Neg", moduletest.Node{Outputs: []string{"output_1"}}, "output_0")
	b.Inputs = []moduletest.Value{value("waveform", modules.Float32, "samples")}
	b.Outputs = []moduletest.Value{value("output_0", modules.Float32, "frames", 3), value("output_1", modules.Float32, "frames", 3)}
	return &b.Model
}
