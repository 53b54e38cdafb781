package format

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Edge lists: two or three columns, any delimiter, with or without a header.
// They are read in one pass into a [connectome.Builder]: an edge costs 16 bytes while
// reading, whatever its line was.

// edgeReader is the state of reading one edge list.
type edgeReader struct {
	t     *table
	col   edgeColumns
	b     connectome.Builder
	ids   map[string]int32
	names []string
	small []int32 // ids of nodes named 0…len−1, plus one
	order listOrder
	kinds edgeKinds
	width int // fields a row
	least int // fields that a row must have
}

// listOrder follows whether a list in file order could be one triangle of a
// symmetric matrix.
type listOrder struct {
	started            bool
	current            int32
	asSource, asTarget []bool
	notUpper, notLower bool
}

func (o *listOrder) edge(from, to int32) {
	if n := int(max(from, to)) + 1; n > len(o.asSource) {
		o.asSource = append(o.asSource, make([]bool, n-len(o.asSource))...)
		o.asTarget = append(o.asTarget, make([]bool, n-len(o.asTarget))...)
	}
	if !o.started || from != o.current {
		o.notUpper = o.notUpper || o.asSource[from]
		o.notLower = o.notLower || o.asSource[from] || o.asTarget[from]
		o.started, o.current = true, from
		o.asSource[from] = true
	}
	if to != from {
		o.notUpper = o.notUpper || o.asSource[to]
		o.asTarget[to] = true
	}
}

func (o *listOrder) triangle(edges int) bool {
	return edges >= minTriangle && (!o.notUpper || !o.notLower)
}

func (s *source) readEdgeList(delim byte, sample [][]string) (*connectome.Connectome, error) {
	if len(sample) == 0 {
		return nil, s.failf(ErrEmpty, 0, 0, "is this the right file?", "no rows")
	}
	s.cfg.usedEnds, s.cfg.usedKinds = true, true
	col, err := s.edgeListColumns(sample)
	if err != nil {
		return nil, err
	}
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	r := &edgeReader{t: t, col: col, ids: map[string]int32{}, width: col.width}
	r.least = max(col.from, col.to, col.weight, col.length, col.kind, col.type_) + 1
	if err := r.startKinds(); err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if first && col.header {
			continue
		}
		if err := r.row(); err != nil {
			return nil, err
		}
	}
	if err := t.groups.ambiguous(s); err != nil {
		return nil, err
	}
	if !col.header && col.width == 2 && s.cfg.format == "" && s.cfg.source == "" && s.cfg.target == "" && r.isProse() {
		return nil, s.failf(ErrFormat, 0, 0, "if they are the ends of edges, say so with --format edgelist", "two words a line, none of which occurs again: not a connectome")
	}
	s.rep.Format = "edge list"
	s.rep.Dialect = delimiterName(delim)
	if col.header {
		s.rep.Dialect += ", header row"
	}
	s.rep.Weight = "none: every edge weighs 1"
	if col.weight >= 0 {
		s.rep.Weight = col.title(col.weight)
	}
	if col.length >= 0 {
		s.rep.Length = col.title(col.length)
	}
	if col.header || col.from != 0 || col.to != 1 {
		s.rep.OrientationHow = fmt.Sprintf("sources are in %s, targets in %s", col.title(col.from), col.title(col.to))
	}
	if !s.cfg.merged && col.weight >= 0 && slices.Contains(fractionNames, strings.ToLower(col.title(col.weight))) {
		s.cfg.parallel = connectome.MeanParallel
		s.rep.Infof("mean-of-fractions", "%s is a share of a target's inputs: repeated injections are averaged; --parallel sum adds them", col.title(col.weight))
	}
	c, err := r.connectome()
	if err != nil {
		return nil, err
	}
	return c, s.joinNodeFile(c)
}

// node returns the number of the node with the given name.
func (r *edgeReader) node(f []byte) int32 {
	if x, ok := parseShort(f); ok && (len(f) == 1 || f[0] != '0') && x < float64(len(r.small)) {
		if i := r.small[int(x)]; i > 0 {
			return i - 1
		}
	}
	if i, ok := r.ids[string(f)]; ok {
		return i
	}
	name := string(f)
	if bytes.IndexByte(f, '.') >= 0 { // 3.0 for 3, as numeric exports write ids
		if x, k := parseNumber(f, false); k == isNumber && x == math.Trunc(x) && math.Abs(x) < 1e15 {
			name = strconv.FormatInt(int64(x), 10)
			if i, ok := r.ids[name]; ok {
				r.ids[string(f)] = i
				return i
			}
		}
	}
	i := int32(len(r.names))
	r.names = append(r.names, name)
	r.ids[name] = i
	if name != string(f) {
		r.ids[string(f)] = i
	}
	if x, ok := parseShort([]byte(name)); ok && (len(name) == 1 || name[0] != '0') && x < 4*float64(len(r.names))+1024 {
		for int(x) >= len(r.small) {
			r.small = append(r.small, 0)
		}
		r.small[int(x)] = i + 1
	}
	return i
}

