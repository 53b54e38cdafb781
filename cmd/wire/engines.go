package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/engine/ort"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/zoo"
)

// enginesCommand is "wire engines": what runs the modules.
func enginesCommand() *cli.Command {
	libraryFlag := &cli.StringFlag{Name: "library", Usage: "`FILE` of ONNX Runtime's shared library (default: $" + ort.Variable + ", the cache, the system)"}
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print JSON"}
	return &cli.Command{
		Name:  "engines",
		Usage: "list, install and check what runs the modules",
		Description: "The go engine is built in and needs nothing. ONNX Runtime is faster and runs more\n" +
			"models; it is loaded from its shared library when that is there.\n\n" +
			"   wire engines list\n" +
			"   wire engines install           through your own npm, about 114 MB, of which 45 are kept\n" +
			"   wire engines check             run the embedded modules on both and compare",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "say which engines are there", Flags: []cli.Flag{libraryFlag, asJSON}, Action: enginesList},
			{
				Name: "install", Usage: "fetch ONNX Runtime's shared library into the cache",
				Description: "Fetches the npm package onnxruntime-node (MIT), checks its integrity, and keeps the file for this system.",
				Flags:       []cli.Flag{&cli.StringFlag{Name: "version", Value: library.TestedRuntime, Usage: "`VERSION` of ONNX Runtime"}},
				Action:      enginesInstall,
			},
			{Name: "check", Usage: "run the embedded modules on every engine and compare", Flags: []cli.Flag{libraryFlag}, Action: enginesCheck},
		},
	}
}

type listedEngine struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`
	Error   string `json:"error,omitempty"`
}

func enginesList(c *cli.Context) error {
	var rows []listedEngine
	for _, info := range engine.List(engine.Options{Library: c.String("library")}) {
		row := listedEngine{Name: info.Name, Version: info.Version, Path: info.Path}
		if info.Err != nil {
			row.Error = info.Err.Error()
		}
		rows = append(rows, row)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, rows)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENGINE\tVERSION\tWHERE")
	chosen := ""
	for _, row := range rows {
		where := row.Path
		switch {
		case row.Error != "":
			where = "not available: " + row.Error
		case where == "":
			where = "built in"
		}
		if row.Error == "" && chosen == "" {
			chosen = row.Name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", row.Name, row.Version, where)
	}
	fmt.Fprintf(w, "\n--engine auto takes %s, and go for models it refuses.\n", chosen)
	return w.Flush()
}

func enginesInstall(c *cli.Context) error {
	path, err := library.InstallRuntime(c.Context, c.String("version"), func(p library.Plan) error {
		fmt.Fprintf(c.App.ErrWriter, "Fetching %s (licence %s) from %s\n", p.Name, p.License, p.Source)
		return nil
	})
	if err != nil {
		return err
	}
	e, err := ort.Open(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "ONNX Runtime %s is in %s\n", e.Version(), path)
	return nil
}

func enginesCheck(c *cli.Context) error {
	opt := engine.Options{Library: c.String("library")}
	native, err := ort.Open(opt.Library)
	if err != nil {
		fmt.Fprintf(c.App.ErrWriter, "onnxruntime: %v\n", err)
	}
	pure, err := engine.Open(engine.NameGo, opt)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tGO\tONNXRUNTIME\tLARGEST DIFFERENCE")
	var failed error
	for _, name := range zoo.Names() {
		dir, err := zoo.FS(name)
		if err != nil {
			return err
		}
		entry := library.Entry{Name: name, FS: dir}
		a := entry.Try(c.Context, pure)
		row := []string{name, a.String(), "", ""}
		if a.Err != nil {
			failed = a.Err
		}
		if native != nil {
			b := entry.Try(c.Context, native)
			row[2] = b.String()
			if b.Err != nil {
				failed = b.Err
			}
			if a.Err == nil && b.Err == nil {
				difference, err := library.Difference(a.Outputs, b.Outputs)
				row[3] = fmt.Sprintf("%.1e", difference)
				if err != nil || difference > 1e-3 {
					failed = fmt.Errorf("the engines disagree on module %s by %g: %v", name, difference, err)
				}
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row[0], row[1], row[2], row[3])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return failed
}
