package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
)

// Graft returns a plan with a sense, part or effector of another, the donor: its
// module, and what was learned between it and the regions, come along. What the
// plan has under that name is replaced. It takes the donor's regions, by their
// labels, or those that are given, in the donor's order, the first again where
// there are more; an effector brings its tasks. Both plans must be equally wide.
func Graft(p, donor *wiring.Plan, name string, regions []int) (*wiring.Plan, error) {
	if p.Width != donor.Width {
		return nil, fmt.Errorf("states of plan %q have %d numbers, those of %q %d: what was learned there does not fit here", p.Name, p.Width, donor.Name, donor.Width)
	}
	q := *p
	q.Calibration, q.Trained = nil, p.Trained || donor.Trained
	q.Name = p.Name + " with " + name + " of " + donor.Name
	g := grafting{q: &q, donor: donor, name: name}
	var err error
	switch {
	case donor.Sense(name) != nil:
		err = g.sense(regions)
	case donor.Part(name) >= 0:
		err = g.part(regions)
	case donor.Effector(name) >= 0:
		err = g.effector(regions)
	default:
		err = fmt.Errorf("plan %q has no sense, part or effector %q; it has %s", donor.Name, name, strings.Join(organs(donor), ", "))
	}
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%s %q of plan %q, in %s", g.kind, name, donor.Name, strings.Join(g.to, ", "))
	out, err := carried(&q, p, wiring.Event{What: "graft", Notes: []string{note}})
	if err != nil {
		return nil, err
	}
	g.tensors(out)
	return out, nil
}

// organs are the names of what can be grafted.
func organs(p *wiring.Plan) []string {
	var names []string
	for _, s := range p.Senses {
		names = append(names, s.Name)
	}
	for _, x := range p.Parts {
		names = append(names, x.Name)
	}
	for _, e := range p.Effectors {
		names = append(names, e.Name)
	}
	return names
}

// grafting is a graft in the making.
type grafting struct {
	q, donor *wiring.Plan
	name     string
	kind     string // what it is, for people and as its tensors' names begin
	from, to []string
}

func (g *grafting) sense(regions []int) (err error) {
	g.kind = "sense"
	s := *g.donor.Sense(g.name)
	if s.Kind == wiring.KindMemory {
		return fmt.Errorf("sense %q is a memory: its episodes belong to plan %q", g.name, g.donor.Name)
	}
	if s.Regions, err = g.place(s.Regions, regions); err != nil {
		return err
	}
	if err := g.module(s.Module); err != nil {
		return err
	}
	for _, e := range s.Encoders {
		if err := g.module(e.Module); err != nil {
			return err
		}
	}
	at := slices.IndexFunc(g.q.Senses, func(x wiring.Sense) bool { return x.Name == g.name })
	g.q.Senses = replaced(g.q.Senses, at, s)
	g.slots(s.Module, s.Regions)
	return nil
}

func (g *grafting) part(regions []int) (err error) {
	g.kind = "part"
	x := g.donor.Parts[g.donor.Part(g.name)]
	into := x.Into == x.Region
	at, err := g.place([]int{x.Region}, regions)
	if err != nil {
		return err
	}
	if x.Region = at[0]; into {
		x.Into = x.Region
	} else if x.Into, err = g.q.Index(g.donor.Regions[x.Into].Label); err != nil {
		return err
	}
	if err := g.module(x.Module); err != nil {
		return err
	}
	g.q.Parts = replaced(g.q.Parts, g.q.Part(g.name), x)
	return nil
}

