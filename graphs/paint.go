package graphs

import (
	"fmt"
	"image/color"
	"math"
	"sort"
	"strings"
)

// scene draws the diagram on a page.
func (d *Diagram) scene() (*scene, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	pal := newPalette(d.Nodes)
	pl := d.lay(pal)
	s := &scene{title: d.Title, names: uniqueNames(d.Nodes)}

	for _, r := range pl.ribbons {
		s.curve(curve{path: through(r.path), width: r.width, color: alpha(pal.color[r.group], 0.16)})
	}
	lines, dropped := d.lines()
	d.paintTracts(s, pl, pal, lines)
	d.paintRegions(s, pl, pal)
	s.texts = append(s.texts, pl.captions...)
	d.paintPorts(s, pl)

	lo, hi := s.bounds()
	bottom := d.paintLegend(s, pal, lines, dropped, lo, hi)
	d.paintTitle(s, lo, hi)

	const margin = 30.0
	lo, hi = s.bounds()
	hi.y = max(hi.y, bottom)
	s.shift(point{margin - lo.x, margin - lo.y})
	s.w, s.h = hi.x-lo.x+2*margin, hi.y-lo.y+2*margin
	return s, nil
}

// uniqueNames are the regions' labels; repeated ones are numbered.
func uniqueNames(nodes []Node) []string {
	names := make([]string, len(nodes))
	seen := map[string]int{}
	for i, n := range nodes {
		names[i] = n.Label
		if seen[n.Label]++; seen[n.Label] > 1 {
			names[i] = fmt.Sprintf("%s#%d", n.Label, seen[n.Label])
		}
	}
	return names
}

func (d *Diagram) paintTracts(s *scene, pl placing, pal palette, lines []line) {
	top := 24
	if d.Flow != nil && d.Flow.Top > 0 {
		top = d.Flow.Top
	}
	// The more lines, the fainter each one.
	ease := math.Min(1, math.Sqrt(420/math.Max(float64(len(lines)), 1)))
	for k, l := range lines {
		path := spline(pl.bundle(l.from, l.to))
		c := curve{path: path, from: l.from + 1, to: l.to + 1}
		switch {
		case d.Flow == nil:
			a, b := pal.color[d.Nodes[l.from].Group], pal.color[d.Nodes[l.to].Group]
			strong := math.Pow(l.weight, 2.2)
			c.color = alpha(mix(a, b, 0.5), math.Max((0.10+0.50*strong)*ease, 0.03))
			c.width = (0.5 + 1.9*strong) * math.Max(ease, 0.4)
			if c.arrow = l.arrow && len(lines) < 400; c.arrow {
				c.path = cut(path, pl.places[l.to].radius+1.5)
			}
		case l.flow > 0 && k >= len(lines)-top:
			c.color = alpha(heat(l.flow), 0.55+0.40*l.flow)
			c.width = 1.2 + 4.6*l.flow
			c.arrow = true
			c.path = cut(path, pl.places[l.to].radius+2)
		default:
			c.color = alpha(mix(neutral, heat(0.1), l.flow), math.Max((0.10+0.35*l.flow)*ease, 0.03))
			c.width = 0.5 + 0.8*l.flow
		}
		s.curve(c)
	}
	for _, p := range d.Parts {
		if p.Node == p.Into {
			continue
		}
		path := cut(spline(pl.bundle(p.Node, p.Into)), pl.places[p.Into].radius+2)
		s.curve(curve{path: path, from: p.Node + 1, to: p.Into + 1, color: moduleColor, width: 2, arrow: true})
	}
}

// cut ends a path where it is the given distance from its last point, which
// makes room for an arrowhead or keeps it off a region's disc.
func cut(path []point, by float64) []point {
	end := path[len(path)-1]
	k := len(path) - 4 // the segment that crosses the distance
	for k > 0 && path[k].distance(end) < by {
		k -= 3
	}
	lo, hi := 0.0, 1.0
	for range 24 {
		t := (lo + hi) / 2
		if bezier(path[k:k+4], t).distance(end) > by {
			lo = t
		} else {
			hi = t
		}
	}
	// De Casteljau: the part of the segment before lo.
	a, b, c, d := path[k], path[k+1], path[k+2], path[k+3]
	ab, bc, cd := a.toward(b, lo), b.toward(c, lo), c.toward(d, lo)
	abc, bcd := ab.toward(bc, lo), bc.toward(cd, lo)
	return append(append([]point(nil), path[:k+1]...), ab, abc, abc.toward(bcd, lo))
}

