package goengine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// heavy is a model most of whose bytes are read where they lie: a table of
// which rows are looked up, and a vector that is added.
func heavy(t *testing.T) (path string, inputs map[string]*modules.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 11))
	const wide = 16384
	ids := modules.Ints([]int64{3, 60}, 2)
	m := &moduletest.Model{
		Inputs:       []moduletest.Value{{Name: "ids", DType: modules.Int64, Shape: ids.Shape}, {Name: "x", DType: modules.Float32, Shape: []int{2, wide}}},
		Initializers: []moduletest.Initializer{{Name: "table", Tensor: random(r, 64, wide)}, {Name: "row", Tensor: random(r, wide)}},
		Nodes: []moduletest.Node{
			{Op: "Gather", Inputs: []string{"table", "ids"}, Outputs: []string{"g"}},
			{Op: "Mul", Inputs: []string{"x", "row"}, Outputs: []string{"p"}},
			{Op: "Add", Inputs: []string{"g", "p"}, Outputs: []string{"y"}},
		},
		Outputs: []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: []int{2, wide}}},
	}
	path = filepath.Join(t.TempDir(), "heavy.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, map[string]*modules.Tensor{"ids": ids, "x": random(r, 2, wide)}
}

func loadFile(t *testing.T, path string, opt modules.LoadOptions) modules.Session {
	t.Helper()
	s, err := goengine.New().LoadFile(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A model in its file gives the bits of one in memory, also after another has
// been put in the file's place and, in a recording, after the session is
// closed.
func TestLoadFile(t *testing.T) {
	path, in := heavy(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := runBytes(t, data, in, modules.LoadOptions{})
	s := loadFile(t, path, modules.LoadOptions{Threads: 2})
	other := filepath.Join(filepath.Dir(path), "other")
	if err := os.WriteFile(other, []byte("no model"), 0o644); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Run(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameBits(got["y"], want["y"]); err != nil {
		t.Error(err)
	}
	recording, err := s.(modules.Differentiable).Record(context.Background(), in, modules.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d := modules.Floats(make([]float32, len(want["y"].F32)), want["y"].Shape...)
	d.F32[5] = 1
	if _, err := recording.Pull(context.Background(), map[string]*modules.Tensor{"y": d}); err != nil {
		t.Error(err)
	}
	recording.Close()
	if _, err := s.Run(context.Background(), in, nil); !errors.Is(err, modules.ErrClosed) {
		t.Errorf("a closed session gives %v", err)
	}
}

// The file is cut short while the session lives: an error, no crash.
func TestLoadFileThatIsCutShort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems keep or forbid what is cut off")
	}
	for _, threads := range []int{1, 3} {
		path, in := heavy(t)
		s := loadFile(t, path, modules.LoadOptions{Threads: threads})
		if _, err := s.Run(context.Background(), in, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Run(context.Background(), in, nil); !errors.Is(err, onnxfile.ErrLost) {
				t.Errorf("%d threads: got %v", threads, err)
			}
		}
		if _, err := s.(modules.Differentiable).Record(context.Background(), in, modules.RecordOptions{}); !errors.Is(err, onnxfile.ErrLost) {
			t.Errorf("%d threads: a recording gives %v", threads, err)
		}
	}
}

// What cannot be loaded is told as [goengine.Engine.Load] does.
func TestLoadFileErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := goengine.New().LoadFile(filepath.Join(dir, "none"), modules.LoadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for name, content := range map[string]string{"empty": "", "text": "no model"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := goengine.New().LoadFile(path, modules.LoadOptions{}); !errors.Is(err, modules.ErrModel) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := goengine.New().LoadFile(dir, modules.LoadOptions{}); err == nil {
		t.Error("a folder was loaded")
	}
}
