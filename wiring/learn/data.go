package learn

import (
	"fmt"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/task"
)

// Data is a prepared training set, in numbers: what the frozen modules made
// of every input, and what every task asks for.
type Data struct {
	// Senses are the names of the plan's senses, in its order, and Numbers the
	// lengths of what an episode gives each, per step ([wiring.Sense.Numbers]).
	Senses  []string
	Numbers []int
	// Memory holds the training samples' episodes, for a plan that has a
	// sense of kind memory; else nil.
	Memory *wiring.Memory
	// Train and Val are the samples to learn from and to stop by.
	Train, Val []Sample
	// Aims are what is learned, one for each of the plan's tasks.
	Aims []Aim
	// Parts are the modules of the plan's parts, by its order, and PartsKey
	// identifies them, so that a checkpoint knows its run.
	Parts    []part.Module
	PartsKey string
}

// Aim is what one effector learns.
type Aim struct {
	// Effector is its index in the plan.
	Effector int
	// Weight of its loss in the sum.
	Weight float64
	// Bind returns the effector's readout in a plan, nil for [head.Bind]; Key
	// identifies what of a module it brings in, so that a checkpoint knows its
	// run.
	Bind func(*wiring.Plan) (head.Readout, error)
	Key  string
	// Loss compares predictions with targets.
	Loss task.Loss
	// Lists and Settings are measured on the training data; they become the
	// plan's ([wiring.Params.Lists], [wiring.Effector.Settings]).
	Lists    map[string][]int32
	Settings wiring.Settings
}

// Readout returns that of the aim's effector in a plan.
func (a *Aim) Readout(p *wiring.Plan) (head.Readout, error) {
	if a.Bind == nil {
		return head.Bind(p, a.Effector)
	}
	return a.Bind(p)
}

// Sample is one example in numbers.
type Sample struct {
	// ID names the sample in messages.
	ID string
	// Inputs holds, for each sense, the module's vectors of one or more views
	// (augmentations), [views, numbers], as the module gave them; nil where
	// the sense is missing. The first view is the plain one. A sense that gives
	// one vector a step has one view of Steps vectors.
	Inputs [][]float32
	Steps  int
	// Targets holds, for each aim, alternatives: one is drawn each epoch, and
	// validation uses the first; nil where the aim asks for nothing.
	Targets [][]*task.Target
	// Repeat is how often the sample appears in an epoch; 0 means once.
	Repeat int
	// Apart makes every sense an episode of its own: nothing is seen together,
	// and a loss may compare the sides.
	Apart bool
	// Blur is, for each sense, the length of a random vector that is added to
	// what enters it in training, scaled to length 1 before and after; nil or 0
	// for none. It stands for the error of a bridge between encoders, which
	// confuses things: three fifths of its variance lie where the blurred samples
	// differ from each other, the rest anywhere.
	Blur []float32
}

// Validate reports the first mistake, and whether the data fit the plan.
func (d *Data) Validate(p *wiring.Plan) error {
	if len(d.Senses) != len(p.Senses) || len(d.Numbers) != len(p.Senses) {
		return fmt.Errorf("the data have %d senses, plan %q has %d", len(d.Senses), p.Name, len(p.Senses))
	}
	for i := range p.Senses {
		s := &p.Senses[i]
		if d.Senses[i] != s.Name || d.Numbers[i] != s.Numbers() {
			return fmt.Errorf("sense %d of the data is %q of %d numbers, of plan %q it is %q of %d", i, d.Senses[i], d.Numbers[i], p.Name, s.Name, s.Numbers())
		}
	}
	if memory, cue := p.MemorySense(); d.Memory != nil && (memory < 0 || cue < 0 || d.Memory.KeyWidth != d.Numbers[cue] || d.Memory.ValueWidth != d.Numbers[memory]) {
		return fmt.Errorf("the data's memory does not fit plan %q", p.Name)
	}
	if len(d.Aims) == 0 {
		return fmt.Errorf("the data have no aims: plan %q has nothing to learn", p.Name)
	}
	for i := range d.Aims {
		a := &d.Aims[i]
		if a.Effector < 0 || a.Effector >= len(p.Effectors) || a.Loss == nil || !(a.Weight > 0) {
			return fmt.Errorf("aim %d of the data is not whole: effector %d of %d, weight %v", i, a.Effector, len(p.Effectors), a.Weight)
		}
	}
	if len(d.Train) == 0 {
		return fmt.Errorf("the data have no training samples")
	}
	seen := map[*task.Target]bool{}
	for _, set := range [][]Sample{d.Train, d.Val} {
		for i := range set {
			if err := d.checkSample(p, &set[i], seen); err != nil {
				return fmt.Errorf("sample %q: %w", set[i].ID, err)
			}
		}
	}
	return nil
}

