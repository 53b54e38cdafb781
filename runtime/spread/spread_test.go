package spread_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/spread"
)

// link is a server of its own.
func link(t *testing.T) *spread.Link {
	t.Helper()
	l, err := spread.Open(t.Context(), "127.0.0.1:0", t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// work counts what it does.
type work struct {
	do     func(ctx context.Context, job string) (string, error)
	closed atomic.Int32
}

func (w *work) Do(ctx context.Context, job []byte) ([]byte, error) {
	s, err := w.do(ctx, string(job))
	return []byte(s), err
}

func (w *work) Close() error { w.closed.Add(1); return nil }

// hire lets a worker work until the test ends.
func hire(t *testing.T, l *spread.Link, w *work, slots int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		x := &spread.Worker{Name: t.Name(), Slots: slots, Open: func(_ context.Context, o spread.Offer, dir string) (spread.Work, error) {
			if o.Checks["code"] != "this" {
				return nil, errors.New("another code")
			}
			return w, nil
		}}
		if err := l.Work(ctx, x); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}

func offer(t *testing.T, l *spread.Link, code string, tell func(spread.News)) *spread.Queue {
	t.Helper()
	q, err := l.Offer(t.Context(), spread.Offer{ID: "a1", Name: "sums", Checks: map[string]string{"code": code}, Heartbeat: 100 * time.Millisecond}, "", tell)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func jobs(n int) (out []spread.Job) {
	for i := range n {
		out = append(out, spread.Job{Data: fmt.Append(nil, i), Name: fmt.Sprint("job ", i)})
	}
	return out
}

// TestResultsWaitForTheirCoordinator: one that could not write a result down, as on
// a full disk, gets it again when it comes back, and no job is done anew; a job that
// takes longer than the stream waits is still done once; large results come whole.
func TestResultsWaitForTheirCoordinator(t *testing.T) {
	l := link(t)
	var done sync.Map
	w := &work{do: func(ctx context.Context, job string) (string, error) {
		if _, twice := done.LoadOrStore(job, true); twice {
			t.Errorf("job %s is done twice", job)
		}
		switch job {
		case "3":
			time.Sleep(600 * time.Millisecond) // heartbeats are every 100 ms
		case "4":
			return fmt.Sprintf("%01000000d", 4), nil // a message holds less
		}
		return job, nil
	}}
	hire(t, l, w, 2)
	full := errors.New("no space left on device")
	taken := map[int]string{}
	take := func(room int) func(int, []byte) error {
		return func(job int, result []byte) error {
			if room--; room < 0 {
				return full
			}
			if _, twice := taken[job]; twice {
				t.Errorf("job %d is taken twice", job)
			}
			taken[job] = string(result)
			return nil
		}
	}
	q := offer(t, l, "this", nil)
	if err := q.Run(t.Context(), jobs(12), take(5)); !errors.Is(err, full) {
		t.Fatal(err)
	}
	// The coordinator was killed: nothing is withdrawn.
	q = offer(t, l, "this", nil)
	var left []spread.Job
	var which []int
	for i, j := range jobs(12) {
		if _, got := taken[i]; !got {
			left, which = append(left, j), append(which, i)
		}
	}
	if err := q.Run(t.Context(), left, func(i int, result []byte) error { return take(1)(which[i], result) }); err != nil {
		t.Fatal(err)
	}
	if len(taken) != 12 || len(taken[4]) != 1000000 {
		t.Errorf("%d results, one of %d bytes", len(taken), len(taken[4]))
	}
	if err := q.Close(true); err != nil {
		t.Error(err)
	}
	for range 50 {
		if w.closed.Load() == 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the worker does not leave what was withdrawn")
}

// TestFailures: a job that fails is tried elsewhere, and one that always does fails
// the whole, by its name; the next time it is tried anew.
func TestFailures(t *testing.T) {
	l := link(t)
	var tried atomic.Int32
	hire(t, l, &work{do: func(_ context.Context, job string) (string, error) {
		if job == "1" && tried.Add(1) <= 3 {
			return "", errors.New("no memory")
		}
		return job, nil
	}}, 1)
	q := offer(t, l, "this", nil)
	n := 0
	took := func(int, []byte) error { n++; return nil }
	err := q.Run(t.Context(), jobs(3), took)
	if want := "job 1: no memory (worker TestFailures, after 3 tries)"; err == nil || err.Error() != want {
		t.Fatalf("error %v, want %s", err, want)
	}
	n = 0
	if err := q.Run(t.Context(), jobs(3), took); err != nil || n != 3 {
		t.Errorf("%d results: %v", n, err)
	}
	if err := q.Close(true); err != nil {
		t.Error(err)
	}
}

// TestOthersStayOut: a worker that would give other bits says why and does nothing.
func TestOthersStayOut(t *testing.T) {
	l := link(t)
	hire(t, l, &work{do: func(context.Context, string) (string, error) { t.Error("it works"); return "", nil }}, 1)
	news := make(chan spread.News, 1)
	q := offer(t, l, "that", func(n spread.News) { news <- n })
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, jobs(1), func(int, []byte) error { return nil }) }()
	select {
	case n := <-news:
		if n.Out != "another code" {
			t.Errorf("%+v", n)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case err := <-ended:
		t.Errorf("nothing was told: %v", err)
	}
	if err := q.Close(false); err != nil {
		t.Error(err)
	}
}

// TestDamaged: what cannot be read on the server is an error, or is said, and stops
// nothing else; the next time it is tried anew.
func TestDamaged(t *testing.T) {
	l := link(t)
	hire(t, l, &work{do: func(_ context.Context, job string) (string, error) { return job, nil }}, 1)
	q := offer(t, l, "this", nil)
	if err := q.Run(t.Context(), jobs(1), func(int, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	js := natstest.JetStream(t, l.URL)
	offers, err := js.KeyValue("wire_offers")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"b1": "{", "b2": `{"id": "b1", "heartbeat": 1}`, "b3": `{"id": "b3", "heartbeat": -1}`} {
		if _, err := offers.PutString(key, value); err != nil {
			t.Fatal(err)
		}
	}
	results, err := js.KeyValue("wire_results")
	if err != nil {
		t.Fatal(err)
	}
	key := func(job string) string {
		h := sha256.Sum256([]byte("a1\n" + job))
		return "a1." + hex.EncodeToString(h[:])
	}
	for i, c := range []struct{ value, want string }{
		{"{", "result of job 1: unexpected end of JSON input"},
		{`{"object": "0123"}`, "result of job 2: nats: object not found"},
		{`{"error": "it burns", "worker": "w"}`, "job 3: it burns (worker w, after 3 tries)"},
	} {
		if _, err := results.PutString(key(fmt.Sprint(i+1)), c.value); err != nil {
			t.Fatal(err)
		}
		err := q.Run(t.Context(), jobs(5)[i+1:i+2], func(int, []byte) error { return nil })
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.value, err, c.want)
		}
	}
	n := 0
	if err := q.Run(t.Context(), jobs(8)[1:], func(int, []byte) error { n++; return nil }); err != nil || n != 7 {
		t.Errorf("%d results: %v", n, err)
	}
	if err := q.Close(true); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for where, good := range map[string]bool{
		"127.0.0.1:4222": true, "localhost:0": true, "[::1]:4222": true, "secret@0.0.0.0:4222": true, "nats://brain:4222": true, "tls://u:p@brain": true, "nats://s@a:4222,nats://s@b:4222": true,
		"": false, "default": false, "0.0.0.0:4222": false, "10.1.2.3:4222": false, ":4222": false, "127.0.0.1:66000": false, "127.0.0.1:x": false,
		"http://brain": false, "nats://": false, "nats://%": false, "nats://a,b:4222": false, "nats://a,": false,
	} {
		if err := spread.CheckAddress(where); (err == nil) != good {
			t.Errorf("%q: %v", where, err)
		}
	}
	if _, err := spread.Open(t.Context(), "nats://127.0.0.1:1", "", false); err == nil {
		t.Error("nobody is there")
	}
}
