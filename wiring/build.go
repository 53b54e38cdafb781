package wiring

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
)

// ModuleInfo is what [Build] needs to know of a module.
type ModuleInfo struct {
	// Source and SHA256 go into the plan, see [ModuleRef].
	Source, SHA256 string
	// Widths are the lengths of its output vectors, by port: "embedding" of an
	// encoder or text tower, "hidden" of a language module.
	Widths map[string]int
}

// BuildOptions are what a person chooses when building a plan. The zero value
// of each field but Modules keeps the recipe's choice.
type BuildOptions struct {
	// Modules describes every module the recipe names.
	Modules map[string]ModuleInfo
	// Place puts senses, effectors, or feedback ("caption.feedback") on
	// regions by hand. Keys are their names or their modules' names.
	Place map[string][]string
	// Width, Rank, Stare, MaxTokens and Neighbours override the recipe;
	// Neighbours = −1 keeps all tracts.
	Width, Rank, Stare, MaxTokens, Neighbours int
	// Seed of the untrained parameters.
	Seed uint64
	// File, SHA256, Command and Version are provenance.
	File, SHA256, Command, Version string
}

// BuildReport says what [Build] did and why.
type BuildReport struct {
	Recipe, Connectome string
	Atlas              string // atlas recognised, for people
	Regions            int
	Tracts, Offered    int // kept, of those the connectome has
	Placed             []Placed
	// Delays counts tracts by delay in ticks; index 0 is empty.
	Delays []int
	// Params is the number of learned parameters.
	Params int
	// SpectralRadius of the untrained plan.
	SpectralRadius float64
	// Notes are decisions worth knowing, Warnings what may be wrong.
	Notes, Warnings []string
}

// Placed is a part of a recipe and where it went.
type Placed struct {
	Name   string // "image", "caption", "caption.feedback"
	Module string
	Region string
	Why    string
	// Ticks a signal needs from here to the effector; −1 when unreachable.
	Ticks int
}

