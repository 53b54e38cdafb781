package wiring

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/internal/edit"
)

// place fills senses, effectors, modules and the regions' slots.
func (p *Plan) place(c *connectome.Connectome, r *Recipe, opt BuildOptions, report *BuildReport) error {
	if err := checkPlaceKeys(r, opt.Place); err != nil {
		return err
	}
	x := &placement{plan: p, recipe: r, modules: opt.Modules, find: newPlacer(c, opt.Place)}
	x.failed = &PlaceError{Connectome: c.Name, Recipe: r.Name, Labels: x.find.names, Roles: rolesOf(c)}
	for i, s := range r.Senses {
		if err := x.sense(i, s, opt.Widths[s.Name]); err != nil {
			return err
		}
	}
	for i, e := range r.Effectors {
		if err := x.effector(i, e, opt.Settings[e.Name]); err != nil {
			return err
		}
	}
	for i, part := range r.Parts {
		if err := x.part(i, part, report); err != nil {
			return err
		}
	}
	if err := x.burst(r.Burst); err != nil {
		return err
	}
	for _, t := range r.Tasks {
		if t.Target == "" {
			t.Target = t.Effector
		}
		p.Tasks = append(p.Tasks, Task{Kind: t.Kind, Effector: t.Effector, Target: t.Target, Weight: t.Weight, Settings: t.Settings.Clone()})
	}
	if len(x.failed.Missing) > 0 {
		return x.failed
	}
	report.Placed = x.placed
	return nil
}

// placement is a recipe on its way into a plan.
type placement struct {
	plan    *Plan
	recipe  *Recipe
	modules map[string]ModuleInfo
	find    *placer
	placed  []Placed
	failed  *PlaceError
}

// sense gives a sense its width and its regions.
func (x *placement) sense(i int, s RecipeSense, given int) error {
	sense := Sense{Name: s.Name, Kind: s.Kind, Module: s.Module, Port: s.Port, Of: s.Of, PerTick: s.Kind == KindSeries, Read: either2(s.Read, ReadWhole), Views: s.Views}
	at := fmt.Sprintf("$.senses[%d]", i)
	var err error
	if s.Kind == KindVector || s.Kind == KindSeries {
		sense.Width = either(s.Width, given)
		if sense.Width == 0 {
			return x.recipe.fail(at, "the width of sense %q is not known: give `width: N` in the recipe, or the data with --data", s.Name)
		}
		if given != 0 && given != sense.Width {
			return x.recipe.fail(at+".width", "sense %q is %d wide in the recipe and %d in the data", s.Name, sense.Width, given)
		}
	} else if sense.Width, sense.Places, err = x.port(at+".port", s.Module, s.Port); err != nil {
		return err
	}
	switch {
	case sense.Read == ReadGlimpse && sense.Places == 0:
		return x.recipe.fail(at+".read", "port %q of module %q gives one vector of %d; `read: glimpse` needs a grid: %s", s.Port, s.Module, sense.Width, x.ports(s.Module))
	case sense.Read == ReadWhole && sense.Places > 0:
		return x.recipe.fail(at+".port", "port %q of module %q gives a grid of %d vectors; add `read: glimpse`, or take another port: %s", s.Port, s.Module, sense.Places, x.ports(s.Module))
	}
	for k, e := range s.Encoders {
		width, places, err := x.port(fmt.Sprintf("%s.encoders[%d].port", at, k), e.Module, e.Port)
		if err != nil {
			return err
		}
		if width != sense.Width || places != sense.Places {
			return x.recipe.fail(fmt.Sprintf("%s.encoders[%d]", at, k), "sense %q: port %q of module %q is %d wide, port %q of module %q %d; encoders of a sense share one space",
				s.Name, e.Port, e.Module, width, s.Port, s.Module, sense.Width)
		}
		sense.Encoders = append(sense.Encoders, Encoder(e))
	}
	regions, why, err := x.choose(s.Name, -1, s.Place, s.Name, s.Module)
	if err != nil {
		return err
	}
	if cue := x.plan.Sense(s.Of); len(regions) == 0 && s.Kind == KindMemory && cue != nil {
		// No region is known for memory: it recalls where its cue enters.
		regions, why = slices.Clone(cue.Regions), "no place for memory is known: where "+s.Of+" enters"
		x.failed.Missing = slices.DeleteFunc(x.failed.Missing, func(m MissingPlace) bool { return m.Name == s.Name })
	}
	for _, j := range regions {
		x.settle(s.Name, s.Module, why, j)
	}
	sense.Regions = regions
	x.plan.Senses = append(x.plan.Senses, sense)
	return nil
}

