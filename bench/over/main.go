// Command over measures a plan that is stepped by several processes: ticks a second,
// and what passes between them.
//
//	go run ./bench/over                  # 82 regions, 2,380 tracts, d 64, r 8
//	go run ./bench/over -model -o docs/images/over.svg
//
// Coordinator, server and workers share this machine; workers are processes of their
// own. An injected delay is added to every message at its sender. Each row is the
// median of rounds; processor time is that of all processes, with the server.
//
// With -model it measures what tracts, messages and bytes cost here, and computes from
// that how far a plan of 100,000 regions goes on up to 1,000 workers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/over"
	"github.com/connectomewire/wire/runtime/spread"
	_ "github.com/connectomewire/wire/wiring/head" // the heads that plans name
)

func main() {
	rounds := flag.Int("rounds", 3, "rounds of each row")
	lasts := flag.Duration("lasts", time.Second, "how long a round lasts, about")
	isModel := flag.Bool("model", false, "compute how far it goes")
	out := flag.String("o", "", "with -model, an SVG to draw")
	worker := flag.String("worker", "", "be a worker at a server (for its own processes)")
	delay := flag.Duration("delay", 0, "of its messages")
	serve := flag.Bool("server", false, "be a server (for its own processes)")
	flag.Parse()
	var err error
	switch {
	case *worker != "":
		err = work(*worker, *delay)
	case *serve:
		err = onlyServe()
	case *isModel:
		err = model(os.Stdout, *out)
	default:
		err = run(os.Stdout, *rounds, *lasts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "over:", err)
		os.Exit(1)
	}
}

// work steps regions until the process is ended.
func work(url string, delay time.Duration) error {
	l, err := spread.Open(context.Background(), url, "", true)
	if err != nil {
		return err
	}
	return over.Worker{Name: fmt.Sprint(os.Getpid())}.Serve(context.Background(), late(over.NATS(l), delay), l)
}

// way is how a plan is stepped.
type way struct {
	name      string
	processes int // goroutines that step regions, of one process
	workers   int // beside the coordinator
	delay     time.Duration
}

func run(w io.Writer, rounds int, lasts time.Duration) error {
	if rounds < 1 || lasts <= 0 {
		return errors.New("want a round or more, that lasts some time")
	}
	ways := []way{
		{"one process, one goroutine", 1, 0, 0},
		{"one process, two goroutines", 2, 0, 0},
		{"coordinator and 1 worker", 1, 1, 0},
		{"coordinator and 2 workers", 1, 2, 0},
		{"coordinator and 2 workers, 0.1 ms", 1, 2, 100 * time.Microsecond},
		{"coordinator and 2 workers, 1 ms", 1, 2, time.Millisecond},
		{"coordinator and 2 workers, 10 ms", 1, 2, 10 * time.Millisecond},
	}
	fmt.Fprintln(w, "| stepped by | inputs | ticks a second | processor ms a tick | an episode of one tick | messages a tick | kB a tick |\n|---|---|---|---|---|---|---|")
	for _, x := range ways {
		if err := measure(w, x, rounds, lasts); err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	return nil
}

// measure prints the rows of one way.
func measure(w io.Writer, x way, rounds int, lasts time.Duration) (err error) {
	p := ticking.Plan(82, 2380, 64, 8)
	config := runtime.Default()
	config.Processes = x.processes
	var children []int
	processor := func() time.Duration {
		all := cputime.Process()
		for _, pid := range children {
			all += processorTime(pid)
		}
		return all
	}
	traffic := func() (messages, bytes int64) { return 0, 0 }
	if x.workers > 0 {
		s, end, err := startServer()
		if err != nil {
			return err
		}
		defer end()
		traffic = func() (int64, int64) {
			v, err := s.Varz(nil)
			if err != nil {
				return 0, 0
			}
			return v.InMsgs, v.InBytes
		}
		for range x.workers {
			c := exec.Command(os.Args[0], "-worker", s.ClientURL(), "-delay", x.delay.String())
			c.Stderr = os.Stderr
			if err := c.Start(); err != nil {
				return err
			}
			children = append(children, c.Process.Pid)
			defer func() { c.Process.Kill(); c.Wait() }() //nolint:errcheck // it is killed
		}
		l, err := spread.Open(context.Background(), s.ClientURL(), "", false)
		if err != nil {
			return err
		}
		defer l.Close()
		c, err := over.Gather(context.Background(), late(over.NATS(l), x.delay), l, p, over.Options{Workers: x.workers})
		if err != nil {
			return err
		}
		defer c.Close()
		config.Share = c.Share()
	}
	n, err := runtime.New(p, config)
	if err != nil {
		return err
	}
	for _, batch := range []int{1, 32} {
		in := [][]float32{ticking.Numbers(batch * ticking.Inputs)}
		ticks := func(many int) (time.Duration, error) {
			began := time.Now()
			_, err := n.Run(context.Background(), runtime.Episode{Batch: batch, Inputs: in, Ticks: many})
			return time.Since(began), err
		}
		if _, err := ticks(1); err != nil { // workers have come
			return err
		}
		took, err := ticks(20)
		if err != nil {
			return err
		}
		many := max(20, int(20*lasts/took))
		var rates, ones, busy []float64
		var messages, bytes float64
		for range rounds {
			one, err := ticks(1)
			if err != nil {
				return err
			}
			m, b := traffic()
			before := processor()
			took, err := ticks(many)
			if err != nil {
				return err
			}
			busy = append(busy, 1e3*(processor()-before).Seconds()/float64(many))
			m2, b2 := traffic()
			messages, bytes = float64(m2-m)/float64(many), float64(b2-b)/float64(many)
			rates, ones = append(rates, float64(many)/took.Seconds()), append(ones, 1e3*one.Seconds())
		}
		fmt.Fprintf(w, "| %s | %d | %.0f | %.2f | %.2f ms | %.2f | %.1f |\n", x.name, batch, median(rates), median(busy), median(ones), messages, bytes/1e3)
	}
	return nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// startServer runs a server in this process.
func startServer() (s *server.Server, end func(), err error) {
	dir, err := os.MkdirTemp("", "over")
	if err != nil {
		return nil, nil, err
	}
	s, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, nil, err
	}
	s.Start()
	end = func() { s.Shutdown(); s.WaitForShutdown(); os.RemoveAll(dir) }
	if !s.ReadyForConnections(10 * time.Second) {
		end()
		return nil, nil, errors.New("the server does not start")
	}
	return s, end, nil
}
