package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Usage: "score a plan beside its controls and baselines", ArgsUsage: "PLAN|default",
		Description: "With --data, on the test split of your own data: the plan, without each of its senses, its task's\n" +
			"baselines on the same frozen features, and every --control. Without, captions of packaged sets:\n" +
			"CIDEr-D and head nouns on held-out concepts, beside nothing to see, the untrained plan, the adapter\n" +
			"(if trained), a constant caption, the nearest neighbour and the consensus of 30. Intervals are\n" +
			"paired bootstraps.\n\n" +
			"   wire eval plan --data flowers/                  your own data, test split\n" +
			"   wire eval plan --data sounds/ --folds fold      one plan a fold, pooled; --control rewired\n" +
			"   wire eval plan                                  stamps, emoji and sounds, validation split\n" +
			"   wire eval plan --eval-set stamps --json\n" +
			"   wire eval plan --beside default                 the same inputs to another plan, paired\n" +
			"   wire eval default --data DIR --eval-set photos  captioned photographs, DIR/photos/coco/captions.tsv\n" +
			"   wire eval plan --split test                     for the final report only\n" +
			"   wire eval plan --lesion lh-pericalcarine --lesion rh-pericalcarine\n" +
			"   wire eval plan --data sounds/ --folds fold --nats SECRET@0.0.0.0:4222    with the help of any wire worker --nats nats://SECRET@HOST:4222\n" +
			"   wire eval plan --sound-folds                          sounds by cross-validation: trains five plans\n\n" +
			"There are few sounds, so --sound-folds scores each of them once, with a plan trained on the other\n" +
			"folds and on --limit training pictures; with --set all --set extra-sounds also on the sounds of\n" +
			"games that share no name with the fold. Chance is what the same captions score when they are\n" +
			"dealt out anew within a fold. The plan's sound module was trained on the training split; give\n" +
			"modules that never heard a fold with --fold-modules. Sounds of the test split take part only\n" +
			"with --split test.\n\n" +
			"A control learns from exactly the examples, and in the way, that the plan's own history records.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "split", Value: string(datasets.Val), Usage: "`SPLIT` that is scored: of packaged sets val, or test for the final report; of your own data test, if not said otherwise", DefaultText: "val, or of your own data test"},
			&cli.StringSliceFlag{Name: "eval-set", Value: cli.NewStringSlice("stamps", "emoji", "sounds"), Usage: "score on `SET`: stamps, emoji, style, sounds, triples, … (repeatable)"},
			&cli.IntFlag{Name: "eval-limit", Usage: "score only `N` inputs of a set, evenly spread; 0 takes all"},
			&cli.IntFlag{Name: "resamples", Value: eval.Default().Resamples, Usage: "bootstrap resamples, `N`"},
			&cli.Uint64Flag{Name: "seed", Value: eval.Default().Seed, Usage: "seed of the bootstrap, `N`"},
			&cli.StringFlag{Name: "sentences", Usage: "with --eval-set photos, a `FILE` of sentences, a line each, in which the neighbours are looked up"},
			&cli.BoolFlag{Name: "greedy", Usage: "leave out the slower beam-mbr conditions"},
			&cli.StringFlag{Name: "beside", Usage: "another `PLAN`, with modules of its own, scored on the same inputs of the packaged sets: paired differences"},
			&cli.BoolFlag{Name: "sound-folds", Usage: "score sounds in five folds, training a plan for each", Category: "folds"},
			&cli.StringFlag{Name: "fold-modules", Usage: "take fold K's sound module from `DIR`/fold-K/NAME", Category: "folds"},
			&cli.IntFlag{Name: "epochs", Value: foldEpochs, Usage: "passes over the examples of whatever is taught, `N`", Category: "folds"},
			&cli.Float64Flag{Name: "rate", Value: learn.Default().Rate, Usage: "largest learning rate of whatever is taught on your own data, `X`", Category: ownCategory},
			&cli.Float64Flag{Name: "noise", Value: learn.Default().Noise, Usage: "noise on the inputs of whatever is taught on your own data, `X`", Category: ownCategory},
			&cli.BoolFlag{Name: "float16", Usage: "score the plan with its tracts' matrices in 16 bits too, and count the answers that change", Category: ownCategory},
			&cli.BoolFlag{Name: "curve", Usage: "score the plan's answers after each tick too, and as soon as it is sure", Category: ownCategory},
			&cli.StringSliceFlag{Name: "control", Usage: "teach and score a `CONTROL` too: " + strings.Join(control.Names(), ", ") + ", or all that the plan can have (repeatable)", Category: ownCategory},
			&cli.IntFlag{Name: "seeds", Value: 1, Usage: "teach everything anew with `N` seeds and average; more than 1 also teaches the plan", Category: ownCategory},
			&cli.StringFlag{Name: "items", Usage: "keep every item's score, a line of JSON each, in `FILE`", Category: ownCategory},
			&cli.BoolFlag{Name: "json", Usage: "print an array of rows as JSON"},
		}, dataFlags(), ownDataFlags(), networkFlags(), evalSharingFlags()),
		Action: evaluate,
	}
}

