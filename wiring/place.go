package wiring

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/internal/edit"
)

// A placer finds regions for senses and effectors in one connectome.
type placer struct {
	c        *connectome.Connectome
	names    []string  // unique names of the regions
	strength []float64 // summed magnitudes of tracts in and out, self excluded
	given    map[string][]string
}

func newPlacer(c *connectome.Connectome, given map[string][]string) *placer {
	p := &placer{c: c, names: c.Names(), strength: make([]float64, len(c.Regions)), given: given}
	for t := range c.Tracts.All() {
		if t.From != t.To {
			p.strength[t.From] += math.Abs(t.Weight)
			p.strength[t.To] += math.Abs(t.Weight)
		}
	}
	return p
}

// explicit resolves regions given by hand under any of the keys (the sense's
// name, its module's name). ok is false when nothing was given.
func (p *placer) explicit(keys ...string) (regions []int, ok bool, err error) {
	for _, key := range keys {
		labels, given := p.given[key]
		if !given {
			continue
		}
		for _, label := range labels {
			found := p.byLabel(label)
			if len(found) == 0 {
				return nil, true, fmt.Errorf("--place %s=%s: the connectome has no region %q%s", key, strings.Join(labels, ","), label, edit.Suggestion(label, p.names))
			}
			regions = append(regions, found...)
		}
		return unique(regions), true, nil
	}
	return nil, false, nil
}

// byLabel returns the regions a person may mean by a label: the exact label,
// or the canonical name, or, failing both, the regions of that name on either
// side ("V1" for rV1 and lV1).
func (p *placer) byLabel(label string) []int {
	for _, key := range []func(i int) string{
		func(i int) string { return p.c.Regions[i].Label },
		func(i int) string { return p.c.Regions[i].Canonical },
		func(i int) string { return p.names[i] },
	} {
		for i := range p.c.Regions {
			if key(i) == label {
				return []int{i}
			}
		}
	}
	var found []int
	for i := range p.c.Regions {
		for _, name := range []string{p.c.Regions[i].Label, p.c.Regions[i].Canonical} {
			if name != "" && strings.EqualFold(withoutSide(name, p.c.Regions[i].Hemisphere), label) {
				found = append(found, i)
				break
			}
		}
	}
	return found
}

// withoutSide cuts the mark of its hemisphere off a label: "lh-", "_R", or a
// single leading or trailing letter when the hemisphere is known to match.
func withoutSide(label string, h connectome.Hemisphere) string {
	marks := map[connectome.Hemisphere][]string{
		connectome.Left:  {"ctx-lh-", "left", "lh", "l"},
		connectome.Right: {"ctx-rh-", "right", "rh", "r"},
	}[h]
	lower := strings.ToLower(label)
	const separators = "-_. "
	for _, m := range marks {
		if strings.HasPrefix(lower, m) && len(label) > len(m) {
			return strings.TrimLeft(label[len(m):], separators)
		}
		if strings.HasSuffix(lower, m) && len(label) > len(m) && strings.ContainsRune(separators, rune(label[len(label)-len(m)-1])) {
			return strings.TrimRight(label[:len(label)-len(m)], separators)
		}
	}
	return label
}

// find returns the regions of the first place the connectome can satisfy, and
// why; self is where the effector went, for `same: effector`.
func (p *placer) find(places []Place, self int) (regions []int, why string) {
	for _, place := range places {
		found := p.satisfy(place, self)
		if len(found) == 0 {
			continue
		}
		for _, a := range place.Also {
			found = append(found, p.satisfy(a, self)...)
		}
		return unique(found), place.String()
	}
	return nil, ""
}

func (p *placer) satisfy(place Place, self int) []int {
	switch {
	case place.Region != "":
		return p.side(p.byLabel(place.Region), place.Hemisphere)
	case place.Role != "":
		role, err := atlas.Lookup(place.Role)
		if err != nil {
			return nil // the recipe was validated
		}
		return p.strongest(p.mostTypical(role, place.Hemisphere), place.Most)
	case place.Strongest != "":
		var lobe []int
		for i, r := range p.c.Regions {
			if strings.EqualFold(r.Lobe, place.Strongest) {
				lobe = append(lobe, i)
			}
		}
		return p.strongest(p.side(lobe, place.Hemisphere), place.Most)
	case place.Same == "effector" && self >= 0:
		return []int{self}
	}
	return nil
}

// mostTypical returns the regions on the given side that have the role and
// name it as early among their roles as any of them.
func (p *placer) mostTypical(role atlas.Role, hemisphere string) []int {
	rank := func(i int) int {
		for k, r := range p.c.Regions[i].Roles {
			if r == string(role) {
				return k
			}
		}
		return math.MaxInt
	}
	best := math.MaxInt
	var found []int
	for _, i := range p.side(atlas.RegionsWithRole(p.c, role), hemisphere) {
		if r := rank(i); r < best {
			best, found = r, []int{i}
		} else if r == best {
			found = append(found, i)
		}
	}
	return found
}

