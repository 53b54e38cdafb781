package control

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
)

// Property is something that a null model keeps of a plan's wiring, checked on
// the strengths s_ij that the cells use, not on the connectome's weights.
type Property string

// Properties that null models keep.
const (
	// KeepsTracts: as many tracts, none from a region to itself, none twice.
	KeepsTracts Property = "tracts"
	// KeepsIn and KeepsOut: every region has as many tracts in, and out.
	KeepsIn  Property = "degrees in"
	KeepsOut Property = "degrees out"
	// KeepsStrengthIn: every region's tracts in have the strengths that they had,
	// in some order, and the delays that go with them where these are carried.
	KeepsStrengthIn Property = "strengths in"
	// KeepsStrengthOut: the sums of the strengths of what leaves a region differ
	// by less than a twentieth of all strength together.
	KeepsStrengthOut Property = "strengths out"
	// KeepsLengths: as many tracts of every tenth of the lengths, the straight
	// lines between the regions' centres.
	KeepsLengths Property = "lengths"
	// KeepsBlocks: as many tracts from every community to every other and within.
	KeepsBlocks Property = "communities"
	// KeepsNorm: Σ_i s_ij² of what enters a region is 1, or what it was.
	KeepsNorm Property = "input norms"
	// KeepsOrder: nothing returns to where it came from.
	KeepsOrder Property = "no loops"
	// KeepsWiring: all tracts, with their strengths and delays.
	KeepsWiring Property = "wiring"
	// KeepsSites: senses and effectors are in as many regions, each with about as
	// many tracts, about as strong: within a quarter, or two, and within a half.
	KeepsSites Property = "degrees of senses and effectors"
	// KeepsWays: as many tracts from every sense to every effector, and as many
	// ticks within one, or a quarter.
	KeepsWays Property = "ways from senses to effectors"
)

// Null is a null model of a plan's wiring: a rule by which some of it is drawn
// anew and some of it kept.
type Null struct {
	Name, About string
	Keeps       []Property
	draw        func(x *drawing) error
}

// Nulls lists the null models: those that answers about a connectome are
// confirmed by first.
func Nulls() []Null {
	return []Null{
		{"degree", "sources of pairs of tracts change places (Maslov & Sneppen 2002)",
			[]Property{KeepsTracts, KeepsIn, KeepsOut, KeepsStrengthIn, KeepsNorm}, degreeNull},
		{"strength", "as degree; then strengths move among the tracts into a region until what leaves the regions is as strong as it was",
			[]Property{KeepsTracts, KeepsIn, KeepsOut, KeepsStrengthIn, KeepsStrengthOut, KeepsNorm}, strengthNull},
		{"length", "as degree, between tracts of like lengths (Betzel & Bassett 2018)",
			[]Property{KeepsTracts, KeepsIn, KeepsOut, KeepsStrengthIn, KeepsLengths, KeepsNorm}, lengthNull},
		{"community", "as degree, between tracts that join the same communities",
			[]Property{KeepsTracts, KeepsIn, KeepsOut, KeepsStrengthIn, KeepsBlocks, KeepsNorm}, communityNull},
		{"random", "tracts between pairs of regions drawn alike (Erdős & Rényi 1959), with the strengths there are",
			[]Property{KeepsTracts, KeepsNorm}, randomNull},
		{"lattice", "every region gets as many tracts, from its nearest regions, the strongest from the nearest",
			[]Property{KeepsTracts, KeepsIn, KeepsStrengthIn, KeepsNorm}, latticeNull},
		{"feedforward", "tracts that lead back are gone, and what effectors do does not come back in",
			[]Property{KeepsOrder, KeepsNorm}, feedforwardNull},
		{"placement", "senses and effectors stand in other regions, drawn among those with as many tracts and as far from each other",
			[]Property{KeepsWiring, KeepsSites, KeepsWays, KeepsNorm}, placementNull},
	}
}

