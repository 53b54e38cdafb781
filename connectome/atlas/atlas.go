package atlas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Entry is what an atlas knows about a label.
type Entry struct {
	// Canonical is the one spelling of the region, "lh-pericalcarine".
	Canonical string
	// Name is the canonical name without its side, "pericalcarine".
	Name string
	// Hemisphere is the side the label states, or unknown.
	Hemisphere connectome.Hemisphere
	// Lobe is "frontal", "parietal", "temporal", "occipital", "limbic",
	// "insula", "subcortical", "brain stem" or "cerebellum".
	Lobe string
	// System is the functional system, after the seven networks of Yeo et al.
	// (2011, J Neurophysiol 106:1125): "visual", "somatomotor", "dorsal
	// attention", "ventral attention", "limbic", "control", "default"; or
	// "auditory", "subcortical".
	System string
	// Roles are what recipes place modules by, most typical first.
	Roles []Role
	// Desikan is the nearest Desikan–Killiany (or subcortical) name without
	// its side, the crosswalk between atlases; empty when there is none.
	Desikan string
}

// Atlas is a set of region names.
type Atlas struct {
	Name     string // short, for flags: "desikan"
	Title    string // for people: "Desikan–Killiany"
	Species  string // "human", "macaque", "mouse"
	Citation string
	parcels  []parcel
	keys     map[string]int // squashed name or alias → parcel
	// rule recognises names that no finite table lists (`bankssts_3`,
	// `7Networks_LH_Vis_1`); it may be nil.
	rule func(label string) (Entry, bool)
}

// parcel is a row of an atlas's table.
type parcel struct {
	name    string // canonical, without side
	lobe    string
	system  string
	roles   []Role
	aliases string // other spellings, squashed, separated by spaces
	desikan string // nearest Desikan–Killiany parcel, "" for the name itself
	midline bool
}

// index fills the atlas's keys and, for parcels that name their nearest parcel
// in one of the bases, what follows from it. A name that two parcels claim is
// a mistake in the table and panics when the package starts.
func (a *Atlas) index(bases ...*Atlas) *Atlas {
	a.keys = make(map[string]int, 2*len(a.parcels))
	for i := range a.parcels {
		p := &a.parcels[i]
		if len(bases) == 0 {
			p.desikan = p.name
		} else {
			p.inherit(bases)
		}
		for _, key := range append([]string{squash(p.name)}, strings.Fields(p.aliases)...) {
			if j, taken := a.keys[key]; taken && j != i {
				panic(fmt.Sprintf("atlas %s: %q names both %s and %s", a.Name, key, a.parcels[j].name, p.name))
			}
			a.keys[key] = i
		}
	}
	return a
}

// inherit fills what a row leaves open from its nearest parcel in the bases,
// if it names one.
func (p *parcel) inherit(bases []*Atlas) {
	if p.desikan == "" {
		return
	}
	var b *parcel
	for _, base := range bases {
		if i, ok := base.keys[squash(p.desikan)]; ok && b == nil {
			b = &base.parcels[i]
		}
	}
	if b == nil {
		panic(fmt.Sprintf("%s: no parcel %q", p.name, p.desikan))
	}
	if p.lobe == "" {
		p.lobe = b.lobe
	}
	if p.system == "" {
		p.system = b.system
	}
	if p.roles == nil {
		p.roles = b.roles
	}
}

// Regions returns the canonical names of the atlas's table without their
// sides, in the table's order; names recognised only by rule are not listed.
func (a *Atlas) Regions() []string {
	names := make([]string, len(a.parcels))
	for i, p := range a.parcels {
		names[i] = p.name
	}
	return names
}

// Resolve returns what the atlas knows about a label.
func (a *Atlas) Resolve(label string) (Entry, bool) {
	if a.rule != nil {
		if e, ok := a.rule(label); ok {
			return e, true
		}
	}
	for _, r := range readings(label) {
		if (r.glued || r.side == connectome.UnknownHemisphere) && isNumber(r.name) {
			continue // `4` and `R4` are more likely counts than area 4
		}
		if i, ok := a.keys[squash(r.name)]; ok {
			return a.parcels[i].entry(r.side), true
		}
		for _, suffix := range []string{"gyrus", "cortex", "nucleus"} {
			if key, cut := strings.CutSuffix(squash(r.name), suffix); cut {
				if i, ok := a.keys[key]; ok {
					return a.parcels[i].entry(r.side), true
				}
			}
		}
	}
	return Entry{}, false
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// entry is the row as seen on one side of the brain.
func (p parcel) entry(side connectome.Hemisphere) Entry {
	if p.midline {
		side = connectome.Midline
	}
	return Entry{
		Canonical:  canonicalName(side, p.name),
		Name:       p.name,
		Hemisphere: side,
		Lobe:       p.lobe,
		System:     p.system,
		Roles:      rolesOn(side, p.roles),
		Desikan:    p.desikan,
	}
}

// rolesOn restricts roles that exist on one side only: language areas are on
// the left, and their right-hand counterparts are homologues.
func rolesOn(side connectome.Hemisphere, roles []Role) []Role {
	if side != connectome.Right {
		return slices.Clone(roles)
	}
	var out []Role
	for _, r := range roles {
		if r == Broca || r == Wernicke || r == Language {
			r = LanguageHomologue
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// withSide returns the entry moved to a side that the label itself does not
// state.
func (e Entry) withSide(side connectome.Hemisphere) Entry {
	if e.Hemisphere != connectome.UnknownHemisphere || side == connectome.UnknownHemisphere {
		return e
	}
	e.Hemisphere = side
	e.Canonical = canonicalName(side, e.Name)
	e.Roles = rolesOn(side, e.Roles)
	return e
}

// All returns every atlas, in the order in which they are tried.
func All() []*Atlas { return slices.Clone(atlases) }

// ByName returns the atlas with the given short name.
func ByName(name string) (*Atlas, error) {
	var names []string
	for _, a := range atlases {
		if a.Name == strings.ToLower(name) {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return nil, fmt.Errorf("no atlas %q; there are: %s", name, strings.Join(names, ", "))
}

// Identify returns what the first atlas that knows the label says about it.
// For the labels of one file use [Annotate], which chooses the atlas by all
// of them.
func Identify(label string) (Entry, *Atlas, bool) {
	for _, a := range append(slices.Clone(atlases), subcortex) {
		if e, ok := a.Resolve(label); ok {
			return e, a, true
		}
	}
	return Entry{}, nil, false
}
