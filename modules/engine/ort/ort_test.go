package ort_test

import (
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
