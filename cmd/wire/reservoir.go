package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// reservoirRecipe is the recipe of a plan of rate cells. It is no file: all that
// it says are options.
const reservoirRecipe = "reservoir"

const reservoirCategory = "reservoir"

// reservoirFlags are what `wire build --recipe reservoir` takes.
func reservoirFlags() []cli.Flag {
	number := func(name string, value float64, usage string) cli.Flag {
		return &cli.Float64Flag{Name: name, Value: value, Usage: usage, Category: reservoirCategory}
	}
	text := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, Usage: usage, Category: reservoirCategory}
	}
	return []cli.Flag{
		number("rho", 0.95, "spectral radius of the tracts' weights, `R`; 0 leaves the weights as they are"),
		text("signs", reservoir.SignsOwn, "signs of the weights: "+strings.Join(reservoir.SignSchemes(), ", ")+" (drawn by --seed), or a `FILE` of -1, 0 and 1, row = target"),
		text("input-weights", reservoir.InputUniform, "how the input enters each region: "+strings.Join(reservoir.InputSchemes(), ", ")+" (drawn by --seed), or a `FILE` with a row a region"),
		number("input-gain", 1, "factor of all input weights, `X`"),
		&cli.IntFlag{Name: "inputs", Usage: "numbers that enter a step, `N` (default: 1, or the columns of --input-weights)", Category: reservoirCategory},
		number("leak", 1, "share `A` of the new in x ← (1−A)x + A·tanh(…)"),
		number("bias", 0, "number `B` that is added in every region"),
		text("activation", wiring.ActivationTanh, "`tanh|linear`"),
	}
}

// readoutFlags are what `wire train` takes for a plan of rate cells.
func readoutFlags() []cli.Flag {
	whole := func(name, usage string) cli.Flag {
		return &cli.IntFlag{Name: name, Usage: usage, Category: reservoirCategory}
	}
	return []cli.Flag{
		&cli.StringFlag{Name: "rule", Usage: "what learns: `gradient`, tracts and heads by back-propagation; or readout, a reservoir's by ridge regression (default: as the plan's cells ask)"},
		&cli.StringFlag{Name: "task", Usage: "fit the readout to `TASK`: " + strings.Join(reservoir.Names(), ", "), Category: reservoirCategory},
		&cli.StringFlag{Name: "ridge", Value: "cv", Usage: "λ over the training steps, `X`, or cv: the best over five blocks of them", Category: reservoirCategory},
		whole("washout", "first steps of each series that are not asked about, `N` (default: the task's)"),
		&cli.Float64Flag{Name: "train-share", Value: reservoir.DefaultShare, Usage: "share `X` of the steps, or series, that are learned from, where the data have no split", Category: reservoirCategory},
		whole("lags", "longest lag of memory-capacity, `N` (default: 60)"),
		whole("horizon", "steps ahead that mackey-glass predicts, `N` (default: 1)"),
		whole("back", "steps back that n-back asks for, `N` (default: 2)"),
		whole("trials", "series or trials that are made without --data, `N` (default: the task's)"),
		whole("steps", "steps of each, `N` (default: the task's)"),
	}
}

// refuse is a mistake about options that were given but mean nothing here.
func refuse(c *cli.Context, why string, flags []cli.Flag) error {
	for _, f := range flags {
		if name := f.Names()[0]; c.IsSet(name) {
			return usagef("--%s %s", name, why)
		}
	}
	return nil
}

// named gives flags by their names.
func named(names ...string) []cli.Flag {
	out := make([]cli.Flag, len(names))
	for i, n := range names {
		out[i] = &cli.StringFlag{Name: n}
	}
	return out
}

