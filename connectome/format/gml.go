package format

import (
	"bufio"
	"bytes"
	"errors"
	"html"
	"io"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// GML (Himsolt, 1997): nested lists of keys and values. Gephi writes numbers
// as quoted strings and a graphics block, igraph names weights "weight",
// NetworkX puts the label last.

// isGML recognises "graph [" after comments, Creator and Version.
func isGML(text []byte) bool {
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		switch word := strings.ToLower(string(f[0])); {
		case word == "graph" || word == "graph[":
			if len(f) == 1 {
				rest := bytes.TrimLeft(text[bytes.Index(text, line)+len(line):], " \t\r\n")
				return word == "graph[" || len(rest) > 0 && rest[0] == '['
			}
			return word == "graph[" || f[1][0] == '['
		case word == "creator" || word == "version" || word == "comment":
		default:
			return false
		}
	}
	return false
}

type gmlReader struct {
	s      *source
	r      *bufio.Reader
	line   int
	t      *edgeTable
	attrs  [][]attr
	graphs int
}

type gmlToken struct {
	kind byte // 'k' key, 'n' number, 's' string, '[' , ']'
	text string
}

func (s *source) readGML() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	g := &gmlReader{s: s, r: text, line: 1, t: newEdgeTable()}
	g.t.declared = declaredUndirected // GML's default
	if err := g.list(0, nil); err != nil {
		return nil, err
	}
	if g.graphs == 0 {
		return nil, s.failf(ErrEmpty, g.line, 0, "", "no graph")
	}
	s.rep.Format = "GML"
	s.nodeAttributes(g.t.regions, g.attrs)
	return g.t.connectome(s)
}

func (g *gmlReader) fail(kind error, format string, args ...any) error {
	return g.s.failf(kind, g.line, 0, "", format, args...)
}

// maxGMLToken bounds one word or string.
const maxGMLToken = 1 << 20

// next returns the next token; kind 0 at the end.
func (g *gmlReader) next() (gmlToken, error) {
	for {
		c, err := g.r.ReadByte()
		if err == io.EOF {
			return gmlToken{}, nil
		}
		if err != nil {
			return gmlToken{}, g.s.wrap(err, ErrCorrupt, "")
		}
		switch {
		case c == '\n':
			g.line++
		case c == ' ' || c == '\t' || c == '\r':
		case c == '#':
			for c != '\n' {
				if c, err = g.r.ReadByte(); err != nil {
					if errors.Is(err, io.EOF) {
						return gmlToken{}, nil
					}
					return gmlToken{}, g.s.wrap(err, ErrCorrupt, "")
				}
			}
			g.line++
		case c == '[' || c == ']':
			return gmlToken{kind: c}, nil
		case c == '"':
			return g.str()
		default:
			g.r.UnreadByte()
			return g.word()
		}
	}
}

func (g *gmlReader) str() (gmlToken, error) {
	start := g.line
	var b []byte
	for {
		c, err := g.r.ReadByte()
		if err != nil {
			return gmlToken{}, g.s.failf(ErrTruncated, start, 0, "", "a string without its closing quote")
		}
		if c == '"' {
			return gmlToken{'s', html.UnescapeString(string(b))}, nil
		}
		if c == '\n' {
			g.line++
		}
		if b = append(b, c); len(b) > maxGMLToken {
			return gmlToken{}, g.s.failf(ErrTooLarge, start, 0, "", "a string of more than %d bytes", maxGMLToken)
		}
	}
}

func (g *gmlReader) word() (gmlToken, error) {
	var b []byte
	for {
		c, err := g.r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return gmlToken{}, g.s.wrap(err, ErrCorrupt, "")
		}
		if c == '[' || c == ']' || c == '"' || c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			g.r.UnreadByte()
			break
		}
		if b = append(b, c); len(b) > maxGMLToken {
			return gmlToken{}, g.fail(ErrTooLarge, "a word of more than %d bytes", maxGMLToken)
		}
	}
	kind := byte('k')
	if _, err := strconv.ParseFloat(string(b), 64); err == nil {
		kind = 'n'
	}
	return gmlToken{kind, string(b)}, nil
}

// maxGMLDepth bounds nested lists; real files have three levels.
const maxGMLDepth = 64

// list reads keys and values up to the closing bracket, or to the end at the
// outermost level. visit gets plain values and may be nil.
func (g *gmlReader) list(depth int, visit func(key, value string)) error {
	if depth > maxGMLDepth {
		return g.fail(ErrUnsupported, "lists nested more than %d deep", maxGMLDepth)
	}
	for {
		key, err := g.next()
		if err != nil {
			return err
		}
		switch key.kind {
		case 0:
			if depth > 0 {
				return g.fail(ErrTruncated, "the file ends inside a list")
			}
			return nil
		case ']':
			if depth == 0 {
				return g.fail(ErrSyntax, "] without [")
			}
			return nil
		case 'k':
		default:
			return g.fail(ErrSyntax, "%q where a key is expected", key.text)
		}
		value, err := g.next()
		if err != nil {
			return err
		}
		switch value.kind {
		case 'n', 's', 'k':
			if visit != nil {
				visit(key.text, value.text)
			}
			if depth == 1 && strings.EqualFold(key.text, "directed") && (value.text == "1" || strings.EqualFold(value.text, "true")) {
				g.t.declared = declaredDirected
			}
			continue
		case 0:
			return g.fail(ErrTruncated, "the file ends after %q", key.text)
		case ']':
			return g.fail(ErrSyntax, "key %q without a value", key.text)
		}
		switch name := strings.ToLower(key.text); {
		case depth == 0 && name == "graph":
			if g.graphs++; g.graphs > 1 {
				return g.s.failf(ErrUnsupported, g.line, 0, "split it into one file a graph", "more than one graph")
			}
			err = g.list(1, func(string, string) {})
		case depth == 1 && name == "node":
			err = g.node()
		case depth == 1 && name == "edge":
			err = g.edge()
		default:
			err = g.list(depth+1, nil)
		}
		if err != nil {
			return err
		}
	}
}

func (g *gmlReader) node() error {
	id, attrs := "", []attr(nil)
	line := g.line
	err := g.list(2, func(key, value string) {
		if strings.EqualFold(key, "id") {
			id = value
			return
		}
		attrs = append(attrs, attr{key, value})
	})
	if err != nil {
		return err
	}
	if id == "" {
		return g.s.failf(ErrSyntax, line, 0, "", "a node without an id")
	}
	if _, twice := g.t.index[id]; twice {
		return g.s.failf(ErrSyntax, line, 0, "", "node %q occurs twice", id)
	}
	g.t.node(id)
	g.attrs = append(g.attrs, attrs)
	return nil
}

func (g *gmlReader) edge() error {
	var end [2]string
	var attrs []attr
	line := g.line
	err := g.list(2, func(key, value string) {
		switch strings.ToLower(key) {
		case "source":
			end[0] = value
		case "target":
			end[1] = value
		default:
			attrs = append(attrs, attr{key, value})
		}
	})
	if err != nil {
		return err
	}
	var at [2]int32
	for k, id := range end {
		i, ok := g.t.index[id]
		if !ok {
			return g.s.failf(ErrNode, line, 0, "nodes stand before edges", "edge %s %q", [...]string{"source", "target"}[k], id)
		}
		at[k] = i
	}
	e := g.t.edge(at[0], at[1])
	for _, a := range attrs {
		g.t.attribute(e, a.name, a.value)
	}
	return nil
}
