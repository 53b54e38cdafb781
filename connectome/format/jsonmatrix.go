package format

import "github.com/connectomewire/wire/connectome"

import (
	"bytes"
	"encoding/json"
)

// Matrices and edges in JSON that is no node-link graph: a bare matrix, a list
// of records, pandas's orients, NetworkX's dictionaries of dictionaries or
// lists and its adjacency data, and objects of named arrays.

// readJSONArray reads a document that is a list.
func (s *source) readJSONArray() (*connectome.Connectome, error) {
	v, err := s.orderedJSON()
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, s.failf(ErrEmpty, 0, 0, "is this the right file?", "an empty list")
	}
	s.rep.Format = "JSON"
	switch list[0].(type) {
	case jsonObject:
		return s.jsonRecords(list)
	case []any:
		if c, ok, err := s.jsonTriples(list); ok {
			return c, err
		}
	}
	a, err := jsonArray("matrix", v)
	if err != nil {
		return nil, s.failf(ErrRagged, 0, 0, "", "%v", err)
	}
	kind, condensed := triangles[s.cfg.format]
	switch {
	case a == nil, a.text != nil:
		return nil, s.failf(ErrFormat, 0, 0, "a connectome in JSON is a list of rows of numbers, a list of records, or an object", "a list of other things")
	case len(a.shape) == 1 && condensed:
		s.cfg.usedFormat = true
		c, err := s.condensed(a.data, kind)
		if err != nil {
			return nil, err
		}
		return c, s.joinLabels(c)
	case len(a.shape) == 1 && len(a.data) >= minCondensed && condensedSize(len(a.data)) > 0:
		return nil, condensedError(s, len(a.data), anyTriangle)
	}
	s.rep.Dialect = "bare matrix"
	return s.arraysConnectome([]*array{a})
}

// jsonTriples reads a list of [source, target] or [source, target, weight],
// told from a matrix by its texts or by having more rows than columns.
func (s *source) jsonTriples(list []any) (c *connectome.Connectome, ok bool, err error) {
	var t tableText
	text := false
	for _, e := range list {
		row, ok := e.([]any)
		if !ok || len(row) < 2 || len(row) > 3 {
			return nil, false, nil
		}
		fields := make([]string, len(row))
		for i, v := range row {
			fields[i], ok = jsonText(v)
			if _, isText := v.(string); isText && i < 2 {
				text = true
			}
			if !ok && i < 2 {
				return nil, false, nil
			}
		}
		t.row(fields...)
	}
	if !text && len(list) <= 3 {
		return nil, false, nil
	}
	s.rep.Dialect = "list of edges"
	c, err = t.readEdges(s, "")
	return c, true, err
}

// jsonRecords reads a list of objects: edges, or the rows of a matrix.
func (s *source) jsonRecords(list []any) (*connectome.Connectome, error) {
	var titles []string
	at := map[string]int{}
	for i, e := range list {
		o, ok := e.(jsonObject)
		if !ok {
			return nil, s.failf(ErrFormat, 0, 0, "every record is an object", "record %d is none", i+1)
		}
		for _, m := range o {
			if _, ok := at[m.key]; !ok {
				at[m.key] = len(titles)
				titles = append(titles, m.key)
			}
		}
		if len(titles) > 1<<16 {
			return nil, s.failf(ErrTooLarge, 0, 0, "is this a connectome?", "records with more than %d different keys", 1<<16)
		}
	}
	var t tableText
	t.row(titles...)
	row := make([]string, len(titles))
	for _, e := range list {
		clear(row)
		for _, m := range e.(jsonObject) {
			row[at[m.key]], _ = jsonText(m.value)
		}
		t.row(row...)
		if t.b.Len() > int(s.cfg.maxBytes) {
			return nil, s.failf(ErrTooLarge, 0, 0, "raise the bound with --max-bytes if the file is sound", "the records expand beyond the bound")
		}
	}
	s.rep.Dialect = "records"
	if from, _ := edgeEnds(titles); from >= 0 || s.cfg.source != "" || s.cfg.target != "" {
		return t.readEdges(s, "")
	}
	if len(list) == len(titles) {
		return t.readMatrix(s, "")
	}
	inner := t.source(s, "")
	head, err := inner.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	return inner.readTable(head)
}

