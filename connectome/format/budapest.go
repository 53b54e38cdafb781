package format

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// The Budapest Reference Connectome server's CSV (Szalkai et al., 2015):
// semicolon-separated, with a byte-order mark, one undirected edge a line.

func isBudapest(header []string) bool {
	return len(header) >= 4 && strings.EqualFold(header[0], "id node1") && slices.ContainsFunc(header, func(h string) bool {
		return strings.EqualFold(h, "id node2")
	})
}

func (s *source) readBudapest(delim byte) (*connectome.Connectome, error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	if err := t.next(); err != nil {
		return nil, s.wrap(err, ErrEmpty, "")
	}
	header := make([]string, len(t.fields))
	for i, f := range t.fields {
		header[i] = strings.ToLower(string(f))
	}
	col := func(name string) int { return slices.Index(header, name) }
	id1, id2, name1, name2 := col("id node1"), col("id node2"), col("name node1"), col("name node2")
	parent1, parent2 := col("parent name node1"), col("parent name node2")
	if id1 < 0 || id2 < 0 {
		return nil, s.failf(ErrSyntax, t.line, 0, "", "a header without id node1 and id node2")
	}
	e := newEdgeTable()
	e.declared = declaredUndirected
	weight := slices.IndexFunc(header, func(h string) bool { return strings.HasPrefix(h, "edge weight") })
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(t.fields) != len(header) {
			return nil, s.failf(ErrRagged, t.line, 0, "check for values lost in an export", "%d fields under a header of %d", len(t.fields), len(header))
		}
		var end [2]int32
		for k, c := range [][3]int{{id1, name1, parent1}, {id2, name2, parent2}} {
			id := string(t.fields[c[0]])
			if id == "" {
				return nil, s.failf(ErrNode, t.line, c[0]+1, "every edge needs both ends", "an edge without an id for one end")
			}
			end[k] = e.node(id)
			r := &e.regions[end[k]]
			if r.Attributes == nil {
				r.SetAttribute("id", id)
				if c[1] >= 0 && len(t.fields[c[1]]) > 0 {
					r.Label = string(t.fields[c[1]])
				}
				if c[2] >= 0 && string(t.fields[c[2]]) != r.Label {
					r.SetAttribute("parent", string(t.fields[c[2]]))
				}
			}
		}
		edge := e.edge(end[0], end[1])
		for j, h := range header {
			if j == weight || strings.HasPrefix(h, "edge ") {
				if _, k := parseNumber(t.fields[j], true); k == isText {
					return nil, s.failf(ErrNumber, t.line, j+1, "", "%s %s", h, quoteShort(t.fields[j]))
				}
				e.attribute(edge, h, strings.Replace(string(t.fields[j]), ",", ".", 1))
			}
		}
	}
	s.rep.Format, s.rep.Dialect = "Budapest CSV", delimiterName(delim)
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "columns name node1 and name node2", true, "edges name their nodes; regions are sorted by id"
	cfg := *s.cfg
	if cfg.weight == "" && weight >= 0 {
		cfg.weight = header[weight]
	} else {
		cfg.weight = strings.ToLower(cfg.weight)
	}
	s.cfg = &cfg
	e.sortByID()
	return e.connectome(s)
}

// sortByID orders the nodes by their numeric ids where all have one.
func (e *edgeTable) sortByID() {
	n := len(e.regions)
	id := make([]int64, n)
	for text, i := range e.index {
		x, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return
		}
		id[i] = x
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(id[a], id[b]) })
	e.reorder(order)
}
