package format

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
	"github.com/xuri/excelize/v2"
)

// Excel workbooks (.xlsx), the commonest supplement of papers. Every sheet is
// a table: a labelled matrix, perhaps with rows of categories above its header
// and columns of them beside its labels (Cook et al. 2019, Nature 571:63), or a
// list of edges.

// maxCells bounds the cells of a sheet, empty ones included.
const maxCells = 64 << 20

// workbook opens a workbook.
func (s *source) workbook() (f *excelize.File, closer func(), err error) {
	defer s.containPanic(&err)
	data, err := s.all()
	if err != nil {
		return nil, nil, err
	}
	bound := s.cfg.maxBytes
	f, err = excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: bound, UnzipXMLSizeLimit: bound, RawCellValue: true})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size") {
			return nil, nil, s.failf(ErrTooLarge, 0, 0, "raise the bound with --max-bytes if the file is sound", "%v", err)
		}
		return nil, nil, s.failf(ErrCorrupt, 0, 0, "open it in a spreadsheet program and save it again, or save the sheet as CSV", "a damaged workbook: %v", err)
	}
	return f, func() { f.Close() }, nil
}

// containPanic makes an error of a panic, with which the library may meet a
// damaged workbook.
func (s *source) containPanic(err *error) {
	if p := recover(); p != nil {
		*err = s.failf(ErrCorrupt, 0, 0, "open it in a spreadsheet program and save it again, or save the sheet as CSV", "a damaged workbook: %v", p)
	}
}

// readExcel reads the sheet that --var names, or the only one with content.
func (s *source) readExcel() (c *connectome.Connectome, err error) {
	f, closer, err := s.workbook()
	if err != nil {
		return nil, err
	}
	defer closer()
	defer s.containPanic(&err)
	s.rep.Format = "Excel"
	if want := s.cfg.variable; want != "" && !slices.ContainsFunc(f.GetSheetList(), func(name string) bool { return strings.EqualFold(name, want) }) {
		return nil, s.failf(ErrVariable, 0, 0, "the sheets are "+listOr(f.GetSheetList(), "none"), "no sheet %q", want)
	}
	var tables, labels, notes []namedSheet
	for _, name := range f.GetSheetList() {
		rows, err := s.sheet(f, name)
		if err != nil {
			return nil, err
		}
		sheet := namedSheet{name, rows}
		switch {
		case strings.EqualFold(name, s.cfg.variable):
			tables = []namedSheet{sheet}
		case len(rows) == 0:
		case sheet.isLabels():
			labels = append(labels, sheet)
		case !slices.ContainsFunc(rows, func(r []string) bool { return filled(r) > 1 }):
			notes = append(notes, sheet) // a README, or the like
		case s.cfg.variable == "":
			tables = append(tables, sheet)
		}
	}
	switch {
	case len(tables) == 1 && len(labels) == 1:
		var t tableText
		for _, r := range labels[0].rows {
			t.row(r...)
		}
		s.labels = t.source(s, "sheet "+labels[0].name)
	case len(tables) == 0 && len(labels) > 0:
		tables = labels
	case len(tables) == 0 && len(notes) > 0:
		tables = notes[len(notes)-1:]
	case len(tables) == 0:
		return nil, s.failf(ErrEmpty, 0, 0, "is this the right file?", "no sheet has content")
	}
	if len(tables) == 1 {
		return s.sheetConnectome(tables[0].name, tables[0].rows)
	}
	e := &AmbiguousError{Path: s.path, What: "sheet", Option: "WithVar", Flag: "--var"}
	for _, t := range tables {
		e.Candidates = append(e.Candidates, Candidate{t.name, sheetDetail(t.rows)})
	}
	return nil, e
}

type namedSheet struct {
	name string
	rows [][]string
}

// isLabels says whether a sheet is a list of labels or a table of regions.
func (t namedSheet) isLabels() bool {
	from, _ := edgeEnds(t.rows[0])
	return from < 0 && (isLabelStem(t.name) && findSquare(t.rows) == 0 || isRegionHeader(t.rows[0]))
}

// findSquare is the size of a labelled square matrix in a sheet, 0 for none.
func findSquare(rows [][]string) int {
	if b := findBlock(rows); b.rows == b.columns {
		return b.rows
	}
	return 0
}

// sheet reads the cells of a sheet, without empty ends of rows and of the
// whole.
func (s *source) sheet(f *excelize.File, name string) ([][]string, error) {
	it, err := f.Rows(name)
	if err != nil {
		return nil, nil // a chart
	}
	defer it.Close()
	var rows [][]string
	cells, last := 0, 0
	for it.Next() {
		row, err := it.Columns()
		if err != nil {
			return nil, s.failf(ErrCorrupt, len(rows)+1, 0, "open it in a spreadsheet program and save it again", "sheet %q: %v", name, err)
		}
		if cells += len(row) + 1; cells > maxCells {
			return nil, s.failf(ErrTooLarge, len(rows)+1, 0, "is this the right file?", "sheet %q has more than %d cells", name, maxCells)
		}
		for len(row) > 0 && strings.TrimSpace(row[len(row)-1]) == "" {
			row = row[:len(row)-1]
		}
		rows = append(rows, slices.Clip(row))
		if len(row) > 0 {
			last = len(rows)
		}
	}
	return rows[:last], nil
}

