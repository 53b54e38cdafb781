package wiring

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
	// Modules are the frozen modules the plan uses, by name.
	Modules []ModuleRef
	// Provenance says where the plan came from.
	Provenance Provenance
	// Params are the learned parameters, nil before initialisation.
	Params *Params
}

// Region is a region of a plan.
type Region struct {
	Label      string
	Canonical  string
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
	Scale    float64 // s_ij: the weight after log scaling, per-target normalisation and spectral scaling
	LengthMM float64 // NaN when unknown
	Delay    int     // δ ≥ 1 ticks
}

// Sense is an input of a plan: where what a module makes of a picture or a
// sound enters.
type Sense struct {
	Name   string // "image" or "sound"
	Kind   string // port kind of the module's input: "image", "sound"
	Module string // module that encodes it
	// Port is the module's output that enters the region, "embedding" or
	// "grid" (a glimpse: attention over the grid's tokens with the region's
	// previous state as the query).
	Port string
	// Region is where it enters.
	Region int
	// Width is the width of the port's vectors; Tokens is 1 for an
	// embedding, or the number of grid cells.
	Width, Tokens int
}

// Effector is an output of a plan.
type Effector struct {
	Name   string // "caption"
	Kind   string // "text"
	Module string // language module
	// Text is the module whose text tower gives the semantic readout's word vectors.
	Text   string
	Region int // the language region
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
