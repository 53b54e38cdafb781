package spread_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/connectomewire/wire/internal/cable"
	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/spread"
)

// TestPartition: the network of a worker, or of the coordinator, is parted from the
// server for ten seconds, much longer than a job waits, and then all that was under
// way is lost. Each job still has one result.
func TestPartition(t *testing.T) {
	t.Parallel()
	parted, n := 10*time.Second, 500
	if testing.Short() {
		parted, n = 1500*time.Millisecond, 200
	}
	for _, who := range []string{"worker", "coordinator"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			l := link(t)
			w, url := cable.Lay(t, l.URL)
			far, err := spread.Open(t.Context(), url, "", false)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(far.Close)
			var after atomic.Int32 // jobs of the parted worker since it is back
			var back atomic.Bool
			job := func(count bool) *work {
				return &work{do: func(_ context.Context, job string) (string, error) {
					time.Sleep(40 * time.Millisecond)
					if count && back.Load() {
						after.Add(1)
					}
					return job, nil
				}}
			}
			coordinator := l
			if who == "coordinator" {
				coordinator = far
				hire(t, l, job(false), 2)
			} else {
				hire(t, l, job(false), 1)
				hire(t, far, job(true), 1)
			}
			q := offer(t, coordinator, "this", nil)
			taken := map[int]string{}
			err = q.Run(t.Context(), jobs(n), func(i int, result []byte) error {
				if _, twice := taken[i]; twice {
					t.Errorf("job %d is taken twice", i)
				}
				if taken[i] = string(result); len(taken) == 20 {
					w.Hold()
					time.AfterFunc(parted, func() { w.Cut(); back.Store(true) })
				}
				return nil
			})
			if !back.Load() {
				t.Error("all is done before the network is whole again")
			}
			if err != nil || len(taken) != n {
				t.Fatalf("%d results: %v", len(taken), err)
			}
			for i, j := range jobs(n) {
				if taken[i] != string(j.Data) {
					t.Errorf("job %d gives %s", i, taken[i])
				}
			}
			if who == "worker" && after.Load() == 0 {
				t.Error("the worker that was parted does nothing any more")
			}
		})
	}
}

// TestFullServer: results that the server has no room for are kept by their workers
// until it has.
func TestFullServer(t *testing.T) {
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 4 << 20 })
	l, err := spread.Open(t.Context(), s.ClientURL(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	js := natstest.JetStream(t, s.ClientURL())
	var done, refused atomic.Int32
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() {
		full := &work{do: func(_ context.Context, job string) (string, error) {
			if done.Add(1) == 1 { // the disk fills
				if _, err := js.AddStream(&nats.StreamConfig{Name: "OTHER", Subjects: []string{"other"}}); err != nil {
					t.Error(err)
				}
				for range 40 {
					if _, err := js.Publish("other", make([]byte, 200<<10)); err != nil {
						break
					}
				}
			}
			return strings.Repeat("x", 200<<10), nil
		}}
		w := &spread.Worker{Name: "w", Slots: 2, Open: func(context.Context, spread.Offer, string) (spread.Work, error) { return full, nil },
			Say: func(line string) {
				if strings.Contains(line, "cannot be stored") && refused.Add(1) == 1 {
					time.AfterFunc(time.Second, func() { js.DeleteStream("OTHER") }) //nolint:errcheck // the test fails then
				}
			}}
		if err := l.Work(ctx, w); err != nil {
			t.Error(err)
		}
	})
	defer working.Wait()
	defer stop()
	q := offer(t, l, "this", nil)
	n := 0
	late, stopLate := context.WithTimeout(ctx, time.Minute)
	defer stopLate()
	if err := q.Run(late, jobs(5), func(int, []byte) error { n++; return nil }); err != nil || n != 5 {
		t.Errorf("%d results: %v", n, err)
	}
	if refused.Load() == 0 || done.Load() != 5 {
		t.Errorf("%d results were refused, %d jobs done for 5", refused.Load(), done.Load())
	}
}