// Build makes an untrained plan from a connectome and a recipe: it places the
// modules, keeps each region's strongest tracts and the paths the senses
// need, derives delays from tract lengths and conduction velocity, and scales
// the weights so that the plan is an echo-state network.
//
// The connectome is annotated with its atlas if nobody has done so. When a
// part of the recipe finds no region the error is a [*PlaceError].
func Build(c *connectome.Connectome, r *Recipe, opt BuildOptions) (*Plan, *BuildReport, error) {
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
		Stare: either(opt.Stare, r.Stare), MaxTokens: either(opt.MaxTokens, r.MaxTokens),
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

// place fills senses, effectors, modules and the regions' slots.
func (p *Plan) place(c *connectome.Connectome, r *Recipe, opt BuildOptions, report *BuildReport) error {
	find := newPlacer(c, opt.Place)
	if err := checkPlaceKeys(r, opt.Place); err != nil {
		return err
	}
	failed := &PlaceError{Connectome: c.Name, Recipe: r.Name, Labels: find.names, Roles: rolesOf(c)}
	choose := func(name string, self int, places []Place, keys ...string) ([]int, string, error) {
		found, given, err := find.explicit(keys...)
		if err != nil {
			return nil, "", err
		}
		if given {
			return found, "placed by hand", nil
		}
		found, why := find.find(places, self)
		if len(found) == 0 {
			failed.Missing = append(failed.Missing, MissingPlace{name, places})
		}
		return found, why, nil
	}
	module := func(name, port string) (ModuleInfo, int, error) {
		info, ok := opt.Modules[name]
		if !ok {
			return info, 0, fmt.Errorf("recipe %q needs module %q, which is not there; `wire modules` lists those that are", r.Name, name)
		}
		width, ok := info.Widths[port]
		if !ok {
			return info, 0, fmt.Errorf("recipe %q needs port %q of module %q, which has no such vector output", r.Name, port, name)
		}
		if !p.hasModule(name) {
			p.Modules = append(p.Modules, ModuleRef{Name: name, Source: info.Source, SHA256: info.SHA256})
		}
		return info, width, nil
	}
	var placed []Placed
	settle := func(name, module, why string, region int) {
		g := &p.Regions[region]
		if module != "" && g.Slot == "" {
			g.Slot, g.Why = module, name+": "+why
		} else if module != "" && g.Slot != module {
			g.Slot, g.Why = g.Slot+"+"+module, g.Why+"; "+name+": "+why
		}
		placed = append(placed, Placed{Name: name, Module: module, Region: g.Label, Why: why})
	}
	for _, s := range r.Senses {
		_, width, err := module(s.Module, s.Port)
		if err != nil {
			return err
		}
		regions, why, err := choose(s.Name, -1, s.Place, s.Name, s.Module)
		if err != nil {
			return err
		}
		if cue := p.Sense(s.Of); len(regions) == 0 && s.Kind == KindMemory && cue != nil {
			// No region is known for memory: it recalls where its cue enters.
			regions, why = slices.Clone(cue.Regions), "no place for memory is known: where "+s.Of+" enters"
			failed.Missing = slices.DeleteFunc(failed.Missing, func(m MissingPlace) bool { return m.Name == s.Name })
		}
		for _, j := range regions {
			settle(s.Name, s.Module, why, j)
		}
		p.Senses = append(p.Senses, Sense{Name: s.Name, Kind: s.Kind, Module: s.Module, Port: s.Port, Of: s.Of, Regions: regions, Width: width})
	}
	for _, e := range r.Effectors {
		_, hidden, err := module(e.Module, "hidden")
		if err != nil {
			return err
		}
		_, semantic, err := module(e.Text, "embedding")
		if err != nil {
			return err
		}
		regions, why, err := choose(e.Name, -1, e.Place, e.Name, e.Module)
		if err != nil {
			return err
		}
		if len(regions) == 0 {
			continue
		}
		region := find.single(regions)
		settle(e.Name, e.Module, why, region)
		back, backWhy, err := choose(e.Name+".feedback", region, e.Feedback, e.Name+".feedback")
		if err != nil {
			return err
		}
		if len(back) == 0 {
			continue
		}
		feedback := find.single(back)
		settle(e.Name+".feedback", "", backWhy, feedback)
		p.Effectors = append(p.Effectors, Effector{
			Name: e.Name, Kind: e.Kind, Module: e.Module, Text: e.Text,
			Region: region, Feedback: feedback, Hidden: hidden, Semantic: semantic,
		})
	}
	if len(failed.Missing) > 0 {
		return failed
	}
	report.Placed = placed
	return nil
}

func (p *Plan) hasModule(name string) bool {
	for _, m := range p.Modules {
		if m.Name == name {
			return true
		}
	}
	return false
}

// checkPlaceKeys refuses a `--place` for something the recipe does not have.
func checkPlaceKeys(r *Recipe, given map[string][]string) error {
	var keys []string
	for _, s := range r.Senses {
		keys = append(keys, s.Name, s.Module)
	}
	for _, e := range r.Effectors {
		keys = append(keys, e.Name, e.Module, e.Name+".feedback")
	}
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(keys, key) {
			return fmt.Errorf("--place %s=%s: recipe %q has no sense, effector or module %q%s; it has: %s",
				key, strings.Join(given[key], ","), r.Name, key, didYouMean(key, keys), strings.Join(keys, ", "))
		}
		if len(given[key]) == 0 {
			return fmt.Errorf("--place %s=: no region is given", key)
		}
	}
	return nil
}

// rolesOf lists the roles that the connectome's regions have, in the atlas's
// order.
func rolesOf(c *connectome.Connectome) []string {
	var roles []string
	for _, role := range atlas.Roles() {
		if len(atlas.RegionsWithRole(c, role)) > 0 {
			roles = append(roles, string(role))
		}
	}
	return roles
}

