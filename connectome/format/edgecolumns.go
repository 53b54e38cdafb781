package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// What the columns of an edge list mean: by what the caller says, else by
// their titles, else by what stands in them. Where two readings are possible
// the columns are listed with samples, and nothing is read.

// edgeColumns says which column holds what; −1 where there is none.
type edgeColumns struct {
	header         bool
	from, to       int
	weight, length int
	kind           int  // the kind of each edge: chemical, electrical, …
	senders        bool // the kinds are those of NeuronConnect
	type_          int  // Gephi's Type: Directed or Undirected
	width          int
	names          []string
	directed       declared
}

// title is the name of a column, "column 4" when it has none.
func (c *edgeColumns) title(j int) string {
	if j < len(c.names) && c.names[j] != "" {
		return c.names[j]
	}
	return "column " + strconv.Itoa(j+1)
}

// find returns the column that a caller names: by its title, or by its number
// from 1; −1 when there is none.
func (c *edgeColumns) find(name string) int {
	name = strings.TrimSpace(name)
	for j := range c.width {
		if strings.EqualFold(c.title(j), name) {
			return j
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= c.width {
		return n - 1
	}
	return -1
}

// Titles of the two ends of an edge, best first.
var (
	sourceNames = []string{"source", "from", "pre", "presynaptic", "pre_id", "pre_root_id", "pre_pt_root_id", "bodyid_pre", "node1", "node_1", "node 1", "node_a", "sender", "src", "origin", "i", "u", "region1", "roi1", "efferent", "id node1", "from_node", "source_id"}
	targetNames = []string{"target", "to", "post", "postsynaptic", "post_id", "post_root_id", "post_pt_root_id", "bodyid_post", "node2", "node_2", "node 2", "node_b", "receiver", "dst", "destination", "j", "v", "region2", "roi2", "afferent", "id node2", "to_node", "target_id"}
)

// endWords are the words by which the titles of the two ends differ:
// "pre_root_id" and "post_root_id", "source.bodyId" and "target.bodyId".
var endWords = [][2]string{
	{"source", "target"}, {"from", "to"}, {"pre", "post"}, {"presynaptic", "postsynaptic"}, {"src", "dst"}, {"src", "tgt"},
	{"source", "sink"}, {"source", "destination"}, {"upstream", "downstream"}, {"efferent", "afferent"}, {"sender", "receiver"},
	{"origin", "destination"}, {"source", "dest"}, {"seed", "target"}, {"injection", "target"}, {"start", "end"}, {"1", "2"}, {"a", "b"}, {"i", "j"}, {"x", "y"}, {"n", "m"},
}

// endStems are what "1" and "2", "a" and "b" must stand beside, so that
// "weight 1" and "weight 2" are no ends; better ones, which tell cells apart,
// come first.
var endStems = []string{"root", "bodyid", "body", "id", "label", "name", "neuron", "cell", "node", "region", "roi", "area", "parcel", "structure", "vertex", "site", "element"}

// edgeEnds finds the columns of the two ends in a header, −1 where there are
// none.
func edgeEnds(header []string) (from, to int) {
	for k, a := range sourceNames {
		f := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, a) })
		t := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, targetNames[k]) })
		if f >= 0 && t >= 0 {
			return f, t
		}
	}
	from, to = -1, -1
	if len(header) > 256 {
		return from, to // a matrix
	}
	if at := func(title string) int {
		return slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, title) })
	}; len(header) > 2 && at("Var3") < 0 && at("Var1") >= 0 && at("Var2") >= 0 { // a matrix that R has melted, or made a table of
		return at("Var1"), at("Var2")
	}
	best := len(endStems) + 2
	words := make([][]string, len(header))
	for j, h := range header {
		words[j] = titleWords(h)
	}
	for f := range words {
		for t := range words {
			if rank := pairRank(words[f], words[t]); rank >= 0 && rank < best {
				best, from, to = rank, f, t
			}
		}
	}
	return from, to
}

