package format

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// LEDA's native graph format (Mehlhorn & Näher 1999), as igraph and LEDA write
// it: LEDA.GRAPH, the types of nodes' and edges' values, −1 for directed or −2
// for undirected, the nodes with their values |{like this}|, the edges as
// source, target, reversal edge, value.

func isLEDA(text []byte) bool { return bytes.HasPrefix(text, []byte("LEDA.GRAPH")) }

// ledaReader gives the lines that are no comments.
type ledaReader struct {
	s *source
	t *table
}

func (r *ledaReader) line(what string) (string, error) {
	for {
		line, err := r.t.readLine()
		if err == io.EOF {
			return "", r.s.failf(ErrTruncated, r.t.line, 0, "", "the file ends before %s", what)
		}
		if err != nil {
			return "", err
		}
		if text := strings.TrimSpace(string(line)); text != "" && text[0] != '#' {
			return text, nil
		}
	}
}

func (r *ledaReader) count(what string) (int, error) {
	text, err := r.line(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > math.MaxInt32-2 {
		return 0, r.s.failf(ErrNumber, r.t.line, 1, "", "%s %s", what, quoteShort([]byte(text)))
	}
	return n, nil
}

// value is what stands between |{ and }|.
func (r *ledaReader) value(text string) (string, error) {
	_, rest, ok := strings.Cut(text, "|{")
	end := strings.LastIndex(rest, "}|")
	if !ok || end < 0 {
		return "", r.s.failf(ErrSyntax, r.t.line, 1, "values stand between |{ and }|", "%s", quoteShort([]byte(text)))
	}
	return strings.TrimSpace(rest[:end]), nil
}

func (s *source) readLEDA() (*connectome.Connectome, error) {
	t, err := s.table(' ')
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	r := &ledaReader{s: s, t: t}
	if _, err := r.line("its first line"); err != nil {
		return nil, err
	}
	for _, what := range []string{"the type of nodes", "the type of edges"} {
		if _, err := r.line(what); err != nil {
			return nil, err
		}
	}
	direction, err := r.line("its direction")
	if err != nil {
		return nil, err
	}
	e := newEdgeTable()
	switch direction {
	case "-1":
		e.declared = declaredDirected
	case "-2":
		e.declared = declaredUndirected
	default: // older files leave the line out
		return nil, s.failf(ErrSyntax, t.line, 1, "write -1 for a directed graph, -2 for an undirected one", "direction %s", quoteShort([]byte(direction)))
	}
	n, err := r.count("the number of nodes")
	if err != nil {
		return nil, err
	}
	for i := range n {
		text, err := r.line("node " + strconv.Itoa(i+1))
		if err != nil {
			return nil, err
		}
		label, err := r.value(text)
		if err != nil {
			return nil, err
		}
		e.node(strconv.Itoa(i + 1))
		if label != "" {
			e.regions[i].Label = label
		}
	}
	edges, err := r.count("the number of edges")
	if err != nil {
		return nil, err
	}
	for k := range edges {
		text, err := r.line("edge " + strconv.Itoa(k+1))
		if err != nil {
			return nil, err
		}
		f := strings.Fields(text)
		if len(f) < 3 {
			return nil, s.failf(ErrRagged, t.line, 0, "an edge is source, target, reversal edge, value", "%d fields", len(f))
		}
		from, ok := e.index[f[0]]
		to, ok2 := e.index[f[1]]
		if !ok || !ok2 {
			return nil, s.failf(ErrNode, t.line, 1, "nodes are numbered from 1", "edge from %s to %s of %d nodes", quoteShort([]byte(f[0])), quoteShort([]byte(f[1])), n)
		}
		w, err := r.value(text)
		if err != nil {
			return nil, err
		}
		edge := e.edge(from, to)
		if w != "" {
			if _, kind := parseNumber([]byte(w), false); kind == isText {
				return nil, s.failf(ErrNumber, t.line, 0, numberAdvice([]byte(w), ""), "value %s", quoteShort([]byte(w)))
			}
			e.attribute(edge, "weight", w)
		}
	}
	s.rep.Format = "LEDA"
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "values of nodes", true, "every node bears its own label"
	c, err := e.connectome(s)
	if err != nil {
		return nil, err
	}
	s.noteDuplicateLabels(c.Regions)
	return c, nil
}
