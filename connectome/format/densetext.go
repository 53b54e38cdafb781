package format

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
)

// Dense matrices in text: comma, tab, semicolon or space separated, with or
// without a header row of labels or numeric ids, with or without a column of
// labels, missing values in any of the usual spellings.

// denseText is what readDenseText finds.
type denseText struct {
	*matrix
	header    []string // labels of the columns, nil when there is no header row
	rowLabels []string // labels of the rows, nil when there is no label column
	ids       []string // numeric ids of the columns: a numbering, not names
	corner    string   // what stands above the labels of the rows
	dialect   string
}

// denseOptions say how readDenseText treats what it finds.
type denseOptions struct {
	keepNaN bool // for lengths
	n       int  // expected size, 0 when free
}

// readDenseText reads a square matrix. The first row is held back until it is
// known whether it is a header.
func (s *source) readDenseText(delim byte, o denseOptions) (*denseText, error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	d := &denseText{matrix: newMatrix()}
	d.keepNaN = o.keepNaN
	r := &denseReader{t: t, d: d, decimalComma: delim != ','}
	for {
		err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := r.row(); err != nil {
			return nil, err
		}
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	if err := t.groups.ambiguous(s); err != nil {
		return nil, err
	}
	if o.n > 0 && d.n != o.n {
		return nil, s.failf(ErrNotSquare, t.line, 0, "both matrices must cover the same regions", "%d × %d where %d × %d was expected", d.n, d.n, o.n, o.n)
	}
	d.dialect = delimiterName(delim) + d.dialect
	switch {
	case d.header != nil:
		d.dialect += ", header row"
	case d.ids != nil:
		d.dialect += ", header row of numeric ids"
	}
	if d.rowLabels != nil {
		d.dialect += ", label column"
	}
	return d, nil
}

// denseReader holds the state between rows.
type denseReader struct {
	t            *table
	d            *denseText
	decimalComma bool
	started      bool
	first        []string // the first row, until it is known what it is
	firstLine    int
	firstText    int  // fields of the first row, the corner aside, that are text
	width        int  // fields a row from the second on, 0 before
	labelled     bool // the first field of each row is a label
	filled       int  // fields up to the last that holds anything in some row
}

func (r *denseReader) row() error {
	t := r.t
	for i := len(t.fields); i > r.filled; i-- {
		if len(t.fields[i-1]) > 0 {
			r.filled = i
		}
	}
	if !r.started {
		r.started = true
		r.firstLine = t.line
		for i, f := range t.fields {
			r.first = append(r.first, string(f))
			if _, k := t.number(f); k != isText {
				continue
			}
			if hasThousands(f) {
				return t.s.failf(ErrNumber, t.line, i+1, numberAdvice(f, ""), "%s in a matrix", quoteShort(f))
			}
			if i > 0 {
				r.firstText++
			}
		}
		return nil
	}
	fields := t.fields
	if r.width == 0 {
		r.shape(fields)
	}
	if len(fields) == r.width+1 && len(fields[r.width]) == 0 {
		fields = fields[:r.width] // a delimiter at the end of the line
	}
	if len(fields) != r.width {
		return t.s.failf(ErrRagged, t.line, 0, "check the delimiter and for values lost in an export",
			"%d values where the rows before have %d", len(fields), r.width)
	}
	return r.values(fields, t.line)
}

// shape decides from the second row how wide rows are and whether they begin
// with a label.
func (r *denseReader) shape(fields [][]byte) {
	r.width = len(fields)
	if len(fields[len(fields)-1]) == 0 && len(r.first) > 1 && r.first[len(r.first)-1] == "" {
		r.width-- // a delimiter at the end of every line
		r.first = r.first[:len(r.first)-1]
	}
	_, k := parseNumber(fields[0], r.decimalComma)
	_, corner := parseNumber([]byte(r.first[0]), r.decimalComma)
	switch {
	case k == isText && r.width > 1:
		r.labelled = true
	case r.firstText > 0 && corner != isNumber && len(r.first) == r.width && r.width > 1 && string(fields[0]) == r.first[1]:
		r.labelled = true // "1" begins the first row and heads its column, among names such as "3a"
	case len(r.first) == r.width-1 && r.width > 1:
		r.labelled = true // a header without a corner over rows that begin with an id
	}
	// A header with a corner over rows that begin with a numeric id has one
	// column more than the matrix, a plain header as many: the number of rows
	// tells, so that is decided in finish.
}

func (r *denseReader) values(fields [][]byte, line int) error {
	d := r.d
	if r.labelled {
		d.rowLabels = append(d.rowLabels, string(fields[0]))
		fields = fields[1:]
	}
	if d.row >= len(fields) && r.started && d.row > 0 && !(r.labelled && r.firstText > 0) {
		return r.notSquare(line, len(fields))
	}
	for j, f := range fields {
		x, k := r.t.number(f)
		if k == isText {
			column := j + 1
			if r.labelled {
				column++
			}
			return r.t.s.failf(ErrNumber, line, column, numberAdvice(f, "missing values are written n/a, NaN or left empty"), "%s in a matrix", quoteShort(f))
		}
		d.add(j, x)
	}
	d.endRow()
	return nil
}

func (r *denseReader) notSquare(line, columns int) error {
	return r.t.s.failf(ErrNotSquare, line, 0, r.squareAdvice(), "more rows than the %d columns", columns)
}

// squareAdvice says what a matrix that is not square may be.
func (r *denseReader) squareAdvice() string {
	if r.filled < r.width {
		return plural.Count(r.width-r.filled, "column", "columns") + " at the end hold nothing: delete them, and empty rows, as spreadsheets keep them after their values are gone"
	}
	return "a connectivity matrix has one row and one column a region; an edge list is read with --format edgelist, and a table of regions given with --labels beside its matrix"
}

// finish decides what the first row was and checks that the matrix is square.
func (r *denseReader) finish() error {
	d, s := r.d, r.t.s
	if !r.started {
		return s.fail(0, 0, fmt.Errorf("%w: no rows", ErrEmpty), "is this the right file?")
	}
	if r.width == 0 { // a single row
		r.width = len(r.first)
		if r.width != 1 {
			if r.firstText == 0 && r.width >= minCondensed && condensedSize(r.width) > 0 { // one line longer than the sample
				return condensedError(s, r.width, anyTriangle)
			}
			return s.failf(ErrNotSquare, r.firstLine, 0, "pass a label file with --labels beside a matrix", "one row of %d values", r.width)
		}
	}
	if last := len(r.first) - 1; r.firstText > 0 && last > 0 && r.first[last] == "" && r.filled < r.width {
		return s.failf(ErrNotSquare, r.firstLine, last+1, r.squareAdvice(), "a column without a name and without values")
	}
	if d.row == len(r.first)-1 && r.first[0] != "" && isMadeNames(r.first) {
		return s.failf(ErrNotSquare, r.firstLine, 0, "write the matrix anew from its source, read with header = FALSE", "the header (%s, …) is what R or pandas makes of a first row of numbers, which is lost", r.first[0])
	}
	r.leaveOutTotals()
	columns := r.width
	if r.labelled {
		columns--
	}
	if r.labelled && len(r.first) == columns+1 {
		d.corner = r.first[0]
	}
	switch {
	case r.firstText == 0 && !r.isIndexFrame(columns) && len(r.first) == r.width && d.row == columns-1:
		if err := r.prepend(columns); err != nil { // no header
			return err
		}
	case d.row == columns && (len(r.first) == columns || len(r.first) == columns+1) && (r.firstText > 0 || allDistinct(r.first[len(r.first)-columns:])):
		r.header(columns)
	case d.row == columns-1 && !r.labelled && len(r.first) == columns && (r.isIndexFrame(columns) || r.firstText == columns-1):
		if err := r.splitIndex(); err != nil { // corner, header and a column of numeric ids
			return err
		}
		columns--
	case r.labelled && r.firstText > 0 && r.firstText >= columns-1 && (len(r.first) == columns || len(r.first) == columns+1):
		r.header(columns)
		return d.rectangle(s, r.t.line)
	case r.firstText > 0 && d.row == columns-1 && len(r.first) == r.width:
		return r.firstRowText()
	default:
		if len(r.first) != r.width && (r.firstText == 0 || len(r.first) != columns) {
			return s.failf(ErrRagged, r.firstLine+1, 0, "check the delimiter and for values lost in an export",
				"%d values where the first row has %d", r.width, len(r.first))
		}
		rows := d.row
		if r.firstText == 0 {
			rows++
		}
		return s.failf(ErrNotSquare, r.t.line, 0, r.squareAdvice(), "%d rows of %d values", rows, columns)
	}
	d.n = columns
	return nil
}

// firstRowText reports the first field of the first row that is no number.
func (r *denseReader) firstRowText() error {
	for i, f := range r.first {
		if _, k := parseNumber([]byte(f), r.decimalComma); k == isText && !(r.labelled && i == 0) {
			return r.t.s.failf(ErrNumber, r.firstLine, i+1, numberAdvice([]byte(f), "a header row stands above as many rows as it has columns"), "%s in a matrix", quoteShort([]byte(f)))
		}
	}
	return r.t.s.failf(ErrNumber, r.firstLine, 0, "", "text in a matrix")
}

// header takes the first row as names or numeric ids of the columns.
func (r *denseReader) header(columns int) {
	names := r.first[len(r.first)-columns:]
	ids, ok := distinctIDs(names)
	if !ok {
		r.d.header = names
		return
	}
	for _, id := range ids {
		r.d.ids = append(r.d.ids, number(id))
	}
}

// prepend puts the first row, which was no header, before the others.
func (r *denseReader) prepend(columns int) error {
	d := r.d
	rest := *d.matrix
	labels := d.rowLabels
	*d.matrix = *newMatrix()
	d.keepNaN = rest.keepNaN
	d.rowLabels = nil
	fields := make([][]byte, len(r.first))
	for i, f := range r.first {
		fields[i] = []byte(f)
	}
	if err := r.values(fields, r.firstLine); err != nil {
		return err
	}
	k := len(d.tracts.Target)
	d.tracts.Target = append(d.tracts.Target, rest.tracts.Target...)
	d.tracts.Weight = append(d.tracts.Weight, rest.tracts.Weight...)
	for _, start := range rest.tracts.Start[1:] {
		d.tracts.Start = append(d.tracts.Start, start+k)
	}
	d.row += rest.row
	if d.missing == 0 && rest.missing > 0 {
		d.firstMissing = [2]int{rest.firstMissing[0] + 1, rest.firstMissing[1]}
	}
	if d.infinite == 0 && rest.infinite > 0 {
		d.firstInfinite = [2]int{rest.firstInfinite[0] + 1, rest.firstInfinite[1]}
	}
	d.missing += rest.missing
	d.infinite += rest.infinite
	d.rowLabels = append(d.rowLabels, labels...)
	return nil
}

// isIndexFrame recognises numbered regions along the top and down the side, as
// pandas writes them: a corner that is empty, 0 or text such as "Node", and
// distinct whole numbers.
func (r *denseReader) isIndexFrame(columns int) bool {
	if len(r.first) != columns || columns < 2 {
		return false
	}
	ids, ok := distinctIDs(r.first[1:])
	if !ok {
		return false
	}
	x, k := parseNumber([]byte(r.first[0]), r.decimalComma)
	if k == isText {
		return true
	}
	if k == isNumber && x != 0 || r.d.row != columns-1 {
		return false
	}
	for i, id := range ids {
		if r.d.tracts.At(i, 0) != id {
			return false
		}
	}
	// A symmetric matrix of counts looks the same, unless the numbers are in
	// order or its diagonal is missing in the corner only.
	switch ordered := slices.IsSorted(ids); {
	case k == isNumber:
		return ordered && len(ids) >= 10
	default:
		return ordered || r.d.missing == 0
	}
}

func allDistinct(ids []string) bool {
	_, ok := distinctIDs(ids)
	return ok
}

// distinctIDs reads whole numbers that can name regions; 1001.0 is one.
func distinctIDs(fields []string) (ids []float64, ok bool) {
	seen := make(map[float64]bool, len(fields))
	for _, f := range fields {
		x, k := parseNumber([]byte(f), false)
		if k != isNumber || x < 0 || x != math.Trunc(x) || seen[x] {
			return nil, false
		}
		seen[x] = true
		ids = append(ids, x)
	}
	return ids, true
}

// splitIndex takes the first column off again: it was read as weights but
// holds the numbers of the rows.
func (r *denseReader) splitIndex() error {
	d := r.d
	old := d.tracts
	d.tracts = connectome.CSR{Start: []int{0}}
	for i := range old.Regions() {
		for k := old.Start[i]; k < old.Start[i+1]; k++ {
			if j := old.Target[k]; j > 0 {
				d.tracts.Target = append(d.tracts.Target, j-1)
				d.tracts.Weight = append(d.tracts.Weight, old.Weight[k])
			}
		}
		d.tracts.Start = append(d.tracts.Start, len(d.tracts.Target))
	}
	r.first = r.first[1:]
	r.header(len(r.first))
	return nil
}

// labelsOf settles the labels that the text itself gives: header and label
// column must name the same regions; rows in another order than the columns
// are sorted into the columns' order.
func (d *denseText) labelsOf(s *source) ([]string, error) {
	if isDefaultNames(d.header) && isDefaultRows(d.rowLabels, d.header) {
		s.rep.Infof("default-names", "columns are named %s to %s, as programs do where there are no names: they are no labels", d.header[0], d.header[len(d.header)-1])
		d.header, d.rowLabels = nil, nil
	}
	switch {
	case d.header == nil && d.rowLabels == nil, s.cfg.labels == "none":
		return nil, nil
	case d.header == nil:
		s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "label column", true, "each row begins with its label"
		return d.rowLabels, nil
	case d.rowLabels == nil:
		s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "header row", true, "each column bears its label; rows are taken in the same order"
		return d.header, nil
	}
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "header row and label column", true, "rows and columns bear the same labels"
	same := true
	at := make(map[string]int, len(d.header))
	for i, l := range d.header {
		same = same && l == d.rowLabels[i]
		at[l] = i
	}
	if same {
		return d.header, nil
	}
	order, numeric := matchLabels(d.header, d.rowLabels, func(l string) string { return l }), true
	for _, l := range d.rowLabels {
		numeric = numeric && !isWord(l)
	}
	if slices.Contains(order, -1) && !numeric { // perhaps only the spelling differs
		if plain := matchLabels(d.header, d.rowLabels, plainLabel); !slices.Contains(plain, -1) {
			order = plain
			var differ []string
			for j, i := range order {
				switch {
				case d.header[j] == d.rowLabels[i]:
				case d.header[j] == "X"+d.rowLabels[i]: // R's, so that the name begins with a letter
					d.header[j] = d.rowLabels[i]
				default:
					differ = append(differ, d.rowLabels[i]+" and "+d.header[j])
				}
			}
			if len(differ) > 0 {
				s.rep.Warnf("label-spelling", "rows and columns spell %s differently in case or punctuation only (%s); the columns' spelling is used", plural.Count(len(differ), "label", "labels"), listOr(differ, ""))
			}
		}
	}
	for j, i := range order {
		if i < 0 {
			if numeric { // a column of running numbers beside a header of names
				s.rep.Labels, s.rep.LabelHow = "header row", "each column bears its label; rows are numbered in the same order"
				return d.header, nil
			}
			if s.cfg.format == "matrix" { // as asked: other targets than sources
				err := d.rectangle(s, 0)
				return d.header, err
			}
			return nil, s.failf(ErrLabels, 0, 0, "rows and columns of a connectome are the same regions: correct the label; if they are others, --format matrix joins them by label, and --labels none takes them in the order of the file", "column %d is named %q but no row is (row %d is %q)", j+1, d.header[j], j+1, d.rowLabels[j])
		}
	}
	if !slices.IsSorted(order) {
		d.tracts = permuteRows(d.tracts, order)
		s.rep.Warnf("rows-permuted", "rows were listed in another order than columns; they were matched by label")
	}
	return d.header, nil
}

// matchLabels gives for every column the row with the same label after a
// change of spelling, −1 where there is none. No row is given twice.
func matchLabels(columns, rows []string, spell func(string) string) []int {
	at := make(map[string]int, len(columns))
	for j, l := range columns {
		at[spell(l)] = j
	}
	order := make([]int, len(columns))
	for j := range order {
		order[j] = -1
	}
	for i, l := range rows {
		if j, ok := at[spell(l)]; ok && order[j] < 0 {
			order[j] = i
		}
	}
	return order
}

// plainLabel is a label in lower case without marks, and without the X that R
// puts before a digit: V3a and V3A, 24c and X24c are one.
func plainLabel(l string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, l)
	if len(plain) > 1 && plain[0] == 'x' && plain[1] >= '0' && plain[1] <= '9' {
		return plain[1:]
	}
	return plain
}

