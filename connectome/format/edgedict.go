package format

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Edge lists whose third column is a Python dictionary, which is what
// networkx.write_edgelist writes: a b {'weight': 1.5, 'length': 30.0}.

// splitDictLine cuts a line into the two ends of an edge and the inside of the
// braces; ok is false for other lines.
func splitDictLine(line []byte) (ends []string, dict string, ok bool) {
	text := string(bytes.TrimSpace(line))
	open := strings.IndexByte(text, '{')
	if open < 0 || !strings.HasSuffix(text, "}") {
		return nil, "", false
	}
	ends = strings.FieldsFunc(text[:open], func(r rune) bool { return strings.ContainsRune(" \t,;", r) })
	return ends, text[open+1 : len(text)-1], len(ends) == 2
}

// isDictEdgeList looks at the first line that is no comment.
func isDictEdgeList(head []byte) bool {
	for line := range bytes.Lines(head) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' {
			_, _, ok := splitDictLine(text)
			return ok && text[0] != '{'
		}
	}
	return false
}

func (s *source) readDictEdgeList() (*connectome.Connectome, error) {
	t, err := s.table(' ')
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	e := newEdgeTable()
	var order listOrder
	for {
		line, err := t.readLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if text := bytes.TrimSpace(line); len(text) == 0 || text[0] == '#' {
			continue
		}
		ends, dict, ok := splitDictLine(line)
		if !ok {
			return nil, s.failf(ErrSyntax, t.line, 0, "write two names and a dictionary, as networkx.write_edgelist does", "%s in a list of edges with dictionaries", quoteShort(bytes.TrimSpace(line)))
		}
		from, to := e.node(ends[0]), e.node(ends[1])
		order.edge(from, to)
		edge := e.edge(from, to)
		for _, a := range pythonItems(dict) {
			e.attribute(edge, a.name, a.value)
		}
	}
	s.rep.Format, s.rep.Dialect = "edge list", "NetworkX, with dictionaries"
	return e.listed(s, &order)
}

// sortNodes numbers the nodes in the order of their names, and says whether
// these are numbers.
func (e *edgeTable) sortNodes() (numeric bool) {
	names := make([]string, len(e.regions))
	for i := range names {
		names[i] = e.regions[i].Label
	}
	order, numeric := nameOrder(names)
	e.reorder(order)
	return numeric
}

// pythonItems reads the items of a dictionary of numbers and texts; a number
// may stand in a call, as in np.float64(1.5).
func pythonItems(dict string) []attr {
	var items []attr
	r := bufio.NewReader(strings.NewReader(dict))
	for {
		key, err := pythonWord(r, ':')
		if err != nil && key == "" {
			return items
		}
		value, err := pythonWord(r, ',')
		items = append(items, attr{key, withoutCall(value)})
		if err != nil {
			return items
		}
	}
}

// pythonWord reads up to a separator that is neither quoted nor in brackets,
// and takes the quotes off.
func pythonWord(r *bufio.Reader, separator byte) (string, error) {
	var b strings.Builder
	var quote byte
	depth := 0
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil, c == separator && quote == 0 && depth == 0:
			return strings.TrimSpace(b.String()), err
		case quote != 0 && c == '\\':
			if c, err = r.ReadByte(); err == nil {
				b.WriteByte(c)
			}
		case c == quote:
			quote = 0
		case quote == 0 && depth == 0 && (c == '\'' || c == '"'):
			quote = c
		default:
			if quote == 0 && strings.IndexByte("([{", c) >= 0 {
				depth++
			} else if quote == 0 && strings.IndexByte(")]}", c) >= 0 {
				depth--
			}
			b.WriteByte(c)
		}
	}
}