// readJSONObject reads an object that has no nodes and links.
func (s *source) readJSONObject() (*connectome.Connectome, bool, error) {
	v, err := s.orderedJSON()
	if err != nil {
		return nil, true, err
	}
	o, ok := v.(jsonObject)
	if !ok || len(o) == 0 {
		return nil, false, nil
	}
	s.rep.Format = "JSON"
	if records, ok := o.get("data").([]any); ok && o.get("schema") != nil && len(records) > 0 {
		s.rep.Dialect = "pandas, orient table"
		c, err := s.jsonRecords(records)
		return c, true, err
	}
	if columns, ok := o.get("columns").([]any); ok {
		if data, ok := o.get("data").([]any); ok {
			c, err := s.jsonSplit(columns, o.get("index"), data)
			return c, true, err
		}
	}
	if nodes, ok := o.get("nodes").([]any); ok {
		if adjacency, ok := o.get("adjacency").([]any); ok {
			c, err := s.jsonAdjacency(o, nodes, adjacency)
			return c, true, err
		}
	}
	if c, ok, err := s.jsonArrays(o); ok {
		return c, true, err
	}
	if c, ok, err := s.jsonColumns(o); ok {
		return c, true, err
	}
	if records := numberedRecords(o); records != nil {
		c, err := s.jsonRecords(records)
		return c, true, err
	}
	if c, ok, err := s.jsonDicts(o); ok {
		return c, true, err
	}
	for _, key := range []string{"edges", "links"} { // without nodes: the edges name them
		if list, ok := o.get(key).([]any); ok && len(list) > 0 {
			if _, ok := list[0].(jsonObject); ok {
				c, err := s.jsonRecords(list)
				return c, true, err
			}
			if c, ok, err := s.jsonTriples(list); ok {
				return c, true, err
			}
		}
	}
	for _, m := range o { // {"connectivity": {"weights": …, "labels": …}}
		if inner, ok := m.value.(jsonObject); ok {
			if c, ok, err := s.jsonArrays(inner); ok {
				s.rep.Dialect += " in " + m.key
				return c, true, err
			}
		}
	}
	return nil, false, nil
}

// readJSONLines reads one record a line.
func (s *source) readJSONLines() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	r := &nodelinkReader{s: s, d: json.NewDecoder(text)}
	r.d.UseNumber()
	var list []any
	for r.d.More() {
		v, err := decodeOrdered(r.d, 0)
		if err != nil {
			return nil, r.locate(err)
		}
		list = append(list, v)
	}
	s.rep.Format = "JSON lines"
	return s.jsonRecords(list)
}

// isJSONLines recognises two lines or more of which each is a whole object.
func isJSONLines(text []byte) bool {
	lines := 0
	for line := range bytes.Lines(text) {
		whole := bytes.HasSuffix(line, []byte("\n"))
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case !bytes.HasPrefix(line, []byte("{")), whole && !bytes.HasSuffix(line, []byte("}")):
			return false
		default:
			lines++
		}
	}
	return lines > 1
}

