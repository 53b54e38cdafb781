// Command spread measures what giving jobs away costs: a server, a coordinator and
// workers in one machine, and jobs that take no time.
//
//	go run ./bench/spread -jobs 2000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/connectomewire/wire/runtime/spread"
)

func main() {
	jobs := flag.Int("jobs", 2000, "how many jobs")
	flag.Parse()
	if err := run(os.Stdout, *jobs); err != nil {
		fmt.Fprintln(os.Stderr, "spread:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, jobs int) error {
	if jobs < 1 {
		return errors.New("want one job or more")
	}
	fmt.Fprintln(w, "| workers | bytes of a result | jobs a second | µs a job |\n|---|---|---|---|")
	for _, bytes := range []int{2_000, 100_000} {
		for _, workers := range []int{1, 4, 16} {
			took, err := measure(jobs, workers, bytes)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "| %d | %d | %.0f | %.0f |\n", workers, bytes, float64(jobs)/took.Seconds(), took.Seconds()*1e6/float64(jobs))
		}
	}
	return nil
}

// nothing answers so many bytes at once.
type nothing struct{ bytes int }

func (n nothing) Do(context.Context, []byte) ([]byte, error) { return make([]byte, n.bytes), nil }
func (nothing) Close() error                                 { return nil }

// measure gives jobs to workers, each with a connection of its own.
func measure(jobs, workers, bytes int) (took time.Duration, err error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "spread")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	l, err := spread.Open(ctx, "127.0.0.1:0", dir, false)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	var working sync.WaitGroup
	failed := make([]error, workers)
	for i := range workers {
		working.Go(func() {
			own, err := spread.Open(ctx, l.URL, "", false)
			if err != nil {
				failed[i] = err
				return
			}
			defer own.Close()
			failed[i] = own.Work(ctx, &spread.Worker{Name: fmt.Sprint(i), Slots: 1, Open: func(context.Context, spread.Offer, string) (spread.Work, error) {
				return nothing{bytes}, nil
			}})
		})
	}
	defer func() {
		stop()
		working.Wait()
		err = errors.Join(append(failed, err)...)
	}()
	ready := make(chan spread.News, workers)
	q, err := l.Offer(ctx, spread.Offer{ID: "bench", Name: "bench"}, "", func(n spread.News) { ready <- n })
	if err != nil {
		return 0, err
	}
	for range workers {
		select {
		case <-ready:
		case <-time.After(20 * time.Second):
			return 0, errors.New("not all workers came")
		}
	}
	all := make([]spread.Job, jobs)
	for i := range all {
		all[i] = spread.Job{Name: fmt.Sprint(i), Data: fmt.Append(nil, i)}
	}
	began := time.Now()
	if err := q.Run(ctx, all, func(int, []byte) error { return nil }); err != nil {
		return 0, err
	}
	took = time.Since(began)
	return took, q.Close(true)
}
