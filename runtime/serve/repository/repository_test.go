package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/model"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// process is a made-up one, which holds what its models do.
type process struct {
	size   atomic.Int64 // of models that are opened, bytes
	held   atomic.Int64
	closed atomic.Int64 // models
}

// block is a model that holds memory.
type block struct {
	model.Model // of which nothing is asked here
	bytes       int64
	p           *process
}

func (m *block) Close() error {
	m.p.closed.Add(1)
	m.p.held.Add(-m.bytes)
	return nil
}

// open implements [Open].
func (p *process) open(context.Context) (model.Model, error) {
	m := &block{bytes: p.size.Load(), p: p}
	p.held.Add(m.bytes)
	return m, nil
}

const mb = 1 << 20

// made is a repository with a model "m" of 64 MB.
func made(t *testing.T, memory int64) (r *Repository, g *gate.Gate, p *process) {
	t.Helper()
	g, p = gate.New(time.Second, memory, 1), &process{}
	r = New(g)
	r.held = p.held.Load
	p.size.Store(64 * mb)
	if err := r.Add("m", p.open); err != nil {
		t.Fatal(err)
	}
	return r, g, p
}

// held wants the models to be counted with so many MB.
func held(t *testing.T, what string, g *gate.Gate, want int64) {
	t.Helper()
	if got := g.State().Bytes; got != want*mb {
		t.Errorf("%s: %d bytes are counted, want %d MB", what, got, want)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// TestModelsAreCountedOldAndNew: a model is counted as long as it lives, the old
// one while somebody uses it.
func TestModelsAreCountedOldAndNew(t *testing.T) {
	r, g, p := made(t, 200*mb)
	if took, err := r.Load(t.Context(), "m"); err != nil || took != 64*mb {
		t.Fatal(took, err)
	}
	held(t, "the first", g, 64)
	old, release, err := r.Use("m", "")
	if err != nil {
		t.Fatal(err)
	}
	p.size.Store(96 * mb)
	if _, err := r.Load(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	held(t, "the old, in use, and the new", g, 160)
	if now, done, err := r.Use("m", "2"); err != nil || now.Version != "2" || old.Version != "1" || p.closed.Load() != 0 {
		t.Errorf("%v, %v", now, err)
	} else {
		done()
	}
	// A third does not fit beside both.
	_, err = r.Load(t.Context(), "m")
	var refused *protocol.Error
	if !errors.As(err, &refused) || refused.Status != 507 {
		t.Errorf("a third: %v", err)
	}
	held(t, "after the refusal", g, 160)
	release()
	release() // once more is nothing
	eventually(t, "the old one does not end with its last user", func() bool { return g.State().Bytes < 160*mb })
	held(t, "the new alone", g, 96)
	if err := r.Unload("m"); err != nil {
		t.Fatal(err)
	}
	if g.State().Bytes != 0 || p.held.Load() != 0 || p.closed.Load() != 2 {
		t.Errorf("unloaded: %+v, %d closed", g.State(), p.closed.Load())
	}
	if _, _, err := r.Use("m", ""); err == nil || !strings.Contains(err.Error(), "unloaded") {
		t.Errorf("an unloaded model: %v", err)
	}
	if !r.Ready() {
		t.Error("what was unloaded on purpose makes it not ready")
	}
}

// TestNewOneThatIsTooLarge is closed again, and the old one stays.
func TestNewOneThatIsTooLarge(t *testing.T) {
	r, g, p := made(t, 200*mb)
	if _, err := r.Load(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	p.size.Store(160 * mb) // more than is known beforehand
	if _, err := r.Load(t.Context(), "m"); err == nil || !strings.Contains(err.Error(), "MB of memory") {
		t.Errorf("%v", err)
	}
	held(t, "held", g, 64)
	if i := r.Index()[0]; p.closed.Load() != 1 || i.State != "READY" || i.Version != "1" || !strings.Contains(i.Reason, "memory") {
		t.Errorf("%d closed, %+v", p.closed.Load(), i)
	}
}

func TestFailuresKeepTheOld(t *testing.T) {
	g := gate.New(time.Second, 1<<30, 1)
	r := New(g)
	defer r.Close()
	var fail atomic.Bool
	var p process
	entered, release := make(chan struct{}, 1), make(chan struct{})
	if err := r.Add("m", func(ctx context.Context) (model.Model, error) {
		if fail.Load() {
			entered <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("broken")
		}
		return p.open(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	if r.Ready() {
		t.Error("ready before it is loaded")
	}
	if _, err := r.Load(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	fail.Store(true)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := r.Load(t.Context(), "m"); err == nil || err.Error() != "broken" {
			t.Errorf("%v", err)
		}
	})
	<-entered
	var refused *protocol.Error
	if _, err := r.Load(t.Context(), "m"); !errors.As(err, &refused) || refused.Status != 409 {
		t.Errorf("a second load meanwhile: %v", err)
	}
	// Others wait for their turn no longer than their client does.
	if err := r.Add("other", p.open); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Load(soon, "other"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another: %v", err)
	}
	close(release)
	wg.Wait()
	if i := r.Index()[0]; i.State != "READY" || i.Reason != "broken" {
		t.Errorf("%+v", i)
	}
	if _, err := r.Load(t.Context(), "nothing"); !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("%v", err)
	}
	if err := r.Unload("nothing"); err == nil {
		t.Error("nothing was unloaded")
	}
	for _, name := range []string{"", "a/b", "..", "x?y", "m"} {
		if r.Add(name, p.open) == nil {
			t.Errorf("a model may be called %q", name)
		}
	}
}

// TestCloseWaitsForUsers, and nothing is loaded behind it.
func TestCloseWaitsForUsers(t *testing.T) {
	r, g, p := made(t, 1<<30)
	if _, err := r.Load(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	_, release, err := r.Use("m", "")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		r.Close()
		close(ended)
	}()
	eventually(t, "it does not begin to close", func() bool { return r.Index()[0].State == "UNAVAILABLE" })
	select {
	case <-ended:
		t.Error("it did not wait")
	case <-time.After(10 * time.Millisecond):
	}
	if p.closed.Load() != 0 {
		t.Error("a model in use was closed")
	}
	release()
	<-ended
	if _, err := r.Load(t.Context(), "m"); err == nil || p.closed.Load() != 2 || g.State().Bytes != 0 {
		t.Errorf("loaded behind the end: %v, %d closed, %+v", err, p.closed.Load(), g.State())
	}
}

func TestAnonymous(t *testing.T) {
	if n, ok := anonymous("Name:\twire\nRssAnon:\t   123 kB\nRssFile:\t 9 kB\n"); !ok || n != 123<<10 {
		t.Errorf("%d, %v", n, ok)
	}
	for _, s := range []string{"", "Name:\tRssAnon: 5 kB\n", "x\nRssAnon: much kB\n"} {
		if n, ok := anonymous(s); ok {
			t.Errorf("%q: %d", s, n)
		}
	}
	if _, err := os.Stat("/proc/self/status"); err == nil && resident() < mb {
		t.Errorf("this program is said to hold %d bytes", resident())
	}
}
