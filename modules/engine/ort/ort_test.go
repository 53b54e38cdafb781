package ort_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/ort"
	"github.com/connectomewire/wire/modules/moduletest"
)

func engine(t testing.TB) *ort.Engine {
	t.Helper()
	e, err := ort.Open("")
	if errors.Is(err, modules.ErrNoLibrary) {
		t.Skipf("no ONNX Runtime here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) { moduletest.Run(t, engine(t)) }

func TestMissingLibraryTeaches(t *testing.T) {
	t.Setenv(ort.Variable, "")
	t.Setenv(modules.CacheVariable, t.TempDir())
	if _, err := ort.Open("/nowhere/libonnxruntime.so"); !errors.Is(err, modules.ErrNoLibrary) || !strings.Contains(err.Error(), "/nowhere/libonnxruntime.so") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkEmptyGraph is the cost of a call: a model that adds two vectors
// of two numbers.
func BenchmarkEmptyGraph(b *testing.B) {
	s, err := engine(b).Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	inputs := map[string]*modules.Tensor{"a": modules.Floats([]float32{1, 2}, 2), "b": modules.Floats([]float32{3, 4}, 2)}
	outputs := map[string]*modules.Tensor{"sum": {}}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := modules.RunInto(ctx, s, inputs, outputs); err != nil {
			b.Fatal(err)
		}
	}
}
