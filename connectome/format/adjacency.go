package format

import (
	"io"

	"github.com/connectomewire/wire/connectome"
)

// Adjacency lists as networkx.write_adjlist writes them: a line a node, which
// names the node and then its neighbours. An undirected graph names each pair
// once.

// isAdjacencyList recognises lines of different lengths, each of which begins
// with another node, and whose every neighbour begins a line of its own.
func isAdjacencyList(rows [][]string, complete bool) bool {
	if len(rows) < 3 || !complete {
		return false
	}
	first := make(map[string]bool, len(rows))
	ragged := false
	for _, r := range rows {
		if first[r[0]] {
			return false
		}
		first[r[0]] = true
		ragged = ragged || len(r) != len(rows[0])
	}
	edges := 0
	for _, r := range rows {
		for _, f := range r[1:] {
			if !first[f] {
				return false
			}
			edges++
		}
	}
	return ragged && edges > 0
}

func (s *source) readAdjacencyList(delim byte) (*connectome.Connectome, error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	e := newEdgeTable()
	var order listOrder
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		from := int32(-1)
		for k, f := range t.fields {
			switch {
			case len(f) == 0 && k > 0:
				continue // a delimiter at the end of the line
			case len(f) == 0:
				return nil, s.failf(ErrNode, t.line, 1, "every line begins with a node", "a line without its node")
			case k == 0:
				from = e.node(string(f))
				continue
			}
			to := e.node(string(f))
			e.edge(from, to)
			order.edge(from, to)
		}
	}
	s.rep.Format, s.rep.Dialect = "adjacency list", delimiterName(delim)
	return e.listed(s, &order)
}

// listed finishes a list of named edges that does not say whether it is
// directed: nodes are sorted by name, as in an edge list.
func (e *edgeTable) listed(s *source, order *listOrder) (*connectome.Connectome, error) {
	triangle := e.declared == undeclared && s.cfg.directed == nil && order.triangle(len(e.from))
	if triangle {
		s.warnTriangle()
		e.declared = declaredUndirected
	}
	how := "names are sorted"
	if e.sortNodes() {
		how = "names are sorted as numbers"
	}
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "node names", true, "edges name their nodes; "+how
	c, err := e.connectome(s)
	if err != nil {
		return nil, err
	}
	if triangle {
		s.rep.SymmetryHow = "one triangle is listed"
	}
	return c, s.joinNodeFile(c)
}