// effector gives an effector its settings, its regions and those where what
// it does comes back in. data completes the recipe's settings.
func (x *placement) effector(i int, e RecipeEffector, data Settings) error {
	at := fmt.Sprintf("$.effectors[%d]", i)
	effector := Effector{Name: e.Name, Head: e.Head, Module: e.Module, Settings: e.Settings.Clone()}
	if effector.Settings == nil {
		effector.Settings = Settings{}
	}
	for key, v := range data {
		if _, said := effector.Settings[key]; !said {
			effector.Settings[key] = v
		}
	}
	head, err := HeadOf(e.Head)
	if err != nil {
		return x.recipe.fail(at+".head", "effector %q: %v", e.Name, err)
	}
	if e.Module != "" {
		if err := x.list(at+".module", e.Module); err != nil {
			return err
		}
	}
	err = head.Place(&effector, func(module, port string) (int, error) {
		width, _, err := x.port(at+".module", module, port)
		return width, err
	})
	if located := new(Error); errors.As(err, &located) {
		return err
	}
	if err != nil {
		return x.recipe.fail(at, "effector %q: %v", e.Name, err)
	}
	regions, why, err := x.choose(e.Name, -1, e.Place, e.Name, e.Module)
	if err != nil || len(regions) == 0 {
		return err
	}
	if !e.Spread {
		regions = []int{x.find.single(regions)}
	}
	effector.Regions = regions
	for _, j := range regions {
		x.settle(e.Name, e.Module, why, j)
	}
	if len(e.Feedback) > 0 && effector.FeedbackWidth == 0 {
		return x.recipe.fail(at+".feedback", "effector %q: head %q feeds nothing back", e.Name, e.Head)
	}
	if len(e.Feedback) > 0 {
		back, why, err := x.choose(e.Name+".feedback", regions[0], e.Feedback, e.Name+".feedback")
		if err != nil || len(back) == 0 {
			return err
		}
		if !e.Spread {
			back = []int{x.find.single(back)}
		}
		for _, j := range back {
			x.settle(e.Name+".feedback", "", why, j)
		}
		effector.Feedback = back
	} else {
		effector.FeedbackWidth = 0
	}
	x.plan.Effectors = append(x.plan.Effectors, effector)
	return nil
}

// part gives a part its ports' widths and its regions.
func (x *placement) part(i int, r RecipePart, report *BuildReport) error {
	at := fmt.Sprintf("$.parts[%d]", i)
	if err := x.list(at+".module", r.Module); err != nil {
		return err
	}
	part := Part{Name: r.Name, Module: r.Module, Input: r.Input, Output: r.Output, Every: max(r.Every, 1),
		RankIn: r.Ranks.In, RankOut: r.Ranks.Out, Sizes: maps.Clone(r.Sizes), Detach: r.Detach}
	kept, err := x.partPorts(at, &part)
	if err != nil {
		return err
	}
	regions, why, err := x.choose(r.Name, -1, r.Place, r.Name, r.Module)
	if err != nil || len(regions) == 0 {
		return err
	}
	part.Region = x.find.single(regions)
	x.settle(r.Name, r.Module, why, part.Region)
	part.Into = part.Region
	if into, given, err := x.find.explicit(r.Name + ".into"); err != nil {
		return err
	} else if given {
		part.Into, why = x.find.single(into), "placed by hand"
	} else if len(r.Into) > 0 {
		found, reason, err := x.choose(r.Name+".into", -1, r.Into, r.Name+".into")
		if err != nil || len(found) == 0 {
			return err
		}
		part.Into, why = x.find.single(found), reason
	}
	if part.Into != part.Region {
		x.settle(r.Name+".into", "", why, part.Into)
	}
	x.plan.Parts = append(x.plan.Parts, part)
	what := part.Name + ": " + part.String()
	if kept > 0 {
		what += fmt.Sprintf("; learning keeps %.1f MB of a run of an example", float64(kept)/1e6)
	}
	report.Parts = append(report.Parts, what)
	return nil
}

// partPorts finds what a part's module takes and gives, and tries it.
func (x *placement) partPorts(at string, part *Part) (kept int64, err error) {
	info := x.modules[part.Module]
	in, ok := info.Inputs[part.Input]
	if !ok {
		return 0, x.recipe.fail(at+".input", "module %q has no input %q%s; it takes %s", part.Module, part.Input,
			edit.Suggestion(part.Input, slices.Collect(maps.Keys(info.Inputs))), inputPorts(info))
	}
	if in.Dims == nil {
		return 0, x.recipe.fail(at+".input", "input %q of module %q is %s, no float numbers of one example; a part gives an adapter's numbers: %s", part.Input, part.Module, in.Shape, inputPorts(info))
	}
	var open []string
	for _, dim := range slices.Sorted(maps.Keys(part.Sizes)) {
		if !slices.ContainsFunc(in.Dims, func(d PortDim) bool { return d.Size < 0 && d.Name == dim }) {
			return 0, x.recipe.fail(at+".sizes."+dim, "input %q of module %q has no open dimension %q: it is %s", part.Input, part.Module, dim, in.Shape)
		}
	}
	if part.Takes, open = in.numbers(part.Sizes); len(open) > 0 {
		return 0, x.recipe.fail(at+".input", "input %q of module %q is %s: say how large its open dimensions are, `sizes: {%s: N}`", part.Input, part.Module, in.Shape, strings.Join(open, ": N, "))
	}
	if part.Takes > maxPartPort {
		return 0, x.recipe.fail(at+".input", "input %q of module %q takes more than %d numbers (%s); a part's adapter gives at most so many", part.Input, part.Module, maxPartPort, in.Shape)
	}
	out, ok := info.Outputs[part.Output]
	if !ok {
		return 0, x.recipe.fail(at+".output", "module %q has no output %q%s; it gives %s", part.Module, part.Output,
			edit.Suggestion(part.Output, slices.Collect(maps.Keys(info.Outputs))), x.ports(part.Module))
	}
	part.Gives = out.Width * max(out.Places, 1)
	if info.Probe == nil {
		if part.Gives == 0 {
			return 0, x.recipe.fail(at+".output", "output %q of module %q is %s, no numbers of a known length; it gives %s", part.Output, part.Module, out.Shape, x.ports(part.Module))
		}
		return 0, nil
	}
	facts, err := info.Probe(part)
	if err != nil {
		return 0, x.recipe.fail(at, "part %q: %v", part.Name, err)
	}
	if part.Gives = facts.Gives; part.Gives > maxPartPort {
		return 0, x.recipe.fail(at+".output", "output %q of module %q gives %d numbers; a part's adapter reads at most %d", part.Output, part.Module, part.Gives, maxPartPort)
	}
	return facts.Kept, nil
}