// FindNull returns a null model by its name.
func FindNull(name string) (Null, error) {
	var names []string
	for _, n := range Nulls() {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return Null{}, fmt.Errorf("there is no null model %q; there are %s", name, strings.Join(names, ", "))
}

// NullOptions say how a null is drawn.
type NullOptions struct {
	Seed uint64
	// Recompute gives tracts the delays that go with their new lengths, as tracts
	// of those lengths have them in the plan; else a delay stays with the
	// strength that it had.
	Recompute bool
	// Unscaled starts with the plan's own drawn numbers as they are, divided by
	// the plan's spectral radius; else by the null's own, so that it starts with
	// a spectral radius of 1 too. Rate cells' tracts are not scaled, or else to
	// the plan's spectral radius.
	Unscaled bool
	// Blocks are the communities of the regions, for the model "community": a
	// number for each.
	Blocks []int
}

// drawing is a null being drawn.
type drawing struct {
	plan   *wiring.Plan
	tracts []wiring.Tract
	o      NullOptions
	loops  bool // the model makes feedback impossible
	// moved is the plan with its senses and effectors elsewhere; nil where they
	// stay.
	moved *wiring.Plan
}

// Draw draws a null of a plan: an untrained plan with the same senses,
// effectors, seed and settings, whose parameters are drawn by place. A region
// with as many tracts in and out as before has the same numbers, bit for bit,
// before they are scaled. It settles as long as the plan does, or longer where
// some sense would reach no effector in time; an error says where none does at
// all, or that the model cannot keep what it promises of this plan.
func (n Null) Draw(p *wiring.Plan, o NullOptions) (*wiring.Plan, error) {
	if len(p.Parts) > 0 {
		return nil, fmt.Errorf("plan %q has modules inside regions: its wiring is more than its tracts, and no null model keeps that", p.Name)
	}
	const attempts = 20
	var last error
	for attempt := range attempts {
		x := &drawing{plan: p, tracts: slices.Clone(p.Tracts), o: o}
		x.o.Seed = wiring.Stream(o.Seed, fmt.Sprintf("null %s %d", n.Name, attempt)).Uint64()
		if err := n.draw(x); err != nil {
			return nil, fmt.Errorf("null model %q of plan %q: %w", n.Name, p.Name, err)
		}
		q := x.finish(n)
		if last = Keeps(p, q, o.Blocks, n.Keeps...); last != nil {
			continue
		}
		if last = settle(q); last != nil {
			continue
		}
		switch {
		case p.IsRate() && !o.Unscaled:
			if last = rescale(q, p); last != nil {
				continue
			}
		case p.IsRate():
		case o.Unscaled:
			q.InitScaled(p.Provenance.Seed, p.DrawnRadius(p.Provenance.Seed))
		default:
			q.Init(p.Provenance.Seed)
		}
		if p.IsRate() {
			q.Readout, q.Tasks = nil, nil
		}
		if last = q.Validate(); last != nil {
			continue
		}
		return q, nil
	}
	return nil, fmt.Errorf("null model %q of plan %q: none of %d drawings will do; of the last: %w", n.Name, p.Name, attempts, last)
}

// rescale gives the tracts of rate cells the spectral radius of another plan's.
func rescale(q, p *wiring.Plan) error {
	want, err := p.RateRadius()
	if err != nil {
		return err
	}
	have, err := q.RateRadius()
	if err != nil {
		return err
	}
	if have == 0 {
		return errors.New("nothing returns to where it came from: its spectral radius is 0")
	}
	for k := range q.Tracts {
		q.Tracts[k].Scale *= want / have
	}
	return nil
}

// finish makes the drawn plan, but for its parameters.
func (x *drawing) finish(n Null) *wiring.Plan {
	p := x.plan
	q := *p
	if x.moved != nil {
		q = *x.moved
	}
	q.Name, q.Trained, q.Memory, q.Calibration = n.Name+" null of "+p.Name, false, nil, nil
	q.Tracts = x.tracts
	if x.o.Recompute {
		recompute(p, q.Tracts)
	}
	slices.SortFunc(q.Tracts, wiring.Tract.Compare)
	if x.loops {
		q.Effectors = slices.Clone(p.Effectors)
		for i := range q.Effectors {
			q.Effectors[i].Feedback = nil
		}
	}
	var kept []string
	for _, k := range n.Keeps {
		kept = append(kept, string(k))
	}
	notes := []string{n.About, "kept: " + strings.Join(kept, ", ")}
	if x.o.Recompute {
		notes = append(notes, "delays of the new lengths")
	}
	if x.o.Unscaled {
		notes = append(notes, "scaled as "+p.Name)
	}
	q.History = append(slices.Clone(p.History), wiring.Event{What: "null " + n.Name, Seed: x.o.Seed, Notes: notes})
	return &q
}

// settle lets a plan settle for long enough that each sense reaches an effector.
func settle(p *wiring.Plan) error {
	for _, s := range p.Senses {
		best := -1
		for i := range p.Effectors {
			if n := least(p.TicksTo(p.Effectors[i].Regions...), s.Regions); n >= 0 && (best < 0 || n < best) {
				best = n
			}
		}
		if best < 0 {
			return fmt.Errorf("no chain of tracts leads from sense %q to an effector", s.Name)
		}
		p.Ticks.Settle = max(p.Ticks.Settle, best+1)
	}
	return nil
}

// Settle gives all plans the largest settling time among them, as plans that
// are compared must have.
func Settle(plans ...*wiring.Plan) {
	most := 0
	for _, p := range plans {
		most = max(most, p.Ticks.Settle)
	}
	for _, p := range plans {
		p.Ticks.Settle = most
	}
}

// swaps exchanges the sources of pairs of tracts where that repeats no tract,
// makes no loop of one region, and the rule allows it.
func (x *drawing) swaps(allowed func(a, b *wiring.Tract) bool) {
	swapSources(x.tracts, wiring.Stream(x.o.Seed, "swaps"), allowed)
}

func degreeNull(x *drawing) error {
	x.swaps(nil)
	return nil
}

func communityNull(x *drawing) error {
	blocks := x.o.Blocks
	if len(blocks) != len(x.plan.Regions) {
		return fmt.Errorf("communities of %d regions are given, the plan has %d", len(blocks), len(x.plan.Regions))
	}
	x.swaps(func(a, b *wiring.Tract) bool { return blocks[a.From] == blocks[b.From] || blocks[a.To] == blocks[b.To] })
	return nil
}

func lengthNull(x *drawing) error {
	bin, err := lengthBins(x.plan)
	if err != nil {
		return err
	}
	x.swaps(func(a, b *wiring.Tract) bool {
		before, after := [2]int{bin(a.From, a.To), bin(b.From, b.To)}, [2]int{bin(b.From, a.To), bin(a.From, b.To)}
		return before == after || before == [2]int{after[1], after[0]}
	})
	return nil
}

// lengthBins tells the tenth of the plan's lengths that the line between two
// regions is in.
func lengthBins(p *wiring.Plan) (bin func(i, j int) int, err error) {
	for i := range p.Regions {
		if !p.Regions[i].Located {
			return nil, fmt.Errorf("region %s has no position; give the connectome centres (wire connectome atlas)", p.Regions[i].Label)
		}
	}
	var all []float64
	for _, t := range p.Tracts {
		all = append(all, p.Distance(t.From, t.To))
	}
	slices.Sort(all)
	var edges []float64
	for k := 1; k < 10; k++ {
		edges = append(edges, all[k*len(all)/10])
	}
	return func(i, j int) int {
		at, _ := slices.BinarySearch(edges, p.Distance(i, j))
		return at
	}, nil
}

// strengthNull anneals the order of the strengths of each region's tracts in
// (after Misić et al. 2015): what enters stays as strong by construction.
func strengthNull(x *drawing) error {
	x.swaps(nil)
	slices.SortFunc(x.tracts, wiring.Tract.Compare)
	want := strengthsOut(x.plan.Tracts, len(x.plan.Regions))
	have := strengthsOut(x.tracts, len(x.plan.Regions))
	rng := wiring.Stream(x.o.Seed, "annealing")
	first := make([]int, len(x.tracts)) // of the tracts with the same target
	size := make([]int, len(x.tracts))
	for lo := 0; lo < len(x.tracts); {
		hi := lo
		for hi < len(x.tracts) && x.tracts[hi].To == x.tracts[lo].To {
			hi++
		}
		for k := lo; k < hi; k++ {
			first[k], size[k] = lo, hi-lo
		}
		lo = hi
	}
	steps := 400 * len(x.tracts)
	for step := range steps {
		a := rng.IntN(len(x.tracts))
		b := first[a] + rng.IntN(size[a])
		s, t := &x.tracts[a], &x.tracts[b]
		d := math.Abs(t.Scale) - math.Abs(s.Scale) // what s would gain
		if a == b || d == 0 {
			continue
		}
		i, j := s.From, t.From
		square := func(v float64) float64 { return v * v }
		worse := square(have[i]+d-want[i]) + square(have[j]-d-want[j]) - square(have[i]-want[i]) - square(have[j]-want[j])
		temperature := 0.02 * math.Pow(1e-4, float64(step)/float64(steps))
		if worse > 0 && rng.Float64() >= math.Exp(-worse/temperature) {
			continue
		}
		s.Weight, t.Weight, s.Scale, t.Scale, s.Delay, t.Delay = t.Weight, s.Weight, t.Scale, s.Scale, t.Delay, s.Delay
		have[i] += d
		have[j] -= d
	}
	return nil
}

func strengthsOut(tracts []wiring.Tract, n int) []float64 {
	out := make([]float64, n)
	for _, t := range tracts {
		out[t.From] += math.Abs(t.Scale)
	}
	return out
}

func randomNull(x *drawing) error {
	n, m := len(x.plan.Regions), len(x.tracts)
	if m > n*(n-1) {
		return fmt.Errorf("%d tracts among %d regions", m, n)
	}
	rng := wiring.Stream(x.o.Seed, "pairs")
	have := map[[2]int]bool{}
	rng.Shuffle(m, func(i, j int) { x.tracts[i], x.tracts[j] = x.tracts[j], x.tracts[i] })
	for k := range x.tracts {
		for {
			i, j := rng.IntN(n), rng.IntN(n)
			if i != j && !have[[2]int{i, j}] {
				have[[2]int{i, j}] = true
				x.tracts[k].From, x.tracts[k].To = i, j
				break
			}
		}
	}
	slices.SortFunc(x.tracts, wiring.Tract.Compare)
	normalise(x.tracts)
	return nil
}

// normalise scales the strengths into each region to Σ s² = 1.
func normalise(tracts []wiring.Tract) {
	sum := map[int]float64{}
	for _, t := range tracts {
		sum[t.To] += t.Scale * t.Scale
	}
	for k := range tracts {
		tracts[k].Scale /= math.Sqrt(sum[tracts[k].To])
	}
}

// latticeNull gives each region its tracts from the nearest regions; regions
// without positions lie on a ring in the plan's order.
func latticeNull(x *drawing) error {
	p := x.plan
	located := !slices.ContainsFunc(p.Regions, func(r wiring.Region) bool { return !r.Located })
	n := len(p.Regions)
	far := func(i, j int) float64 {
		if located {
			return p.Distance(i, j)
		}
		d := (i - j + n) % n
		return float64(min(d, n-d))
	}
	slices.SortFunc(x.tracts, wiring.Tract.Compare)
	for lo := 0; lo < len(x.tracts); {
		hi, to := lo, x.tracts[lo].To
		for hi < len(x.tracts) && x.tracts[hi].To == to {
			hi++
		}
		near := make([]int, 0, n)
		for i := range n {
			if i != to {
				near = append(near, i)
			}
		}
		slices.SortStableFunc(near, func(a, b int) int { return cmp.Compare(far(a, to), far(b, to)) })
		in := x.tracts[lo:hi]
		slices.SortStableFunc(in, func(a, b wiring.Tract) int { return cmp.Compare(b.Scale, a.Scale) })
		for k := range in {
			in[k].From = near[k]
		}
		lo = hi
	}
	return nil
}

// feedforwardNull keeps the tracts that lead on, in the order in which what the
// senses get arrives at the regions, those that it never reaches first.
func feedforwardNull(x *drawing) error {
	rank := arrival(x.plan)
	x.tracts = slices.DeleteFunc(x.tracts, func(t wiring.Tract) bool { return rank[t.From] >= rank[t.To] })
	if len(x.tracts) == 0 {
		return errors.New("no tract leads on")
	}
	normalise(x.tracts)
	x.loops = true
	return nil
}

// arrival numbers the regions in the order in which a signal from the senses
// arrives; −1 for those it never reaches. No two that it reaches are alike.
func arrival(p *wiring.Plan) []int {
	const far = math.MaxInt
	ticks := make([]int, len(p.Regions))
	for i := range ticks {
		ticks[i] = far
	}
	for _, s := range p.Senses {
		for _, j := range s.Regions {
			ticks[j] = 0
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range p.Tracts {
			if ticks[t.From] != far && ticks[t.From]+t.Delay < ticks[t.To] {
				ticks[t.To], changed = ticks[t.From]+t.Delay, true
			}
		}
	}
	places := make([]int, len(ticks))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return ticks[a] - ticks[b] })
	rank := make([]int, len(ticks))
	for k, i := range places {
		rank[i] = k
		if ticks[i] == far {
			rank[i] = -1
		}
	}
	return rank
}

// recompute gives tracts the length of the line between their regions and the
// delay of the plan's tract of the nearest such length.
func recompute(p *wiring.Plan, tracts []wiring.Tract) {
	type known struct {
		length float64
		delay  int
	}
	var all []known
	for _, t := range p.Tracts {
		if p.Regions[t.From].Located && p.Regions[t.To].Located {
			all = append(all, known{p.Distance(t.From, t.To), t.Delay})
		}
	}
	slices.SortStableFunc(all, func(a, b known) int { return cmp.Compare(a.length, b.length) })
	for k := range tracts {
		t := &tracts[k]
		if len(all) == 0 || !p.Regions[t.From].Located || !p.Regions[t.To].Located {
			continue
		}
		l := p.Distance(t.From, t.To)
		at, _ := slices.BinarySearchFunc(all, l, func(a known, l float64) int { return cmp.Compare(a.length, l) })
		if at == len(all) || at > 0 && l-all[at-1].length < all[at].length-l {
			at--
		}
		t.LengthMM, t.Delay = l, all[at].delay
	}
}