// pairRank says how well two titles name the two ends of an edge, 0 best; −1
// when they do not.
func pairRank(f, t []string) int {
	if len(f) != len(t) {
		return -1
	}
	differ := -1
	for k := range f {
		if f[k] != t[k] {
			if differ >= 0 {
				return -1
			}
			differ = k
		}
	}
	if differ < 0 || !slices.Contains(endWords, [2]string{f[differ], t[differ]}) {
		return -1
	}
	stems := slices.Delete(slices.Clone(f), differ, differ+1)
	for rank, s := range endStems {
		if slices.Contains(stems, s) {
			return rank + 1
		}
	}
	switch {
	case len(f[differ]) < 2:
		return -1
	case len(stems) == 0:
		return 0
	}
	return len(endStems) + 1 // "type_pre", "instance_pre"
}

// titleWords splits a title into words in lower case: at anything that is no
// letter or digit, before digits, and where a capital begins a word.
func titleWords(title string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	var last rune
	for _, r := range title {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsDigit(r) != unicode.IsDigit(last) && unicode.IsLetter(last) || unicode.IsUpper(r) && unicode.IsLower(last):
			flush()
			word = append(word, r)
		default:
			word = append(word, r)
		}
		last = r
	}
	flush()
	if i := slices.Index(words, "body"); i >= 0 && i+1 < len(words) && words[i+1] == "id" { // bodyId
		words = slices.Replace(words, i, i+2, "bodyid")
	}
	return words
}

// columnSample is what a column holds in the first rows.
type columnSample struct {
	numbers, texts, whole int
	values                map[string]bool
	first                 []string // the first distinct values
}

const (
	sampleValues = 4 // distinct values of a column that a message shows
	mostKinds    = 24
)

func sampleColumns(rows [][]string, width int) []columnSample {
	cols := make([]columnSample, width)
	for j := range cols {
		cols[j].values = map[string]bool{}
	}
	for _, r := range rows {
		for j := range min(width, len(r)) {
			c := &cols[j]
			switch _, k := parseNumber([]byte(r[j]), true); {
			case k == isNumber, almostNumber([]byte(r[j])):
				c.numbers++
				if isNodeID(r[j]) {
					c.whole++
				}
			case k == isText:
				c.texts++
			default:
				continue
			}
			if !c.values[r[j]] {
				c.values[r[j]] = true
				if len(c.first) < sampleValues {
					c.first = append(c.first, r[j])
				}
			}
		}
	}
	return cols
}

// isText says whether the column holds names rather than numbers: a text
// among numbers is a fault to report, not a reason to leave weights out.
func (c *columnSample) isText() bool { return c.texts > 0 && c.texts >= c.numbers }

// shares says whether two columns have names in common.
func (c *columnSample) shares(d *columnSample) bool {
	for v := range c.values {
		if d.values[v] {
			return true
		}
	}
	return false
}

func (c *columnSample) String() string {
	if len(c.first) == 0 {
		return "empty"
	}
	text := strings.Join(c.first, ", ")
	if len(c.values) > len(c.first) {
		text += ", …"
	}
	return text
}

// hasSharedNames says whether two columns of names, which are not the first
// two, have names in common: then a table is a list of edges whose ends must be
// named.
func hasSharedNames(rows [][]string) bool {
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	if width < 3 || width > 64 || len(rows) == 0 {
		return false
	}
	cols := sampleColumns(rows, width)
	for i := range cols {
		for j := range i {
			if i > 1 && cols[i].isText() && cols[j].isText() && cols[i].shares(&cols[j]) {
				return true
			}
		}
	}
	return false
}