// bezier returns the point at t in 0..1 of a cubic segment.
func bezier(p []point, t float64) point {
	ab, bc, cd := p[0].toward(p[1], t), p[1].toward(p[2], t), p[2].toward(p[3], t)
	return ab.toward(bc, t).toward(bc.toward(cd, t), t)
}

func (d *Diagram) paintRegions(s *scene, pl placing, pal palette) {
	for i, p := range pl.places {
		n := d.Nodes[i]
		fill := pal.color[n.Group]
		ring, ringWidth := color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}, math.Min(1.3, p.radius/3)
		if n.Module != "" {
			s.disc(disc{center: p.at, radius: p.radius + 4.2, fill: alpha(moduleColor, 0.16)})
			ring, ringWidth = moduleColor, 2.2
		}
		title := n.Label
		if n.Group != "" {
			title += " (" + n.Group + ")"
		}
		if n.Module != "" {
			title += ": " + n.Module
		}
		s.disc(disc{center: p.at, radius: p.radius, fill: fill, ring: ring, ringWidth: ringWidth, title: title, node: i + 1})
		if !p.labelled {
			continue
		}
		t := text{at: p.label, size: labelSize, color: ink, s: n.Short, align: startsAt}
		if n.Module != "" {
			t.bold = true
		}
		if p.outward < 0 {
			t.align = endsAt
		}
		if p.centred {
			t.align = centredAt
			t.size = 9.5
			s.box(box{center: p.label, w: textWidth(t.s, t.size, t.bold) + 9, h: 14, fill: alpha(paper, 0.88)})
		}
		if p.leader {
			from := point{p.at.x + p.outward*p.radius, p.at.y}
			to := point{p.label.x - p.outward*4, p.label.y}
			knee := point{to.x - p.outward*26, to.y}
			s.curves = append([]curve{{path: []point{from, from.toward(knee, 0.5), knee, to}, width: 0.5, color: alpha(soft, 0.45)}}, s.curves...)
		}
		s.text(t)
	}
}

// paintPorts draws what fills a region and what enters or leaves there:
// region ← module ← sense, region → module → effector.
func (d *Diagram) paintPorts(s *scene, pl placing) {
	type chip struct {
		name  string
		color color.NRGBA
		into  bool // the arrow points at the region
	}
	chains := make([][][]chip, len(d.Nodes))
	add := func(ports []Port, tint color.NRGBA, into bool) {
		for _, p := range ports {
			name := p.Name
			tint := tint
			if p.Echo {
				tint = effectorColor
			}
			if p.Port != "" && p.Port != "embedding" {
				name += " " + p.Port
			}
			if !into && d.Flow != nil && d.Flow.Said != "" {
				name = "“" + d.Flow.Said + "”"
			}
			chain := []chip{}
			if p.Module != "" {
				chain = append(chain, chip{p.Module, moduleColor, into})
			}
			chains[p.Node] = append(chains[p.Node], append(chain, chip{name, tint, into}))
		}
	}
	add(d.Senses, senseColor, true)
	add(d.Effectors, effectorColor, false)
	for _, p := range d.Parts {
		// It reads the region and joins it, or joins another by an arrow.
		chains[p.Node] = append(chains[p.Node], []chip{{p.Module + " (" + p.Name + ")", moduleColor, p.Node == p.Into}})
	}
	for i, n := range d.Nodes {
		if len(chains[i]) == 0 && n.Module != "" {
			chains[i] = [][]chip{{{n.Module, moduleColor, true}}}
		}
		p := pl.places[i]
		out := p.outward
		if out == 0 {
			out = 1
		}
		x := p.label.x
		if p.centred {
			x = p.at.x + out*(p.radius+4)
		} else if p.labelled {
			x += out * (textWidth(n.Short, labelSize, true) + 7)
		}
		draw := func(start point, y float64, c chip) point {
			const size, h, gap = 10.0, 18.0, 20.0
			w := textWidth(c.name, size, true) + 16
			a, b := start, point{start.x + out*gap, y}
			if c.into {
				a, b = b, a
			}
			mid := a.toward(b, 0.5)
			s.curve(curve{path: []point{a, {mid.x, a.y}, {mid.x, b.y}, b}, width: 1.4, color: alpha(c.color, 0.9), arrow: true})
			s.box(box{center: point{start.x + out*(gap+w/2), y}, w: w, h: h, fill: c.color})
			s.text(text{at: point{start.x + out*(gap+w/2), y}, align: centredAt, size: size, bold: true, color: paper, s: c.name})
			return point{start.x + out*(gap+w), y}
		}
		start := point{x, p.label.y}
		rows := chains[i]
		shared := len(rows) > 1 // one module behind several ports is one chip
		for _, chain := range rows {
			shared = shared && len(chain) == 2 && chain[0] == rows[0][0]
		}
		if shared {
			start = draw(start, start.y, rows[0][0])
		}
		for row, chain := range rows {
			y := p.label.y + chipGap*0.62*(float64(row)-float64(len(rows)-1)/2)
			at := start
			if shared {
				chain = chain[1:]
			}
			for _, c := range chain {
				at = draw(at, y, c)
			}
		}
	}
}

