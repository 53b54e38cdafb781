package format

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Tables in text: dense matrices, edge lists, and their relatives. They have
// no magic word; the shape of the first rows tells them apart.

// readTable reads delimited text.
func (s *source) readTable(head []byte) (*connectome.Connectome, error) {
	complete := len(head) < sniffSize
	delim := sniffDelimiter(head)
	rows := sampleRows(head, delim, complete)
	if filled := firstFilled(rows); filled > 0 && slices.ContainsFunc(rows[filled], isWord) {
		rows, s.blankTop = rows[filled:], true
	}
	name := strings.ToLower(s.name)
	if s.cfg.format != "" {
		read, ok := tableFormats[s.cfg.format]
		if !ok {
			return nil, s.failf(ErrUnsupported, 0, 0, "use "+listOr(sortedKeys(tableFormats), ""), "format %q", s.cfg.format)
		}
		s.cfg.usedFormat = true
		return read(s, delim, rows)
	}
	switch {
	case s.cfg.source == "" && s.cfg.target == "" && s.cfg.kindColumn == "" && isSIF(rows, name):
		return s.readSIF(delim)
	case s.cfg.source != "" || s.cfg.target != "" || s.cfg.kindColumn != "" || len(s.cfg.kinds) > 0:
		return s.readEdgeList(delim, rows)
	case len(rows) == 0:
		return s.readDense(delim) // one line longer than the sample, or comments only
	case isBudapest(rows[0]):
		return s.readBudapest(delim)
	case strings.HasSuffix(name, ".edge"):
		return s.readBrainNet(delim)
	case strings.HasSuffix(name, ".node"), isNodeTable(rows):
		return s.readBrainNetNodes()
	case isRelmat(s):
		return s.readRelmat(delim)
	case isLGL(head, name):
		return s.readLGL()
	case isAdjacencyList(rows, complete):
		return s.readAdjacencyList(delim)
	}
	if shape, err := s.condensedShape(rows, delim, complete); err != nil {
		return nil, err
	} else if shape.triangular() {
		if name, ok := raggedTriangle(rows); ok {
			s.rep.Infof("ragged-triangle", "rows are those of %s", triangles[name])
			return s.readCondensed(delim, triangles[name])
		}
		return nil, condensedError(s, shape.numbers, shape.fits)
	}
	if h, ok, err := s.twoLevelTable(rows, delim); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return s.readTwoLevels(h)
	}
	shape := looksLike(rows, delim != ',', complete)
	if b := findBlock(rows); shape == shapeEdgeList && b.left > 0 && b.sharesNames(rows) { // columns of names before the labels
		if c, ok, err := s.titledMatrix(delim); ok || err != nil {
			return c, err
		}
	}
	switch shape {
	case shapeEdgeList:
		return s.readEdgeList(delim, rows)
	case shapeRegions:
		return nil, s.failf(ErrFormat, 1, 0, "pass it with --labels beside its matrix", "a table of regions without tracts")
	case shapeNames:
		return nil, s.failf(ErrFormat, 1, 0, "a list of labels is passed with --labels beside its matrix", "text without numbers, not a connectome")
	case shapeEither:
		if _, how := s.neighbourLabels(); how != "" || s.cfg.labels != "" {
			return s.readDense(delim)
		}
		return nil, &AmbiguousError{
			Path: s.path, What: "format", Option: "WithFormat", Flag: "--format",
			Candidates: []Candidate{
				{"matrix", "as many rows as columns"},
				{"edgelist", "whole numbers in the first two columns"},
			},
		}
	}
	return s.readDense(delim)
}

// firstFilled is the first row that holds anything, as the lines of bare
// delimiters that spreadsheets write for empty rows do not.
func firstFilled(rows [][]string) int {
	return max(0, slices.IndexFunc(rows, func(r []string) bool { return filled(r) > 0 }))
}

