package format

import (
	"io"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Cytoscape's simple interaction format: a source, a relation, and one or
// several targets a line; a name alone is a node without edges. The relation
// is the kind of the edges, which --kind chooses among.

// isSIF recognises the file's name, or three or more columns of names of which
// the second takes few values and no name of the others.
func isSIF(rows [][]string, name string) bool {
	if strings.HasSuffix(name, ".sif") {
		return true
	}
	if len(rows) < 3 || len(rows[0]) < 3 {
		return false
	}
	if from, _ := edgeEnds(rows[0]); from >= 0 {
		return false
	}
	nodes, relations := map[string]bool{}, map[string]bool{}
	edges := 0
	for _, r := range rows {
		if len(r) == 2 {
			return false
		}
		for j, f := range r {
			switch {
			case isWord(f) && j == 1:
				relations[f] = true
			case isWord(f):
				nodes[f] = true
			case j == 1 || !isNodeID(f):
				return false
			default:
				nodes[f] = true
			}
		}
		if len(r) > 2 {
			edges++
		}
	}
	for r := range relations {
		if nodes[r] {
			return false
		}
	}
	return edges >= 3 && len(relations) <= min(mostKinds, max(1, edges/3)) && len(relations) < len(nodes)
}

func (s *source) readSIF(delim byte) (*connectome.Connectome, error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	e := newEdgeTable()
	kinds := edgeKinds{count: map[string]*connectome.EdgeKind{}}
	if len(s.cfg.kinds) > 0 {
		kinds.want = s.cfg.kinds
	}
	var order listOrder
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		f := t.fields
		f = withoutEmptyEnd(f, 1)
		if len(f) == 2 {
			return nil, s.failf(ErrRagged, t.line, 0, "a line is a source, a relation and its targets, or a node alone", "a source and a relation without a target")
		}
		for j, name := range f {
			if len(name) == 0 {
				return nil, s.failf(ErrNode, t.line, j+1, "every edge needs both ends", "an empty name")
			}
		}
		from := e.node(string(f[0]))
		if len(f) == 1 {
			continue
		}
		if k := kinds.of(f[1]); k != nil {
			k.Edges += len(f) - 2
			if k.Used = usedDirected; !kinds.wanted(f[1]) {
				k.Used = usedNotAsked
			}
		}
		for _, name := range f[2:] {
			to := e.node(string(name))
			if kinds.wanted(f[1]) {
				e.edge(from, to)
				order.edge(from, to)
			}
		}
	}
	for _, want := range kinds.want {
		if !slices.ContainsFunc(kinds.order, func(k *connectome.EdgeKind) bool { return strings.EqualFold(k.Name, want) }) {
			return nil, s.failf(ErrVariable, 0, 0, "the second column holds the relations", "no edge of kind %q", want)
		}
	}
	s.cfg.usedKinds = true
	s.rep.Format, s.rep.Dialect = "SIF", delimiterName(delim)
	kinds.report(s, "the relation")
	return e.listed(s, &order)
}