// buildReservoir is `wire build --recipe reservoir`.
func buildReservoir(c *cli.Context, name, dir string, place map[string][]string) error {
	if err := refuse(c, "is of recipes with modules and gated tracts; a reservoir has neither", slices.Concat(
		named("width", "rank", "settle", "neighbours", "sense", "data", "modules", "bundle"), ownDataFlags())); err != nil {
		return err
	}
	o := reservoir.Options{
		Rho: c.Float64("rho"), Leak: c.Float64("leak"), Bias: c.Float64("bias"), Activation: c.String("activation"),
		Inputs: c.Int("inputs"), InputGain: c.Float64("input-gain"), Seed: c.Uint64("seed"), Command: commandLine(), Version: version(),
	}
	var err error
	if o.Signs, o.SignMatrix, err = schemeOrFile(c, "signs", reservoir.SignSchemes()); err != nil {
		return err
	}
	if o.InputWeights, o.InputMatrix, err = schemeOrFile(c, "input-weights", reservoir.InputSchemes()); err != nil {
		return err
	}
	for part, regions := range place {
		switch part {
		case reservoir.SenseName:
			o.Enter = regions
		case reservoir.EffectorName:
			o.Read = regions
		default:
			return usagef("--place %s: a reservoir has the parts %s and %s", part, reservoir.SenseName, reservoir.EffectorName)
		}
	}
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	brain, err := readConnectome(c, name)
	if err != nil {
		return err
	}
	if err := checkConnectome(c, brain); err != nil {
		return err
	}
	if o.File, o.SHA256, err = fingerprint(name); err != nil {
		return err
	}
	plan, report, err := reservoir.Build(brain, o)
	if err != nil {
		return err
	}
	if err := plan.Save(dir); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, builtReservoir{
			Plan: dir, Recipe: reservoirRecipe, Connectome: brain.Name, Synthetic: brain.Synthetic, Regions: report.Regions, Tracts: report.Tracts,
			Negative: report.Negative, SpectralRadius: report.Radius, Before: report.Before, Entered: report.Entered, Read: report.Read, Inputs: plan.Senses[0].Width,
		})
	}
	fmt.Fprint(c.App.Writer, report)
	if brain.Synthetic {
		fmt.Fprintln(c.App.Writer, "note: this connectome is synthetic: a rule made it, nobody measured it")
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\nnext:  wire train %s --rule readout --task memory-capacity\n", dir, shellWord(dir))
	return nil
}

// builtReservoir is what `wire build --recipe reservoir --json` prints.
type builtReservoir struct {
	Plan           string  `json:"plan"`
	Recipe         string  `json:"recipe"`
	Connectome     string  `json:"connectome"`
	Synthetic      bool    `json:"synthetic"`
	Regions        int     `json:"regions"`
	Tracts         int     `json:"tracts"`
	Negative       int     `json:"negative_tracts"`
	SpectralRadius float64 `json:"spectral_radius"`
	Before         float64 `json:"spectral_radius_before"`
	Entered        int     `json:"input_regions"`
	Read           int     `json:"readout_regions"`
	Inputs         int     `json:"inputs"`
}

// schemeOrFile is an option that names a way of drawing, or a file of numbers.
func schemeOrFile(c *cli.Context, option string, schemes []string) (string, *reservoir.Matrix, error) {
	v := c.String(option)
	if v == "all-"+reservoir.SignsPositive {
		v = reservoir.SignsPositive
	}
	if slices.Contains(schemes, v) {
		return v, nil, nil
	}
	if _, err := os.Stat(v); err != nil {
		return "", nil, usagef("--%s %s: no such file, and none of %s", option, v, strings.Join(schemes, ", "))
	}
	m, err := reservoir.ReadMatrix(v)
	return "", m, err
}

// ridgeOf reads --ridge.
func ridgeOf(c *cli.Context) (ridge float64, choose bool, err error) {
	v := c.String("ridge")
	if v == "cv" {
		return 0, true, nil
	}
	ridge, err = strconv.ParseFloat(v, 64)
	if err != nil || !(ridge >= 0 && ridge <= 1e6) {
		return 0, false, usagef("--ridge %s: want a number from 0 to 1e6, or cv", v)
	}
	return ridge, false, nil
}

// readoutRule says whether `wire train` fits a readout: as --rule says, or as
// the plan's cells ask.
func readoutRule(c *cli.Context, dir string) (bool, error) {
	rule := c.String("rule")
	if rule != "" && rule != "readout" && rule != "gradient" {
		return false, usagef("--rule %s: want gradient or readout", rule)
	}
	if !wiring.IsPlan(dir) {
		return false, nil // what follows says so
	}
	p, err := wiring.Load(dir)
	if err != nil {
		return false, err
	}
	switch {
	case rule == "readout" && !p.IsRate():
		return false, usagef("--rule readout: plan %q has gated cells, whose tracts learn; a readout is fitted to a reservoir: wire build FILE --recipe reservoir", p.Name)
	case rule == "gradient" && p.IsRate():
		return false, usagef("--rule gradient: plan %q is a reservoir, whose tracts do not learn: --rule readout", p.Name)
	}
	return p.IsRate(), nil
}

