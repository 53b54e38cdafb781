package main

import (
	"bytes"
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs/chart"
	"github.com/connectomewire/wire/internal/atomicfile"
	brain "github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/multiverse"
	"github.com/connectomewire/wire/wiring/prepare"
)

func multiverseCommand() *cli.Command {
	return &cli.Command{
		Name: "multiverse", Usage: "compare a connectome with null models under all choices of an analysis", ArgsUsage: "FILE.yaml",
		Description: "A spec names a connectome, a task of reservoirs, a null model, and lists of choices:\n\n" +
			"   question: Does this wiring remember longer?\n" +
			"   connectome: sc.csv\n" +
			"   task: memory-capacity\n" +
			"   metric: capacity\n" +
			"   null_model: degree\n" +
			"   n: 39\n" +
			"   choices:\n" +
			"     weights: [\"\", log, density-tree=0.1]     # transforms; see wire connectome transform\n" +
			"     signs: [positive, symmetric, asymmetric]\n" +
			"     density: [1, 0.2]                        # the strongest tracts\n" +
			"     rho: [0.5, 0.8, 0.95, 1.1]\n" +
			"     radius: [equal, own, best]               # of null networks; best: each network's own of rho\n" +
			"     enter: [\"\", lobe=occipital, random=0.1]  # where the input enters\n" +
			"     read: [\"\", hemisphere=left]             # and which regions are read\n" +
			"     input: [uniform, signs]\n" +
			"     gain: [0.1, 1]\n" +
			"     leak: [1]\n" +
			"     noise: [0, 0.01]                         # added to every state\n" +
			"     ridge: [1e-6, 1e-3]\n\n" +
			"Of a plan whose tracts learn the choices are others:\n\n" +
			"   learned:\n" +
			"     plan: flowers.plan\n" +
			"     data: {path: flowers}\n" +
			"     learn: {epochs: 4}\n" +
			"   metric: accuracy\n" +
			"   null_model: degree\n" +
			"   n: 39\n" +
			"   choices:\n" +
			"     gates: [learned, fixed]\n" +
			"     rank: [2, 4, 8]\n" +
			"     width: [16, 32]\n" +
			"     rate: [1e-3, 1e-2]\n" +
			"     decay: [0, 0.01]\n" +
			"     radius: [equal, own]\n" +
			"     delays: [carried, recomputed]\n\n" +
			"All combinations are run. FILE.md and FILE.svg are the report: the specification curve, and a joint test\n" +
			"that sets the median effect beside that of every null network in the connectome's place.\n\n" +
			"Examples:\n" +
			"   wire multiverse choices.yaml\n" +
			"   wire multiverse choices.yaml --json > choices.json",
		Flags: append(connectomeReadFlags(),
			&cli.IntFlag{Name: "workers", Value: runtime.NumCPU(), Usage: "run `N` combinations side by side"},
			acceptFlag(), modulesFlag(), engineFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}),
		Action: runMultiverse,
	}
}

// multiverseConnectome reads the connectome of a spec.
func multiverseConnectome(c *cli.Context, s *multiverse.Spec) (*connectome.Connectome, error) {
	name := s.Connectome
	if _, builtIn := synthetic.ByName(name); !builtIn {
		name = s.Relative(name)
	}
	found, err := readConnectome(c, name)
	if err != nil {
		return nil, err
	}
	return found, checkConnectome(c, found)
}

// learnedSetup opens what a spec's plan learns from.
func learnedSetup(c *cli.Context, s *multiverse.Spec) (*experiment.Setup, error) {
	name := s.Learned.Plan
	if name != "default" {
		name = s.Relative(name)
	}
	plan, dir, err := loadPlan(name)
	if err != nil {
		return nil, err
	}
	x := &experiment.Setup{Plan: plan, Prepare: prepare.Default(), Config: brain.Default()}
	x.Prepare.Progress = func(string, int, int) {}
	data := s.Learned.Data
	data.Path = s.Relative(data.Path)
	_, err = experimentExamples(c, s.File(), data, s.Learned.Split, dir, x)
	return x, err
}

func runMultiverse(c *cli.Context) error {
	args, err := arguments(c, 1, "a spec, FILE.yaml")
	if err != nil {
		return err
	}
	s, err := multiverse.Read(args[0])
	if err != nil {
		return err
	}
	for _, ending := range []string{".md", ".svg"} {
		if err := atomicfile.Check(s.Beside(ending)); err != nil {
			return err
		}
	}
	show := newProgress(c.App.ErrWriter)
	o := multiverse.Options{Workers: c.Int("workers"), Progress: func(done, total int) { show.show("combinations", done, total, "") }}
	var of *connectome.Connectome
	if s.Learned != nil {
		if o.Setup, err = learnedSetup(c, s); err != nil {
			return err
		}
		defer o.Setup.Modules.Close()
	} else if of, err = multiverseConnectome(c, s); err != nil {
		return err
	}
	result, err := multiverse.Run(c.Context, s, of, o)
	show.finish()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := result.WriteReport(&b, s); err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(s.Beside(".md"), b.Bytes()); err != nil {
		return err
	}
	b.Reset()
	if err := chart.Multiverse(&b, result, s.Metric); err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(s.Beside(".svg"), b.Bytes()); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, result)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "combinations\t%d\nmedian effect, in deviations of null networks\t%+.2f\np of the joint test\t%.3f\nbetter than the mean\t%.0f %% of the combinations\n",
		len(result.Outcomes), result.Median, result.P, 100*result.Better)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "wrote %s and %s\n", s.Beside(".md"), s.Beside(".svg"))
	return nil
}
