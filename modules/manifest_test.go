package modules

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// visionManifest is a module of two parts with every kind of preprocessing.
const visionManifest = `format: 1
name: vision
modality: vision
license: Apache-2.0
source: made by this project
card: card.md
files:
  card.md: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  image.onnx: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  text.onnx: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
  words.txt: dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
parts:
  - name: image
    file: image.onnx
    taps: [stage3]
  - name: text
    file: text.onnx
inputs:
  - name: image
    kind: image
    part: image
    tensor: pixels
    shape: [batch, 3, 64, 64]
    image:
      size: [64, 64]
      filter: bicubic
      mean: [0.5, 0.5, 0.5]
      std: [0.25, 0.25, 0.25]
  - name: words
    kind: text
    part: text
    shape: [batch, words]
    text: {vocabulary: words.txt, lower: true, unknown: <unk>}
outputs:
  - name: embedding
    kind: embedding
    part: image
    shape: [batch, 256]
    normalize: true
  - name: grid
    kind: grid
    part: image
    shape: [batch, 256, 4, 4]
    layout: nchw
  - name: text
    kind: embedding
    part: text
    shape: [batch, 256]
`

func TestReadManifest(t *testing.T) {
	m, err := ReadManifest(strings.NewReader(visionManifest), "module.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Input("words").DType(); got != Int64 {
		t.Errorf("a text port without a type is %s, want int64", got)
	}
	grid := m.Output("grid")
	if grid.Width() != 256 || grid.Cells() != 16 {
		t.Errorf("the grid has %d cells of width %d, want 16 of 256", grid.Cells(), grid.Width())
	}
	if want := []Dim{OpenDim("batch"), FixedDim(3), FixedDim(64), FixedDim(64)}; !reflect.DeepEqual(m.Input("image").Shape, want) {
		t.Errorf("shape %v, want %v", m.Input("image").Shape, want)
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m, err := ReadManifest(strings.NewReader(visionManifest), "module.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := ReadManifest(bytes.NewReader(b.Bytes()), "written.yaml")
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if !reflect.DeepEqual(m, again) {
		t.Errorf("the manifest changed:\n%s", b.String())
	}
}

func TestManifestErrorsAreLocated(t *testing.T) {
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "modality: vision", "modalty: vision", `module.yaml:3:1: unknown key "modalty"; did you mean "modality"?`},
		{"unknown nested key", "      filter: bicubic", "      filtre: bicubic", `module.yaml:26:7: unknown key "filtre"; did you mean "filter"?`},
		{"format", "format: 1", "format: 9", `module.yaml:1:1: format: format 9 is not known`},
		{"kind", "    kind: grid", "    kind: gird", `module.yaml:41:5: outputs[1].kind: "gird" is no kind of port; did you mean "grid"?`},
		{"filter", "bicubic", "cubic", `module.yaml:26:7: inputs[0].image.filter: "cubic" is none of nearest, bilinear`},
		{"hash", "image.onnx: bbbb", "image.onnx: bxbb", `module.yaml:9:3: files.image.onnx: "bxbb`},
		{"unlisted file", "file: text.onnx", "file: test.onnx", `module.yaml:17:5: parts[1].file: file "test.onnx" is not listed under files; did you mean "text.onnx"?`},
		{"traversal", "  card.md: a", "  ../card.md: a", `module.yaml:8:3: files.../card.md: "../card.md" is not a plain path`},
		{"type", "    kind: text\n", "    kind: text\n    type: flot32\n", `unknown element type "flot32"; did you mean "float32"?`},
		{"dimension", "[batch, 256, 4, 4]", "[batch, 256, -4, 4]", `module.yaml:43:25: outputs[1].shape[2]: dimension "-4" is neither`},
		{"wrong type", "format: 1", "format: [1]", `module.yaml:1:9: `},
		{"duplicate", "modality: vision", "name: vision", `module.yaml:3:1: `},
		{"alias", "license: Apache-2.0", "license: &a Apache-2.0", `anchors and aliases are not used`},
		{"bare tag", "outputs:\n", "outputs:\n  ! n\nextra:\n", `module.yaml:35:3: tags such as "!" are not used`},
		{"no preprocessing", "    text: {vocabulary: words.txt, lower: true, unknown: <unk>}\n", "", `module.yaml:30:5: inputs[1].kind: port "words" is of kind text: say under text: how it is prepared`},
		{"no part", "    kind: grid\n    part: image\n", "    kind: grid\n", `say which one has port "grid"`},
		{"syntax", "files:", "files: [", "module.yaml:"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(visionManifest, c.old) {
				t.Fatalf("the manifest has no %q", c.old)
			}
			_, err := ReadManifest(strings.NewReader(strings.Replace(visionManifest, c.old, c.new, 1)), "module.yaml")
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			var located *ManifestError
			if !errors.As(err, &located) || located.Line == 0 {
				t.Errorf("the error has no line: %v", err)
			}
		})
	}
	if _, err := ReadManifest(strings.NewReader(""), "module.yaml"); err == nil {
		t.Error("an empty manifest was accepted")
	}
}

