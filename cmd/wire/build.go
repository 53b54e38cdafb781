package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

func buildCommand() *cli.Command {
	return &cli.Command{
		Name: "build", Usage: "turn a connectome into a wiring plan", ArgsUsage: "FILE|default",
		Description: "Reads a connectome in any format, places the recipe's modules by the roles of its\n" +
			"atlas, and writes an untrained plan. Nothing is written when something is wrong.\n\n" +
			"   wire build connectome.csv --recipe captioning -o plan\n" +
			"   wire build connectivity_76.zip -o plan --accept axes --place image=rV1,lV1 --place sound=rA1,lA1 \\\n" +
			"        --place caption=lPFCORB --place caption.feedback=lA2\n" +
			"   wire build default -o plan --width 128 --rank 16\n" +
			"   wire build default --recipe labelling --data flowers/ -o plan     one folder a label\n" +
			"   wire build default -o plan --bundle                               with copies of its modules, for another machine\n" +
			"   wire build default --recipe regression --data houses.csv --input vector=area+age --target number=price -o plan\n" +
			"   wire build connectome.csv --recipe reservoir --signs asymmetric --rho 0.95 -o plan     one number a region, a readout learns",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: "the plan's directory, `DIR`"},
			&cli.StringFlag{Name: "recipe", Value: "captioning", Usage: "built-in `RECIPE` (" + strings.Join(append(wiring.RecipeNames(), reservoirRecipe), ", ") + ") or a recipe's file"},
			&cli.StringSliceFlag{Name: "place", Usage: "put a part of the recipe on regions by hand, `PART=REGION,…` (repeatable)"},
			&cli.IntFlag{Name: "width", Usage: "numbers in a region's state, `D` (default: the recipe's)"},
			&cli.IntFlag{Name: "rank", Usage: "numbers on a tract, `R` (default: the recipe's)"},
			&cli.IntFlag{Name: "settle", Usage: "ticks until effectors are read, or that a step of a series lasts, `N` (default: the recipe's)"},
			&cli.StringSliceFlag{Name: "sense", Usage: "use this `SENSE` of the recipe (repeatable; default: those the data have, or the recipe's)"},
			&cli.StringFlag{Name: "data", Usage: "data of your own at `PATH`, which say what labels there are and how wide vectors"},
			&cli.IntFlag{Name: "neighbours", Usage: "strongest incoming tracts kept for a region, `N`; -1 keeps all (default: the recipe's)"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of the untrained parameters, `N`"},
			modulesFlag(),
			&cli.BoolFlag{Name: "bundle", Usage: "put the modules into the plan, so that it runs on another machine"},
			acceptFlag(),
			&cli.BoolFlag{Name: "force", Usage: "replace a plan that is there"},
			&cli.BoolFlag{Name: "json", Usage: "print the summary as JSON"},
		}, reservoirFlags(), ownDataFlags(), longNames(connectomeReadFlags())),
		Action: build,
	}
}

// modulesFlag is where modules are looked for before the built-in ones.
func modulesFlag() cli.Flag {
	return &cli.StringFlag{Name: "modules", Usage: "prefer the modules in the subdirectories of `DIR` to the built-in ones"}
}

// buildSummary is what `wire build --json` prints.
type buildSummary struct {
	Plan           string         `json:"plan"`
	Recipe         string         `json:"recipe"`
	Connectome     string         `json:"connectome"`
	Synthetic      bool           `json:"synthetic"`
	Atlas          string         `json:"atlas"`
	Regions        int            `json:"regions"`
	Tracts         int            `json:"tracts"`
	Offered        int            `json:"offered"`
	Parameters     int            `json:"parameters"`
	SpectralRadius float64        `json:"spectral_radius"`
	Delays         []int          `json:"delays"`
	Placed         []placedModule `json:"placed"`
	Parts          []string       `json:"parts,omitempty"`
	Notes          []string       `json:"notes"`
	Warnings       []string       `json:"warnings"`
}

type placedModule struct {
	Name   string `json:"name"`
	Module string `json:"module"`
	Region string `json:"region"`
	Why    string `json:"why"`
	Ticks  int    `json:"ticks_to_effector"`
}

