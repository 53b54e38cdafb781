package transform

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// Align returns c with its regions in the order of like's, joined by label
// (or by canonical name where labels differ). Both must have the same regions.
// With byIndex nothing is joined: the regions must only be as many, and the
// caller vouches for their order.
func Align(c, like *connectome.Connectome, byIndex bool) (*connectome.Connectome, error) {
	if len(c.Regions) != len(like.Regions) {
		return nil, fmt.Errorf("%q has %d regions, %q has %d", c.Name, len(c.Regions), like.Name, len(like.Regions))
	}
	if byIndex {
		out := c.Clone()
		out.History = append(out.History, fmt.Sprintf("joined to %q by index, as asked: the order of regions is not proven", like.Name))
		return out, nil
	}
	regions := make([]int, len(like.Regions))
	taken := make([]bool, len(c.Regions))
	for i := range like.Regions {
		r := &like.Regions[i]
		at, err := c.Index(r.Label)
		if err != nil && r.Canonical != "" {
			at, err = c.Index(r.Canonical)
		}
		if err != nil || r.Label == "" {
			return nil, fmt.Errorf("%q cannot be joined to %q by label: region %s has no counterpart; label the regions, or join by index if their order is known to agree", c.Name, like.Name, like.Title(i))
		}
		if taken[at] {
			return nil, fmt.Errorf("%q cannot be joined to %q by label: two regions match %q", c.Name, like.Name, c.Regions[at].Label)
		}
		taken[at] = true
		regions[i] = at
	}
	return subset(c, regions, fmt.Sprintf("joined to %q by label", like.Name)), nil
}

// ConsensusOptions configures [Consensus]. The zero value is the default.
type ConsensusOptions struct {
	// Bins is the number of distance bins; 0 means 20.
	Bins int
	// ByIndex joins subjects by the order of their regions instead of by
	// label.
	ByIndex bool
}

// Consensus makes one connectome of several subjects' such that its tracts
// have the distances of a typical subject's: Betzel, Griffa, Hagmann & Mišić
// (2019), Netw Neurosci 3:475. A plain majority vote would lose the long
// tracts, which differ more between subjects.
//
// Within each bin of distance between region centres, separately within and
// between hemispheres, it keeps as many tracts as subjects have there on
// average: those that most subjects have, the stronger first among equals.
// Weights and lengths are means over the subjects that have the tract.
//
// Every region needs a position in the first subject. Where hemispheres are
// unknown all tracts count as within one. Self-loops are left out.
func Consensus(subjects []*connectome.Connectome, o ConsensusOptions) (*connectome.Connectome, error) {
	if len(subjects) < 2 {
		return nil, fmt.Errorf("consensus of %d subjects: want at least 2", len(subjects))
	}
	if o.Bins == 0 {
		o.Bins = 20
	}
	if o.Bins < 1 || o.Bins > 10000 {
		return nil, fmt.Errorf("consensus: %d distance bins; want 1 to 10,000", o.Bins)
	}
	first := subjects[0]
	for i := range first.Regions {
		if !first.Regions[i].Located {
			return nil, fmt.Errorf("consensus: region %s of %q has no position; distance bins need positions in mm", first.Title(i), first.Name)
		}
	}
	type candidate struct {
		from, to       int
		subjects       int
		weight, length float64 // sums
		lengths        int
		class, bin     int
	}
	found := map[[2]int]*candidate{}
	var all []*candidate
	directed := false
	for _, s := range subjects {
		directed = directed || s.Directed
	}
	for _, s := range subjects {
		aligned, err := Align(s, first, o.ByIndex)
		if err != nil {
			return nil, fmt.Errorf("consensus: %w", err)
		}
		for t := range aligned.Tracts.All() {
			if t.From == t.To || !directed && t.From > t.To {
				continue
			}
			key := [2]int{t.From, t.To}
			k := found[key]
			if k == nil {
				k = &candidate{from: t.From, to: t.To}
				found[key] = k
				all = append(all, k)
			}
			k.subjects++
			k.weight += t.Weight
			if !math.IsNaN(t.Length) {
				k.length += t.Length
				k.lengths++
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("consensus: no subject has a tract")
	}
	nearest, furthest := math.Inf(1), 0.0
	for _, k := range all {
		d := straight(first, k.from, k.to)
		nearest, furthest = min(nearest, d), max(furthest, d)
	}
	for _, k := range all {
		a, b := first.Regions[k.from].Hemisphere, first.Regions[k.to].Hemisphere
		if a != b {
			k.class = 1
		}
		if furthest > nearest {
			k.bin = min(o.Bins-1, int(float64(o.Bins)*(straight(first, k.from, k.to)-nearest)/(furthest-nearest)))
		}
	}
	slices.SortFunc(all, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.bin, b.bin), cmp.Compare(b.subjects, a.subjects),
			cmp.Compare(math.Abs(b.weight)/float64(b.subjects), math.Abs(a.weight)/float64(a.subjects)),
			cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var tracts []connectome.Tract
	for lo := 0; lo < len(all); {
		hi, total := lo, 0
		for hi < len(all) && all[hi].class == all[lo].class && all[hi].bin == all[lo].bin {
			total += all[hi].subjects
			hi++
		}
		wanted := int(math.Round(float64(total) / float64(len(subjects))))
		for _, k := range all[lo : lo+wanted] {
			t := connectome.Tract{From: k.from, To: k.to, Weight: k.weight / float64(k.subjects), Length: math.NaN()}
			if k.lengths > 0 {
				t.Length = k.length / float64(k.lengths)
			}
			tracts = append(tracts, t)
			if !directed {
				t.From, t.To = t.To, t.From
				tracts = append(tracts, t)
			}
		}
		lo = hi
	}
	m, err := connectome.FromTracts(len(first.Regions), tracts)
	if err != nil {
		return nil, err
	}
	out := derive(first, m, "distance-dependent consensus of %d subjects, %d bins: kept %d of %d tracts that any subject has", len(subjects), o.Bins, len(tracts)/(1+one(!directed)), len(all))
	out.Name = "consensus"
	out.Directed = directed
	for _, s := range subjects {
		out.Synthetic = out.Synthetic || s.Synthetic
	}
	return out, nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// straight is the distance of two regions' centres in mm.
func straight(c *connectome.Connectome, i, j int) float64 {
	a, b := c.Regions[i].Position, c.Regions[j].Position
	return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
}
