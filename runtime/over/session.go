package over

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// Store hands directories from a coordinator to its workers, by their checksum:
// *[spread.Link] is one.
type Store interface {
	PutDirectory(ctx context.Context, dir string) (name string, err error)
	GetDirectory(ctx context.Context, name, dir string) error
	ForgetDirectory(ctx context.Context, name string) error
}

// errTooLong says that a word cannot be sent.
var errTooLong = errors.New("too long a message")

// errClosed is why a closed exchange does nothing more.
var errClosed = errors.New("the episode is over")

// LostError says that an episode lost a worker. It is a [runtime.ErrLost].
type LostError struct {
	Worker  string // its name
	Regions int    // that it steps
	Why     string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("worker %s, which steps %d regions, is lost: %s", e.Worker, e.Regions, e.Why)
}

func (e *LostError) Unwrap() error { return runtime.ErrLost }

// calls is the address at which free workers listen.
const calls = "calls"

// beat is how often coordinator and worker say that they are there.
const beat = time.Second

// What a word is about.
const (
	wordCall  = "call"  // a coordinator wants workers
	wordHello = "hello" // a worker is free
	wordOut   = "out"   // a coordinator does not take it, or it stays out
	wordSeat  = "seat"  // it is to step regions
	wordBusy  = "busy"  // it has a seat elsewhere
	wordBeat  = "beat"  // one is there: a worker, Ready or not; a coordinator, with the last episode that is over
	wordBegin = "begin" // an episode
	wordBegun = "begun"
	wordEnded = "ended" // it failed at a worker
	wordOver  = "over"  // all episodes up to this one are
	wordBye   = "bye"
)

// word is what coordinator and worker tell each other.
type word struct {
	Kind    string `json:"kind"`
	Address string `json:"address"` // of who says it
	Name    string `json:"name,omitempty"`
	Session uint64 `json:"session,string,omitempty"`
	// What must be alike for results to have the same bits.
	Plan    string `json:"plan,omitempty"` // fingerprint
	Kernels string `json:"kernels,omitempty"`
	Code    string `json:"code,omitempty"`

	Input string `json:"input,omitempty"` // of the store
	Seat  int    `json:"seat,omitempty"`
	Half  bool   `json:"half,omitempty"`
	Ready bool   `json:"ready,omitempty"`
	Why   string `json:"why,omitempty"`

	Episode   uint32           `json:"episode,omitempty"`
	Heading   *runtime.Heading `json:"heading,omitempty"`
	Addresses []string         `json:"addresses,omitempty"` // by worker
}

// send sends a word.
func (w word) send(t Transport, to string) error {
	data, err := json.Marshal(w)
	if err != nil {
		return err
	}
	frame := make([]byte, headerSize, headerSize+len(data))
	h := header{kind: kindWord}
	h.put(frame)
	if frame = append(frame, data...); len(frame) > t.Most() {
		return fmt.Errorf("%w: %d bytes, and the server takes %d at once", errTooLong, len(frame), t.Most())
	}
	return t.Send(to, frame)
}

// unlike says what keeps a worker out; "" for nothing. The first is the
// coordinator's.
func unlike(a, b word) string {
	switch {
	case a.Code != b.Code:
		return fmt.Sprintf("the coordinator's program is %s, the worker's %s", a.Code, b.Code)
	case a.Kernels != b.Kernels:
		return fmt.Sprintf("the coordinator's kernels are %s, the worker's %s (WIRE_KERNEL chooses)", a.Kernels, b.Kernels)
	case b.Plan != "" && a.Plan != b.Plan:
		return fmt.Sprintf("the coordinator's plan has the fingerprint %.12s, the worker's %.12s", a.Plan, b.Plan)
	}
	return ""
}

// kernels are those of this process.
func kernels() string { return kernel.Current().String() }

// newAddress draws one.
func newAddress() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(b[:])
}

func newSession() uint64 {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return binary.LittleEndian.Uint64(b[:])
}

// short is a plan's fingerprint in frames.
func short(fingerprint string) uint64 {
	v, _ := strconv.ParseUint(fingerprint[:min(16, len(fingerprint))], 16, 64)
	return v
}

// What workers fetch.
const (
	planDir    = "plan"
	workerFile = "workers.json"
)

// pack writes a plan and its division for workers into a directory.
func pack(p *wiring.Plan, workers [][]int, dir string) error {
	q := *p
	q.Trained = true // so that its parameters are kept, whatever they are
	if err := q.Save(filepath.Join(dir, planDir)); err != nil {
		return err
	}
	data, err := json.Marshal(workers)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, workerFile), data, 0o644)
}

// unpack reads what pack wrote.
func unpack(dir string) (p *wiring.Plan, workers [][]int, err error) {
	data, err := os.ReadFile(filepath.Join(dir, workerFile))
	if err == nil {
		err = json.Unmarshal(data, &workers)
	}
	if err != nil {
		return nil, nil, err
	}
	p, err = wiring.Load(filepath.Join(dir, planDir))
	return p, workers, err
}
