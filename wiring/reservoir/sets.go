package reservoir

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/wiring"
)

// Select returns the labels of a set of a connectome's regions, for
// [Options.Enter] and [Options.Read]; nil, which there means all, for "" or "all".
// A set is
//
//	hemisphere=left     lobe=occipital     role=primary visual
//	random=0.2          a share of the regions, drawn by the seed
//	A,B,C               regions by their labels
//
// What no region belongs to is an error that lists what there is.
func Select(c *connectome.Connectome, set string, seed uint64) ([]string, error) {
	kind, value, ok := strings.Cut(set, "=")
	names := c.Names()
	if set == "" || set == "all" {
		return nil, nil
	}
	if !ok {
		labels := strings.Split(set, ",")
		for _, l := range labels {
			if !slices.Contains(names, l) {
				return nil, fmt.Errorf("set %q: the connectome has no region %q", set, l)
			}
		}
		return labels, nil
	}
	var labels []string
	by := func(of func(r *connectome.Region) string) error {
		var there []string
		for i := range c.Regions {
			v := of(&c.Regions[i])
			if strings.EqualFold(v, value) {
				labels = append(labels, names[i])
			}
			if v != "" && !slices.Contains(there, v) {
				there = append(there, v)
			}
		}
		if len(labels) == 0 {
			return fmt.Errorf("set %q: no region is of it; there are %s", set, strings.Join(there, ", "))
		}
		return nil
	}
	switch kind {
	case "hemisphere":
		err := by(func(r *connectome.Region) string { return r.Hemisphere.String() })
		return labels, err
	case "lobe":
		err := by(func(r *connectome.Region) string { return r.Lobe })
		return labels, err
	case "role":
		role, err := atlas.Lookup(value)
		if err != nil {
			return nil, fmt.Errorf("set %q: %w", set, err)
		}
		for _, i := range atlas.RegionsWithRole(c, role) {
			labels = append(labels, names[i])
		}
		if len(labels) == 0 {
			return nil, fmt.Errorf("set %q: no region of the connectome has this role", set)
		}
		return labels, nil
	case "random":
		share, err := strconv.ParseFloat(value, 64)
		if err != nil || !(share > 0 && share <= 1) {
			return nil, fmt.Errorf("set %q: want a share above 0, up to 1", set)
		}
		n := max(int(math.Round(share*float64(len(names)))), 1)
		for _, i := range wiring.Stream(seed, "set").Perm(len(names))[:n] {
			labels = append(labels, names[i])
		}
		return labels, nil
	}
	return nil, fmt.Errorf("set %q: want all, hemisphere=, lobe=, role=, random= or labels with commas between them", set)
}
