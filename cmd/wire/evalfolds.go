package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
)

// foldEpochs is how long each fold's plan is trained.
const foldEpochs = 12

// evaluateFolds scores sounds by cross-validation.
func evaluateFolds(c *cli.Context, plan *wiring.Plan, dir string, split datasets.Split) error {
	if split == datasets.Train {
		return usagef("--sound-folds scores the sounds of training and validation split; --split test adds those of the test split")
	}
	foldModules := c.String("fold-modules")
	if foldModules != "" && c.IsSet("modules") {
		return usagef("--fold-modules and --modules exclude each other: put the other modules beside the folds'")
	}
	sense := slices.IndexFunc(plan.Senses, func(s wiring.Sense) bool { return s.Kind == modules.KindSound })
	if sense < 0 {
		return fmt.Errorf("plan %q has no sense of sound", plan.Name)
	}
	options := eval.DefaultFolds()
	options.Resamples, options.Seed, options.Greedy = c.Int("resamples"), c.Uint64("seed"), c.Bool("greedy")
	options.Learn.Seed, options.Learn.Epochs = options.Seed, c.Int("epochs")
	options.Heard = foldModules == ""
	options.Prepare.Views = c.Int("views")
	options.Config.Policy, options.Config.ModuleTimeout = runtime.Policy(c.String("policy")), c.Duration("timeout")
	if err := options.Config.Validate(); err != nil {
		return usageError{err}
	}
	if err := options.Learn.Validate(); err != nil {
		return usageError{err}
	}
	if err := options.Config.Lesion(plan, c.StringSlice("lesion")); err != nil {
		return err
	}
	var err error
	if options.Prepare.Cache, err = featuresDir(c); err != nil {
		return err
	}
	cache, err := datasets.OpenCache(c.String("data"))
	if err != nil {
		return err
	}
	samples, err := eval.FoldSamples(cache, c.StringSlice("set"), split == datasets.Test)
	if err != nil {
		return err
	}
	samples.Pictures = examples.Spread(samples.Pictures, c.Int("limit"))
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return err
	}
	open := func(fold int, p *wiring.Plan) (*frozen.Modules, error) {
		finder := library.Finder{Dir: c.String("modules"), Base: dir}
		if foldModules != "" {
			finder.Dir = filepath.Join(foldModules, fmt.Sprint("fold-", fold))
			module := filepath.Join(finder.Dir, plan.Senses[sense].Module)
			if _, err := os.Stat(filepath.Join(module, modules.ManifestName)); err != nil {
				return nil, fmt.Errorf("there is no module in %s: %w", module, err)
			}
		}
		return frozen.Open(p, finder, engine)
	}
	show := newProgress(c.App.ErrWriter)
	options.Progress = func(what string, done, total int) { show.show(what, done, total, "") }
	rows, notes, err := eval.Folds(c.Context, plan, open, samples, options)
	show.finish()
	for _, n := range notes {
		fmt.Fprintln(c.App.ErrWriter, "note:", n)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	printFolds(c.App.Writer, rows)
	if options.Heard {
		fmt.Fprintln(c.App.ErrWriter, "note: the sound module was trained on the training split, so \"all\" flatters it; see the sounds it never heard, or --fold-modules")
	}
	return nil
}

func printFolds(w io.Writer, rows []eval.FoldRow) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	at := ""
	for _, r := range rows {
		if r.Group != at {
			if at != "" {
				t.Flush()
				fmt.Fprintln(w)
			}
			at = r.Group
			fmt.Fprintf(w, "%s in five folds, %s (n = %d)\n", r.Set, r.Group, r.N)
			fmt.Fprintln(t, "condition\tCIDEr-D\t95 %\tchance\tp\thead noun\t95 %\tchance\tp\tnamed first\t95 %\tchance\tp\t")
		}
		fmt.Fprintf(t, "%s\t%.3f\t[%.3f, %.3f]\t%.3f\t%.4f\t%.1f %%\t[%.1f, %.1f]\t%.1f %%\t%.4f\t", r.Condition,
			r.Metrics[eval.CIDErD], r.CI[eval.CIDErD][0], r.CI[eval.CIDErD][1], r.Chance.CIDErD, r.Chance.CIDErDP,
			100*r.Metrics[eval.HeadNoun], 100*r.CI[eval.HeadNoun][0], 100*r.CI[eval.HeadNoun][1], 100*r.Chance.HeadNoun, r.Chance.HeadNounP)
		if n := r.Naming; n != nil {
			fmt.Fprintf(t, "%.1f %%\t[%.1f, %.1f]\t%.1f %%\t%.4f\t\n", 100*n.R1, 100*n.R1CI[0], 100*n.R1CI[1], 100*n.Chance, n.P)
		} else {
			fmt.Fprint(t, "\t\t\t\t\n")
		}
	}
	t.Flush()
}
