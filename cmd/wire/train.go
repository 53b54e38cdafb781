package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/cost"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// adapterName is the directory, inside a plan's, of its trained control.
const adapterName = "adapter"

func trainCommand() *cli.Command {
	o := learn.Default()
	return &cli.Command{
		Name: "train", Usage: "learn a plan's tracts from examples", ArgsUsage: "PLAN",
		Description: "Frozen modules run once over the data; their outputs are kept for the next time.\n" +
			"Ctrl-C keeps a checkpoint: the same command goes on where it stopped, to the same bits.\n\n" +
			"   wire train plan --data flowers/                          pictures of your own, one folder a label\n" +
			"   wire train plan --data houses.csv --input vector=area+age --target number=price\n" +
			"   wire data pull stamps emoji-google && wire train plan     packaged pictures and sentences\n" +
			"   wire train plan --set all --set extra-sounds             also the sounds of games\n" +
			"   wire train plan --set stamps --limit 500 --epochs 2      a quick look\n" +
			"   wire train plan --data flowers/ --estimate               only what it would cost\n" +
			"   wire train ferret --more --only tracts --data flowers/   what a changed plan makes of it\n" +
			"   wire train plan --adapter                                the control without a brain, into plan/adapter\n" +
			"   wire train reservoir --rule readout --task memory-capacity --data u.csv --ridge 1e-6",
		Flags: slices.Concat(dataFlags(), ownDataFlags(), []cli.Flag{
			&cli.IntFlag{Name: "epochs", Value: o.Epochs, Usage: "passes over the training examples, `N`"},
			&cli.Uint64Flag{Name: "seed", Value: o.Seed, Usage: "seed of order, views and noise, `N`"},
			&cli.Float64Flag{Name: "rate", Value: o.Rate, Usage: "largest learning rate, `X`; an adapter does best with a third of it"},
			&cli.IntFlag{Name: "batch", Value: o.Batch, Usage: "examples a step, `N`"},
			&cli.Float64Flag{Name: "noise", Value: o.Noise, Usage: "noise on the standardised inputs, `X`"},
			&cli.IntFlag{Name: "patience", Value: o.Patience, Usage: "stop after `N` epochs without a better validation loss; 0 never"},
			&cli.StringSliceFlag{Name: "only", Usage: "let nothing learn but `WHAT`: tracts (with their regions' gates and biases), senses, effectors or parts (repeatable)"},
			&cli.IntFlag{Name: "width", Usage: "start afresh with `D` numbers in a region's state"},
			&cli.IntFlag{Name: "rank", Usage: "start afresh with `R` numbers on a tract"},
			&cli.BoolFlag{Name: "more", Usage: "go on learning from a plan that is trained already"},
			&cli.BoolFlag{Name: "fresh", Usage: "start from untrained parameters and forget the checkpoint"},
			&cli.BoolFlag{Name: "adapter", Usage: "train the plan's control without tracts, of equal size, into PLAN/" + adapterName},
			&cli.BoolFlag{Name: "half", Usage: "round what was learned to float16: a plan of half the size"},
			&cli.IntFlag{Name: "workers", Usage: "processors to use, `N`; 0 means all. It does not change the result"},
			&cli.BoolFlag{Name: "estimate", Usage: "only say what it would cost: parameters, multiply-adds, time, memory"},
			engineFlag(), modulesFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"},
		}, readoutFlags()),
		Action: train,
	}
}

// dataFlags say which data are used, and how they are prepared.
func dataFlags() []cli.Flag {
	p := prepare.Default()
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "your own data at `PATH`, or with --set or --mixture the directory of pulled data (default: data in wire's cache)", Category: "data"},
		&cli.StringSliceFlag{Name: "set", Value: cli.NewStringSlice("all"), Usage: "learn from the training split of `SET` (repeatable; see: wire data list)", Category: "data"},
		&cli.IntFlag{Name: "views", Value: p.Views, Usage: "random views of each training picture, `N`", Category: "data"},
		&cli.StringFlag{Name: "mixture", Usage: "learn from the sources that a YAML `FILE` lists, instead", Category: "data"},
		&cli.Float64Flag{Name: "blur", Usage: "noise of length `X` on what modules make of your own data, at length 1: texts that stand for pictures err by as much as the bridge from pictures to the space of texts, about 1.2", Category: "data"},
		&cli.IntFlag{Name: "limit", Usage: "take only `N` training and validation examples, evenly spread; 0 takes all", Category: "data"},
		&cli.StringFlag{Name: "features", Usage: "keep the modules' outputs in `DIR` (default: features in wire's cache)", Category: "data"},
	}
}

