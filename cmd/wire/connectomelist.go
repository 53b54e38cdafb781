package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/pull"
	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
)

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
	brain, err := readConnectome(c, args[0])
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
		if !c.Bool("quiet") && !c.Bool("json") && isTerminal(c.App.ErrWriter) {
			options.Progress = func(f pull.File, done, total int64) {
				if bar == nil {
					bar = bytesBar(c.App.ErrWriter, f.Base(), f.Size)
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
