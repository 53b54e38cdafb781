package onnxfile

import (
	"fmt"
	"slices"
)

// maxInlined bounds the nodes that inlining functions may make.
const maxInlined = 1 << 20

// inline replaces the nodes that call model-local functions by the functions'
// nodes.
func (r *reader) inline() error {
	if len(r.model.Functions) == 0 {
		return nil
	}
	in := &inliner{functions: map[[2]string]*Function{}}
	for _, f := range r.model.Functions {
		in.functions[[2]string{f.Domain, f.Name}] = f
		for d, v := range f.Opsets {
			if _, ok := r.model.Opsets[d]; !ok {
				r.model.Opsets[d] = v
			}
		}
	}
	return in.graph(r.model.Graph, 0, false)
}

type inliner struct {
	functions map[[2]string]*Function
	made      int
}

func (in *inliner) graph(g *Graph, depth int, inner bool) error {
	var nodes []*Node
	for _, n := range g.Nodes {
		for _, b := range n.Bodies() {
			if err := in.graph(b, depth, true); err != nil {
				return err
			}
		}
		expanded, err := in.node(n, depth)
		if err != nil {
			return err
		}
		nodes = append(nodes, expanded...)
	}
	g.Nodes = nodes
	return check(g, inner)
}

// node returns n itself, or the nodes of the function it calls.
func (in *inliner) node(n *Node, depth int) ([]*Node, error) {
	f := in.functions[[2]string{n.Domain, n.Op}]
	if f == nil {
		return []*Node{n}, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("function %s calls itself", f.Name)
	}
	if len(n.Inputs) > len(f.Inputs) || len(n.Outputs) > len(f.Outputs) {
		return nil, fmt.Errorf("%v has more operands than function %s", n, f.Name)
	}
	in.made += len(f.Nodes)
	if in.made > maxInlined {
		return nil, fmt.Errorf("functions expand to more than %d nodes", maxInlined)
	}
	prefix := fmt.Sprintf("%s/%s/%d/", n.Name, f.Name, in.made)
	names := map[string]string{"": ""}
	for i, s := range f.Inputs {
		names[s] = ""
		if i < len(n.Inputs) {
			names[s] = n.Inputs[i]
		}
	}
	for i, s := range f.Outputs {
		if i < len(n.Outputs) && n.Outputs[i] != "" {
			names[s] = n.Outputs[i]
		}
	}
	attrs := map[string]*Attr{}
	for k, a := range f.Defaults {
		attrs[k] = a
	}
	for k, a := range n.Attrs {
		attrs[k] = a
	}
	rename := func(s string) string {
		if to, ok := names[s]; ok {
			return to
		}
		return prefix + s
	}
	var out []*Node
	for _, inner := range f.Nodes {
		c := substitute(inner, rename, attrs)
		c.Name = prefix + inner.Name
		expanded, err := in.node(c, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, expanded...)
	}
	return out, nil
}

// substitute copies a node under new value names and with the attributes that
// refer to the function's filled in.
func substitute(n *Node, rename func(string) string, attrs map[string]*Attr) *Node {
	c := &Node{Name: n.Name, Op: n.Op, Domain: n.Domain, Attrs: map[string]*Attr{}}
	for _, s := range n.Inputs {
		c.Inputs = append(c.Inputs, rename(s))
	}
	for _, s := range n.Outputs {
		c.Outputs = append(c.Outputs, rename(s))
	}
	for k, a := range n.Attrs {
		if a.Ref != "" {
			from := attrs[a.Ref]
			if from == nil {
				continue // stays at the operator's default
			}
			b := *from
			b.Name = k
			c.Attrs[k] = &b
			continue
		}
		if a.G != nil {
			b := *a
			b.G = substituteGraph(a.G, rename, attrs)
			a = &b
		}
		c.Attrs[k] = a
	}
	return c
}

// substituteGraph renames only what a body captures; its own values shadow.
func substituteGraph(g *Graph, rename func(string) string, attrs map[string]*Attr) *Graph {
	c := *g
	own := func(s string) string {
		if slices.Contains(g.Captures, s) {
			return rename(s)
		}
		return s
	}
	c.Nodes = nil
	for _, n := range g.Nodes {
		c.Nodes = append(c.Nodes, substitute(n, own, attrs))
	}
	c.Outputs = slices.Clone(g.Outputs)
	for i := range c.Outputs {
		c.Outputs[i].Name = own(c.Outputs[i].Name)
	}
	c.Captures = nil
	for _, s := range g.Captures {
		c.Captures = append(c.Captures, rename(s))
	}
	return &c
}
