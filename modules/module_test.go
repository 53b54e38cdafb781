package modules_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// fakeEngine runs the models of the tests by hand, so that modules can be
// tested without any engine: "head" doubles x, "body" adds state and token.
type fakeEngine struct{}

func (fakeEngine) Name() string { return "fake" }

func (fakeEngine) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	return &fakeSession{name: string(model)}, nil
}

type fakeSession struct{ name string }

func info(name string, d modules.DType, shape ...int) modules.TensorInfo {
	return modules.TensorInfo{Name: name, DType: d, Shape: shape, Symbols: make([]string, len(shape))}
}

func (s *fakeSession) Inputs() []modules.TensorInfo {
	switch s.name {
	case "picture":
		return []modules.TensorInfo{info("pixels", modules.Float32, -1, 3, 4, 4)}
	case "body":
		return []modules.TensorInfo{info("token", modules.Int64, -1), info("state", modules.Float32, -1, 2)}
	}
	return []modules.TensorInfo{info("x", modules.Float32, -1, 2), info("gain", modules.Float32)}
}

func (s *fakeSession) Outputs() []modules.TensorInfo {
	switch s.name {
	case "picture":
		return []modules.TensorInfo{info("embedding", modules.Float32, -1, 3), info("map", modules.Float32, -1, 3, 2, 2)}
	case "body":
		return []modules.TensorInfo{info("hidden", modules.Float32, -1, 2), info("next", modules.Float32, -1, 2)}
	}
	return []modules.TensorInfo{info("y", modules.Float32, -1, 2)}
}

func (s *fakeSession) Run(_ context.Context, in map[string]*modules.Tensor, outputs []string) (map[string]*modules.Tensor, error) {
	if err := modules.CheckInputs(s.Inputs(), in); err != nil {
		return nil, err
	}
	all := map[string]*modules.Tensor{}
	switch s.name {
	case "picture":
		x := in["pixels"]
		b := x.Shape[0]
		mean := make([]float32, 3*b)
		for i, v := range x.F32 {
			mean[i/16] += v / 16
		}
		cells := make([]float32, 12*b)
		for i := range cells {
			cells[i] = float32(i)
		}
		all["embedding"], all["map"] = modules.Floats(mean, b, 3), modules.Floats(cells, b, 3, 2, 2)
	case "body":
		h := make([]float32, len(in["state"].F32))
		for i, v := range in["state"].F32 {
			h[i] = v + float32(in["token"].I64[i/2])
		}
		all["hidden"], all["next"] = modules.Floats(h, len(h)/2, 2), modules.Floats(append([]float32(nil), h...), len(h)/2, 2)
	default:
		y := make([]float32, len(in["x"].F32))
		for i, v := range in["x"].F32 {
			y[i] = v * in["gain"].F32[0]
		}
		all["y"] = modules.Floats(y, in["x"].Shape...)
	}
	out := map[string]*modules.Tensor{}
	for _, name := range outputs {
		out[name] = all[name]
	}
	return out, nil
}

func (s *fakeSession) Close() error       { return nil }
func (s *fakeSession) EngineName() string { return "fake" }

// dir makes a module's directory of files and a manifest whose SHA-256 sums
// are filled in.
func dir(manifest string, files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	var list strings.Builder
	for _, name := range sortedNames(files) {
		sum := sha256.Sum256([]byte(files[name]))
		list.WriteString("  " + name + ": " + hex.EncodeToString(sum[:]) + "\n")
		out[name] = &fstest.MapFile{Data: []byte(files[name])}
	}
	out[modules.ManifestName] = &fstest.MapFile{Data: []byte(strings.Replace(manifest, "FILES\n", list.String(), 1))}
	return out
}

func sortedNames(m map[string]string) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	for i := range names {
		for j := i; j > 0 && names[j] < names[j-1]; j-- {
			names[j], names[j-1] = names[j-1], names[j]
		}
	}
	return names
}

const pictureManifest = `format: 1
name: picture
modality: vision
license: Apache-2.0
files:
FILES
parts:
  - {name: only, file: model.onnx}
inputs:
  - name: image
    kind: image
    tensor: pixels
    shape: [batch, 3, 4, 4]
    image: {size: [4, 4]}
outputs:
  - {name: embedding, kind: embedding, shape: [batch, 3], normalize: true}
  - {name: grid, kind: grid, tensor: map, shape: [batch, 3, 2, 2], layout: nchw}
  - {name: pooled, kind: embedding, tensor: map, shape: [batch, 3, 2, 2], layout: nchw, pooling: mean}
  - {name: kinds, kind: logits, tensor: embedding, shape: [batch, 3], softmax: true, labels: labels.txt}
`

