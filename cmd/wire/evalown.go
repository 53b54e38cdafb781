package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// ownCategory groups the flags of an evaluation on one's own data.
const ownCategory = "own data"

// evaluateOwn scores a plan on data of one's own.
func evaluateOwn(c *cli.Context, plan *wiring.Plan, dir string) error {
	d, err := openOwn(c, c.String("data"), examples.Learned(plan))
	if err != nil {
		return err
	}
	if err := examples.Check(plan, d); err != nil {
		return err
	}
	if c.IsSet("mixture") {
		return usagef("--mixture: a plan's controls get the mixture that its history holds; leave it out")
	}
	split := datasets.Test
	if c.IsSet("split") {
		split = datasets.Split(c.String("split"))
	}
	switch {
	case split == datasets.Train:
		return usagef("--split train: what a plan learned from says nothing about it; score test or val")
	case c.IsSet("split") && c.IsSet("folds"):
		return usagef("--split is for data that are not scored by --folds")
	}
	spec := &ownEvaluation{
		Split: split, Folds: c.IsSet("folds"), Limit: c.Int("limit"), Blur: c.Float64("blur"), Views: c.Int("views"),
		Seed: c.Uint64("seed"), Seeds: c.Int("seeds"), Controls: c.StringSlice("control"), Learn: learn.Default(), Sure: c.Bool("curve"), Half: c.Bool("float16"),
	}
	if slices.Equal(spec.Controls, []string{"all"}) {
		spec.Controls = control.Of(plan)
	}
	spec.Learn.Seed, spec.Learn.Epochs, spec.Learn.Rate, spec.Learn.Noise = spec.Seed, c.Int("epochs"), c.Float64("rate"), c.Float64("noise")
	spec.Fresh = spec.Folds || spec.Seeds > 1
	if spec.Seeds < 1 {
		return usagef("--seeds %d: want 1 or more", spec.Seeds)
	}
	if !spec.Fresh && !plan.Trained {
		return fmt.Errorf("plan %q is not trained: train it on these data first (wire train %s --data %s), or let every fold or seed train one (--folds COLUMN, --seeds N)", plan.Name, dir, c.String("data"))
	}
	if err := spec.Learn.Validate(); err != nil {
		return usageError{err}
	}
	parts, err := spec.parts(d)
	if err != nil {
		return err
	}
	o := spec.options()
	o.Resamples = c.Int("resamples")
	if !spec.Fresh {
		if err := asLearned(c, plan, &parts[0], &o); err != nil {
			return err
		}
	}
	if o.Prepare.Cache, err = featuresDir(c); err != nil {
		return err
	}
	t, err := openTeller(c, plan, library.Finder{Dir: c.String("modules"), Base: dir}, c.Bool("beam"))
	if err != nil {
		return err
	}
	defer t.Close()
	o.Config, o.Answer = t.config, t.decode
	show := newProgress(c.App.ErrWriter)
	o.Progress = func(what string, done, total int) { show.show(what, done, total, "") }
	o.Prepare.Progress = show.preparing
	var items bytes.Buffer
	if c.String("items") != "" {
		o.Items = &items
	}
	with, told, err := shareEvaluation(c, plan, dir)
	if err != nil {
		return err
	}
	defer with.remove()
	var rows []eval.Row
	score := func() (err error) {
		rows, err = eval.Own(c.Context, plan, t.models, parts, o)
		show.finish()
		return err
	}
	if with != nil {
		if spec.Options, err = ownOptions(c); err != nil {
			return err
		}
		spec.Options.Wanted = examples.Learned(plan)
		if err := with.shareOwn(told, spec, d, c.String("data"), plan, t.models, parts, o); err != nil {
			return err
		}
		o.Elsewhere = with.Elsewhere
		err = with.run(c, told, score)
	} else {
		err = score()
	}
	if err != nil {
		return err
	}
	if name := c.String("items"); name != "" {
		if err := atomicfile.WriteBytes(name, items.Bytes()); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	printOwnRows(c.App.Writer, rows)
	return nil
}

// blur says how far the vectors of examples of one's own may err.
func blur(training []task.Example, x float64) {
	for i := range training {
		training[i].Blur = x
	}
}

// asLearned has what is compared with a trained plan learn as the plan did:
// from the training examples of the data, with the plan's own blur, or from the
// mixture that its history holds.
func asLearned(c *cli.Context, plan *wiring.Plan, part *eval.Part, o *eval.OwnOptions) error {
	taught := false
	for _, name := range o.Controls {
		made, err := control.Find(name)
		if err != nil {
			return usageError{err}
		}
		taught = taught || made.Trained
	}
	o.Learned = prepare.Records(plan)
	for _, name := range []string{"epochs", "rate", "noise", "views", "limit", "blur"} {
		switch {
		case !c.IsSet(name):
		case len(o.Learned) > 0:
			return usagef("--%s: controls get what the plan got (%s); to teach all of them otherwise, take --folds or --seeds", name, o.Learned[len(o.Learned)-1].Command)
		case !taught:
			return usagef("--%s is for what is taught: give --folds, --seeds or --control adapter", name)
		}
	}
	if taught && len(o.Learned) == 0 {
		fmt.Fprintf(c.App.ErrWriter, "note: plan %q does not say how it was trained; its controls are taught with the options here\n", plan.Name)
	}
	if len(o.Learned) > 0 {
		if err := asGiven(c, part, o.Learned); err != nil && taught {
			return err
		} else if err != nil {
			fmt.Fprintln(c.App.ErrWriter, "note:", err)
		}
	}
	for _, r := range o.Learned {
		if err := r.Check(examples.Spread(part.Train, r.Limit)); err != nil && taught {
			return err
		} else if err != nil {
			fmt.Fprintln(c.App.ErrWriter, "note:", err)
		}
	}
	return nil
}

// asGiven has a part's training examples be those of the plan's trainings.
func asGiven(c *cli.Context, part *eval.Part, records []prepare.Record) error {
	first := records[0]
	for _, r := range records {
		if r.Mixture != first.Mixture || r.Blur != first.Blur {
			return fmt.Errorf("the plan was trained on one thing after another (%s; %s), so that no control can be given the same in one go", first.Command, r.Command)
		}
	}
	if first.Mixture == "" {
		blur(part.Train, first.Blur)
		return nil
	}
	m, err := examples.ParseMixture(first.MixtureFile, []byte(first.Mixture))
	if err != nil {
		return err
	}
	train, val, err := mixture(c, m, "", own.Options{}) // the flags here are for other data
	if err != nil {
		return fmt.Errorf("the plan learned from a mixture: %w", err)
	}
	part.Train, part.Val = train, val
	return nil
}

// partsOf divides data as they say, with one split to score, or by their folds.
func partsOf(d *own.Dataset, split datasets.Split, folds bool) ([]eval.Part, error) {
	if !folds {
		p := eval.Part{}
		p.Train, p.Val, p.Test = examples.Split(d)
		if split == datasets.Val {
			p.Test = p.Val
		}
		if len(p.Test) == 0 || len(p.Train) == 0 {
			hint := "the split is drawn by --shares, or given by --split-column"
			if len(p.Val) > 0 && split == datasets.Test {
				hint = "the data's own split has no test; --split val scores the validation split, by which training chose its best epoch, and --folds 5 every row once"
			}
			return nil, fmt.Errorf("%d examples to learn from and %d to score: want some of both; %s", len(p.Train), len(p.Test), hint)
		}
		return []eval.Part{p}, nil
	}
	var parts []eval.Part
	for _, name := range d.Folds() {
		fold, err := d.Fold(name)
		if err != nil {
			return nil, err
		}
		p := eval.Part{Name: name}
		p.Train, p.Val, p.Test = examples.Split(fold)
		parts = append(parts, p)
	}
	if len(parts) < 2 {
		return nil, fmt.Errorf("the data have %d folds, want at least 2", len(parts))
	}
	return parts, nil
}

// compareMetrics orders metrics by name, and those of one name by the number
// behind it: r@5 comes before r@10.
func compareMetrics(a, b string) int {
	split := func(s string) (string, int) {
		name := strings.TrimRight(s, "0123456789")
		n, _ := strconv.Atoi(s[len(name):]) //nolint:errcheck // no number is 0
		return name, n
	}
	x, i := split(a)
	y, k := split(b)
	return cmp.Or(strings.Compare(x, y), cmp.Compare(i, k))
}

// printOwnRows prints a table of scores for each effector, and what the plan
// does better than the others.
func printOwnRows(w io.Writer, rows []eval.Row) {
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r eval.Row) bool { return r.Set != rows[0].Set })
		if n < 0 {
			n = len(rows)
		}
		measured := map[string]bool{} // not by all: ticks only where answers come early
		for _, r := range rows[:n] {
			for m := range r.Metrics {
				measured[m] = true
			}
		}
		names := slices.SortedFunc(maps.Keys(measured), compareMetrics)
		fmt.Fprintf(w, "%s (n = %d)\n", rows[0].Set, rows[0].N)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(t, "condition\t")
		for _, m := range names {
			fmt.Fprintf(t, "%s\t95 %%\t", m)
		}
		fmt.Fprintln(t)
		for _, r := range rows[:n] {
			fmt.Fprintf(t, "%s\t", r.Condition)
			for _, m := range names {
				ci := ""
				if i, ok := r.CI[m]; ok {
					ci = fmt.Sprintf("[%.3f, %.3f]", i[0], i[1])
				}
				if v, ok := r.Metrics[m]; ok {
					fmt.Fprintf(t, "%.3f\t%s\t", v, ci)
				} else {
					fmt.Fprint(t, "\t\t")
				}
			}
			fmt.Fprintln(t)
		}
		t.Flush()
		for _, r := range rows[:n] {
			for _, d := range r.Versus {
				for _, m := range slices.SortedFunc(maps.Keys(d.Metrics), compareMetrics) {
					i := d.Metrics[m]
					fmt.Fprintf(w, "%s − %s: %s %+.3f [%+.3f, %+.3f]\n", r.Condition, d.Than, m, i.Mean, i.Low, i.High)
				}
			}
		}
		if rows = rows[n:]; len(rows) > 0 {
			fmt.Fprintln(w)
		}
	}
}
