package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/graphs/chart"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/lock"
	"github.com/connectomewire/wire/modules/library"
	brain "github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/runtime/verdict"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/prepare"
)

const experimentHelp = "A spec says what is compared with what:\n\n" +
	"   question: Does the wiring of this brain help to tell flowers apart?\n" +
	"   plan: flowers.plan\n" +
	"   data: {path: flowers}\n" +
	"   metric: accuracy\n" +
	"   seeds: 3\n" +
	"   nulls:\n" +
	"     - {kind: degree, n: 39, confirms: true}\n" +
	"     - {kind: strength, n: 39, confirms: true}\n" +
	"     - {kind: length, n: 39, confirms: true}\n" +
	"     - {kind: random, n: 39}\n" +
	"   controls: [adapter, gru, dense]\n" +
	"   learn: {epochs: 20}\n" +
	"   tune: {trials: 4, rate: [1e-3, 3e-3, 1e-2], decay: [0, 0.01]}     # each condition's own, on validation examples\n" +
	"   delta: 0.02            # the smallest effect of interest\n" +
	"   budget: 2h\n\n" +
	"Where the plan is a reservoir, `readout: {task: memory-capacity, ridge: 1e-6}` stands in the place of data and learn,\n" +
	"and the metric is capacity, nrmse, r2 or accuracy.\n\n" +
	"Before anything is run, FILE.record.json keeps checksums of the spec, the plan, the data, the modules and\n" +
	"the program; each result is a line of FILE.results.jsonl with the checksum of the one before. What was\n" +
	"changed since is found out; what was interrupted goes on. FILE.md is the report; --report writes it again of\n" +
	"results that are there, also of another program or machine.\n\n"

func experimentCommand() *cli.Command {
	return &cli.Command{
		Name: "experiment", Usage: "run a plan beside null models and controls, and keep what came of it", ArgsUsage: "FILE.yaml",
		Description: experimentHelp +
			"Examples:\n" +
			"   wire experiment wiring.yaml --dry-run      how many runs, and for how long\n" +
			"   wire experiment wiring.yaml                runs what is left, writes wiring.md\n" +
			"   wire experiment wiring.yaml --nats SECRET@0.0.0.0:4222                 with the help of any wire worker --nats nats://SECRET@HOST:4222",
		Flags: experimentFlags(),
		Action: func(c *cli.Context) error {
			e, err := runExperiment(c)
			if e == nil || err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(c.App.Writer, e.Summaries())
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprint(w, "condition\tnetworks\tmean\tleast\tmost\t\n")
			for _, s := range e.Summaries() {
				fmt.Fprintf(w, "%s\t%d\t%.4f\t%.4f\t%.4f\t\n", s.Condition, s.Networks, s.Mean, s.Least, s.Most)
			}
			return w.Flush()
		},
	}
}

func verdictCommand() *cli.Command {
	return &cli.Command{
		Name: "verdict", Usage: "decide whether a plan's wiring matters, by a rule settled beforehand", ArgsUsage: "FILE.yaml",
		Description: experimentHelp +
			"The wiring helps if it is better than the middle 90 % of every confirming model's networks by more than\n" +
			"delta, with p ≤ 0.05 by rank; each network counts once, whatever its seeds. It makes no difference of that\n" +
			"size if the whole middle is within ± delta; else, and with fewer than 39 networks, it is undecided.\n\n" +
			"Examples:\n" +
			"   wire verdict wiring.yaml --record-only      settles it, and runs nothing yet\n" +
			"   wire verdict wiring.yaml                    runs what is left, and decides\n" +
			"   wire verdict wiring.yaml --network-spread 0.01 --seed-spread 0.02     how likely what is found, of a pilot",
		Flags: append(experimentFlags(),
			&cli.Float64Flag{Name: "network-spread", Usage: "foresee the verdict instead: null networks differ by a standard deviation of `X` in a pilot"},
			&cli.Float64Flag{Name: "seed-spread", Usage: "and a network's scores over seeds by `X`"}),
		Action: func(c *cli.Context) error {
			if c.IsSet("network-spread") {
				return foreseeVerdict(c)
			}
			e, err := runExperiment(c)
			if e == nil || err != nil {
				return err
			}
			v, err := e.Verdict()
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(c.App.Writer, v)
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
			fmt.Fprint(w, "NULL MODEL\tNETWORKS\tPLAN − NULL, MIDDLE 90 %\tP\tANSWER\n")
			for _, x := range v.Comparisons {
				fmt.Fprintf(w, "%s\t%d\t[%+.4f, %+.4f]\t%.3f\t%s\n", x.Null, x.N, x.Low, x.High, x.Holm, x.Answer)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "the wiring: %s\n", v.Answer)
			return nil
		},
	}
}

func experimentFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "workers", Value: runtime.NumCPU(), Usage: "let `N` networks learn side by side; with --nats here, and 0 leaves all to others"},
		&cli.StringFlag{Name: "nats", Usage: "share the runs with every wire worker at `SERVER`: the URL of one of NATS, or HOST:PORT to run one there, TOKEN@HOST:PORT where other machines reach it"},
		&cli.BoolFlag{Name: "dry-run", Usage: "say how many runs there are and how long they take, and run none"},
		&cli.BoolFlag{Name: "record-only", Usage: "settle the experiment: write its record, to be committed or sent, and run none"},
		&cli.BoolFlag{Name: "report", Usage: "run none, and tell again of what was run: also of results of another program or machine"},
		modulesFlag(),
		engineFlag(),
		&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"},
	}
}

// readSpec reads the spec that a command names.
func readSpec(c *cli.Context) (*experiment.Spec, error) {
	args, err := arguments(c, 1, "a spec, FILE.yaml")
	if err != nil {
		return nil, err
	}
	s, err := experiment.Read(args[0])
	if err != nil {
		return nil, err
	}
	if c.Command.Name == "verdict" && s.Delta == 0 {
		return nil, fmt.Errorf("%s: `delta:` is missing: a verdict takes the smallest effect of interest; wire experiment runs without", args[0])
	}
	return s, nil
}

// runExperiment makes the runs of a spec that are left and writes the report; nil
// after a dry run.
func runExperiment(c *cli.Context) (*experiment.Experiment, error) {
	s, err := readSpec(c)
	if err != nil {
		return nil, err
	}
	claim, err := lock.Acquire(s.Beside(".lock"))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be run now: %w", s.File(), err)
	}
	defer claim.Release()
	for _, name := range []string{"dry-run", "record-only", "nats"} {
		if c.Bool("report") && c.IsSet(name) {
			return nil, usagef("--report runs nothing and settles nothing: leave --%s out", name)
		}
	}
	if c.Int("workers") == 0 && c.String("nats") == "" {
		return nil, usagef("--workers 0: without --nats nobody else makes the runs")
	}
	x, files, err := openExperiment(c, s)
	if err != nil {
		return nil, err
	}
	if x.Modules != nil {
		defer x.Modules.Close()
	}
	show := newProgress(c.App.ErrWriter)
	x.Progress = func(done, total int) { show.show("runs", done, total, "") }
	if c.Bool("dry-run") {
		f, err := experiment.Foresee(c.Context, s, x)
		if err != nil {
			return nil, err
		}
		return nil, printForecast(c, f)
	}
	if c.Bool("report") {
		e, changed, err := experiment.Reopen(s, x)
		if err != nil {
			return nil, err
		}
		for _, what := range changed {
			fmt.Fprintf(c.App.ErrWriter, "note: since it was begun changed: %s\n", what)
		}
		return e, writeReport(c, e, true)
	}
	var with *sharing
	sweep := &spread.Experiment{Files: files}
	if c.String("nats") != "" && !c.Bool("record-only") {
		if with, err = share(c, &sweep.Shared, s.Beside(spread.StoreEnding), "runs"); err != nil {
			return nil, err
		}
		defer with.link.Close()
		x.Elsewhere = sweep.Make
	}
	e, err := experiment.New(c.Context, s, x)
	if err != nil {
		return nil, err
	}
	if c.Bool("record-only") {
		fmt.Fprintf(c.App.ErrWriter, "wrote %s: %d runs are settled; the same command without --record-only makes them\n", s.Beside(".record.json"), e.Log.Record.Runs)
		return nil, nil
	}
	var failed error
	if with == nil {
		failed = e.Run(c.Context)
	} else {
		failed = with.run(c.Context, func() error { return sweep.Begin(c.Context, e) }, func() error { return e.Run(c.Context) })
	}
	show.finish()
	if err := writeReport(c, e, failed == nil); err != nil {
		return nil, err
	}
	return e, failed
}

// writeReport writes the report, and the figure of what is whole, beside the spec.
func writeReport(c *cli.Context, e *experiment.Experiment, whole bool) error {
	var b bytes.Buffer
	if err := e.WriteReport(&b); err != nil {
		return err
	}
	text, figure := e.Spec.Beside(".md"), e.Spec.Beside(".svg")
	if err := atomicfile.WriteBytes(text, b.Bytes()); err != nil || !whole {
		return err
	}
	b.Reset()
	switch err := chart.Draw(&b, e); {
	case errors.Is(err, chart.ErrNothing):
		fmt.Fprintf(c.App.ErrWriter, "wrote %s\n", text)
		return nil
	case err != nil:
		return err
	}
	if err := atomicfile.WriteBytes(figure, b.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "wrote %s and %s\n", text, figure)
	return nil
}

