package atlas

import (
	"fmt"

	"github.com/connectomewire/wire/connectome"
)

// Match says how well an atlas explains a connectome's labels.
type Match struct {
	// Atlas is the short name of the recognised atlas, "" when none explains
	// at least a fifth of the labels.
	Atlas string `json:"atlas"`
	// Title is the atlas's name for people.
	Title string `json:"title"`
	// Species is "human", "macaque" or "mouse".
	Species string `json:"species,omitempty"`
	// Matched of Total regions were recognised; Share is their ratio.
	Matched int     `json:"matched"`
	Total   int     `json:"total"`
	Share   float64 `json:"share"`
	// Unknown are the labels that were not, in the connectome's order.
	Unknown []Unknown `json:"unknown,omitempty"`
	// Repeated are canonical names that more than one region received.
	Repeated []string `json:"repeated,omitempty"`
}

// Unknown is a label that the atlas does not know.
type Unknown struct {
	Region     int    `json:"region"` // index
	Label      string `json:"label"`
	Suggestion string `json:"suggestion,omitempty"` // closest canonical name, or ""
}

// String is a line for people: "Desikan–Killiany: 82 of 82 regions".
func (m Match) String() string {
	if m.Atlas == "" {
		return fmt.Sprintf("no atlas recognised (%d of %d labels known)", m.Matched, m.Total)
	}
	return fmt.Sprintf("%s: %d of %d regions", m.Title, m.Matched, m.Total)
}

// recognised is the share of labels an atlas must explain to be believed: a
// file of anything else may well contain a "MT" or an "M1".
const recognised = 0.2

// Annotate recognises the atlas of the connectome's labels and fills
// Canonical, Hemisphere, Lobe, System and Roles of its regions. What the
// reader already found (a hemisphere, a lobe) is kept where the label says
// nothing else. Labels are not changed. When no atlas is recognised the
// regions only receive the side their labels state.
func Annotate(c *connectome.Connectome) Match { return annotate(c, recognise(c)) }

// Of large connectomes only sampleSize labels, evenly spaced, choose the atlas,
// and only the first suggestions unknown labels receive a suggestion.
const (
	sampleSize  = 1000
	suggestions = 100
)

// recognise returns the atlas that, with the subcortical names that all share,
// explains most labels, nil when no atlas explains any of its own. Human
// parcellations name the side of every area: V1, V2, V4 and MT without sides
// are those of a monkey's one hemisphere, as tracer studies publish them.
func recognise(c *connectome.Connectome) *Atlas {
	best, bestCount, bestOwn := (*Atlas)(nil), 0, 0
	for _, a := range atlases {
		if count, own := explained(c, a); count > bestCount {
			best, bestCount, bestOwn = a, count, own
		}
	}
	if bestOwn == 0 {
		return nil
	}
	if best.Species == "human" && !hasSides(c) {
		for _, a := range []*Atlas{macaque, regionalMap} {
			if count, own := explained(c, a); count == bestCount && own > 0 {
				return a
			}
		}
	}
	return best
}

// explained counts labels of a sample that an atlas, or the subcortical names,
// explain, and those that are the atlas's own.
func explained(c *connectome.Connectome, a *Atlas) (count, own int) {
	for i := 0; i < len(c.Regions); i += 1 + len(c.Regions)/sampleSize {
		e, ok := resolve(a, &c.Regions[i])
		if ok && !isNumber(e.Name) {
			own++
			count++
		} else if _, ok := resolve(subcortex, &c.Regions[i]); ok {
			count++
		}
	}
	return count, own
}

// hasSides says whether any region lies in a known hemisphere.
func hasSides(c *connectome.Connectome) bool {
	for i := range c.Regions {
		if r := &c.Regions[i]; r.Hemisphere != connectome.UnknownHemisphere || sideOfLabel(r.Label) != connectome.UnknownHemisphere {
			return true
		}
	}
	return false
}

