package graphs

import "github.com/connectomewire/wire/connectome"

// LocateBy gives regions without a position, but of a name that another
// connectome locates, the position there, and says so in the subtitle: for
// drawing only.
func (d *Diagram) LocateBy(typical *connectome.Connectome) {
	positions := map[string][3]float64{}
	for _, r := range typical.Regions {
		positions[r.Canonical] = r.Position
	}
	added := false
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if p, ok := positions[n.Label]; ok && !n.Located {
			n.Position, n.Located, added = p, true, true
		}
	}
	if added {
		d.Subtitle += " · positions: typical centroids"
	}
}
