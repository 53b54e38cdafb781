package wiring

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/edit"
)

// A problem is a mistake in a plan at a YAML path of plan.yaml, or at a tract.
type problem struct {
	path  string // "$.senses[0].regions[1]", or ""
	tract int    // index of the tract, or -1
	msg   string
}

func (p *problem) Error() string { return p.msg }

// Validate reports the first mistake of the plan: sizes out of range, tracts
// that end nowhere, a delay below one tick (every cycle must have delay),
// tracts out of order, slots that cannot reach the effector, parameters of
// other shapes.
func (p *Plan) Validate() error {
	if pr := p.check(); pr != nil {
		return fmt.Errorf("plan %q: %w", p.Name, pr)
	}
	return nil
}

func (p *Plan) check() error {
	for _, n := range []struct {
		key      string
		v, lo, m int
	}{
		{"width", p.Width, 1, maxWidth}, {"rank", p.Rank, 1, maxRank},
		{"stare", p.Stare, 1, maxTicks}, {"max_tokens", p.MaxTokens, 1, maxMaxTokens},
	} {
		if n.v < n.lo || n.v > n.m {
			return problemAt("$."+n.key, "%s is %d, want %d to %d", n.key, n.v, n.lo, n.m)
		}
	}
	if err := p.checkRegions(); err != nil {
		return err
	}
	names := map[string]bool{} // of senses and effectors
	if err := p.checkSenses(names); err != nil {
		return err
	}
	if err := p.checkEffectors(names); err != nil {
		return err
	}
	if err := p.checkTracts(); err != nil {
		return err
	}
	if p.Params != nil {
		return p.checkParams()
	}
	return nil
}

func problemAt(path, format string, args ...any) error {
	return &problem{path: path, tract: -1, msg: fmt.Sprintf(format, args...)}
}

func (p *Plan) checkRegions() error {
	if len(p.Regions) == 0 {
		return problemAt("$.regions", "the plan has no regions")
	}
	seen := make(map[string]int, len(p.Regions))
	for i, r := range p.Regions {
		path := fmt.Sprintf("$.regions[%d].label", i)
		if r.Label == "" {
			return problemAt(path, "region %d has no label", i+1)
		}
		if j, twice := seen[r.Label]; twice {
			return problemAt(path, "region %q stands twice, as number %d and %d", r.Label, j+1, i+1)
		}
		seen[r.Label] = i
	}
	return nil
}

// checkModule checks that a module is one of the plan's.
func (p *Plan) checkModule(path, name string) error {
	modules := make([]string, len(p.Modules))
	for i, m := range p.Modules {
		modules[i] = m.Name
	}
	if !slices.Contains(modules, name) {
		return problemAt(path, "module %q is not listed under modules%s", name, edit.Suggestion(name, modules))
	}
	return nil
}

func (p *Plan) checkSenses(names map[string]bool) error {
	if len(p.Senses) == 0 {
		return problemAt("$.senses", "the plan has no senses")
	}
	for i, s := range p.Senses {
		path := fmt.Sprintf("$.senses[%d]", i)
		if s.Name == "" || names[s.Name] {
			return problemAt(path+".name", "a sense needs a name of its own, %q is none", s.Name)
		}
		names[s.Name] = true
		if s.Width < 1 || s.Width > 1<<16 {
			return problemAt(path+".width", "width of sense %q is %d, want 1 to %d", s.Name, s.Width, 1<<16)
		}
		if err := p.checkModule(path+".module", s.Module); err != nil {
			return err
		}
		if err := p.checkMemorySense(i); err != nil {
			return problemAt(path+".of", "%v", err)
		}
		if len(s.Regions) == 0 {
			return problemAt(path+".regions", "sense %q enters no region", s.Name)
		}
		for k, j := range s.Regions {
			if j < 0 || j >= len(p.Regions) || k > 0 && j <= s.Regions[k-1] {
				return problemAt(fmt.Sprintf("%s.regions[%d]", path, k), "sense %q: regions must exist and stand in the plan's order, each once", s.Name)
			}
		}
	}
	return nil
}

func (p *Plan) checkEffectors(names map[string]bool) error {
	if len(p.Effectors) != 1 {
		return problemAt("$.effectors", "the plan has %d effectors, want one", len(p.Effectors))
	}
	for i, e := range p.Effectors {
		path := fmt.Sprintf("$.effectors[%d]", i)
		if e.Name == "" || names[e.Name] {
			return problemAt(path+".name", "an effector needs a name of its own, %q is none", e.Name)
		}
		if e.Hidden < 1 || e.Hidden > 1<<16 || e.Semantic < 1 || e.Semantic > 1<<16 {
			return problemAt(path, "effector %q: hidden %d and semantic %d must be 1 to %d", e.Name, e.Hidden, e.Semantic, 1<<16)
		}
		if err := p.checkModule(path+".module", e.Module); err != nil {
			return err
		}
		if err := p.checkModule(path+".text", e.Text); err != nil {
			return err
		}
		if e.Region < 0 || e.Region >= len(p.Regions) {
			return problemAt(path+".region", "effector %q is in no region", e.Name)
		}
		if e.Feedback < 0 || e.Feedback >= len(p.Regions) {
			return problemAt(path+".feedback", "the feedback of effector %q is in no region", e.Name)
		}
	}
	return nil
}