var pictureFiles = map[string]string{"model.onnx": "picture", "labels.txt": "red\ngreen\nblue\n"}

func open(t *testing.T, d fs.FS) *modules.Module {
	t.Helper()
	m, err := modules.Open(d, "test", fakeEngine{}, modules.Options{Concurrent: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func uniform(c color.Color) modules.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 7, 9))
	for y := range 9 {
		for x := range 7 {
			img.Set(x, y, c)
		}
	}
	return modules.Image{Image: img}
}

func near(t *testing.T, got *modules.Tensor, shape []int, want ...float32) {
	t.Helper()
	if got == nil {
		t.Fatal("no output")
	}
	if len(got.Shape) != len(shape) {
		t.Fatalf("shape %v, want %v", got.Shape, shape)
	}
	for i := range shape {
		if got.Shape[i] != shape[i] {
			t.Fatalf("shape %v, want %v", got.Shape, shape)
		}
	}
	for i := range want {
		if math.Abs(float64(got.F32[i]-want[i])) > 1e-5 {
			t.Fatalf("got %v, want %v", got.F32, want)
		}
	}
}

func TestEncodePicture(t *testing.T) {
	m := open(t, dir(pictureManifest, pictureFiles))
	out, err := m.Encode(context.Background(), map[string]modules.Input{"image": uniform(color.NRGBA{255, 0, 0, 255})})
	if err != nil {
		t.Fatal(err)
	}
	near(t, out["embedding"], []int{1, 3}, 1, 0, 0)
	near(t, out["grid"], []int{1, 4, 3}, 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11)
	near(t, out["pooled"], []int{1, 3}, 1.5, 5.5, 9.5)
	e := float32(math.E)
	near(t, out["kinds"], []int{1, 3}, e/(e+2), 1/(e+2), 1/(e+2))
	if l := m.Labels("kinds"); len(l) != 3 || l[2] != "blue" {
		t.Errorf("labels %q", l)
	}
	if m.Engine() != "fake" {
		t.Errorf("engine %q", m.Engine())
	}
	red, err := m.Prepare("image", uniform(color.NRGBA{255, 0, 0, 255}))
	if err != nil {
		t.Fatal(err)
	}
	blue, err := m.Prepare("image", uniform(color.NRGBA{0, 0, 255, 255}))
	if err != nil {
		t.Fatal(err)
	}
	both, err := modules.Stack(red, blue)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := m.Run(context.Background(), map[string]*modules.Tensor{"image": both}, "embedding")
	if err != nil {
		t.Fatal(err)
	}
	near(t, batch["embedding"], []int{2, 3}, 1, 0, 0, 0, 0, 1)
}

func TestWrongInputsAreNamed(t *testing.T) {
	m := open(t, dir(pictureManifest, pictureFiles))
	ctx := context.Background()
	for says, in := range map[string]map[string]modules.Input{
		`did you mean "image"`:          {"imag": modules.Text("x")},
		"of kind image and was given":   {"image": modules.Text("x")},
		`input port "image" (image) is`: {},
		"there is no picture":           {"image": modules.Image{}},
	} {
		if _, err := m.Encode(ctx, in); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	if _, err := m.Run(ctx, map[string]*modules.Tensor{"image": modules.Floats(nil, 0, 3, 4, 4)}, "embeding"); err == nil || !strings.Contains(err.Error(), `"embedding"`) {
		t.Errorf("got %v", err)
	}
}

func TestOpenChecks(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(pictureManifest, old, new, 1) }
	changed := dir(pictureManifest, pictureFiles)
	changed["model.onnx"] = &fstest.MapFile{Data: []byte("pictures")}
	missing := dir(pictureManifest, pictureFiles)
	delete(missing, "labels.txt")
	for says, d := range map[string]fstest.MapFS{
		"model.onnx was changed":                 changed,
		"labels.txt":                             missing,
		`manifest, but float32 [?, 3, 2, 2]`:     dir(change("tensor: map, shape: [batch, 3, 2, 2]", "tensor: map, shape: [batch, 5, 2, 2]"), pictureFiles),
		`did you mean "pixels"`:                  dir(change("tensor: pixels", "tensor: pixel"), pictureFiles),
		`is int32 in the manifest, but float32`:  dir(change("kind: embedding, shape", "kind: embedding, type: int32, shape"), pictureFiles),
		"has no module.yaml":                     {},
		`test/module.yaml:2:1: name: "Picture" `: dir(change("name: picture", "name: Picture"), pictureFiles),
	} {
		if m, err := modules.Open(d, "test", fakeEngine{}, modules.Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
			if m != nil {
				m.Close()
			}
		}
	}
}

