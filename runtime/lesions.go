package runtime

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/wiring"
)

// Lesion adds lesions by name: a region's label, a tract's two, FROM:TO, or a
// part's name. A name that the plan lacks is an error.
func (c *Config) Lesion(p *wiring.Plan, names []string) error {
	for _, name := range names {
		from, to, isTract := strings.Cut(name, ":")
		if !isTract {
			j, err := p.Index(name)
			if i := p.Part(name); err != nil && i >= 0 {
				c.LesionParts = append(c.LesionParts, i)
				continue
			}
			if err != nil {
				return err
			}
			c.LesionRegions = append(c.LesionRegions, j)
			continue
		}
		i, err := p.Index(from)
		if err != nil {
			return err
		}
		j, err := p.Index(to)
		if err != nil {
			return err
		}
		k := slices.IndexFunc(p.Tracts, func(t wiring.Tract) bool { return t.From == i && t.To == j })
		if k < 0 {
			return fmt.Errorf("plan %q has no tract from %s to %s", p.Name, from, to)
		}
		c.LesionTracts = append(c.LesionTracts, k)
	}
	return nil
}
