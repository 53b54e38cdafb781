package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// TestSuite runs the conformance suite on each engine that is there.
func TestSuite(t *testing.T) {
	for _, name := range []string{engine.NameGo, engine.NameONNXRuntime, engine.NameAuto} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Open(name, engine.Options{})
			if errors.Is(err, modules.ErrNoLibrary) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			moduletest.Run(t, e)
		})
	}
}

// TestAutoFallsBack: without the library the automatic engine is pure Go,
// and says so.
func TestAutoFallsBack(t *testing.T) {
	nowhere := engine.Options{Library: filepath.Join(t.TempDir(), "nowhere.so")}
	if _, err := engine.Open(engine.NameONNXRuntime, nowhere); !errors.Is(err, modules.ErrNoLibrary) {
		t.Errorf("got %v, want ErrNoLibrary", err)
	}
	e, err := engine.Open(engine.NameAuto, nowhere)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := modules.EngineOf(s); got != engine.NameGo {
		t.Errorf("the session is run by %q", got)
	}
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{"a": modules.Floats([]float32{1}, 1), "b": modules.Floats([]float32{2}, 1)}, nil)
	if err != nil || out["sum"].F32[0] != 3 {
		t.Errorf("got %v, %v", out, err)
	}
	infos := engine.List(nowhere)
	if len(infos) != 2 || infos[0].Err == nil || infos[1].Err != nil {
		t.Errorf("engines: %+v", infos)
	}
	if _, err := engine.Open("gorgonnx", engine.Options{}); err == nil {
		t.Error("an unknown engine was opened")
	}
}