// isDefaultNames recognises the names that R, MATLAB, pandas and spreadsheets
// give columns without names: V1, V2, …; X.1, X.2, …; Var1, Var2, …;
// Unnamed: 0, Unnamed: 1, …; and X0, X0.1, X39, …, by which R's read.csv names
// columns after a first row of numbers, which it takes for a header (0.0, 0.0.1,
// 39.0, … by pandas).
func isDefaultNames(names []string) bool {
	if len(names) < 2 {
		return false
	}
	return isNumberedNames(names) || isMadeNames(names)
}

func isNumberedNames(names []string) bool {
	at := strings.IndexAny(names[0], "01")
	if at < 0 {
		return false
	}
	prefix := names[0][:at]
	first, err := strconv.Atoi(names[0][at:])
	if err != nil || !slices.Contains([]string{"v", "x", "x.", "var", "column", "col", "unnamed: ", "...", "field"}, strings.ToLower(prefix)) {
		return false
	}
	for i, n := range names {
		if n != prefix+strconv.Itoa(first+i) {
			return false
		}
	}
	return true
}

// isMadeNames recognises what R's make.names and make.unique make of a row
// without names: an X before a number, and a count behind what stood before.
func isMadeNames(names []string) bool {
	seen := make(map[string]int, len(names))
	repeats := false
	for _, n := range names {
		stem, count := n, 0
		if at := strings.LastIndexByte(n, '.'); at > 0 {
			if k, err := strconv.Atoi(n[at+1:]); err == nil && k > 0 && k == seen[n[:at]] {
				stem, count = n[:at], k
			}
		}
		digits := strings.TrimPrefix(stem, "X")
		if _, k := parseNumber([]byte(strings.Replace(digits, ".", "0", 1)), false); digits != "" && k != isNumber && stem != "x" {
			return false
		}
		seen[stem]++
		_, k := parseNumber([]byte(n), false)
		repeats = repeats || count > 0 && k == isText // 0.1 beside 0 is a number
	}
	return repeats
}