// trainSummary is what `wire train --json` prints.
type trainSummary struct {
	Plan       string         `json:"plan"`
	Train      int            `json:"train_examples"`
	Val        int            `json:"val_examples"`
	LeftOut    map[string]int `json:"left_out"`
	Unreadable int            `json:"unreadable"`
	Parameters int            `json:"parameters"`
	Epochs     int            `json:"epochs"`
	Best       int            `json:"best_epoch"`
	Steps      int            `json:"steps"`
	TrainLoss  learn.Loss     `json:"train_loss"`
	ValLoss    *learn.Loss    `json:"val_loss"`
	Seconds    float64        `json:"seconds"`
	Engine     string         `json:"engine"`
	// Estimate is what was said before the training began.
	Estimate *cost.Estimate `json:"estimate"`
}

func train(c *cli.Context) error {
	args, err := arguments(c, 1, "a plan's directory")
	if err != nil {
		return err
	}
	fits, err := readoutRule(c, args[0])
	if err != nil {
		return err
	}
	if fits {
		return trainReadout(c, args[0])
	}
	if err := refuse(c, "is of a reservoir's readout", readoutFlags()[1:]); err != nil {
		return err
	}
	claim, done, err := claimTraining(c, args[0])
	if err != nil || done {
		return err
	}
	defer claim.Release()
	dir, out := args[0], args[0]
	plan, err := wiring.Load(dir)
	if err != nil {
		return err
	}
	var same []prepare.Record // what a control has to learn from
	if c.Bool("adapter") {
		same = prepare.Records(plan) // before --fresh forgets them
	}
	if err := resize(c, plan); err != nil {
		return err
	}
	if c.Bool("adapter") {
		if err := asTrained(c, same); err != nil {
			return err
		}
		if err := asTaught(c, same); err != nil {
			return err
		}
		if plan, err = wiring.Adapter(plan); err != nil {
			return err
		}
		out = filepath.Join(dir, adapterName)
	}
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return err
	}
	models, err := frozen.Open(plan, library.Finder{Dir: c.String("modules"), Base: dir}, engine)
	if err != nil {
		return err
	}
	defer models.Close()

	began := time.Now()
	show := newProgress(c.App.ErrWriter)
	training, val, mixed, err := trainingExamples(c, plan, same)
	if err != nil {
		return err
	}
	for _, r := range same {
		if err := r.Check(training); err != nil {
			return err
		}
	}
	data, report, err := prepareExamples(c, plan, models, training, val, show)
	if err != nil {
		return err
	}
	printPrepared(c.App.ErrWriter, report)

	options, err := trainOptions(c, out)
	if err != nil {
		return err
	}
	estimate, err := cost.Of(c.Context, plan, data, options)
	if err != nil {
		return err
	}
	if c.Bool("estimate") && c.Bool("json") {
		return printJSON(c.App.Writer, estimate)
	}
	if c.Bool("estimate") {
		fmt.Fprintln(c.App.Writer, estimate)
		return nil
	}
	fmt.Fprintln(c.App.ErrWriter, estimate)
	if c.Bool("fresh") {
		if err := os.Remove(options.Checkpoint); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	options.Progress = show.training
	result, err := learn.Fit(c.Context, plan, data, options)
	show.finish()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(c.App.ErrWriter, "stopped; %s keeps what was learned: run the same command again to go on\n", options.Checkpoint)
		return err
	}
	if err != nil {
		return err
	}
	record := prepare.RecordOf(options, prepare.Options{Views: c.Int("views")}, training)
	record.Limit, record.Command = c.Int("limit"), commandLine()
	switch {
	case mixed != nil:
		record.Mixture, record.MixtureFile = mixed.Text, mixed.File()
	case ownData(c):
		record.Blur = c.Float64("blur")
	default:
		record.Sets = c.StringSlice("set")
	}
	record.Note(plan)
	models.Pin(plan)
	for i := range plan.Modules {
		if plan.Modules[i].Source, err = library.Rebase(plan.Modules[i].Source, dir, out); err != nil {
			return err
		}
	}
	if c.Bool("half") {
		plan.Params.RoundToHalf()
	}
	if err := plan.Save(out); err != nil {
		return err
	}
	if err := os.Remove(options.Checkpoint); err != nil && !os.IsNotExist(err) {
		return err
	}
	s := trainSummary{
		Plan: out, Train: report.Train, Val: report.Val, LeftOut: report.LeftOut, Unreadable: len(report.Unreadable),
		Parameters: plan.Params.Count(), Epochs: result.Epochs, Best: result.Best, Steps: result.Steps,
		TrainLoss: result.Train, ValLoss: result.Val, Seconds: time.Since(began).Seconds(), Engine: models.Engine(),
		Estimate: estimate,
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, s)
	}
	fmt.Fprintf(c.App.Writer, "trained %s: %d parameters, %d epochs (kept: %d), %s, %.0f s\n", out, s.Parameters, s.Epochs, s.Best, lossLine(result.Train, result.Val), s.Seconds)
	words := ""
	if ownData(c) {
		words = dataWords(c)
	}
	fmt.Fprintf(c.App.Writer, "next:  wire eval %s%s      or      wire run %s %s\n", shellWord(dir), words, shellWord(dir), toBeGiven(plan))
	return nil
}

