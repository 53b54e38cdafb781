package graphs_test

import (
	"bytes"
	"fmt"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// inside draws a model in a format.
func inside(t *testing.T, m *onnxfile.Model, f graphs.Format) string {
	t.Helper()
	s, err := goengine.Infer(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := graphs.FromModel("a model", "for a test", m, s.Values, s.Constant).Render(&b, f, graphs.RenderOptions{Scale: 1}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestInsideCollapses: five equal residual parts are one frame, and an
// activation is drawn in its product's box.
func TestInsideCollapses(t *testing.T) {
	m := &moduletest.Model{
		Inputs:       []moduletest.Value{{Name: "x", DType: modules.Float32, Shape: []int{1, 4}}},
		Outputs:      []moduletest.Value{{Name: "h5", DType: modules.Float32, Shape: []int{1, 4}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: modules.Floats(make([]float32, 16), 4, 4)}},
		Nodes:        []moduletest.Node{{Op: "MatMul", Inputs: []string{"x", "w"}, Outputs: []string{"h0"}}},
	}
	for i := range 5 {
		from := fmt.Sprintf("h%d", i)
		m.Nodes = append(m.Nodes,
			moduletest.Node{Op: "MatMul", Inputs: []string{from, "w"}, Outputs: []string{from + "p"}},
			moduletest.Node{Op: "Tanh", Inputs: []string{from + "p"}, Outputs: []string{from + "t"}},
			moduletest.Node{Op: "Add", Inputs: []string{from, from + "t"}, Outputs: []string{fmt.Sprintf("h%d", i+1)}})
	}
	model, err := onnxfile.Read(m.Bytes(), "")
	if err != nil {
		t.Fatal(err)
	}
	dot := inside(t, model, graphs.DOT)
	for want, times := range map[string]int{"MatMul · Tanh": 1, "×5": 1, `label="Add"`: 1, "1×4": 4, `label="x"`: 1, `label="h5"`: 1} {
		if n := strings.Count(dot, want); n != times {
			t.Errorf("%q is drawn %d times, want %d", want, n, times)
		}
	}
	if svg := inside(t, model, graphs.SVG); !strings.Contains(svg, "MatMul") || !strings.HasPrefix(svg, "<?xml") {
		t.Errorf("no SVG: %.80s", svg)
	}
}

// TestInsideOfVision draws the embedded vision module as a picture.
func TestInsideOfVision(t *testing.T) {
	m, err := onnxfile.Open(filepath.Join("..", "modules", "zoo", "vision", "net.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(strings.NewReader(inside(t, m, graphs.PNG)))
	if err != nil {
		t.Fatal(err)
	}
	if b := picture.Bounds(); b.Dx() < 300 || b.Dy() < 300 || b.Dx() > 6000 || b.Dy() > 6000 {
		t.Errorf("the picture is %v", b)
	}
}
