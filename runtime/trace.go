package runtime

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/connectomewire/wire/wiring"
)

// Trace is what happened in an episode: a series over ticks for every region
// and every tract, each the mean over the batch. Only the first Ticks entries
// of a series belong to the episode.
type Trace struct {
	// Regions are the regions' labels, Tracts the plan's tracts.
	Regions []string
	Tracts  []wiring.Tract
	// Started is when the episode began; all times count from it.
	Started time.Time
	// Ticks of the episode.
	Ticks int
	// State is the root mean square of each region's state h: [region][tick].
	State [][]float32
	// Gate is each tract's gate g in 0..1: [tract][tick].
	Gate [][]float32
	// Flow is what each tract brought to its target: gate × scale × the root
	// mean square of the signal that arrived, [tract][tick].
	Flow [][]float32
	// Contribution is, for each tract, by how many nats the log-probability
	// of what was said falls when the tract is silenced; nil when that was
	// not measured (package runtime/lesion does). Where Estimated says so the
	// tract was not cut, and it is an estimate; nil where all were.
	Contribution []float64
	Estimated    []bool
	// PartContribution is the same for each part.
	PartContribution []float64
	// States are each region's states h themselves, [region][tick][batch·d]; nil
	// unless Config.States.
	States [][][]float32
	// Digests are of the messages that tracts were given in each tick,
	// [tick][tract]; nil unless Config.Digests.
	Digests [][]uint64
	// Begin and End are when each region computed each tick, from the start
	// of the episode: [region][tick]. They are the only part that differs
	// from run to run.
	Begin, End [][]time.Duration
	// Parts are the plan's parts, and Joined the root mean square of what each
	// added to the drive of the region that it joins: [part][tick].
	Parts  []wiring.Part
	Joined [][]float32
	// Modules are the modules' calls, in order of their beginning.
	Modules []Call
	// Said is what an effector did after each tick, in words, "" while it
	// settled.
	Said []string
	// Notes say what was silenced or lesioned.
	Notes []string
}

// Call is one call of a module.
type Call struct {
	Module     string
	Part       string        // that the module ran in; "" for a sense or an effector
	Begin, End time.Duration // relative to the episode's start; may be negative
}

func newTrace(p *wiring.Plan, ticks int) *Trace {
	t := &Trace{Tracts: p.Tracts}
	for i := range p.Regions {
		t.Regions = append(t.Regions, p.Regions[i].Label)
	}
	series := func(n int) [][]float32 {
		all := make([]float32, n*ticks)
		rows := make([][]float32, n)
		for i := range rows {
			rows[i] = all[i*ticks:][:ticks]
		}
		return rows
	}
	times := func() [][]time.Duration {
		rows := make([][]time.Duration, len(p.Regions))
		for i := range rows {
			rows[i] = make([]time.Duration, ticks)
		}
		return rows
	}
	t.State, t.Gate, t.Flow = series(len(p.Regions)), series(len(p.Tracts)), series(len(p.Tracts))
	t.Begin, t.End = times(), times()
	t.Parts, t.Joined = p.Parts, series(len(p.Parts))
	return t
}

// addCalls notes when parts' modules ran.
func (t *Trace) addCalls(fillings []*filling) {
	for _, f := range fillings {
		if f != nil {
			t.Modules = append(t.Modules, f.calls...)
		}
	}
	sort.SliceStable(t.Modules, func(a, b int) bool { return t.Modules[a].Begin < t.Modules[b].Begin })
}

// PartFlow is what a part did in an episode.
type PartFlow struct {
	Name   string `json:"name"`
	Module string `json:"module"`
	Region string `json:"region"`
	Into   string `json:"into,omitempty"` // where it joins another region
	// Runs of the module, and how long they took together.
	Runs int           `json:"runs"`
	Took time.Duration `json:"took_ns"`
	// Joined is the mean of what it added to the drive, root mean square.
	Joined float64 `json:"joined"`
	// Contribution as of a tract; nil when it was not measured.
	Contribution *float64 `json:"contribution,omitempty"`
}

// PartFlows lists what every part did.
func (t *Trace) PartFlows() []PartFlow {
	var out []PartFlow
	for i := range t.Parts {
		x := &t.Parts[i]
		f := PartFlow{Name: x.Name, Module: x.Module, Region: t.Regions[x.Region], Joined: t.mean(t.Joined[i])}
		if x.Into != x.Region {
			f.Into = t.Regions[x.Into]
		}
		for _, c := range t.Modules {
			if c.Part == x.Name {
				f.Runs++
				f.Took += c.End - c.Begin
			}
		}
		if t.PartContribution != nil {
			f.Contribution = &t.PartContribution[i]
		}
		out = append(out, f)
	}
	return out
}

