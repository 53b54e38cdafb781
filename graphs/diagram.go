package graphs

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/wiring"
)

// Layout names a way of placing regions on the page.
type Layout string

// The layouts; see the package comment.
const (
	Lobes    Layout = "lobes"
	Axial    Layout = "axial"
	Sagittal Layout = "sagittal"
)

// Layouts lists the layouts, the default first.
func Layouts() []Layout { return []Layout{Lobes, Axial, Sagittal} }

// Diagram is what is to be drawn.
type Diagram struct {
	Title    string
	Subtitle string
	Nodes    []Node
	Edges    []Edge
	// Senses and Effectors are drawn as chips outside their region.
	Senses    []Port
	Effectors []Port
	// Parts are modules inside regions.
	Parts []Part
	// Flow, when not nil, colours tracts by what they carried.
	Flow *Flow
	// Directed draws arrowheads and keeps both directions of a pair apart;
	// otherwise a tract and its reverse are one line.
	Directed bool
	// Layout defaults to Lobes.
	Layout Layout
	// MaxEdges bounds the tracts drawn, strongest first; 0 means 4000. The
	// legend says how many were left out.
	MaxEdges int
}

// Node is a region.
type Node struct {
	Label      string
	Short      string // label without the hemisphere's prefix
	Hemisphere connectome.Hemisphere
	Group      string // lobe, or another grouping
	Position   [3]float64
	Located    bool
	Module     string // what fills the region, "" for a relay
}

// Edge is a tract between two nodes, by index.
type Edge struct {
	From, To int
	Weight   float64
}

// Port is a sense or an effector with the module that serves it.
type Port struct {
	Name   string // "image", "sound", "caption"
	Module string
	Port   string // "embedding", "grid", …
	Node   int
	// Echo marks what the plan itself said and hears again.
	Echo bool
}

// Part is a module that reads the region Node and joins the region Into; where
// these differ, an arrow leads from one to the other.
type Part struct {
	Name, Module string
	Node, Into   int
}

// Flow is what an episode sent through a plan's tracts.
type Flow struct {
	// Edges holds one value ≥ 0 for each of the diagram's edges, in any unit.
	Edges []float64
	// Nodes holds one value ≥ 0 a node, or is nil.
	Nodes []float64
	// Unit says what the values are, for the legend.
	Unit string
	// Said is the caption that was spoken, drawn at the effector.
	Said string
	// Top is how many of the strongest tracts stand out; 0 means 24.
	Top int
}

// FromConnectome makes the diagram of a connectome.
func FromConnectome(c *connectome.Connectome) *Diagram {
	d := &Diagram{Title: c.Name, Directed: c.Directed}
	for _, r := range c.Regions {
		label := r.Label
		if r.Canonical != "" {
			label = r.Canonical
		}
		group := r.Lobe
		if group == "" {
			group = r.System
		}
		d.Nodes = append(d.Nodes, Node{
			Label: label, Short: shortLabel(label), Hemisphere: r.Hemisphere, Group: group,
			Position: r.Position, Located: r.Located,
		})
	}
	for i := range c.Regions {
		lo, hi := c.Tracts.Row(i)
		for k := lo; k < hi; k++ {
			d.Edges = append(d.Edges, Edge{From: i, To: int(c.Tracts.Target[k]), Weight: c.Tracts.Weight[k]})
		}
	}
	tract := "undirected tract"
	if c.Directed {
		tract = "directed tract"
	}
	facts := []string{counted(len(c.Regions), "region"), counted(c.TractCount(), tract)}
	if c.Synthetic {
		facts = append(facts, "synthetic: made by a rule, not measured")
	}
	if c.License != "" {
		facts = append(facts, c.License)
	}
	d.Subtitle = strings.Join(facts, " · ")
	return d
}

