package wiring

import (
	"fmt"

	"github.com/connectomewire/wire/internal/edit"
)

// FormatVersion is the version of the plan directory this package writes.
const FormatVersion = 1

// Plan is a wiring plan: what `wire build` writes and everything else reads.
// On disk it is a directory, see [Plan.Save] and [Load].
type Plan struct {
	Name string
	// Width is d, the length of every region's state.
	Width int
	// Rank is r, the numbers that travel on a tract each tick.
	Rank int
	// Stare is the number of ticks the plan looks at its input before it
	// speaks; afterwards it speaks one token a tick.
	Stare int
	// MaxTokens bounds a caption, the end token not counted.
	MaxTokens int
	// Regions are the plan's regions, in the connectome's order.
	Regions []Region
	// Tracts are sorted by target, then source.
	Tracts []Tract
	// Senses are the plan's inputs, in a fixed order.
	Senses []Sense
	// Effectors are the plan's outputs.
	Effectors []Effector
	// Modules are the frozen modules the plan uses, in a fixed order.
	Modules []ModuleRef
	// Provenance says where the plan came from.
	Provenance Provenance
	// Params are the learned parameters; nil before [Plan.Init].
	Params *Params
	// Memory holds the episodes of the sense of kind [KindMemory]; nil without
	// such a sense and before training.
	Memory *Memory
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
	Scale    float64 // s_ij: after log scaling and per-target normalisation
	LengthMM float64 // NaN when unknown
	Delay    int     // δ ≥ 1 ticks
}

// KindMemory is the kind of a sense that nothing outside gives: what another
// sense brings back from the plan's [Memory].
const KindMemory = "memory"

// Sense is an input of a plan: where what a module makes of a picture or a
// sound enters.
type Sense struct {
	Name   string // "image", "sound" or "memory"
	Kind   string // port kind of the module's input: "image", "sound"; or KindMemory
	Module string // module that encodes it; of a memory, that which encodes captions
	// Of is, for a memory, the sense that brings episodes back, and "" else.
	Of string
	// Port is the module's output that enters the regions, for example
	// "embedding".
	Port string
	// Regions are where it enters, in increasing order; each has its own
	// embedding matrix E.
	Regions []int
	// Width is the length of the port's vector.
	Width int
}

// Effector is an output of a plan: a language module whose hidden state the
// language region's state corrects.
type Effector struct {
	Name   string // "caption"
	Kind   string // "text"
	Module string // language module: tokens → hidden → logits
	// Text is the module whose text tower gives the semantic readout's word
	// vectors.
	Text string
	// Region is the language region: its state is read out.
	Region int
	// Feedback is the region where the language module's hidden state, and so
	// every word just spoken, comes back in.
	Feedback int
	// Hidden is the width of the language module's hidden state, Semantic
	// that of the text tower's space.
	Hidden, Semantic int
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

// Sense returns the sense with the given name, or nil.
func (p *Plan) Sense(name string) *Sense {
	for i := range p.Senses {
		if p.Senses[i].Name == name {
			return &p.Senses[i]
		}
	}
	return nil
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
