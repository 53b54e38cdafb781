package connectome

import (
	"math"

	"gonum.org/v1/gonum/graph"
)

// Graph is a read-only view of a connectome as a gonum graph
// ([graph.WeightedDirected]): node IDs are region indices, iteration is in
// order of index and therefore the same on every run. Self-edges, which many
// of gonum's algorithms do not expect, are hidden.
//
// The view shares the connectome's tracts and adds 12 bytes a tract for the
// way back from targets to sources.
type Graph struct {
	out, in CSR
}

var (
	_ graph.WeightedDirected = (*Graph)(nil)
	_ graph.NodeSlicer       = (*nodes)(nil)
)

// Graph returns the view. It stays valid while the tracts do not change.
func (c *Connectome) Graph() *Graph {
	in := c.Tracts
	in.Length = nil
	return &Graph{out: c.Tracts, in: in.Transpose()}
}

type node int64

func (n node) ID() int64 { return int64(n) }

// WeightedEdge is the edge type of [Graph].
type WeightedEdge struct {
	from, to node
	// W is the tract's weight, L its length in mm (NaN when unknown).
	W, L float64
}

// From returns the source region.
func (e WeightedEdge) From() graph.Node { return e.from }

// To returns the target region.
func (e WeightedEdge) To() graph.Node { return e.to }

// Weight returns the tract's weight.
func (e WeightedEdge) Weight() float64 { return e.W }

// ReversedEdge returns the edge with its ends exchanged.
func (e WeightedEdge) ReversedEdge() graph.Edge { return WeightedEdge{e.to, e.from, e.W, e.L} }

// Node returns region id, or nil when there is none.
func (g *Graph) Node(id int64) graph.Node {
	if !g.has(id) {
		return nil
	}
	return node(id)
}

func (g *Graph) has(id int64) bool { return id >= 0 && id < int64(g.out.Regions()) }

// Nodes returns all regions.
func (g *Graph) Nodes() graph.Nodes {
	if g.out.Regions() == 0 {
		return graph.Empty
	}
	return &nodes{all: g.out.Regions(), skip: -1, at: -1}
}

// From returns the targets of region id's tracts.
func (g *Graph) From(id int64) graph.Nodes { return g.neighbours(g.out, id) }

// To returns the sources of the tracts that reach region id.
func (g *Graph) To(id int64) graph.Nodes { return g.neighbours(g.in, id) }

func (g *Graph) neighbours(m CSR, id int64) graph.Nodes {
	if !g.has(id) {
		return graph.Empty
	}
	lo, hi := m.Row(int(id))
	n := &nodes{list: m.Target[lo:hi], skip: -1, at: -1}
	if k, ok := m.Find(int(id), int(id)); ok {
		n.skip = k - lo
	}
	if n.Len() == 0 {
		return graph.Empty
	}
	return n
}

// HasEdgeBetween says whether there is a tract between x and y either way.
func (g *Graph) HasEdgeBetween(x, y int64) bool {
	return g.HasEdgeFromTo(x, y) || g.HasEdgeFromTo(y, x)
}

// HasEdgeFromTo says whether there is a tract from u to v.
func (g *Graph) HasEdgeFromTo(u, v int64) bool {
	if !g.has(u) || !g.has(v) || u == v {
		return false
	}
	_, ok := g.out.Find(int(u), int(v))
	return ok
}

// Edge returns the tract from u to v, or nil.
func (g *Graph) Edge(u, v int64) graph.Edge {
	if e := g.WeightedEdge(u, v); e != nil {
		return e
	}
	return nil
}

// WeightedEdge returns the tract from u to v, or nil.
func (g *Graph) WeightedEdge(u, v int64) graph.WeightedEdge {
	if !g.has(u) || !g.has(v) || u == v {
		return nil
	}
	k, ok := g.out.Find(int(u), int(v))
	if !ok {
		return nil
	}
	return WeightedEdge{node(u), node(v), g.out.Weight[k], g.out.LengthAt(k)}
}

// Weight returns the weight of the tract from x to y; 0 and true for x = y
// as gonum's own graphs do; and +Inf and false where there is no tract, the
// value that gonum's graphs use for absent edges.
func (g *Graph) Weight(x, y int64) (w float64, ok bool) {
	if x == y && g.has(x) {
		return 0, true
	}
	if e := g.WeightedEdge(x, y); e != nil {
		return e.Weight(), true
	}
	return math.Inf(1), false
}

// nodes iterates over all of 0..all-1, or over list without position skip.
type nodes struct {
	all  int
	list []int32
	skip int
	at   int // position of the current node, -1 before the first
}

func (n *nodes) size() int {
	if n.list != nil {
		return len(n.list)
	}
	return n.all
}

// Next advances to the next node.
func (n *nodes) Next() bool {
	if n.at >= n.size() {
		return false
	}
	n.at++
	if n.at == n.skip {
		n.at++
	}
	return n.at < n.size()
}

// Len returns the number of nodes still to come.
func (n *nodes) Len() int {
	left := n.size() - n.at - 1
	if n.skip > n.at {
		left--
	}
	return max(left, 0)
}

// Reset returns the iterator to its start.
func (n *nodes) Reset() { n.at = -1 }

// Node returns the current node.
func (n *nodes) Node() graph.Node {
	if n.at < 0 || n.at >= n.size() {
		return nil
	}
	if n.list != nil {
		return node(n.list[n.at])
	}
	return node(n.at)
}

// NodeSlice returns the nodes still to come and exhausts the iterator.
func (n *nodes) NodeSlice() []graph.Node {
	s := make([]graph.Node, 0, n.Len())
	for n.Next() {
		s = append(s, n.Node())
	}
	return s
}