// FromPlan makes the diagram of a plan. Edge k is the plan's tract k.
func FromPlan(p *wiring.Plan) *Diagram {
	d := &Diagram{Title: p.Name}
	for _, r := range p.Regions {
		label := r.Label
		if r.Canonical != "" {
			label = r.Canonical
		}
		d.Nodes = append(d.Nodes, Node{
			Label: label, Short: shortLabel(label), Hemisphere: hemisphere(r.Hemisphere), Group: r.Lobe,
			Position: r.Position, Located: r.Located, Module: r.Slot,
		})
	}
	for _, t := range p.Tracts {
		d.Edges = append(d.Edges, Edge{From: t.From, To: t.To, Weight: t.Weight})
	}
	// What is everywhere is said once, and not drawn at every region.
	everywhere := func(regions []int) bool { return len(regions) > 1 && len(regions) == len(p.Regions) }
	var said []string
	for _, s := range p.Senses {
		if everywhere(s.Regions) {
			said = append(said, s.Name+" enters every region")
			continue
		}
		for _, at := range s.Regions {
			d.Senses = append(d.Senses, Port{Name: s.Name, Module: s.Module, Port: s.Port, Node: at})
		}
	}
	for _, e := range p.Effectors {
		regions := e.Regions
		if everywhere(regions) {
			said, regions = append(said, e.Name+" reads every region"), nil
		}
		for _, j := range regions {
			d.Effectors = append(d.Effectors, Port{Name: e.Name, Module: e.Module, Node: j})
		}
		for _, j := range e.Feedback {
			d.Senses = append(d.Senses, Port{Name: "own " + e.Name, Node: j, Echo: true})
		}
	}
	for _, x := range p.Parts {
		d.Parts = append(d.Parts, Part{Name: x.Name, Module: x.Module, Node: x.Region, Into: x.Into})
	}
	facts := []string{counted(len(p.Regions), "region"), counted(len(p.Tracts), "tract"),
		fmt.Sprintf("width %d, rank %d", p.Width, p.Rank)}
	if p.Provenance.Connectome != "" {
		from := "connectome " + p.Provenance.Connectome
		if p.Provenance.Synthetic {
			from += " (synthetic: made by a rule, not measured)"
		}
		facts = append(facts, from)
	}
	d.Subtitle = strings.Join(append(facts, said...), " · ")
	return d
}

// Validate reports what keeps the diagram from being drawn.
func (d *Diagram) Validate() error {
	if len(d.Nodes) == 0 {
		return fmt.Errorf("draw %q: there are no regions to draw", d.Title)
	}
	for k, e := range d.Edges {
		if e.From < 0 || e.From >= len(d.Nodes) || e.To < 0 || e.To >= len(d.Nodes) {
			return fmt.Errorf("draw %q: tract %d joins regions %d and %d of %d", d.Title, k, e.From, e.To, len(d.Nodes))
		}
	}
	for _, p := range append(append([]Port(nil), d.Senses...), d.Effectors...) {
		if p.Node < 0 || p.Node >= len(d.Nodes) {
			return fmt.Errorf("draw %q: %q is at region %d of %d", d.Title, p.Name, p.Node, len(d.Nodes))
		}
	}
	for _, p := range d.Parts {
		if p.Node < 0 || p.Node >= len(d.Nodes) || p.Into < 0 || p.Into >= len(d.Nodes) {
			return fmt.Errorf("draw %q: part %q is at region %d and joins region %d of %d", d.Title, p.Name, p.Node, p.Into, len(d.Nodes))
		}
	}
	if d.Flow != nil {
		if len(d.Flow.Edges) != len(d.Edges) {
			return fmt.Errorf("draw %q: the flow has %d values for %d tracts", d.Title, len(d.Flow.Edges), len(d.Edges))
		}
		if d.Flow.Nodes != nil && len(d.Flow.Nodes) != len(d.Nodes) {
			return fmt.Errorf("draw %q: the flow has %d values for %d regions", d.Title, len(d.Flow.Nodes), len(d.Nodes))
		}
	}
	switch d.Layout {
	case "", Lobes:
	case Axial, Sagittal:
		for _, n := range d.Nodes {
			if !n.Located {
				return fmt.Errorf("draw %q: layout %s needs coordinates, region %q has none; use layout %s",
					d.Title, d.Layout, n.Label, Lobes)
			}
		}
	default:
		return fmt.Errorf("draw %q: there is no layout %q; choose one of %v", d.Title, d.Layout, Layouts())
	}
	return nil
}

