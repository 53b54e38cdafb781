package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/library"
)

// inspectCommand is "wire modules inspect".
func inspectCommand(flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "show a module's or model's ports, operators, work and engines", ArgsUsage: "NAME|DIR|MODEL.onnx",
		Description: "Shapes and FLOPs (twice the multiply-adds) are inferred without running the model, for sizes of\n" +
			"its open dimensions that the manifest gives, or --size, or a default. Examples:\n" +
			"   wire modules inspect vision --steps\n" +
			"   wire modules inspect model.onnx --size batch=8\n" +
			"   wire modules inspect vision --draw vision.svg",
		Flags: append(flags,
			&cli.StringSliceFlag{Name: "size", Usage: "`NAME=N`: size of an open dimension"},
			&cli.StringFlag{Name: "draw", Usage: "draw the operators to `FILE` (.svg, .png or .dot; one for each part of a module)"},
			&cli.BoolFlag{Name: "steps", Usage: "list every operator with its output's shape and work"},
		),
		Action: modulesInspect,
	}
}

func modulesInspect(c *cli.Context) error {
	args, err := arguments(c, 1, "a module or an ONNX file")
	if err != nil {
		return err
	}
	l, err := openLibrary(c)
	if err != nil {
		return err
	}
	sizes, err := inspectSizes(c.StringSlice("size"))
	if err != nil {
		return err
	}
	report, err := inspectNamed(l, args[0], sizes)
	if err != nil {
		return err
	}
	if file := c.String("draw"); file != "" {
		if err := drawParts(report, args[0], file); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, report)
	}
	return printReport(c.App.Writer, report, c.Bool("steps"))
}