// side keeps the regions of a hemisphere; "" keeps all.
func (p *placer) side(regions []int, hemisphere string) []int {
	if hemisphere == "" {
		return regions
	}
	var kept []int
	for _, i := range regions {
		if p.c.Regions[i].Hemisphere.String() == hemisphere {
			kept = append(kept, i)
		}
	}
	return kept
}

// strongest keeps, of each hemisphere, the `most` regions of highest strength
// (at least one), the first of equals; the result is in the connectome's order.
func (p *placer) strongest(regions []int, most int) []int {
	order := slices.Clone(regions)
	sort.SliceStable(order, func(a, b int) bool { return p.strength[order[a]] > p.strength[order[b]] })
	taken := map[connectome.Hemisphere]int{}
	var kept []int
	for _, i := range order {
		h := p.c.Regions[i].Hemisphere
		if taken[h] < max(most, 1) {
			taken[h]++
			kept = append(kept, i)
		}
	}
	sort.Ints(kept)
	return kept
}

// single chooses one region: the left hemisphere before the others, then the
// first.
func (p *placer) single(regions []int) int {
	for _, i := range regions {
		if p.c.Regions[i].Hemisphere == connectome.Left {
			return i
		}
	}
	return regions[0]
}

// PlaceError says which parts of a recipe found no region in a connectome,
// what the connectome has, and how to place them by hand.
type PlaceError struct {
	Connectome string
	Recipe     string
	// Missing are the senses, effectors and feedback that found no place,
	// with the places that were tried.
	Missing []MissingPlace
	// Labels are the connectome's regions; Roles those roles it has.
	Labels, Roles []string
}

// MissingPlace is a part of a recipe without a region.
type MissingPlace struct {
	Name  string // "image", "caption" …
	Tried []Place
}

// Error lists what was tried, what the connectome offers, and a `--place`
// that would do.
func (e *PlaceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "recipe %q cannot be placed on connectome %q:\n", e.Recipe, e.Connectome)
	for _, m := range e.Missing {
		tried := make([]string, len(m.Tried))
		for i, t := range m.Tried {
			tried[i] = t.String()
		}
		fmt.Fprintf(&b, "  %s: no region fits any of: %s\n", m.Name, strings.Join(tried, "; "))
	}
	if len(e.Roles) == 0 {
		b.WriteString("None of its labels belongs to an atlas whose roles wire knows.\n")
	} else {
		fmt.Fprintf(&b, "Roles it has: %s.\n", strings.Join(e.Roles, ", "))
	}
	const show = 100
	labels := e.Labels
	more := ""
	if len(labels) > show {
		more = fmt.Sprintf(" … and %d more", len(labels)-show)
		labels = labels[:show]
	}
	fmt.Fprintf(&b, "Its %d regions: %s%s.\n", len(e.Labels), strings.Join(labels, " "), more)
	b.WriteString("Say where they go, for example:\n ")
	for _, m := range e.Missing {
		fmt.Fprintf(&b, " --place %s=%s", m.Name, exampleLabel(m.Name, e.Labels))
	}
	b.WriteString("\nSeveral regions are separated by commas; a name without its side (V1) means both hemispheres.")
	return b.String()
}

// exampleLabel guesses a label worth showing in an example: one that looks
// like a usual name for what is placed, or the first.
func exampleLabel(name string, labels []string) string {
	wanted := map[string][]string{
		"image":            {"v1", "visual", "calc", "occip", "vis"},
		"sound":            {"a1", "aud", "heschl", "temporal", "tcs"},
		"caption":          {"pfcvl", "44", "45", "broca", "opercular", "ifg", "frontal"},
		"caption.feedback": {"a2", "tcs", "wernicke", "stg", "temporal", "aud"},
	}[name]
	for _, w := range wanted {
		best := ""
		for _, l := range labels {
			if !strings.Contains(strings.ToLower(l), w) {
				continue
			}
			left := strings.HasPrefix(strings.ToLower(l), "l")
			if best == "" || left && !strings.HasPrefix(strings.ToLower(best), "l") {
				best = l
			}
		}
		if best != "" {
			return best
		}
	}
	if len(labels) == 0 {
		return "LABEL"
	}
	return labels[0]
}

func unique(regions []int) []int {
	sort.Ints(regions)
	out := regions[:0]
	for i, r := range regions {
		if i == 0 || r != regions[i-1] {
			out = append(out, r)
		}
	}
	return out
}
