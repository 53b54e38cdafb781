package wiring

import (
	"cmp"
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/edit"
)

// FormatVersion is the version of the plan directory this package writes. It
// also reads version 1, whose plans have one effector that speaks.
const FormatVersion = 2

// Plan is a wiring plan: what `wire build` writes and everything else reads.
// On disk it is a directory, see [Plan.Save] and [Load].
type Plan struct {
	Name string
	// Cell is what the regions are made of: [CellGated], or "", [CellGRU] or [CellRate].
	// A plan of rate cells has [Plan.Rates] and, once it is fitted, a
	// [Plan.Readout] in the place of Params.
	Cell string
	// FixedGates says that the tracts' gates stay at ½, where all begin, and have
	// nothing to learn.
	FixedGates bool
	// Burst gives regions a stored potential; nil gives none.
	Burst *Burst
	// Width is d, the length of every region's state.
	Width int
	// Rank is r, the numbers that travel on a tract each tick.
	Rank int
	// Ticks says how long an episode lasts.
	Ticks Ticks
	// Regions are the plan's regions, in the connectome's order.
	Regions []Region
	// Tracts are sorted by target, then source.
	Tracts []Tract
	// Senses are the plan's inputs, in a fixed order.
	Senses []Sense
	// Effectors are the plan's outputs.
	Effectors []Effector
	// Parts are the frozen modules that stand inside regions.
	Parts []Part
	// Tasks say what the effectors learn.
	Tasks []Task
	// Modules are the frozen modules the plan uses, in a fixed order.
	Modules []ModuleRef
	// Provenance says where the plan came from.
	Provenance Provenance
	// Params are the learned parameters; nil before [Plan.Init].
	Params *Params
	// Rates are the numbers of a plan of rate cells, nil for one of gated cells;
	// Readout is what was fitted to its states, nil before that.
	Rates   *Rates
	Readout *Readout
	// Memory holds the episodes of the sense of kind [KindMemory]; nil without
	// such a sense and before training.
	Memory *Memory
	// Calibration says how likely answers are right; nil before it is fitted.
	Calibration *Calibration
	// Trained says that the parameters were learned; [Plan.Save] writes them
	// only then, since untrained ones follow from the seed.
	Trained bool
	// History lists what was done to the plan, oldest first.
	History []Event
}

// Region is a region of a plan.
type Region struct {
	Label      string
	Canonical  string     // the atlas's spelling, or ""
	Hemisphere string     // "left", "right", "midline" or "unknown"
	Lobe       string     // "occipital", … or ""
	Position   [3]float64 // mm, RAS+
	Located    bool
	// Slot is the name of the module in this region, or "" for a relay.
	Slot string
	// Why says how the slot was chosen, for people.
	Why string
}

// Tract is a directed edge of a plan.
type Tract struct {
	From, To int     // region indices
	Weight   float64 // the connectome's own weight
	Scale    float64 // s_ij: after log scaling and per-target normalisation; of rate cells W_ji, with its sign
	LengthMM float64 // NaN when unknown
	Delay    int     // δ ≥ 1 ticks
}

// Compare orders tracts as a plan has them: by target, then source.
func (t Tract) Compare(u Tract) int {
	return cmp.Or(cmp.Compare(t.To, u.To), cmp.Compare(t.From, u.From))
}

// Ticks are the lengths of an episode's phases.
type Ticks struct {
	// Settle is the number of ticks from the input until effectors are read;
	// of a plan with a sense that gives one value a step ([Sense.PerTick]), the
	// ticks that each step lasts.
	Settle int
	// Max is the number of steps that an effector may act after settling, one
	// a tick; its end is not counted.
	Max int
}

// Kinds of senses that need no module's input port of the same kind.
const (
	// KindMemory is brought back by another sense from the plan's [Memory].
	KindMemory = "memory"
	// KindVector and KindSeries are numbers given as they are: one vector an
	// episode, or one a step.
	KindVector = "vector"
	KindSeries = "series"
)

// Ways in which a sense reads what its module gives, see [Sense.Read].
const (
	ReadWhole   = "whole"
	ReadGlimpse = "glimpse"
)

