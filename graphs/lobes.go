package graphs

import (
	"math"
	"slices"
	"sort"

	"github.com/connectomewire/wire/connectome"
)

// layLobes draws the brain from above: two rows of regions along its outline,
// nuclei inside.
func (d *Diagram) layLobes(pal palette) placing {
	pl := placing{places: make([]place, len(d.Nodes))}
	sides := d.hemispheres()
	left, right, inside := d.deal(d.frontToBack(pal), sides)
	if left == nil && right == nil {
		return d.layRing(d.frontToBack(pal))
	}

	crowded := max(len(left), len(right))
	gap := rowGap
	if crowded > 70 {
		gap = max(1050/float64(crowded), 0.8)
	}
	crowd := math.Max(0.25, math.Min(1, gap/9))
	ports := d.portsByNode()
	rows := [2]row{
		{of: left, sign: -1, steps: d.rowSteps(left, gap, ports)},
		{of: right, sign: +1, steps: d.rowSteps(right, gap, ports)},
	}
	tall := max(rows[0].height(), rows[1].height(), 560)
	wide := tall * 0.40
	for _, r := range rows {
		d.layRow(&pl, r, tall, wide, crowd)
	}
	d.layNuclei(&pl, inside, sides, crowd)

	y := -tall/2 - 26
	if len(left) > 0 {
		pl.captions = append(pl.captions, text{at: point{-60, y}, align: endsAt, size: 11, color: soft, s: "left hemisphere"})
	}
	if len(right) > 0 {
		pl.captions = append(pl.captions, text{at: point{60, y}, align: startsAt, size: 11, color: soft, s: "right hemisphere"})
	}
	d.thin(pl.places)
	pl.bundle = d.hierarchy(pl.places, wide)
	return pl
}

// hemispheres says on which side each region lies: as the connectome says, or
// where it says it of none, by coordinates that are those of a brain in mm. All
// are unknown for animals and networks that have no two halves.
func (d *Diagram) hemispheres() []connectome.Hemisphere {
	sides := make([]connectome.Hemisphere, len(d.Nodes))
	known, located, left, right := 0, 0, 0, 0
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, v := range d.Nodes {
		sides[i] = v.Hemisphere
		if v.Hemisphere == connectome.Left || v.Hemisphere == connectome.Right {
			known++
		}
		if v.Located {
			located++
			lo, hi = min(lo, v.Position[0]), max(hi, v.Position[0])
			switch {
			case v.Position[0] < 0:
				left++
			case v.Position[0] > 0:
				right++
			}
		}
	}
	const broad = 30 // mm between the outermost regions
	brain := located == len(d.Nodes) && hi-lo >= broad && 4*min(left, right) >= located
	for i, v := range d.Nodes {
		switch {
		case 2*known >= len(d.Nodes):
		case known > 0 || !brain:
			sides[i] = connectome.UnknownHemisphere
		case v.Hemisphere != connectome.UnknownHemisphere:
		case v.Position[0] < 0:
			sides[i] = connectome.Left
		case v.Position[0] > 0:
			sides[i] = connectome.Right
		}
	}
	return sides
}

// twoSided says whether any region lies on a side.
func twoSided(sides []connectome.Hemisphere) bool {
	return slices.Contains(sides, connectome.Left) || slices.Contains(sides, connectome.Right)
}

// layRing draws regions that lie on no side around a ring.
func (d *Diagram) layRing(order []int) placing {
	pl := placing{places: make([]place, len(d.Nodes))}
	n := len(order)
	gap := rowGap
	if n > 140 {
		gap = max(2100/float64(n), 0.8)
	}
	crowd := math.Max(0.25, math.Min(1, gap/9))
	ports := d.portsByNode()
	var around float64 // along the ring to each region, and once around
	at := make([]float64, n)
	for k := range order {
		at[k] = around
		around += d.rowStep(order[k], order[(k+1)%n], gap, ports)
	}
	radius := max(around/(2*math.Pi), 280)
	if n == 1 {
		radius = 0
	}
	var band []point
	for k, i := range order {
		turn := 2 * math.Pi * at[k] / around
		out := point{math.Sin(turn), -math.Cos(turn)}
		p := &pl.places[i]
		p.at = out.times(radius)
		p.radius = d.radius(i, crowd)
		if p.outward = 1; out.x < -1e-9 {
			p.outward = -1
		}
		p.label = out.times(radius + max(p.radius, 6) + 6)
		p.labelled = true
		band = append(band, p.at)
		if k+1 == n || d.Nodes[order[k+1]].Group != d.Nodes[i].Group {
			if len(band) == n && n > 2 {
				band = append(band, band[0]) // one group closes the ring
			} else {
				band = lengthen(band, 6)
			}
			pl.ribbons = append(pl.ribbons, ribbon{group: d.Nodes[i].Group, path: band, width: 17 * math.Max(crowd, 0.5)})
			band = nil
		}
	}
	d.thin(pl.places)
	pl.bundle = func(from, to int) []point {
		a, b := pl.places[from].at, pl.places[to].at
		return straighten([]point{a, a.toward(point{}, 0.6), b.toward(point{}, 0.6), b}, 0.85)
	}
	return pl
}

// frontToBack sorts the regions by group, then from front to back. Twins share
// a row, so rows are sorted by what both have in common.
func (d *Diagram) frontToBack(pal palette) []int {
	front := map[string][2]float64{} // short label → sum of y, count
	for _, v := range d.Nodes {
		if v.Located {
			f := front[v.Short]
			front[v.Short] = [2]float64{f[0] + v.Position[1], f[1] + 1}
		}
	}
	mean := func(v Node) float64 {
		f := front[v.Short]
		if f[1] == 0 {
			return 0
		}
		return f[0] / f[1]
	}
	order := make([]int, len(d.Nodes))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := d.Nodes[order[a]], d.Nodes[order[b]]
		if pal.rank[x.Group] != pal.rank[y.Group] {
			return pal.rank[x.Group] < pal.rank[y.Group]
		}
		if mean(x) != mean(y) {
			return mean(x) > mean(y)
		}
		return x.Short < y.Short
	})
	return order
}

