package connectome

import (
	"fmt"
	"math"
	"strconv"
)

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
	// Label is the region's name in the source's own spelling. It need not be
	// unique: some files name both hemispheres' regions alike. Use
	// [Connectome.Names] where names must differ. It is empty in sources
	// without labels.
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

// SetAttribute sets an attribute, unless the value is empty.
func (r *Region) SetAttribute(name, value string) {
	if value == "" {
		return
	}
	if r.Attributes == nil {
		r.Attributes = map[string]string{}
	}
	r.Attributes[name] = value
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
	// Tracts are the edges in compressed sparse row form, row = source. The
	// diagonal, where the source has one, is kept.
	Tracts CSR
	// History lists what was done to the connectome, oldest first.
	History []string
	// Report says what its reader found and decided; nil for connectomes that
	// were not read from a file.
	Report *Report
}

// Tract is one directed edge of a connectome.
type Tract struct {
	From, To int     // region indices
	Weight   float64 // as in the source, for example streamline count or its logarithm
	Length   float64 // mm; NaN when unknown
}

// Index returns the region with the given label or, where no label matches,
// canonical name. A name that two regions bear is an error.
func (c *Connectome) Index(name string) (int, error) {
	for _, key := range []func(*Region) string{
		func(r *Region) string { return r.Label },
		func(r *Region) string { return r.Canonical },
	} {
		found := -1
		for i := range c.Regions {
			if key(&c.Regions[i]) != name || name == "" {
				continue
			}
			if found >= 0 {
				return 0, fmt.Errorf("connectome %q: regions %d and %d are both named %q; choose by index or by the names that Names returns", c.Name, found, i, name)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, fmt.Errorf("connectome %q has no region %q", c.Name, name)
}

// Title names region i for a message: by its label, or its number from 1.
func (c *Connectome) Title(i int) string {
	if l := c.Regions[i].Label; l != "" {
		return l
	}
	return "number " + strconv.Itoa(i+1)
}

// Names returns one name per region, all different and none empty: the
// canonical name where an atlas gave one, else the label, else the region's
// number counted from 1. Names that would repeat get their hemisphere in
// front ("lh-", "rh-") and, where that does not help, "#2", "#3", … behind.
func (c *Connectome) Names() []string {
	names := make([]string, len(c.Regions))
	for i := range c.Regions {
		r := &c.Regions[i]
		switch {
		case r.Canonical != "":
			names[i] = r.Canonical
		case r.Label != "":
			names[i] = r.Label
		default:
			names[i] = strconv.Itoa(i + 1)
		}
	}
	count := make(map[string]int, len(names))
	for _, n := range names {
		count[n]++
	}
	for i, n := range names {
		if count[n] > 1 {
			switch c.Regions[i].Hemisphere {
			case Left:
				names[i] = "lh-" + n
			case Right:
				names[i] = "rh-" + n
			}
		}
	}
	taken := make(map[string]bool, len(names))
	for i, n := range names {
		for k := 2; taken[names[i]]; k++ {
			names[i] = n + "#" + strconv.Itoa(k)
		}
		taken[names[i]] = true
	}
	return names
}

// Validate checks what every function of this module relies on: that the
// matrix is square over the regions and well-formed ([CSR.Validate]), that
// positions are finite, and that an undirected connectome's matrix equals its
// transpose. The error names the region or tract at fault.
func (c *Connectome) Validate() error {
	if n := c.Tracts.Regions(); n != len(c.Regions) {
		return fmt.Errorf("connectome %q: matrix of %d regions for %d regions", c.Name, n, len(c.Regions))
	}
	if err := c.Tracts.Validate(); err != nil {
		return fmt.Errorf("connectome %q: %w", c.Name, err)
	}
	for i := range c.Regions {
		r := &c.Regions[i]
		if !r.Located {
			continue
		}
		for _, x := range r.Position {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("connectome %q: region %s: position %v is not finite", c.Name, c.Title(i), r.Position)
			}
		}
	}
	if !c.Directed {
		if i, j, ok := c.Tracts.symmetric(); !ok {
			return fmt.Errorf("connectome %q is undirected but tract %d → %d differs from %d → %d", c.Name, i, j, j, i)
		}
	}
	return nil
}

// Clone returns a deep copy that shares nothing with c.
func (c *Connectome) Clone() *Connectome {
	d := *c
	d.Tracts = c.Tracts.Clone()
	d.History = append([]string(nil), c.History...)
	d.Regions = append([]Region(nil), c.Regions...)
	for i := range d.Regions {
		r := &d.Regions[i]
		r.Roles = append([]string(nil), r.Roles...)
		if r.Attributes != nil {
			m := make(map[string]string, len(r.Attributes))
			for k, v := range r.Attributes {
				m[k] = v
			}
			r.Attributes = m
		}
	}
	if c.Report != nil {
		rep := *c.Report
		rep.Files = append([]string(nil), rep.Files...)
		rep.Notes = append([]Note(nil), rep.Notes...)
		d.Report = &rep
	}
	return &d
}
