package onnxfile

import (
	"maps"
	"slices"
)

// Unfold is the graph with the then-branch of an If in the If's place, where that
// branch makes a value of the given name and the graph itself does not; otherwise
// the graph as it is. Exporters merge a decoder that keeps a cache, the
// then-branch, and one that does not: what is inside can so be fed and tapped, by
// callers who begin with an empty cache.
func (g *Graph) Unfold(value string) *Graph {
	makes := func(nodes []*Node) bool {
		return slices.ContainsFunc(nodes, func(n *Node) bool { return slices.Contains(n.Outputs, value) })
	}
	if value == "" || makes(g.Nodes) {
		return g
	}
	for i, n := range g.Nodes {
		branch := n.Attrs["then_branch"]
		if n.Op != "If" || n.Domain != "" || branch == nil || branch.G == nil || !makes(branch.G.Nodes) {
			continue
		}
		body := branch.G
		out := *g
		out.Nodes = append(slices.Clone(g.Nodes[:i]), body.Nodes...)
		for k, v := range body.Outputs {
			if k < len(n.Outputs) && n.Outputs[k] != "" {
				out.Nodes = append(out.Nodes, &Node{Name: n.Name, Op: "Identity", Inputs: []string{v.Name}, Outputs: []string{n.Outputs[k]}})
			}
		}
		out.Nodes = append(out.Nodes, g.Nodes[i+1:]...)
		out.Initializers = append(slices.Clone(g.Initializers), body.Initializers...)
		out.byInitializer, out.Values = maps.Clone(g.byInitializer), maps.Clone(g.Values)
		if out.byInitializer == nil {
			out.byInitializer = map[string]*Tensor{}
		}
		for _, t := range body.Initializers {
			out.byInitializer[t.Name] = t
		}
		if out.Values == nil {
			out.Values = map[string]Value{}
		}
		maps.Copy(out.Values, body.Values)
		return &out
	}
	return g
}