func (g *grafting) effector(regions []int) (err error) {
	g.kind = "effector"
	e := g.donor.Effectors[g.donor.Effector(g.name)]
	if len(e.Regions) > 1 && len(regions) > 0 && len(regions) != len(e.Regions) {
		return fmt.Errorf("effector %q reads %d regions side by side, %d are given", g.name, len(e.Regions), len(regions))
	}
	feedback := e.Feedback
	if e.Feedback, err = g.place(feedback, nil); err != nil {
		return err
	}
	if e.Regions, err = g.place(e.Regions, regions); err != nil {
		return err
	}
	if err := g.module(e.Module); err != nil {
		return err
	}
	g.q.Effectors = replaced(g.q.Effectors, g.q.Effector(g.name), e)
	g.q.Tasks = slices.DeleteFunc(slices.Clone(g.q.Tasks), func(t wiring.Task) bool { return t.Effector == g.name })
	for _, t := range g.donor.Tasks {
		if t.Effector == g.name {
			g.q.Tasks = append(g.q.Tasks, t)
		}
	}
	g.slots(e.Module, e.Regions)
	return nil
}

// place gives the plan's regions in the place of the donor's: those that are
// wanted, or those of the same labels.
func (g *grafting) place(donors, wanted []int) ([]int, error) {
	type pair struct {
		from string
		to   int
	}
	var pairs []pair
	wanted = slices.Compact(slices.Sorted(slices.Values(wanted)))
	for k, j := range wanted {
		pairs = append(pairs, pair{g.donor.Regions[donors[k%len(donors)]].Label, j})
	}
	if len(wanted) == 0 {
		for _, j := range donors {
			label := g.donor.Regions[j].Label
			to, err := g.q.Index(label)
			if err != nil {
				return nil, fmt.Errorf("%w; say which regions take its place (--to LABEL,…)", err)
			}
			pairs = append(pairs, pair{label, to})
		}
		slices.SortFunc(pairs, func(a, b pair) int { return a.to - b.to })
	}
	var out []int
	g.from, g.to = nil, nil
	for _, x := range pairs {
		out, g.from, g.to = append(out, x.to), append(g.from, x.from), append(g.to, g.q.Regions[x.to].Label)
	}
	return out, nil
}

// module brings a module along.
func (g *grafting) module(name string) error {
	at := slices.IndexFunc(g.donor.Modules, func(m wiring.ModuleRef) bool { return m.Name == name })
	if at < 0 {
		return nil // numbers, or a head without a module
	}
	theirs := g.donor.Modules[at]
	for _, m := range g.q.Modules {
		if m.Name == name && m.SHA256 != theirs.SHA256 {
			return fmt.Errorf("both plans have a module %q, and not the same: %.12s and %.12s", name, m.SHA256, theirs.SHA256)
		}
		if m.Name == name {
			return nil
		}
	}
	g.q.Modules = append(slices.Clone(g.q.Modules), theirs)
	return nil
}

// slots says of the regions what stands there.
func (g *grafting) slots(module string, regions []int) {
	g.q.Regions = slices.Clone(g.q.Regions)
	for _, j := range regions {
		if g.q.Regions[j].Slot == "" {
			g.q.Regions[j].Slot, g.q.Regions[j].Why = module, "grafted from "+g.donor.Name
		}
	}
}

// tensors copies what the donor has learned.
func (g *grafting) tensors(out *wiring.Plan) {
	prefix := g.kind + ":" + g.name + "/"
	for i := range out.Params.Layout {
		t := &out.Params.Layout[i]
		rest, ok := strings.CutPrefix(t.Name, prefix)
		if !ok {
			continue
		}
		source := t.Name
		// A sense's matrices are named after the regions that they enter.
		if label, suffix, _ := strings.Cut(rest, "/"); slices.Contains(g.to, label) && g.kind == "sense" {
			source = prefix + g.from[slices.Index(g.to, label)]
			if suffix != "" {
				source += "/" + suffix
			}
		}
		copy(out.Params.Get(t.Name), g.donor.Params.Get(source))
	}
	for name, list := range g.donor.Params.Lists {
		if strings.HasPrefix(name, prefix) {
			out.Params.SetList(name, list)
		}
	}
}

// replaced is a list with an element in the place of another, or at the end.
func replaced[T any](list []T, at int, x T) []T {
	list = slices.Clone(list)
	if at < 0 {
		return append(list, x)
	}
	list[at] = x
	return list
}