// AnnotateWith is [Annotate] with the atlas given rather than recognised. The
// match's Atlas is set however few labels it explains.
func AnnotateWith(c *connectome.Connectome, a *Atlas) Match {
	m := annotate(c, a)
	m.Atlas, m.Title, m.Species = a.Name, a.Title, a.Species
	return m
}

func annotate(c *connectome.Connectome, a *Atlas) Match {
	m := Match{Total: len(c.Regions)}
	entries := make([]Entry, len(c.Regions))
	known := make([]bool, len(c.Regions))
	worded := 0 // matches that are more than a number: `L_4` alone proves nothing
	for i := range c.Regions {
		if a != nil {
			entries[i], known[i] = resolve(a, &c.Regions[i])
		}
		if !known[i] {
			entries[i], known[i] = resolve(subcortex, &c.Regions[i])
		}
		if known[i] {
			m.Matched++
			if !isNumber(entries[i].Name) {
				worded++
			}
		}
	}
	if m.Total > 0 {
		m.Share = float64(m.Matched) / float64(m.Total)
	}
	believed := worded > 0 && float64(worded) >= recognised*float64(m.Total)
	if believed {
		chosen := a
		if chosen == nil {
			chosen = subcortex
		}
		m.Atlas, m.Title, m.Species = chosen.Name, chosen.Title, chosen.Species
	}
	seen := map[string]int{}
	for i := range c.Regions {
		r := &c.Regions[i]
		if !believed || !known[i] {
			if r.Hemisphere == connectome.UnknownHemisphere {
				r.Hemisphere = sideOfLabel(r.Label)
			}
			u := Unknown{Region: i, Label: r.Label}
			if known[i] {
				continue
			}
			if believed && len(m.Unknown) < suggestions {
				if near, ok := closest(r.Label, tried(a)); ok {
					u.Suggestion = near
				}
			}
			m.Unknown = append(m.Unknown, u)
			continue
		}
		entries[i].fill(r)
		if seen[r.Canonical]++; seen[r.Canonical] == 2 {
			m.Repeated = append(m.Repeated, r.Canonical)
		}
	}
	return m
}

func tried(a *Atlas) []*Atlas {
	if a == nil {
		return []*Atlas{subcortex}
	}
	return []*Atlas{a, subcortex}
}

// fill writes the entry into a region.
func (e Entry) fill(r *connectome.Region) {
	r.Canonical = e.Canonical
	if e.Hemisphere != connectome.UnknownHemisphere {
		r.Hemisphere = e.Hemisphere
	}
	if e.Lobe != "" {
		r.Lobe = e.Lobe
	}
	if e.System != "" {
		r.System = e.System
	}
	r.Roles = nil
	for _, role := range e.Roles {
		r.Roles = append(r.Roles, string(role))
	}
}

// nameAttributes are where graph files keep a region's anatomical name when
// the node's label is a number.
var nameAttributes = []string{"dn_name", "dn_fsname", "fn_fsname", "name", "label", "fsname"}

// resolve reads a region by its label, or else by its name attributes; a side
// that the name does not state comes from the reader.
func resolve(a *Atlas, r *connectome.Region) (Entry, bool) {
	if e, ok := a.Resolve(r.Label); ok {
		return e.withSide(r.Hemisphere), true
	}
	for _, key := range nameAttributes {
		if text, given := r.Attributes[key]; given {
			if e, ok := a.Resolve(text); ok {
				return e.withSide(r.Hemisphere), true
			}
		}
	}
	return Entry{}, false
}

// Crosswalk returns the canonical name of every region's nearest
// Desikan–Killiany or subcortical region ("lh-pericalcarine" for Glasser's
// `L_V1_ROI`), or "" where there is none, by the atlas that explains most
// labels. It does not change the connectome.
func Crosswalk(c *connectome.Connectome) []string {
	a := recognise(c)
	out := make([]string, len(c.Regions))
	for i := range c.Regions {
		for _, t := range tried(a) {
			if e, ok := resolve(t, &c.Regions[i]); ok {
				if e.Desikan != "" {
					out[i] = canonicalName(e.Hemisphere, e.Desikan)
				}
				break
			}
		}
	}
	return out
}
