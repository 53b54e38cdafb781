// Package repository keeps the models that are served, by name. A model is
// replaced while it is in use: the new one is opened and tried beside the old,
// then it answers what comes, and the old one ends with the last request that
// it has. A new one that fails changes nothing. Both are counted in the memory
// that a gate gives.
package repository

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/model"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// Open opens a model.
type Open func(context.Context) (model.Model, error)

// Repository holds models. It is safe for concurrent use. Which models there
// are is said by [Repository.Add] alone: no request can name a file.
type Repository struct {
	gate    *gate.Gate
	opening chan struct{} // holds one while a model is opened: what it takes is measured
	held    func() int64  // by the process, bytes
	mu      sync.Mutex
	entries map[string]*entry
	names   []string // in the order in which they came
	retired sync.WaitGroup
	closed  bool
}

type entry struct {
	open    Open
	loading sync.Mutex // held while one is opened
	// The rest is guarded by the repository's mutex.
	now     *Lease
	version int
	busy    bool   // one is being opened
	reason  string // why there is none, or why the last one failed
}

// Lease is a model in use.
type Lease struct {
	Model   model.Model
	Name    string
	Version string
	// Bytes are those that the process held more after it was opened than before.
	Bytes int64

	r       *Repository
	memory  *gate.Hold
	users   int
	retired bool
}

// New makes an empty repository of models whose memory a gate gives.
func New(g *gate.Gate) *Repository {
	return &Repository{gate: g, opening: make(chan struct{}, 1), held: resident, entries: map[string]*entry{}}
}

// Add gives a name to a model that can be opened.
func (r *Repository) Add(name string, open Open) error {
	if name == "" || strings.ContainsAny(name, "/\\?#%") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("%q is no name for a model: it stands in addresses", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries[name] != nil {
		return fmt.Errorf("two models are called %q", name)
	}
	r.entries[name] = &entry{open: open, reason: "not loaded"}
	r.names = append(r.names, name)
	return nil
}

// Names are the models' names, in the order in which they were added.
func (r *Repository) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.names)
}

// entry finds a model by its name.
func (r *Repository) entry(name string) (*entry, error) {
	e := r.entries[name]
	if e == nil {
		return nil, protocol.Errorf(http.StatusNotFound, "there is no model %q; there are %s", short(name), strings.Join(r.names, ", "))
	}
	return e, nil
}

func short(name string) string { return name[:min(len(name), 100)] }

// Load opens a model, anew where there is one, and waits for it. It says how
// many bytes the model holds.
func (r *Repository) Load(ctx context.Context, name string) (bytes int64, err error) {
	r.mu.Lock()
	e, err := r.entry(name)
	r.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if !e.loading.TryLock() {
		return 0, protocol.Errorf(http.StatusConflict, "model %q is being loaded already", name)
	}
	defer e.loading.Unlock()
	r.set(func() { e.busy = true })
	l, err := r.open(ctx, name, e)
	if err != nil {
		r.set(func() { e.busy, e.reason = false, err.Error() })
		return 0, err
	}
	r.mu.Lock()
	e.busy = false
	if r.closed {
		r.mu.Unlock()
		l.memory.Release()
		return 0, errors.Join(errors.New("the server is shutting down"), l.Model.Close())
	}
	old := e.now
	e.version++
	l.Version = strconv.Itoa(e.version)
	e.now, e.reason = l, ""
	r.retired.Add(1)
	end := r.retire(old)
	r.mu.Unlock()
	end()
	return l.Bytes, nil
}

// open opens a model within the memory that there is: as much as the one before
// took is paid for first, and what it took itself afterwards.
func (r *Repository) open(ctx context.Context, name string, e *entry) (*Lease, error) {
	select {
	case r.opening <- struct{}{}:
		defer func() { <-r.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var before int64
	r.set(func() {
		if e.now != nil {
			before = e.now.Bytes
		}
	})
	memory, err := r.gate.Hold(before)
	if err != nil {
		return nil, noRoom(name, before, err)
	}
	held := r.held()
	m, err := e.open(ctx)
	if err != nil {
		memory.Release()
		return nil, err
	}
	took := max(r.held()-held, 0)
	if err := memory.Resize(took); err != nil {
		memory.Release()
		return nil, errors.Join(noRoom(name, took, err), m.Close())
	}
	return &Lease{Model: m, Name: name, Bytes: took, r: r, memory: memory}, nil
}

// noRoom says that a model does not fit.
func noRoom(name string, bytes int64, err error) error {
	return protocol.Errorf(http.StatusInsufficientStorage, "model %q takes %.0f MB of memory, beside what is held already: %v", name, float64(bytes)/1e6, err)
}

func (r *Repository) set(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

// Unload takes a model away once it has answered what it has.
func (r *Repository) Unload(name string) error {
	r.mu.Lock()
	e, err := r.entry(name)
	if err != nil {
		r.mu.Unlock()
		return err
	}
	old := e.now
	e.now, e.reason = nil, "unloaded"
	end := r.retire(old)
	r.mu.Unlock()
	end()
	return nil
}

// retire marks a model as replaced. What it returns is to be called without
// the mutex: it ends the model where nobody uses it.
func (r *Repository) retire(l *Lease) (end func()) {
	if l == nil || l.retired {
		return func() {}
	}
	l.retired = true
	if l.users > 0 {
		return func() {}
	}
	return l.end
}

// end closes a model that nobody uses any more.
func (l *Lease) end() {
	l.Model.Close() // nobody is left whom an error would tell anything
	l.Model = nil
	debug.FreeOSMemory() // of hundreds of megabytes, as a rule
	l.memory.Release()
	l.r.retired.Done()
}

// Use takes a model until release is called, once. version is "" for any.
func (r *Repository) Use(name, version string) (l *Lease, release func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.entry(name)
	if err != nil {
		return nil, nil, err
	}
	if l = e.now; l == nil {
		return nil, nil, protocol.Errorf(http.StatusServiceUnavailable, "model %q is not ready: %s", name, e.reason)
	}
	if version != "" && version != l.Version {
		return nil, nil, protocol.Errorf(http.StatusNotFound, "model %q has no version %q; it has %s", name, short(version), l.Version)
	}
	l.users++
	var once sync.Once
	return l, func() { once.Do(l.release) }, nil
}

func (l *Lease) release() {
	l.r.mu.Lock()
	l.users--
	last := l.retired && l.users == 0
	l.r.mu.Unlock()
	if last {
		go l.end() // whose request was the last need not wait for it
	}
}

// Index lists the models.
func (r *Repository) Index() []protocol.Index {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []protocol.Index{}
	for _, name := range r.names {
		e := r.entries[name]
		i := protocol.Index{Name: name, State: "UNAVAILABLE", Reason: e.reason}
		if e.busy {
			i.State = "LOADING"
		}
		if e.now != nil {
			i.Version, i.State = e.now.Version, "READY"
		}
		out = append(out, i)
	}
	return out
}

// Ready says whether every model that was not unloaded is there.
func (r *Repository) Ready() bool {
	for _, i := range r.Index() {
		if i.State != "READY" && i.Reason != "unloaded" {
			return false
		}
	}
	return true
}

// Close takes all models away and waits until they have ended.
func (r *Repository) Close() {
	r.mu.Lock()
	r.closed = true
	var ends []func()
	for _, e := range r.entries {
		ends = append(ends, r.retire(e.now))
		e.now, e.reason = nil, "the server is shutting down"
	}
	r.mu.Unlock()
	for _, end := range ends {
		end()
	}
	r.retired.Wait()
}
