package runtime

import (
	"cmp"
	"slices"
	"time"
)

// Profile says where the time of an episode went.
type Profile struct {
	// Took is how long the episode lasted on the clock, modules that ran before
	// it included.
	Took time.Duration `json:"took_ns"`
	// Spent are regions, senses' and effectors' modules, and parts, with the
	// most time first.
	Spent []Spent `json:"spent"`
	// Path is the longest chain of regions' ticks of which each needs what the
	// one before gave: with a processor for each region all ticks take this long
	// at least. On are the regions that took most of it.
	Path time.Duration `json:"path_ns"`
	On   []Spent       `json:"on_path"`
}

// Spent is the time that one thing took.
type Spent struct {
	Name string `json:"name"`
	// Kind is "region", "module" or "part".
	Kind  string        `json:"kind"`
	Times int           `json:"times"`
	Took  time.Duration `json:"took_ns"`
}

// Profile sums up a trace's times.
func (t *Trace) Profile() *Profile {
	p := &Profile{}
	var begin, end time.Duration
	for j, label := range t.Regions {
		s := Spent{Name: label, Kind: "region", Times: t.Ticks}
		for tick := range t.Ticks {
			s.Took += t.End[j][tick] - t.Begin[j][tick]
			end = max(end, t.End[j][tick])
		}
		p.Spent = append(p.Spent, s)
	}
	at := map[[2]string]int{}
	for _, c := range t.Modules {
		begin, end = min(begin, c.Begin), max(end, c.End)
		key := [2]string{"module", c.Module}
		if c.Part != "" {
			key = [2]string{"part", c.Part}
		}
		i, ok := at[key]
		if !ok {
			i = len(p.Spent)
			at[key] = i
			p.Spent = append(p.Spent, Spent{Name: key[1], Kind: key[0]})
		}
		p.Spent[i].Times++
		p.Spent[i].Took += c.End - c.Begin
	}
	slices.SortStableFunc(p.Spent, func(a, b Spent) int { return cmp.Compare(b.Took, a.Took) })
	p.Took = end - begin
	t.path(p)
	return p
}

// path finds the longest chain: what each region's tick waited for is its own
// tick before, or a tract's source so many ticks before as its delay.
func (t *Trace) path(p *Profile) {
	n := len(t.Regions)
	type step struct {
		length time.Duration
		region int // before it; −1 for none
		tick   int
	}
	steps := make([]step, n*t.Ticks)
	longest := -1
	for tick := range t.Ticks {
		now := steps[tick*n:][:n]
		for j := range now {
			now[j].region = -1
		}
		after := func(j, from, sent int) {
			if sent >= 0 && steps[sent*n+from].length > now[j].length {
				now[j] = step{steps[sent*n+from].length, from, sent}
			}
		}
		for j := range now {
			after(j, j, tick-1)
		}
		for _, x := range t.Tracts {
			after(x.To, x.From, tick-x.Delay)
		}
		for j := range now {
			now[j].length += t.End[j][tick] - t.Begin[j][tick]
			if longest < 0 || now[j].length > steps[longest].length {
				longest = tick*n + j
			}
		}
	}
	if longest < 0 {
		return
	}
	p.Path = steps[longest].length
	took := make([]Spent, n)
	for at := longest; at >= 0; {
		j, tick := at%n, at/n
		took[j].Times++
		took[j].Took += t.End[j][tick] - t.Begin[j][tick]
		s := steps[at]
		if at = -1; s.region >= 0 {
			at = s.tick*n + s.region
		}
	}
	for j, s := range took {
		if s.Times > 0 {
			s.Name, s.Kind = t.Regions[j], "region"
			p.On = append(p.On, s)
		}
	}
	slices.SortStableFunc(p.On, func(a, b Spent) int { return cmp.Compare(b.Took, a.Took) })
}