// tableFormats are the readers of tables that --format names.
var tableFormats map[string]func(s *source, delim byte, rows [][]string) (*connectome.Connectome, error)

func init() { // the readers refer to the table in turn
	tableFormats = map[string]func(s *source, delim byte, rows [][]string) (*connectome.Connectome, error){
		"matrix":   func(s *source, delim byte, _ [][]string) (*connectome.Connectome, error) { return s.readDense(delim) },
		"edgelist": (*source).readEdgeList,
		"adjlist": func(s *source, delim byte, _ [][]string) (*connectome.Connectome, error) {
			return s.readAdjacencyList(delim)
		},
		"sif": func(s *source, delim byte, _ [][]string) (*connectome.Connectome, error) { return s.readSIF(delim) },
		"lgl": func(s *source, _ byte, _ [][]string) (*connectome.Connectome, error) { return s.readLGL() },
	}
	for name, kind := range triangles {
		tableFormats[name] = func(s *source, delim byte, _ [][]string) (*connectome.Connectome, error) {
			return s.readCondensed(delim, kind)
		}
	}
}

// TableFormats lists the names that [WithFormat] takes.
func TableFormats() []string { return sortedKeys(tableFormats) }

// sampleRows splits the first rows of a table. The last line of an incomplete
// sample is left out.
func sampleRows(head []byte, delim byte, complete bool) [][]string {
	t := &table{delim: delim}
	var rows [][]string
	for line := range bytes.Lines(head) {
		if !complete && !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		line = bytes.TrimRight(line, "\r\n")
		if isComment(line) {
			continue
		}
		t.split(line)
		fields := t.fields
		for len(fields) > 1 && len(fields[len(fields)-1]) == 0 {
			fields = fields[:len(fields)-1]
		}
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = string(f)
		}
		if rows = append(rows, row); len(rows) == 1000 {
			break
		}
	}
	return rows
}

type tableShape int

const (
	shapeMatrix tableShape = iota
	shapeEdgeList
	shapeRegions // one row a region, with names and positions
	shapeNames   // no numbers at all
	shapeEither
)

// looksLike tells an edge list from a matrix by its first rows.
func looksLike(rows [][]string, decimalComma, complete bool) tableShape {
	header := rows[0]
	if from, to := edgeEnds(header); from >= 0 && to >= 0 {
		return shapeEdgeList
	}
	if isMadeNames(header) {
		return shapeMatrix
	}
	if isRegionHeader(header) {
		return shapeRegions
	}
	if !slices.ContainsFunc(rows, func(r []string) bool { return columnIsNumeric([][]string{r}, 0, len(r)) }) && len(header) != 2 {
		return shapeNames
	}
	body := rows
	if len(rows) > 1 && isHeader(rows) {
		body = rows[1:]
	}
	width := len(body[0])
	if width < 2 || slices.ContainsFunc(body, func(r []string) bool { return len(r) != width }) {
		return shapeMatrix // which reports the fault
	}
	named, whole := true, true
	for _, r := range body {
		for _, f := range r[:2] {
			switch _, k := parseNumber([]byte(f), decimalComma); {
			case k == isText:
				whole = false
			case k == isNumber:
				named = false
				whole = whole && isNodeID(f)
			default: // "NA" may be a name among names, but is no number
				whole = false
			}
		}
	}
	if named && !whole && hasText(body) && (width == 2 || columnIsNumeric(body, 2, width)) {
		return shapeEdgeList
	}
	if !whole && hasSharedNames(body) {
		return shapeEdgeList // which asks for the columns
	}
	if !whole || width > 4 {
		return shapeMatrix
	}
	switch {
	case !complete || len(body) > width:
		return shapeEdgeList // too many rows for a matrix
	case len(body) < width-1 || len(body) < 2:
		return shapeEdgeList // too few
	case width == 4 && len(body) == width:
		return shapeMatrix
	case len(body) == width && isSymmetricSample(body) && !(width == 2 && !hasZero(body)):
		return shapeMatrix
	case len(body) == width:
		return shapeEither
	}
	return shapeEdgeList
}

