package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/wiring"
)

func renderCommand() *cli.Command {
	return &cli.Command{
		Name: "render", Usage: "draw a connectome or a plan", ArgsUsage: "FILE|PLAN|default",
		Description: "The drawing's format follows from the name of the output: .svg, .png or .dot.\n\n" +
			"   wire render plan -o plan.svg\n" +
			"   wire render connectivity_68.zip -o brain.png --layout axial\n" +
			"   wire render default -o default.dot",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: "write the drawing to `FILE`.svg, .png or .dot"},
			&cli.StringFlag{Name: "layout", Value: string(graphs.Lobes), Usage: "lobes (outline, grouped), axial (from above) or sagittal (from the sides): `LAYOUT`"},
			&cli.IntFlag{Name: "max-tracts", Value: 4000, Usage: "draw at most the `N` strongest tracts"},
			&cli.Float64Flag{Name: "scale", Value: 2, Usage: "pixels a point in PNG, `X`"},
			&cli.StringFlag{Name: "title", Usage: "`TEXT` above the drawing (default: the name)"},
			&cli.BoolFlag{Name: "arrows", Usage: "draw both directions of a pair, with arrowheads"},
		}, connectomeReadFlags()...),
		Action: render,
	}
}

func render(c *cli.Context) error {
	args, err := arguments(c, 1, "a connectome file, a plan's directory, or \"default\"")
	if err != nil {
		return err
	}
	if err := checkDrawing(c.String("output")); err != nil {
		return err
	}
	d, err := diagramOf(c, args[0])
	if err != nil {
		return err
	}
	d.Layout = graphs.Layout(c.String("layout"))
	d.MaxEdges = c.Int("max-tracts")
	d.Directed = d.Directed || c.Bool("arrows")
	if t := c.String("title"); t != "" {
		d.Title = t
	}
	if err := d.RenderFile(c.String("output"), graphs.RenderOptions{Scale: c.Float64("scale")}); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, c.String("output"))
	return nil
}

// diagramOf reads what is to be drawn.
func diagramOf(c *cli.Context, name string) (*graphs.Diagram, error) {
	if wiring.IsPlan(name) {
		p, err := wiring.Load(name)
		if err != nil {
			return nil, err
		}
		d := graphs.FromPlan(p)
		d.LocateBy(synthetic.Default())
		return d, nil
	}
	brain, err := readConnectome(c, name)
	if err != nil {
		return nil, err
	}
	if err := warnConnectome(c, brain); err != nil {
		return nil, err
	}
	d := graphs.FromConnectome(brain)
	d.LocateBy(synthetic.Default())
	return d, nil
}
