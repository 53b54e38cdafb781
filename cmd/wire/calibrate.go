package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/calibrate"
	"github.com/connectomewire/wire/runtime/eval"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/task"
)

func calibrateCommand() *cli.Command {
	return &cli.Command{
		Name: "calibrate", Usage: "find out how likely a plan's answers are right, and when it is not sure",
		ArgsUsage: "PLAN",
		Description: "Asks the plan about examples it did not learn from and about strangers: noise, silence, blank\n" +
			"pictures. One logistic rule then tells right answers from wrong ones and another what it was made for\n" +
			"from strangers, by the plan's own confidence, by how well a sentence goes with what was seen and with\n" +
			"what was meant, and by how usual the input is. They are kept in the plan's calibration.json: from then\n" +
			"on confidence is the chance that an answer is right, and answers below a threshold are \"not sure\". Of\n" +
			"your own data the validation split is asked; the table is cross-fitted in five folds.\n\n" +
			"Examples:\n" +
			"   wire calibrate plan --data flowers/                           labels of your own\n" +
			"   wire calibrate plan --eval-set stamps --eval-set emoji        packaged sets\n" +
			"   wire calibrate plan --eval-set sounds --photographs DIR       and captioned photographs",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "your own data at `PATH`, or with --eval-set the directory of pulled data (default: data in wire's cache)", Category: "data"},
			&cli.StringSliceFlag{Name: "eval-set", Usage: "ask about the validation split of `SET` (repeatable)", Category: "data"},
			&cli.StringFlag{Name: "mixture", Usage: "ask about the validation examples of the sources that a YAML `FILE` lists", Category: "data"},
			&cli.StringFlag{Name: "photographs", Usage: "ask about the captioned photographs in `DIR`", Category: "data"},
			&cli.IntFlag{Name: "limit", Usage: "ask about at most `N` examples of each set, evenly spread; 0 asks about all", Category: "data"},
			&cli.IntFlag{Name: "strangers", Value: 240, Usage: "show `N` strangers to every sense", Category: "data"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`SEED` of the strangers"},
			&cli.StringFlag{Name: "items", Usage: "keep every answer's signs in `FILE`, a line of JSON each"},
			&cli.BoolFlag{Name: "dry-run", Usage: "report, and leave the plan as it is"},
			&cli.BoolFlag{Name: "json", Usage: "print the report as JSON"},
		}, ownDataFlags(), networkFlags()),
		Action: calibratePlan,
	}
}

func calibratePlan(c *cli.Context) error {
	args, err := arguments(c, 1, "a plan's directory")
	if err != nil {
		return err
	}
	if !c.Bool("dry-run") {
		claim, err := claimPlan(args[0], args[0])
		if err != nil {
			return err
		}
		defer claim.Release()
	}
	plan, dir, err := loadPlan(args[0])
	if err != nil {
		return err
	}
	if err := noReservoir(plan, args[0], "its answers are numbers without a confidence to calibrate"); err != nil {
		return err
	}
	if !plan.Trained {
		return fmt.Errorf("plan %q is not trained: there is nothing to be sure of; run: wire train %s", plan.Name, args[0])
	}
	if len(c.StringSlice("lesion")) > 0 {
		return usagef("--lesion: a calibration is of the whole plan")
	}
	if len(c.StringSlice("eval-set")) == 0 && !c.IsSet("photographs") && !c.IsSet("mixture") && !c.IsSet("data") {
		return usagef("say what the plan is asked about: --data PATH (your own), --eval-set SET, --mixture FILE or --photographs DIR")
	}
	plan.Calibration = nil
	t, err := openTeller(c, plan, library.Finder{Dir: c.String("modules"), Base: dir}, false)
	if err != nil {
		return err
	}
	defer t.Close()
	show := newProgress(c.App.ErrWriter)
	x := &calibration{c: c, t: t, plan: plan, progress: func(what string, done, total int) { show.show(what, done, total, "") }}
	err = x.gather(c.Context, dir)
	show.finish()
	if err != nil {
		return err
	}
	for _, n := range x.notes {
		fmt.Fprintln(c.App.ErrWriter, "note:", n)
	}
	rules, reports, err := calibrate.Fit(plan, x.items)
	if err != nil {
		return err
	}
	if name := c.String("items"); name != "" {
		if err := atomicfile.Write(name, x.write); err != nil {
			return err
		}
	}
	if !c.Bool("dry-run") {
		plan.Calibration = rules
		facts := map[string]float64{}
		for _, r := range reports {
			facts[r.Effector+" answers"], facts[r.Effector+" calibration error"] = float64(r.N), r.Error
		}
		plan.History = append(plan.History, wiring.Event{What: "calibrate", Seed: c.Uint64("seed"), Command: commandLine(), Facts: facts})
		if err := plan.Save(dir); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, reports)
	}
	for _, r := range reports {
		printCalibration(c.App.Writer, r)
	}
	return nil
}

// calibration gathers what a plan is asked about.
type calibration struct {
	c        *cli.Context
	t        *teller
	plan     *wiring.Plan
	progress func(what string, done, total int)
	items    []calibrate.Item
	notes    []string
}

// usualLimit bounds the training examples that show what is usual.
const usualLimit = 400

