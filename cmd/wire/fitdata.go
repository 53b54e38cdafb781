package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
)

// openOwn reads the data at a path as the flags say, for what learns the wanted
// targets.
func openOwn(c *cli.Context, path string, wanted []string) (*own.Dataset, error) {
	o, err := ownOptions(c)
	if err != nil {
		return nil, err
	}
	o.Wanted = wanted
	o.Progress = ownProgress(c)
	d, err := own.Open(c.Context, path, o)
	if err != nil {
		return nil, err
	}
	for _, n := range d.Report.Notes {
		fmt.Fprintln(c.App.ErrWriter, "note:", n)
	}
	if bad := len(d.Report.Bad); bad > 0 {
		fmt.Fprintf(c.App.ErrWriter, "note: %d bad rows left out; wire data doctor %s lists them\n", bad, path)
	}
	return d, nil
}

// ownData says that a command's data are one's own, and not packaged sets, or
// where these lie.
func ownData(c *cli.Context) bool { return c.IsSet("data") && !c.IsSet("set") && !c.IsSet("eval-set") }

// fitRecipe completes a recipe with what data say, see [examples.Fit].
func fitRecipe(c *cli.Context, r *wiring.Recipe, o *wiring.BuildOptions) (*wiring.Recipe, error) {
	var d *own.Dataset
	if c.String("data") != "" {
		var err error
		if d, err = openOwn(c, c.String("data"), examples.Wanted(r)); err != nil {
			return nil, err
		}
	}
	return examples.Fit(d, r, c.StringSlice("sense"), o)
}