// line is a drawn tract: one edge, or an edge and its reverse.
type line struct {
	from, to int
	weight   float64 // 0..1 of the drawing's strongest
	flow     float64 // 0..1 of the drawing's strongest
	arrow    bool
}

// lines merges, ranks and thins the edges. It returns the lines to draw, the
// weakest first, and how many were left out.
func (d *Diagram) lines() (drawn []line, dropped int) {
	type pair struct{ a, b int }
	at := make(map[pair]int)
	var all []line
	for k, e := range d.Edges {
		if e.From == e.To {
			continue
		}
		w := math.Abs(e.Weight)
		if math.IsNaN(w) || math.IsInf(w, 0) {
			w = 0
		}
		var f float64
		if d.Flow != nil {
			f = d.Flow.Edges[k]
			if math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
				f = 0
			}
		}
		key := pair{e.From, e.To}
		if !d.Directed && d.Flow == nil && e.From > e.To {
			key = pair{e.To, e.From}
		}
		if i, ok := at[key]; ok {
			all[i].weight = max(all[i].weight, w)
			all[i].flow = max(all[i].flow, f)
			continue
		}
		at[key] = len(all)
		all = append(all, line{from: key.a, to: key.b, weight: w, flow: f, arrow: d.Directed})
	}
	var maxWeight, maxFlow float64
	for _, l := range all {
		maxWeight, maxFlow = max(maxWeight, l.weight), max(maxFlow, l.flow)
	}
	if maxWeight > 0 {
		// Streamline counts span orders of magnitude: rank them on a log scale
		// unless the file already did.
		unit := 0.0
		if typical := medianWeight(all); maxWeight > 50 {
			unit = 1
		} else if maxWeight > 10*typical {
			unit = typical
		}
		for i := range all {
			if unit > 0 {
				all[i].weight = math.Log1p(all[i].weight/unit) / math.Log1p(maxWeight/unit)
			} else {
				all[i].weight /= maxWeight
			}
		}
	}
	if maxFlow > 0 {
		for i := range all {
			all[i].flow /= maxFlow
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].flow != all[j].flow {
			return all[i].flow < all[j].flow
		}
		return all[i].weight < all[j].weight
	})
	most := d.MaxEdges
	if most == 0 {
		most = 4000
	}
	if len(all) > most {
		dropped = len(all) - most
		all = all[dropped:]
	}
	return all, dropped
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}

// thousands writes 12345 as "12,345".
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func hemisphere(s string) connectome.Hemisphere {
	for _, h := range []connectome.Hemisphere{connectome.Left, connectome.Right, connectome.Midline} {
		if s == h.String() {
			return h
		}
	}
	return connectome.UnknownHemisphere
}

// shortLabel drops the part of a label that names the hemisphere.
func shortLabel(label string) string {
	for _, prefix := range []string{"ctx-lh-", "ctx-rh-", "lh-", "rh-", "lh.", "rh.", "lh_", "rh_", "L_", "R_", "l.", "r.",
		"Left-", "Right-", "left-", "right-", "7Networks_LH_", "7Networks_RH_"} {
		if rest, ok := strings.CutPrefix(label, prefix); ok && rest != "" {
			return rest
		}
	}
	return label
}

// medianWeight is the median of the weights that are not 0.
func medianWeight(lines []line) float64 {
	var w []float64
	for _, l := range lines {
		if l.weight > 0 {
			w = append(w, l.weight)
		}
	}
	if len(w) == 0 {
		return 0
	}
	slices.Sort(w)
	return w[len(w)/2]
}
