package library_test

import (
	"context"
	"image/color"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
)

// TestAddFolder adds folders as hubs ship them: configuration at the root,
// models in onnx/, the licence at the card's head.
func TestAddFolder(t *testing.T) {
	const card = "---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\nlicense: other\n"
	for name, c := range map[string]struct {
		files   map[string][]byte
		parts   []string
		license string
		run     map[string]modules.Input
		gives   string
	}{
		"clip": {map[string][]byte{
			"onnx/vision_model.onnx": tower("pixel_values", "image_embeds").Bytes(), "onnx/text_model.onnx": tower("input_ids", "text_embeds").Bytes(),
			"onnx/model.onnx": classifier().Bytes(), "onnx/text_model_quantized.onnx": classifier().Bytes(),
			"preprocessor_config.json": []byte(clipPreprocessor), "tokenizer.json": []byte(tinyTokenizer), "README.md": []byte(card),
		}, []string{"vision_model.onnx", "text_model.onnx"}, "apache-2.0", map[string]modules.Input{"input_ids": modules.Text("a red hat")}, "text_embeds"},
		"minilm": {map[string][]byte{"model.onnx": minilm().Bytes(), "tokenizer.json": []byte(tinyTokenizer)},
			[]string{"model.onnx"}, "unknown", map[string]modules.Input{"input_ids": modules.Text("red hat")}, "embedding"},
		"vit": {map[string][]byte{"onnx/model.onnx": classifier().Bytes(), "onnx/model_fp16.onnx": classifier().Bytes(), "config.json": []byte(classifierConfig),
			"preprocessor_config.json": []byte(vitPreprocessor), "README.md": []byte("# No head\nlicense: x\n")},
			[]string{"model.onnx"}, "unknown", map[string]modules.Input{"pixel_values": filled(color.NRGBA{255, 0, 0, 255})}, "logits"},
	} {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(t.TempDir(), "tiny-"+name)
			for file, data := range c.files {
				write(t, from, file, data)
			}
			l := &library.Library{Dir: t.TempDir()}
			e, _, err := l.Add(context.Background(), []string{from}, library.PullOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if e.Name != "tiny-"+name || e.Manifest.License != c.license {
				t.Errorf("module %q under %q, want tiny-%s under %q", e.Name, e.Manifest.License, name, c.license)
			}
			var parts []string
			for _, p := range e.Manifest.Parts {
				parts = append(parts, p.File)
			}
			if strings.Join(parts, " ") != strings.Join(c.parts, " ") {
				t.Errorf("parts %v, want %v", parts, c.parts)
			}
			m, err := e.Open(goengine.New(), modules.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, err := m.Encode(context.Background(), c.run, c.gives); err != nil {
				t.Error(err)
			}
		})
	}
	l := &library.Library{Dir: t.TempDir()}
	empty, two := t.TempDir(), t.TempDir()
	write(t, two, "a.onnx", classifier().Bytes())
	write(t, two, "b.onnx", classifier().Bytes())
	for dir, want := range map[string]string{empty: "holds no ONNX file", two: "holds several models (a.onnx, b.onnx)"} {
		if _, _, err := l.Add(context.Background(), []string{dir}, library.PullOptions{Name: "x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, e := range mustList(t, l) {
		if e.Name == "x" {
			t.Error("a folder that was refused is in the library")
		}
	}
}
