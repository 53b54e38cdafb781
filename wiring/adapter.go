package wiring

import "fmt"

// Adapter returns the control that has no brain: a plan of one region, with
// the same senses, effectors, arithmetic and heads, but no tracts, and as wide
// as the given plan's number of parameters allows. It is a multilayer
// perceptron of one hidden layer, tanh(E x + b), that every sense enters and
// that every head reads, and where the plan's parts stand. What a plan does
// better than its adapter is due to its tracts.
func Adapter(p *Plan) (*Plan, error) {
	if p.IsRate() {
		return nil, fmt.Errorf("plan %q is made of rate cells, whose tracts do not learn: it has no adapter", p.Name)
	}
	if len(p.Effectors) == 0 {
		return nil, fmt.Errorf("plan %q has no effectors: there is nothing for an adapter to read", p.Name)
	}
	count := func(q *Plan) int {
		n := 0
		for _, t := range q.Layout() {
			if !t.Frozen {
				n += t.Len()
			}
		}
		return n
	}
	a := &Plan{
		Name: "adapter for " + p.Name, Rank: 1, Ticks: p.Ticks,
		Regions:    []Region{p.Regions[p.Effectors[0].Regions[0]]},
		Modules:    append([]ModuleRef(nil), p.Modules...),
		Tasks:      append([]Task(nil), p.Tasks...),
		Provenance: p.Provenance,
	}
	a.Regions[0].Slot, a.Regions[0].Why = p.Effectors[0].Module, "the adapter's only layer"
	for _, e := range p.Effectors {
		e.Regions = []int{0}
		if len(e.Feedback) > 0 {
			e.Feedback = []int{0}
		}
		a.Effectors = append(a.Effectors, e)
	}
	for _, s := range p.Senses {
		s.Regions = []int{0}
		a.Senses = append(a.Senses, s)
	}
	for _, x := range p.Parts {
		x.Region, x.Into = 0, 0
		a.Parts = append(a.Parts, x)
	}
	want := count(p)
	a.Width = lowerBound(maxWidth, func(w int) bool {
		a.Width = w + 1
		return count(a) > want
	})
	a.Width = max(a.Width, 1)
	a.Init(p.Provenance.Seed)
	if err := a.Validate(); err != nil {
		return nil, err
	}
	a.History = []Event{{What: "build", Seed: p.Provenance.Seed, Notes: []string{"adapter for " + p.Name},
		Facts: map[string]float64{"parameters": float64(count(a)), "parameters_of_plan": float64(want)}}}
	return a, nil
}
