//go:build unix

package spread_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/experiment/experimenttest"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/wiring"
)

// What this program does in the place of its tests, by these variables.
const (
	serverVariable = "WIRE_TEST_SERVER" // a worker's, or a coordinator's
	holdVariable   = "WIRE_TEST_HOLD"   // how many runs a worker makes before it holds one for good
	specVariable   = "WIRE_TEST_SPEC"   // what a coordinator runs, with little room on its disk
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

// TestKilledWorker: of three workers one is killed while it holds a run, and one is
// stopped for so long that its run is given to another: all 200 rows are there, none
// twice, with the bits of one process.
func TestKilledWorker(t *testing.T) {
	l := link(t)
	s := write(t, 50)
	want := local(t, s)
	at := serverVariable + "=" + l.URL
	dead, deadLines := begin(t, "TestWorkerProcess", at, holdVariable+"=5")
	slow, slowLines := begin(t, "TestWorkerProcess", at)
	_, lines := begin(t, "TestWorkerProcess", at)
	go func() {
		for range lines {
		}
	}()
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

// TestCramped is a coordinator's process whose files may not grow.
func TestCramped(t *testing.T) {
	name := os.Getenv(specVariable)
	if name == "" {
		t.Skip("it is run by other tests")
	}
	s, err := experiment.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := spread.Open(t.Context(), os.Getenv(serverVariable), "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = spreadOut(t, l, s, 1, func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: 10_000}); err != nil {
			t.Fatal(err)
		}
	})
	fmt.Println("ends with", err)
}

// TestFullDisk: where there is no room for a row, the coordinator ends with an error
// and the file with a whole row; with room again all rows come to be there.
func TestFullDisk(t *testing.T) {
	l := link(t)
	s := write(t, 10)
	want := local(t, s)
	_, lines := begin(t, "TestCramped", serverVariable+"="+l.URL, specVariable+"="+s.File())
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
