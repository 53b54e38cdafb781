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
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/spread"
)

func workerCommand() *cli.Command {
	return &cli.Command{
		Name: "worker", Usage: "do what other machines offer: runs of experiments, pieces of evaluations, regions of a plan",
		Description: "It joins every wire experiment, wire verdict and wire eval with --nats at the same server, and steps regions of one plan\n" +
			"of wire run --over at a time, until it is interrupted. Plan and data\n" +
			"come from there; modules have to be here, or in the plan (wire build --bundle). Where the program, its kernels, the\n" +
			"engine or a module are others than there it says so and stays out: its results would be others too.\n\n" +
			"Examples:\n" +
			"   wire worker --nats nats://SECRET@HOST:4222\n" +
			"   wire worker --nats nats://brain.example:4222 --workers 8",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "nats", Required: true, Usage: "join what is offered at `SERVER`, the URL of one of NATS"},
			&cli.IntFlag{Name: "workers", Value: runtime.NumCPU(), Usage: "make `N` runs, or pieces, side by side"},
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
			w := &spread.Worker{Name: workerName(), Slots: c.Int("workers"), Say: say, Open: opener(c)}
			return both(c.Context,
				func(ctx context.Context) error { return l.Work(ctx, w) },
				func(ctx context.Context) error { return serveOver(ctx, l, say) })
		},
	}
}

// opener opens what a worker joins.
func opener(c *cli.Context) func(context.Context, spread.Offer, string) (spread.Work, error) {
	experiments := spread.Join(func(_ context.Context, s *experiment.Spec) (experiment.Setup, io.Closer, error) {
		x, _, err := openExperiment(c, s)
		if err != nil || x.Modules == nil {
			return x, nil, err
		}
		return x, x.Modules, nil
	})
	evaluations := spread.JoinEvaluation(func(_ context.Context, text, dir string) (*spread.Evaluator, error) {
		return openEvaluation(c, text, dir)
	})
	return func(ctx context.Context, o spread.Offer, dir string) (spread.Work, error) {
		switch o.Kind {
		case spread.KindExperiment:
			return experiments(ctx, o, dir)
		case spread.KindEvaluation:
			return evaluations(ctx, o, dir)
		}
		return nil, fmt.Errorf("this program knows no work of kind %q: want the same version here and there", o.Kind)
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

// sharing is work that is shared with workers.
type sharing struct {
	link   *spread.Link
	shared *spread.Shared
	store  string // of a server of our own; "" for none
}

// heartbeat is that of what is shared, see [spread.Offer]; tests do not wait so long.
var heartbeat time.Duration

// share connects to the server that --nats names, or runs one that keeps what it has
// in store. what is shared, for people: runs, pieces.
func share(c *cli.Context, shared *spread.Shared, store, what string) (*sharing, error) {
	where := c.String("nats")
	if strings.Contains(where, "://") {
		store = ""
	}
	l, err := spread.Open(c.Context, where, store, false)
	if err != nil {
		return nil, err
	}
	say := locked(c.App.ErrWriter)
	if store != "" {
		say("workers join by: wire worker --nats " + l.URL + ", with the token before the host if there is one")
	}
	shared.Link, shared.Slots, shared.Heartbeat = l, c.Int("workers"), heartbeat
	shared.Tell = func(n spread.News) {
		switch {
		case n.Out != "":
			say(fmt.Sprintf("worker %s stays out: %s", n.Worker, n.Out))
		case n.Worker != spread.Here:
			say(fmt.Sprintf("worker %s joins, %d %s at once", n.Worker, n.Slots, what))
		}
	}
	return &sharing{l, shared, store}, nil
}

// run offers work, does it, and withdraws it. What a server of our own kept is
// removed when all is done.
func (x *sharing) run(ctx context.Context, offer, work func() error) error {
	err := offer()
	if err == nil {
		err = work()
	}
	if closed := x.shared.Close(err == nil); closed != nil && err == nil {
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