// openExperiment opens the plan, data and modules that a spec names. files are those
// that the data name.
func openExperiment(c *cli.Context, s *experiment.Spec) (x experiment.Setup, files []string, err error) {
	name := s.Plan
	if name != "default" {
		name = s.Relative(name)
	}
	plan, dir, err := loadPlan(name)
	if err != nil {
		return x, nil, err
	}
	x = experiment.Setup{Plan: plan, Prepare: prepare.Default(), Config: brain.Default(), Code: codeVersion(), Workers: c.Int("workers")}
	x.Prepare.Progress = func(string, int, int) {}
	switch {
	case plan.IsRate() != (s.Readout != nil):
		return x, nil, fmt.Errorf("%s: `readout:` is for reservoirs, `data:` and `learn:` are for all other plans", s.File())
	case s.Readout != nil:
		x.Series, err = experiment.OpenReadout(s)
	default:
		data := s.Data
		data.Path = s.Relative(data.Path)
		files, err = experimentExamples(c, s.File(), data, s.Split, dir, &x)
	}
	return x, files, err
}

// experimentExamples opens what plans with modules learn from, and the modules; spec
// is the file that says so, split what is scored. files are those that rows name.
func experimentExamples(c *cli.Context, spec string, data experiment.Data, split, dir string, x *experiment.Setup) (files []string, err error) {
	if len(x.Plan.Tasks) == 0 {
		return nil, fmt.Errorf("plan %q has no task to score", x.Plan.Name)
	}
	d, err := own.Open(c.Context, data.Path, own.Options{
		Source: own.Source(data.Source), Inputs: data.Input, Targets: data.Target, Kinds: data.Kind,
		ID: data.ID, Group: data.Group, Split: data.Split, Time: data.Time, Progress: ownProgress(c),
	})
	if err != nil {
		return nil, err
	}
	if err := examples.Check(x.Plan, d); err != nil {
		return nil, err
	}
	files = rowFiles(d)
	x.Train, x.Val, x.Test = examples.Split(d)
	if split == "val" {
		x.Test = x.Val
	}
	x.Train, x.Val = examples.Spread(x.Train, data.Limit), examples.Spread(x.Val, data.Limit)
	if len(x.Train) == 0 || len(x.Test) == 0 {
		return nil, fmt.Errorf("%s: %d examples to learn from and %d to score: want some of both", spec, len(x.Train), len(x.Test))
	}
	if x.Prepare.Cache, err = featuresDir(c); err != nil {
		return nil, err
	}
	engine, err := openEngine(c.String("engine"))
	if err != nil {
		return nil, err
	}
	x.Modules, err = frozen.Open(x.Plan, library.Finder{Dir: c.String("modules"), Base: dir}, engine)
	return files, err
}

func printForecast(c *cli.Context, f experiment.Estimate) error {
	if c.Bool("json") {
		return printJSON(c.App.Writer, f)
	}
	fmt.Fprintf(c.App.Writer, "%d networks, %d runs: about %s on %d workers\n",
		f.Networks, f.Runs, time.Duration(f.Seconds*float64(time.Second)).Round(time.Second), c.Int("workers"))
	return nil
}

// foreseeVerdict says how likely effects of several sizes are found.
func foreseeVerdict(c *cli.Context) error {
	s, err := readSpec(c)
	if err != nil {
		return err
	}
	d := verdict.Design{Seeds: s.Seeds, Delta: s.Delta, NetworkSpread: c.Float64("network-spread"), SeedSpread: c.Float64("seed-spread")}
	for _, n := range s.Nulls {
		if n.Confirms && (d.Nulls == 0 || n.N < d.Nulls) {
			d.Nulls = n.N
		}
	}
	type row struct {
		Effect  float64                    `json:"effect"`
		Answers map[verdict.Answer]float64 `json:"answers"`
	}
	var rows []row
	for _, times := range []float64{0, 1, 2, 3, 4, 6} {
		p, err := verdict.Power(d, times*s.Delta, 2000, 1)
		if err != nil {
			return err
		}
		rows = append(rows, row{times * s.Delta, p})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	fmt.Fprintf(c.App.Writer, "one confirming model of %s, %d networks, %d seeds, 2000 simulated verdicts each:\n", filepath.Base(s.File()), d.Nulls, d.Seeds)
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', tabwriter.AlignRight)
	answers := []verdict.Answer{verdict.Helps, verdict.NoDifference, verdict.Undecided, verdict.Hurts}
	fmt.Fprint(w, "effect\t")
	for _, a := range answers {
		fmt.Fprintf(w, "%s\t", a)
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%+.4f\t", r.Effect)
		for _, a := range answers {
			fmt.Fprintf(w, "%.1f %%\t", 100*r.Answers[a])
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