// sheetDetail describes a sheet for the choice among several.
func sheetDetail(rows [][]string) string {
	if b := findBlock(rows); b.rows > 0 {
		return fmt.Sprintf("a labelled matrix of %d × %d", b.rows, b.columns)
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	return plural.Count(len(rows), "row", "rows") + ", " + plural.Count(width, "column", "columns")
}

// sheetConnectome hands a sheet to the readers of text.
func (s *source) sheetConnectome(name string, rows [][]string) (*connectome.Connectome, error) {
	s.rep.Variable = name
	dialect := "sheet " + name
	defer func() { s.rep.Format, s.rep.Dialect = "Excel", dialect }()
	var t tableText
	inner := *s
	cfg := *s.cfg
	cfg.variable = "" // it was the sheet's name
	inner.cfg = &cfg
	defer func() {
		s.cfg.usedEnds, s.cfg.usedKinds, s.cfg.usedFormat = cfg.usedEnds, cfg.usedKinds, cfg.usedFormat
	}()
	if h, ok := twoLevels(padded(rows)); ok && s.cfg.format == "" && s.cfg.source == "" && s.cfg.target == "" && !h.uniqueNames() {
		dialect += ", two header rows"
		return inner.readTwoLevels(h)
	}
	if b := findBlock(rows); b.rows > 0 && s.cfg.format != "edgelist" && s.cfg.source == "" && s.cfg.target == "" {
		if b.top > 0 || b.left > 0 {
			dialect += fmt.Sprintf(", header in row %d, labels in column %d", b.top+1, b.names+1)
		}
		head := rows[b.top]
		t.row(append([]string{cellAt(head, b.left)}, head[b.left+1:b.left+1+b.columns]...)...)
		for _, r := range rows[b.top+1 : b.top+1+b.rows] {
			line := make([]string, 0, b.columns+1)
			line = append(line, cellAt(r, b.names))
			for j := range b.columns {
				v := cellAt(r, b.left+1+j)
				if v == "" {
					v = "0" // no contact is left empty
				}
				line = append(line, v)
			}
			t.row(line...)
		}
		cfg.usedFormat = cfg.format == "matrix"
		return t.source(&inner, name).readDense('\t')
	}
	lead := max(0, slices.IndexFunc(rows, func(r []string) bool { return filled(r) > 1 }))
	for i, r := range rows {
		if i < lead { // a title above the table is no part of it
			r = nil
		}
		t.row(r...)
	}
	table := t.source(&inner, name)
	head, err := table.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	return table.readTable(head)
}

func cellAt(row []string, j int) string {
	if j < len(row) {
		return strings.TrimSpace(row[j])
	}
	return ""
}

// padded makes all rows of a small sheet as long as the longer of the first two.
func padded(rows [][]string) [][]string {
	if len(rows) < 2 {
		return nil
	}
	width := max(len(rows[0]), len(rows[1]))
	if len(rows)*width > maxCells {
		return nil
	}
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = r
		if missing := width - len(r); missing > 0 {
			out[i] = append(slices.Clone(r), make([]string, missing)...)
		}
	}
	return out
}

func filled(row []string) int {
	n := 0
	for _, f := range row {
		if strings.TrimSpace(f) != "" {
			n++
		}
	}
	return n
}

// block is a labelled matrix within a sheet: its header is row top, its values
// begin behind column left, and its labels are column names.
type block struct{ top, left, rows, columns, names int }

// findBlock looks for the largest labelled matrix whose header and labels lie
// within the first rows and columns.
func findBlock(rows [][]string) (best block) {
	const above, beside = 8, 6
	for top := range min(above, len(rows)) {
		for left := range beside {
			b := block{top: top, left: left, names: left}
			for j := left + 1; isWord(cellAt(rows[top], j)) && cellAt(rows[top], j) != ""; j++ {
				b.columns++
			}
			for i := top + 1; i < len(rows) && isWord(cellAt(rows[i], left)) && cellAt(rows[i], left) != ""; i++ {
				b.rows++
			}
			for b.rows > 0 { // a note below
				r := rows[top+b.rows]
				if filled(r[left+1:]) > 0 || slices.Contains(rows[top], r[left]) {
					break
				}
				b.rows--
			}
			if b.rows >= 2 && b.columns >= 2 && b.rows*b.columns > best.rows*best.columns && numericBlock(rows, b) {
				best = b
			}
		}
	}
	if best.rows == 0 {
		return best
	}
	return best.named(rows)
}

func numericBlock(rows [][]string, b block) bool {
	numbers := false
	for _, r := range rows[b.top+1 : b.top+1+b.rows] {
		for j := range b.columns {
			switch _, k := parseNumber([]byte(cellAt(r, b.left+1+j)), true); k {
			case isText:
				return false
			case isNumber:
				numbers = true
			}
		}
	}
	return numbers
}
