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

// Cut returns a plan without some tracts, and without those at both ends of some
// regions; what was learned on the others stays. What entered a region is not
// made stronger in the place of what is gone.
func Cut(p *wiring.Plan, regions, tracts []int) (*wiring.Plan, error) {
	gone := make([]bool, len(p.Tracts))
	for _, k := range tracts {
		gone[k] = true
	}
	for k, t := range p.Tracts {
		gone[k] = gone[k] || slices.Contains(regions, t.From) || slices.Contains(regions, t.To)
	}
	var names []string
	for _, j := range regions {
		names = append(names, p.Regions[j].Label)
	}
	for _, k := range tracts {
		names = append(names, p.TractName(k))
	}
	q := *p
	q.Tracts, q.Calibration = nil, nil
	for k, t := range p.Tracts {
		if !gone[k] {
			q.Tracts = append(q.Tracts, t)
		}
	}
	if len(q.Tracts) == len(p.Tracts) {
		return nil, errors.New("no tract would be cut")
	}
	q.Name = "lesioned " + p.Name
	note := fmt.Sprintf("%d of %d tracts cut: %s", len(p.Tracts)-len(q.Tracts), len(p.Tracts), strings.Join(names, ", "))
	return carried(&q, p, wiring.Event{What: "lesion", Notes: []string{note}})
}

// Reroute returns a plan in which a sense enters other regions. The matrices by
// which it entered enter the new regions in the same order, the first again
// where there are more; all that was learned stays.
func Reroute(p *wiring.Plan, sense string, regions []int) (*wiring.Plan, error) {
	at := slices.IndexFunc(p.Senses, func(s wiring.Sense) bool { return s.Name == sense })
	if at < 0 {
		var names []string
		for _, s := range p.Senses {
			names = append(names, s.Name)
		}
		return nil, fmt.Errorf("plan %q has no sense %q; it has %s", p.Name, sense, strings.Join(names, ", "))
	}
	regions = slices.Compact(slices.Sorted(slices.Values(regions)))
	if len(regions) == 0 {
		return nil, errors.New("name at least one region")
	}
	q := *p
	q.Calibration = nil
	q.Name = "rerouted " + p.Name
	q.Senses, q.Regions = slices.Clone(p.Senses), slices.Clone(p.Regions)
	s := &q.Senses[at]
	var from, to []string
	for _, j := range s.Regions {
		from = append(from, p.Regions[j].Label)
	}
	for _, j := range regions {
		to = append(to, p.Regions[j].Label)
	}
	s.Regions = regions
	// The slots of modules follow.
	for _, j := range p.Senses[at].Regions {
		if q.Regions[j].Slot == s.Module && !slices.Contains(regions, j) {
			q.Regions[j].Slot, q.Regions[j].Why = "", ""
		}
	}
	for _, j := range regions {
		if q.Regions[j].Slot == "" {
			q.Regions[j].Slot, q.Regions[j].Why = s.Module, "rerouted from "+strings.Join(from, ", ")
		}
	}
	note := fmt.Sprintf("sense %q enters %s, not %s", sense, strings.Join(to, ", "), strings.Join(from, ", "))
	out, err := carried(&q, p, wiring.Event{What: "reroute", Notes: []string{note}})
	if err != nil {
		return nil, err
	}
	_, _, before := p.SenseWeights(p.Params, at)
	_, _, after := out.SenseWeights(out.Params, at)
	queries, asked := p.QueryWeights(p.Params, at), out.QueryWeights(out.Params, at)
	for k := range after {
		copy(after[k], before[k%len(before)])
		if queries != nil {
			copy(asked[k], queries[k%len(queries)])
		}
	}
	return out, nil
}

// carried gives a changed plan parameters: the other's where they fit, drawn
// ones else.
func carried(q, p *wiring.Plan, done wiring.Event) (*wiring.Plan, error) {
	memory := q.Memory
	q.Init(p.Provenance.Seed)
	q.Carry(p)
	q.Memory = memory
	q.History = append(slices.Clone(p.History), done)
	if err := q.Validate(); err != nil {
		return nil, err
	}
	return q, nil
}

// Alike draws as many regions as are given that are like them: each is one of the
// five, where nothing enters and nothing is read, whose number of tracts and
// distance to the effectors, in ticks and, where regions have positions, to the
// first one read in millimetres, are nearest to those of a given region. No region is
// drawn twice or is a given one.
func Alike(p *wiring.Plan, regions []int, seed uint64) ([]int, error) {
	busy := make([]bool, len(p.Regions))
	for _, s := range p.Senses {
		for _, j := range s.Regions {
			busy[j] = true
		}
	}
	var read []int
	for _, e := range p.Effectors {
		read = append(read, e.Regions...)
		for _, j := range slices.Concat(e.Regions, e.Feedback) {
			busy[j] = true
		}
	}
	for _, j := range regions {
		busy[j] = true
	}
	degree, ticks := make([]float64, len(p.Regions)), p.TicksTo(read...)
	for _, t := range p.Tracts {
		degree[t.From]++
		degree[t.To]++
	}
	unlike := func(a, b int) float64 {
		d := math.Abs(math.Log((degree[a]+1)/(degree[b]+1))) + math.Abs(float64(ticks[a]-ticks[b]))
		if p.Regions[a].Located && p.Regions[b].Located && p.Regions[read[0]].Located {
			d += math.Abs(p.Distance(a, read[0])-p.Distance(b, read[0])) / 50
		}
		return d
	}
	rng := wiring.Stream(seed, "alike")
	var out []int
	for _, j := range regions {
		var list []int
		for i := range p.Regions {
			if !busy[i] && ticks[i] >= 0 {
				list = append(list, i)
			}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("plan %q has too few free regions to draw %d like those", p.Name, len(regions))
		}
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(unlike(a, j), unlike(b, j)) })
		i := list[rng.IntN(min(5, len(list)))]
		busy[i] = true
		out = append(out, i)
	}
	return out, nil
}
