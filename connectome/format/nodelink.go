package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Node-link JSON as NetworkX and d3 write it: {nodes: […], links|edges: […]}.
// Links may come before nodes, and may name them by id, by name, by index, or
// by the whole node object. Cytoscape puts both into "elements" and their
// attributes into "data", Gephi and Graphology into "attributes"; JSON Graph
// Format may list nodes in an object by id.

type nodelinkReader struct {
	s     *source
	d     *json.Decoder
	nodes []map[string]any
	links []nodelinkLink
	decl  declared
	keys  []string // keys of the outermost object
	hasN  bool
	hasL  bool
}

type nodelinkLink struct {
	source, target any
	attrs          []attr
	offset         int64
}

func (s *source) readJSON() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	r := &nodelinkReader{s: s, d: json.NewDecoder(text)}
	r.d.UseNumber()
	if err := r.document(); err != nil {
		return nil, r.locate(err)
	}
	return r.connectome()
}

// locate adds line and column to an error by reading the document again.
func (r *nodelinkReader) locate(err error) error {
	var pe *ParseError
	if errors.As(err, &pe) {
		return err
	}
	if errors.Is(err, ErrTooLarge) {
		return r.s.wrap(err, ErrTooLarge, "")
	}
	offset := r.d.InputOffset()
	var se *json.SyntaxError
	if errors.As(err, &se) {
		offset = r.s.syntaxOffset(se.Offset)
	}
	line, column := r.s.position(offset)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || se != nil && strings.Contains(se.Error(), "unexpected end") {
		return r.s.failf(ErrTruncated, line, column, "fetch or export the file again", "the document is not closed")
	}
	advice := ""
	if se != nil && (strings.Contains(se.Error(), "'N'") || strings.Contains(se.Error(), "'I'")) {
		advice = "JSON has no NaN and no Infinity: write null"
	}
	return r.s.failf(ErrSyntax, line, column, advice, "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// syntaxOffset returns where the document's first syntax error is: a decoder
// that was asked for one token after the other counts only some of them.
func (s *source) syntaxOffset(otherwise int64) int64 {
	text, closer, err := s.text()
	if err != nil {
		return otherwise
	}
	defer closer.Close()
	var whole json.RawMessage
	var se *json.SyntaxError
	if err := json.NewDecoder(text).Decode(&whole); errors.As(err, &se) {
		return se.Offset
	}
	return otherwise
}

// position counts the lines up to an offset of the text.
func (s *source) position(offset int64) (line, column int) {
	text, closer, err := s.text()
	if err != nil {
		return 0, 0
	}
	defer closer.Close()
	line, column = 1, 1
	for range offset - 1 {
		c, err := text.ReadByte()
		if err != nil {
			return line, column
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

func (r *nodelinkReader) fail(kind error, advice, format string, args ...any) error {
	line, column := r.s.position(r.d.InputOffset())
	return r.s.failf(kind, line, column, advice, format, args...)
}

func (r *nodelinkReader) document() error {
	tok, err := r.d.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return r.fail(ErrFormat, "a connectome in JSON is an object with nodes and links (or edges)", "a JSON document that is not an object")
	}
	return r.object(0)
}

// object reads the members of the outermost object, or of one named graph in
// it.
func (r *nodelinkReader) object(depth int) error {
	for r.d.More() {
		tok, err := r.d.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if depth == 0 {
			r.keys = append(r.keys, key)
		}
		switch strings.ToLower(key) {
		case "nodes":
			r.hasN = true
			err = r.nodeList(key)
		case "links", "edges":
			r.hasL = true
			err = r.list(key, r.link)
		case "directed":
			var v any
			if err = r.d.Decode(&v); err == nil {
				if b := jsonBool(v); b != nil {
					r.decl = declaredUndirected
					if *b {
						r.decl = declaredDirected
					}
				}
			}
		case "graph":
			err = r.graph(depth)
		case "elements":
			err = r.elements(depth)
		default:
			var skip json.RawMessage
			err = r.d.Decode(&skip)
		}
		if err != nil {
			return err
		}
	}
	_, err := r.d.Token() // the closing brace
	return err
}

// graph reads the member "graph": attributes of the graph (NetworkX), or the
// graph itself (JSON Graph Format).
func (r *nodelinkReader) graph(depth int) error {
	tok, err := r.d.Token()
	if err != nil {
		return err
	}
	switch tok {
	case json.Delim('{'):
		if depth > 0 {
			return r.fail(ErrUnsupported, "", "a graph in a graph in a graph")
		}
		return r.object(depth + 1)
	case json.Delim('['):
		for r.d.More() {
			var skip json.RawMessage
			if err := r.d.Decode(&skip); err != nil {
				return err
			}
		}
		_, err = r.d.Token()
	}
	return err
}

// elements reads Cytoscape's: an object of nodes and edges, or one list of
// both, where edges are those with a source.
func (r *nodelinkReader) elements(depth int) error {
	tok, err := r.d.Token()
	if err != nil {
		return err
	}
	switch {
	case tok == json.Delim('{') && depth == 0:
		return r.object(depth + 1)
	case tok != json.Delim('['):
		return r.fail(ErrSyntax, "Cytoscape lists nodes and edges in them", "elements that are neither an object nor an array")
	}
	r.hasN, r.hasL = true, true
	for r.d.More() {
		offset := r.d.InputOffset()
		var m map[string]any
		if err := r.d.Decode(&m); err != nil {
			return err
		}
		m = flattened(m)
		if _, ok := m["source"]; !ok {
			r.nodes = append(r.nodes, m)
		} else if err := r.addLink(m, offset); err != nil {
			return err
		}
	}
	_, err = r.d.Token()
	return err
}

// nodeList reads an array of nodes, or an object of nodes by id.
func (r *nodelinkReader) nodeList(key string) error {
	tok, err := r.d.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return r.listAfter(tok, key, r.node)
	}
	for r.d.More() {
		id, err := r.d.Token()
		if err != nil {
			return err
		}
		var m map[string]any
		if err := r.d.Decode(&m); err != nil {
			return err
		}
		if m = flattened(m); m == nil {
			m = map[string]any{}
		}
		m["id"] = id
		r.nodes = append(r.nodes, m)
	}
	_, err = r.d.Token()
	return err
}

// flattened moves attributes out of the objects that some writers put them in.
func flattened(m map[string]any) map[string]any {
	for _, key := range []string{"data", "attributes", "metadata"} {
		inner, ok := m[key].(map[string]any)
		if !ok {
			continue
		}
		delete(m, key)
		for k, v := range inner {
			if _, taken := m[k]; !taken {
				m[k] = v
			}
		}
	}
	return m
}

func (r *nodelinkReader) list(key string, each func() error) error {
	tok, err := r.d.Token()
	if err != nil {
		return err
	}
	return r.listAfter(tok, key, each)
}

// listAfter reads the elements of the array that tok opens.
func (r *nodelinkReader) listAfter(tok json.Token, key string, each func() error) error {
	if tok == nil {
		return nil
	}
	if tok != json.Delim('[') {
		return r.fail(ErrSyntax, "node-link JSON lists them in an array", "%q is not an array", key)
	}
	for r.d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := r.d.Token()
	return err
}

func (r *nodelinkReader) node() error {
	var v any
	if err := r.d.Decode(&v); err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{"id": v} // a list of bare names
	}
	r.nodes = append(r.nodes, flattened(m))
	return nil
}

func (r *nodelinkReader) link() error {
	offset := r.d.InputOffset()
	var v any
	if err := r.d.Decode(&v); err != nil {
		return err
	}
	switch x := v.(type) {
	case map[string]any:
		return r.addLink(flattened(x), offset)
	case []any: // [source, target, weight]
		if len(x) < 2 {
			return r.fail(ErrSyntax, "", "an edge of %d values", len(x))
		}
		m := map[string]any{"source": x[0], "target": x[1]}
		if len(x) > 2 {
			m["weight"] = x[2]
		}
		return r.addLink(m, offset)
	}
	return r.fail(ErrSyntax, "", "an edge that is neither an object nor an array")
}

func (r *nodelinkReader) addLink(m map[string]any, offset int64) error {
	l := nodelinkLink{offset: offset}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		switch strings.ToLower(k) {
		case "source", "from", "src":
			l.source = m[k]
		case "target", "to", "dst":
			l.target = m[k]
		default:
			if t, ok := jsonText(m[k]); ok {
				l.attrs = append(l.attrs, attr{k, t})
			}
		}
	}
	if l.source == nil || l.target == nil {
		return r.fail(ErrNode, "every link has a source and a target", "a link without both ends")
	}
	r.links = append(r.links, l)
	return nil
}

// jsonText returns a plain value as text.
func jsonText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case bool:
		return strconv.FormatBool(x), true
	}
	return "", false
}

