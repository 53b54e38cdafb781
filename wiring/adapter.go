package wiring

import (
	"fmt"
	"math"
)

// Adapter returns the control that has no brain: a plan of one region, with
// the same senses, effectors, arithmetic and heads, but no tracts, and as wide
// as the given plan's number of parameters allows. It is a multilayer
// perceptron of one hidden layer, tanh(E x + b), that every sense enters and
// that every head reads, and where the plan's parts stand. What a plan does
// better than its adapter is due to its tracts.
func Adapter(p *Plan) (*Plan, error) {
	a, err := alone(p, "adapter", "the adapter's only layer")
	if err != nil {
		return nil, err
	}
	want := p.learned()
	a.Width = lowerBound(maxWidth, func(w int) bool {
		a.Width = w + 1
		return a.learned() > want
	})
	a.Width = max(a.Width, 1)
	return a.asControl(p, "adapter")
}

// Recurrent returns the control whose brain is one gated recurrent unit ([CellGRU],
// Cho et al. 2014): a plan of one region, with the same senses, effectors, ticks
// and heads, whose numbers all drive each other, and as many parameters as the
// plan within [ParameterTolerance]. What a plan does better is due to its regions.
func Recurrent(p *Plan) (*Plan, error) {
	a, err := alone(p, "gru", "the only layer, all of whose numbers drive each other")
	if err != nil {
		return nil, err
	}
	a.Cell = CellGRU
	a.Width, _ = a.nearestWidth(p.learned())
	if err := a.agrees(p); err != nil {
		return nil, err
	}
	return a.asControl(p, "gru")
}

// Dense returns the control in which all pairs of regions are joined both ways,
// alike: equally strong tracts of one tick, whose gates are fixed. Width and rank
// are those with which it learns as many parameters as the plan, within
// [ParameterTolerance]. What a plan does better is due to which of its regions are
// joined.
func Dense(p *Plan) (*Plan, error) {
	if err := p.learns("dense control"); err != nil {
		return nil, err
	}
	n := len(p.Regions)
	if n < 2 || n*(n-1) > maxDense {
		return nil, fmt.Errorf("plan %q has %d regions, and so %d pairs: a dense control is for 2 regions up to %d pairs", p.Name, n, n*(n-1), maxDense)
	}
	a := *p
	a.Trained, a.Memory, a.Calibration, a.FixedGates = false, nil, nil, true
	a.Tracts = make([]Tract, 0, n*(n-1))
	scale := 1 / math.Sqrt(float64(n-1))
	for to := range n {
		for from := range n {
			if from != to {
				a.Tracts = append(a.Tracts, Tract{From: from, To: to, Weight: 1, Scale: scale, LengthMM: math.NaN(), Delay: 1})
			}
		}
	}
	want := p.learned()
	best, width, rank := math.MaxInt, 1, 1
	for a.Rank = 1; a.Rank <= maxRank; a.Rank++ {
		w, off := a.nearestWidth(want)
		if w < a.Rank { // more numbers would travel than there are
			break
		}
		if off < best {
			best, width, rank = off, w, a.Rank
		}
	}
	a.Width, a.Rank = width, rank
	if err := a.agrees(p); err != nil {
		return nil, err
	}
	return a.asControl(p, "dense")
}

// maxDense bounds the tracts of a dense control.
const maxDense = 1 << 20

// ParameterTolerance is how far the numbers of parameters of a plan and of a
// control of equal size may be apart, as a share of the plan's.
const ParameterTolerance = 0.01

// learns says whether a plan can have controls of as many parameters.
func (p *Plan) learns(what string) error {
	if p.IsRate() {
		return fmt.Errorf("plan %q is made of rate cells, whose tracts do not learn: it has no %s", p.Name, what)
	}
	if len(p.Effectors) == 0 {
		return fmt.Errorf("plan %q has no effectors: there is nothing for a %s to read", p.Name, what)
	}
	return nil
}

// learned is the number of parameters that a plan learns.
func (p *Plan) learned() int {
	n := 0
	for _, t := range p.specs() {
		if !t.Frozen {
			size := 1
			for _, s := range t.Shape {
				size *= s
			}
			n += size
		}
	}
	return n
}

// nearestWidth is that with which a plan learns about as many parameters as it
// should, and by how many it is wrong.
func (p *Plan) nearestWidth(want int) (width, off int) {
	was := p.Width
	defer func() { p.Width = was }()
	count := func(w int) int {
		p.Width = w
		return p.learned()
	}
	width = lowerBound(maxWidth-1, func(w int) bool { return count(w+1) >= want }) + 1
	off = abs(count(width) - want)
	if width > 1 {
		if n := abs(count(width-1) - want); n < off {
			return width - 1, n
		}
	}
	return width, off
}

func abs(n int) int { return max(n, -n) }

// agrees says whether the plan learns about as many parameters as another.
func (p *Plan) agrees(with *Plan) error {
	want, have := with.learned(), p.learned()
	if off := float64(abs(have-want)) / float64(want); off > ParameterTolerance {
		return fmt.Errorf("plan %q learns %d parameters; the nearest that its control can have with %d tracts are %d, of width %d and rank %d, which differ by %.1f %% where at most %g %% may: build it a little wider or narrower",
			with.Name, want, len(p.Tracts), have, p.Width, p.Rank, 100*off, 100*ParameterTolerance)
	}
	return nil
}

// alone is a plan of one region with the senses, effectors and parts of another.
func alone(p *Plan, what, why string) (*Plan, error) {
	if err := p.learns(what); err != nil {
		return nil, err
	}
	a := &Plan{
		Rank: 1, Ticks: p.Ticks,
		Regions:    []Region{p.Regions[p.Effectors[0].Regions[0]]},
		Modules:    append([]ModuleRef(nil), p.Modules...),
		Tasks:      append([]Task(nil), p.Tasks...),
		Provenance: p.Provenance,
	}
	a.Regions[0].Slot, a.Regions[0].Why = p.Effectors[0].Module, why
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
	return a, nil
}

// asControl gives a control its name, parameters and history.
func (p *Plan) asControl(of *Plan, what string) (*Plan, error) {
	p.Name = what + " for " + of.Name
	p.Init(of.Provenance.Seed)
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.History = []Event{{What: "build", Seed: of.Provenance.Seed, Notes: []string{p.Name},
		Facts: map[string]float64{"parameters": float64(p.learned()), "parameters_of_plan": float64(of.learned())}}}
	return p, nil
}

// MultiplyAdds is how many a tick of all regions takes for one input, matrices and
// gates alone.
func (p *Plan) MultiplyAdds() int {
	d, r, n := p.Width, p.Rank, 0
	if p.IsRate() {
		return len(p.Tracts)
	}
	n += len(p.Tracts) * 2 * r * d
	if !p.FixedGates {
		n += len(p.Tracts) * (d + r)
	}
	if p.Cell == CellGRU {
		n += len(p.Regions) * 5 * d * d
	}
	return n
}
