package wiring

import (
	"fmt"
	"math"
	"strconv"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/internal/plural"
)

// ModuleInfo is what [Build] needs to know of a module.
type ModuleInfo struct {
	// Source and SHA256 go into the plan, see [ModuleRef].
	Source, SHA256 string
	// Outputs are its output ports by name.
	Outputs map[string]PortInfo
	// Inputs are its input ports by name.
	Inputs map[string]PortInfo
	// Probe runs the module once as a part does, and says what is wrong with
	// that; nil where it cannot be run.
	Probe func(x *Part) (PartFacts, error)
	// Missing says why the module cannot be had; nil for one that is there.
	Missing error
}

// PortInfo is what [Build] needs to know of a module's port.
type PortInfo struct {
	// Width of its vectors; 0 when the port gives no vectors of fixed width.
	Width int
	// Places is the number of vectors of a grid, 0 for a single one.
	Places int
	// Kind of the port, "image" for example, and Shape as the manifest writes
	// it, for messages.
	Kind, Shape string
	// Dims are the dimensions of an input port that takes float numbers,
	// without the batch; nil of others.
	Dims []PortDim
}

// PortDim is a dimension of a port: a size, or, of an open one, −1 and its name.
type PortDim struct {
	Size int
	Name string
}

// numbers is how many numbers an input takes, with the sizes of its open
// dimensions, and which of these are not said.
func (o PortInfo) numbers(sizes map[string]int) (n int, open []string) {
	n = 1
	for _, d := range o.Dims {
		size := d.Size
		if size < 0 {
			size = sizes[d.Name]
		}
		if size < 1 {
			open = append(open, d.Name)
			continue
		}
		n *= min(size, maxPartPort+1)
		n = min(n, maxPartPort+1)
	}
	return n, open
}

func (o PortInfo) String() string {
	switch {
	case o.Width == 0:
		return o.Shape
	case o.Places > 0:
		return fmt.Sprintf("%d × %d", o.Places, o.Width)
	}
	return strconv.Itoa(o.Width)
}

// BuildOptions are what a person chooses when building a plan. The zero value
// of each field but Modules keeps the recipe's choice.
type BuildOptions struct {
	// Modules describes every module the recipe names.
	Modules map[string]ModuleInfo
	// Place puts senses, effectors, or feedback ("caption.feedback") on
	// regions by hand. Keys are their names or their modules' names.
	Place map[string][]string
	// Width, Rank, Settle, Max and Neighbours override the recipe; Neighbours =
	// −1 keeps all tracts.
	Width, Rank, Settle, Max, Neighbours int
	// Widths are those of senses whose numbers are given, and Settings what
	// data say of effectors, by name: their labels, for example. They complete
	// the recipe where it leaves them out.
	Widths   map[string]int
	Settings map[string]Settings
	// Seed of the untrained parameters.
	Seed uint64
	// File, SHA256, Command and Version are provenance.
	File, SHA256, Command, Version string
}

