package runtime

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
)

// FindLesions turns names into the indices that [Config] takes: a region's
// label, or a tract's two, FROM:TO. A name that the plan lacks is an error.
func FindLesions(p *wiring.Plan, labels []string) (regions, tracts []int, err error) {
	for _, label := range labels {
		from, to, isTract := strings.Cut(label, ":")
		if !isTract {
			j, err := p.Index(label)
			if err != nil {
				return nil, nil, err
			}
			regions = append(regions, j)
			continue
		}
		i, err := p.Index(from)
		if err != nil {
			return nil, nil, err
		}
		j, err := p.Index(to)
		if err != nil {
			return nil, nil, err
		}
		k := slices.IndexFunc(p.Tracts, func(t wiring.Tract) bool { return t.From == i && t.To == j })
		if k < 0 {
			return nil, nil, fmt.Errorf("plan %q has no tract from %s to %s", p.Name, from, to)
		}
		tracts = append(tracts, k)
	}
	return regions, tracts, nil
}