// record notes a region's tick. Regions write to rows of their own, so they
// need no lock.
func (t *Trace) record(r *region, e *episode, tick int, began, ended time.Duration) {
	c, k, batch, pitch := r.cell, &r.tick, e.batch, wiring.Pitch(e.batch)
	mixed := make([]float32, c.Rank)
	t.Begin[r.index][tick], t.End[r.index][tick] = began, ended
	t.State[r.index][tick] = float32(math.Sqrt(meanSquare(k.State[:batch*c.Width])))
	for i, tract := range c.In {
		var gate, flow float64
		for b := range batch {
			gate += float64(e.at(k.Gates, b, i, len(c.In), e.columns))
			for n := range mixed {
				mixed[n] = e.at(k.Mixed, b, i*c.Rank+n, len(c.In)*c.Rank, pitch)
			}
			flow += math.Sqrt(meanSquare(mixed))
		}
		t.Gate[tract][tick] = float32(gate / float64(batch))
		t.Flow[tract][tick] = float32(flow / float64(batch))
	}
}

func meanSquare(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum / float64(max(len(x), 1))
}

// mean over the episode's ticks.
func (t *Trace) mean(series []float32) float64 {
	var sum float64
	for _, v := range series[:t.Ticks] {
		sum += float64(v)
	}
	return sum / float64(max(t.Ticks, 1))
}

// MeanFlow returns each tract's mean flow over the episode.
func (t *Trace) MeanFlow() []float64 {
	out := make([]float64, len(t.Flow))
	for k := range t.Flow {
		out[k] = t.mean(t.Flow[k])
	}
	return out
}

// MeanState returns each region's mean state over the episode.
func (t *Trace) MeanState() []float64 {
	out := make([]float64, len(t.State))
	for k := range t.State {
		out[k] = t.mean(t.State[k])
	}
	return out
}

// TractFlow is what one tract carried in an episode.
type TractFlow struct {
	Tract int     `json:"-"` // index in the plan
	From  string  `json:"from"`
	To    string  `json:"to"`
	Gate  float64 `json:"gate"` // mean gate, 0..1
	Flow  float64 `json:"flow"` // mean flow
	// Contribution in nats, see [Trace]; nil when it was not measured.
	Contribution *float64 `json:"contribution,omitempty"`
	// Estimated says that it was not measured by a cut.
	Estimated bool `json:"estimated,omitempty"`
}

// Strongest returns the n tracts with the largest contribution to what was
// said, or, where that was not measured, the largest mean flow; the strongest
// first, all of them when n is 0. Where only some were cut these come first.
func (t *Trace) Strongest(n int) []TractFlow {
	flow := t.MeanFlow()
	strength := flow
	if t.Contribution != nil {
		strength = t.Contribution
	}
	order := make([]int, len(flow))
	for k := range order {
		order[k] = k
	}
	sort.SliceStable(order, func(a, b int) bool {
		a, b = order[a], order[b]
		if t.Estimated != nil && t.Estimated[a] != t.Estimated[b] {
			return t.Estimated[b]
		}
		return strength[a] > strength[b]
	})
	if n > 0 && n < len(order) {
		order = order[:n]
	}
	out := make([]TractFlow, len(order))
	for i, k := range order {
		out[i] = TractFlow{
			Tract: k, From: t.Regions[t.Tracts[k].From], To: t.Regions[t.Tracts[k].To],
			Gate: t.mean(t.Gate[k]), Flow: flow[k],
		}
		if t.Contribution != nil {
			out[i].Contribution = &t.Contribution[k]
			out[i].Estimated = t.Estimated != nil && t.Estimated[k]
		}
	}
	return out
}

// note adds the faults of one of some requests.
func (t *Trace) note(faults []string, request, requests int) {
	for _, f := range faults {
		if requests > 1 {
			f = fmt.Sprintf("request %d: %s", request, f)
		}
		t.Notes = append(t.Notes, f)
	}
}

// digest keeps digests of what a region gives to its tracts in a tick.
func (t *Trace) digest(r *region, e *episode, tick int) {
	rank := r.cell.Rank
	for i, tract := range r.cell.Out {
		h := uint64(14695981039346656037) // FNV-1a, by words
		for b := range e.batch {
			for n := range rank {
				v := e.at(r.tick.Axons, b, i*rank+n, len(r.cell.Out)*rank, e.columns)
				h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
			}
		}
		t.Digests[tick][tract] = h
	}
}

// keep copies a region's state after a tick.
func (t *Trace) keep(r *region, tick int) {
	t.States[r.index][tick] = append([]float32(nil), r.tick.State...)
}