// Build makes an untrained plan from a connectome and a recipe: it places the
// modules, keeps each region's strongest tracts and the paths the senses
// need, derives delays from tract lengths and conduction velocity, and scales
// the weights so that the plan is an echo-state network.
//
// The connectome is annotated with its atlas if nobody has done so. When a
// part of the recipe finds no region the error is a [*PlaceError].
func Build(c *connectome.Connectome, r *Recipe, opt BuildOptions) (*Plan, *BuildReport, error) {
	if err := opt.Validate(); err != nil {
		return nil, nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	report := &BuildReport{Recipe: r.Name, Connectome: c.Name, Regions: len(c.Regions)}
	c = annotated(c, report)

	p := &Plan{
		Name:  r.Name + " on " + c.Name,
		Width: either(opt.Width, r.Width), Rank: either(opt.Rank, r.Rank),
		Ticks: Ticks{Settle: either(opt.Settle, r.Ticks.Settle), Max: either(opt.Max, r.Ticks.Max)},
		Provenance: Provenance{
			Connectome: c.Name, Synthetic: c.Synthetic, File: opt.File, SHA256: opt.SHA256, License: c.License,
			Recipe: r.Name, Seed: opt.Seed, Command: opt.Command, Version: opt.Version,
		},
	}
	names := c.Names()
	for i, g := range c.Regions {
		p.Regions = append(p.Regions, Region{
			Label: names[i], Canonical: g.Canonical, Hemisphere: g.Hemisphere.String(), Lobe: g.Lobe,
			Position: g.Position, Located: g.Located,
		})
	}
	if err := p.place(c, r, opt, report); err != nil {
		return nil, nil, err
	}
	if err := p.chooseTracts(c, r, opt, report); err != nil {
		return nil, nil, err
	}
	if err := p.CheckMemory(); err != nil {
		return nil, nil, err
	}
	p.Init(opt.Seed)
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	report.Params = p.Params.Count()
	report.SpectralRadius = p.SpectralRadius()
	p.History = []Event{{
		What: "build", Command: opt.Command, Seed: opt.Seed,
		Facts: map[string]float64{
			"regions": float64(len(p.Regions)), "tracts": float64(len(p.Tracts)),
			"parameters": float64(report.Params), "spectral_radius": math.Round(report.SpectralRadius*1e6) / 1e6,
		},
	}}
	return p, report, nil
}

// annotated returns the connectome with its atlas's roles: itself when it has
// roles, else an annotated copy.
func annotated(c *connectome.Connectome, report *BuildReport) *connectome.Connectome {
	for i := range c.Regions {
		if len(c.Regions[i].Roles) > 0 {
			return c
		}
	}
	c = c.Clone()
	report.Atlas = atlas.Annotate(c).String()
	return c
}

func either(given, otherwise int) int {
	if given != 0 {
		return given
	}
	return otherwise
}

// chooseTracts keeps the strongest tracts of each region and the paths that
// let every sense reach the effectors in time.
func (p *Plan) chooseTracts(c *connectome.Connectome, r *Recipe, opt BuildOptions, report *BuildReport) error {
	list, estimated := candidates(c, r.Velocity, r.Tick)
	report.Offered = len(list)
	if len(list) == 0 {
		return fmt.Errorf("connectome %q has no tracts between different regions", c.Name)
	}
	neighbours := max(either(opt.Neighbours, r.Neighbours), 0)
	keepStrongest(list, neighbours)
	for _, e := range p.Effectors {
		for _, target := range e.Regions {
			for _, s := range p.Senses {
				for _, j := range s.Regions {
					if err := p.keepPath(c.Name, list, j, s.Name, target, e.Name, report); err != nil {
						return err
					}
				}
			}
			for _, j := range e.Feedback {
				if err := p.keepPath(c.Name, list, j, e.Name+".feedback", target, e.Name, report); err != nil {
					return err
				}
			}
		}
	}
	p.keepPartPaths(list, report)
	for _, t := range list {
		if t.keep {
			p.Tracts = append(p.Tracts, Tract{From: t.from, To: t.to, Weight: t.weight, LengthMM: t.length, Delay: t.delay})
		}
	}
	logarithmic := scales(p.Tracts)
	report.chosen(p, neighbours, estimated, logarithmic)
	p.allowParts(report)
	return report.reach(p)
}

// keepPath makes sure that what enters a region is in an effector's region by
// the time it is first read: it keeps weaker tracts of the list, or lengthens
// the settling.
func (p *Plan) keepPath(name string, list []candidate, from int, what string, target int, effector string, report *BuildReport) error {
	if from == target {
		return nil
	}
	// The input is in the state of tick 1, leaves with it, and must be in the
	// effector's region at tick Settle.
	_, ticks, ok := route(len(p.Regions), list, from, target, true)
	if ok && ticks <= p.Ticks.Settle-1 {
		return nil
	}
	path, ticks, ok := route(len(p.Regions), list, from, target, false)
	if !ok && p.bridged(list, from, target) {
		return nil // by parts: keepPartPaths and allowParts see to it
	}
	if !ok {
		return fmt.Errorf("connectome %q: no chain of tracts leads from %q (%s) to %q (%s); place one of them elsewhere with --place",
			name, p.Regions[from].Label, what, p.Regions[target].Label, effector)
	}
	added := 0
	for _, k := range path {
		if !list[k].keep {
			list[k].keep = true
			added++
		}
	}
	if added > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%s kept so that %s reaches %s from %s in %s",
			plural.Count(added, "weaker tract", "weaker tracts"), what, p.Regions[target].Label, p.Regions[from].Label, plural.Count(ticks, "tick", "ticks")))
	}
	if ticks > p.Ticks.Settle-1 {
		report.Notes = append(report.Notes, fmt.Sprintf("settling lengthened from %d to %d ticks: %s needs %d from %s to %s",
			p.Ticks.Settle, ticks+1, what, ticks, p.Regions[from].Label, p.Regions[target].Label))
		p.Ticks.Settle = ticks + 1
	}
	return nil
}
