// Package control makes plans to compare a plan with. Each control changes one
// thing and keeps the rest: the senses, the effectors, the tasks, the seeds. A
// control learns from exactly what the plan learned from.
package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
)

// Control is a named change.
type Control struct {
	// Name of the condition, and what it keeps and changes, for people.
	Name, About string
	// Make returns a new plan; the given one stays as it is.
	Make func(p *wiring.Plan, seed uint64) (*wiring.Plan, error)
	// Trained says that the control learns afresh; else it is compared as it
	// is made.
	Trained bool
}

// All lists the controls in the order of reports.
func All() []Control {
	all := []Control{
		{"untrained", "the plan before it learned", func(p *wiring.Plan, _ uint64) (*wiring.Plan, error) { return Untrained(p), nil }, false},
		{"adapter", "one hidden layer of as many parameters, without tracts", func(p *wiring.Plan, _ uint64) (*wiring.Plan, error) { return wiring.Adapter(p) }, true},
		{"gru", "one gated recurrent unit of as many parameters, without tracts (Cho et al. 2014)", func(p *wiring.Plan, _ uint64) (*wiring.Plan, error) { return wiring.Recurrent(p) }, true},
		{"dense", "equal tracts between all pairs of regions, gates fixed, of as many parameters by width and rank", func(p *wiring.Plan, _ uint64) (*wiring.Plan, error) { return wiring.Dense(p) }, true},
		{"ungated", "the same tracts, whose gates stay at one half", Ungated, true},
		{"rewired", "every region keeps its numbers of tracts in and out, and the strengths and delays of those in; who is connected with whom is drawn", Rewired, true},
		{"detached", "no gradient passes the modules inside regions: what leads to them learns nothing through them", Detached, true},
		{"silenced", "the plan as it learned, with what the modules inside regions give set to zero", Silenced, false},
		{"unsteered", "the plan as it learned, with its language models saying what they say by themselves", Unsteered, false},
	}
	for _, n := range Nulls() {
		if n.Name != "degree" { // which is rewired
			all = append(all, Control{n.Name, n.About, n.control, true})
		}
	}
	return all
}

// control draws a null that settles as fast as the plan that it is compared with.
func (n Null) control(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	const attempts = 20
	o := NullOptions{}
	if slices.Contains(n.Keeps, KeepsBlocks) {
		var err error
		if o.Blocks, err = Communities(p, seed); err != nil {
			return nil, err
		}
	}
	for attempt := range uint64(attempts) {
		o.Seed = seed + attempt<<32
		q, err := n.Draw(p, o)
		if err != nil || q.Ticks.Settle == p.Ticks.Settle {
			return q, err
		}
	}
	return nil, fmt.Errorf("null model %q of plan %q: %d drawings need more than its %d ticks to reach an effector; build it with a larger --settle", n.Name, p.Name, attempts, p.Ticks.Settle)
}

// Names are those of [All].
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	return names
}

// Of are the controls that a plan can have: those of parts and of what speaks
// are for plans with some.
func Of(p *wiring.Plan) []string {
	var names []string
	for _, c := range All() {
		if _, err := c.Make(p, 1); err == nil {
			names = append(names, c.Name)
		}
	}
	return names
}