func (x *calibration) gather(ctx context.Context, dir string) error {
	sets, photos, mixture := x.c.StringSlice("eval-set"), x.c.String("photographs"), x.c.String("mixture")
	if len(sets) == 0 && mixture == "" && x.c.IsSet("data") {
		if err := x.own(ctx); err != nil {
			return err
		}
	}
	if mixture != "" {
		if err := x.mixed(ctx, mixture); err != nil {
			return err
		}
	}
	if len(sets) > 0 {
		cache, err := datasets.OpenCache(x.c.String("data"))
		if err != nil {
			return err
		}
		for _, name := range sets {
			set, err := eval.Open(cache, name, datasets.Val)
			if err != nil {
				return err
			}
			if err := x.add(ctx, set); err != nil {
				return err
			}
			usual, err := eval.Usual(ctx, set, x.t.session, usualLimit, x.progress)
			if err != nil {
				return err
			}
			x.items = append(x.items, usual...)
		}
	}
	if photos != "" {
		captions, err := eval.PhotographsFile(photos)
		if err != nil {
			return err
		}
		finder := library.Finder{Dir: x.c.String("modules"), Base: dir}
		set, err := eval.OpenPhotographs(ctx, eval.Photographs{Captions: captions, Progress: x.progress, Module: func(name string) (fs.FS, error) {
			found, err := finder.Find(name)
			return found.Files, err
		}}, x.plan, x.t.models)
		if err != nil {
			return err
		}
		if err := x.add(ctx, set); err != nil {
			return err
		}
	}
	strange, err := calibrate.AskStrangers(ctx, x.t.session, x.c.Int("strangers"), x.c.Uint64("seed"), x.progress)
	x.items = append(x.items, strange...)
	return err
}

// add asks about a set.
func (x *calibration) add(ctx context.Context, set *eval.Set) error {
	items, notes, err := eval.Asked(ctx, set, x.t.session, x.c.Int("limit"), x.progress)
	x.items, x.notes = append(x.items, items...), append(x.notes, notes...)
	return err
}

// mixed asks about the validation examples of a mixture.
func (x *calibration) mixed(ctx context.Context, name string) error {
	cache, err := datasets.OpenCache(x.c.String("data"))
	if err != nil {
		return err
	}
	m, err := examples.ReadMixture(name)
	if err != nil {
		return err
	}
	_, val, err := m.Examples(ctx, cache, own.Options{})
	if err != nil {
		return err
	}
	return x.ask(ctx, "mixture", examples.Spread(val, x.c.Int("limit")))
}

// ask asks about examples of a set, in their order.
func (x *calibration) ask(ctx context.Context, set string, all []task.Example) error {
	for i, e := range all {
		it, err := calibrate.AskExample(ctx, x.t.session, set, e)
		if err != nil {
			return err
		}
		x.items = append(x.items, it)
		x.progress("asking about "+set, i+1, len(all))
	}
	return nil
}

// own asks about the validation split of one's own data; what was learned from
// shows what is usual.
func (x *calibration) own(ctx context.Context) error {
	d, err := openOwn(x.c, x.c.String("data"), examples.Learned(x.plan))
	if err != nil {
		return err
	}
	if err := examples.Check(x.plan, d); err != nil {
		return err
	}
	train, val, _ := examples.Split(d)
	val = examples.Spread(val, x.c.Int("limit"))
	if len(val) == 0 {
		return fmt.Errorf("%s: no example is kept for validation; a calibration on what was learned from would promise too much (--shares, --split-column)", x.c.String("data"))
	}
	if err := x.ask(ctx, "validation", val); err != nil {
		return err
	}
	asked := len(x.items)
	if err := x.ask(ctx, "training", examples.Spread(train, usualLimit)); err != nil {
		return err
	}
	// What was learned from shows what is usual, not what is answered rightly.
	for i := asked; i < len(x.items); i++ {
		x.items[i].Signs, x.items[i].Right = nil, nil
	}
	return nil
}

// write writes a line for every answer that was judged.
func (x *calibration) write(w io.Writer) error {
	lines := json.NewEncoder(w)
	for _, it := range x.items {
		if it.Right == nil {
			continue
		}
		if err := lines.Encode(it); err != nil {
			return err
		}
	}
	return nil
}

// printCalibration prints an effector's report for people.
func printCalibration(w io.Writer, r calibrate.Report) {
	fmt.Fprintf(w, "%s: %d answers, %.1f %% right; %d about strangers. Cross-fitted in five folds:\n", r.Effector, r.N, 100*r.Right, r.Strangers)
	fmt.Fprintf(w, "expected calibration error %.3f; area under the curve %.3f right against wrong (%.3f by the plan's own confidence)",
		r.Error, r.RightWrong, r.Before[0])
	if r.Strangers > 0 {
		fmt.Fprintf(w, ", %.3f known against strange (%.3f)", r.Known, r.Before[1])
	}
	fmt.Fprintf(w, "\nnot sure below %.2f: %.0f %% of right answers, %.0f %% of wrong ones", r.Sure, 100*r.UnsureRight, 100*r.UnsureWrong)
	if r.Strangers > 0 {
		fmt.Fprintf(w, ", %.0f %% of those about strangers", 100*r.UnsureStrangers)
	}
	fmt.Fprint(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "chance\tanswers\tmean chance\tright\t")
	for _, b := range r.Bins {
		if b.N > 0 {
			fmt.Fprintf(t, "%.1f–%.1f\t%d\t%.2f\t%.2f\t\n", b.Low, b.High, b.N, b.Confidence, b.Accuracy)
		}
	}
	fmt.Fprintln(t, "\t\t\t\t")
	fmt.Fprintln(t, "set\tanswers\tmean chance\tright\tnot sure\t")
	for _, s := range r.Sets {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.0f %%\t\n", s.Set, s.N, s.Confidence, s.Right, 100*s.Unsure)
	}
	t.Flush()
}