// chooseTracts keeps the strongest tracts of each region and the paths that
// let every sense reach the effector before the first word.
func (p *Plan) chooseTracts(c *connectome.Connectome, r *Recipe, opt BuildOptions, report *BuildReport) error {
	list, estimated := candidates(c, r.Velocity, r.Tick)
	report.Offered = len(list)
	if len(list) == 0 {
		return fmt.Errorf("connectome %q has no tracts between different regions", c.Name)
	}
	neighbours := max(either(opt.Neighbours, r.Neighbours), 0)
	keepStrongest(list, neighbours)

	target := p.Effectors[0].Region
	need := func(from int, what string) error {
		if from == target {
			return nil
		}
		// The input is in the state of tick 1, leaves with it, and must be in
		// the language region's state at tick Stare.
		_, ticks, ok := route(len(p.Regions), list, from, target, true)
		if ok && ticks <= p.Stare-1 {
			return nil
		}
		path, ticks, ok := route(len(p.Regions), list, from, target, false)
		if !ok {
			return fmt.Errorf("connectome %q: no chain of tracts leads from %q (%s) to %q (%s); place one of them elsewhere with --place",
				c.Name, p.Regions[from].Label, what, p.Regions[target].Label, p.Effectors[0].Name)
		}
		added := 0
		for _, k := range path {
			if !list[k].keep {
				list[k].keep = true
				added++
			}
		}
		if added > 0 {
			report.Notes = append(report.Notes, fmt.Sprintf("%d weaker tracts kept so that %s reaches %s from %s in %d ticks",
				added, what, p.Regions[target].Label, p.Regions[from].Label, ticks))
		}
		if ticks > p.Stare-1 {
			report.Notes = append(report.Notes, fmt.Sprintf("stare lengthened from %d to %d ticks: %s needs %d from %s to %s",
				p.Stare, ticks+1, what, ticks, p.Regions[from].Label, p.Regions[target].Label))
			p.Stare = ticks + 1
		}
		return nil
	}
	for _, s := range p.Senses {
		for _, j := range s.Regions {
			if err := need(j, s.Name); err != nil {
				return err
			}
		}
	}
	if err := need(p.Effectors[0].Feedback, p.Effectors[0].Name+".feedback"); err != nil {
		return err
	}

	negative, unknown := 0, 0
	for _, t := range list {
		if !t.keep {
			continue
		}
		p.Tracts = append(p.Tracts, Tract{From: t.from, To: t.to, Weight: t.weight, LengthMM: t.length, Delay: t.delay})
		if t.weight < 0 {
			negative++
		}
		if math.IsNaN(t.length) {
			unknown++
		}
	}
	logarithmic := scales(p.Tracts)
	report.Tracts = len(p.Tracts)
	report.Delays = make([]int, p.MaxDelay()+1)
	for _, t := range p.Tracts {
		report.Delays[t.Delay]++
	}
	if neighbours > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("the %d strongest incoming tracts of each region are kept", neighbours))
	}
	if logarithmic {
		report.Notes = append(report.Notes, fmt.Sprintf("weights are heavy-tailed (largest more than %d times the median): scaled as log(1 + w/median)", HeavyTail))
	}
	if negative > 0 {
		report.Warnings = append(report.Warnings, fmt.Sprintf("%d kept tracts have negative weights; their magnitude counts, the sign is left to learning (a negative log streamline count is not inhibition)", negative))
	}
	if estimated > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%d tract lengths are straight lines between region centres: the file gives none", estimated))
	}
	if unknown > 0 {
		report.Warnings = append(report.Warnings, fmt.Sprintf("%d kept tracts have neither length nor located ends: they take one tick", unknown))
	}
	reach := p.TicksTo(target)
	dead := 0
	for _, t := range reach {
		if t < 0 {
			dead++
		}
	}
	if dead > 0 {
		report.Warnings = append(report.Warnings, fmt.Sprintf("%d regions have no chain of kept tracts to %s: what happens there cannot matter", dead, p.Regions[target].Label))
	}
	for i := range report.Placed {
		j, err := p.Index(report.Placed[i].Region)
		if err != nil {
			return err
		}
		report.Placed[i].Ticks = reach[j]
	}
	return nil
}

// String is the report as a table for people.
func (r *BuildReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "recipe %s on %s\n", r.Recipe, r.Connectome)
	if r.Atlas != "" {
		fmt.Fprintf(&b, "atlas: %s\n", r.Atlas)
	}
	fmt.Fprintf(&b, "%d regions, %d of %d tracts, %d parameters, spectral radius %.3f\n", r.Regions, r.Tracts, r.Offered, r.Params, r.SpectralRadius)
	var delays []string
	for d, n := range r.Delays {
		if n > 0 {
			delays = append(delays, fmt.Sprintf("%d×%d", n, d))
		}
	}
	fmt.Fprintf(&b, "delays (tracts×ticks): %s\n", strings.Join(delays, " "))
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmodule\tregion\tticks to speech\twhy")
	for _, p := range r.Placed {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", p.Name, p.Module, p.Region, p.Ticks, p.Why)
	}
	w.Flush()
	for _, n := range r.Notes {
		b.WriteString("note: " + n + "\n")
	}
	for _, n := range r.Warnings {
		b.WriteString("warning: " + n + "\n")
	}
	return b.String()
}
