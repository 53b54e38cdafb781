package control

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// placementNull leaves the tracts and moves what stands at their ends: every
// region where something enters, is read or comes back in gives its place to
// another, drawn among those like it. First the effectors' are drawn, then the
// senses' one by one until the ways are as long as they were. What shares a
// region shares the new one; a sense or an effector that is everywhere stays.
func placementNull(x *drawing) error {
	p := x.plan
	sites, read := sitesOf(p)
	if len(sites) == 0 {
		return errors.New("its senses and effectors are in all regions: they have no other place")
	}
	rng := wiring.Stream(x.o.Seed, "places")
	alike := make(map[int][]int, len(sites))
	size := sizesOf(p)
	for _, j := range sites {
		for i := range p.Regions {
			if i != j && size[i].like(size[j]) {
				alike[j] = append(alike[j], i)
			}
		}
		if len(alike[j]) == 0 {
			return fmt.Errorf("no region has about as many tracts as %s, as strong", p.Regions[j].Label)
		}
	}
	const (
		ends  = 50 // drawings of the effectors' places
		steps = 40 // drawings for each place of a sense
	)
	want := waysOf(p)
	for range ends {
		to := make([]int, len(p.Regions))
		for j := range to {
			to[j] = j
		}
		taken := make([]bool, len(p.Regions))
		move := func(j int) bool {
			free := slices.DeleteFunc(slices.Clone(alike[j]), func(i int) bool { return taken[i] })
			if len(free) == 0 {
				return false
			}
			if to[j] != j {
				taken[to[j]] = false
			}
			to[j] = free[rng.IntN(len(free))]
			taken[to[j]] = true
			return true
		}
		if slices.ContainsFunc(sites[:read], func(j int) bool { return !move(j) }) ||
			slices.ContainsFunc(sites[read:], func(j int) bool { return !move(j) }) {
			continue
		}
		q := moved(p, to)
		reach := reachOf(q)
		unlike := unlikeWays(want, reach.ways(q))
		for step := 0; unlike > 0 && read < len(sites) && step < steps*(len(sites)-read); step++ {
			j := sites[read+rng.IntN(len(sites)-read)]
			was := to[j]
			if !move(j) {
				continue
			}
			next := moved(p, to)
			if n := unlikeWays(want, reach.ways(next)); n <= unlike {
				q, unlike = next, n
				continue
			}
			taken[to[j]], taken[was], to[j] = false, true, was
		}
		if unlike == 0 && elsewhere(p, q) {
			x.moved = q
			return nil
		}
	}
	return fmt.Errorf("none of %d drawings has ways from senses to effectors as long as they are", ends)
}

// elsewhere says that no sense and no effector is in the regions where it was, but
// for those that are everywhere.
func elsewhere(p, q *wiring.Plan) bool {
	stays := func(before, after []int) bool { return len(before) < len(p.Regions) && slices.Equal(before, after) }
	for i := range p.Senses {
		if stays(p.Senses[i].Regions, q.Senses[i].Regions) {
			return false
		}
	}
	for i := range p.Effectors {
		if stays(p.Effectors[i].Regions, q.Effectors[i].Regions) {
			return false
		}
	}
	return true
}

// sitesOf are the regions that something stands in, those of effectors first: of
// what is not in all regions.
func sitesOf(p *wiring.Plan) (sites []int, read int) {
	add := func(regions []int) {
		if len(regions) == len(p.Regions) {
			return
		}
		for _, j := range regions {
			if !slices.Contains(sites, j) {
				sites = append(sites, j)
			}
		}
	}
	for i := range p.Effectors {
		add(p.Effectors[i].Regions)
		add(p.Effectors[i].Feedback)
	}
	read = len(sites)
	for i := range p.Senses {
		add(p.Senses[i].Regions)
	}
	return sites, read
}

// siteSize is how much a region is connected: its tracts in and out, and their
// strength together.
type siteSize struct{ tracts, strength float64 }

// like says that a region may stand in another's place.
func (s siteSize) like(of siteSize) bool {
	return likeTracts(s.tracts, of.tracts) && likeStrength(s.strength, of.strength)
}

// likeTracts: as many within a quarter, or two.
func likeTracts(n, of float64) bool { return math.Abs(n-of) <= max(2, of/4) }

// likeStrength: as much within a half.
func likeStrength(n, of float64) bool { return math.Abs(n-of) <= of/2 }

func sizesOf(p *wiring.Plan) []siteSize {
	out := make([]siteSize, len(p.Regions))
	for _, t := range p.Tracts {
		for _, j := range []int{t.From, t.To} {
			out[j].tracts++
			out[j].strength += math.Abs(t.Scale)
		}
	}
	return out
}