// jsonSplit reads pandas's orient split: a table with its columns and index.
func (s *source) jsonSplit(columns []any, index any, data []any) (*connectome.Connectome, error) {
	names := func(list []any) []string {
		out := make([]string, len(list))
		for i, v := range list {
			out[i], _ = jsonText(v)
		}
		return out
	}
	s.rep.Dialect = "pandas, orient split"
	titles := names(columns)
	var rows []string
	if list, ok := index.([]any); ok && len(list) == len(data) {
		rows = names(list)
	}
	var t tableText
	edges := false
	if from, _ := edgeEnds(titles); from >= 0 || s.cfg.source != "" || s.cfg.target != "" {
		edges, rows = true, nil
	}
	header := titles
	if rows != nil {
		header = append([]string{""}, titles...)
	}
	t.row(header...)
	for i, e := range data {
		list, ok := e.([]any)
		if !ok || len(list) != len(columns) {
			return nil, s.failf(ErrRagged, 0, 0, "", "row %d of data has not the %d values of columns", i+1, len(columns))
		}
		fields := names(list)
		if rows != nil {
			fields = append([]string{rows[i]}, fields...)
		}
		t.row(fields...)
	}
	if edges {
		return t.readEdges(s, "")
	}
	return t.readMatrix(s, "")
}

// jsonAdjacency reads NetworkX's adjacency data.
func (s *source) jsonAdjacency(o jsonObject, nodes, adjacency []any) (*connectome.Connectome, error) {
	s.rep.Dialect = "NetworkX adjacency data"
	e := newEdgeTable()
	e.declared = declaredDirected
	if directed, ok := o.get("directed").(bool); ok && !directed {
		e.declared = declaredUndirected
	}
	if len(adjacency) != len(nodes) {
		return nil, s.failf(ErrRagged, 0, 0, "", "%d nodes and the neighbours of %d", len(nodes), len(adjacency))
	}
	attributes := func(v any, skip string) (id string, list []attr) {
		node, ok := v.(jsonObject)
		if !ok {
			id, _ = jsonText(v)
			return id, nil
		}
		for _, m := range node {
			text, ok := jsonText(m.value)
			switch {
			case !ok:
			case m.key == "id":
				id = text
			case m.key != skip:
				list = append(list, attr{m.key, text})
			}
		}
		return id, list
	}
	attrs := make([][]attr, len(nodes))
	for i, v := range nodes {
		id, list := attributes(v, "")
		if id == "" || int(e.node(id)) != i {
			return nil, s.failf(ErrNode, 0, 0, "every node has an id of its own", "node %d has the id %q", i+1, id)
		}
		attrs[i] = list
	}
	for i, v := range adjacency {
		neighbours, ok := v.([]any)
		if !ok {
			return nil, s.failf(ErrSyntax, 0, 0, "adjacency holds a list a node", "entry %d of adjacency", i+1)
		}
		for _, n := range neighbours {
			id, list := attributes(n, "key")
			to, ok := e.index[id]
			if !ok {
				return nil, s.failf(ErrNode, 0, 0, "declare the node, or correct the edge that names it", "edge from %q to %q", e.regions[i].Label, id)
			}
			edge := e.edge(int32(i), to)
			for _, a := range list {
				e.attribute(edge, a.name, a.value)
			}
		}
	}
	s.nodeAttributes(e.regions, attrs)
	return e.connectome(s)
}

// jsonArrays reads an object of named arrays, one of which is a matrix.
func (s *source) jsonArrays(o jsonObject) (*connectome.Connectome, bool, error) {
	var all []*array
	matrix := false
	for _, m := range o {
		a, err := jsonArray(m.key, m.value)
		if err != nil {
			return nil, true, s.failf(ErrRagged, 0, 0, "", "%v", err)
		}
		if a != nil {
			all = append(all, a)
			matrix = matrix || a.isMatrix()
		}
	}
	if !matrix {
		return nil, false, nil
	}
	s.rep.Dialect = "named arrays"
	c, err := s.arraysConnectome(all)
	return c, true, err
}