// deal deals the regions out to the two rows of the outline and to the inside,
// where nuclei lie and what lies on no side. There are no rows where nothing
// lies on a side.
func (d *Diagram) deal(order []int, sides []connectome.Hemisphere) (left, right, inside []int) {
	if !twoSided(sides) {
		return nil, nil, nil
	}
	outline := false // something but nuclei
	for i, side := range sides {
		outline = outline || !inner(d.Nodes[i].Group) && (side == connectome.Left || side == connectome.Right)
	}
	for _, i := range order {
		switch side := sides[i]; {
		case outline && inner(d.Nodes[i].Group), side == connectome.Midline, side == connectome.UnknownHemisphere:
			inside = append(inside, i)
		case side == connectome.Left:
			left = append(left, i)
		default:
			right = append(right, i)
		}
	}
	return left, right, inside
}

// row is one side of the outline.
type row struct {
	of    []int
	sign  float64   // -1 left, +1 right
	steps []float64 // from the region before; 0 for the first
}

func (r row) height() float64 {
	h := 0.0
	for _, s := range r.steps {
		h += s
	}
	return h
}

// rowSteps returns each region's distance from the one before.
func (d *Diagram) rowSteps(rows []int, gap float64, ports map[int]int) []float64 {
	steps := make([]float64, len(rows))
	for k := 1; k < len(rows); k++ {
		steps[k] = d.rowStep(rows[k-1], rows[k], gap, ports)
	}
	return steps
}

// outline is half the breadth at height y of a brain that is so tall and wide.
func outline(y, tall, wide float64) float64 {
	t := math.Min(1, math.Abs(y)/(tall/2)) * 0.985
	// Broadest behind the middle, narrower in front.
	breadth := wide
	if y < 0 {
		breadth *= 1 - 0.10*t
	}
	return 30 + (breadth-30)*math.Pow(1-math.Pow(t, 2.6), 1/2.0)
}

// layRow places one side of the outline, with a ribbon behind each group.
func (d *Diagram) layRow(pl *placing, r row, tall, wide, crowd float64) {
	used := r.height()
	scale := 1.0
	if used > 0 && used < tall {
		scale = tall / used
	}
	y := -tall / 2
	if used == 0 {
		y = 0
	}
	var band []point
	for k, i := range r.of {
		y += scale * r.steps[k]
		p := &pl.places[i]
		p.at = point{r.sign * outline(y, tall, wide), y}
		p.radius = d.radius(i, crowd)
		p.outward = r.sign
		p.label = point{p.at.x + r.sign*(max(p.radius, 6)+6), y}
		p.labelled = true
		band = append(band, p.at)
		if k+1 == len(r.of) || d.Nodes[r.of[k+1]].Group != d.Nodes[i].Group {
			pl.ribbons = append(pl.ribbons, ribbon{group: d.Nodes[i].Group, path: lengthen(band, 6), width: 17 * math.Max(crowd, 0.5)})
			band = nil
		}
	}
}

// layNuclei places what lies inside: twins face each other across the
// midline, their name between.
func (d *Diagram) layNuclei(pl *placing, inside []int, sides []connectome.Hemisphere, crowd float64) {
	rows := map[string]int{}
	var names []string
	for _, i := range inside {
		if _, ok := rows[d.Nodes[i].Short]; !ok {
			rows[d.Nodes[i].Short] = len(names)
			names = append(names, d.Nodes[i].Short)
		}
	}
	step := 30.0
	if len(names) > 12 {
		step = max(360/float64(len(names)), 3)
	}
	top := -step * float64(len(names)-1) / 2
	named := map[string]bool{}
	columns := map[float64][]point{}
	for _, i := range inside {
		v := d.Nodes[i]
		y := top + step*float64(rows[v.Short])
		sign := 0.0
		switch sides[i] {
		case connectome.Left:
			sign = -1
		case connectome.Right:
			sign = 1
		}
		p := &pl.places[i]
		t := y / (step*float64(len(names)) + 1)
		p.at = point{sign * (68 - 26*t*t*4), y}
		p.radius = d.radius(i, math.Max(crowd, 0.5)) * 1.15
		p.outward = sign
		p.centred = true
		p.label = point{0, y}
		if sign == 0 {
			p.label.y = y + p.radius + 8
		}
		p.labelled = !named[v.Short] && step > labelClear
		named[v.Short] = true
		if sign != 0 {
			columns[sign] = append(columns[sign], p.at)
		}
	}
	for _, sign := range []float64{-1, 1} {
		if len(columns[sign]) > 1 {
			group := "subcortical"
			pl.ribbons = append(pl.ribbons, ribbon{group: group, path: lengthen(columns[sign], 8), width: 18})
		}
	}
}

// rowStep is the distance between two neighbours on the outline.
func (d *Diagram) rowStep(a, b int, gap float64, ports map[int]int) float64 {
	step := gap
	if ports[a] > 0 || ports[b] > 0 {
		rows := float64(max(ports[a], 1)+max(ports[b], 1)) / 2
		step = max(step, 9+chipGap/2*rows)
	}
	if d.Nodes[a].Group != d.Nodes[b].Group {
		step += math.Min(groupGap, gap)
	}
	return step
}