// moved is a plan whose senses and effectors stand where to says.
func moved(p *wiring.Plan, to []int) *wiring.Plan {
	q := *p
	all := func(regions []int) []int {
		if len(regions) == len(p.Regions) {
			return regions
		}
		var out []int
		for _, j := range regions {
			out = append(out, to[j])
		}
		slices.Sort(out)
		return out
	}
	q.Senses, q.Effectors = slices.Clone(p.Senses), slices.Clone(p.Effectors)
	for i := range q.Senses {
		q.Senses[i].Regions = all(p.Senses[i].Regions)
	}
	for i := range q.Effectors {
		q.Effectors[i].Regions, q.Effectors[i].Feedback = all(p.Effectors[i].Regions), all(p.Effectors[i].Feedback)
	}
	if p.Rates != nil {
		rates := *p.Rates
		rates.Input = slices.Clone(p.Rates.Input)
		for k := range p.Senses {
			if len(p.Senses[k].Regions) == len(p.Regions) {
				continue
			}
			width := p.Senses[k].Width
			rates.Input[k] = make([]float64, len(p.Rates.Input[k]))
			for _, j := range p.Senses[k].Regions {
				copy(rates.Input[k][to[j]*width:][:width], p.Rates.Input[k][j*width:][:width])
			}
		}
		q.Rates = &rates
	}
	// The slots of modules follow.
	q.Regions = slices.Clone(p.Regions)
	for j := range p.Regions {
		if to[j] != j {
			q.Regions[j].Slot, q.Regions[j].Why = "", ""
		}
	}
	for j, r := range p.Regions {
		if to[j] != j && r.Slot != "" {
			q.Regions[to[j]].Slot, q.Regions[to[j]].Why = r.Slot, "drawn in the place of "+r.Label
		}
	}
	return &q
}

// reach is how far it is from every region to each effector: in tracts, and in
// ticks.
type reach struct{ hops, ticks [][]int }

func reachOf(p *wiring.Plan) reach {
	hops := *p
	hops.Tracts = slices.Clone(p.Tracts)
	for k := range hops.Tracts {
		hops.Tracts[k].Delay = 1
	}
	var r reach
	for i := range p.Effectors {
		r.hops = append(r.hops, hops.TicksTo(p.Effectors[i].Regions...))
		r.ticks = append(r.ticks, p.TicksTo(p.Effectors[i].Regions...))
	}
	return r
}

// ways are the shortest ones from the senses to the effectors.
func (r reach) ways(p *wiring.Plan) []Way {
	var out []Way
	for _, s := range p.Senses {
		for i := range p.Effectors {
			out = append(out, Way{s.Name, p.Effectors[i].Name, least(r.hops[i], s.Regions), least(r.ticks[i], s.Regions)})
		}
	}
	return out
}

// waysOf are the shortest ways of a plan.
func waysOf(p *wiring.Plan) []Way { return reachOf(p).ways(p) }

// unlikeWays is how far some ways are from others: by their tracts, and by what
// their ticks differ beyond one, or a quarter.
func unlikeWays(want, have []Way) (sum int) {
	for k, w := range want {
		h := have[k]
		sum += max(w.Hops-h.Hops, h.Hops-w.Hops)
		sum += max(0, max(w.Ticks-h.Ticks, h.Ticks-w.Ticks)-max(1, w.Ticks/4))
	}
	return sum
}

// keepsWiring: the same tracts, with the same strengths and delays.
func keepsWiring(p, q *wiring.Plan, _ []int) error {
	if len(p.Tracts) != len(q.Tracts) {
		return fmt.Errorf("%d tracts where there were %d", len(q.Tracts), len(p.Tracts))
	}
	for k, t := range p.Tracts {
		u := q.Tracts[k]
		// Those of rate cells may be scaled together.
		if t.From != u.From || t.To != u.To || t.Delay != u.Delay || !p.IsRate() && t.Scale != u.Scale {
			return fmt.Errorf("%s is not what it was", q.TractName(k))
		}
	}
	return nil
}

// keepsSites: in as many regions, each like the one in whose place it stands.
// Sorted by size two lists can be matched wherever they can be matched at all.
func keepsSites(p, q *wiring.Plan, _ []int) error {
	sizes := sizesOf(p)
	check := func(what string, before, after []int) error {
		if len(before) != len(after) {
			return fmt.Errorf("%s is in %d regions, it was in %d", what, len(after), len(before))
		}
		for _, by := range []struct {
			size func(siteSize) float64
			like func(n, of float64) bool
		}{{func(s siteSize) float64 { return s.tracts }, likeTracts}, {func(s siteSize) float64 { return s.strength }, likeStrength}} {
			sorted := func(regions []int) []float64 {
				var out []float64
				for _, j := range regions {
					out = append(out, by.size(sizes[j]))
				}
				slices.Sort(out)
				return out
			}
			was, is := sorted(before), sorted(after)
			for k := range was {
				if !by.like(is[k], was[k]) {
					return fmt.Errorf("%s is in regions with other numbers of tracts, or strengths", what)
				}
			}
		}
		return nil
	}
	for i := range p.Senses {
		if err := check("sense "+p.Senses[i].Name, p.Senses[i].Regions, q.Senses[i].Regions); err != nil {
			return err
		}
	}
	for i := range p.Effectors {
		e, f := &p.Effectors[i], &q.Effectors[i]
		if err := check("effector "+e.Name, e.Regions, f.Regions); err != nil {
			return err
		}
		if err := check("feedback of "+e.Name, e.Feedback, f.Feedback); err != nil {
			return err
		}
	}
	return nil
}

// keepsWays: as many tracts from every sense to every effector, and about as many
// ticks.
func keepsWays(p, q *wiring.Plan, _ []int) error {
	want, have := waysOf(p), waysOf(q)
	for k := range want {
		if unlikeWays(want[k:k+1], have[k:k+1]) > 0 {
			return fmt.Errorf("from %s to %s it is %d tracts and %d ticks, it was %d and %d", want[k].Sense, want[k].Effector,
				have[k].Hops, have[k].Ticks, want[k].Hops, want[k].Ticks)
		}
	}
	return nil
}