// Sense is an input of a plan: where what a module makes of a picture, a
// sound or a text enters, or where numbers do.
type Sense struct {
	Name string
	// Kind of what is given: "image", "sound", "text", [KindVector],
	// [KindSeries] or [KindMemory].
	Kind string
	// Module encodes it and Port is its output that enters the regions; both
	// are "" for numbers. Of a memory, the module that encodes its values.
	Module, Port string
	// Encoders are further ways into the same space: an example gives any one.
	// What enters by any of them enters by the same matrices.
	Encoders []Encoder
	// Of is, for a memory, the sense that brings episodes back, and "" else.
	Of string
	// PerTick says that the sense gives one vector a step, and that a step
	// lasts [Ticks.Settle] ticks; else one vector enters at every tick.
	PerTick bool
	// Read is [ReadWhole], or [ReadGlimpse]: the port gives a grid of Places
	// vectors, and each region attends to them with its own state as the query.
	Read   string
	Places int
	// Views is how often a picture is looked at, each time another way, 1 to
	// [MaxViews]; the mean of what the module makes of the views enters. 0 is
	// once.
	Views int
	// Regions are where it enters, in increasing order; each has its own
	// embedding matrix E.
	Regions []int
	// Width is the length of the vector that enters.
	Width int
}

// MaxViews is how many ways there are of looking at a picture: as the module
// cuts it, mirrored, whole, and whole and mirrored.
const MaxViews = 4

// Encoder is a module's output that lies in a sense's space.
type Encoder struct{ Kind, Module, Port string }

// All returns the sense's encoders, its own first.
func (s *Sense) All() []Encoder {
	return append([]Encoder{{s.Kind, s.Module, s.Port}}, s.Encoders...)
}

// Numbers is the length of what an episode gives the sense, per step: Width,
// for each of its places where it is glimpsed at.
func (s *Sense) Numbers() int { return s.Width * max(s.Places, 1) }

// Effector is an output of a plan: regions whose states a head reads, and
// regions where what it does comes back in.
type Effector struct {
	Name string
	// Head names the arithmetic, see [HeadOf].
	Head string
	// Module is the frozen module that the head works with; "" without.
	Module string
	// Regions are read side by side, in increasing order.
	Regions []int
	// Feedback are the regions where FeedbackWidth numbers come back in at each
	// step; each has its own matrix. Empty without feedback.
	Feedback      []int
	FeedbackWidth int
	// Settings are the head's own.
	Settings Settings
}

// Task is what an effector learns.
type Task struct {
	// Kind names the task, for example "labelling".
	Kind string
	// Effector learns it; Target names what of an example it learns from.
	Effector, Target string
	// Weight of its loss in the sum; 0 means 1.
	Weight float64
	// Settings are the task's own.
	Settings Settings
}

// ModuleRef pins a module by content.
type ModuleRef struct {
	Name   string
	Source string // "zoo:vision", or a path relative to the plan
	SHA256 string
}

// Provenance records how a plan was made.
type Provenance struct {
	Connectome string // name of the connectome
	Synthetic  bool   // the connectome is a generative rule's, not a measurement
	File       string // base name of the source file
	SHA256     string // of the source file
	License    string
	Recipe     string
	Seed       uint64
	Command    string
	Version    string // of wire
}

// Event is one entry of a plan's history.
type Event struct {
	// What was done: "build", "train", …
	What string `json:"what"`
	// Command that did it, or "".
	Command string `json:"command,omitempty"`
	// Seed of the random numbers it used.
	Seed uint64 `json:"seed"`
	// Facts are figures worth keeping, for example "val_loss".
	Facts map[string]float64 `json:"facts,omitempty"`
	// Notes for people.
	Notes []string `json:"notes,omitempty"`
	// Given says what a training was given.
	Given *Given `json:"given,omitempty"`
}