// hasText says whether both ends of some edge are text.
func hasText(rows [][]string) bool {
	return slices.ContainsFunc(rows, func(r []string) bool {
		_, a := parseNumber([]byte(r[0]), false)
		_, b := parseNumber([]byte(r[1]), false)
		return a == isText && b == isText
	})
}

// isHeader says whether the first row is a title: text where the row after it
// has numbers.
func isHeader(rows [][]string) bool {
	a, b := rows[0], rows[1]
	if len(a) != len(b) {
		return false
	}
	title := false
	for i := range a {
		_, ka := parseNumber([]byte(a[i]), true)
		_, kb := parseNumber([]byte(b[i]), true)
		if kb == isNumber {
			if ka != isText || almostNumber([]byte(a[i])) {
				return false // a title stands above every number
			}
			title = true
		}
	}
	return title
}

// columnIsNumeric says whether some column from lo on holds only numbers.
func columnIsNumeric(rows [][]string, lo, hi int) bool {
	for j := lo; j < hi; j++ {
		if !slices.ContainsFunc(rows, func(r []string) bool {
			_, k := parseNumber([]byte(r[j]), true)
			return k == isText && !almostNumber([]byte(r[j]))
		}) {
			return true
		}
	}
	return false
}

// isNodeID says whether a number is whole and not negative.
func isNodeID(f string) bool {
	x, k := parseNumber([]byte(f), false)
	return k == isNumber && x >= 0 && x == float64(int64(x)) && x < 1e15
}

// hasZero says whether some field is 0, as absent tracts of a matrix are.
func hasZero(rows [][]string) bool {
	return slices.ContainsFunc(rows, func(r []string) bool { return slices.Contains(r, "0") })
}

func isSymmetricSample(rows [][]string) bool {
	for i := range rows {
		for j := range i {
			if rows[i][j] != rows[j][i] {
				return false
			}
		}
	}
	return true
}

// isRegionHeader recognises the header of a table of regions.
func isRegionHeader(header []string) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(h)) })
	}
	if len(header) < 3 {
		return false
	}
	return has(labelColumns...) && has("x", "r", "hemisphere", "hemi", "pair") && (has("y", "a") || has("hemisphere", "hemi"))
}

// readDense reads a dense matrix and its labels.
func (s *source) readDense(delim byte) (*connectome.Connectome, error) {
	c, err := s.denseConnectome(delim, "matrix")
	if errors.Is(err, ErrNumber) || errors.Is(err, ErrRagged) || errors.Is(err, ErrNotSquare) || errors.Is(err, ErrLabels) {
		if trimmed, ok, _ := s.trimmedMatrix(delim); ok {
			return trimmed, nil
		}
		if titled, ok, _ := s.titledMatrix(delim); ok {
			return titled, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return c, s.joinLabels(c)
}

// denseConnectome reads a dense matrix with the labels that it has itself.
func (s *source) denseConnectome(delim byte, format string) (*connectome.Connectome, error) {
	d, err := s.readDenseText(delim, denseOptions{})
	if err != nil {
		return nil, err
	}
	s.rep.Format, s.rep.Dialect = format, d.dialect
	labels, err := d.labelsOf(s)
	if err != nil {
		return nil, err
	}
	rows, how := connectome.RowsSource, "the convention of plain matrices; the file does not say"
	if said := cornerRows(d.corner); said != connectome.RowsUnset {
		rows, how = said, fmt.Sprintf("the corner of the table says %q", d.corner)
	}
	c := s.finishMatrix(d.matrix, nil, rows, how)
	for i := range c.Regions {
		if labels != nil {
			c.Regions[i].Label = labels[i]
		}
		if d.ids != nil {
			c.Regions[i].SetAttribute("id", d.ids[i])
		}
	}
	return c, nil
}