// edgeListColumns decides from a sample what the columns are.
func (s *source) edgeListColumns(rows [][]string) (edgeColumns, error) {
	c := edgeColumns{from: 0, to: 1, weight: -1, length: -1, kind: -1, type_: -1}
	if c.width = commonWidth(rows); c.width < 2 {
		return c, s.failf(ErrRagged, 1, 0, "an edge list has a column for each end of an edge", "%d column", c.width)
	}
	first := rows[0]
	from, to := edgeEnds(first)
	c.header = s.cfg.titles || from >= 0 || s.titled(first) || len(rows) > 1 && (isHeader(rows) || isNameHeader(rows))
	if c.header {
		if c.width = commonWidth(rows[1:]); c.width == len(first)+1 { // R's names of rows have no title
			first = append([]string{""}, first...)
			if from >= 0 {
				from, to = from+1, to+1
			}
		}
		c.names = first
		c.width = max(c.width, len(first))
		rows = rows[1:]
	}
	cols := sampleColumns(rows, c.width)
	if err := s.edgeListEnds(&c, cols, from, to); err != nil {
		return c, err
	}
	if c.header {
		switch w := titleWords(c.title(c.from)); {
		case slices.ContainsFunc(w, func(x string) bool {
			return strings.HasPrefix(x, "pre") || x == "efferent" || x == "upstream"
		}):
			c.directed = declaredDirected // a synapse has a direction
		}
	}
	s.kindColumn(&c, cols, len(rows))
	var numeric []int
	for j := range c.width {
		if j == c.from || j == c.to || j == c.kind {
			continue
		}
		title := ""
		if j < len(c.names) {
			title = strings.ToLower(c.names[j])
		}
		if c.header && j == 0 && title == "" && countsUp(columnOf(rows, j)) {
			continue // names of rows
		}
		isNum := cols[j].texts == 0 || cols[j].texts < cols[j].numbers || strings.HasPrefix(title, "weight")
		switch {
		case isGephiType(&cols[j]):
			c.type_ = j
		case s.cfg.length != "" && c.find(s.cfg.length) == j,
			s.cfg.length == "" && slices.Contains(lengthNames, title) && c.find(s.cfg.weight) != j:
			c.length = j
		case isNum && (title == "" || !slices.Contains(otherNames, title)), s.cfg.weight != "" && c.find(s.cfg.weight) == j:
			numeric = append(numeric, j)
		}
	}
	return c, s.chooseWeight(&c, numeric)
}

// columnOf is a column of a table.
func columnOf(rows [][]string, j int) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		if j < len(r) {
			out[i] = r[j]
		}
	}
	return out
}

// commonWidth is the commonest number of fields of rows without their empty
// ends, the larger of equals.
func commonWidth(rows [][]string) int {
	count := map[int]int{}
	width := 0
	for _, r := range rows {
		n := len(r)
		if count[n]++; count[n] > count[width] || count[n] == count[width] && n > width {
			width = n
		}
	}
	return width
}

func isGephiType(c *columnSample) bool {
	for v := range c.values {
		if !strings.EqualFold(v, "directed") && !strings.EqualFold(v, "undirected") {
			return false
		}
	}
	return len(c.values) > 0
}

// titled says whether the first row holds a title that the caller uses.
func (s *source) titled(first []string) bool {
	for _, name := range []string{s.cfg.source, s.cfg.target, s.cfg.weight, s.cfg.length, s.cfg.kindColumn} {
		if _, err := strconv.Atoi(name); name != "" && err != nil && slices.ContainsFunc(first, func(h string) bool { return strings.EqualFold(h, name) }) {
			return true
		}
	}
	return false
}

// isNameHeader says whether a first row of plain words heads rows of numbers
// only, as "a,b" does.
func isNameHeader(rows [][]string) bool {
	for _, f := range rows[0] {
		if _, k := parseNumber([]byte(f), true); k != isText {
			return false
		}
	}
	for _, r := range rows[1:] {
		for _, f := range r {
			if _, k := parseNumber([]byte(f), true); k == isText {
				return false
			}
		}
	}
	return true
}