// trainReadout is `wire train --rule readout`.
func trainReadout(c *cli.Context, dir string) error {
	if err := refuse(c, "is of learning by gradients; a readout is fitted at once", slices.Concat(ownDataFlags(),
		named("set", "views", "mixture", "blur", "limit", "features", "epochs", "rate", "batch", "noise", "patience", "only", "width", "rank", "more", "fresh", "adapter", "half", "workers", "estimate", "engine", "modules"))); err != nil {
		return err
	}
	if !c.IsSet("task") {
		return usagef("say what the readout learns, --task TASK: %s", strings.Join(reservoir.Names(), ", "))
	}
	task, err := reservoir.Find(c.String("task"))
	if err != nil {
		return usageError{err}
	}
	o := reservoir.FitOptions{Washout: -1, Share: c.Float64("train-share"), Command: commandLine()}
	if c.IsSet("washout") {
		o.Washout = c.Int("washout")
	}
	if o.Ridge, o.Choose, err = ridgeOf(c); err != nil {
		return err
	}
	o.Task = reservoir.TaskOptions{
		Lags: c.Int("lags"), Horizon: c.Int("horizon"), Back: c.Int("back"), Rows: c.Int("trials"), Steps: c.Int("steps"), Seed: c.Uint64("seed"),
	}
	claim, err := claimPlan(dir, dir)
	if err != nil {
		return err
	}
	defer claim.Release()
	plan, err := wiring.Load(dir)
	if err != nil {
		return err
	}
	var data *reservoir.Data
	if c.IsSet("data") {
		if err := refuse(c, "is of data that are made; --data has its own", named("trials", "steps", "seed")); err != nil {
			return err
		}
		data, err = task.Read(c.String("data"), o.Task)
	} else {
		data, err = task.Generate(o.Task)
	}
	if err != nil {
		return err
	}
	result, err := reservoir.Fit(plan, task, data, o)
	if err != nil {
		return err
	}
	if err := plan.Save(dir); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, result)
	}
	printReadout(c.App.Writer, result)
	fmt.Fprintf(c.App.Writer, "wrote the readout to %s\nnext:  wire run %s FILE.csv\n", dir, shellWord(dir))
	return nil
}

// printReadout prints a result for people.
func printReadout(w io.Writer, r *reservoir.Result) {
	how := ""
	if r.Chosen {
		how = ", chosen by blocks"
	}
	fmt.Fprintf(w, "%s: %d steps to learn from, %d to test on, ridge %.3g%s\n", r.Task, r.Train, r.Test, r.Ridge, how)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	metric := "nrmse"
	switch {
	case r.Capacity != nil:
		metric = "capacity"
		fmt.Fprintf(t, "capacity\t%.4f\n", *r.Capacity)
		for _, lag := range []int{1, 2, 5, 10, 20, 50} {
			if lag <= len(r.R2) && len(r.Outputs) == len(r.R2) {
				fmt.Fprintf(t, "  r² of %s\t%.4f\n", r.Outputs[lag-1], r.R2[lag-1])
			}
		}
	case r.Accuracy != nil:
		metric = "accuracy"
		fmt.Fprintf(t, "accuracy\t%.4f\n", *r.Accuracy)
	default:
		for i, name := range r.Outputs {
			fmt.Fprintf(t, "%s\tRMSE %.4g\tNRMSE %.4g\tr² %.4f\n", name, r.RMSE[i], r.NRMSE[i], r.R2[i])
		}
	}
	for _, x := range r.References {
		fmt.Fprintf(t, "%s\t%.4f\t%s\n", x.Name, x.Score, metric)
	}
	t.Flush()
}

// noReservoir refuses a plan of rate cells where a command is of gated ones.
func noReservoir(p *wiring.Plan, name, instead string) error {
	if !p.IsRate() {
		return nil
	}
	return errors.New(name + " is a reservoir; " + instead)
}