// checkMemorySense checks what brings back a sense of kind memory.
func (p *Plan) checkMemorySense(i int) error {
	s := &p.Senses[i]
	if s.Kind != KindMemory {
		if s.Of != "" {
			return fmt.Errorf("sense %q is of kind %q; only a memory is brought back by another sense", s.Name, s.Kind)
		}
		return nil
	}
	if memory, _ := p.MemorySense(); memory != i {
		return fmt.Errorf("memory %q is the second; a plan has one", s.Name)
	}
	_, cue := p.MemorySense()
	if cue < 0 {
		return fmt.Errorf("memory %q is brought back by sense %q, which the plan lacks", s.Name, s.Of)
	}
	if m := p.Memory; m != nil && (m.KeyWidth != p.Senses[cue].Width || m.ValueWidth != s.Width) {
		return fmt.Errorf("the memory's keys and values are %d and %d wide, senses %q and %q %d and %d",
			m.KeyWidth, m.ValueWidth, s.Of, s.Name, p.Senses[cue].Width, s.Width)
	}
	return nil
}

// MemorySense returns the index of the sense of kind [KindMemory] and of the
// sense that cues it, −1 where there is none.
func (p *Plan) MemorySense() (memory, cue int) {
	memory = slices.IndexFunc(p.Senses, func(s Sense) bool { return s.Kind == KindMemory })
	if memory < 0 {
		return -1, -1
	}
	return memory, slices.IndexFunc(p.Senses, func(s Sense) bool { return s.Name == p.Senses[memory].Of && s.Kind != KindMemory })
}

func (p *Plan) checkTracts() error {
	bad := func(k int, format string, args ...any) error {
		return &problem{tract: k, msg: fmt.Sprintf(format, args...)}
	}
	for k, t := range p.Tracts {
		if t.From < 0 || t.From >= len(p.Regions) || t.To < 0 || t.To >= len(p.Regions) {
			return bad(k, "a tract ends outside the plan's regions")
		}
		if t.From == t.To {
			return bad(k, "tract %s is a loop on itself; a region keeps its own state by its leak", p.TractName(k))
		}
		if k > 0 {
			if q := p.Tracts[k-1]; q.To > t.To || q.To == t.To && q.From >= t.From {
				return bad(k, "tract %s is out of order or repeated: tracts are sorted by target, then source, in the order of plan.yaml", p.TractName(k))
			}
		}
		if t.Delay < 1 || t.Delay > maxDelay {
			return bad(k, "delay of %s is %d ticks, want 1 to %d: every cycle needs delay", p.TractName(k), t.Delay, maxDelay)
		}
		if math.IsNaN(t.Scale) || math.IsInf(t.Scale, 0) || math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) {
			return bad(k, "weight %v and scale %v of %s must be numbers", t.Weight, t.Scale, p.TractName(k))
		}
	}
	e := &p.Effectors[0]
	ticks := p.TicksTo(e.Region)
	for i, s := range p.Senses {
		reached := false
		for _, j := range s.Regions {
			reached = reached || ticks[j] >= 0
		}
		if !reached {
			return &problem{path: fmt.Sprintf("$.senses[%d].regions", i), tract: -1,
				msg: fmt.Sprintf("sense %q cannot reach %q, the region of %q: no chain of tracts leads there", s.Name, p.Regions[e.Region].Label, e.Name)}
		}
	}
	return nil
}

// TicksTo returns, for each region, the ticks a signal needs at least to the
// given region; −1 when no chain of tracts leads there.
func (p *Plan) TicksTo(region int) []int {
	const far = math.MaxInt
	ticks := make([]int, len(p.Regions))
	for i := range ticks {
		ticks[i] = far
	}
	ticks[region] = 0
	// Bellman and Ford: at most N rounds, in practice the graph's depth.
	for changed := true; changed; {
		changed = false
		for _, t := range p.Tracts {
			if ticks[t.To] != far && ticks[t.To]+t.Delay < ticks[t.From] {
				ticks[t.From] = ticks[t.To] + t.Delay
				changed = true
			}
		}
	}
	for i := range ticks {
		if ticks[i] == far {
			ticks[i] = -1
		}
	}
	return ticks
}

func (p *Plan) checkParams() error {
	want := p.Layout()
	bad := func(format string, args ...any) error {
		return &problem{tract: -1, msg: fmt.Sprintf(format, args...)}
	}
	if len(want) != len(p.Params.Layout) {
		return bad("the parameters hold %d tensors, the plan needs %d", len(p.Params.Layout), len(want))
	}
	for i := range want {
		have := &p.Params.Layout[i]
		if have.Name != want[i].Name || have.Offset != want[i].Offset || have.Len() != want[i].Len() {
			return bad("parameter %q has shape %v where the plan needs %q with shape %v", have.Name, have.Shape, want[i].Name, want[i].Shape)
		}
	}
	if err := p.Params.Check(); err != nil {
		return err
	}
	for i, w := range p.Params.Words {
		if w < 0 || i > 0 && w <= p.Params.Words[i-1] {
			return bad("the allowed words are not sorted")
		}
	}
	return nil
}