// isDefaultRows says whether rows bear no names either: none, running numbers,
// or those of the columns again. V1 to V6 along both sides are visual areas.
func isDefaultRows(rows, columns []string) bool {
	areas := strings.EqualFold(columns[0], "V1") && len(columns) <= 6
	return rows == nil || countsUp(rows) || slices.Equal(rows, columns) && !areas
}

// countsUp says whether labels are 1, 2, 3, … or 0, 1, 2, ….
func countsUp(labels []string) bool {
	for i, l := range labels {
		if x, err := strconv.Atoi(l); err != nil || x != i+1 && x != i {
			return false
		}
	}
	return true
}

// rectangle makes a square matrix of one whose rows and columns are different
// lists of labelled regions: sources down the side, targets along the top. All
// regions of either list become regions of the connectome.
func (d *denseText) rectangle(s *source, line int) error {
	advice := "a connectivity matrix has one row and one column a region; label both, so that they can be joined"
	if d.header == nil || d.rowLabels == nil {
		return s.failf(ErrNotSquare, line, 0, advice, "%d rows of %d values", d.row, len(d.ids))
	}
	labels, rows, columns, err := joinedLabels(d.rowLabels, d.header)
	if err != nil {
		return s.failf(ErrLabels, line, 0, "make labels unique", "%d rows and %d columns: %v", d.row, len(d.header), err)
	}
	shared := len(d.rowLabels) + len(d.header) - len(labels)
	if 2*shared < min(len(d.rowLabels), len(d.header)) && s.cfg.format != "matrix" {
		return s.failf(ErrNotSquare, line, 0, advice+"; if rows are sources and columns other regions, say so with --format matrix", "%d rows and %d columns with %d labels in common", d.row, len(d.header), shared)
	}
	d.tracts = placed(d.tracts, len(labels), rows, columns)
	d.n = len(labels)
	d.row = d.n
	d.header, d.rowLabels = labels, labels
	if s.rowsOf(d.corner) == connectome.RowsTarget {
		d.dialect = fmt.Sprintf(", %d targets × %d sources", len(rows), len(columns))
		s.noteRectangle(labels, columns, rows)
		return nil
	}
	d.dialect = fmt.Sprintf(", %d sources × %d targets", len(rows), len(columns))
	s.noteRectangle(labels, rows, columns)
	return nil
}