func (r *edgeReader) row() error {
	f, t := r.t.fields, r.t
	if len(withoutEmptyEnd(f, 0)) == 0 {
		return nil // an empty row of a spreadsheet
	}
	if len(f) < r.width {
		return t.s.failf(ErrRagged, t.line, 0, "check the delimiter and for values lost in an export", "%d fields where other rows have %d", len(f), r.width)
	}
	f = withoutEmptyEnd(f, r.width)
	if len(f) > r.width {
		return t.s.failf(ErrRagged, t.line, 0, "check the delimiter and for values lost in an export", "%d fields where the rows before have %d", len(f), r.width)
	}
	if r.least > len(f) {
		return t.s.failf(ErrRagged, t.line, 0, "", "%d fields, and column %d is needed", len(f), r.least)
	}
	use := usedDirected
	if r.col.kind >= 0 {
		if use = r.kindOf(f[r.col.kind]); strings.HasPrefix(use, "left out") {
			return nil
		}
	}
	for _, j := range []int{r.col.from, r.col.to} {
		if len(f[j]) == 0 {
			return t.s.failf(ErrNode, t.line, j+1, "every edge needs both ends", "an edge without a name for one end")
		}
	}
	weight, length := 1.0, math.NaN()
	if r.col.weight >= 0 {
		x, k := t.number(f[r.col.weight])
		switch k {
		case isText:
			return t.s.failf(ErrNumber, t.line, r.col.weight+1, numberAdvice(f[r.col.weight], "choose another column with --weight"), "weight %s", quoteShort(f[r.col.weight]))
		case isMissing, isInfinite:
			r.node(f[r.col.from]) // the nodes still count
			r.node(f[r.col.to])
			if k == isInfinite {
				if t.s.rep.Infinite++; t.s.rep.Infinite == 1 {
					t.s.rep.InfiniteHow = fmt.Sprintf("the first in line %d", t.line)
				}
				return nil
			}
			if t.s.rep.Missing++; t.s.rep.Missing == 1 {
				t.s.rep.MissingHow = fmt.Sprintf("edges without a weight, the first in line %d", t.line)
			}
			return nil
		}
		weight = x
	}
	if r.col.length >= 0 {
		if x, k := parseNumber(f[r.col.length], t.delim != ','); k == isNumber && x >= 0 {
			length = x
		}
	}
	if len(r.names) > math.MaxInt32-2 {
		return t.s.failf(ErrTooLarge, t.line, 0, "", "more than 2^31 nodes")
	}
	from, to := r.node(f[r.col.from]), r.node(f[r.col.to])
	undirected := use == usedUndirected
	if r.col.type_ >= 0 {
		undirected = bytes.EqualFold(f[r.col.type_], []byte("undirected"))
	}
	switch {
	case undirected:
		r.kinds.mutual.Add(int(from), int(to), weight, length)
	case use == usedReceived:
		r.kinds.received.Add(int(to), int(from), weight, length)
	default:
		r.order.edge(from, to)
		r.b.Add(int(from), int(to), weight, length)
	}
	return nil
}

// isProse says whether a list of two columns without a header is rather a text
// or another table: names, each of which stands in it once.
func (r *edgeReader) isProse() bool {
	return r.b.Len() > 0 && len(r.names) == 2*r.b.Len() && !slices.ContainsFunc(r.names, func(n string) bool { return !isWord(n) })
}

// startKinds prepares the counting of kinds.
func (r *edgeReader) startKinds() error {
	s := r.t.s
	r.kinds = edgeKinds{count: map[string]*connectome.EdgeKind{}}
	asked := s.cfg.kindColumn != "" || len(s.cfg.kinds) > 0
	switch {
	case s.cfg.kindColumn != "" && r.col.find(s.cfg.kindColumn) < 0:
		return s.failf(ErrVariable, 1, 0, "the columns are "+listOr(r.col.names, fmt.Sprintf("not named; give a number from 1 to %d", r.col.width)), "no column %q for --kind", s.cfg.kindColumn)
	case asked && r.col.kind < 0:
		return s.failf(ErrVariable, 1, 0, "name the column, for example --kind COLUMN=S,Sp; the columns are "+listOr(r.col.names, fmt.Sprintf("numbered 1 to %d", r.col.width)), "no column that says the kind of each edge")
	}
	if len(s.cfg.kinds) > 0 {
		r.kinds.want = s.cfg.kinds
	}
	return nil
}