func evaluate(c *cli.Context) error {
	args, err := arguments(c, 1, "a plan's directory, or \"default\"")
	if err != nil {
		return err
	}
	split := datasets.Split(c.String("split"))
	if split != datasets.Val && split != datasets.Test && split != datasets.Train {
		return usagef("there is no split %q; choose val or test", split)
	}
	plan, dir, err := loadPlan(args[0])
	if err != nil {
		return err
	}
	if err := noReservoir(plan, args[0], "wire train "+shellWord(args[0])+" --rule readout scores it on the steps that it did not learn from"); err != nil {
		return err
	}
	if err := checkSharing(c); err != nil {
		return err
	}
	packaged := !ownData(c) && !c.Bool("sound-folds") && !slices.Contains(c.StringSlice("eval-set"), photographs)
	if c.IsSet("beside") && !packaged {
		return usagef("--beside is for the packaged sets, such as --eval-set stamps: for data of your own, --items keeps each plan's scores")
	}
	if ownData(c) {
		return evaluateOwn(c, plan, dir)
	}
	if err := notOwn(c); err != nil {
		return err
	}
	if slices.Contains(c.StringSlice("eval-set"), photographs) {
		if len(c.StringSlice("eval-set")) > 1 {
			return usagef("--eval-set %s is scored by itself: photographs are placed by bridges that never saw them", photographs)
		}
		return evaluatePhotographs(c, plan, dir)
	}
	if c.Bool("sound-folds") {
		if c.String("nats") != "" {
			return usagef("--nats: the folds of --sound-folds are taught here; folds of data of your own can be shared (--data PATH --folds COLUMN)")
		}
		return evaluateFolds(c, plan, dir, split)
	}
	for _, name := range []string{"fold-modules", "epochs"} {
		if c.IsSet(name) {
			return usagef("--%s is for --sound-folds only", name)
		}
	}
	if err := asTrained(c, prepare.Records(plan)); err != nil {
		return err
	}
	cache, err := datasets.OpenCache(c.String("data"))
	if err != nil {
		return err
	}
	var sets []*eval.Set
	for _, name := range c.StringSlice("eval-set") {
		set, err := eval.Open(cache, name, split)
		if err != nil {
			return err
		}
		sets = append(sets, set)
	}
	teller, err := openTeller(c, plan, library.Finder{Dir: c.String("modules"), Base: dir}, false)
	if err != nil {
		return err
	}
	defer teller.Close()
	who, err := contestants(c.Context, plan, dir, teller)
	if err != nil {
		return err
	}
	checks := addChecks(nil, plan, teller.models)
	if c.IsSet("beside") {
		other, at, err := loadPlan(c.String("beside"))
		if err != nil {
			return fmt.Errorf("--beside: %w", err)
		}
		beside, models, err := openBeside(c, other, at, teller.config)
		if err != nil {
			return err
		}
		defer models.Close()
		who.Beside = beside
		addChecks(checks, other, models)
	}
	show := newProgress(c.App.ErrWriter)
	data, _, err := prepareData(c, plan, teller.models, show)
	if err != nil {
		return err
	}
	if err := scoreSets(c, sets, who, plan, dir, checks, data, show); err != nil || c.Bool("json") {
		return err
	}
	if who.Adapter == nil {
		fmt.Fprintf(c.App.ErrWriter, "note: no adapter was trained; its rows are missing (wire train %s --adapter)\n", args[0])
	}
	return nil
}

// notOwn refuses options that packaged sets do not heed.
func notOwn(c *cli.Context) error {
	for _, f := range slices.Concat(c.Command.Flags, ownDataFlags()) {
		named, ok := f.(cli.CategorizableFlag)
		own := ok && named.GetCategory() == ownCategory || slices.ContainsFunc(ownDataFlags(), func(o cli.Flag) bool { return o.Names()[0] == f.Names()[0] })
		if name := f.Names()[0]; own && c.IsSet(name) {
			return usagef("--%s is for data of your own: name them with --data PATH, and no --eval-set", name)
		}
	}
	return nil
}

