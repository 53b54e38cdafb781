package graphs

import (
	"math"
	"sort"

	"github.com/connectomewire/wire/connectome"
)

// place is where a region lies and how it is labelled.
type place struct {
	at     point
	radius float64
	// outward is the direction labels and chips run to: -1 left, +1 right.
	outward float64
	// label is where the label begins; labels nearer the middle of the page
	// than their region are centred there.
	label    point
	labelled bool
	centred  bool
	leader   bool // a thin line joins region and label
}

// placing is the outcome of a layout.
type placing struct {
	places   []place
	ribbons  []ribbon
	captions []text
	// bundle returns the control points of a tract.
	bundle func(from, to int) []point
}

// ribbon is a soft band behind the regions of one group.
type ribbon struct {
	group string
	path  []point
	width float64
}

const (
	rowGap     = 15.0 // points between neighbouring labels
	chipGap    = 32.0 // the same where a module's chips are drawn
	groupGap   = 9.0
	labelSize  = 10.5
	labelClear = 11.5 // labels closer than this would overlap
)

// lay places the regions.
func (d *Diagram) lay(pal palette) placing {
	switch d.Layout {
	case Axial:
		return d.layAxial()
	case Sagittal:
		return d.laySagittal()
	default:
		return d.layLobes(pal)
	}
}

// radius of a region's disc.
func (d *Diagram) radius(i int, crowd float64) float64 {
	if d.Nodes[i].Module != "" {
		return 9.5
	}
	r := 4.6 * crowd
	if d.Flow != nil && d.Flow.Nodes != nil {
		r = (3 + 4.5*math.Sqrt(unit(d.Flow.Nodes[i], d.Flow.Nodes))) * crowd
	}
	return r
}

// unit scales x by the largest of all.
func unit(x float64, all []float64) float64 {
	var top float64
	for _, v := range all {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			top = max(top, v)
		}
	}
	if top == 0 || math.IsNaN(x) || x < 0 {
		return 0
	}
	return min(x/top, 1)
}

// portsByNode counts the chips beside each region.
func (d *Diagram) portsByNode() map[int]int {
	chips := map[int]int{}
	for i, n := range d.Nodes {
		if n.Module != "" {
			chips[i] = 1
		}
	}
	count := map[int]int{}
	for _, s := range d.Senses {
		count[s.Node]++
	}
	for _, e := range d.Effectors {
		count[e.Node]++
	}
	for _, p := range d.Parts {
		count[p.Node]++
	}
	for i, c := range count {
		chips[i] = max(chips[i], c)
	}
	// Twins keep the same row, so one makes room for the other.
	twin := map[string]int{}
	for i, c := range chips {
		twin[d.Nodes[i].Short] = max(twin[d.Nodes[i].Short], c)
	}
	for i, n := range d.Nodes {
		if c := twin[n.Short]; c > 0 {
			chips[i] = c
		}
	}
	return chips
}

