package eval_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// pairRecipe is all that a retrieval plan over a pair of towers needs.
const pairRecipe = `{format: 2, name: pairs, width: 32, rank: 8, neighbours: 8, velocity: 6, tick: 20, ticks: {settle: 4, max: 0},
senses: [
  {name: image, kind: image, module: clip, port: image_embeds, place: [{role: primary visual}]},
  {name: text, kind: text, module: clip, port: text_embeds, place: [{role: wernicke}]}],
effectors: [
  {name: pair, head: embedding, settings: {width: 16}, place: [{role: prefrontal, hemisphere: left}]}],
tasks: [
  {kind: retrieval, effector: pair}]}
`

// captionRecipe speaks of pictures by the towers' space.
const captionRecipe = `{format: 2, name: captions, width: 16, rank: 4, neighbours: 8, velocity: 6, tick: 20, ticks: {settle: 4, max: 4},
senses: [
  {name: image, kind: image, module: clip, port: image_embeds, place: [{role: primary visual}]}],
effectors: [
  {name: caption, head: language, module: language, settings: {text: clip, text_port: text_embeds}, place: [{role: broca}], feedback: [{role: wernicke}]}],
tasks: [
  {kind: captioning, effector: caption}]}
`

// clipFolder writes a folder of CLIP's shape, small and with random weights:
// patches and tokens are embedded, mixed over and projected to 12 numbers.
func clipFolder(t *testing.T, words []string) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, 3))
	weight := func(name string, shape ...int) moduletest.Initializer {
		x, err := modules.NewTensor(modules.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.F32 {
			x.F32[i] = float32(rng.NormFloat64()) / 3
		}
		return moduletest.Initializer{Name: name, Tensor: x}
	}
	open := func(name string, d modules.DType, symbols []string, shape ...int) moduletest.Value {
		return moduletest.Value{Name: name, DType: d, Shape: shape, Symbols: symbols}
	}
	node := func(op, out string, in ...string) moduletest.Node {
		return moduletest.Node{Op: op, Inputs: in, Outputs: []string{out}}
	}
	patches, flat := node("Conv", "patches", "pixel_values", "patch"), node("Flatten", "flat", "bent")
	patches.Lists = map[string][]int64{"strides": {4, 4}}
	vision := &moduletest.Model{
		Inputs:       []moduletest.Value{open("pixel_values", modules.Float32, []string{"batch_size", "", "", ""}, -1, 3, 16, 16)},
		Outputs:      []moduletest.Value{open("image_embeds", modules.Float32, []string{"batch_size", ""}, -1, 12)},
		Nodes:        []moduletest.Node{patches, node("Tanh", "bent", "patches"), flat, node("MatMul", "image_embeds", "flat", "projection")},
		Initializers: []moduletest.Initializer{weight("patch", 6, 3, 4, 4), weight("projection", 96, 12)},
	}
	rows, mean := node("Gather", "rows", "table", "input_ids"), node("ReduceMean", "mean", "rows")
	mean.Lists, mean.Ints = map[string][]int64{"axes": {1}}, map[string]int64{"keepdims": 0}
	ids := []string{"batch_size", "sequence_length"}
	text := &moduletest.Model{
		Inputs:       []moduletest.Value{open("input_ids", modules.Int64, ids, -1, -1)},
		Outputs:      []moduletest.Value{open("text_embeds", modules.Float32, []string{"batch_size", ""}, -1, 12)},
		Nodes:        []moduletest.Node{rows, mean, node("MatMul", "text_embeds", "mean", "projection")},
		Initializers: []moduletest.Initializer{weight("table", len(words)+1, 8), weight("projection", 8, 12)},
	}
	vocabulary := []string{`"[UNK]": 0`}
	for i, w := range words {
		vocabulary = append(vocabulary, fmt.Sprintf("%q: %d", w, i+1))
	}
	dir := filepath.Join(t.TempDir(), "clip")
	for name, data := range map[string]string{
		"onnx/vision_model.onnx": string(vision.Bytes()), "onnx/text_model.onnx": string(text.Bytes()),
		"preprocessor_config.json": `{"do_resize": true, "size": {"height": 16, "width": 16}, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "resample": 2}`,
		"tokenizer.json":           `{"added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {` + strings.Join(vocabulary, ", ") + `}}}`,
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var (
	colours = []string{"red", "green", "blue", "white", "black", "yellow"}
	paints  = []color.NRGBA{{220, 30, 30, 255}, {30, 200, 40, 255}, {40, 50, 220, 255}, {250, 250, 250, 255}, {5, 5, 5, 255}, {240, 230, 40, 255}}
)

// flags are pictures of two stripes, each with a sentence that names them.
func flags(n int) []task.Example {
	rng := rand.New(rand.NewPCG(5, uint64(n)))
	out := make([]task.Example, n)
	for i := range out {
		top, bottom := i%6, i/6%6
		m := image.NewNRGBA(image.Rect(0, 0, 16, 16))
		for y := range 16 {
			for x := range 16 {
				c := paints[top]
				if y >= 8 {
					c = paints[bottom]
				}
				c.R, c.G, c.B = c.R-c.R/8+uint8(rng.IntN(24))/2, c.G-c.G/8+uint8(rng.IntN(24))/2, c.B-c.B/8+uint8(rng.IntN(24))/2
				m.SetNRGBA(x, y, c)
			}
		}
		said := colours[top] + " above " + colours[bottom]
		out[i] = task.Example{ID: fmt.Sprint(n, " ", i), Key: fmt.Sprint(n, " ", i), Group: said,
			Inputs:  map[string]task.Input{"image": task.Given("image", m), "text": task.Given("text", said)},
			Targets: map[string]any{"pair": said, "caption": said}}
	}
	return out
}

// hubPlan adds the folder and builds a recipe over it.
func hubPlan(t *testing.T, recipe string) (*wiring.Plan, *frozen.Modules) {
	t.Helper()
	l := &library.Library{Dir: t.TempDir()}
	if _, _, err := l.Add(context.Background(), []string{clipFolder(t, append([]string{"above"}, colours...))}, library.PullOptions{License: "MIT"}); err != nil {
		t.Fatal(err)
	}
	r, err := wiring.ParseRecipe("recipe.yaml", []byte(recipe))
	if err != nil {
		t.Fatal(err)
	}
	finder := library.Finder{Dir: l.Dir}
	info, err := frozen.Describe(r, finder)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: info, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, finder, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return p, m
}

// TestTowersFromAHub: a folder of CLIP's shape and a recipe of ten lines make
// a plan in which pictures find their sentences. The towers' weights are
// random, so what is found was learned.
func TestTowersFromAHub(t *testing.T) {
	ctx := context.Background()
	p, m := hubPlan(t, pairRecipe)
	o := eval.OwnOptions{Options: eval.Default(), Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Answer: answer.Greedy(), Fresh: true}
	o.Learn.Epochs, o.Learn.Noise, o.Learn.Rate, o.Learn.DropSense, o.Prepare.Views = 12, 0.1, 1e-2, 0, 1
	rows, err := eval.Own(ctx, p, m, []eval.Part{{Train: flags(288), Test: flags(36)}}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Logf("%s %v", r.Condition, r.Metrics)
		if r.Condition == "plan" && r.Metrics["r@1"] < 0.3 {
			t.Errorf("the right sentence is first for %.3f of 36, want 0.3 or more (chance 0.03)", r.Metrics["r@1"])
		}
	}
}

// TestCaptionsFromAHub: the same towers in a plan that speaks.
func TestCaptionsFromAHub(t *testing.T) {
	ctx := context.Background()
	p, m := hubPlan(t, captionRecipe)
	prep := prepare.Default()
	prep.Views = 1
	data, _, err := prepare.Prepare(ctx, p, m, flags(288), nil, prep)
	if err != nil {
		t.Fatal(err)
	}
	o := learn.Default()
	o.Epochs, o.Noise, o.Rate = 12, 0.1, 1e-2
	res, err := learn.Fit(ctx, p, data, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := answer.New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var encoded []*answer.Encoded
	asked := flags(36)
	for _, e := range asked {
		picture, err := e.Inputs["image"].Read()
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Encode(ctx, answer.Inputs{"image": picture})
		if err != nil {
			t.Fatal(err)
		}
		encoded = append(encoded, in)
	}
	got, err := s.Answer(ctx, encoded, answer.Greedy())
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, e := range asked {
		if got[i].By["caption"].Text == e.Targets["caption"] {
			right++
		}
	}
	t.Logf("loss %.2f, %d of 36 sentences right, the first %q", res.Train.Total, right, got[0].By["caption"].Text)
	if right < 24 {
		t.Errorf("%d of 36 sentences are right, want 24 or more (chance 1)", right)
	}
}
