package transform

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
)

// subset keeps the given regions, in the given order, and the tracts between
// them.
func subset(c *connectome.Connectome, regions []int, what string) *connectome.Connectome {
	place := make([]int, len(c.Regions))
	for i := range place {
		place[i] = -1
	}
	for at, i := range regions {
		place[i] = at
	}
	var b connectome.Builder
	for t := range c.Tracts.All() {
		if place[t.From] >= 0 && place[t.To] >= 0 {
			b.Add(place[t.From], place[t.To], t.Weight, t.Length)
		}
	}
	m, _ := b.Build(len(regions), connectome.SumParallel)
	out := derive(c, m, "%s: kept %d of %d regions", what, len(regions), len(c.Regions))
	kept := make([]connectome.Region, len(regions))
	for at, i := range regions {
		kept[at] = out.Regions[i]
	}
	out.Regions = kept
	return out
}

// where keeps the regions that f accepts; no region is an error that lists
// what there is.
func where(c *connectome.Connectome, what string, value func(r *connectome.Region) string, wanted string) (*connectome.Connectome, error) {
	var regions []int
	var seen []string
	for i := range c.Regions {
		v := value(&c.Regions[i])
		if strings.EqualFold(v, wanted) {
			regions = append(regions, i)
		}
		if v == "" {
			v = "(none)"
		}
		if !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	if len(regions) == 0 {
		slices.Sort(seen)
		return nil, fmt.Errorf("no region of %q has %s %q; there are: %s", c.Name, what, wanted, strings.Join(seen, ", "))
	}
	return subset(c, regions, what+" "+wanted), nil
}

// Hemisphere keeps the regions of one side: "left", "right", "midline" or
// "unknown".
func Hemisphere(c *connectome.Connectome, side string) (*connectome.Connectome, error) {
	return where(c, "hemisphere", func(r *connectome.Region) string { return r.Hemisphere.String() }, side)
}

// Lobe keeps the regions of a lobe, as an atlas or the file names it.
func Lobe(c *connectome.Connectome, lobe string) (*connectome.Connectome, error) {
	return where(c, "lobe", func(r *connectome.Region) string { return r.Lobe }, lobe)
}

// System keeps the regions of a functional system.
func System(c *connectome.Connectome, system string) (*connectome.Connectome, error) {
	return where(c, "system", func(r *connectome.Region) string { return r.System }, system)
}

// Only keeps the named regions, by label or canonical name, in the order of
// the names: so it also reorders. Every name must be found, once.
func Only(c *connectome.Connectome, names []string) (*connectome.Connectome, error) {
	var regions []int
	for _, name := range names {
		i, err := c.Index(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(regions, i) {
			return nil, fmt.Errorf("region %q is listed twice", name)
		}
		regions = append(regions, i)
	}
	if len(regions) == 0 {
		return nil, fmt.Errorf("no regions are listed")
	}
	return subset(c, regions, "list of regions"), nil
}

// Without drops the named regions, by label or canonical name.
func Without(c *connectome.Connectome, names []string) (*connectome.Connectome, error) {
	drop := make([]bool, len(c.Regions))
	for _, name := range names {
		i, err := c.Index(name)
		if err != nil {
			return nil, err
		}
		drop[i] = true
	}
	var regions []int
	for i := range c.Regions {
		if !drop[i] {
			regions = append(regions, i)
		}
	}
	return subset(c, regions, "without "+strings.Join(names, ", ")), nil
}

// Aggregate says how [Coarsen] joins the tracts between two groups.
type Aggregate string

// The ways to join: the sum of weights is right for streamline counts, the
// mean over all pairs of regions for densities, correlations and logarithms.
const (
	Total   Aggregate = "sum"
	Average Aggregate = "mean"
)

// Coarsen merges the regions of every group into one. groups names each
// region's group; regions with an empty name are left out. Groups come in the
// order of their first regions, named by the group; their position is the mean
// of their regions', the length of a merged tract the mean of the known
// lengths weighted by |weight|, and hemisphere, lobe and system stay where all
// regions of the group agree. Tracts within a group become self-loops with
// loops, and are dropped without.
func Coarsen(c *connectome.Connectome, groups []string, how Aggregate, loops bool) (*connectome.Connectome, error) {
	if len(groups) != len(c.Regions) {
		return nil, fmt.Errorf("coarsen: %d group names for %d regions", len(groups), len(c.Regions))
	}
	if how != Total && how != Average {
		return nil, fmt.Errorf("coarsen by %q: want sum or mean", how)
	}
	number := map[string]int{}
	var members [][]int
	group := make([]int, len(groups))
	dropped := 0
	for i, name := range groups {
		if name == "" {
			group[i] = -1
			dropped++
			continue
		}
		if _, known := number[name]; !known {
			number[name] = len(members)
			members = append(members, nil)
		}
		group[i] = number[name]
		members[group[i]] = append(members[group[i]], i)
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("coarsen: no region of %q belongs to a group; is its atlas recognised?", c.Name)
	}
	type sums struct{ weight, length, share float64 }
	merged := map[[2]int]*sums{}
	var order [][2]int
	for t := range c.Tracts.All() {
		a, b := group[t.From], group[t.To]
		if a < 0 || b < 0 || a == b && !loops {
			continue
		}
		key := [2]int{a, b}
		s := merged[key]
		if s == nil {
			s = &sums{}
			merged[key] = s
			order = append(order, key)
		}
		s.weight += t.Weight
		if !math.IsNaN(t.Length) {
			s.length += t.Length * math.Abs(t.Weight)
			s.share += math.Abs(t.Weight)
		}
	}
	var tracts []connectome.Tract
	for _, key := range order {
		s := merged[key]
		t := connectome.Tract{From: key[0], To: key[1], Weight: s.weight, Length: math.NaN()}
		if s.share > 0 {
			t.Length = s.length / s.share
		}
		if how == Average {
			pairs := len(members[key[0]]) * len(members[key[1]])
			if key[0] == key[1] {
				pairs = max(1, len(members[key[0]])*(len(members[key[0]])-1))
			}
			t.Weight /= float64(pairs)
		}
		if !c.Directed { // equal up to the order of adding; take one direction's
			if key[0] > key[1] {
				continue
			}
			if key[0] < key[1] {
				mirrored := t
				mirrored.From, mirrored.To = t.To, t.From
				tracts = append(tracts, mirrored)
			}
		}
		tracts = append(tracts, t)
	}
	m, err := connectome.FromTracts(len(members), tracts)
	if err != nil {
		return nil, err
	}
	out := derive(c, m, "coarsen by %s: %d regions into %d groups, %d left out", how, len(c.Regions)-dropped, len(members), dropped)
	out.Regions = make([]connectome.Region, len(members))
	for g, list := range members {
		out.Regions[g] = mergeRegions(c, list, groups[list[0]])
	}
	return out, nil
}

func mergeRegions(c *connectome.Connectome, list []int, name string) connectome.Region {
	first := c.Regions[list[0]]
	r := connectome.Region{Label: name, Hemisphere: first.Hemisphere, Lobe: first.Lobe, System: first.System, Located: true}
	if len(list) == 1 && first.Canonical == name {
		r.Canonical = first.Canonical
		r.Roles = slices.Clone(first.Roles)
	}
	for _, i := range list {
		own := &c.Regions[i]
		if own.Hemisphere != r.Hemisphere {
			r.Hemisphere = connectome.UnknownHemisphere
		}
		if own.Lobe != r.Lobe {
			r.Lobe = ""
		}
		if own.System != r.System {
			r.System = ""
		}
		r.Located = r.Located && own.Located
		for axis := range 3 {
			r.Position[axis] += own.Position[axis] / float64(len(list))
		}
	}
	if !r.Located {
		r.Position = [3]float64{}
	}
	return r
}

// CoarsenBy is [Coarsen] with the groups of an annotated connectome: "lobe",
// "system" or "hemisphere" (joined to the side, as in "lh-frontal", for the
// first two), or "desikan", the nearest Desikan–Killiany region of any other
// atlas that [atlas.Annotate] knows.
func CoarsenBy(c *connectome.Connectome, by string, how Aggregate, loops bool) (*connectome.Connectome, error) {
	groups := make([]string, len(c.Regions))
	var crosswalk []string
	if by == "desikan" {
		crosswalk = atlas.Crosswalk(c)
	}
	for i := range c.Regions {
		r := &c.Regions[i]
		name := ""
		switch by {
		case "lobe":
			name = strings.ReplaceAll(r.Lobe, " ", "-")
		case "system":
			name = strings.ReplaceAll(r.System, " ", "-")
		case "hemisphere":
			name = r.Hemisphere.String()
		case "desikan":
			name = crosswalk[i]
		default:
			return nil, fmt.Errorf("coarsen by %q: want lobe, system, hemisphere or desikan", by)
		}
		if name != "" && by != "hemisphere" && by != "desikan" {
			switch r.Hemisphere {
			case connectome.Left:
				name = "lh-" + name
			case connectome.Right:
				name = "rh-" + name
			}
		}
		groups[i] = name
	}
	out, err := Coarsen(c, groups, how, loops)
	if err != nil {
		return nil, err
	}
	out.History[len(out.History)-1] = "by " + by + ", " + out.History[len(out.History)-1]
	if by == "desikan" {
		atlas.Annotate(out)
	}
	return out, nil
}

// MergeHemispheres joins every region with its counterpart on the other side,
// found by canonical name; the tract between the two is dropped, and regions
// without a counterpart stay as they are. It needs an annotated connectome.
func MergeHemispheres(c *connectome.Connectome, how Aggregate) (*connectome.Connectome, error) {
	groups := make([]string, len(c.Regions))
	merged := 0
	seen := map[string]bool{}
	for i := range c.Regions {
		r := &c.Regions[i]
		name := r.Canonical
		switch {
		case name == "":
			name = r.Label
		case r.Hemisphere == connectome.Left:
			name = strings.TrimPrefix(name, "lh-")
		case r.Hemisphere == connectome.Right:
			name = strings.TrimPrefix(name, "rh-")
		}
		if seen[name] {
			merged++
		}
		seen[name] = true
		groups[i] = name
	}
	if merged == 0 {
		return nil, fmt.Errorf("merge hemispheres: no region of %q has a counterpart; its atlas must be recognised", c.Name)
	}
	out, err := Coarsen(c, groups, how, false)
	if err != nil {
		return nil, err
	}
	for i := range out.Regions {
		if out.Regions[i].Located {
			out.Regions[i].Position[0] = 0
			x, n := 0.0, 0.0
			for j := range c.Regions {
				if groups[j] == out.Regions[i].Label {
					x += math.Abs(c.Regions[j].Position[0])
					n++
				}
			}
			out.Regions[i].Position[0] = x / n
		}
	}
	out.History[len(out.History)-1] = fmt.Sprintf("merge hemispheres by %s: %d regions into %d", how, len(c.Regions), len(out.Regions))
	return out, nil
}
