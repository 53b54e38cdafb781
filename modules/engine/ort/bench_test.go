package ort

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest"
)

// small is a loaded model that adds two vectors of two numbers, with tensors
// to call it with.
func small(t testing.TB) (s *session, inputs, outputs map[string]*modules.Tensor) {
	t.Helper()
	e, err := Open("")
	if errors.Is(err, modules.ErrNoLibrary) {
		t.Skipf("no ONNX Runtime here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := e.Load(moduletest.Two().Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { loaded.Close() })
	inputs = map[string]*modules.Tensor{"a": modules.Floats([]float32{1, 2}, 2), "b": modules.Floats([]float32{3, 4}, 2)}
	return loaded.(*session), inputs, map[string]*modules.Tensor{"sum": {}}
}

// BenchmarkCall takes the cost of a call apart: crossing into the library and
// back, the library's own Run of the model with everything prepared, and
// RunInto with the same tensors each time, with a context that can be
// cancelled, and with new memory each time. All take turns in one process; a
// figure is the least mean of many rounds, in processor time.
func BenchmarkCall(b *testing.B) {
	s, inputs, outputs := small(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := s.held.take(s, inputs)
	defer s.held.giveBack(f)
	s.unchanged(f, inputs)
	if err := s.bindInputs(f); err != nil {
		b.Fatal(err)
	}
	if _, err := s.bindOutputs(f, map[string]*modules.Tensor{"sum": {}}); err != nil {
		b.Fatal(err)
	}
	nothing := []uintptr{0}
	ways := []struct {
		name string
		call func() error
	}{
		{"crossing", func() error { call(s.lib.fn[fnReleaseStatus], nothing...); return nil }},
		{"library", func() error { return s.run(context.Background(), f) }},
		{"session", func() error { return s.RunInto(context.Background(), inputs, outputs) }},
		{"cancellable", func() error { return s.RunInto(ctx, inputs, outputs) }},
		{"new-memory", func() error {
			fresh := map[string]*modules.Tensor{"a": modules.Floats([]float32{1, 2}, 2), "b": inputs["b"]}
			return s.RunInto(context.Background(), fresh, map[string]*modules.Tensor{"sum": {}})
		}},
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const calls = 100
	least := make([]time.Duration, len(ways))
	for b.Loop() {
		for k, w := range ways {
			began := cputime.Now()
			for range calls {
				if err := w.call(); err != nil {
					b.Fatal(err)
				}
			}
			if used := cputime.Now() - began; least[k] == 0 || used < least[k] {
				least[k] = used
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for k, w := range ways {
		b.ReportMetric(float64(least[k].Nanoseconds())/calls, w.name+"-ns")
		b.ReportMetric(testing.AllocsPerRun(20, func() { _ = w.call() }), w.name+"-allocs")
	}
}

// TestNoAllocation: a loop of calls with the same tensors allocates nothing.
func TestNoAllocation(t *testing.T) {
	s, inputs, outputs := small(t)
	n := testing.AllocsPerRun(20, func() {
		if err := s.RunInto(context.Background(), inputs, outputs); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%g allocations a call", n)
	}
}

// TestPreparedCalls: a value is made once for a tensor, again when its memory
// or shape changes, and callers that take turns keep theirs.
func TestPreparedCalls(t *testing.T) {
	s, inputs, outputs := small(t)
	other := map[string]*modules.Tensor{"a": modules.Floats([]float32{5, 6, 7}, 3), "b": modules.Floats([]float32{1, 1, 1}, 3)}
	values := map[uintptr]bool{}
	run := func(inputs map[string]*modules.Tensor, want ...float32) {
		t.Helper()
		if err := s.RunInto(context.Background(), inputs, outputs); err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			if len(outputs["sum"].F32) != len(want) || outputs["sum"].F32[i] != v {
				t.Fatalf("got %v, want %v", outputs["sum"].F32, want)
			}
		}
		for _, f := range s.held.idle {
			values[f.inputs[0].value] = true
		}
	}
	for range 3 {
		run(inputs, 4, 6)
		run(other, 6, 7, 8)
	}
	if len(values) != 2 {
		t.Errorf("%d values were made for two tensors", len(values))
	}
	other["a"].F32, other["a"].Shape = other["a"].F32[:1], []int{1} // the same memory in another shape
	other["b"].F32, other["b"].Shape = other["b"].F32[:1], []int{1}
	run(other, 6)
	for range 3 * keptFrames {
		run(map[string]*modules.Tensor{"a": modules.Floats([]float32{5}, 1), "b": modules.Floats([]float32{1}, 1)}, 6)
	}
	if n := len(s.held.idle); n > keptFrames {
		t.Errorf("%d prepared calls are kept, at most %d should", n, keptFrames)
	}
}
