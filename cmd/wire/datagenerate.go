package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/generated"
)

// dataGenerateCommand is "wire data generate": data by equations and a seed.
func dataGenerateCommand() *cli.Command {
	return &cli.Command{
		Name: "generate", Usage: "make data by equations and a seed, to try a task on", ArgsUsage: "[KIND]",
		Description: "Without KIND it lists the kinds. The same seed gives the same bytes.\n\n" +
			"   wire data generate friedman -o friedman.csv\n" +
			"   wire data generate mackey-glass -o mackey.csv --rows 50\n" +
			"   wire data generate shapes -o shapes",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write a table to `FILE.csv`, or pictures to a new folder"},
			&cli.IntFlag{Name: "rows", Usage: "how many rows, or series, `N` (default: 1,000 rows, 100 series, 540 drawings)"},
			&cli.IntFlag{Name: "steps", Usage: "steps of a series, `N` (default: 100)"},
			&cli.IntFlag{Name: "back", Usage: "how many steps back n-back asks for, `N` (default: 2)"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of what is drawn, `N`"},
			&cli.BoolFlag{Name: "force", Usage: "replace a table that is there"},
		},
		Action: dataGenerate,
	}
}

func dataGenerate(c *cli.Context) error {
	if c.NArg() == 0 {
		w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "KIND\tCOLUMNS\tABOUT")
		for _, k := range generated.Kinds() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, k.Columns, k.About)
		}
		return w.Flush()
	}
	args, err := arguments(c, 1, "one kind of data")
	if err != nil {
		return err
	}
	to := c.String("output")
	if to == "" {
		return usagef("data generate needs -o: a table's file, or a folder for drawings")
	}
	if info, err := os.Stat(to); err == nil && !info.IsDir() && !c.Bool("force") {
		return fmt.Errorf("%s is there; add --force to replace it", to)
	}
	if err := generated.Write(args[0], to, generated.Options{Rows: c.Int("rows"), Steps: c.Int("steps"), Seed: c.Uint64("seed"), Back: c.Int("back")}); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\nnext:  wire data doctor %s\n", to, shellWord(to))
	return nil
}
