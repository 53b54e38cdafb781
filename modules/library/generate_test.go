package library_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
)

const tinyConfig = `{"architectures": ["GPT2LMHeadModel"], "n_positions": 40, "bos_token_id": 18, "eos_token_id": 18}`

// describe puts models and configuration into the library.
func describe(t *testing.T, files map[string]*moduletest.Model, order []string, configs map[string]string) library.Entry {
	t.Helper()
	from := t.TempDir()
	var paths []string
	for _, name := range order {
		paths = append(paths, write(t, from, name, files[name].Bytes()))
	}
	for name, content := range configs {
		write(t, from, name, []byte(content))
	}
	l := &library.Library{Dir: t.TempDir()}
	e, notes, err := l.Add(context.Background(), paths, library.PullOptions{License: "MIT"})
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) > 0 {
		t.Logf("notes %q", notes)
	}
	return e
}

// TestGenerateWithEveryCache: a decoder says the same whether it sees the
// whole text at each step, or keeps a cache in any of the ways that
// exporters write it, on both engines.
func TestGenerateWithEveryCache(t *testing.T) {
	kinds := map[string]decoderKind{
		"whole text":                   {},
		"whole text and mask":          {mask: true},
		"cache":                        {cache: true},
		"cache and mask":               {cache: true, mask: true},
		"cache, mask and positions":    {cache: true, mask: true, positions: true},
		"merged":                       {cache: true, branch: true},
		"merged, mask and positions":   {cache: true, branch: true, mask: true, positions: true},
		"merged, with decoder's names": {cache: true, branch: true, mask: true, names: "decoder_"},
	}
	kinds["vectors"] = decoderKind{embeds: true}
	kinds["vectors, cache, mask and positions"] = decoderKind{embeds: true, cache: true, mask: true, positions: true}
	configs := map[string]string{"config.json": tinyConfig, "tokenizer.json": tinyWords()}
	ctx := context.Background()
	want := map[string][]int64{}
	prompts := []string{"w1 w2 w3", "w4", "w9 w0 w9 w0 w7"}
	for _, name := range append([]string{"whole text"}, slices.Sorted(mapKeys(kinds))...) {
		e := describeDecoder(t, kinds[name], configs)
		t.Run(name, func(t *testing.T) {
			onEngines(t, e.Dir, func(t *testing.T, m *modules.Module) {
				for _, prompt := range prompts {
					g, err := m.Generate(ctx, map[string]modules.Input{"input_ids": modules.Text(prompt)}, 12)
					if err != nil {
						t.Fatal(err)
					}
					if want[prompt] == nil {
						want[prompt] = g.Tokens
					}
					if !slices.Equal(g.Tokens, want[prompt]) {
						t.Errorf("%q goes on with %v, want %v", prompt, g.Tokens, want[prompt])
					}
					var words []string
					for _, id := range g.Tokens {
						words = append(words, fmt.Sprintf("w%d", id))
					}
					if g.Text != strings.Join(words, " ") || g.Score >= 0 || math.IsNaN(g.Score) {
						t.Errorf("text %q, score %g", g.Text, g.Score)
					}
				}
				if _, err := m.Generate(ctx, map[string]modules.Input{"input_ids": modules.Text(strings.Repeat("w1 ", 40))}, 4); !errors.Is(err, modules.ErrInput) || !strings.Contains(err.Error(), "40 tokens") {
					t.Errorf("a prompt that is too long gave %v", err)
				}
				if g, err := m.Generate(ctx, map[string]modules.Input{"input_ids": modules.Text(strings.Repeat("w1 ", 38))}, 100); err != nil || len(g.Tokens) > 2 {
					t.Errorf("a long prompt gave %+v, %v", g, err)
				}
				if _, err := m.Generate(ctx, nil, 4); err != nil {
					t.Errorf("without a prompt: %v", err)
				}
				cancelled, cancel := context.WithCancel(ctx)
				cancel()
				if _, err := m.Generate(cancelled, map[string]modules.Input{"input_ids": modules.Text("w1")}, 4); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
				if _, err := library.Try(ctx, m); err != nil {
					t.Errorf("Try: %v", err)
				}
			})
		})
	}
	seen := map[string]bool{}
	for _, tokens := range want {
		seen[fmt.Sprint(tokens)] = true
	}
	if len(seen) != len(prompts) {
		t.Errorf("the prompts make no difference: %v", want)
	}
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestGenerateStops: an end token stops, suppressed ones are never chosen.
func TestGenerateStops(t *testing.T) {
	model := map[string]*moduletest.Model{"decoder_model.onnx": tinyDecoder(decoderKind{cache: true, mask: true})}
	order := []string{"decoder_model.onnx"}
	generate := func(config string) *modules.Generation {
		e := describe(t, model, order, map[string]string{"tokenizer.json": tinyWords(), "config.json": tinyConfig, "generation_config.json": config})
		var got *modules.Generation
		onEngines(t, e.Dir, func(t *testing.T, m *modules.Module) {
			g, err := m.Generate(context.Background(), map[string]modules.Input{"input_ids": modules.Text("w1 w2 w3")}, 6)
			if err != nil {
				t.Fatal(err)
			}
			got = g
		})
		return got
	}
	free := generate(`{}`)
	if !free.Cut || len(free.Tokens) != 6 {
		t.Fatalf("%+v", free)
	}
	last := slices.Index(free.Tokens, free.Tokens[3])
	if g := generate(fmt.Sprintf(`{"eos_token_id": [17, %d]}`, free.Tokens[3])); g.Cut || !slices.Equal(g.Tokens, free.Tokens[:last]) {
		t.Errorf("with %d as the end: %+v, without: %+v", free.Tokens[3], g, free)
	}
	if g := generate(fmt.Sprintf(`{"suppress_tokens": [%d]}`, free.Tokens[0])); slices.Contains(g.Tokens, free.Tokens[0]) {
		t.Errorf("token %d was suppressed: %+v", free.Tokens[0], g)
	}
	if g := generate(fmt.Sprintf(`{"begin_suppress_tokens": [%d]}`, free.Tokens[0])); g.Tokens[0] == free.Tokens[0] {
		t.Errorf("token %d was suppressed at the beginning: %+v", free.Tokens[0], g)
	}
}

// TestGenerateFromEncoder: what an encoder gives is computed once and used
// in each step; the merged decoder, which forgets the encoder's keys, says
// the same as one that sees the whole text.
func TestGenerateFromEncoder(t *testing.T) {
	configs := map[string]string{
		"tokenizer.json":           tinyWords(),
		"config.json":              `{"model_type": "vision-encoder-decoder", "is_encoder_decoder": true, "decoder_start_token_id": 3, "eos_token_id": 18, "decoder": {"n_positions": 40}}`,
		"preprocessor_config.json": `{"do_resize": true, "size": {"height": 16, "width": 16}, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}`,
	}
	order := []string{"encoder_model.onnx", "decoder_model.onnx"}
	captions := map[string][]int64{}
	for _, kind := range []decoderKind{{cross: true}, {cross: true, cache: true, branch: true, names: "decoder_"}} {
		e := describe(t, map[string]*moduletest.Model{"encoder_model.onnx": tinyEncoder("pixel_values"), "decoder_model.onnx": tinyDecoder(kind)}, order, configs)
		if kind.cache {
			keep := 0
			for _, s := range e.Manifest.States {
				if s.Keep == "first" {
					keep++
				}
			}
			if len(e.Manifest.States) != 4 || keep != 2 || len(e.Manifest.Links) != 1 {
				t.Errorf("states %+v, links %+v", e.Manifest.States, e.Manifest.Links)
			}
		}
		onEngines(t, e.Dir, func(t *testing.T, m *modules.Module) {
			for name, c := range map[string]color.Color{"red": color.NRGBA{255, 0, 0, 255}, "blue": color.NRGBA{0, 0, 255, 255}} {
				g, err := m.Generate(context.Background(), map[string]modules.Input{"pixel_values": filled(c)}, 10)
				if err != nil {
					t.Fatal(err)
				}
				if captions[name] == nil {
					captions[name] = g.Tokens
				}
				if len(g.Tokens) < 2 || !slices.Equal(g.Tokens, captions[name]) {
					t.Errorf("%s is %v, want %v", name, g.Tokens, captions[name])
				}
			}
			if _, err := m.Generate(context.Background(), nil, 10); err == nil || !strings.Contains(err.Error(), `"pixel_values" (image) is missing`) {
				t.Errorf("without a picture: %v", err)
			}
		})
	}
	if slices.Equal(captions["red"], captions["blue"]) {
		t.Errorf("the picture makes no difference: %v", captions)
	}
}

func filled(c color.Color) modules.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 20, 20))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return modules.Image{Image: img}
}
