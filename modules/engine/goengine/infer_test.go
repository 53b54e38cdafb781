package goengine_test

import (
	"context"
	"io/fs"
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
