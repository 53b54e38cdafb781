package wiring

import (
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
	for _, s := range r.Senses {
		if err := x.sense(s); err != nil {
			return err
		}
	}
	for _, e := range r.Effectors {
		if err := x.effector(e); err != nil {
			return err
		}
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

// sense gives a sense its regions.
func (x *placement) sense(s RecipeSense) error {
	width, err := x.width(s.Module, s.Port)
	if err != nil {
		return err
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
	x.plan.Senses = append(x.plan.Senses, Sense{Name: s.Name, Kind: s.Kind, Module: s.Module, Port: s.Port, Of: s.Of, Regions: regions, Width: width})
	return nil
}

// effector gives an effector its region and the one its words come back to.
func (x *placement) effector(e RecipeEffector) error {
	hidden, err := x.width(e.Module, "hidden")
	if err != nil {
		return err
	}
	semantic, err := x.width(e.Text, "embedding")
	if err != nil {
		return err
	}
	regions, why, err := x.choose(e.Name, -1, e.Place, e.Name, e.Module)
	if err != nil || len(regions) == 0 {
		return err
	}
	region := x.find.single(regions)
	x.settle(e.Name, e.Module, why, region)
	back, backWhy, err := x.choose(e.Name+".feedback", region, e.Feedback, e.Name+".feedback")
	if err != nil || len(back) == 0 {
		return err
	}
	feedback := x.find.single(back)
	x.settle(e.Name+".feedback", "", backWhy, feedback)
	x.plan.Effectors = append(x.plan.Effectors, Effector{
		Name: e.Name, Kind: e.Kind, Module: e.Module, Text: e.Text,
		Region: region, Feedback: feedback, Hidden: hidden, Semantic: semantic,
	})
	return nil
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

// width returns the length of a module's output and lists the module in the
// plan.
func (x *placement) width(name, port string) (int, error) {
	info, ok := x.modules[name]
	if !ok {
		return 0, fmt.Errorf("recipe %q needs module %q, which is not there; `wire modules` lists those that are", x.recipe.Name, name)
	}
	width, ok := info.Widths[port]
	if !ok {
		return 0, fmt.Errorf("recipe %q needs port %q of module %q, which has no such vector output", x.recipe.Name, port, name)
	}
	if !slices.ContainsFunc(x.plan.Modules, func(m ModuleRef) bool { return m.Name == name }) {
		x.plan.Modules = append(x.plan.Modules, ModuleRef{Name: name, Source: info.Source, SHA256: info.SHA256})
	}
	return width, nil
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
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(keys, key) {
			return fmt.Errorf("--place %s=%s: recipe %q has no sense, effector or module %q%s; it has: %s",
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
