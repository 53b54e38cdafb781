package wiring

import (
	"fmt"
	"strings"
)

// This file reads what format 1 of plans and recipes said otherwise: they had
// one kind of effector, and its settings stood beside its name.

// Names that format 1 did not have to say.
const (
	head1 = "language"
	task1 = "captioning"
	// target1 is what every effector learned.
	target1 = "caption"
)

// upgrade turns a plan.yaml of format 1 into one of format 2.
func (f *planFile) upgrade(doc *document) error {
	if len(f.Parts) > 0 {
		return doc.errorf("$.parts", "parts are of format %d; this plan says it is of format 1", FormatVersion)
	}
	f.Ticks = ticksFile{Settle: f.Stare, Max: f.MaxSteps}
	for i := range f.Effectors {
		e := &f.Effectors[i]
		e.Head, e.Regions = head1, []string{e.Region}
		e.FeedbackWidth = e.Hidden
		e.Settings = Settings{"text": e.Text, "hidden": e.Hidden, "semantic": e.Semantic}
		f.Tasks = append(f.Tasks, taskFile{Kind: task1, Effector: e.Name, Target: target1})
	}
	return nil
}

// only2 refuses keys of format 1 in a file of format 2.
func (f *planFile) only2(doc *document) error {
	switch {
	case f.Stare != 0:
		return doc.errorf("$.stare", "`stare` is of format 1; write `ticks: {settle: %d, max: …}`", f.Stare)
	case f.MaxSteps != 0:
		return doc.errorf("$.max_tokens", "`max_tokens` is of format 1; write `ticks: {settle: …, max: %d}`", f.MaxSteps)
	}
	for i := range f.Effectors {
		if e := &f.Effectors[i]; e.Kind+e.Text+e.Region != "" || e.Hidden != 0 || e.Semantic != 0 {
			return doc.errorf(fmt.Sprintf("$.effectors[%d]", i), "effector %q has keys of format 1 (kind, text, region, hidden, semantic); format 2 has head, regions and settings", f.Effectors[i].Name)
		}
	}
	return nil
}

// upgrade gives the list of a plan of format 1 to its effector.
func (q *Params) upgrade(p *Plan) {
	list, ok := q.Lists[list1]
	if !ok || len(p.Effectors) != 1 {
		return
	}
	q.Lists = nil
	q.SetList(EffectorName(p.Effectors[0].Name, list1), list)
}

// upgrade turns a recipe of format 1 into one of format 2; a recipe that was
// upgraded stays as it is.
func (r *Recipe) upgrade() error {
	if len(r.Parts) > 0 {
		return r.fail("$.parts", "parts are of format %d; this recipe says it is of format 1", FormatVersion)
	}
	r.Ticks = ticksFile{Settle: r.Stare, Max: r.MaxSteps}
	for i := range r.Effectors {
		e := &r.Effectors[i]
		at := fmt.Sprintf("$.effectors[%d]", i)
		if e.Kind != "text" {
			return r.fail(at+".kind", "effector %q is of kind %q; format 1 knows only text: write format %d, which has heads (%s)",
				e.Name, e.Kind, FormatVersion, strings.Join(Heads(), ", "))
		}
		if e.Module == "" {
			return r.fail(at, "effector %q needs a module", e.Name)
		}
		if e.Text == "" {
			e.Text = "text"
		}
		e.Head, e.Settings = head1, Settings{"text": e.Text}
		e.Kind, e.Text = "", ""
		r.Tasks = append(r.Tasks, RecipeTask{Kind: task1, Effector: e.Name, Target: target1})
	}
	r.Format, r.Stare, r.MaxSteps = FormatVersion, 0, 0
	return nil
}