// Given is what a training was given that is no figure.
type Given struct {
	// Only is what learned; all where it is empty.
	Only []string `json:"only,omitempty"`
	// Sets are the packaged sets it learned from; none for other data.
	Sets []string `json:"sets,omitempty"`
	// Mixture is the text of the mixture that it learned from, MixtureFile the
	// file it was read from, beside which relative paths lie.
	Mixture     string `json:"mixture,omitempty"`
	MixtureFile string `json:"mixture_file,omitempty"`
	// Examples is a checksum of what it learned from.
	Examples string `json:"examples"`
}

// Indices returns the regions with the given labels or canonical names, in the
// order of the labels.
func (p *Plan) Indices(labels []string) ([]int, error) {
	var out []int
	for _, label := range labels {
		j, err := p.Index(label)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

// Distance returns the straight line between two regions' centres, in mm; both
// must be located.
func (p *Plan) Distance(i, j int) float64 {
	a, b := p.Regions[i].Position, p.Regions[j].Position
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// Index returns the region with the given label or canonical name.
func (p *Plan) Index(label string) (int, error) {
	for i := range p.Regions {
		if p.Regions[i].Label == label {
			return i, nil
		}
	}
	for i := range p.Regions {
		if p.Regions[i].Canonical != "" && p.Regions[i].Canonical == label {
			return i, nil
		}
	}
	return 0, fmt.Errorf("plan %q has no region %q%s", p.Name, label, edit.Suggestion(label, p.labels()))
}

// Incoming returns the half-open range of [Plan.Tracts] that end in region j.
func (p *Plan) Incoming(j int) (lo, hi int) {
	lo = lowerBound(len(p.Tracts), func(i int) bool { return p.Tracts[i].To >= j })
	hi = lowerBound(len(p.Tracts), func(i int) bool { return p.Tracts[i].To > j })
	return lo, hi
}

// Outgoing returns the indices in [Plan.Tracts] of the tracts that begin in
// region i, in increasing order.
func (p *Plan) Outgoing(i int) []int {
	var out []int
	for k := range p.Tracts {
		if p.Tracts[k].From == i {
			out = append(out, k)
		}
	}
	return out
}

// outgoing is [Plan.Outgoing] of every region, in one pass.
func (p *Plan) outgoing() [][]int {
	counts := make([]int, len(p.Regions))
	for k := range p.Tracts {
		counts[p.Tracts[k].From]++
	}
	out := make([][]int, len(p.Regions))
	for i, n := range counts {
		if n > 0 {
			out[i] = make([]int, 0, n)
		}
	}
	for k := range p.Tracts {
		i := p.Tracts[k].From
		out[i] = append(out[i], k)
	}
	return out
}

// Sense returns the sense with the given name, or nil.
func (p *Plan) Sense(name string) *Sense {
	for i := range p.Senses {
		if p.Senses[i].Name == name {
			return &p.Senses[i]
		}
	}
	return nil
}

// Effector returns the index of the effector with the given name, or −1.
func (p *Plan) Effector(name string) int {
	for i := range p.Effectors {
		if p.Effectors[i].Name == name {
			return i
		}
	}
	return -1
}

// Series returns the index of the first sense that gives one vector a step,
// or −1.
func (p *Plan) Series() int {
	for i := range p.Senses {
		if p.Senses[i].PerTick {
			return i
		}
	}
	return -1
}

// TractName returns "from → to" with the regions' labels.
func (p *Plan) TractName(k int) string {
	t := p.Tracts[k]
	return p.Regions[t.From].Label + " → " + p.Regions[t.To].Label
}

// MaxDelay returns the longest delay of any tract, in ticks; 0 without tracts.
func (p *Plan) MaxDelay() int {
	m := 0
	for k := range p.Tracts {
		m = max(m, p.Tracts[k].Delay)
	}
	return m
}

func (p *Plan) labels() []string {
	names := make([]string, len(p.Regions))
	for i := range p.Regions {
		names[i] = p.Regions[i].Label
	}
	return names
}

// lowerBound returns the smallest i in [0, n) for which ok(i), or n; ok must
// be monotone.
func lowerBound(n int, ok func(int) bool) int {
	lo, hi := 0, n
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); ok(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
