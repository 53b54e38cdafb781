package goengine_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// inferSizes are sizes other than the default that the packages' models need.
var inferSizes = map[string]map[string]int{
	"silero_vad_v5.onnx": {"input.1": 512, "state.1": 1}, "silero_vad_v6.onnx": {"input.1": 512, "state.1": 1},
	"silero_vad.onnx": {"sequence": 1536}, "silero_vad_legacy.onnx": {"sequence": 1536},
	"ch_PP-OCRv4_det_infer.onnx": {"p2o.DynamicDimension.1": 96, "p2o.DynamicDimension.2": 160},
}

// TestInferAgreesWithRuns compares the inferred shape of every value with
// that in a run: of the project's own modules and of the packages' models.
func TestInferAgreesWithRuns(t *testing.T) {
	roots := []string{filepath.Join("..", "..", "zoo")}
	if dir := os.Getenv(modelsVariable); dir != "" {
		roots = append(roots, dir)
	}
	for _, root := range roots {
		filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".onnx" {
				t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) { inferAndRun(t, path) })
			}
			return nil
		})
	}
}

func inferAndRun(t *testing.T, path string) {
	m, err := onnxfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	sizes := inferSizes[filepath.Base(path)]
	for name := range sizes {
		if _, ok := goengine.DefaultSizes(m)[name]; !ok {
			t.Logf("open dimensions: %v", goengine.DefaultSizes(m))
		}
	}
	s, err := goengine.Infer(m, sizes)
	if err != nil {
		t.Fatal(err)
	}
	if s.Problem != nil {
		t.Fatal(s.Problem)
	}
	var taps []string
	for _, n := range m.Graph.Nodes {
		for _, o := range n.Outputs {
			if o != "" {
				taps = append(taps, o)
			}
		}
	}
	session, err := goengine.New().LoadGraph(m, modules.LoadOptions{Taps: taps})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	inputs := map[string]*modules.Tensor{}
	for _, in := range session.Inputs() {
		x, err := modules.NewTensor(in.DType, s.Values[in.Name]...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.I64 {
			x.I64[i] = 1
			if in.Name == "sr" {
				x.I64[i] = 16000
			}
		}
		inputs[in.Name] = x
	}
	out, err := session.Run(context.Background(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for name, got := range out {
		want, ok := s.Values[name]
		if !ok {
			continue
		}
		known++
		if !slices.Equal(got.Shape, want) {
			t.Errorf("value %q has shape %v, inferred was %v", name, got.Shape, want)
		}
	}
	t.Logf("%d of %d shapes known with %v; %.1f MFLOPs, %.2f MB", known, len(out), s.Sizes, float64(s.FLOPs)/1e6, float64(s.Memory)/1e6)
	for _, n := range s.Unknown {
		t.Logf("not known: %v", n)
	}
	if known*10 < len(out)*9 {
		t.Errorf("only %d of %d shapes are known", known, len(out))
	}
}

// Attention costs its two products, whichever operator it is written with and
// whether or not the data of its operands is there, and its shapes are known.
func TestInferAttention(t *testing.T) {
	const batch, heads, rows, keys, dim, wide = 2, 4, 3, 5, 6, 7 // wide: of the values
	type ints = map[string]int64
	f32s := func(shape ...int) []int { return shape }
	attend := func(keys, dim, wide int) int64 { return int64(2 * batch * heads * rows * keys * (dim + wide)) }
	for _, c := range []struct {
		name string
		node moduletest.Node
		in   [][]int // shapes of float inputs; nil for none
		want int64
		y    []int
	}{
		{"heads", moduletest.Node{Op: "Attention"}, [][]int{f32s(batch, heads, rows, dim), f32s(batch, heads, keys, dim), f32s(batch, heads, keys, wide)}, attend(keys, dim, wide), []int{batch, heads, rows, wide}},
		{"heads side by side, in groups", moduletest.Node{Op: "Attention", Ints: ints{"q_num_heads": heads, "kv_num_heads": 2, "is_causal": 1}},
			[][]int{f32s(batch, rows, heads*dim), f32s(batch, keys, 2*dim), f32s(batch, keys, 2*wide)}, attend(keys, dim, wide), []int{batch, rows, heads * wide}},
		{"a cache", moduletest.Node{Op: "Attention", Outputs: []string{"y", "k", "v"}}, [][]int{f32s(batch, heads, rows, dim), f32s(batch, heads, keys, dim), f32s(batch, heads, keys, wide), nil,
			f32s(batch, heads, 9, dim), f32s(batch, heads, 9, wide)}, attend(9+keys, dim, wide), []int{batch, heads, rows, wide}},
		{"flexible", moduletest.Node{Op: "FlexAttention", Domain: "ai.onnx.preview"}, [][]int{f32s(batch, heads, rows, dim), f32s(batch, 2, keys, dim), f32s(batch, 2, keys, wide)}, attend(keys, dim, wide), []int{batch, heads, rows, wide}},
		{"projected", moduletest.Node{Op: "Attention", Domain: "com.microsoft", Ints: ints{"num_heads": heads}}, [][]int{f32s(batch, rows, 10), f32s(10, 3*heads*dim), f32s(3 * heads * dim)},
			2*batch*rows*10*3*heads*dim + attend(rows, dim, dim), []int{batch, rows, heads * dim}},
		{"multi-head, biased, a cache", moduletest.Node{Op: "MultiHeadAttention", Domain: "com.microsoft", Ints: ints{"num_heads": heads}, Outputs: []string{"y", "k", "v"}},
			[][]int{f32s(batch, rows, heads*dim), f32s(batch, rows, heads*dim), f32s(batch, rows, heads*dim), f32s(3 * heads * dim), nil, nil, f32s(batch, heads, 9, dim), f32s(batch, heads, 9, dim)},
			attend(9+rows, dim, dim), []int{batch, rows, heads * dim}},
		{"multi-head, packed", moduletest.Node{Op: "MultiHeadAttention", Domain: "com.microsoft", Ints: ints{"num_heads": heads}}, [][]int{f32s(batch, rows, heads, 3, dim)}, attend(rows, dim, dim), []int{batch, rows, heads * dim}},
		{"linear", moduletest.Node{Op: "LinearAttention", Ints: ints{"q_num_heads": heads, "kv_num_heads": 2}, Strings: map[string]string{"update_rule": "linear"}, Outputs: []string{"y", "state"}},
			[][]int{f32s(batch, rows, heads*dim), f32s(batch, rows, 2*dim), f32s(batch, rows, 2*wide)}, 2 * batch * rows * (heads + 2) * dim * wide, []int{batch, rows, heads * wide}},
		{"transposed product", moduletest.Node{Op: "FusedMatMul", Domain: "com.microsoft", Ints: ints{"transA": 1}}, [][]int{f32s(batch, keys, rows), f32s(batch, keys, wide)}, 2 * batch * rows * keys * wide, []int{batch, rows, wide}},
	} {
		m := &moduletest.Model{Opset: 27}
		n := c.node
		if n.Outputs == nil {
			n.Outputs = []string{"y"}
		}
		for i, shape := range c.in {
			name := ""
			if shape != nil {
				name = fmt.Sprint("x", i)
				m.Inputs = append(m.Inputs, moduletest.Value{Name: name, DType: modules.Float32, Shape: shape})
			}
			n.Inputs = append(n.Inputs, name)
		}
		m.Nodes = []moduletest.Node{n}
		m.Outputs = []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: c.y}}
		read, err := onnxfile.Read(m.Bytes(), "")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		s, err := goengine.Infer(read, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s.FLOPs != c.want || !slices.Equal(s.Values["y"], c.y) || len(s.Unknown) > 0 {
			t.Errorf("%s: %d FLOPs, y %v, not known: %v; want %d and %v", c.name, s.FLOPs, s.Values["y"], s.Unknown, c.want, c.y)
		}
	}

	in := map[string]*modules.Tensor{"q": random(rand.New(rand.NewPCG(1, 1)), batch, heads, rows, dim), "k": random(rand.New(rand.NewPCG(1, 1)), batch, heads, keys, dim), "v": random(rand.New(rand.NewPCG(1, 1)), batch, heads, keys, wide)}
	merged, err := onnxfile.Read(attentionModel(in, modules.Float32, modules.Floats([]float32{0.5}), "Mul", 3, true, 17), "")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := goengine.Infer(merged, nil); err != nil || s.FLOPs != attend(keys, dim, wide) {
		t.Errorf("merged out of its parts: %d FLOPs (%v), want %d", s.FLOPs, err, attend(keys, dim, wide))
	}
}

func TestInferFLOPs(t *testing.T) {
	m, err := onnxfile.Read(moduletest.Affine().Bytes(), "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := goengine.Infer(m, map[string]int{"batch": 7})
	if err != nil {
		t.Fatal(err)
	}
	if s.FLOPs != 2*7*3*2 || s.NodeFLOPs["h"] != s.FLOPs || !slices.Equal(s.Values["y"], []int{7, 2}) || s.Memory == 0 {
		t.Errorf("got %+v", s)
	}
	if _, err := goengine.Infer(m, map[string]int{"bach": 7}); err == nil {
		t.Error("a dimension that is not there was accepted")
	}
}
