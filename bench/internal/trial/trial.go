// Package trial builds small plans around modules of their own, teaches them and
// scores them beside their controls: what bench/parts and bench/steered share.
package trial

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	_ "github.com/connectomewire/wire/wiring/task/all" // the tasks that plans name
)

// Opened is a plan with its modules, which lie in a directory of their own.
type Opened struct {
	Plan    *wiring.Plan
	Modules *frozen.Modules
	dir     string
}

// Close closes the modules and removes them.
func (o *Opened) Close() {
	if o.Modules != nil {
		o.Modules.Close()
	}
	os.RemoveAll(o.dir)
}

// Open builds a plan. fill puts its modules into a library.
func Open(ctx context.Context, c *connectome.Connectome, recipe string, fill func(ctx context.Context, dir string) error) (*Opened, error) {
	dir, err := os.MkdirTemp("", "wire-trial")
	if err != nil {
		return nil, err
	}
	o := &Opened{dir: dir}
	if err := o.build(ctx, c, recipe, fill); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

func (o *Opened) build(ctx context.Context, c *connectome.Connectome, recipe string, fill func(ctx context.Context, dir string) error) error {
	if err := fill(ctx, o.dir); err != nil {
		return err
	}
	finder := library.Finder{Dir: o.dir}
	r, err := wiring.ParseRecipe("recipe.yaml", []byte(recipe))
	if err != nil {
		return err
	}
	info, err := frozen.Describe(r, finder)
	if err != nil {
		return err
	}
	if o.Plan, _, err = wiring.Build(c, r, wiring.BuildOptions{Modules: info, Seed: 1}); err != nil {
		return err
	}
	o.Modules, err = frozen.Open(o.Plan, finder, goengine.New())
	return err
}

// Options are those of a trial: everything is taught afresh, so many times.
func Options(seeds int, controls ...string) eval.OwnOptions {
	o := eval.OwnOptions{Options: eval.Default(), Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Answer: answer.Greedy(),
		Fresh: true, Seeds: seeds, Controls: controls}
	o.Learn.Noise, o.Learn.Rate = 0, 1e-2
	return o
}

// Print writes a table of conditions by one metric.
func Print(w io.Writer, rows []eval.Row, metric, title string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "condition\t%s\t95 %%\tplan − condition\t95 %%\n", title)
	for _, r := range rows {
		line := fmt.Sprintf("%s\t%.3f\t[%.3f, %.3f]", r.Condition, r.Metrics[metric], r.CI[metric][0], r.CI[metric][1])
		if d := Versus(rows, r.Condition, metric); d != nil {
			line += fmt.Sprintf("\t%+.3f\t[%+.3f, %+.3f]", d.Mean, d.Low, d.High)
		}
		fmt.Fprintln(t, line)
	}
	return t.Flush()
}

// Versus is by how much the plan is better than a condition; nil where they were not
// compared.
func Versus(rows []eval.Row, condition, metric string) *metrics.Interval {
	for _, r := range rows {
		for _, d := range r.Versus {
			if i, ok := d.Metrics[metric]; ok && d.Than == condition {
				return &i
			}
		}
	}
	return nil
}