// jsonColumns reads an object of the columns of a list of edges, each a list or,
// as pandas writes unless told otherwise, a dictionary of rows.
func (s *source) jsonColumns(o jsonObject) (*connectome.Connectome, bool, error) {
	titles := make([]string, len(o))
	columns := make([][]string, len(o))
	for i, m := range o {
		titles[i] = m.key
		switch v := m.value.(type) {
		case []any:
			for _, x := range v {
				text, _ := jsonText(x)
				columns[i] = append(columns[i], text)
			}
		case jsonObject:
			for _, row := range v {
				text, _ := jsonText(row.value)
				columns[i] = append(columns[i], text)
			}
		default:
			return nil, false, nil
		}
		if len(columns[i]) != len(columns[0]) {
			return nil, false, nil
		}
	}
	if from, _ := edgeEnds(titles); from < 0 && s.cfg.source == "" && s.cfg.target == "" || len(columns[0]) == 0 {
		return nil, false, nil
	}
	var t tableText
	t.row(titles...)
	row := make([]string, len(o))
	for k := range columns[0] {
		for j := range columns {
			row[j] = columns[j][k]
		}
		t.row(row...)
	}
	s.rep.Dialect = "columns of a list of edges"
	c, err := t.readEdges(s, "")
	return c, true, err
}

// numberedRecords are the edges of an object that holds them by running number,
// as pandas's orient index has them; nil for others.
func numberedRecords(o jsonObject) []any {
	keys, records := make([]string, len(o)), make([]any, len(o))
	for i, m := range o {
		keys[i], records[i] = m.key, m.value
		record, ok := m.value.(jsonObject)
		if !ok || len(record) < 2 {
			return nil
		}
		titles := make([]string, len(record))
		for k, f := range record {
			titles[k] = f.key
		}
		if from, _ := edgeEnds(titles); from < 0 {
			return nil
		}
	}
	if !countsUp(keys) {
		return nil
	}
	return records
}

// jsonDicts reads a dictionary of dictionaries, source → target → weight (or
// attributes), or of lists, source → targets. A dictionary that has every
// target for every source may be a table of pandas, whose default is columns
// outside: then the orientation is reported as that of a matrix.
func (s *source) jsonDicts(o jsonObject) (*connectome.Connectome, bool, error) {
	e := newEdgeTable()
	for _, m := range o {
		e.node(m.key)
	}
	complete := true
	turn := s.cfg.rows == connectome.RowsTarget
	add := func(from int32, name string) int32 {
		to := e.node(name)
		if turn {
			from, to = to, from
		}
		return e.edge(from, to)
	}
	for i, m := range o {
		switch inner := m.value.(type) {
		case jsonObject:
			complete = complete && len(inner) == len(o)
			for _, t := range inner {
				edge := add(int32(i), t.key)
				switch w := t.value.(type) {
				case jsonObject:
					for _, a := range w {
						if text, ok := jsonText(a.value); ok {
							e.attribute(edge, a.key, text)
						}
					}
				default:
					x, ok := jsonNumber(w)
					if !ok {
						return nil, false, nil
					}
					e.column("weight").set(edge, x)
				}
			}
		case []any:
			complete = false
			for _, t := range inner {
				name, ok := jsonText(t)
				if !ok {
					return nil, false, nil
				}
				add(int32(i), name)
			}
		default:
			return nil, false, nil
		}
	}
	if len(e.from) == 0 {
		return nil, false, nil
	}
	s.rep.Dialect = "dictionary of sources"
	how := "outer keys are sources, inner keys targets"
	if complete && len(e.regions) == len(o) {
		how += "; pandas writes columns as outer keys unless told otherwise"
	}
	if complete || s.cfg.rows != connectome.RowsUnset {
		s.rep.Orientation = connectome.RowsSource
		if turn {
			s.rep.Orientation, how = connectome.RowsTarget, "as asked for with --rows"
		}
	}
	s.rep.OrientationHow = how
	if !e.listsBothWays() {
		e.declared = declaredDirected
	}
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "keys", true, "keys name the regions"
	c, err := e.connectome(s)
	if err != nil {
		return nil, true, err
	}
	return c, true, s.joinNodeFile(c)
}