// edgeListEnds settles which columns are the source and the target.
func (s *source) edgeListEnds(c *edgeColumns, cols []columnSample, from, to int) error {
	if s.cfg.source != "" || s.cfg.target != "" {
		for _, end := range []struct {
			flag, name string
			column     *int
			known      int
		}{{"--source", s.cfg.source, &c.from, from}, {"--target", s.cfg.target, &c.to, to}} {
			if end.name == "" {
				if end.known < 0 {
					return s.failf(ErrVariable, 1, 0, "name both columns, with --source and --target", "no column is known to be the other end of an edge")
				}
				*end.column = end.known
				continue
			}
			j := c.find(end.name)
			if j < 0 {
				return s.failf(ErrVariable, 1, 0, "the columns are "+listOr(c.names, fmt.Sprintf("not named; give a number from 1 to %d", c.width)), "no column %q for %s", end.name, end.flag)
			}
			*end.column = j
		}
		if c.from == c.to {
			return s.failf(ErrVariable, 1, 0, "name two columns", "%s is both --source and --target", c.title(c.from))
		}
		return nil
	}
	if from >= 0 {
		c.from, c.to = from, to
		return nil
	}
	if !ambiguousEnds(cols) {
		return nil
	}
	e := &AmbiguousError{Path: s.path, What: "source and the target column", Option: "WithSource and WithTarget", Flag: "--source N --target N"}
	for j := range cols {
		name := strconv.Itoa(j + 1)
		if j < len(c.names) && c.names[j] != "" {
			name += " " + c.names[j]
		}
		e.Candidates = append(e.Candidates, Candidate{name, cols[j].String()})
	}
	return e
}

// ambiguousEnds says whether columns without telling titles may name the ends
// of edges otherwise than by the first two: one of these is no name, while
// others are, or the names of two others are the same and theirs are not.
func ambiguousEnds(cols []columnSample) bool {
	a, b := &cols[0], &cols[1]
	var texts []*columnSample
	for j := range cols {
		if cols[j].isText() {
			texts = append(texts, &cols[j])
		}
	}
	fits := func(c *columnSample) bool { return c.isText() || c.whole == c.numbers }
	if len(texts) >= 2 && a.isText() != b.isText() || len(texts) >= 2 && !a.isText() {
		return true
	}
	if !fits(a) || !fits(b) {
		return len(texts) >= 2
	}
	if a.shares(b) {
		return false
	}
	for i, c := range texts {
		for _, d := range texts[:i] {
			if !(d == a && c == b) && c.shares(d) {
				return true
			}
		}
	}
	return false
}

// chooseWeight picks the weight among the numeric columns.
func (s *source) chooseWeight(c *edgeColumns, numeric []int) error {
	if s.cfg.weight != "" {
		if c.weight = c.find(s.cfg.weight); c.weight < 0 {
			return s.failf(ErrVariable, 1, 0, "the columns are "+listOr(c.names, "not named"), "no column %q", s.cfg.weight)
		}
		return nil
	}
	for _, want := range weightNames {
		j := slices.IndexFunc(c.names, func(h string) bool { return strings.EqualFold(h, want) })
		if slices.Contains(numeric, j) {
			c.weight = j
			return nil
		}
	}
	for _, j := range numeric {
		if j < len(c.names) && slices.Contains(titleWords(c.names[j]), "weight") || strings.HasPrefix(strings.ToLower(c.title(j)), "weight") {
			c.weight = j
			return nil
		}
	}
	switch {
	case len(numeric) == 1, len(numeric) > 1 && !c.header && numeric[0] == 2 && c.kind < 0 && c.from == 0 && c.to == 1:
		c.weight = numeric[0]
		if len(numeric) > 1 {
			s.rep.Warnf("extra-columns", "the third of %d columns without a header is taken as weight", len(numeric)+2)
		}
	case len(numeric) > 1:
		err := &AmbiguousError{Path: s.path, What: "weight column", Option: "WithWeight", Flag: "--weight"}
		for _, j := range numeric {
			err.Candidates = append(err.Candidates, Candidate{Name: c.title(j)})
		}
		return err
	}
	return nil
}

// fractionNames are weights that are shares of all of a target's inputs: of
// several injections into one target the mean counts, not the sum.
var fractionNames = []string{"fln", "flne", "fln_e", "sln"}