func (r *nodelinkReader) connectome() (*connectome.Connectome, error) {
	s := r.s
	if !r.hasN || !r.hasL {
		switch {
		case slices.ContainsFunc(r.keys, isRelmatKey):
			return s.readRelmatJSON()
		}
		if c, ok, err := s.readJSONObject(); ok {
			return c, err
		}
		switch {
		case bytes.HasPrefix([]byte(strings.Join(r.keys, " ")), []byte("Model")), len(r.keys) == 1 && !r.hasL && !r.hasN:
			return nil, s.failf(ErrUnsupported, 0, 0, "ModECI MDF is written, not read; keep the connectome in another format beside it", "a JSON document of %s", listOr(r.keys, "nothing"))
		}
		return nil, s.failf(ErrFormat, 0, 0, "node-link JSON has nodes and links (or edges)", "a JSON object with %s", listOr(r.keys, "nothing"))
	}
	e := newEdgeTable()
	e.declared = r.decl
	attrs := make([][]attr, 0, len(r.nodes))
	named := map[string]int32{} // by name or label, for links that use it
	idKey := r.idKey()
	for i, m := range r.nodes {
		id := strconv.Itoa(i)
		if idKey != "" {
			id, _ = jsonText(m[idKey])
		}
		if _, twice := e.index[id]; twice {
			return nil, s.failf(ErrSyntax, 0, 0, "ids must differ", "node %q occurs twice", id)
		}
		k := e.node(id)
		keys := make([]string, 0, len(m))
		for name := range m {
			keys = append(keys, name)
		}
		slices.Sort(keys)
		var list []attr
		for _, name := range keys {
			if name == idKey {
				continue
			}
			if t, ok := jsonText(m[name]); ok {
				list = append(list, attr{name, t})
				if low := strings.ToLower(name); low == "name" || low == "label" {
					named[t] = k
				}
			}
		}
		attrs = append(attrs, list)
	}
	for _, l := range r.links {
		from, ok := r.end(e, named, l.source)
		to, ok2 := r.end(e, named, l.target)
		if !ok || !ok2 {
			bad := l.source
			if ok {
				bad = l.target
			}
			line, column := s.position(l.offset + 1)
			return nil, s.failf(ErrNode, line, column, "links name nodes by id, or by index from 0 where nodes have no ids", "link to %v", bad)
		}
		edge := e.edge(from, to)
		for _, a := range l.attrs {
			e.attribute(edge, a.name, a.value)
		}
	}
	s.rep.Format = "node-link JSON"
	s.nodeAttributes(e.regions, attrs)
	return e.connectome(s)
}