// drawParts draws every part; those of a module of several get their part's
// file name between the name and the extension.
func drawParts(r *library.Report, name, file string) error {
	for i := range r.Parts {
		p := &r.Parts[i]
		title, path := filepath.Base(name), file
		if len(r.Parts) > 1 {
			part := strings.TrimSuffix(filepath.Base(p.File), ".onnx")
			title += " · " + part
			path = strings.TrimSuffix(file, filepath.Ext(file)) + "-" + part + filepath.Ext(file)
		}
		subtitle := fmt.Sprintf("%s · operator set %d · %s parameters · %s", p.Producer, p.Opset, modulesCount(p.Parameters), workOf(p))
		if err := graphs.FromModel(title, subtitle, p.Model, p.Shapes.Values, p.Shapes.Constant).RenderFile(path, graphs.RenderOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// inspectSizes reads NAME=N.
func inspectSizes(args []string) (map[string]int, error) {
	sizes := map[string]int{}
	for _, a := range args {
		name, number, _ := strings.Cut(a, "=")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return nil, usagef("--size %s: write NAME=N, for example --size batch=1", a)
		}
		sizes[name] = n
	}
	return sizes, nil
}

func inspectNamed(l *library.Library, name string, sizes map[string]int) (*library.Report, error) {
	if strings.HasSuffix(name, ".onnx") {
		return library.InspectModel(name, sizes)
	}
	e, err := l.Find(name)
	if err != nil {
		return nil, err
	}
	return library.Inspect(e, sizes)
}

func printReport(out io.Writer, r *library.Report, steps bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if m := r.Manifest; m != nil {
		fmt.Fprintf(w, "%s\t%s module\n", m.Name, m.Modality)
		for _, row := range [][2]string{{"about", m.Description}, {"licence", m.License}, {"source", m.Source}} {
			if row[1] != "" {
				fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
			}
		}
		for _, p := range m.Inputs {
			fmt.Fprintf(w, "in\t%s\t%s\t%s %v\n", p.Name, p.Kind, p.DType(), p.Shape)
		}
		for _, p := range m.Outputs {
			fmt.Fprintf(w, "out\t%s\t%s\t%s %v\n", p.Name, p.Kind, p.DType(), p.Shape)
		}
		for _, s := range m.States {
			fmt.Fprintf(w, "state\t%s\t← %s\n", s.Input, s.Output)
		}
	}
	for _, p := range r.Passes {
		fmt.Fprintf(w, "gradients\t%s\t→ %s\n", p.Output, p)
	}
	if m := r.Manifest; m != nil && m.Generate != nil {
		if err := m.Steerable(); err != nil {
			fmt.Fprintf(w, "steered\tno\t%v\n", err)
		} else {
			s := m.Generate.Steer
			fmt.Fprintf(w, "steered\t%s\tvectors of %d numbers; last layer reads %s, %d numbers\n", s.Embedding, s.Width, s.Hidden, s.HiddenWidth)
		}
	}
	for _, p := range r.Parts {
		fmt.Fprintf(w, "\n%s\t%s, operator set %d, %s parameters, %s, %d operators\n", p.File, p.Producer, p.Opset, modulesCount(p.Parameters), byteSize(p.Bytes), p.Nodes)
		for _, v := range p.Inputs {
			fmt.Fprintf(w, "  input\t%s\n", v)
		}
		for _, v := range p.Outputs {
			fmt.Fprintf(w, "  output\t%s\n", v)
		}
		var ops []string
		for _, o := range p.Operators {
			ops = append(ops, fmt.Sprintf("%s×%d", o.Name, o.Count))
		}
		fmt.Fprintf(w, "  operators\t%s\n", strings.Join(ops, " "))
		for _, e := range p.Engines {
			fmt.Fprintf(w, "  %s\t%s\n", e.Name, e.Verdict)
		}
		fmt.Fprintf(w, "  work\t%s\n", workOf(&p))
		if p.Problem != "" {
			fmt.Fprintf(w, "  problem\t%s; other sizes can be given with --size\n", p.Problem)
		}
		if steps {
			printSteps(w, p.Steps)
		}
	}
	return w.Flush()
}

// workOf is a line such as "144 MFLOPs, 0.2 MB of values with batch=1".
func workOf(p *library.PartReport) string {
	line := flopCount(p.FLOPs)
	if p.Memory > 0 {
		line += ", " + byteSize(p.Memory) + " of values"
	}
	if p.Held > 0 {
		line += ", " + byteSize(p.Held) + " held after a call"
	}
	var with []string
	for _, name := range slices.Sorted(maps.Keys(p.Sizes)) {
		with = append(with, fmt.Sprintf("%s=%d", name, p.Sizes[name]))
	}
	if len(with) > 0 {
		line += " with " + strings.Join(with, " ")
	}
	return line
}

// printSteps lists operators with their shapes.
func printSteps(w io.Writer, steps []library.Step) {
	for _, s := range steps {
		shape, work := "depends on data", ""
		if s.Shape != nil {
			shape = fmt.Sprint(s.Shape)
		}
		if s.FLOPs > 0 {
			work = flopCount(s.FLOPs)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", s.Operator, shape, s.Output, work)
	}
}

// flopCount writes a number of floating-point operations.
func flopCount(n int64) string {
	switch f := float64(n); {
	case f >= 1e9:
		return fmt.Sprintf("%.3g GFLOPs", f/1e9)
	case f >= 1e6:
		return fmt.Sprintf("%.3g MFLOPs", f/1e6)
	case f >= 1e3:
		return fmt.Sprintf("%.3g kFLOPs", f/1e3)
	}
	return fmt.Sprintf("%d FLOPs", n)
}

// ranOn says which engine ran a module and, if it is not the preferred one,
// why.
func ranOn(m *modules.Module) string {
	line := fmt.Sprintf("%s on %s", m.Manifest.Name, m.Engine())
	if reason := m.EngineReason(); reason != nil && !errors.Is(reason, modules.ErrNoLibrary) {
		line += fmt.Sprintf(" (%v)", reason)
	}
	return line
}
