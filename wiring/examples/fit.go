package examples

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/prepare"
)

// Fit completes a recipe with what data say: which of its senses they have,
// how wide their numbers are, and what effectors choose among, which goes into
// the options. Senses that are named are used instead; without data the recipe
// only loses the senses that are not.
func Fit(d *own.Dataset, r *wiring.Recipe, senses []string, o *wiring.BuildOptions) (*wiring.Recipe, error) {
	if d == nil {
		return r.Choose(senses)
	}
	var known []string
	for _, s := range r.Senses {
		known = append(known, s.Name)
	}
	learns := map[string]string{}
	for _, t := range r.Tasks {
		learns[t.Effector] = targetOf(t)
	}
	if err := asked(d, "recipe "+r.Name, known, Wanted(r), learns); err != nil {
		return nil, err
	}
	var senseKinds [][]string
	for _, s := range r.Senses {
		kinds := []string{s.Kind}
		for _, e := range s.Encoders {
			kinds = append(kinds, e.Kind)
		}
		senseKinds = append(senseKinds, kinds)
	}
	match(d, known, senseKinds)
	chosen := slices.Clone(senses)
	if len(chosen) == 0 && len(r.DefaultSenses) > 0 {
		for _, s := range r.Senses {
			if slices.ContainsFunc(d.Inputs, func(b own.Binding) bool { return b.Name == s.Name }) {
				chosen = append(chosen, s.Name)
			}
		}
	}
	r, err := r.Choose(chosen)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(r.Senses, func(s wiring.RecipeSense) bool {
		return slices.ContainsFunc(d.Inputs, func(b own.Binding) bool { return b.Name == s.Name })
	}) {
		return nil, senseless(d, "recipe", known)
	}
	o.Widths = Widths(d)
	o.Settings = map[string]wiring.Settings{}
	all := OfRows(d, d.Rows)
	for _, t := range r.Tasks {
		kind, err := prepare.Lookup(t.Kind)
		if err != nil {
			return nil, fmt.Errorf("recipe %q: %w", r.Name, err)
		}
		target := targetOf(t)
		s, err := kind.Settings(target, all)
		if err != nil {
			return nil, fmt.Errorf("%s: task %q: %w; its targets are %s (say which with --target %s=COLUMN, and with --kind COLUMN=KIND what it is; its columns are %s)", d.Name, t.Kind, err, bound(d, d.Targets), target, Columns(d))
		}
		if s != nil {
			o.Settings[t.Effector] = s
		}
	}
	pairs := !slices.ContainsFunc(r.Tasks, func(t wiring.RecipeTask) bool { return t.Kind != pairsKind })
	return r, targeted(d, "recipe", Wanted(r), pairs)
}

// Wanted are the targets that a recipe's tasks learn.
func Wanted(r *wiring.Recipe) []string {
	var names []string
	for _, t := range r.Tasks {
		if target := targetOf(t); !slices.Contains(names, target) {
			names = append(names, target)
		}
	}
	return names
}

// Learned are the targets that a plan's tasks learn.
func Learned(p *wiring.Plan) []string {
	var names []string
	for _, t := range p.Tasks {
		if !slices.Contains(names, t.Target) {
			names = append(names, t.Target)
		}
	}
	return names
}

// targetOf is the name of what a task learns.
func targetOf(t wiring.RecipeTask) string {
	if t.Target != "" {
		return t.Target
	}
	return t.Effector
}

// asked refuses names of inputs and targets, among those that were asked for,
// that no sense or task has: their columns would be read and never used. learns
// are the effectors' targets.
func asked(d *own.Dataset, who string, senses, targets []string, learns map[string]string) error {
	for _, x := range []struct {
		flag, are string
		asked     map[string]string
		known     []string
	}{
		{"input", "senses", d.Options.Inputs, senses},
		{"target", "targets", d.Options.Targets, targets},
	} {
		for _, name := range slices.Sorted(maps.Keys(x.asked)) {
			if slices.Contains(x.known, name) {
				continue
			}
			if target := learns[name]; x.flag == "target" && target != "" {
				return fmt.Errorf("--target %s=%s: effector %q of %s learns the target %q: say --target %s=COLUMN, or give its task a target of its own in the recipe (`tasks:`)", name, x.asked[name], name, who, target, target)
			}
			have := "no " + x.are
			if len(x.known) > 0 {
				have = "the " + x.are + " " + strings.Join(x.known, ", ")
			}
			return fmt.Errorf("--%s %s=%s: %s has %s, and no %q", x.flag, name, x.asked[name], who, have, name)
		}
	}
	return nil
}

