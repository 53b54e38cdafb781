package wiring

import "fmt"

// Validate reports sizes that no plan can have. 0 keeps the recipe's choice.
func (o BuildOptions) Validate() error {
	for _, n := range []struct {
		name      string
		v, lo, hi int
	}{
		{"width", o.Width, 0, maxWidth}, {"rank", o.Rank, 0, maxRank}, {"neighbours", o.Neighbours, -1, maxNeighbours},
	} {
		if n.v < n.lo || n.v > n.hi {
			return fmt.Errorf("%s is %d, want %d to %d", n.name, n.v, n.lo, n.hi)
		}
	}
	return nil
}

// maxNeighbours is more than any region has.
const maxNeighbours = 1 << 24

// maxParameters bounds what a plan may learn: 4 GiB, as much as is read back.
const maxParameters = maxTensors / 4

// CheckMemory refuses sizes whose parameters would not fit, before they are
// made.
func (p *Plan) CheckMemory() error {
	n := 0
	for _, t := range p.Layout() {
		n += t.Len()
	}
	if n > maxParameters {
		return fmt.Errorf("%d regions and %d tracts of width %d and rank %d have %.1f billion parameters, more than the %.1f billion that a plan may have: choose a smaller width or rank, or fewer neighbours",
			len(p.Regions), len(p.Tracts), p.Width, p.Rank, float64(n)/1e9, float64(maxParameters)/1e9)
	}
	return nil
}