// scoreSets scores sets and prints their rows. checks are what workers must have
// alike.
func scoreSets(c *cli.Context, sets []*eval.Set, who eval.Contestants, plan *wiring.Plan, dir string, checks map[string]string, data *learn.Data, show *progress) error {
	options := eval.Default()
	options.Resamples, options.Seed, options.Limit = c.Int("resamples"), c.Uint64("seed"), c.Int("eval-limit")
	options.Greedy, options.Progress = c.Bool("greedy"), func(what string, done, total int) { show.show(what, done, total, "") }
	rows := []eval.Row{}
	with, told, err := shareEvaluation(c, plan, dir)
	if err != nil {
		return err
	}
	defer with.remove()
	score := func() error {
		for k, set := range sets {
			if with != nil {
				options.Elsewhere = with.set(k)
			}
			scored, notes, err := eval.Evaluate(c.Context, set, who, plan, data, options)
			show.finish()
			for _, n := range notes {
				fmt.Fprintln(c.App.ErrWriter, "note:", n)
			}
			if err != nil {
				return err
			}
			rows = append(rows, scored...)
		}
		return nil
	}
	if with != nil {
		told.Photographs = who.Alone != nil
		if err := with.shareSets(told, sets, who, options, checks); err != nil {
			return err
		}
		err = with.run(c, told, score)
	} else {
		err = score()
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	printRows(c.App.Writer, rows)
	return nil
}

// openBeside opens the plan of --beside, which lies in dir, with modules of its own.
func openBeside(c *cli.Context, plan *wiring.Plan, dir string, config runtime.Config) (*answer.Session, *frozen.Modules, error) {
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return nil, nil, err
	}
	models, err := frozen.Open(plan, library.Finder{Base: dir}, engine)
	if err != nil {
		return nil, nil, fmt.Errorf("--beside: %w", err)
	}
	config.LesionRegions, config.LesionTracts = nil, nil
	session, err := answer.New(c.Context, plan, models, config)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("--beside: %w", err), models.Close())
	}
	return session, models, nil
}

// contestants are the plan and, where there are any, its controls: itself
// before learning, and the adapter that was trained beside it.
func contestants(ctx context.Context, plan *wiring.Plan, dir string, teller *teller) (eval.Contestants, error) {
	who := eval.Contestants{Plan: teller.session}
	if plan.Trained {
		var err error
		if who.Untrained, err = answer.New(ctx, control.Untrained(plan), teller.models, teller.config); err != nil {
			return who, err
		}
	}
	if control := filepath.Join(dir, adapterName); dir != "" && wiring.IsPlan(control) {
		adapter, err := wiring.Load(control)
		if err != nil {
			return who, err
		}
		config := teller.config
		config.LesionRegions, config.LesionTracts = nil, nil
		if who.Adapter, err = answer.New(ctx, adapter, teller.models, config); err != nil {
			return who, err
		}
	}
	return who, nil
}

// printRows prints a table of scores for each set and group, and one of how
// much better the plan is than its rivals.
func printRows(w io.Writer, rows []eval.Row) {
	for len(rows) > 0 {
		first := rows[0]
		n := slices.IndexFunc(rows, func(r eval.Row) bool { return r.Set != first.Set || r.Group != first.Group })
		if n < 0 {
			n = len(rows)
		}
		fmt.Fprintf(w, "%s, %s split, %s (n = %d)\n", first.Set, first.Split, first.Group, first.N)
		printScores(w, rows[:n])
		printDifferences(w, rows[:n])
		if rows = rows[n:]; len(rows) > 0 {
			fmt.Fprintln(w)
		}
	}
}

func printScores(w io.Writer, rows []eval.Row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "condition\tCIDEr-D\t95 %\thead noun\t95 %\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%.3f\t[%.3f, %.3f]\t%.1f %%\t[%.1f, %.1f]\t\n", r.Condition, r.Metrics[eval.CIDErD], r.CI[eval.CIDErD][0], r.CI[eval.CIDErD][1],
			100*r.Metrics[eval.HeadNoun], 100*r.CI[eval.HeadNoun][0], 100*r.CI[eval.HeadNoun][1])
	}
	t.Flush()
}

// printDifferences prints the paired differences of the conditions that have
// more than one rival, which are the trained plan's.
func printDifferences(w io.Writer, rows []eval.Row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	title := "difference\tCIDEr-D\t95 %\thead noun\t95 %\t\n"
	for _, r := range rows {
		if len(r.Versus) < 2 {
			continue
		}
		fmt.Fprint(t, title)
		title = ""
		for _, d := range r.Versus {
			cider, noun := d.Metrics[eval.CIDErD], d.Metrics[eval.HeadNoun]
			fmt.Fprintf(t, "%s − %s\t%+.3f\t[%+.3f, %+.3f]\t%+.1f %%\t[%+.1f, %+.1f]\t\n", r.Condition, d.Than,
				cider.Mean, cider.Low, cider.High, 100*noun.Mean, 100*noun.Low, 100*noun.High)
		}
	}
	t.Flush()
}