// bound lists bindings with the columns they stand for.
func bound(d *own.Dataset, list []own.Binding) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = fmt.Sprintf("%s (column %s, %s)", b.Name, d.Columns[b.Column].Name, d.Columns[b.Column].Kind)
	}
	return strings.Join(names, ", ")
}

// Match gives what data bind by themselves, under the names of kinds, to the
// only sense of a plan that takes the kind, where none has the name.
func Match(p *wiring.Plan, d *own.Dataset) {
	names, kinds := make([]string, len(p.Senses)), make([][]string, len(p.Senses))
	for i := range p.Senses {
		names[i] = p.Senses[i].Name
		for _, e := range p.Senses[i].All() {
			kinds[i] = append(kinds[i], e.Kind)
		}
	}
	match(d, names, kinds)
}

// match is [Match] for senses of these names, each of which takes some kinds.
func match(d *own.Dataset, names []string, kinds [][]string) {
	if d.Options.Inputs != nil {
		return
	}
	for i := range d.Inputs {
		b := &d.Inputs[i]
		if slices.Contains(names, b.Name) {
			continue
		}
		only := ""
		for k, name := range names {
			given := slices.ContainsFunc(d.Inputs, func(o own.Binding) bool { return o.Name == name })
			if given || !slices.Contains(kinds[k], string(d.Columns[b.Column].Kind)) {
				continue
			}
			if only != "" {
				only = ""
				break
			}
			only = name
		}
		if only != "" {
			b.Name = only
		}
	}
}

// Check refuses data that have no input or no target of a plan.
func Check(p *wiring.Plan, d *own.Dataset) error {
	Match(p, d)
	inputs := 0
	for _, b := range d.Inputs {
		if p.Sense(b.Name) != nil {
			inputs++
		}
	}
	var senses []string
	for _, s := range p.Senses {
		if s.Kind != wiring.KindMemory {
			senses = append(senses, s.Name)
		}
	}
	learns := map[string]string{}
	for _, t := range p.Tasks {
		learns[t.Effector] = t.Target
	}
	if err := asked(d, fmt.Sprintf("plan %q", p.Name), senses, Learned(p), learns); err != nil {
		return err
	}
	if inputs == 0 {
		return senseless(d, "plan", senses)
	}
	pairs := !slices.ContainsFunc(p.Tasks, func(t wiring.Task) bool { return t.Kind != pairsKind })
	return targeted(d, "plan", Learned(p), pairs)
}

// senseless says that data give nothing to the senses of a recipe or a plan.
func senseless(d *own.Dataset, who string, senses []string) error {
	return fmt.Errorf("the data give %s; the %s's senses are %s: say which column is which with --input SENSE=COLUMN (the columns are %s)",
		Bound(d.Inputs), who, strings.Join(senses, ", "), Columns(d))
}

// pairsKind is the kind of task that learns from pairs of inputs and needs no
// target.
const pairsKind = "retrieval"

// targeted refuses data that have none of the targets that a recipe or a plan
// learns, unless it learns from pairs alone.
func targeted(d *own.Dataset, who string, wanted []string, pairs bool) error {
	if pairs || slices.ContainsFunc(d.Targets, func(b own.Binding) bool { return slices.Contains(wanted, b.Name) }) {
		return nil
	}
	return fmt.Errorf("the data have the targets %s; the %s learns %s: say which column is which with --target NAME=COLUMN (the columns are %s)",
		Bound(d.Targets), who, strings.Join(wanted, ", "), Columns(d))
}

// Columns lists what data hold, for messages.
func Columns(d *own.Dataset) string {
	const most = 20
	var list []string
	for i, c := range d.Columns {
		if i == most {
			list = append(list, fmt.Sprintf("and %d more", len(d.Columns)-most))
			break
		}
		list = append(list, fmt.Sprintf("%s (%s)", c.Name, c.Kind))
	}
	return strings.Join(list, ", ")
}

// Bound lists the names that data are bound to, for messages.
func Bound(list []own.Binding) string {
	if len(list) == 0 {
		return "nothing"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = b.Name
	}
	return strings.Join(names, ", ")
}