// toBeGiven says how the first sense of a plan is given something.
func toBeGiven(p *wiring.Plan) string {
	if len(p.Senses) > 0 {
		if s := &p.Senses[0]; s.Kind == wiring.KindVector {
			return fmt.Sprintf("--input %s=NUMBERS", shellWord(s.Name))
		}
	}
	return "FILE"
}

// lossLine is a loss for people: the total, and what the best epoch is chosen
// by, on the validation examples where there are any.
func lossLine(train learn.Loss, val *learn.Loss) string {
	if val == nil {
		return fmt.Sprintf("training loss %.3f (no validation examples)", train.Total)
	}
	if strings.HasSuffix(val.By, "negative loss") && val.Score == -val.Total { // says it twice
		return fmt.Sprintf("training loss %.3f, validation loss %.3f", train.Total, val.Total)
	}
	return fmt.Sprintf("training loss %.3f, validation loss %.3f, %s %.3f", train.Total, val.Total, val.By, val.Score)
}

// resize gives the plan the width and rank that are asked for, and, with them
// or afresh, parameters that learned nothing.
func resize(c *cli.Context, plan *wiring.Plan) error {
	w, r := c.Int("width"), c.Int("rank")
	if w <= 0 && r <= 0 && !c.Bool("fresh") {
		return nil
	}
	if w > 0 {
		plan.Width = w
	}
	if r > 0 {
		plan.Rank = r
	}
	if err := plan.CheckMemory(); err != nil {
		return err
	}
	plan.Trained = false
	plan.Init(plan.Provenance.Seed)
	plan.History = prepare.Forget(plan.History)
	return plan.Validate()
}

// trainOptions are those of learning a plan that is written to out.
func trainOptions(c *cli.Context, out string) (learn.Options, error) {
	options := learn.Default()
	options.Seed, options.Epochs, options.Rate, options.Batch = c.Uint64("seed"), c.Int("epochs"), c.Float64("rate"), c.Int("batch")
	options.Noise, options.Patience, options.Workers = c.Float64("noise"), c.Int("patience"), c.Int("workers")
	options.Only, options.Shards = c.StringSlice("only"), min(options.Shards, options.Batch)
	options.Checkpoint, options.Every = filepath.Clean(out)+".checkpoint", 50
	if err := options.Validate(); err != nil {
		return options, usageError{err}
	}
	return options, nil
}

