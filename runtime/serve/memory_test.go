package serve_test

import (
	"context"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// raced says that the race detector runs, which takes several times the memory
// and the time.
var raced bool

// inUse is the heap that is in use after a collection, and the goroutines.
func inUse() (bytes int64, goroutines int) {
	for range 3 { // pools are emptied in two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), runtime.NumGoroutine()
}

// settled is inUse once what ends by itself has ended: at most so much, or what
// there is after some seconds.
func settled(bytes int64, goroutines int) (int64, int) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		b, g := inUse()
		if b <= bytes && g <= goroutines || time.Now().After(deadline) {
			return b, g
		}
	}
}

// TestLoadingKeepsNothing loads plans anew, answers between, and wants the heap
// and the goroutines of one plan each time.
func TestLoadingKeepsNothing(t *testing.T) {
	picture := appleFile(t)
	type plan struct {
		name  string
		open  func(context.Context) (*wire.Runner, error)
		ask   func(url string)
		slack int64 // bytes that the heap may differ by
	}
	plans := []plan{{"small", openSmall, func(url string) {
		if _, err := ask(url, 0); err != nil {
			t.Error(err)
		}
	}, 1 << 20}}
	if !testing.Short() && !raced {
		plans = append(plans, plan{"default", func(ctx context.Context) (*wire.Runner, error) {
			return wire.Open(ctx, "default", wire.Options{Engine: "go"})
		}, func(url string) {
			if status, body := post(t, url+"/v2/models/default/generate_stream", "", picture); status != 200 || strings.Contains(body, `"error"`) {
				t.Errorf("status %d: %s", status, body)
			}
		}, 20 << 20})
	}
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) {
			noBytes, noRoutines := inUse()
			s, err := serve.New(serve.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.AddRunner(p.name, p.open); err != nil {
				t.Fatal(err)
			}
			h := httptest.NewServer(s)
			defer h.Close()
			var firstBytes int64
			var firstRoutines int
			for k := range 5 {
				if err := s.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					p.ask(h.URL)
				}
				if k == 0 {
					time.Sleep(200 * time.Millisecond)
					firstBytes, firstRoutines = inUse()
					continue
				}
				switch bytes, routines := settled(firstBytes+p.slack, firstRoutines); {
				case bytes > firstBytes+p.slack:
					t.Errorf("load %d: %d bytes are in use; after the first there were %d", k, bytes, firstBytes)
				case routines > firstRoutines:
					t.Errorf("load %d: %d goroutines; after the first there were %d", k, routines, firstRoutines)
				}
			}
			h.CloseClientConnections()
			h.Close()
			s.Close()
			if bytes, routines := settled(noBytes+p.slack, noRoutines); bytes > noBytes+p.slack || routines > noRoutines {
				t.Errorf("closed: %d bytes and %d goroutines; before the server there were %d and %d", bytes, routines, noBytes, noRoutines)
			}
		})
	}
}

// TestModelsAreCountedInMemory: a plan that is loaded anew is counted beside the
// one that answers, and refused where both do not fit.
func TestModelsAreCountedInMemory(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("opens the built-in plan and measures memory")
	}
	load := func(memory int64) (*serve.Server, error) {
		s, err := serve.New(serve.Options{Memory: memory, MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if err := s.AddPlan("default", "default", wire.Options{Engine: "go"}); err != nil {
			t.Fatal(err)
		}
		return s, s.Load(t.Context())
	}
	if _, err := load(50 << 20); err == nil || !strings.Contains(err.Error(), "MB of memory") {
		t.Errorf("a plan that does not fit: %v", err)
	}
	s, err := load(320 << 20)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Load(t.Context())
	if status, _ := serve.Status(err); status != 507 {
		t.Errorf("a plan that does not fit beside itself: status %d, %v", status, err)
	}
	if i := s.Index()[0]; i.State != "READY" || i.Version != "1" || !s.Ready() && !strings.Contains(i.Reason, "memory") {
		t.Errorf("after that: %+v", i)
	}
	release, err := s.Reserve(320<<20 - 300<<20)
	if err != nil {
		t.Fatalf("what the refused one was counted with is not given back: %v", err)
	}
	release()
	if _, err := s.Reserve(250 << 20); err == nil {
		t.Error("the model that answers is not counted")
	}
}

// appleFile is the demonstration's picture of an apple.
func appleFile(t testing.TB) []byte {
	t.Helper()
	for _, item := range demo.Items() {
		if item.Name == "apple" {
			b, err := item.Encode()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatal("there is no apple")
	return nil
}
