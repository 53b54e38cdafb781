package onnxfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// Bodies returns the subgraphs of a node, by attribute name.
func (n *Node) Bodies() []*Graph {
	var gs []*Graph
	for _, name := range sortedNames(n.Attrs) {
		a := n.Attrs[name]
		if a.G != nil {
			gs = append(gs, a.G)
		}
		gs = append(gs, a.Graphs...)
	}
	return gs
}

// Reads returns the names of the values a node needs: its inputs and what its
// subgraphs capture.
func (n *Node) Reads() []string {
	var names []string
	for _, in := range n.Inputs {
		if in != "" {
			names = append(names, in)
		}
	}
	for _, g := range n.Bodies() {
		names = append(names, g.Captures...)
	}
	return names
}

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// check verifies that every value is defined once and that what is read
// exists, finds captures and sorts the nodes.
func check(g *Graph, inner bool) error {
	const given = -1
	defined := map[string]int{} // node that produces it, or given
	for _, v := range g.Inputs {
		if v.Name == "" {
			return errors.New("an input has no name")
		}
		if _, twice := defined[v.Name]; twice {
			return fmt.Errorf("input %q is there twice", v.Name)
		}
		defined[v.Name] = given
	}
	for _, t := range g.Initializers {
		defined[t.Name] = given
	}
	for i, n := range g.Nodes {
		for _, o := range n.Outputs {
			if o == "" {
				continue
			}
			if _, twice := defined[o]; twice {
				return fmt.Errorf("value %q is defined twice, the second time by %v", o, n)
			}
			defined[o] = i
		}
	}
	order := simple.NewDirectedGraph()
	for i := range g.Nodes {
		order.AddNode(simple.Node(i))
	}
	missing := map[string]bool{}
	for i, n := range g.Nodes {
		for _, name := range n.Reads() {
			p, ok := defined[name]
			switch {
			case !ok && inner:
				missing[name] = true
			case !ok:
				return fmt.Errorf("%v reads %q, which no input, initializer or node gives", n, name)
			case p == i:
				return fmt.Errorf("%v reads its own output %q", n, name)
			case p != given:
				order.SetEdge(simple.Edge{F: simple.Node(p), T: simple.Node(i)})
			}
		}
	}
	for _, v := range g.Outputs {
		if _, ok := defined[v.Name]; !ok {
			if !inner {
				return fmt.Errorf("output %q is not computed by any node", v.Name)
			}
			missing[v.Name] = true
		}
	}
	g.Captures = sortedNames(missing)
	if !inner && len(g.Outputs) == 0 {
		return errors.New("has no outputs")
	}
	if sortedAlready(g.Nodes, defined) {
		return nil
	}
	sorted, err := topo.SortStabilized(order, func(ns []graph.Node) {
		slices.SortFunc(ns, func(a, b graph.Node) int { return int(a.ID() - b.ID()) })
	})
	if err != nil {
		return cycleError(g, err)
	}
	nodes := make([]*Node, len(sorted))
	for i, n := range sorted {
		nodes[i] = g.Nodes[n.ID()]
	}
	g.Nodes = nodes
	return nil
}

// sortedAlready reports whether every node comes after what it reads.
func sortedAlready(nodes []*Node, defined map[string]int) bool {
	for i, n := range nodes {
		for _, name := range n.Reads() {
			if p, ok := defined[name]; ok && p > i {
				return false
			}
		}
	}
	return true
}

func cycleError(g *Graph, err error) error {
	var cycles topo.Unorderable
	if !errors.As(err, &cycles) || len(cycles) == 0 {
		return err
	}
	var names []string
	for _, n := range cycles[0] {
		names = append(names, g.Nodes[n.ID()].String())
	}
	slices.Sort(names)
	if len(names) > 6 {
		names = append(names[:6], fmt.Sprintf("and %d more", len(names)-6))
	}
	return fmt.Errorf("the graph has a cycle through %s", strings.Join(names, ", "))
}
