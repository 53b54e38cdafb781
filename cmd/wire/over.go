package main

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/runtime/over"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/wiring"
)

// checkOver refuses what a plan over workers cannot do.
func checkOver(c *cli.Context, plan *wiring.Plan) error {
	if c.IsSet("over") != c.IsSet("nats") {
		return usagef("--over N and --nats SERVER belong together: how many workers, and where they are")
	}
	if !c.IsSet("over") {
		return nil
	}
	if plan.IsRate() {
		return usagef("--over is of plans with modules and gated tracts; a reservoir runs in one process")
	}
	return nil
}

// team are the workers with which a plan is stepped.
type team struct {
	link        *spread.Link
	coordinator *over.Coordinator
	store       string // of a server of our own; "" for none
}

// gatherTeam calls for the workers that --over and --nats say.
func gatherTeam(c *cli.Context, plan *wiring.Plan) (t *team, err error) {
	t = &team{}
	defer func() {
		if err != nil {
			t.Close() //nolint:errcheck // the other error says more
		}
	}()
	where := c.String("nats")
	if !strings.Contains(where, "://") {
		if t.store, err = os.MkdirTemp("", "wire-nats"); err != nil {
			return nil, err
		}
	}
	if t.link, err = spread.Open(c.Context, where, t.store, false); err != nil {
		return nil, err
	}
	say := locked(c.App.ErrWriter)
	if t.store != "" {
		say("workers join by: wire worker --nats " + t.link.URL + ", with the token before the host if there is one")
	}
	t.coordinator, err = over.Gather(c.Context, over.NATS(t.link), t.link, plan, over.Options{Workers: c.Int("over"), Code: codeVersion(), Half: c.Bool("float16"), Say: say})
	return t, err
}

// Close lets the workers go.
func (t *team) Close() (err error) {
	if t == nil {
		return nil
	}
	if t.coordinator != nil {
		err = t.coordinator.Close()
	}
	if t.link != nil {
		t.link.Close()
	}
	if t.store != "" {
		os.RemoveAll(t.store)
	}
	return err
}

// serveOver steps regions of the plans of coordinators at a server.
func serveOver(ctx context.Context, l *spread.Link, say func(string)) error {
	return over.Worker{Name: workerName(), Code: codeVersion(), Say: say}.Serve(ctx, over.NATS(l), l)
}

// both does two things at once, until the context ends or one fails.
func both(ctx context.Context, do ...func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var w sync.WaitGroup
	errs := make([]error, len(do))
	for i, f := range do {
		w.Go(func() {
			if errs[i] = f(ctx); errs[i] != nil {
				stop(errs[i])
			}
		})
	}
	w.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
