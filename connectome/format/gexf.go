package format

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// GEXF 1.2 and 1.3, as Gephi and NetworkX write it. Positions in the viz
// namespace are those of a drawing and are not kept.
//
// gonum's graph/formats/gexf12 is not used: it decodes the whole document
// into structures before anything can be looked at, and knows 1.2 only.

type gexfReader struct {
	xmlReader
	attrs   [][]attr
	titles  map[string]string // "node"/"edge" + id → title
	absent  map[string]string // "node"/"edge" + id → default value
	graphs  int
	version string
}

func (s *source) readGEXF() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	g := &gexfReader{xmlReader: newXMLReader(s, text), titles: map[string]string{}, absent: map[string]string{}}
	g.t.declared = declaredUndirected // GEXF's default
	if err := g.document(); err != nil {
		return nil, s.xmlError(g.d, err)
	}
	s.rep.Format = "GEXF"
	if g.version != "" {
		s.rep.Dialect = "version " + g.version
	}
	for _, key := range sortedKeys(g.absent) {
		if kind, id, _ := strings.Cut(key, "\x00"); kind == "edge" {
			g.t.fillDefault(g.title(kind, id), g.absent[key])
		}
	}
	if c := g.t.columns["weight"]; c != nil {
		g.t.fillDefault("weight", "1") // GEXF's default
	}
	s.nodeAttributes(g.t.regions, g.attrs)
	return g.t.connectome(s)
}

func (g *gexfReader) title(kind, id string) string {
	if t := g.titles[kind+"\x00"+id]; t != "" {
		return t
	}
	return id
}

// document walks the elements that matter; containers like <nodes> are
// entered by not being skipped.
func (g *gexfReader) document() error {
	class := ""
	attribute := ""
	depth := 0
	for {
		tok, err := g.d.Token()
		if err == io.EOF {
			if g.graphs == 0 {
				return g.fail(ErrEmpty, "", "no <graph> in the document")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch x := tok.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			if depth > 1000 {
				return g.fail(ErrUnsupported, "", "elements nested more than 1000 deep")
			}
			switch x.Name.Local {
			case "gexf":
				g.version, _ = xmlAttr(x, "version")
			case "graph":
				if g.graphs++; g.graphs > 1 {
					return g.fail(ErrUnsupported, "split it into one file a graph", "more than one graph")
				}
				if v, _ := xmlAttr(x, "defaultedgetype"); v == "directed" || v == "mutual" {
					g.t.declared = declaredDirected
				}
			case "attributes":
				class, _ = xmlAttr(x, "class")
			case "attribute":
				id, _ := xmlAttr(x, "id")
				attribute = class + "\x00" + id
				g.titles[attribute], _ = xmlAttr(x, "title")
			case "default":
				text, err := g.text()
				if err != nil {
					return err
				}
				g.absent[attribute] = text
				depth--
			case "node":
				if err := g.node(x); err != nil {
					return err
				}
				depth--
			case "edge":
				if err := g.edge(x); err != nil {
					return err
				}
				depth--
			case "nodes", "edges":
			default:
				if err := g.d.Skip(); err != nil {
					return err
				}
				depth--
			}
		}
	}
}

// values reads the <attvalue> children up to the end of the element. Nodes
// may hold nodes, which are read as nodes of the same graph.
func (g *gexfReader) values(kind string, each func(name, value string)) error {
	for depth := 0; depth >= 0; {
		tok, err := g.d.Token()
		if err != nil {
			return err
		}
		switch x := tok.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			switch x.Name.Local {
			case "attvalues":
				depth++
			case "attvalue":
				id, ok := xmlAttr(x, "for")
				if !ok {
					id, _ = xmlAttr(x, "id") // GEXF 1.1
				}
				value, _ := xmlAttr(x, "value")
				each(g.title(kind, id), value)
				depth++
			case "nodes", "edges":
				return g.fail(ErrUnsupported, "flatten the hierarchy first", "nodes within nodes")
			default:
				if err := g.d.Skip(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (g *gexfReader) node(x xml.StartElement) error {
	id, ok := xmlAttr(x, "id")
	if !ok {
		return g.fail(ErrSyntax, "", "<node> without an id")
	}
	if _, twice := g.t.index[id]; twice {
		return g.fail(ErrSyntax, "", "node %q occurs twice", id)
	}
	g.t.node(id)
	var attrs []attr
	if label, ok := xmlAttr(x, "label"); ok {
		attrs = append(attrs, attr{"label", label})
	}
	err := g.values("node", func(name, value string) { attrs = append(attrs, attr{name, value}) })
	for _, key := range sortedKeys(g.absent) {
		if kind, id, _ := strings.Cut(key, "\x00"); kind == "node" && !hasAttr(attrs, g.title(kind, id)) {
			attrs = append(attrs, attr{g.title(kind, id), g.absent[key]})
		}
	}
	g.attrs = append(g.attrs, attrs)
	return err
}

func (g *gexfReader) edge(x xml.StartElement) error {
	from, to, err := g.ends(x)
	if err != nil {
		return err
	}
	edge := g.t.edge(from, to)
	if w, ok := xmlAttr(x, "weight"); ok {
		g.t.attribute(edge, "weight", w)
	}
	kind, said := xmlAttr(x, "type")
	switch kind {
	case "directed":
		if g.t.declared == declaredUndirected {
			if edge > 0 {
				return g.fail(ErrUnsupported, `set defaultedgetype="directed" and mark the others type="undirected"`, "a directed edge in an undirected graph")
			}
			g.t.declared = declaredDirected // no defaultedgetype, but every edge has a type
		}
	case "undirected", "mutual":
		if g.t.declared == declaredDirected && said {
			g.t.oneWay = append(g.t.oneWay, edge)
		}
	}
	return g.values("edge", func(name, value string) {
		if name == "weight" || name == "" {
			name = "weight"
		}
		g.t.attribute(edge, name, value)
	})
}