// kindOf counts an edge of a kind and says what it means.
func (r *edgeReader) kindOf(name []byte) string {
	k := r.kinds.of(name)
	if k == nil {
		return r.kinds.use(name, r.col.senders)
	}
	if k.Edges++; k.Edges == 1 {
		k.Used = r.kinds.use(name, r.col.senders)
	}
	return k.Used
}

// finishKinds reports the kinds and adds the edges that were kept apart.
func (r *edgeReader) finishKinds() error {
	s := r.t.s
	if r.col.kind >= 0 {
		for _, want := range r.kinds.want {
			if !slices.ContainsFunc(r.kinds.order, func(k *connectome.EdgeKind) bool { return strings.EqualFold(k.Name, want) }) {
				var have []string
				for _, k := range r.kinds.order {
					have = append(have, k.Name)
				}
				return s.failf(ErrVariable, 0, 0, "the kinds are "+listOr(have, "none"), "no edge of kind %q in %s", want, r.col.title(r.col.kind))
			}
		}
		r.kinds.report(s, r.col.title(r.col.kind))
	}
	switch directed := r.b.Len() + r.kinds.received.Len(); {
	case r.kinds.mutual.Len() == 0:
	case directed == 0: // all are undirected
		r.b, r.kinds.mutual = r.kinds.mutual, connectome.Builder{}
		if r.col.directed == undeclared {
			r.col.directed = declaredUndirected
		}
	default:
		r.col.directed = declaredDirected
	}
	if r.kinds.received.Len() > 0 {
		r.col.directed = declaredDirected // a synapse has a direction
	}
	r.kinds.join(s, &r.b, len(r.names))
	return nil
}

// connectome numbers the nodes by name and builds the matrix. An edge list
// has no order of its own: names are sorted, as numbers when all are.
func (r *edgeReader) connectome() (*connectome.Connectome, error) {
	s := r.t.s
	n := len(r.names)
	if n == 0 && len(r.kinds.want) == 0 {
		return nil, s.failf(ErrEmpty, 0, 0, "is this the right file?", "no edges")
	}
	r.ids, r.small = nil, nil
	if err := r.finishKinds(); err != nil {
		return nil, err
	}
	order, numeric := nameOrder(r.names)
	how := "names are sorted"
	if numeric {
		how = "names are sorted as numbers"
	}
	place := make([]int32, n)
	regions := make([]connectome.Region, n)
	for k, i := range order {
		place[i] = int32(k)
		regions[k].Label = r.names[i]
	}
	r.b.Renumber(place)
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "node names", true, "edges name their nodes; "+how
	edges := r.b.Len()
	s.missingEdges(&r.b)
	if r.col.directed == undeclared && s.cfg.directed == nil && r.order.triangle(edges) {
		s.warnTriangle()
		r.col.directed = declaredUndirected
		c := s.finishEdges(&r.b, regions, r.col.directed)
		s.rep.SymmetryHow = "one triangle is listed"
		return c, nil
	}
	return s.finishEdges(&r.b, regions, r.col.directed), nil
}

// nameOrder gives the indices of names in the order in which an edge list
// numbers its nodes: by number when all are whole numbers, else by name.
func nameOrder(names []string) (order []int32, numeric bool) {
	order = make([]int32, len(names))
	numbers, numeric := make([]int64, len(names)), true
	for i, name := range names {
		x, err := strconv.ParseInt(name, 10, 64)
		order[i], numbers[i], numeric = int32(i), x, numeric && err == nil
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		if numeric {
			return cmp.Compare(numbers[a], numbers[b])
		}
		return strings.Compare(names[a], names[b])
	})
	return order, numeric
}

// warnTriangle says why a list that does not tell is read as undirected.
func (s *source) warnTriangle() {
	s.rep.Warnf("triangle", "each pair of regions is listed once, in the order of one triangle of a matrix; the list is read as undirected (pass --directed if it is a directed, loop-free graph)")
}

// missingEdges applies the rule for −1 (see dropMissing) to listed edges.
func (s *source) missingEdges(b *connectome.Builder) {
	sentinel := s.cfg.missing
	if sentinel == nil {
		found, most := false, 0.0
		negative := false
		b.Reweigh(func(from, to int, w float64) float64 {
			negative = negative || w < 0 && w != -1
			found = found || w == -1 && from != to
			most = max(most, w)
			return w
		})
		if negative || !found || most <= 1 {
			return
		}
		sentinel = []float64{-1}
		s.rep.Warnf("missing-sentinel", "−1 is taken as missing: it is the only negative weight; pass --missing with no value to keep it")
	}
	b.Reweigh(func(_, _ int, w float64) float64 {
		if !slices.Contains(sentinel, w) {
			return w
		}
		s.rep.Missing++
		s.rep.ZeroWeight-- // Build will count it
		s.rep.MissingHow = "edges marked as missing"
		return 0
	})
}