func build(c *cli.Context) error {
	args, err := arguments(c, 1, "a connectome file or \"default\"")
	if err != nil {
		return err
	}
	dir := c.String("output")
	if err := mayWritePlan(dir, c.Bool("force")); err != nil {
		return err
	}
	place, err := placements(c.StringSlice("place"))
	if err != nil {
		return err
	}
	if c.String("recipe") == reservoirRecipe {
		return buildReservoir(c, args[0], dir, place)
	}
	if err := refuse(c, "is of a reservoir; add --recipe reservoir", reservoirFlags()); err != nil {
		return err
	}
	recipe, err := wiring.OpenRecipe(c.String("recipe"))
	if err != nil {
		return err
	}
	options := wiring.BuildOptions{
		Place: place, Width: c.Int("width"), Rank: c.Int("rank"), Settle: c.Int("settle"), Neighbours: c.Int("neighbours"),
		Seed: c.Uint64("seed"), Command: commandLine(), Version: version(),
	}
	if recipe, err = fitRecipe(c, recipe, &options); err != nil {
		return err
	}
	if options.Modules, err = frozen.Describe(recipe, library.Finder{Dir: c.String("modules"), Base: dir}); err != nil {
		return err
	}
	brain, err := readConnectome(c, args[0])
	if err != nil {
		return err
	}
	if err := checkConnectome(c, brain); err != nil {
		return err
	}
	if options.File, options.SHA256, err = fingerprint(args[0]); err != nil {
		return err
	}
	plan, report, err := wiring.Build(brain, recipe, options)
	if err != nil {
		return err
	}
	save := plan.Save
	if c.Bool("bundle") {
		finder := library.Finder{Dir: c.String("modules"), Base: dir}
		save = func(dir string) error { return saveBundle(plan, finder, dir) }
	}
	if err := save(dir); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, summarise(dir, plan, report))
	}
	fmt.Fprint(c.App.Writer, report)
	if plan.Provenance.Synthetic {
		fmt.Fprintln(c.App.Writer, "note: this connectome is synthetic: a rule made it, nobody measured it")
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\nnext:  wire train %s%s      or      wire render %s -o %s.svg\n", dir, shellWord(dir), dataWords(c), shellWord(dir), filepath.Base(filepath.Clean(dir)))
	return nil
}

// saveBundle saves a plan with copies of its modules: all of them, or nothing.
func saveBundle(plan *wiring.Plan, f library.Finder, dir string) error {
	dir = filepath.Clean(dir)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	copies, err := atomicfile.TempDir(dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(copies)
	if err := frozen.Bundle(plan, f, copies); err != nil {
		return err
	}
	if err := os.Chmod(copies, 0o755); err != nil {
		return err
	}
	if err := plan.Save(dir); err != nil {
		return err
	}
	to := filepath.Join(dir, frozen.BundleDir)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(copies, to)
}

// mayWritePlan refuses to overwrite what is not a plan, and a plan only by
// the way.
func mayWritePlan(dir string, force bool) error {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file; a plan is a directory", dir)
	case wiring.IsPlan(dir) && !force:
		return fmt.Errorf("%s holds a plan; add --force to replace it", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 && !wiring.IsPlan(dir) {
		return fmt.Errorf("%s is not empty and holds no plan; choose another directory", dir)
	}
	return nil
}

// placements reads PART=REGION,… options.
func placements(options []string) (map[string][]string, error) {
	place := map[string][]string{}
	for _, o := range options {
		part, regions, ok := strings.Cut(o, "=")
		if !ok || part == "" {
			return nil, usagef("--place %s: write PART=REGION,REGION…, for example --place image=lh-pericalcarine", o)
		}
		for _, region := range strings.Split(regions, ",") {
			if region == "" {
				return nil, usagef("--place %s: write PART=REGION,REGION…, for example --place image=lh-pericalcarine", o)
			}
			place[part] = append(place[part], region)
		}
	}
	return place, nil
}

// fingerprint returns a file's base name and SHA-256. The built-in connectome
// and folders have none.
func fingerprint(name string) (base, sum string, err error) {
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		return filepath.Base(name), "", nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", "", err
	}
	return filepath.Base(name), hex.EncodeToString(h.Sum(nil)), nil
}

// commandLine is the command as it was given, for the plan's history.
func commandLine() string {
	words := append([]string{"wire"}, os.Args[1:]...)
	for i, w := range words {
		words[i] = shellWord(w)
	}
	return strings.Join(words, " ")
}

func summarise(dir string, p *wiring.Plan, r *wiring.BuildReport) buildSummary {
	s := buildSummary{
		Plan: dir, Recipe: r.Recipe, Connectome: r.Connectome, Synthetic: p.Provenance.Synthetic, Atlas: r.Atlas,
		Regions: r.Regions, Tracts: r.Tracts, Offered: r.Offered, Parameters: r.Params, SpectralRadius: r.SpectralRadius,
		Delays: r.Delays, Placed: []placedModule{}, Parts: r.Parts, Notes: append([]string{}, r.Notes...), Warnings: append([]string{}, r.Warnings...),
	}
	for _, x := range r.Placed {
		s.Placed = append(s.Placed, placedModule{x.Name, x.Module, x.Region, x.Why, x.Ticks})
	}
	return s
}
