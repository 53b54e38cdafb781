package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/lock"
	"github.com/connectomewire/wire/wiring"
)

// claimTraining makes sure that there is something to train, that nobody else
// is at it, and that it is not finished. done says that it is, and that this
// was said; otherwise the claim has to be released.
func claimTraining(c *cli.Context, dir string) (claim *lock.Lock, done bool, err error) {
	out := dir
	if c.Bool("adapter") && wiring.IsPlan(dir) {
		out = filepath.Join(dir, adapterName)
	}
	if claim, err = claimPlan(dir, out); err != nil {
		return nil, false, err
	}
	if c.Bool("fresh") || c.Bool("more") || c.Bool("estimate") || c.Int("width") > 0 || c.Int("rank") > 0 || !finished(out) {
		return claim, false, nil
	}
	claim.Release()
	fmt.Fprintf(c.App.ErrWriter, "%s is trained already, nothing was done: --more goes on from what it learned, --fresh starts again\n", out)
	return nil, true, nil
}

// finished says whether a plan was trained to the end: its training left no
// checkpoint to go on from.
func finished(dir string) bool {
	if _, err := os.Stat(filepath.Clean(dir) + ".checkpoint"); err == nil || !wiring.IsPlan(dir) {
		return false
	}
	p, err := wiring.Load(dir)
	return err == nil && p.Trained
}

// claimPlan makes sure that there is a plan in a directory, and that nobody else
// changes what is in out.
func claimPlan(dir, out string) (*lock.Lock, error) {
	if _, missing := os.Stat(dir); missing != nil && dir == "default" {
		return nil, usagef("the built-in plan is trained already and cannot be changed; build one of your own: wire build default -o plan")
	}
	if !wiring.IsPlan(dir) {
		_, err := wiring.Load(dir) // says what it is instead
		return nil, err
	}
	claim, err := lock.Acquire(filepath.Clean(out) + ".lock")
	if err != nil {
		return nil, fmt.Errorf("%s cannot be changed now: %w", out, err)
	}
	return claim, nil
}
