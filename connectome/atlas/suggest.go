package atlas

import "github.com/connectomewire/wire/internal/edit"

// closest returns the entry whose name is nearest to the label, and whether
// it is near enough to be worth suggesting: at most a third of its letters
// differ.
func closest(label string, atlases []*Atlas) (string, bool) {
	best, bestDistance, bestLength := "", 1<<30, 0
	for _, r := range readings(label) {
		key := squash(r.name)
		if len(key) < 3 || len(key) > 64 {
			continue
		}
		for _, a := range atlases {
			for _, p := range a.parcels {
				if d := edit.Distance(key, squash(p.name)); d < bestDistance {
					side := r.side
					if p.midline {
						side = 0
					}
					best, bestDistance, bestLength = canonicalName(side, p.name), d, len(key)
				}
			}
		}
	}
	return best, best != "" && bestDistance <= max(1, bestLength/3)
}