// asTrained gives the options of data that were not given the values of a
// plan's last training: what is compared with a plan gets what the plan got.
func asTrained(c *cli.Context, records []prepare.Record) error {
	if len(records) == 0 {
		return nil
	}
	last := records[len(records)-1]
	given := map[string][]string{"views": {strconv.Itoa(last.Views)}, "limit": {strconv.Itoa(last.Limit)}, "blur": {strconv.FormatFloat(last.Blur, 'g', -1, 64)}}
	if !ownData(c) {
		given["set"] = last.Sets
	}
	for name, values := range given {
		if c.IsSet(name) {
			continue
		}
		for _, v := range values {
			if err := c.Set(name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// printPrepared says what there is to learn from.
func printPrepared(w io.Writer, report *prepare.Report) {
	fmt.Fprintf(w, "%d training and %d validation examples; %d left out, %d unreadable\n",
		report.Train, report.Val, report.LeftOutTotal(), len(report.Unreadable))
	for _, reason := range slices.Sorted(maps.Keys(report.LeftOut)) {
		fmt.Fprintf(w, "  %d: %s\n", report.LeftOut[reason], reason)
	}
	for i, u := range report.Unreadable {
		if i == 3 {
			fmt.Fprintf(w, "  … and %d more\n", len(report.Unreadable)-i)
			break
		}
		fmt.Fprintln(w, "  "+u)
	}
}

// asTaught has a control learn for as long and in the way that its plan did,
// where the options do not say otherwise, and refuses another mixture than the
// one that the plan learned from, which its history holds.
func asTaught(c *cli.Context, records []prepare.Record) error {
	if n := len(records); n > 0 {
		last := records[n-1]
		for name, v := range map[string]float64{
			"epochs": float64(last.Epochs), "batch": float64(last.Batch), "patience": float64(last.Patience), "rate": last.Rate, "noise": last.Noise,
		} {
			if c.IsSet(name) {
				continue
			}
			if err := c.Set(name, strconv.FormatFloat(v, 'g', -1, 64)); err != nil {
				return err
			}
		}
	}
	for _, r := range records {
		if r.Mixture != records[0].Mixture {
			return errors.New("the plan learned from several mixtures, one after the other: no control can be trained in one go")
		}
		if c.String("mixture") == "" {
			continue
		}
		m, err := examples.ReadMixture(c.String("mixture"))
		if err != nil {
			return err
		}
		if m.Text != r.Mixture {
			return fmt.Errorf("%s: the plan learned from another mixture, or from none; leave --mixture out, and the control gets what the plan got", c.String("mixture"))
		}
	}
	return nil
}

// trainingExamples reads the examples that the options name: of a mixture, of
// one's own data, or of packaged sets; for a control, those that the records of
// its plan's trainings tell.
func trainingExamples(c *cli.Context, plan *wiring.Plan, same []prepare.Record) (training, val []task.Example, mixed *examples.Mixture, err error) {
	switch {
	case c.String("mixture") != "":
		if c.IsSet("set") || c.IsSet("input") || c.IsSet("target") {
			return nil, nil, nil, usagef("--mixture names its own sources: leave --set, --input and --target out")
		}
		if mixed, err = examples.ReadMixture(c.String("mixture")); err != nil {
			return nil, nil, nil, err
		}
	case len(same) > 0 && same[0].Mixture != "":
		if mixed, err = examples.ParseMixture(same[0].MixtureFile, []byte(same[0].Mixture)); err != nil {
			return nil, nil, nil, err
		}
	}
	switch {
	case mixed != nil:
		o, err := ownOptions(c)
		if err != nil {
			return nil, nil, nil, err
		}
		if training, val, err = mixture(c, mixed, c.String("data"), o); err != nil {
			return nil, nil, nil, err
		}
	case ownData(c):
		d, err := openOwn(c, c.String("data"), examples.Learned(plan))
		if err != nil {
			return nil, nil, nil, err
		}
		if err := examples.Check(plan, d); err != nil {
			return nil, nil, nil, err
		}
		if c.String("folds") != "" {
			fmt.Fprintln(c.App.ErrWriter, "note: one plan is trained, on the training split; wire eval with the same --folds trains one a fold")
		}
		training, val, _ = examples.Split(d)
		blur(training, c.Float64("blur"))
	default:
		cache, err := datasets.OpenCache(c.String("data"))
		if err != nil {
			return nil, nil, nil, err
		}
		set, err := cache.OpenTogether(c.StringSlice("set"))
		if err != nil {
			return nil, nil, nil, err
		}
		training, val = examples.Training(set)
	}
	return examples.Spread(training, c.Int("limit")), examples.Spread(val, c.Int("limit")), mixed, nil
}

// prepareData runs the modules over the data that the options name, from the
// cache where they ran before.
func prepareData(c *cli.Context, plan *wiring.Plan, models *frozen.Modules, show *progress) (*learn.Data, *prepare.Report, error) {
	training, val, _, err := trainingExamples(c, plan, nil)
	if err != nil {
		return nil, nil, err
	}
	return prepareExamples(c, plan, models, training, val, show)
}

// prepareExamples runs the modules over examples.
func prepareExamples(c *cli.Context, plan *wiring.Plan, models *frozen.Modules, training, val []task.Example, show *progress) (*learn.Data, *prepare.Report, error) {
	options := prepare.Default()
	options.Views = c.Int("views")
	var err error
	if options.Cache, err = featuresDir(c); err != nil {
		return nil, nil, err
	}
	options.Progress = show.preparing
	data, report, err := prepare.Prepare(c.Context, plan, models, training, val, options)
	show.finish()
	return data, report, err
}

// featuresDir is where the modules' outputs are kept.
func featuresDir(c *cli.Context) (string, error) {
	if dir := c.String("features"); dir != "" {
		return dir, nil
	}
	return modules.CacheDir("features")
}

// mixture reads what the sources of a mixture give; pulled ones lie in a cache.
func mixture(c *cli.Context, m *examples.Mixture, dir string, o own.Options) (training, val []task.Example, err error) {
	cache, err := datasets.OpenCache(dir)
	if err != nil {
		return nil, nil, err
	}
	o.Progress = ownProgress(c)
	return m.Examples(c.Context, cache, o)
}