// thin drops labels that would overlap: regions with modules keep theirs,
// then those with the strongest tracts.
func (d *Diagram) thin(places []place) {
	strength := make([]float64, len(d.Nodes))
	for k, e := range d.Edges {
		w := math.Abs(e.Weight)
		if d.Flow != nil {
			w = d.Flow.Edges[k]
		}
		strength[e.From] += w
		strength[e.To] += w
	}
	order := make([]int, 0, len(places))
	for i := range places {
		if places[i].labelled && !places[i].centred {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool {
		i, j := order[a], order[b]
		if (d.Nodes[i].Module != "") != (d.Nodes[j].Module != "") {
			return d.Nodes[i].Module != ""
		}
		return strength[i] > strength[j]
	})
	taken := map[float64][]float64{}
	for _, i := range order {
		p := &places[i]
		for _, y := range taken[p.outward] {
			if math.Abs(y-p.label.y) < labelClear {
				p.labelled = false
				break
			}
		}
		if p.labelled {
			taken[p.outward] = append(taken[p.outward], p.label.y)
		}
	}
}

// lengthen extends a band beyond its first and last region.
func lengthen(band []point, by float64) []point {
	n := len(band)
	if n == 1 {
		p := band[0]
		return []point{{p.x, p.y - by}, {p.x, p.y + by}}
	}
	first := band[0].minus(band[1])
	last := band[n-1].minus(band[n-2])
	out := append([]point{band[0].plus(first.times(by / math.Max(1, math.Hypot(first.x, first.y))))}, band...)
	return append(out, band[n-1].plus(last.times(by/math.Max(1, math.Hypot(last.x, last.y)))))
}

// hierarchy bundles tracts along region – lobe – hemisphere.
func (d *Diagram) hierarchy(places []place, wide float64) func(from, to int) []point {
	type key struct {
		group string
		side  float64
	}
	sum := map[key]point{}
	count := map[key]float64{}
	keyOf := func(i int) key { return key{d.Nodes[i].Group, places[i].outward} }
	for i := range places {
		k := keyOf(i)
		sum[k] = sum[k].plus(places[i].at)
		count[k]++
	}
	hub := func(i int) point {
		k := keyOf(i)
		mean := sum[k].times(1 / count[k])
		if inner(k.group) {
			return point{mean.x * 1.5, mean.y}
		}
		return point{mean.x * 0.66, mean.y * 0.72}
	}
	hemi := func(i int) point { return point{places[i].outward * wide * 0.36, 0} }
	return func(from, to int) []point {
		a, b := places[from].at, places[to].at
		switch {
		case keyOf(from) == keyOf(to):
			return straighten([]point{a, hub(from), b}, 0.55)
		case places[from].outward == places[to].outward:
			h := hub(from).toward(hub(to), 0.5).toward(hemi(from), 0.5)
			return straighten([]point{a, hub(from), h, hub(to), b}, 0.80)
		default:
			return straighten([]point{a, hub(from), hub(from).toward(hub(to), 0.5).times(0.55), hub(to), b}, 0.82)
		}
	}
}

// layAxial places regions at their coordinates seen from above.
func (d *Diagram) layAxial() placing {
	pl := placing{places: make([]place, len(d.Nodes))}
	scale := d.scale(func(v Node) point { return point{v.Position[0], -v.Position[1]} }, 620, 760)
	all := make([]int, len(d.Nodes))
	for i, v := range d.Nodes {
		all[i] = i
		pl.places[i].at = scale(point{v.Position[0], -v.Position[1]})
		pl.places[i].radius = d.radius(i, d.crowd())
	}
	d.labelColumns(&pl, all)
	if lo, _ := extent(pl.places, all); twoSided(d.hemispheres()) {
		pl.captions = append(pl.captions,
			text{at: point{-12, lo.y - 34}, align: endsAt, size: 11, color: soft, s: "left hemisphere"},
			text{at: point{12, lo.y - 34}, align: startsAt, size: 11, color: soft, s: "right hemisphere"})
	}
	pl.bundle = d.bow(pl.places, point{})
	return pl
}

// laySagittal places regions at their coordinates, both hemispheres seen from
// outside: the front of the left one points left, of the right one right. What
// has no two halves is seen from the left.
func (d *Diagram) laySagittal() placing {
	pl := placing{places: make([]place, len(d.Nodes))}
	flat := func(v Node) point { return point{-v.Position[1], -v.Position[2]} }
	scale := d.scale(flat, 500, 440)
	sides := d.hemispheres()
	if !twoSided(sides) { // one view of everything
		all := make([]int, len(d.Nodes))
		for i, v := range d.Nodes {
			all[i] = i
			pl.places[i].at, pl.places[i].radius = scale(flat(v)), d.radius(i, d.crowd())
		}
		d.labelColumns(&pl, all)
		pl.bundle = d.bow(pl.places, point{})
		return pl
	}
	const apart = 425.0
	var left, right []int
	for i, v := range d.Nodes {
		p := &pl.places[i]
		p.radius = d.radius(i, d.crowd())
		q := scale(flat(v))
		if sides[i] == connectome.Right || (sides[i] != connectome.Left && v.Position[0] > 0) {
			p.at = point{apart - q.x, q.y}
			right = append(right, i)
		} else {
			p.at = point{-apart + q.x, q.y}
			left = append(left, i)
		}
	}
	d.labelColumns(&pl, left)
	d.labelColumns(&pl, right)
	_, hi := extent(pl.places, append(append([]int(nil), left...), right...))
	pl.captions = append(pl.captions,
		text{at: point{-apart, hi.y + 40}, align: centredAt, size: 11, color: soft, s: "left hemisphere, from the left"},
		text{at: point{apart, hi.y + 40}, align: centredAt, size: 11, color: soft, s: "right hemisphere, from the right"})
	bow := d.bow(pl.places, point{})
	pl.bundle = func(from, to int) []point {
		a, b := pl.places[from].at, pl.places[to].at
		if (a.x < 0) != (b.x < 0) {
			// Commissures pass over the top.
			lift := point{(a.x + b.x) / 2, min(a.y, b.y) - 40 - 0.10*math.Abs(a.x-b.x)}
			return []point{a, a.toward(lift, 0.55), lift, b.toward(lift, 0.55), b}
		}
		return bow(from, to)
	}
	return pl
}

func (d *Diagram) crowd() float64 {
	return math.Max(0.3, math.Min(1, math.Sqrt(160/float64(len(d.Nodes)))))
}

// scale fits the flattened coordinates into a box around the origin.
func (d *Diagram) scale(flat func(Node) point, w, h float64) func(point) point {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, v := range d.Nodes {
		p := flat(v)
		lo = point{min(lo.x, p.x), min(lo.y, p.y)}
		hi = point{max(hi.x, p.x), max(hi.y, p.y)}
	}
	s := math.Min(w/math.Max(hi.x-lo.x, 1e-9), h/math.Max(hi.y-lo.y, 1e-9))
	mid := lo.toward(hi, 0.5)
	if d.Layout == Axial && twoSided(d.hemispheres()) {
		mid.x = 0 // keep the midline in the middle
	}
	return func(p point) point { return p.minus(mid).times(s) }
}

func extent(places []place, of []int) (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, i := range of {
		p := places[i]
		lo = point{min(lo.x, p.at.x-p.radius), min(lo.y, p.at.y-p.radius)}
		hi = point{max(hi.x, p.at.x+p.radius), max(hi.y, p.at.y+p.radius)}
	}
	return lo, hi
}

// labelColumns writes the labels of some regions in two columns beside them,
// joined by thin lines that do not cross.
func (d *Diagram) labelColumns(pl *placing, of []int) {
	if len(of) == 0 {
		return
	}
	lo, hi := extent(pl.places, of)
	ports := d.portsByNode()
	byX := append([]int(nil), of...)
	sort.SliceStable(byX, func(a, b int) bool { return pl.places[byX[a]].at.x < pl.places[byX[b]].at.x })
	half := len(byX) / 2
	column := func(members []int, sign, x float64) {
		sort.SliceStable(members, func(a, b int) bool { return pl.places[members[a]].at.y < pl.places[members[b]].at.y })
		var height float64
		for k := 1; k < len(members); k++ {
			height += d.rowStepPlain(members[k-1], members[k], ports)
		}
		labels := height <= 1.9*(hi.y-lo.y)+200
		wish := make([]float64, len(members))
		gaps := make([]float64, len(members))
		for k, i := range members {
			wish[k] = pl.places[i].at.y
			if k > 0 {
				gaps[k] = d.rowStepPlain(members[k-1], i, ports)
			}
		}
		ys := spread(wish, gaps)
		for k, i := range members {
			p := &pl.places[i]
			p.outward = sign
			p.label = point{x, ys[k]}
			p.labelled = labels || d.Nodes[i].Module != ""
			p.leader = true
		}
	}
	column(append([]int(nil), byX[:half]...), -1, lo.x-46)
	column(append([]int(nil), byX[half:]...), +1, hi.x+46)
}

func (d *Diagram) rowStepPlain(a, b int, ports map[int]int) float64 {
	step := 12.5
	if ports[a] > 0 || ports[b] > 0 {
		rows := float64(max(ports[a], 1)+max(ports[b], 1)) / 2
		step = max(step, 9+chipGap/2*rows)
	}
	return step
}

// spread moves sorted wishes apart by at least the given gaps (gaps[k] lies
// before element k) with the least squared movement: isotonic regression by
// pooling adjacent violators.
func spread(wish, gaps []float64) []float64 {
	type block struct {
		mean float64
		n    int
	}
	offset := make([]float64, len(wish))
	var blocks []block
	for k := range wish {
		if k > 0 {
			offset[k] = offset[k-1] + gaps[k]
		}
		blocks = append(blocks, block{wish[k] - offset[k], 1})
		for len(blocks) > 1 && blocks[len(blocks)-2].mean > blocks[len(blocks)-1].mean {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			n := a.n + b.n
			blocks = append(blocks[:len(blocks)-2], block{(a.mean*float64(a.n) + b.mean*float64(b.n)) / float64(n), n})
		}
	}
	out := make([]float64, 0, len(wish))
	for _, b := range blocks {
		for range b.n {
			out = append(out, b.mean+offset[len(out)])
		}
	}
	return out
}

// bow bends tracts gently toward the centre.
func (d *Diagram) bow(places []place, center point) func(from, to int) []point {
	return func(from, to int) []point {
		a, b := places[from].at, places[to].at
		return []point{a, a.toward(b, 0.5).toward(center, 0.22), b}
	}
}
