package wiring

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/modules"
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
// tracts out of order, senses that cannot reach an effector, parameters of
// other shapes.
func (p *Plan) Validate() error {
	if pr := p.check(); pr != nil {
		return fmt.Errorf("plan %q: %w", p.Name, pr)
	}
	if p.IsRate() && p.Rates == nil {
		return fmt.Errorf("plan %q: its cells have no rates", p.Name)
	}
	return nil
}

func (p *Plan) check() error {
	for _, n := range []struct {
		key      string
		v, lo, m int
	}{
		{"width", p.Width, 1, maxWidth}, {"rank", p.Rank, 1, maxRank},
		{"ticks.settle", p.Ticks.Settle, 1, maxTicks}, {"ticks.max", p.Ticks.Max, 0, maxSteps},
	} {
		if n.v < n.lo || n.v > n.m {
			return problemAt("$."+n.key, "%s is %d, want %d to %d", n.key, n.v, n.lo, n.m)
		}
	}
	if err := p.checkRegions(); err != nil {
		return err
	}
	names := map[string]bool{} // of senses, effectors and parts
	if err := p.checkSenses(names); err != nil {
		return err
	}
	if err := p.checkEffectors(names); err != nil {
		return err
	}
	if err := p.checkParts(names); err != nil {
		return err
	}
	if err := p.checkBurst(); err != nil {
		return err
	}
	if err := p.checkRate(); err != nil {
		return err
	}
	if err := p.checkTasks(); err != nil {
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
	for i := range p.Senses {
		s := &p.Senses[i]
		path := fmt.Sprintf("$.senses[%d]", i)
		if s.Name == "" || names[s.Name] {
			return problemAt(path+".name", "a sense needs a name of its own, %q is none", s.Name)
		}
		names[s.Name] = true
		if s.Width < 1 || s.Width > maxPort {
			return problemAt(path+".width", "width of sense %q is %d, want 1 to %d", s.Name, s.Width, maxPort)
		}
		if err := p.checkEntry(path, s); err != nil {
			return err
		}
		if err := p.checkMemorySense(i); err != nil {
			return problemAt(path+".of", "%v", err)
		}
		if len(s.Regions) == 0 {
			return problemAt(path+".regions", "sense %q enters no region", s.Name)
		}
		if err := p.checkIncreasing(path+".regions", "sense", s.Name, s.Regions); err != nil {
			return err
		}
	}
	return nil
}

// checkEntry checks how a sense's vectors come about: by modules, or given as
// numbers, whole or as a grid, once or at every step.
func (p *Plan) checkEntry(path string, s *Sense) error {
	given := s.Kind == KindVector || s.Kind == KindSeries
	switch {
	case given && (s.Module != "" || len(s.Encoders) > 0):
		return problemAt(path+".module", "sense %q is of kind %s, whose numbers no module makes", s.Name, s.Kind)
	case s.PerTick != (s.Kind == KindSeries):
		return problemAt(path+".per_tick", "sense %q is of kind %q: a sense of kind %s, and no other, gives one vector a step", s.Name, s.Kind, KindSeries)
	case s.Views < 0 || s.Views > MaxViews || s.Views > 1 && s.Kind != modules.KindImage:
		return problemAt(path+".views", "sense %q takes %d views; a picture can be looked at in 1 to %d ways, nothing else in more than one", s.Name, s.Views, MaxViews)
	case s.Read != ReadWhole && s.Read != ReadGlimpse:
		return problemAt(path+".read", "sense %q is read %q, want %s or %s", s.Name, s.Read, ReadWhole, ReadGlimpse)
	case s.Read == ReadGlimpse && (s.Places < 2 || s.Places > maxPort || s.PerTick || s.Kind == KindMemory):
		return problemAt(path+".places", "sense %q is glimpsed at, so its module must give a grid of 2 to %d places; it has %d", s.Name, maxPort, s.Places)
	case s.Read == ReadWhole && s.Places != 0:
		return problemAt(path+".places", "sense %q is read whole and has no places", s.Name)
	case given:
		return nil
	}
	for k, e := range s.All() {
		at := path + ".module"
		if k > 0 {
			at = fmt.Sprintf("%s.encoders[%d].module", path, k-1)
		}
		if err := p.checkModule(at, e.Module); err != nil {
			return err
		}
	}
	return nil
}

// checkIncreasing checks that regions exist and stand in the plan's order.
func (p *Plan) checkIncreasing(path, what, name string, regions []int) error {
	for k, j := range regions {
		if j < 0 || j >= len(p.Regions) || k > 0 && j <= regions[k-1] {
			return problemAt(fmt.Sprintf("%s[%d]", path, k), "%s %q: regions must exist and stand in the plan's order, each once", what, name)
		}
	}
	return nil
}

func (p *Plan) checkEffectors(names map[string]bool) error {
	if len(p.Effectors) == 0 {
		return problemAt("$.effectors", "the plan has no effectors")
	}
	for i := range p.Effectors {
		e := &p.Effectors[i]
		path := fmt.Sprintf("$.effectors[%d]", i)
		if e.Name == "" || names[e.Name] {
			return problemAt(path+".name", "an effector needs a name of its own, %q is none", e.Name)
		}
		names[e.Name] = true
		if err := p.checkHead(path, e); err != nil {
			return err
		}
		if e.Module != "" {
			if err := p.checkModule(path+".module", e.Module); err != nil {
				return err
			}
		}
		if len(e.Regions) == 0 {
			return problemAt(path+".regions", "effector %q is in no region", e.Name)
		}
		if err := p.checkIncreasing(path+".regions", "effector", e.Name, e.Regions); err != nil {
			return err
		}
		if err := p.checkIncreasing(path+".feedback", "feedback of", e.Name, e.Feedback); err != nil {
			return err
		}
		if e.FeedbackWidth < 0 || e.FeedbackWidth > maxPort || len(e.Feedback) > 0 && e.FeedbackWidth == 0 {
			return problemAt(path+".feedback_width", "effector %q feeds back %d numbers, want 1 to %d", e.Name, e.FeedbackWidth, maxPort)
		}
	}
	return nil
}

// checkHead checks an effector's head and its settings; that of rate cells has
// none of either, see checkRate.
func (p *Plan) checkHead(path string, e *Effector) error {
	if p.IsRate() {
		return nil
	}
	head, err := HeadOf(e.Head)
	if err != nil {
		return problemAt(path+".head", "effector %q: %v", e.Name, err)
	}
	if err := head.Check(e); err != nil {
		return problemAt(path+".settings", "effector %q: %v", e.Name, err)
	}
	for _, m := range head.Modules(e) {
		if err := p.checkModule(path+".settings", m); err != nil {
			return err
		}
	}
	return nil
}

// checkTasks checks that every task has its effector, and no effector two.
func (p *Plan) checkTasks() error {
	taken := map[string]bool{}
	for i, t := range p.Tasks {
		path := fmt.Sprintf("$.tasks[%d]", i)
		switch {
		case t.Kind == "":
			return problemAt(path+".kind", "a task has no kind")
		case p.Effector(t.Effector) < 0:
			names := make([]string, len(p.Effectors))
			for k := range p.Effectors {
				names[k] = p.Effectors[k].Name
			}
			return problemAt(path+".effector", "task %q: the plan has no effector %q%s", t.Kind, t.Effector, edit.Suggestion(t.Effector, names))
		case taken[t.Effector]:
			return problemAt(path+".effector", "effector %q learns two tasks; give each an effector of its own", t.Effector)
		case math.IsNaN(t.Weight) || t.Weight < 0 || math.IsInf(t.Weight, 0):
			return problemAt(path+".weight", "task %q: weight %v, want a number above 0", t.Kind, t.Weight)
		}
		taken[t.Effector] = true
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
		if t.From == t.To && !p.IsRate() {
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
	ticks := p.TicksTo(p.read()...)
	for i, s := range p.Senses {
		if !slices.ContainsFunc(s.Regions, func(j int) bool { return ticks[j] >= 0 }) {
			return &problem{path: fmt.Sprintf("$.senses[%d].regions", i), tract: -1,
				msg: fmt.Sprintf("sense %q cannot reach %s: no chain of tracts leads there", s.Name, p.readNames())}
		}
	}
	return nil
}

// read lists the regions that any effector reads.
func (p *Plan) read() []int {
	var all []int
	for i := range p.Effectors {
		all = append(all, p.Effectors[i].Regions...)
	}
	return unique(all)
}

// readNames says where the effectors are, for messages.
func (p *Plan) readNames() string {
	var parts []string
	for _, e := range p.Effectors {
		labels := make([]string, len(e.Regions))
		for i, j := range e.Regions {
			labels[i] = strconv.Quote(p.Regions[j].Label)
		}
		noun := "region"
		if len(labels) > 1 {
			noun = "regions"
		}
		parts = append(parts, fmt.Sprintf("%s, the %s of %q", strings.Join(labels, " and "), noun, e.Name))
	}
	return strings.Join(parts, ", or ")
}

// TicksTo returns, for each region, the ticks a signal needs at least to the
// nearest of the given regions, by tracts and parts; −1 when no chain of them
// leads to any.
func (p *Plan) TicksTo(regions ...int) []int {
	const far = math.MaxInt
	ticks := make([]int, len(p.Regions))
	for i := range ticks {
		ticks[i] = far
	}
	for _, j := range regions {
		ticks[j] = 0
	}
	// Bellman and Ford: at most N rounds, in practice the graph's depth.
	for changed := true; changed; {
		changed = false
		for _, t := range p.Tracts {
			if ticks[t.To] != far && ticks[t.To]+t.Delay < ticks[t.From] {
				ticks[t.From] = ticks[t.To] + t.Delay
				changed = true
			}
		}
		for i := range p.Parts {
			if x := &p.Parts[i]; ticks[x.Into] != far && ticks[x.Into]+1 < ticks[x.Region] {
				ticks[x.Region] = ticks[x.Into] + 1
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
	if p.Params.released {
		return bad("%v", errReleased)
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
	for name, list := range p.Params.Lists {
		for i, v := range list {
			if v < 0 || i > 0 && v <= list[i-1] {
				return bad("list %q is not sorted", name)
			}
		}
	}
	return nil
}