// joinedLabels joins the labels of rows and columns into one list, in the
// order of the longer one with what only the other has behind it, and says
// where each row and column is in it.
func joinedLabels(rows, columns []string) (labels []string, rowAt, columnAt []int, err error) {
	first, second := columns, rows
	if len(rows) > len(columns) {
		first, second = rows, columns
	}
	at := make(map[string]int, len(first))
	for _, l := range first {
		if _, twice := at[l]; twice {
			return nil, nil, nil, fmt.Errorf("%q occurs twice", l)
		}
		at[l] = len(labels)
		labels = append(labels, l)
	}
	seen := make(map[string]bool, len(second))
	for _, l := range second {
		if seen[l] {
			return nil, nil, nil, fmt.Errorf("%q occurs twice", l)
		}
		seen[l] = true
		if _, ok := at[l]; !ok {
			at[l] = len(labels)
			labels = append(labels, l)
		}
	}
	for _, l := range rows {
		rowAt = append(rowAt, at[l])
	}
	for _, l := range columns {
		columnAt = append(columnAt, at[l])
	}
	return labels, rowAt, columnAt, nil
}

// placed puts row i of a matrix at row rows[i], and column j at columns[j], of
// one of n regions.
func placed(m connectome.CSR, n int, rows, columns []int) connectome.CSR {
	var b connectome.Builder
	for i := range m.Regions() {
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			b.Add(rows[i], columns[m.Target[k]], m.Weight[k], m.LengthAt(k))
		}
	}
	out, _ := b.Build(n, connectome.FirstParallel)
	return out
}

