package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/spread"
)

func workerCommand() *cli.Command {
	return &cli.Command{
		Name: "worker", Usage: "make runs of the experiments that other machines offer",
		Description: "It joins every wire experiment and wire verdict with --nats at the same server, until it is interrupted. Plan and data\n" +
			"come from there; modules have to be here, or in the plan (wire build --bundle). Where the program, its kernels, the\n" +
			"engine or a module are others than there it says so and stays out: its results would be others too.\n\n" +
			"Examples:\n" +
			"   wire worker --nats nats://SECRET@HOST:4222\n" +
			"   wire worker --nats nats://brain.example:4222 --workers 8",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "nats", Required: true, Usage: "join the experiments at `SERVER`, the URL of one of NATS"},
			&cli.IntFlag{Name: "workers", Value: runtime.NumCPU(), Usage: "make `N` runs side by side"},
			modulesFlag(),
			engineFlag(),
		},
		Action: func(c *cli.Context) error {
			if !strings.Contains(c.String("nats"), "://") {
				return usagef("--nats %s: want the URL of a server, nats://HOST:4222", c.String("nats"))
			}
			l, err := spread.Open(c.Context, c.String("nats"), "", true)
			if err != nil {
				return err
			}
			defer l.Close()
			say := locked(c.App.ErrWriter)
			say("at " + l.URL)
			w := &spread.Worker{Name: workerName(), Slots: c.Int("workers"), Say: say, Open: spread.Join(
				func(_ context.Context, s *experiment.Spec) (experiment.Setup, io.Closer, error) {
					x, _, err := openExperiment(c, s)
					if err != nil || x.Modules == nil {
						return x, nil, err
					}
					return x, x.Modules, nil
				})}
			return l.Work(c.Context, w)
		},
	}
}

// workerName tells a worker from others.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

// locked says lines from several goroutines.
func locked(w io.Writer) func(string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, line)
	}
}

// sharing is an experiment whose runs are shared with workers.
type sharing struct {
	link  *spread.Link
	sweep *spread.Experiment
	store string // of a server of our own, beside the spec; "" for none
}

// share connects to the server that --nats names, or runs one.
func share(c *cli.Context, s *experiment.Spec, files []string) (*sharing, error) {
	x := &sharing{}
	where := c.String("nats")
	if !strings.Contains(where, "://") {
		x.store = s.Beside(spread.StoreEnding)
	}
	var err error
	if x.link, err = spread.Open(c.Context, where, x.store, false); err != nil {
		return nil, err
	}
	say := locked(c.App.ErrWriter)
	if x.store != "" {
		say("workers join by: wire worker --nats " + x.link.URL + ", with the token before the host if there is one")
	}
	x.sweep = &spread.Experiment{Link: x.link, Files: files, Slots: c.Int("workers"), Tell: func(n spread.News) {
		switch {
		case n.Out != "":
			say(fmt.Sprintf("worker %s stays out: %s", n.Worker, n.Out))
		case n.Worker != spread.Here:
			say(fmt.Sprintf("worker %s joins, %d runs at once", n.Worker, n.Slots))
		}
	}}
	return x, nil
}

// run makes the runs that are left, here alone where x is nil.
func (x *sharing) run(ctx context.Context, e *experiment.Experiment) error {
	if x == nil {
		return e.Run(ctx)
	}
	err := x.sweep.Begin(ctx, e)
	if err == nil {
		err = e.Run(ctx)
	}
	if closed := x.sweep.Close(err == nil); closed != nil && err == nil {
		return closed
	}
	if err == nil && x.store != "" {
		x.link.Close()
		err = os.RemoveAll(x.store)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
