package format

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"
)

// Graphviz DOT, parsed by gonum's grammar of the language.

// isDOT recognises [strict] graph|digraph [name] { after comments.
func isDOT(text []byte) bool {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		switch {
		case bytes.HasPrefix(text, []byte("//")), bytes.HasPrefix(text, []byte("#")):
			_, rest, ok := bytes.Cut(text, []byte("\n"))
			if !ok {
				return false
			}
			text = rest
			continue
		case bytes.HasPrefix(text, []byte("/*")):
			_, rest, ok := bytes.Cut(text, []byte("*/"))
			if !ok {
				return false
			}
			text = rest
			continue
		}
		break
	}
	open := bytes.IndexByte(text, '{')
	if open < 0 {
		return false
	}
	words := strings.Fields(strings.ToLower(string(text[:min(open, 4096)])))
	if len(words) > 0 && words[0] == "strict" {
		words = words[1:]
	}
	return len(words) > 0 && (words[0] == "graph" || words[0] == "digraph")
}

// maxDOTDepth bounds nested subgraphs: the parser and the walk recurse.
const maxDOTDepth = 200

func (s *source) readDOT() (c *connectome.Connectome, err error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	data, err := io.ReadAll(text)
	if err != nil {
		return nil, s.wrap(err, ErrCorrupt, "fetch the file again")
	}
	if d := braceDepth(data); d > maxDOTDepth {
		return nil, s.failf(ErrUnsupported, 0, 0, "flatten the subgraphs", "braces nested more than %d deep", maxDOTDepth)
	}
	// The generated parser reports some faults by panicking.
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, s.failf(ErrSyntax, 0, 0, "", "%v", r)
		}
	}()
	file, err := dot.ParseBytes(data)
	if err != nil {
		return nil, s.dotError(err)
	}
	if len(file.Graphs) != 1 {
		return nil, s.failf(ErrUnsupported, 0, 0, "split it into one file a graph", "%d graphs", len(file.Graphs))
	}
	g := file.Graphs[0]
	r := &dotReader{s: s, t: newEdgeTable(), attrs: map[string][]attr{}}
	r.t.declared = declaredUndirected
	if g.Directed {
		r.t.declared = declaredDirected
	}
	r.edgeDefaults = map[string]string{}
	if err := r.stmts(g.Stmts); err != nil {
		return nil, err
	}
	s.rep.Format = "DOT"
	attrs := make([][]attr, len(r.t.regions))
	for i := range r.t.regions {
		attrs[i] = r.attrs[r.t.regions[i].Label]
	}
	s.nodeAttributes(r.t.regions, attrs)
	return r.t.connectome(s)
}

func braceDepth(data []byte) int {
	depth, most := 0, 0
	for _, c := range data {
		switch c {
		case '{':
			depth++
			most = max(most, depth)
		case '}':
			depth--
		}
	}
	return most
}

// dotError keeps the parser's position: "3:1: error: expected one of …".
func (s *source) dotError(err error) error {
	text := err.Error()
	var line, column int
	if n, _ := fmt.Sscanf(text, "%d:%d:", &line, &column); n == 2 {
		_, text, _ = strings.Cut(text, "error: ")
	} else {
		line, column = 0, 0
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return s.failf(ErrSyntax, line, column, "", "%s", text)
}

type dotReader struct {
	s            *source
	t            *edgeTable
	attrs        map[string][]attr
	edgeDefaults map[string]string
}

func (r *dotReader) stmts(list []ast.Stmt) error {
	for _, st := range list {
		var err error
		switch st := st.(type) {
		case *ast.NodeStmt:
			r.node(st.Node, st.Attrs)
		case *ast.EdgeStmt:
			err = r.edge(st)
		case *ast.AttrStmt:
			if st.Kind == ast.EdgeKind {
				for _, a := range st.Attrs {
					r.edgeDefaults[dotText(a.Key)] = dotText(a.Val)
				}
			}
		case *ast.Subgraph:
			err = r.stmts(st.Stmts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *dotReader) node(n *ast.Node, attrs []*ast.Attr) int32 {
	id := dotText(n.ID)
	i := r.t.node(id)
	for _, a := range attrs {
		key, value := dotText(a.Key), dotText(a.Val)
		switch key {
		case "label":
			if value == `\N` {
				continue
			}
		case "pos", "shape", "style", "fillcolor", "color", "fontcolor", "fontname", "fontsize", "width", "height", "penwidth", "group", "tooltip":
			continue // the drawing, not the brain
		}
		r.attrs[id] = append(r.attrs[id], attr{key, value})
	}
	return i
}

// edge reads a chain a -> b -> c; an end may be a subgraph, which stands for
// all of its nodes.
func (r *dotReader) edge(st *ast.EdgeStmt) error {
	from, err := r.vertices(st.From)
	if err != nil {
		return err
	}
	for e := st.To; e != nil; e = e.To {
		to, err := r.vertices(e.Vertex)
		if err != nil {
			return err
		}
		if len(from)*len(to) > 1<<20 {
			return r.s.failf(ErrTooLarge, 0, 0, "", "an edge between subgraphs of %d and %d nodes", len(from), len(to))
		}
		for _, i := range from {
			for _, j := range to {
				k := r.t.edge(i, j)
				for _, name := range sortedKeys(r.edgeDefaults) {
					if !hasDotAttr(st.Attrs, name) {
						r.attribute(k, name, r.edgeDefaults[name])
					}
				}
				for _, a := range st.Attrs {
					r.attribute(k, dotText(a.Key), dotText(a.Val))
				}
			}
		}
		from = to
	}
	return nil
}

func (r *dotReader) attribute(edge int32, name, value string) {
	switch name {
	case "penwidth", "color", "style", "arrowsize", "arrowhead", "fontsize", "constraint", "len", "label", "tooltip":
		if name != r.s.cfg.weight && name != r.s.cfg.length {
			return // the drawing, not the brain
		}
	}
	r.t.attribute(edge, name, value)
}

func hasDotAttr(attrs []*ast.Attr, name string) bool {
	for _, a := range attrs {
		if dotText(a.Key) == name {
			return true
		}
	}
	return false
}

func (r *dotReader) vertices(v ast.Vertex) ([]int32, error) {
	switch v := v.(type) {
	case *ast.Node:
		return []int32{r.node(v, nil)}, nil
	case *ast.Subgraph:
		if err := r.stmts(v.Stmts); err != nil {
			return nil, err
		}
		var all []int32
		for _, st := range v.Stmts {
			if n, ok := st.(*ast.NodeStmt); ok {
				all = append(all, r.node(n.Node, nil))
			}
		}
		return all, nil
	}
	return nil, r.s.failf(ErrSyntax, 0, 0, "", "an edge end that is neither node nor subgraph")
}

// dotText unquotes an ID.
func dotText(id string) string {
	if len(id) >= 2 && id[0] == '"' && id[len(id)-1] == '"' {
		id = strings.ReplaceAll(id[1:len(id)-1], "\\\n", "")
		id = strings.ReplaceAll(id, `\"`, `"`)
		return strings.TrimSpace(id)
	}
	return id
}
