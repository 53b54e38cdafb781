package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/null"
	"github.com/connectomewire/wire/connectome/transform"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/plural"
	"github.com/urfave/cli/v2"
)

func connectomeConvert(c *cli.Context) error {
	in, out, err := convertArguments(c)
	if err != nil {
		return err
	}
	if err := checkWrite(c, out); err != nil {
		return err
	}
	brain, err := readConnectome(c, in)
	if err != nil {
		return err
	}
	return connectomeWrite(c, out, brain)
}

// convertArguments are IN OUT, or IN -o OUT as the other commands have it.
func convertArguments(c *cli.Context) (in, out string, err error) {
	if out = c.String("output"); out != "" {
		args, err := arguments(c, 1, "the file to read")
		if err != nil {
			return "", "", err
		}
		return args[0], out, differ(args[0], out)
	}
	args, err := arguments(c, 2, "the file to read and the file to write")
	if err != nil {
		return "", "", err
	}
	return args[0], args[1], differ(args[0], args[1])
}

// differ refuses to write over the file that is read.
func differ(in, out string) error {
	a, errA := os.Stat(in)
	b, errB := os.Stat(out)
	if errA == nil && errB == nil && os.SameFile(a, b) && !a.IsDir() {
		return usagef("%s is the file that is read; name another to write", out)
	}
	return nil
}

// connectomeWrite writes the result of a command and says what it is.
func connectomeWrite(c *cli.Context, path string, brain *connectome.Connectome) error {
	if err := format.Write(path, brain, c.String("to")); err != nil {
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
	fmt.Fprintf(c.App.Writer, "wrote %s: %s, %s%s\n", path, plural.Count(len(brain.Regions), "region", "regions"), plural.Count(tracts, "tract", "tracts"), note)
	return nil
}

// checkWrite finds before the work what would keep it from being written.
func checkWrite(c *cli.Context, path string) error {
	if isDirectory(path) {
		return fmt.Errorf("%s is a directory; name the file to write", path)
	}
	if dir := filepath.Dir(path); !isDirectory(dir) {
		return fmt.Errorf("there is no directory %q to write %s to; make it first", dir, filepath.Base(path))
	}
	if err := format.CanWrite(path, c.String("to")); err != nil {
		return err
	}
	return output(path)
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
	if err := transform.Check(c.StringSlice("step")); err != nil {
		return usagef("%v", err)
	}
	if err := checkWrite(c, c.String("output")); err != nil {
		return err
	}
	brain, err := readConnectome(c, args[0])
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
	if err := checkWrite(c, c.String("output")); err != nil {
		return err
	}
	var subjects []*connectome.Connectome
	for _, name := range c.Args().Slice() {
		brain, err := readConnectome(c, name)
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
	Connectome string    `json:"connectome"`
	Source     string    `json:"source"`
	Kind       null.Kind `json:"kind"`
	Preserves  []string  `json:"preserves"`
	Reference  string    `json:"reference"`
	// Options are those that the networks were made with, the usual ones filled in.
	Options null.Options `json:"options"`
	Files   []string     `json:"files"`
	// Made says of each file how it was made, and what was reached: the swaps
	// that succeeded, the error that is left.
	Made []string `json:"made"`
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
	to := c.String("to")
	extension, ok := map[string]string{
		"csv": ".csv", "edgelist": ".tsv", "gexf": ".gexf", "graphml": ".graphml", "json": ".json",
		"mdf": ".mdf.json", "npy": ".npy", "relmat": "_relmat.tsv", "tvb": ".zip",
	}[to]
	if !ok {
		return usagef("--to %s: want one of %s", to, strings.Join(format.WriteFormats(), ", "))
	}
	options := null.Options{
		Seed: c.Uint64("seed"), Index: c.Int("from"), Swaps: c.Int("swaps"), Connected: c.Bool("connected"), Bins: c.Int("bins"),
		Rewire: c.Float64("rewire"), Lambda: c.Float64("lambda"), Eta: c.Float64("eta"), Gamma: c.Float64("gamma"),
	}
	if options, err = options.Complete(); err != nil {
		return usagef("%v", err)
	}
	brain, err := readConnectome(c, args[0])
	if err != nil {
		return err
	}
	dir, n := c.String("output"), c.Int("n")
	manifest := nullManifest{Connectome: brain.Name, Source: brain.Source, Kind: kind, Preserves: model.Preserves, Reference: model.Reference, Options: options}
	name := func(i int) string { return fmt.Sprintf("%s-%s-%04d%s", brain.Name, kind, i, extension) }
	made := make([]string, n)
	err = null.Each(c.Context, brain, kind, options, n, func(i int, d *connectome.Connectome) error {
		// Nothing is left behind when the very first network cannot be made.
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		made[i-options.Index] = d.History[len(d.History)-1]
		return format.Write(filepath.Join(dir, name(i)), d, to)
	})
	if err != nil {
		return err
	}
	manifest.Made = made
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
	fmt.Fprintf(c.App.Writer, "wrote %s to %s (synthetic: null models of %s)\npreserved: %s\n", plural.Count(n, "network", "networks"), dir, brain.Name, strings.Join(model.Preserves, "; "))
	return nil
}
