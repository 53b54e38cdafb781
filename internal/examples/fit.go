package examples

import (
	"fmt"
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
	o.Widths = Widths(d)
	o.Settings = map[string]wiring.Settings{}
	all := OfRows(d, d.Rows)
	for _, t := range r.Tasks {
		kind, err := prepare.Lookup(t.Kind)
		if err != nil {
			return nil, fmt.Errorf("recipe %q: %w", r.Name, err)
		}
		target := t.Target
		if target == "" {
			target = t.Effector
		}
		s, err := kind.Settings(target, all)
		if err != nil {
			return nil, fmt.Errorf("%s: task %q: %w; its targets are %s (say which with --target %s=COLUMN; its columns are %s)", d.Name, t.Kind, err, bindings(d.Targets), target, Columns(d))
		}
		if s != nil {
			o.Settings[t.Effector] = s
		}
	}
	return r, nil
}

// Check refuses data that have no input or no target of a plan.
func Check(p *wiring.Plan, d *own.Dataset) error {
	inputs, targets := 0, 0
	for _, b := range d.Inputs {
		if p.Sense(b.Name) != nil {
			inputs++
		}
	}
	for _, b := range d.Targets {
		if slices.ContainsFunc(p.Tasks, func(t wiring.Task) bool { return t.Target == b.Name }) {
			targets++
		}
	}
	var senses, wanted []string
	for _, s := range p.Senses {
		if s.Kind != wiring.KindMemory {
			senses = append(senses, s.Name)
		}
	}
	for _, t := range p.Tasks {
		wanted = append(wanted, t.Target)
	}
	switch {
	case inputs == 0:
		return fmt.Errorf("the data give %s; the plan's senses are %s: say which column is which with --input SENSE=COLUMN", bindings(d.Inputs), strings.Join(senses, ", "))
	case targets == 0 && !pairsOnly(p):
		return fmt.Errorf("the data have the targets %s; the plan learns %s: say which column is which with --target NAME=COLUMN", bindings(d.Targets), strings.Join(wanted, ", "))
	}
	return nil
}

// pairsOnly says that a plan learns from pairs of inputs and needs no target.
func pairsOnly(p *wiring.Plan) bool {
	return !slices.ContainsFunc(p.Tasks, func(t wiring.Task) bool { return t.Kind != "retrieval" })
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

func bindings(list []own.Binding) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = b.Name
	}
	return strings.Join(names, ", ")
}
