package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
)

// rowFlags are the flags by which `wire run` reads rows of data of one's own;
// what says how data are divided has no place there.
func rowFlags() []cli.Flag {
	flags := []cli.Flag{&cli.StringFlag{Name: "data", Usage: "ask about every row of your own data at `PATH`; --input then means SENSE=COLUMN", Category: ownCategory}}
	for _, f := range ownDataFlags() {
		switch f := f.(type) {
		case *cli.StringFlag:
			if slices.Contains([]string{"id", "group", "source", "time", "separator", "name-pattern"}, f.Name) {
				f.Category = ownCategory
				flags = append(flags, f)
			}
		case *cli.StringSliceFlag:
			if slices.Contains([]string{"target", "kind"}, f.Name) {
				f.Category = ownCategory
				flags = append(flags, f)
			}
		case *cli.BoolFlag:
			if f.Name == "allow-bad" {
				f.Category = ownCategory
				flags = append(flags, f)
			}
		}
	}
	return flags
}

// gatherRows makes an input of every row of the data that --data names, called
// by its id. Targets are not needed: columns that --target names are only kept
// out of what "*" takes.
func gatherRows(c *cli.Context, p *wiring.Plan) ([]subject, error) {
	if c.String("image") != "" || c.String("sound") != "" {
		return nil, usagef("--image and --sound give one file; with --data write --input SENSE=COLUMN")
	}
	o, err := ownOptions(c)
	if err != nil {
		return nil, err
	}
	if o.Targets == nil {
		o.Targets = map[string]string{}
	}
	o.Progress = ownProgress(c)
	d, err := own.Open(c.Context, c.String("data"), o)
	if err != nil {
		return nil, err
	}
	if n := len(d.Report.Bad); n > 0 {
		fmt.Fprintf(c.App.ErrWriter, "note: %d bad rows left out; wire data doctor %s lists them\n", n, c.String("data"))
	}
	examples.Match(p, d)
	var subjects []subject
	for _, e := range examples.OfRows(d, d.Rows) {
		s := subject{name: e.ID, file: e.ID, row: e.Inputs}
		for name := range e.Inputs {
			if p.Sense(name) == nil {
				return nil, fmt.Errorf("%s: the data give %q, and plan %q has no such sense; its senses are %s: say which column is which with --input SENSE=COLUMN", c.String("data"), name, p.Name, sensesOf(p))
			}
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}
