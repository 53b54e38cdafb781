package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/datasets/own"
)

// dataDoctorCommand is "wire data doctor": what there is at a path, how it
// would be split, and what is broken.
func dataDoctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look at data of your own: columns, splits, what is broken, what chance scores", ArgsUsage: "PATH",
		Description: "PATH is a folder of classes, one with metadata.csv or .jsonl, COCO's or Karpathy's captions, a table\n" +
			"(CSV, TSV, JSONL), arrays (NPY, NPZ) or a text of sentences. The exit code is 1 when a row is bad.\n\n" +
			"Examples:\n" +
			"   wire data doctor flowers\n" +
			"   wire data doctor birds.csv --input image=path --target label=species --group photographer",
		Flags:  append([]cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}}, ownDataFlags()...),
		Action: dataDoctor,
	}
}

func dataDoctor(c *cli.Context) error {
	args, err := arguments(c, 1, "one PATH")
	if err != nil {
		return err
	}
	o, err := ownOptions(c)
	if err != nil {
		return err
	}
	o.Progress = ownProgress(c)
	g, err := own.Doctor(c.Context, args[0], o)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, g)
	} else if g.Failure == "" {
		_, err = fmt.Fprint(c.App.Writer, g.Text())
	}
	switch {
	case err != nil:
		return err
	case g.Failure != "":
		return fmt.Errorf("%s", g.Failure)
	case len(g.Bad) > 0 && !o.AllowBad:
		return fmt.Errorf("%s: %d problems", g.Path, len(g.Bad))
	}
	return nil
}
