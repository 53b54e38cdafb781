package connectome_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/testgraph"
	"gonum.org/v1/gonum/graph/topo"
)

// The gonum view passes gonum's own suite for read-only graphs.
func TestGraphPassesGonumsSuite(t *testing.T) {
	builder := func(nodes []graph.Node, edges []testgraph.WeightedLine, _, absent float64) (graph.Graph, []graph.Node, []testgraph.Edge, float64, float64, bool) {
		if !math.IsInf(absent, 1) {
			return nil, nil, nil, 0, 0, false
		}
		at := map[int64]int{}
		ids := make([]int64, 0, len(nodes))
		for _, n := range nodes {
			ids = append(ids, n.ID())
		}
		for _, e := range edges {
			ids = append(ids, e.From().ID(), e.To().ID())
		}
		for _, id := range ids { // IDs of the view are region indices
			if _, ok := at[id]; !ok {
				at[id] = len(at)
			}
		}
		var tracts []connectome.Tract
		seen := map[[2]int]bool{}
		for _, e := range edges {
			i, j := at[e.From().ID()], at[e.To().ID()]
			if i == j || seen[[2]int{i, j}] || e.Weight() == 0 {
				return nil, nil, nil, 0, 0, false
			}
			seen[[2]int{i, j}] = true
			tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: e.Weight(), Length: math.NaN()})
		}
		m, err := connectome.FromTracts(len(at), tracts)
		if err != nil {
			t.Fatal(err)
		}
		c := &connectome.Connectome{Directed: true, Regions: make([]connectome.Region, len(at)), Tracts: m}
		g := c.Graph()
		var gotNodes []graph.Node
		for i := range at {
			gotNodes = append(gotNodes, g.Node(int64(at[i])))
		}
		var gotEdges []testgraph.Edge
		for _, tr := range tracts {
			gotEdges = append(gotEdges, g.WeightedEdge(int64(tr.From), int64(tr.To)))
		}
		return g, gotNodes, gotEdges, 0, math.Inf(1), true
	}
	t.Run("EdgeExistence", func(t *testing.T) { testgraph.EdgeExistence(t, builder, reversesEdge) })
	t.Run("NodeExistence", func(t *testing.T) { testgraph.NodeExistence(t, builder) })
	t.Run("ReturnAdjacentNodes", func(t *testing.T) { testgraph.ReturnAdjacentNodes(t, builder, true, reversesEdge) })
	t.Run("ReturnAllNodes", func(t *testing.T) { testgraph.ReturnAllNodes(t, builder, true) })
	t.Run("ReturnNodeSlice", func(t *testing.T) { testgraph.ReturnNodeSlice(t, builder, true) })
	t.Run("Weight", func(t *testing.T) { testgraph.Weight(t, builder) })
}

const reversesEdge = true

func TestGraphHidesSelfLoopsAndKeepsOrder(t *testing.T) {
	m, err := connectome.FromDense([][]float64{{5, 1, 0, 2}, {0, 0, 3, 0}, {0, 0, 4, 0}, {6, 0, 0, 0}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Directed: true, Regions: make([]connectome.Region, 4), Tracts: m}
	g := c.Graph()
	for _, x := range []struct {
		nodes graph.Nodes
		want  []int64
	}{
		{g.Nodes(), []int64{0, 1, 2, 3}},
		{g.From(0), []int64{1, 3}},
		{g.From(2), nil},
		{g.To(2), []int64{1}},
		{g.To(0), []int64{3}},
		{g.From(9), nil},
	} {
		n := x.nodes.Len()
		var got []int64
		for x.nodes.Next() {
			got = append(got, x.nodes.Node().ID())
		}
		if !slices.Equal(got, x.want) || n != len(x.want) {
			t.Errorf("%v (length %d), want %v", got, n, x.want)
		}
	}
	if w, ok := g.Weight(0, 0); w != 0 || !ok {
		t.Errorf("weight of a self-loop %v, %v", w, ok)
	}
	if g.HasEdgeFromTo(0, 0) || g.Edge(0, 0) != nil || g.HasEdgeFromTo(2, 1) || !g.HasEdgeBetween(2, 1) {
		t.Error("edges are wrong")
	}
	if sccs := topo.TarjanSCC(g); len(sccs) != 3 {
		t.Errorf("%d strong components, want 3", len(sccs))
	}
}

func TestTransposeAndFilter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		n := 1 + rng.IntN(20)
		var tracts []connectome.Tract
		for range rng.IntN(60) {
			tracts = append(tracts, connectome.Tract{From: rng.IntN(n), To: rng.IntN(n), Weight: 1 + rng.Float64(), Length: rng.Float64()})
		}
		m, err := connectome.FromTracts(n, tracts)
		if err != nil {
			t.Fatal(err)
		}
		tr := m.Transpose()
		if err := tr.Validate(); err != nil {
			t.Fatal(err)
		}
		for x := range m.All() {
			k, ok := tr.Find(x.To, x.From)
			if !ok || tr.Weight[k] != x.Weight || tr.LengthAt(k) != x.Length {
				t.Fatalf("tract %+v is lost", x)
			}
		}
		off := m.Filter(func(t connectome.Tract) bool { return t.From != t.To })
		if err := off.Validate(); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if off.At(i, i) != 0 {
				t.Fatal("the diagonal is still there")
			}
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	c := &connectome.Connectome{Regions: []connectome.Region{
		{Label: "insula", Hemisphere: connectome.Left}, {Label: "insula", Hemisphere: connectome.Right},
		{}, {Label: "3"}, {Label: "x"}, {Label: "x"}, {Label: "y", Canonical: "x"},
	}}
	want := []string{"lh-insula", "rh-insula", "3", "3#2", "x", "x#2", "x#3"}
	if got := c.Names(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
