package format

import (
	"bytes"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// LGL (Adai et al. 2004, J Mol Biol 340:179), as igraph writes it: a line
// "# node" and after it the node's neighbours, one a line, with their weights.
// It is undirected.

// isLGL recognises the file's name, or lines that name a node behind # between
// lines of one or two fields of which some begin with such a node.
func isLGL(head []byte, name string) bool {
	if strings.HasSuffix(name, ".lgl") {
		return true
	}
	nodes := map[string]bool{}
	var neighbours []string
	started := false
	for line := range bytes.Lines(head) {
		f := bytes.Fields(line)
		switch {
		case len(f) == 0:
		case string(f[0]) == "#":
			if len(f) != 2 || nodes[string(f[1])] {
				return false
			}
			nodes[string(f[1])] = true
			started = true
		case !started || len(f) > 2:
			return false
		default:
			neighbours = append(neighbours, string(f[0]))
		}
	}
	for _, n := range neighbours {
		if nodes[n] {
			return len(nodes) > 1
		}
	}
	return false
}

func (s *source) readLGL() (*connectome.Connectome, error) {
	t, err := s.table(' ')
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	e := newEdgeTable()
	e.declared = declaredUndirected
	var order listOrder
	from := int32(-1)
	for {
		line, err := t.readLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		t.split(bytes.TrimRight(line, "\r\n"))
		f := t.fields
		switch {
		case len(f) == 0:
			continue
		case len(f[0]) == 0:
			return nil, s.failf(ErrNode, t.line, 1, "every edge needs both ends", "an empty name")
		case f[0][0] == '#':
			if f[0] = f[0][1:]; len(f[0]) == 0 { // "# node", but "#node" too
				f = f[1:]
			}
			if len(f) != 1 {
				return nil, s.failf(ErrSyntax, t.line, 1, `write "# node"`, "%d names behind #", len(f))
			}
			from = e.node(string(f[0]))
			continue
		case from < 0:
			return nil, s.failf(ErrSyntax, t.line, 1, `an LGL file begins with "# node"`, "a neighbour before any node")
		case len(f) > 2:
			return nil, s.failf(ErrRagged, t.line, 0, "a line is a neighbour and its weight", "%d fields", len(f))
		}
		to := e.node(string(f[0]))
		edge := e.edge(from, to)
		order.edge(from, to)
		if len(f) == 2 {
			if _, k := parseNumber(f[1], false); k == isText {
				return nil, s.failf(ErrNumber, t.line, 2, numberAdvice(f[1], ""), "weight %s", quoteShort(f[1]))
			}
			e.attribute(edge, "weight", string(f[1]))
		}
	}
	s.rep.Format = "LGL"
	return e.listed(s, &order)
}
