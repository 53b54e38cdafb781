package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/examples"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/prepare"
)

// openOwn reads the data at a path as the flags say.
func openOwn(c *cli.Context, path string) (*own.Dataset, error) {
	o, err := ownOptions(c)
	if err != nil {
		return nil, err
	}
	o.Progress = ownProgress(c)
	d, err := own.Open(c.Context, path, o)
	if err != nil {
		return nil, err
	}
	for _, n := range d.Report.Notes {
		fmt.Fprintln(c.App.ErrWriter, "note:", n)
	}
	if bad := len(d.Report.Bad); bad > 0 {
		fmt.Fprintf(c.App.ErrWriter, "note: %d bad rows left out; wire data doctor %s lists them\n", bad, path)
	}
	return d, nil
}

// ownData says that a command's data are one's own, and not a packaged set in
// wire's cache.
func ownData(c *cli.Context, sets string) bool { return c.IsSet("data") && !c.IsSet(sets) }

// fitRecipe completes a recipe with what data say: which of its senses they
// have, how wide their numbers are, and what effectors choose among.
func fitRecipe(c *cli.Context, r *wiring.Recipe, o *wiring.BuildOptions) (*wiring.Recipe, error) {
	chosen := c.StringSlice("sense")
	if c.String("data") == "" {
		return r.Choose(chosen)
	}
	d, err := openOwn(c, c.String("data"))
	if err != nil {
		return nil, err
	}
	if len(chosen) == 0 && len(r.DefaultSenses) > 0 {
		for _, s := range r.Senses {
			if slices.ContainsFunc(d.Inputs, func(b own.Binding) bool { return b.Name == s.Name }) {
				chosen = append(chosen, s.Name)
			}
		}
	}
	if r, err = r.Choose(chosen); err != nil {
		return nil, err
	}
	o.Widths = examples.Widths(d)
	o.Settings = map[string]wiring.Settings{}
	train, val, test := examples.Split(d)
	all := slices.Concat(train, val, test)
	for _, t := range r.Tasks {
		kind, err := prepare.Lookup(t.Kind)
		if err != nil {
			return nil, fmt.Errorf("recipe %q: %w", r.Name, err)
		}
		target := t.Target
		if target == "" {
			target = t.Effector
		}
		s, err := kind.Settings(target, all)
		if err != nil {
			return nil, fmt.Errorf("%s: task %q: %w; its targets are %s (say which with --target %s=COLUMN)", c.String("data"), t.Kind, err, bindings(d.Targets), target)
		}
		if s != nil {
			o.Settings[t.Effector] = s
		}
	}
	return r, nil
}

func bindings(list []own.Binding) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = b.Name
	}
	return strings.Join(names, ", ")
}

// checkBindings refuses data that name senses or targets which a plan lacks,
// or have none that it has.
func checkBindings(p *wiring.Plan, d *own.Dataset) error {
	inputs, targets := 0, 0
	for _, b := range d.Inputs {
		if p.Sense(b.Name) != nil {
			inputs++
		}
	}
	for _, b := range d.Targets {
		if slices.ContainsFunc(p.Tasks, func(t wiring.Task) bool { return t.Target == b.Name }) {
			targets++
		}
	}
	var senses, wanted []string
	for _, s := range p.Senses {
		if s.Kind != wiring.KindMemory {
			senses = append(senses, s.Name)
		}
	}
	for _, t := range p.Tasks {
		wanted = append(wanted, t.Target)
	}
	switch {
	case inputs == 0:
		return fmt.Errorf("the data give %s; the plan's senses are %s: say which column is which with --input SENSE=COLUMN", bindings(d.Inputs), strings.Join(senses, ", "))
	case targets == 0 && !pairsOnly(p):
		return fmt.Errorf("the data have the targets %s; the plan learns %s: say which column is which with --target NAME=COLUMN", bindings(d.Targets), strings.Join(wanted, ", "))
	}
	return nil
}

// pairsOnly says that a plan learns from pairs of inputs and needs no target.
func pairsOnly(p *wiring.Plan) bool {
	return !slices.ContainsFunc(p.Tasks, func(t wiring.Task) bool { return t.Kind != "retrieval" })
}