// inputPorts lists a module's inputs with what they take, for messages.
func inputPorts(info ModuleInfo) string {
	var list []string
	for _, port := range slices.Sorted(maps.Keys(info.Inputs)) {
		in := info.Inputs[port]
		n, open := in.numbers(nil)
		switch {
		case in.Dims == nil:
			list = append(list, fmt.Sprintf("%s (%s)", port, in.Shape))
		case len(open) > 0:
			list = append(list, fmt.Sprintf("%s (%s, open: %s)", port, in.Shape, strings.Join(open, ", ")))
		default:
			list = append(list, fmt.Sprintf("%s (%s, %d numbers)", port, in.Shape, n))
		}
	}
	return strings.Join(list, ", ")
}

func either2(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}

// choose returns the regions for a part of the recipe: those given by hand
// under one of its keys, or those that suit its places. A part without any is
// noted as missing.
func (x *placement) choose(name string, self int, places []Place, keys ...string) ([]int, string, error) {
	found, given, err := x.find.explicit(keys...)
	if err != nil {
		return nil, "", err
	}
	if given {
		return found, "placed by hand", nil
	}
	found, why := x.find.find(places, self)
	if len(found) == 0 {
		x.failed.Missing = append(x.failed.Missing, MissingPlace{name, places})
	}
	return found, why, nil
}

// port returns the width of a module's output, and its number of places where
// it is a grid, and lists the module in the plan.
func (x *placement) port(at, name, port string) (width, places int, err error) {
	if err := x.list(at, name); err != nil {
		return 0, 0, err
	}
	o, ok := x.modules[name].Outputs[port]
	if !ok {
		return 0, 0, x.recipe.fail(at, "module %q has no output %q%s; it gives %s", name, port,
			edit.Suggestion(port, slices.Collect(maps.Keys(x.modules[name].Outputs))), x.ports(name))
	}
	if o.Width == 0 {
		return 0, 0, x.recipe.fail(at, "output %q of module %q is %s, no vector of one width; it gives %s", port, name, o.Shape, x.ports(name))
	}
	return o.Width, o.Places, nil
}

// list lists a module in the plan.
func (x *placement) list(at, name string) error {
	info, ok := x.modules[name]
	if !ok {
		return x.recipe.fail(at, "module %q is not there; `wire modules list` shows those that are", name)
	}
	if info.Missing != nil {
		return x.recipe.fail(at, "%v", info.Missing)
	}
	if !slices.ContainsFunc(x.plan.Modules, func(m ModuleRef) bool { return m.Name == name }) {
		x.plan.Modules = append(x.plan.Modules, ModuleRef{Name: name, Source: info.Source, SHA256: info.SHA256})
	}
	return nil
}

// ports lists a module's outputs with their widths, for messages.
func (x *placement) ports(name string) string {
	outputs := x.modules[name].Outputs
	var list []string
	for _, port := range slices.Sorted(maps.Keys(outputs)) {
		list = append(list, fmt.Sprintf("%s (%s)", port, outputs[port]))
	}
	return strings.Join(list, ", ")
}

// settle notes what fills a region, and why.
func (x *placement) settle(name, module, why string, region int) {
	g := &x.plan.Regions[region]
	if module != "" && g.Slot == "" {
		g.Slot, g.Why = module, name+": "+why
	} else if module != "" && g.Slot != module {
		g.Slot, g.Why = g.Slot+"+"+module, g.Why+"; "+name+": "+why
	}
	x.placed = append(x.placed, Placed{Name: name, Module: module, Region: g.Label, Why: why})
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
	for _, x := range r.Parts {
		keys = append(keys, x.Name, x.Module, x.Name+".into")
	}
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(keys, key) {
			return fmt.Errorf("--place %s=%s: recipe %q has no sense, effector, part or module %q%s; it has: %s",
				key, strings.Join(given[key], ","), r.Name, key, edit.Suggestion(key, keys), strings.Join(keys, ", "))
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