// Find returns a control by its name.
func Find(name string) (Control, error) {
	all := All()
	if i := slices.IndexFunc(all, func(c Control) bool { return c.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Control{}, fmt.Errorf("there is no control %q%s; there are %s", name, edit.Suggestion(name, Names()), strings.Join(Names(), ", "))
}

// Untrained is the control without learning: the same wiring as it was before
// training, with the same lists to choose from.
func Untrained(p *wiring.Plan) *wiring.Plan {
	before := *p
	before.Init(p.Provenance.Seed)
	for name, list := range p.Params.Lists {
		before.Params.SetList(name, list)
	}
	return &before
}

// Ungated fixes the gates of a plan's tracts: what travels is always let through
// by half, whatever it is.
func Ungated(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	if p.IsRate() || p.FixedGates || len(p.Tracts) == 0 {
		return nil, fmt.Errorf("plan %q has no tracts whose gates learn", p.Name)
	}
	q := *p
	q.Name = "ungated " + p.Name
	q.Trained, q.Memory, q.Calibration, q.FixedGates = false, nil, nil, true
	q.Init(p.Provenance.Seed)
	q.History = append(slices.Clone(p.History), wiring.Event{What: "ungate", Seed: seed})
	return &q, nil
}

// Detached stops gradients at the modules of a plan's parts: they still work,
// but only what lies behind them learns through them.
func Detached(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	if len(p.Parts) == 0 {
		return nil, fmt.Errorf("plan %q has no parts: there is no module inside a region to detach", p.Name)
	}
	q := *p
	q.Name = "detached " + p.Name
	q.Trained, q.Memory, q.Calibration = false, nil, nil
	q.Parts = slices.Clone(p.Parts)
	for i := range q.Parts {
		q.Parts[i].Detach = true
	}
	q.Init(p.Provenance.Seed)
	q.History = append(slices.Clone(p.History), wiring.Event{What: "detach", Seed: seed})
	return &q, nil
}

// Silenced takes away what the modules of a plan's parts give, after learning:
// the adapters behind them are zero.
func Silenced(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	if len(p.Parts) == 0 {
		return nil, fmt.Errorf("plan %q has no parts: there is no module inside a region to silence", p.Name)
	}
	q := *p
	q.Name = "silenced " + p.Name
	q.Params = p.Params.Clone()
	for i := range q.Parts {
		clear(q.PartWeights(q.Params, i).Out)
	}
	q.History = append(slices.Clone(p.History), wiring.Event{What: "silence", Seed: seed})
	return &q, nil
}

// Unsteered lets the language models of a plan say what they say by themselves:
// nothing steers or corrects them, or points at words.
func Unsteered(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	if !slices.ContainsFunc(p.Effectors, func(e wiring.Effector) bool { return e.Head == head.NameLanguage }) {
		return nil, fmt.Errorf("plan %q has no effector that speaks: there is no language model to leave alone", p.Name)
	}
	q, err := head.Alone(p)
	if err != nil {
		return nil, err
	}
	q.Name = "unsteered " + p.Name
	q.History = append(slices.Clone(p.History), wiring.Event{What: "unsteer", Seed: seed})
	return q, nil
}

// swapsPerTract is how many swaps are tried for each tract, and ruledSwaps where a
// rule refuses most.
const (
	swapsPerTract = 10
	ruledSwaps    = 100
)

// Rewired draws anew who is connected with whom, by swaps of the sources of
// two tracts (Maslov and Sneppen 2002, for directed graphs): every region keeps
// its number of tracts in and out. Strength s_ij, weight and delay stay with
// the target, so that each region's input is scaled as before. Drawings in which
// a sense would reach no effector in time are drawn again.
func Rewired(p *wiring.Plan, seed uint64) (*wiring.Plan, error) {
	const attempts = 50
	for attempt := range attempts {
		q := *p
		q.Tracts = slices.Clone(p.Tracts)
		q.Trained, q.Memory, q.Calibration = false, nil, nil
		q.Name = "rewired " + p.Name
		swap(q.Tracts, seed, attempt)
		q.Init(p.Provenance.Seed)
		q.History = append(slices.Clone(p.History), wiring.Event{What: "rewire", Seed: seed, Notes: []string{"in- and out-degrees of " + p.Name + " are kept"}})
		if q.Validate() == nil && inTime(&q) {
			return &q, nil
		}
	}
	return nil, fmt.Errorf("plan %q: %d drawings leave some sense without a way to an effector within %d ticks", p.Name, attempts, p.Ticks.Settle)
}

// swap rewires tracts and puts them back into order.
func swap(tracts []wiring.Tract, seed uint64, attempt int) {
	swapSources(tracts, wiring.Stream(seed, fmt.Sprintf("rewiring %d", attempt)), nil)
	slices.SortFunc(tracts, wiring.Tract.Compare)
}

// swapSources exchanges the sources of pairs of tracts where that repeats no
// tract, makes no loop of one region and the rule, if there is one, allows it.
func swapSources(tracts []wiring.Tract, rng *rand.Rand, allowed func(a, b *wiring.Tract) bool) {
	type pair struct{ from, to int }
	have := make(map[pair]bool, len(tracts))
	for _, t := range tracts {
		have[pair{t.From, t.To}] = true
	}
	tries := swapsPerTract * len(tracts)
	if allowed != nil {
		tries = ruledSwaps * len(tracts)
	}
	for range tries {
		a, b := &tracts[rng.IntN(len(tracts))], &tracts[rng.IntN(len(tracts))]
		if a.From == b.From || a.To == b.To || a.From == b.To || b.From == a.To || have[pair{b.From, a.To}] || have[pair{a.From, b.To}] {
			continue
		}
		if allowed != nil && !allowed(a, b) {
			continue
		}
		delete(have, pair{a.From, a.To})
		delete(have, pair{b.From, b.To})
		a.From, b.From = b.From, a.From
		have[pair{a.From, a.To}], have[pair{b.From, b.To}] = true, true
	}
}

// inTime says that what enters is in some effector's region when it is first
// read; rate cells are read at every step and may answer later.
func inTime(p *wiring.Plan) bool {
	if p.IsRate() {
		return true
	}
	for i := range p.Effectors {
		ticks := p.TicksTo(p.Effectors[i].Regions...)
		for _, s := range p.Senses {
			if !slices.ContainsFunc(s.Regions, func(j int) bool { return ticks[j] >= 0 && ticks[j] < p.Ticks.Settle }) {
				return false
			}
		}
	}
	return true
}
