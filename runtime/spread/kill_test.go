//go:build unix

package spread_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/experiment/experimenttest"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/wiring"
)

// What this program does in the place of its tests, by these variables.
const (
	serverVariable = "WIRE_TEST_SERVER" // a worker's, or a coordinator's
	holdVariable   = "WIRE_TEST_HOLD"   // how many runs a worker makes before it holds one for good
	specVariable   = "WIRE_TEST_SPEC"   // what a coordinator runs
	storeVariable  = "WIRE_TEST_STORE"  // where a coordinator's own server keeps what it has
	roomVariable   = "WIRE_TEST_ROOM"   // how large a coordinator's files may grow, in bytes
)

const sweep = `plan: p
data: {path: none}
metric: explained
seeds: %d
nulls:
  - {kind: random, n: 3}
learn: {epochs: 1, batch: 16}
`

// write writes the spec of a sweep of 4 × seeds runs and what it reads.
func write(t *testing.T, seeds int) *experiment.Spec {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"none": "here", "w.yaml": fmt.Sprintf(sweep, seeds)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := experimenttest.Setup(t).Plan.Save(filepath.Join(dir, "p")); err != nil {
		t.Fatal(err)
	}
	s, err := experiment.Read(filepath.Join(dir, "w.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// setup is what a spec is run with, its plan read from the disk as everywhere.
func setup(t *testing.T, s *experiment.Spec) experiment.Setup {
	t.Helper()
	x := experimenttest.Setup(t)
	var err error
	if x.Plan, err = wiring.Load(s.Relative(s.Plan)); err != nil {
		t.Fatal(err)
	}
	return x
}

// holding makes so many runs and holds the next for good.
type holding struct {
	spread.Work
	left int32
}

func (h *holding) Do(ctx context.Context, job []byte) ([]byte, error) {
	if atomic.AddInt32(&h.left, -1) < 0 {
		fmt.Println("holds")
		select {}
	}
	return h.Work.Do(ctx, job)
}

// TestWorkerProcess is a worker's process.
func TestWorkerProcess(t *testing.T) {
	url := os.Getenv(serverVariable)
	if url == "" || os.Getenv(specVariable) != "" {
		t.Skip("it is run by other tests")
	}
	l, err := spread.Open(t.Context(), url, "", true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	open := spread.Join(func(_ context.Context, s *experiment.Spec) (experiment.Setup, io.Closer, error) {
		x := setup(t, s)
		if text, err := os.ReadFile(s.Data.Path); err != nil || string(text) != "here" {
			return x, nil, fmt.Errorf("the data are %q: %w", text, err)
		}
		return x, nil, nil
	})
	w := &spread.Worker{Name: fmt.Sprint(os.Getpid()), Slots: 1, Open: open, Say: func(s string) { fmt.Println(s) }}
	if hold := os.Getenv(holdVariable); hold != "" {
		w.Open = func(ctx context.Context, o spread.Offer, dir string) (spread.Work, error) {
			work, err := open(ctx, o, dir)
			h := &holding{Work: work}
			fmt.Sscan(hold, &h.left)
			return h, err
		}
	}
	if err := l.Work(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// begin runs this program as another process until the test ends, and gives its
// lines.
func begin(t *testing.T, test string, env ...string) (*exec.Cmd, <-chan string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	c.Env = append(os.Environ(), env...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c, lines
}

// await waits for a line.
func await(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	var all []string
	for late := time.After(time.Minute); ; {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("no %q in\n%s", want, strings.Join(all, "\n"))
			}
			if all = append(all, line); strings.Contains(line, want) {
				return
			}
		case <-late:
			t.Fatalf("no %q within a minute in\n%s", want, strings.Join(all, "\n"))
		}
	}
}

// alike compares rows but for their order, times and places in a chain.
func alike(t *testing.T, want, got *experiment.Experiment) {
	t.Helper()
	key := func(a, b experiment.Row) bool {
		return fmt.Sprint(a.Condition, a.Network, a.Seed) < fmt.Sprint(b.Condition, b.Network, b.Seed)
	}
	if d := cmp.Diff(want.Log.Rows, got.Log.Rows, cmpopts.SortSlices(key), cmpopts.IgnoreFields(experiment.Row{}, "Seconds", "Time", "Before", "Hash")); d != "" {
		t.Errorf("other rows than those of one process:\n%s", d)
	}
}

// local are the rows of one process.
func local(t *testing.T, s *experiment.Spec) *experiment.Experiment {
	t.Helper()
	p, err := experiment.Parse(filepath.Join(t.TempDir(), "w.yaml"), []byte(s.Text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := experiment.New(t.Context(), p, setup(t, s))
	if err == nil {
		err = e.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// spreadOut runs a spec over a link.
func spreadOut(t *testing.T, l *spread.Link, s *experiment.Spec, slots int, before func()) (*experiment.Experiment, error) {
	t.Helper()
	x := &spread.Experiment{Shared: spread.Shared{Link: l, Slots: slots, Heartbeat: 200 * time.Millisecond}}
	with := setup(t, s)
	with.Elsewhere = x.Make
	e, err := experiment.New(t.Context(), s, with)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Begin(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	before()
	err = e.Run(t.Context())
	if closed := x.Close(err == nil); err == nil {
		err = closed
	}
	return e, err
}

// TestCoordinatorProcess is a coordinator's process.
func TestCoordinatorProcess(t *testing.T) {
	name := os.Getenv(specVariable)
	if name == "" {
		t.Skip("it is run by other tests")
	}
	s, err := experiment.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := spread.Open(t.Context(), os.Getenv(serverVariable), os.Getenv(storeVariable), false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var room uint64
	slots := 0 // one that is to be killed leaves all runs to others
	if fmt.Sscan(os.Getenv(roomVariable), &room); room > 0 {
		slots = 1
	}
	_, err = spreadOut(t, l, s, slots, func() {
		if room == 0 {
			return
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: room}); err != nil {
			t.Fatal(err)
		}
	})
	fmt.Println("ends with", err)
}

// kill kills a coordinator once it has written down some rows, but not all.
func kill(t *testing.T, c *exec.Cmd, s *experiment.Spec, some, all int) {
	t.Helper()
	rows := func() int {
		data, err := os.ReadFile(s.Beside(".results.jsonl"))
		if err != nil {
			return 0
		}
		return bytes.Count(data, []byte("\n"))
	}
	for late := time.Now().Add(time.Minute); rows() < some; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d rows after a minute", rows())
		}
	}
	c.Process.Kill()
	if c.Wait(); !c.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("the coordinator ended by itself: %v", c.ProcessState)
	}
	if n := rows(); n >= all {
		t.Fatalf("all %d rows were there when the coordinator was killed", n)
	}
}

// TestKilledCoordinator: the coordinator is killed, and with it its server where that
// is its own. Where it is another, workers go on with what was asked; where it was
// its own they wait for it. The same experiment goes on to have 200 rows, none twice,
// with the bits of one process.
func TestKilledCoordinator(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("own server %t", own), func(t *testing.T) {
			t.Parallel()
			s := write(t, 50)
			want := local(t, s)
			var l *spread.Link
			env, store := []string{specVariable + "=" + s.File()}, ""
			where := ""
			if own {
				free, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				where, store = free.Addr().String(), t.TempDir()
				free.Close()
				env = append(env, serverVariable+"="+where, storeVariable+"="+store)
			} else {
				l = link(t)
				where = strings.TrimPrefix(l.URL, "nats://")
				env = append(env, serverVariable+"="+l.URL)
			}
			c, lines := begin(t, "TestCoordinatorProcess", env...)
			go drain(lines)
			for range 2 {
				_, lines := begin(t, "TestWorkerProcess", serverVariable+"=nats://"+where)
				go drain(lines)
			}
			kill(t, c, s, 20, 200)
			if own {
				var err error
				if l, err = spread.Open(t.Context(), where, store, false); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(l.Close)
			} else {
				awaitResults(t, where, 200)
			}
			e, err := spreadOut(t, l, s, 0, func() {})
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Log.Rows) != 200 {
				t.Fatalf("%d rows", len(e.Log.Rows))
			}
			alike(t, want, e)
		})
	}
}

// awaitResults waits until so many results lie on a server.
func awaitResults(t *testing.T, where string, want uint64) {
	t.Helper()
	js := natstest.JetStream(t, where)
	n := uint64(0)
	for late := time.Now().Add(time.Minute); n != want; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d results after a minute: the workers do not go on", n)
		}
		if info, err := js.StreamInfo("KV_wire_results"); err == nil {
			n = info.State.Msgs
		}
	}
}

func drain(lines <-chan string) {
	for range lines {
	}
}

// TestKilledWorker: of three workers one is killed while it holds a run, and one is
// stopped for so long that its run is given to another: all 200 rows are there, none
// twice, with the bits of one process.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	l := link(t)
	s := write(t, 50)
	want := local(t, s)
	at := serverVariable + "=" + l.URL
	dead, deadLines := begin(t, "TestWorkerProcess", at, holdVariable+"=5")
	slow, slowLines := begin(t, "TestWorkerProcess", at)
	_, lines := begin(t, "TestWorkerProcess", at)
	go drain(lines)
	e, err := spreadOut(t, l, s, 0, func() {
		go func() {
			for line := range slowLines {
				if strings.Contains(line, "joins") && slow.Process.Signal(syscall.SIGSTOP) == nil {
					time.Sleep(1500 * time.Millisecond)
					slow.Process.Signal(syscall.SIGCONT) //nolint:errcheck // it is killed at the end
				}
			}
		}()
		go func() {
			for line := range deadLines {
				if strings.Contains(line, "holds") {
					dead.Process.Kill()
				}
			}
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Log.Rows) != 200 {
		t.Fatalf("%d rows", len(e.Log.Rows))
	}
	if dead.Wait(); !dead.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("the worker was not killed while it held a run: %v", dead.ProcessState)
	}
	alike(t, want, e)
	// The file is one that a single process goes on from.
	again, err := experiment.New(t.Context(), s, setup(t, s))
	if err != nil || len(again.Log.Rows) != 200 {
		t.Error(err)
	}
}

// TestFullDisk: where there is no room for a row, the coordinator ends with an error
// and the file with a whole row; with room again all rows come to be there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	l := link(t)
	s := write(t, 10)
	want := local(t, s)
	_, lines := begin(t, "TestCoordinatorProcess", serverVariable+"="+l.URL, specVariable+"="+s.File(), roomVariable+"=10000")
	await(t, lines, "ends with write "+s.Beside(".results.jsonl")+": file too large")
	data, err := os.ReadFile(s.Beside(".results.jsonl"))
	if err != nil || !bytes.HasSuffix(data, []byte("}\n")) || len(data) > 10_000 {
		t.Fatalf("%d bytes are left: %v", len(data), err)
	}
	e, err := spreadOut(t, l, s, 1, func() {})
	if err != nil {
		t.Fatal(err)
	}
	alike(t, want, e)
}
