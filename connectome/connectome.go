package connectome

import "fmt"

// Hemisphere says on which side of the brain a region lies.
type Hemisphere uint8

// The sides a region can lie on. Midline is for unpaired structures such as
// the brain stem; UnknownHemisphere is for files that do not tell.
const (
	UnknownHemisphere Hemisphere = iota
	Left
	Right
	Midline
)

// String returns "left", "right", "midline" or "unknown".
func (h Hemisphere) String() string {
	switch h {
	case Left:
		return "left"
	case Right:
		return "right"
	case Midline:
		return "midline"
	default:
		return "unknown"
	}
}

// Region is a node of a connectome: a parcel of cortex or a nucleus.
type Region struct {
	// Label is the region's unique name. Readers keep the file's own spelling
	// here; an atlas maps it to a canonical name (see [Region.Canonical]).
	Label string
	// Canonical is the atlas's one spelling of the region's name, for example
	// "lh-pericalcarine", or empty when no atlas is recognised.
	Canonical string
	// Hemisphere is the side the region lies on.
	Hemisphere Hemisphere
	// Position is the region's centre in mm, RAS+ (right, anterior, superior);
	// it is meaningful only when Located is true.
	Position [3]float64
	// Located says whether the source gave a position.
	Located bool
	// Lobe is "frontal", "parietal", "temporal", "occipital", "limbic",
	// "insula", "subcortical", … or empty.
	Lobe string
	// System is the functional system ("visual", "somatomotor", …) or empty.
	System string
	// Roles are the roles that recipes place modules by, for example
	// "primary visual" or "broca"; empty when no atlas is recognised.
	Roles []string
	// Attributes are the source's further node attributes, kept as text.
	Attributes map[string]string
}

// Connectome is a set of regions and the weighted, directed tracts between
// them. It is structure only: it knows nothing of modules or of learning.
//
// An undirected connectome stores every tract in both directions.
type Connectome struct {
	Name     string // short name, for example "enigma-82"
	Source   string // file, URL or rule the connectome came from
	License  string // SPDX identifier or free text
	Citation string
	// Synthetic says that a generative rule made this connectome rather than
	// a measurement; everything that prints it must say so.
	Synthetic bool
	// Directed says whether tract (i, j) may differ from tract (j, i).
	Directed bool
	// Regions are the nodes; a tract names them by index.
	Regions []Region
	// Tracts are the edges in compressed sparse row form, row = source.
	Tracts CSR
	// History lists what was done to the connectome, oldest first.
	History []string
}

// CSR is a sparse matrix of tracts in compressed sparse row form: the tracts
// leaving region i are the half-open range Start[i]:Start[i+1] of the other
// slices, sorted by target. It needs 20 bytes a tract (12 without lengths).
type CSR struct {
	Start  []int     // len = regions+1
	Target []int32   // target region of each tract
	Weight []float64 // weight of each tract, never 0
	Length []float64 // length of each tract in mm; nil when unknown, NaN when one is unknown
}

// Tract is one directed edge of a connectome.
type Tract struct {
	From, To int     // region indices
	Weight   float64 // as in the source, for example streamline count or its logarithm
	Length   float64 // mm; NaN when unknown
}

// Len returns the number of directed tracts.
func (m CSR) Len() int { return len(m.Target) }

// Row returns the half-open range of the tracts that leave region i.
func (m CSR) Row(i int) (lo, hi int) { return m.Start[i], m.Start[i+1] }

// Index returns the region with the given label or canonical name.
func (c *Connectome) Index(label string) (int, error) {
	for i := range c.Regions {
		if c.Regions[i].Label == label {
			return i, nil
		}
	}
	for i := range c.Regions {
		if c.Regions[i].Canonical == label {
			return i, nil
		}
	}
	return 0, fmt.Errorf("connectome %q has no region %q", c.Name, label)
}
