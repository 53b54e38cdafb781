package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
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
	if _, err := graphs.FormatOf(c.String("output")); err != nil {
		return usageError{err}
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
	if isPlan(name) {
		p, err := wiring.Load(name)
		if err != nil {
			return nil, err
		}
		d := graphs.FromPlan(p)
		withTypicalPositions(d)
		return d, nil
	}
	brain, err := readConnectome(c, name)
	if err != nil {
		return nil, err
	}
	d := graphs.FromConnectome(brain)
	withTypicalPositions(d)
	return d, nil
}

// withTypicalPositions gives regions that the file does not locate, but whose
// names the atlas knows, the approximate centroids of the built-in
// connectome: for drawing only.
func withTypicalPositions(d *graphs.Diagram) {
	typical := map[string][3]float64{}
	for _, r := range synthetic.Default().Regions {
		typical[r.Canonical] = r.Position
	}
	added := false
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if p, ok := typical[n.Label]; ok && !n.Located {
			n.Position, n.Located, added = p, true, true
		}
	}
	if added {
		d.Subtitle += " · positions: typical centroids"
	}
}

// isPlan says whether a name is a plan's directory.
func isPlan(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return false
	}
	_, err = os.Stat(name + string(os.PathSeparator) + "plan.yaml")
	return err == nil
}

// readConnectome reads a file, or takes the built-in connectome "default",
// and recognises its atlas.
func readConnectome(c *cli.Context, name string) (*connectome.Connectome, error) {
	brain, err := openConnectome(c, name)
	if err != nil {
		return nil, err
	}
	annotate := true
	for i := range brain.Regions {
		annotate = annotate && len(brain.Regions[i].Roles) == 0
	}
	if annotate {
		atlas.Annotate(brain)
	}
	return brain, nil
}

func openConnectome(c *cli.Context, name string) (*connectome.Connectome, error) {
	if _, err := os.Stat(name); err != nil {
		if brain, ok := synthetic.ByName(name); ok {
			return brain, nil
		}
		if os.IsNotExist(err) {
			return nil, fmt.Errorf("there is no file %q; built in are: %s", name, strings.Join(synthetic.Names(), ", "))
		}
	}
	opts, err := connectomeOptions(c)
	if err != nil {
		return nil, err
	}
	return connectome.Read(name, opts...)
}