const languageManifest = `format: 1
name: language
modality: language
license: Apache-2.0
files:
FILES
parts:
  - {name: body, file: body.onnx}
  - name: head
    file: head.onnx
    constants:
      gain: {type: float32, value: 10}
inputs:
  - {name: token, kind: tokens, part: body, shape: [batch]}
  - {name: state, kind: state, part: body, shape: [batch, 2]}
  - {name: head_hidden, kind: embedding, part: head, tensor: x, shape: [batch, 2]}
outputs:
  - {name: hidden, kind: embedding, part: body, shape: [batch, 2]}
  - {name: next_state, kind: state, part: body, tensor: next, shape: [batch, 2]}
  - {name: logits, kind: logits, part: head, tensor: y, shape: [batch, 2]}
states:
  - {input: state, output: next_state}
`

var languageFiles = map[string]string{"body.onnx": "body", "head.onnx": "head"}

// TestStream: the state is carried from step to step, and starts at zero
// for as many rows as there are tokens.
func TestStream(t *testing.T) {
	m := open(t, dir(languageManifest, languageFiles))
	s := m.Stream()
	ctx := context.Background()
	for _, want := range []float32{3, 6, 9} {
		out, err := s.Step(ctx, map[string]*modules.Tensor{"token": modules.Ints([]int64{3, 1}, 2)}, "hidden")
		if err != nil {
			t.Fatal(err)
		}
		near(t, out["hidden"], []int{2, 2}, want, want, want/3, want/3)
		if len(out) != 1 {
			t.Errorf("%d outputs, one was asked for", len(out))
		}
	}
	s.Reset()
	out, err := s.Step(ctx, map[string]*modules.Tensor{"token": modules.Ints([]int64{5}, 1)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, out["hidden"], []int{1, 2}, 5, 5)
	head, err := m.Run(ctx, map[string]*modules.Tensor{"head_hidden": out["hidden"]})
	if err != nil {
		t.Fatal(err)
	}
	near(t, head["logits"], []int{1, 2}, 50, 50)
}

const chainManifest = `format: 1
name: chain
modality: other
license: Apache-2.0
files:
FILES
parts:
  - {name: a, file: a.onnx, constants: {gain: {type: float32, value: 2}}}
  - {name: b, file: b.onnx, constants: {gain: {type: float32, value: 1}}}
links:
  - {from: a.y, to: b.x, scale: 0.5, offset: 1, width: 1, window: 2, hop: 1, shape: [2]}
inputs:
  - {name: x, kind: tensor, part: a, shape: [batch, 2]}
outputs:
  - {name: y, kind: tensor, part: b, shape: [windows, 2]}
`

// TestLinks: the chain cuts windows of two rows, one row apart.
func TestLinks(t *testing.T) {
	m := open(t, dir(chainManifest, map[string]string{"a.onnx": "head", "b.onnx": "head"}))
	out, err := m.Run(context.Background(), map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 2, 3, 4}, 2, 2)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, out["y"], []int{3, 2}, 2, 3, 3, 4, 4, 5)
	unfed := strings.Replace(chainManifest, "constants: {gain: {type: float32, value: 2}}", "constants: {}", 1)
	if _, err := modules.Open(dir(unfed, map[string]string{"a.onnx": "head", "b.onnx": "head"}), "chain", fakeEngine{}, modules.Options{}); err == nil || !strings.Contains(err.Error(), `input "gain"`) {
		t.Errorf("an input that nothing feeds gave %v", err)
	}
}

func TestConformanceModelsAreStable(t *testing.T) {
	if a, b := moduletest.Affine().Bytes(), moduletest.Affine().Bytes(); !bytes.Equal(a, b) {
		t.Error("a test model is serialized differently each time")
	}
}
