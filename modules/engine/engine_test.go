package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/engine/goengine"
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

// broken is an engine whose sessions load and fail to run.
type broken struct{ modules.Engine }

func (b broken) Name() string { return "broken" }

func (b broken) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	s, err := b.Engine.Load(model, opt)
	return brokenSession{s}, err
}

type brokenSession struct{ modules.Session }

var errBroken = errors.New("kernel not implemented")

func (s brokenSession) EngineName() string { return "broken" }

func (s brokenSession) Run(ctx context.Context, inputs map[string]*modules.Tensor, _ []string) (map[string]*modules.Tensor, error) {
	if err := modules.CheckInputs(s.Inputs(), inputs); err != nil {
		return nil, err
	}
	return nil, errBroken
}

// TestAutoFallsBackAtFirstRun: a model that loads and does not run moves to
// pure Go at its first run, unless the inputs are at fault.
func TestAutoFallsBackAtFirstRun(t *testing.T) {
	pure, err := engine.Open(engine.NameGo, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&engine.Auto{Native: broken{pure}, Go: pure}).Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	good := map[string]*modules.Tensor{"a": modules.Floats([]float32{1}, 1), "b": modules.Floats([]float32{2}, 1)}
	if _, err := s.Run(context.Background(), map[string]*modules.Tensor{"a": good["a"]}, nil); !errors.Is(err, modules.ErrInput) || modules.EngineOf(s) != "broken" {
		t.Errorf("a missing input gave %v on %s", err, modules.EngineOf(s))
	}
	out := map[string]*modules.Tensor{"sum": {}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if out, err := s.Run(context.Background(), good, nil); err != nil || out["sum"].F32[0] != 3 {
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
	wg.Wait()
	if err := modules.RunInto(context.Background(), s, good, out); err != nil || out["sum"].F32[0] != 3 {
		t.Errorf("got %v, %v", out, err)
	}
	if modules.EngineOf(s) != engine.NameGo || !errors.Is(modules.EngineReason(s), errBroken) {
		t.Errorf("the session is on %s because of %v", modules.EngineOf(s), modules.EngineReason(s))
	}
	both, err := (&engine.Auto{Native: broken{pure}, Go: broken{pure}}).Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	if _, err := both.Run(context.Background(), good, nil); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

// A session of the automatic engine moves to pure Go to be recorded.
func TestAutoRecords(t *testing.T) {
	auto := &engine.Auto{Native: &half{Engine: goengine.New()}, Go: goengine.New()}
	s, err := auto.Load(moduletest.Affine().Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rec, err := s.(modules.Differentiable).Record(context.Background(), map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 2, 3}, 1, 3)}, modules.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	if modules.EngineOf(s) != "go" || modules.EngineReason(s) == nil {
		t.Errorf("the session is on %q for the reason %v", modules.EngineOf(s), modules.EngineReason(s))
	}
}

// half is an engine that cannot record.
type half struct{ modules.Engine }

func (h *half) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	s, err := h.Engine.Load(model, opt)
	return struct{ modules.Session }{s}, err
}