// decoderManifest is a module that makes text with a cache.
const decoderManifest = `format: 1
name: decoder
modality: language
license: MIT
files: {d.onnx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
parts:
  - name: model
    file: d.onnx
    constants:
      attention_mask: {type: int64, like: ids, make: mask, past: past}
      use_cache_branch: {type: bool, shape: [1], make: cached, past: past}
inputs:
  - {name: ids, kind: tokens, shape: [batch, tokens]}
  - {name: keys, kind: state, shape: [batch, 2, past, 4]}
outputs:
  - {name: logits, kind: logits, shape: [batch, tokens, 9]}
  - {name: present, kind: state, shape: [batch, 2, total, 4]}
states:
  - {input: keys, output: present, empty: past, keep: first}
generate: {tokens: ids, logits: logits, start: [1], end: [2, 3], max: 20, suppress: [4], suppress_first: [5]}
`

// TestDecoderMistakes: what a manifest says wrongly of a decoder is located.
func TestDecoderMistakes(t *testing.T) {
	if _, err := ReadManifest(strings.NewReader(decoderManifest), "module.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"make: mask", "make: masks", `parts[0].constants.attention_mask: make: "masks" is none of mask, positions, cached; did you mean "mask"?`},
		{"like: ids, make: mask", "make: mask", "say which (like: input_ids)"},
		{"shape: [1], make: cached, past: past", "shape: [1], make: cached", "told by a dimension"},
		{"make: mask, past: past", "past: past", "past belongs to make"},
		{"make: mask, past: past", "make: mask, value: 3", "so it has no value"},
		{"empty: past", "empty: pst", `module.yaml:19:36: states[0].empty: port "keys" of shape [batch 2 past 4] has no dimension "pst"`},
		{"keep: first", "keep: last", `states[0].keep: "last" is not known`},
		{"tokens: ids", "tokens: keys", `module.yaml:20:12: generate.tokens: "keys" is not an input port of kind text or tokens`},
		{"logits: logits", "logits: present", `generate.logits: "present" is not an output port of kind logits`},
		{"max: 20", "max: -1", "generate.max: -1 is not between"},
		{"start: [1], end: [2, 3], ", "", "after which token it stops"},
	} {
		if !strings.Contains(decoderManifest, c.old) {
			t.Fatalf("the manifest has no %q", c.old)
		}
		_, err := ReadManifest(strings.NewReader(strings.Replace(decoderManifest, c.old, c.new, 1)), "module.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.new, err, c.want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(visionManifest)
	f.Add("format: 1\nname: [")
	ocr, err := os.ReadFile("library/catalog/ocr.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(ocr))
	f.Add(decoderManifest)
	f.Add("format: 1\nname: a\nmodality: language\nlicense: MIT\nparts:\n  ! n\n")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ReadManifest(strings.NewReader(s), "module.yaml")
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatalf("a manifest that was read cannot be written: %v", err)
		}
		if _, err := ReadManifest(&b, "again.yaml"); err != nil {
			t.Fatalf("a manifest that was written cannot be read: %v", err)
		}
	})
}

// TestDocumentedManifest reads the example of docs/modules.md.
func TestDocumentedManifest(t *testing.T) {
	doc, err := os.ReadFile("../docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	const start = "format: 1\n" // recipes are of format 2
	_, rest, found := strings.Cut(string(doc), "```yaml\n"+start)
	example, _, closed := strings.Cut(start+rest, "```")
	if !found || !closed {
		t.Fatal("the documentation has no manifest")
	}
	m, err := ReadManifest(strings.NewReader(example), "docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	if grid := m.Output("grid"); grid.Cells() != 49 || grid.Width() != 512 {
		t.Errorf("the grid has %d cells of width %d", grid.Cells(), grid.Width())
	}
}

// TestManifestNesting: a file of brackets is refused at once.
func TestManifestNesting(t *testing.T) {
	for _, s := range []string{strings.Repeat("[", 15000), strings.Repeat("- ", 15000), strings.Repeat("a: {", 10000)} {
		start := time.Now()
		if _, err := ReadManifest(strings.NewReader(s), "module.yaml"); err == nil {
			t.Error("a file of brackets was accepted")
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("refusing %q… took %v", s[:8], d)
		}
	}
}