func (d *Data) checkSample(p *wiring.Plan, s *Sample, seen map[*task.Target]bool) error {
	if len(s.Inputs) != len(d.Senses) {
		return fmt.Errorf("inputs for %d senses, want %d", len(s.Inputs), len(d.Senses))
	}
	some := false
	for k, x := range s.Inputs {
		n := d.Numbers[k]
		if p.Senses[k].PerTick && len(x) > 0 && len(x) != s.Steps*n {
			return fmt.Errorf("%d numbers for sense %q, want %d steps of %d", len(x), d.Senses[k], s.Steps, n)
		}
		if len(x)%n != 0 {
			return fmt.Errorf("%d numbers for sense %q are not whole vectors of %d", len(x), d.Senses[k], n)
		}
		some = some || len(x) > 0
	}
	if !some {
		return fmt.Errorf("no input at all")
	}
	if s.Blur != nil && len(s.Blur) != len(d.Senses) {
		return fmt.Errorf("blur for %d senses, want %d", len(s.Blur), len(d.Senses))
	}
	if len(s.Targets) != len(d.Aims) {
		return fmt.Errorf("targets for %d aims, want %d", len(s.Targets), len(d.Aims))
	}
	asked := false
	for a, list := range s.Targets {
		for _, t := range list {
			asked = true
			if seen[t] {
				continue
			}
			seen[t] = true
			if err := checkTarget(p, &d.Aims[a], t, s.Steps); err != nil {
				return fmt.Errorf("target %q of effector %q: %w", t.Name, p.Effectors[d.Aims[a].Effector].Name, err)
			}
		}
	}
	if !asked {
		return fmt.Errorf("nothing is asked of any effector")
	}
	return nil
}

// lastTick is the latest tick that an episode of a plan may be read at.
func lastTick(p *wiring.Plan, steps int) int {
	if steps > 0 {
		return p.Ticks.Settle * steps
	}
	return p.Ticks.Settle + p.Ticks.Max + 1
}

func checkTarget(p *wiring.Plan, a *Aim, t *task.Target, steps int) error {
	e := &p.Effectors[a.Effector]
	reading := 0
	for _, r := range t.Rows {
		if r.Reading < reading || r.Reading >= len(a.Loss.Readings()) {
			return fmt.Errorf("reading %d out of order or beyond %d", r.Reading, len(a.Loss.Readings()))
		}
		reading = r.Reading
		if last := lastTick(p, steps); r.Tick < 1 || r.Tick > last {
			return fmt.Errorf("it is read at tick %d, want 1 to %d", r.Tick, last)
		}
	}
	if e.FeedbackWidth > 0 && len(t.Feedback)%e.FeedbackWidth != 0 {
		return fmt.Errorf("%d numbers of feedback are not whole vectors of %d", len(t.Feedback), e.FeedbackWidth)
	}
	return nil
}

// checkTargets checks what only bound readouts know: classes and widths.
func checkTargets(d *Data, aims []aim) error {
	seen := map[*task.Target]bool{}
	for _, set := range [][]Sample{d.Train, d.Val} {
		for i := range set {
			for a, list := range set[i].Targets {
				for _, t := range list {
					if seen[t] {
						continue
					}
					seen[t] = true
					if err := aims[a].check(t); err != nil {
						return fmt.Errorf("sample %q: target %q of effector %q: %w", set[i].ID, t.Name, aims[a].effector.Name, err)
					}
				}
			}
		}
	}
	return nil
}

func (a *aim) check(t *task.Target) error {
	width, context := a.readout.Width(), 0
	_, grouped := a.loss.(*task.Contrastive) // its classes are groups
	for _, r := range t.Rows {
		context += a.readout.Context(r.Reading)
		for _, c := range r.Classes {
			if c < 0 || int(c) >= width && !grouped {
				return fmt.Errorf("class %d of %d", c, width)
			}
		}
		if len(r.Values) != 0 && len(r.Values) != width {
			return fmt.Errorf("%d values, want %d", len(r.Values), width)
		}
	}
	if len(t.Context) != context {
		return fmt.Errorf("%d numbers of context, want %d", len(t.Context), context)
	}
	return nil
}
