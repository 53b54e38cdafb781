package format

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// GraphML (Brandes et al., 2002) as written by braingraph.org, the Connectome
// Mapper, igraph, NetworkX and Gephi. Attributes are found by the attr.name of
// their <key>, never by its id, which differs between files.

type graphmlKey struct {
	name, domain string
	fallback     string // the <default>
	hasFallback  bool
}

func (s *source) readGraphML() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	r := &graphmlReader{xmlReader: newXMLReader(s, text), keys: map[string]*graphmlKey{}}
	if err := r.document(); err != nil {
		return nil, s.xmlError(r.d, err)
	}
	s.rep.Format = "GraphML"
	s.rep.Dialect = r.dialect()
	r.finishNodes()
	if r.t.declared == undeclared {
		r.decideDirection()
	}
	return r.t.connectome(s)
}

type graphmlReader struct {
	xmlReader
	keys  map[string]*graphmlKey
	graph int // graphs read
	nodes []graphmlNode
	mixed bool // directed edges in a graph whose edges are not, unless they say so
}

type graphmlNode struct {
	region int32
	attrs  []attr
}

type attr struct{ name, value string }

func (r *graphmlReader) document() error {
	for {
		tok, err := r.d.Token()
		if err == io.EOF {
			if r.graph == 0 {
				return r.fail(ErrEmpty, "", "no <graph> in the document")
			}
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "graphml":
		case "key":
			if err := r.key(e); err != nil {
				return err
			}
		case "graph":
			if r.graph++; r.graph > 1 {
				return r.fail(ErrUnsupported, "split the document into one file a graph", "more than one graph")
			}
			if err := r.readGraph(e); err != nil {
				return err
			}
		default:
			if err := r.d.Skip(); err != nil {
				return err
			}
		}
	}
}

func (r *graphmlReader) key(e xml.StartElement) error {
	id, ok := xmlAttr(e, "id")
	if !ok {
		return r.fail(ErrSyntax, "", "<key> without an id")
	}
	k := &graphmlKey{}
	if k.name, ok = xmlAttr(e, "attr.name"); !ok {
		k.name = id
	}
	k.domain, _ = xmlAttr(e, "for")
	r.keys[id] = k
	for {
		tok, err := r.d.Token()
		if err != nil {
			return err
		}
		switch x := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if x.Name.Local != "default" {
				if err := r.d.Skip(); err != nil {
					return err
				}
				continue
			}
			if k.fallback, err = r.text(); err != nil {
				return err
			}
			k.hasFallback = true
		}
	}
}

func (r *graphmlReader) readGraph(e xml.StartElement) error {
	switch v, _ := xmlAttr(e, "edgedefault"); strings.ToLower(v) {
	case "directed":
		r.t.declared = declaredDirected
	case "undirected":
		r.t.declared = declaredUndirected
	}
	for {
		tok, err := r.d.Token()
		if err != nil {
			return err
		}
		switch x := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			switch x.Name.Local {
			case "node":
				err = r.node(x)
			case "edge":
				err = r.edge(x)
			case "hyperedge":
				err = r.fail(ErrUnsupported, "", "hyperedges are not tracts")
			default:
				err = r.d.Skip()
			}
			if err != nil {
				return err
			}
		}
	}
}

// data reads the <data> children of a node or an edge.
func (r *graphmlReader) data(each func(name, value string)) error {
	for {
		tok, err := r.d.Token()
		if err != nil {
			return err
		}
		switch x := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if x.Name.Local != "data" {
				if x.Name.Local == "graph" {
					return r.fail(ErrUnsupported, "flatten the graph first", "a graph nested in a node")
				}
				if err := r.d.Skip(); err != nil {
					return err
				}
				continue
			}
			id, _ := xmlAttr(x, "key")
			k := r.keys[id]
			if k == nil {
				return r.fail(ErrSyntax, "declare it with <key id=… attr.name=…> before the graph", "<data key=%q> names no <key>", id)
			}
			value, err := r.text()
			if err != nil {
				return err
			}
			each(k.name, value)
		}
	}
}

func (r *graphmlReader) node(e xml.StartElement) error {
	id, ok := xmlAttr(e, "id")
	if !ok {
		return r.fail(ErrSyntax, "", "<node> without an id")
	}
	if i, ok := r.t.index[id]; ok && int(i) < len(r.nodes) {
		return r.fail(ErrSyntax, "", "node %q occurs twice", id)
	}
	n := graphmlNode{region: r.t.node(id)}
	if int(n.region) != len(r.nodes) {
		return r.fail(ErrSyntax, "list nodes before edges", "edges before node %q", id)
	}
	err := r.data(func(name, value string) { n.attrs = append(n.attrs, attr{name, value}) })
	r.nodes = append(r.nodes, n)
	return err
}

func (r *graphmlReader) edge(e xml.StartElement) error {
	from, to, err := r.ends(e)
	if err != nil {
		return err
	}
	edge := r.t.edge(from, to)
	switch v, _ := xmlAttr(e, "directed"); {
	case v == "true" && r.t.declared == declaredUndirected:
		r.t.declared, r.mixed = declaredDirected, true
		for k := range edge {
			r.t.oneWay = append(r.t.oneWay, k)
		}
	case v == "false" && r.t.declared == declaredDirected, v == "" && r.mixed:
		r.t.oneWay = append(r.t.oneWay, edge)
	}
	return r.data(func(name, value string) { r.t.attribute(edge, name, value) })
}

// decideDirection stands in for a missing edgedefault.
func (r *graphmlReader) decideDirection() {
	if r.t.listsBothWays() || len(r.t.from) < minTriangle {
		r.t.declared = declaredDirected
		r.s.rep.Warnf("no-edgedefault", "the graph does not say whether it is directed (no edgedefault); read as directed because tracts are listed in both directions")
		return
	}
	r.t.declared = declaredUndirected
	r.s.rep.Warnf("no-edgedefault", "the graph does not say whether it is directed (no edgedefault); read as undirected because each pair of regions is listed once")
}

// dialect names the writer by the attributes it uses.
func (r *graphmlReader) dialect() string {
	igraph := false
	for id, k := range r.keys {
		switch {
		case strings.HasPrefix(k.name, "dn_"), strings.HasPrefix(k.name, "fn_"), k.name == "number_of_fibers":
			return "braingraph.org / CMP"
		case strings.HasPrefix(id, "v_"), strings.HasPrefix(id, "e_"), strings.HasPrefix(id, "g_"):
			igraph = true
		}
	}
	if igraph {
		return "igraph"
	}
	return ""
}

// finishNodes gives the regions their labels, positions and attributes.
func (r *graphmlReader) finishNodes() {
	fallbacks := []attr{}
	ids := make([]string, 0, len(r.keys))
	for id := range r.keys {
		ids = append(ids, id)
	}
	sortStrings(ids)
	for _, id := range ids {
		k := r.keys[id]
		if !k.hasFallback {
			continue
		}
		switch k.domain {
		case "node", "all", "":
			fallbacks = append(fallbacks, attr{k.name, k.fallback})
		}
		if k.domain != "node" && k.domain != "graph" {
			r.t.fillDefault(k.name, k.fallback)
		}
	}
	all := make([][]attr, len(r.t.regions))
	for i, n := range r.nodes {
		all[i] = n.attrs
		for _, f := range fallbacks {
			if !hasAttr(n.attrs, f.name) {
				all[i] = append(all[i], f)
			}
		}
	}
	r.s.nodeAttributes(r.t.regions, all)
}