// idKey returns the key that gives every node an id, "" when there is none.
func (r *nodelinkReader) idKey() string {
	for _, key := range []string{"id", "key", "name", "label"} {
		if !slices.ContainsFunc(r.nodes, func(m map[string]any) bool { _, ok := jsonText(m[key]); return !ok }) {
			seen := make(map[string]bool, len(r.nodes))
			for _, m := range r.nodes {
				t, _ := jsonText(m[key])
				seen[t] = true
			}
			if len(seen) == len(r.nodes) || key == "id" {
				return key
			}
		}
	}
	return ""
}

// end finds the node that a link means.
func (r *nodelinkReader) end(e *edgeTable, named map[string]int32, v any) (int32, bool) {
	if m, ok := v.(map[string]any); ok { // d3 replaces ids by nodes
		for _, key := range []string{"id", "index", "name"} {
			if t, ok := m[key]; ok {
				return r.end(e, named, t)
			}
		}
		return 0, false
	}
	t, ok := jsonText(v)
	if !ok {
		return 0, false
	}
	if i, ok := e.index[t]; ok {
		return i, true
	}
	if i, ok := named[t]; ok {
		return i, true
	}
	if _, isNumber := v.(json.Number); isNumber {
		if i, err := strconv.Atoi(t); err == nil && i >= 0 && i < len(e.regions) {
			return int32(i), true
		}
	}
	return 0, false
}

func isRelmatKey(key string) bool {
	switch strings.ToLower(key) {
	case "relationshipmeasure", "measure", "storageformat", "validdiagonal":
		return true
	}
	return false
}