func (d *Diagram) paintTitle(s *scene, lo, hi point) {
	y := lo.y - 34
	if d.Subtitle != "" {
		s.text(text{at: point{lo.x, y}, size: 11, color: soft, s: d.Subtitle})
		y -= 24
	}
	s.text(text{at: point{lo.x, y}, size: 19, bold: true, color: ink, s: d.Title})
}

// paintLegend explains colours, widths and chips below the drawing, in as
// many rows as the width needs, and returns its lower edge.
func (d *Diagram) paintLegend(s *scene, pal palette, lines []line, dropped int, lo, hi point) float64 {
	const size, step = 10.0, 22.0
	x, y := lo.x, hi.y+44
	limit := math.Max(hi.x, lo.x+560)
	room := func(w float64) {
		if x > lo.x && x+w > limit {
			x, y = lo.x, y+step
		}
	}
	label := func(dx float64, t string) {
		s.text(text{at: point{x + dx, y}, size: size, color: ink, s: t})
		x += dx + textWidth(t, size, false) + 22
	}

	count := map[string]int{}
	for _, n := range d.Nodes {
		count[n.Group]++
	}
	order := append([]string(nil), pal.order...)
	if len(order) > 14 { // many functional systems: the largest suffice
		sort.SliceStable(order, func(a, b int) bool { return count[order[a]] > count[order[b]] })
		order = order[:14]
	}
	for _, g := range order {
		name := g
		if name == "" {
			name = "no lobe given"
		}
		room(textWidth(name, size, false) + 30)
		s.disc(disc{center: point{x + 5, y}, radius: 4.6, fill: pal.color[g], ring: color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}, ringWidth: 1})
		label(15, name)
	}
	x, y = lo.x, y+step

	if d.Flow == nil {
		room(150)
		for i, w := range []float64{0.15, 0.6, 1} {
			strong := math.Pow(w, 2.2)
			s.curve(curve{path: spline([]point{{x + 22*float64(i), y}, {x + 22*float64(i) + 17, y}}), width: 0.5 + 1.9*strong, color: alpha(neutral, 0.25+0.6*strong)})
		}
		label(72, "tract, by weight")
	} else {
		room(200)
		for i := range 24 {
			f := float64(i) / 23
			s.curve(curve{path: spline([]point{{x + 3*float64(i), y}, {x + 3*float64(i) + 3.2, y}}), width: 1.2 + 4.6*f, color: heat(f)})
		}
		what := d.Flow.Unit
		if what == "" {
			what = "flow"
		}
		label(82, fmt.Sprintf("%s, weak to strong", what))
		room(150)
		s.curve(curve{path: spline([]point{{x, y}, {x + 17, y}}), width: 0.7, color: alpha(neutral, 0.6)})
		label(24, "other tracts")
	}
	if len(d.Senses)+len(d.Effectors)+len(d.Parts) > 0 || len(d.portsByNode()) > 0 {
		for _, c := range []struct {
			name string
			c    color.NRGBA
			show bool
		}{{"sense", senseColor, len(d.Senses) > 0}, {"module (frozen)", moduleColor, true}, {"effector", effectorColor, len(d.Effectors) > 0}} {
			if !c.show {
				continue
			}
			room(textWidth(c.name, size, false) + 40)
			s.box(box{center: point{x + 9, y}, w: 18, h: 11, fill: c.c})
			label(24, c.name)
		}
	}
	var notes []string
	if dropped > 0 {
		notes = append(notes, fmt.Sprintf("the strongest %s of %s tracts are drawn", thousands(len(lines)), thousands(len(lines)+dropped)))
	}
	if !d.Directed && d.Flow == nil {
		notes = append(notes, "a tract and its reverse are one line")
	}
	if len(notes) > 0 {
		x, y = lo.x, y+step
		s.text(text{at: point{x, y}, size: size, color: soft, s: strings.Join(notes, "; ")})
	}
	return y + 8
}