// noteRectangle says which regions are no source or no target.
func (s *source) noteRectangle(labels []string, sources, targets []int) {
	only := func(has []int) (names []string) {
		in := make([]bool, len(labels))
		for _, i := range has {
			in[i] = true
		}
		for i, l := range labels {
			if !in[i] {
				names = append(names, l)
			}
		}
		return names
	}
	s.rep.Warnf("rectangular", "%d sources and %d targets are joined by label into %d regions; without outgoing tracts: %s; without incoming: %s",
		len(sources), len(targets), len(labels), listOr(only(sources), "none"), listOr(only(targets), "none"))
}

// vectorText reads a text of numbers, one row a region, for the small files
// of a TVB folder.
func (s *source) vectorText() ([][]float64, error) {
	sample, err := s.textHead(1 << 14)
	if err != nil {
		return nil, err
	}
	t, err := s.table(sniffDelimiter(sample))
	if err != nil {
		return nil, err
	}
	defer t.close.Close()
	var rows [][]float64
	for {
		if err := t.next(); err == io.EOF {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		row := make([]float64, 0, len(t.fields))
		for j, f := range t.fields {
			x, k := parseNumber(f, true)
			if k == isText {
				return nil, s.failf(ErrNumber, t.line, j+1, "", "%s", quoteShort(f))
			}
			if k != isNumber {
				x = math.NaN()
			}
			row = append(row, x)
		}
		rows = append(rows, row)
	}
}
