package library_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// A reader of lines in small: what is dark is text, what is red stands on
// its head, and reading is the mean colour of every column.
const readerManifest = `format: 1
name: reader
modality: vision
license: MIT
files:
  detect.onnx: DETECT
  direct.onnx: DIRECT
  read.onnx: READ
parts:
  - {name: detect, file: detect.onnx}
  - {name: direct, file: direct.onnx}
  - {name: read, file: read.onnx}
links:
  - {from: detect.map, to: direct.x, cut: lines, image: {size: [4, 8], fit: stretch}}
  - {from: detect.map, to: read.x, cut: lines, turn: direct.p, image: {size: [4, 0]}}
inputs:
  - {name: page, kind: image, part: detect, tensor: x, shape: [batch, 3, height, width], image: {multiple: 16}}
outputs:
  - {name: columns, kind: tensor, part: read, tensor: y, shape: [batch, steps, 3]}
  - {name: lines, kind: tensor, part: detect, tensor: map, shape: [batch, 1, height, width], boxes: {image: page, unclip: 1e-9, min_side: 2}}
`

func readerParts() (detect, direct, read *moduletest.Model) {
	picture := value("x", modules.Float32, "batch", 3, "height", "width")
	axes := func(name string, v ...int64) moduletest.Initializer {
		return moduletest.Initializer{Name: name, Tensor: modules.Ints(v, len(v))}
	}
	detect = &moduletest.Model{
		Opset: 18,
		Nodes: []moduletest.Node{
			{Op: "ReduceMin", Inputs: []string{"x", "channel"}, Outputs: []string{"light"}, Ints: map[string]int64{"keepdims": 1}},
			{Op: "Sub", Inputs: []string{"one", "light"}, Outputs: []string{"map"}},
		},
		Inputs: []moduletest.Value{picture}, Outputs: []moduletest.Value{value("map", modules.Float32, "batch", 1, "height", "width")},
		Initializers: []moduletest.Initializer{axes("channel", 1), {Name: "one", Tensor: modules.Floats([]float32{1})}},
	}
	direct = &moduletest.Model{
		Opset: 18,
		Nodes: []moduletest.Node{
			{Op: "ReduceMean", Inputs: []string{"x", "place"}, Outputs: []string{"colour"}, Ints: map[string]int64{"keepdims": 0}},
			{Op: "Gather", Inputs: []string{"colour", "greenred"}, Outputs: []string{"p"}, Ints: map[string]int64{"axis": 1}},
		},
		Inputs: []moduletest.Value{picture}, Outputs: []moduletest.Value{value("p", modules.Float32, "batch", 2)},
		Initializers: []moduletest.Initializer{axes("place", 2, 3), axes("greenred", 1, 0)},
	}
	read = &moduletest.Model{
		Opset: 18,
		Nodes: []moduletest.Node{
			{Op: "ReduceMean", Inputs: []string{"x", "rows"}, Outputs: []string{"mean"}, Ints: map[string]int64{"keepdims": 0}},
			{Op: "Transpose", Inputs: []string{"mean"}, Outputs: []string{"y"}, Lists: map[string][]int64{"perm": {0, 2, 1}}},
		},
		Inputs: []moduletest.Value{picture}, Outputs: []moduletest.Value{value("y", modules.Float32, "batch", "width", 3)},
		Initializers: []moduletest.Initializer{axes("rows", 2)},
	}
	return detect, direct, read
}

