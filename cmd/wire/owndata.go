package main

import (
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
)

// ownDataFlags are the flags of every command that reads data of one's own;
// ownOptions reads them.
func ownDataFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "input", Usage: "`SENSE=COLUMN` that a sense gets (repeatable; \"a+b\" joins numbers, \"*\" takes all that are left)"},
		&cli.StringSliceFlag{Name: "target", Usage: "`EFFECTOR=COLUMN` that an effector learns (repeatable)"},
		&cli.StringSliceFlag{Name: "kind", Usage: "`COLUMN=KIND`, where the guess is wrong: image, sound, text, number, label, vector, series (repeatable)"},
		&cli.StringFlag{Name: "source", Usage: "`KIND` of source, where the guess is wrong: " + strings.Join(sourceNames(), ", ")},
		&cli.StringFlag{Name: "id", Usage: "`COLUMN` of the rows' names"},
		&cli.StringFlag{Name: "group", Usage: "`COLUMN` of what must not be divided between splits"},
		&cli.StringFlag{Name: "split-column", Usage: "`COLUMN` that says train, validation or test"},
		&cli.StringFlag{Name: "folds", Usage: "`COLUMN` of the folds for cross-validation, or how many to draw"},
		&cli.StringFlag{Name: "name-pattern", Usage: "`REGEXP` for files' names whose named groups make columns, such as (?P<fold>[0-9])-.*"},
		&cli.StringFlag{Name: "time", Usage: "`COLUMN` by which rows are the steps of a series (\"#\": as they stand), one a group"},
		&cli.StringFlag{Name: "separator", Usage: "`TEXT` between several labels or captions in one cell, such as \"|\""},
		&cli.StringFlag{Name: "shares", Value: "80,10,10", Usage: "`TRAIN,VALIDATION,TEST` shares of a split that is drawn"},
		&cli.Uint64Flag{Name: "split-seed", Usage: "seed of a split that is drawn, `N`"},
		&cli.BoolFlag{Name: "allow-bad", Usage: "leave bad rows out, and count them, instead of stopping"},
		&cli.BoolFlag{Name: "full-check", Usage: "decode every picture and sound first, instead of looking at its first bytes"},
	}
}

func sourceNames() []string {
	var names []string
	for _, s := range own.Sources() {
		names = append(names, string(s))
	}
	return names
}

// ownOptions reads the flags of [ownDataFlags].
func ownOptions(c *cli.Context) (own.Options, error) {
	o := own.Options{
		ID: c.String("id"), Group: c.String("group"), Split: c.String("split-column"), Folds: c.String("folds"),
		Pattern: c.String("name-pattern"), Time: c.String("time"), Separator: c.String("separator"),
		Source: own.Source(c.String("source")), Seed: c.Uint64("split-seed"), AllowBad: c.Bool("allow-bad"),
	}
	if c.Bool("full-check") {
		o.Check = own.CheckFull
	}
	var err error
	if o.Inputs, err = pairs(c, "input", "SENSE=COLUMN"); err != nil {
		return o, err
	}
	if o.Targets, err = pairs(c, "target", "EFFECTOR=COLUMN"); err != nil {
		return o, err
	}
	kinds, err := pairs(c, "kind", "COLUMN=KIND")
	if err != nil {
		return o, err
	}
	for column, kind := range kinds {
		if o.Kinds == nil {
			o.Kinds = map[string]own.Kind{}
		}
		o.Kinds[column] = own.Kind(kind)
	}
	if text := c.String("shares"); text != "" {
		if o.Shares, err = parseShares(text); err != nil {
			return o, err
		}
	}
	if err := o.Validate(); err != nil {
		return o, usageError{err}
	}
	return o, nil
}

// pairs reads a flag of NAME=VALUE that may be repeated; nil when it is not
// given.
func pairs(c *cli.Context, flag, form string) (map[string]string, error) {
	var m map[string]string
	for _, s := range c.StringSlice(flag) {
		name, value, ok := strings.Cut(s, "=")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			return nil, usagef("--%s %q: write it as %s", flag, s, form)
		}
		if old, twice := m[name]; twice {
			return nil, usagef("--%s: %q is given twice, as %q and %q", flag, name, old, value)
		}
		if m == nil {
			m = map[string]string{}
		}
		m[name] = value
	}
	return m, nil
}

func parseShares(text string) (own.Shares, error) {
	parts := strings.Split(text, ",")
	var x [3]float64
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || len(parts) != len(x) {
			return own.Shares{}, usagef("--shares %q: write three numbers, such as 80,10,10", text)
		}
		x[i] = f
	}
	return own.Shares{Train: x[0], Validation: x[1], Test: x[2]}, nil
}

// ownProgress is a bar of files on a terminal, nil elsewhere.
func ownProgress(c *cli.Context) func(done, total int) {
	if !isTerminal(c.App.ErrWriter) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.App.ErrWriter), progressbar.OptionSetDescription("files"),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		bar.Set(done) //nolint:errcheck // a bar that cannot be drawn is not an error
	}
}
