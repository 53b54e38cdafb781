package runtime

import (
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// Survey is what running a plan takes, found without running it.
type Survey struct {
	Plan    string `json:"plan"`
	Regions int    `json:"regions"`
	Tracts  int    `json:"tracts"`
	Parts   int    `json:"parts"`
	Batch   int    `json:"batch"`
	// Processes in the order of their numbers.
	Processes []ProcessSurvey `json:"processes"`
	// Channels between processes, each for one message a tick. Of the Carried
	// numbers that tracts carry in a tick for a row, Crossing pass between
	// processes.
	Channels int `json:"channels"`
	Carried  int `json:"carried"`
	Crossing int `json:"crossing"`
	// Work is the multiply-adds of a tick for a row, see [Work]. Every tick
	// waits for the process with most of it, the Critical one; Region is the
	// region with most, for which every tick would wait with a process a region.
	Work     float64 `json:"work"`
	Critical int     `json:"critical_process"`
	Region   string  `json:"critical_region"`
	Heaviest float64 `json:"critical_region_work"`
	// Ticks are the plan's: how long an input settles, and how long an answer
	// may take beyond.
	Ticks  wiring.Ticks `json:"ticks"`
	Memory Memory       `json:"memory"`
}

// ProcessSurvey is what one process has.
type ProcessSurvey struct {
	Regions int     `json:"regions"`
	Work    float64 `json:"work"`
	// Slabs are how many ticks' messages it keeps, Width how many numbers each
	// has for a row.
	Slabs int `json:"slabs"`
	Width int `json:"width"`
}

// Memory is in bytes. Modules come on top.
type Memory struct {
	Parameters int64 `json:"parameters"` // the plan's
	Matrices   int64 `json:"matrices"`   // transposed, shared by a session's networks
	States     int64 `json:"states"`     // of regions, what drives them, and where their tracts come from
	Messages   int64 `json:"messages"`   // on their way
	Scratch    int64 `json:"scratch"`
}

// Total is the sum.
func (m Memory) Total() int64 {
	return m.Parameters + m.Matrices + m.States + m.Messages + m.Scratch
}

// Look surveys a plan under a configuration, for batches of so many rows.
func Look(p *wiring.Plan, c Config, batch int) (*Survey, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Share = nil // it is of the whole
	groups, err := c.groups(p)
	if err != nil {
		return nil, err
	}
	s := &Survey{Plan: p.Name, Regions: len(p.Regions), Tracts: len(p.Tracts), Parts: len(p.Parts), Batch: batch, Carried: len(p.Tracts) * p.Rank,
		Processes: make([]ProcessSurvey, len(groups)), Ticks: p.Ticks}
	work := Work(p)
	owner := make([]int, len(p.Regions))
	for i, g := range groups {
		for _, j := range g {
			owner[j] = i
			s.Processes[i].Work += work[j]
		}
		s.Processes[i].Regions, s.Processes[i].Slabs = len(g), 1
	}
	out, in := make([]int, len(p.Regions)), make([]int, len(p.Regions))
	type pair struct{ from, to int }
	channels := map[pair]bool{}
	for _, t := range p.Tracts {
		out[t.From]++
		in[t.To]++
		from := &s.Processes[owner[t.From]]
		from.Width += p.Rank
		if owner[t.From] == owner[t.To] {
			from.Slabs = max(from.Slabs, t.Delay+insideSlabs)
			continue
		}
		from.Slabs = max(from.Slabs, t.Delay+acrossSlabs)
		s.Crossing += p.Rank
		channels[pair{owner[t.From], owner[t.To]}] = true
	}
	s.Channels = len(channels)
	for i := range s.Processes {
		s.Work += s.Processes[i].Work
		if s.Processes[i].Work > s.Processes[s.Critical].Work {
			s.Critical = i
		}
	}
	if len(work) > 0 {
		s.Heaviest = slices.Max(work)
		s.Region = p.Regions[slices.Index(work, s.Heaviest)].Label
	}
	s.remember(p, c, groups, in, out)
	return s, nil
}

// remember counts the memory.
func (s *Survey) remember(p *wiring.Plan, c Config, groups [][]int, in, out []int) {
	d, r, batch := p.Width, p.Rank, s.Batch
	numbers := func(n int) int64 { return 4 * int64(n) }
	layout := p.Layout()
	if len(layout) > 0 {
		last := &layout[len(layout)-1]
		s.Memory.Parameters = numbers(last.Offset + last.Len())
	}
	if c.Release {
		gates := d
		if p.FixedGates {
			gates = 0
		}
		s.Memory.Parameters -= numbers(len(p.Tracts) * (2*r*d + gates))
	}
	for j := range p.Regions {
		if c.Half {
			s.Memory.Matrices += 2 * int64(wiring.HalfLen(d, out[j]*r)+wiring.HalfLen(in[j]*r, d)+wiring.HalfLen(d, in[j]))
		} else {
			s.Memory.Matrices += numbers(wiring.TransposedLen(d, out[j]*r) + wiring.TransposedLen(in[j]*r, d) + wiring.TransposedLen(d, in[j]))
		}
	}
	acts := d
	if p.Cell == wiring.CellGRU {
		s.Memory.Matrices += numbers(len(p.Regions) * (2*wiring.TransposedLen(d, 2*d) + wiring.TransposedLen(d, d)))
		acts = 5 * d
	}
	across, pitch, turned := batch, batch, 0
	if columns := wiring.Columns(batch, c.Half); columns > 0 {
		across, pitch, turned = columns, wiring.Pitch(batch), wiring.TurnedLen(d, batch)
	}
	widest := 0
	for i, g := range groups {
		tracts, axons := 0, 0
		for _, j := range g {
			tracts, axons = max(tracts, in[j]), max(axons, out[j])
		}
		s.Memory.Messages += numbers(s.Processes[i].Slabs * s.Processes[i].Width * across)
		s.Memory.Scratch += numbers(across*tracts + pitch*tracts*r + batch*(acts+axons*r) + turned)
		widest = max(widest, s.Processes[i].Width)
	}
	s.Memory.Messages += numbers(widest * across)
	// Bytes of a tract at both ends: a message's view, where it comes from, its
	// index twice, and its scale.
	const tract = 32 + 32 + 16 + 4
	s.Memory.States = numbers(len(p.Regions)*3*d*batch) + tract*int64(len(p.Tracts))
	if p.Burst != nil {
		s.Memory.States += numbers(len(p.Burst.Regions) * d * batch)
	}
	for i := range p.Senses {
		x := &p.Senses[i]
		own := 0 // a drive of each step, or of each tick
		if x.PerTick {
			own++
		}
		if x.Read == wiring.ReadGlimpse || x.PerTick {
			own++
		}
		s.Memory.States += numbers(len(x.Regions) * own * d * batch)
		if x.Read != wiring.ReadGlimpse {
			s.Memory.Matrices += numbers(len(x.Regions) * wiring.TransposedLen(x.Width, d))
		}
	}
}