// onEngines opens the module in a directory on each engine that is there.
func onEngines(t *testing.T, dir string, test func(t *testing.T, m *modules.Module)) {
	t.Helper()
	for _, name := range []string{engine.NameGo, engine.NameONNXRuntime} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Open(name, engine.Options{})
			if errors.Is(err, modules.ErrNoLibrary) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			m, err := modules.OpenDir(dir, e, modules.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			test(t, m)
		})
	}
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestCutChain: detection, direction and reading chained by boxes.
func TestCutChain(t *testing.T) {
	dir := t.TempDir()
	detect, direct, read := readerParts()
	manifest := readerManifest
	for _, p := range []struct {
		mark, file string
		model      *moduletest.Model
	}{{"DETECT", "detect.onnx", detect}, {"DIRECT", "direct.onnx", direct}, {"READ", "read.onnx", read}} {
		b := p.model.Bytes()
		write(t, dir, p.file, b)
		manifest = strings.Replace(manifest, p.mark, hexSum(b), 1)
	}
	write(t, dir, "module.yaml", []byte(manifest))
	page := image.NewNRGBA(image.Rect(0, 0, 64, 48))
	draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
	fill := func(x0, y0, x1, y1 int, c color.NRGBA) {
		draw.Draw(page, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(8, 32, 56, 36, color.NRGBA{0, 0, 0, 255})    // the second line: black, 48 by 4
	fill(10, 8, 20, 12, color.NRGBA{255, 0, 0, 255})  // the first: red, then purple
	fill(20, 8, 30, 12, color.NRGBA{255, 0, 51, 255}) // stands on its head
	onEngines(t, dir, func(t *testing.T, m *modules.Module) {
		ctx := context.Background()
		out, err := m.Encode(ctx, map[string]modules.Input{"page": modules.Image{Image: page}})
		if err != nil {
			t.Fatal(err)
		}
		lines, columns := out["lines"], out["columns"]
		if len(lines.Shape) != 2 || lines.Shape[0] != 2 || lines.Shape[1] != 9 {
			t.Fatalf("lines %v", lines.Shape)
		}
		for i, want := range []float32{10, 8, 30, 8, 30, 12, 10, 12, 1, 8, 32, 56, 32, 56, 36, 8, 36, 1} {
			if math.Abs(float64(lines.F32[i]-want)) > 1e-4 {
				t.Errorf("lines %v", lines.F32)
				break
			}
		}
		if len(columns.Shape) != 3 || columns.Shape[0] != 2 || columns.Shape[1] != 48 || columns.Shape[2] != 3 {
			t.Fatalf("columns %v", columns.Shape)
		}
		at := func(line, column int) [3]float32 { return [3]float32(columns.F32[(line*48+column)*3:][:3]) }
		// Turned: purple comes first. What is beyond its 20 columns is zero.
		if got := at(0, 1); got != [3]float32{1, 0, 0.2} {
			t.Errorf("the first line begins with %v", got)
		}
		if got := at(0, 18); got != [3]float32{1, 0, 0} {
			t.Errorf("the first line ends with %v", got)
		}
		if got := at(0, 30); got != [3]float32{} {
			t.Errorf("the first line is filled up with %v", got)
		}
		blank := modules.Image{Image: image.NewGray(image.Rect(0, 0, 32, 32))}
		draw.Draw(blank.Image.(draw.Image), blank.Bounds(), image.White, image.Point{}, draw.Src)
		out, err = m.Encode(ctx, map[string]modules.Input{"page": blank})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := out["lines"].Shape, out["columns"].Shape; a[0] != 0 || b[0] != 0 || len(b) != 3 || b[2] != 3 {
			t.Errorf("a blank page has lines %v and columns %v", a, b)
		}
		tensor, err := m.Prepare("page", modules.Image{Image: page})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Run(ctx, map[string]*modules.Tensor{"page": tensor}, "columns"); !errors.Is(err, modules.ErrInput) || !strings.Contains(err.Error(), "Encode") {
			t.Errorf("a picture given as a tensor gave %v", err)
		}
		if out, err := m.Run(ctx, map[string]*modules.Tensor{"page": tensor}, "lines"); err != nil || out["lines"].Shape[0] != 2 {
			t.Errorf("boxes of a tensor: %v, %v", out, err)
		}
		two, err := modules.Stack(tensor, tensor)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Run(ctx, map[string]*modules.Tensor{"page": two}, "lines"); !errors.Is(err, modules.ErrInput) {
			t.Errorf("boxes of a batch gave %v", err)
		}
	})
}

// TestCutMistakes: what a manifest says wrongly of boxes is located.
func TestCutMistakes(t *testing.T) {
	sum := strings.Repeat("a", 64)
	manifest := strings.NewReplacer("DETECT", sum, "DIRECT", sum, "READ", sum).Replace(readerManifest)
	for _, c := range []struct{ old, new, want string }{
		{"cut: lines, image: {size: [4, 8]", "cut: columns, image: {size: [4, 8]", `:14:38: links[0].cut: "columns" is not an output port with boxes`},
		{"cut: lines, image: {size: [4, 8], fit: stretch}", "cut: lines", "links[0].cut: say under image"},
		{"cut: lines, image: {size: [4, 8], fit: stretch}", "image: {size: [4, 8]}", "links[0]: image and turn belong"},
		{"fit: stretch", "fit: strech", `links[0].image.fit: "strech" is none of crop, pad, stretch`},
		{"turn: direct.p", "turn: read.p", `links[1].turn: part "read" does not come before "read"`},
		{"turn: direct.p", "turn: dirct.p", `did you mean "direct"?`},
		{"image: page", "image: pages", `outputs[1].boxes.image: "pages" is not an input port of kind image`},
		{"from: detect.map, to: read.x", "from: detect.maps, to: read.x", "the boxes of port \"lines\" are found in detect.map"},
		{"unclip: 1e-9", "threshold: 2", "outputs[1].boxes.threshold: 2 is not a probability"},
		{"cut: lines, turn", "cut: lines, width: 3, window: 1, hop: 1, shape: [3], turn", "a link cuts either boxes or windows"},
		{"to: read.x, cut: lines, turn: direct.p", "to: direct.x, cut: lines", `part "direct" has another link of pieces`},
	} {
		if !strings.Contains(manifest, c.old) {
			t.Fatalf("the manifest has no %q", c.old)
		}
		_, err := modules.ReadManifest(bytes.NewReader([]byte(strings.Replace(manifest, c.old, c.new, 1))), "module.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
		}
	}
}
