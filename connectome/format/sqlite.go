package format

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format/internal/sqlite"
)

// SQLite databases: a table of edges or a labelled matrix, and perhaps a table
// of nodes beside it. A table is handed to the readers of text row by row, so
// that its columns mean what they mean in an edge list, and the same options
// choose them.

// database is an open SQLite file.
type database struct {
	s     *source
	file  *sqlite.File
	bound int64 // bytes of text that one table may give
}

// databaseTable is a table of the file.
type databaseTable struct {
	sqlite.Table
	columns []string
}

// expansionSQLite bounds the text of a table by the size of the file: a 0
// takes one byte there, and two as text.
const expansionSQLite = 16

func isSQLite(head []byte) bool { return bytes.HasPrefix(head, []byte(sqlite.Magic)) }

func (s *source) readSQLite() (*connectome.Connectome, error) {
	if err := s.unfinishedSQLite(); err != nil {
		return nil, err
	}
	content, size, closer, err := s.anywhere()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	d := &database{s: s, bound: max(s.cfg.maxBytes, expansionSQLite*size)}
	if d.file, err = sqlite.Open(content, size); err != nil {
		return nil, s.sqliteError(err)
	}
	tables, err := d.tables()
	if err != nil {
		return nil, err
	}
	t, err := d.choose(tables)
	if err != nil {
		return nil, err
	}
	c, err := d.connectome(t)
	if err != nil {
		return nil, err
	}
	s.rep.Format, s.rep.Dialect, s.rep.Variable = "SQLite", "table "+t.Name, t.Name
	if s.cfg.labels == "" {
		err = d.joinNodes(c, t, tables)
	}
	return c, err
}

// unfinishedSQLite refuses a database some of whose changes lie in a file
// beside it.
func (s *source) unfinishedSQLite() error {
	if s.member != "" {
		return nil
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if fi, err := os.Stat(s.path + suffix); err == nil && fi.Mode().IsRegular() && fi.Size() > 0 {
			return s.failf(ErrUnsupported, 0, 0, "close the program that uses the database, or copy it with: sqlite3 "+s.path+" \".backup copy.sqlite\"",
				"changes to the database lie in %s, which is not read", s.path+suffix)
		}
	}
	return nil
}

// anywhere opens the content for reading at any place: the file itself, or
// what it decompresses to.
func (s *source) anywhere() (io.ReaderAt, int64, io.Closer, error) {
	r, err := s.open()
	if err != nil {
		return nil, 0, nil, err
	}
	if f, ok := r.(*os.File); ok {
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, nil, err
		}
		return f, fi.Size(), f, nil
	}
	data, err := s.all()
	if err != nil {
		r.Close()
		return nil, 0, nil, err
	}
	return bytes.NewReader(data), int64(len(data)), r, nil
}

// sqliteError locates an error of the database.
func (s *source) sqliteError(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrTooLarge):
		return s.failf(ErrTooLarge, 0, 0, "export the columns of the edges as CSV", "%v", err)
	case errors.Is(err, sqlite.ErrUnsupported):
		return s.failf(ErrUnsupported, 0, 0, "export the table of edges as CSV", "%v", err)
	}
	return s.wrap(err, ErrCorrupt, "fetch the file again; sqlite3 "+s.path+" \"pragma integrity_check\" says what is wrong with it")
}

// tables lists the tables with two columns or more.
func (d *database) tables() ([]databaseTable, error) {
	all, err := d.file.Tables()
	if err != nil {
		return nil, d.s.sqliteError(err)
	}
	var tables []databaseTable
	for _, t := range all {
		if len(t.Columns) < 2 {
			continue
		}
		table := databaseTable{Table: t}
		for _, c := range t.Columns {
			table.columns = append(table.columns, c.Name)
		}
		tables = append(tables, table)
	}
	return tables, nil
}

// choose picks the table that --var names, or the one that is a list of edges
// by the titles of its columns, or the only one.
func (d *database) choose(tables []databaseTable) (t databaseTable, err error) {
	s := d.s
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	if want := s.cfg.variable; want != "" {
		if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, want) }); i >= 0 {
			return tables[i], nil
		}
		return t, s.failf(ErrVariable, 0, 0, "the tables are "+listOr(names, "none"), "no table %q", want)
	}
	if len(tables) == 0 {
		return t, s.failf(ErrEmpty, 0, 0, "is this the right file?", "no table has two columns; views are not read")
	}
	if len(tables) == 1 {
		return tables[0], nil
	}
	e := &AmbiguousError{Path: s.path, What: "table", Option: "WithVar", Flag: "--var"}
	var edges []databaseTable
	for _, t := range tables {
		e.Candidates = append(e.Candidates, Candidate{t.Name, "columns " + someOf(t.columns)})
		if from, to := t.ends(); from >= 0 && to >= 0 {
			edges = append(edges, t)
		}
	}
	if len(edges) == 1 {
		return edges[0], nil
	}
	return t, e
}

// someOf lists the first of many names.
func someOf(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// ends returns the columns of the two ends of an edge, by their titles or
// because they and no others refer to one and the same table.
func (t databaseTable) ends() (from, to int) {
	if from, to = edgeEnds(t.columns); from >= 0 {
		return from, to
	}
	var refer []int
	for j := range t.Columns {
		if t.Columns[j].Table != "" {
			refer = append(refer, j)
		}
	}
	if len(refer) == 2 && t.sameReference(refer[0], refer[1]) {
		return refer[0], refer[1]
	}
	return -1, -1
}

// sameReference says whether two columns refer to the same column.
func (t databaseTable) sameReference(i, j int) bool {
	a, b := t.Columns[i], t.Columns[j]
	return a.Table != "" && strings.EqualFold(a.Table, b.Table) && strings.EqualFold(a.Key, b.Key)
}

// connectome reads a table as a list of edges, or as a labelled matrix where
// the titles of its columns are the names of its rows.
func (d *database) connectome(t databaseTable) (*connectome.Connectome, error) {
	s := d.s
	sample, err := d.sample(t)
	if err != nil {
		return nil, err
	}
	inner, cfg := *s, *s.cfg
	inner.cfg, inner.member, inner.nested = &cfg, t.Name, s.nested+1
	inner.open = func() (io.ReadCloser, error) { return d.open(t) }
	cfg.variable = "" // it was the table's name
	defer func() {
		s.cfg.usedEnds, s.cfg.usedKinds, s.cfg.usedFormat = cfg.usedEnds, cfg.usedKinds, cfg.usedFormat
	}()
	cfg.usedFormat = cfg.format == "matrix" || cfg.format == "edgelist"
	asked := cfg.source != "" || cfg.target != ""
	if cfg.format == "matrix" || cfg.format == "" && !asked && isNamedMatrix(t.columns, sample) {
		return inner.readDense('\t')
	}
	if !asked {
		from, to := t.ends()
		if from < 0 {
			from, to = sharedNames(sample, len(t.columns))
		}
		if from < 0 {
			e := &AmbiguousError{Path: s.path, What: "source and the target column of table " + t.Name, Option: "WithSource and WithTarget", Flag: "--source NAME --target NAME"}
			for j, c := range sampleColumns(sample, len(t.columns)) {
				e.Candidates = append(e.Candidates, Candidate{t.columns[j], c.String()})
			}
			return nil, e
		}
		cfg.source, cfg.target = t.columns[from], t.columns[to]
	}
	cfg.titles = true
	return inner.readEdgeList('\t', append([][]string{t.columns}, sample...))
}

// isNamedMatrix says whether the titles of the columns but the first are names
// of rows.
func isNamedMatrix(columns []string, sample [][]string) bool {
	if len(columns) < 3 {
		return false
	}
	rows := map[string]bool{}
	for _, r := range sample {
		rows[r[0]] = true
	}
	shared := 0
	for _, c := range columns[1:] {
		if rows[c] {
			shared++
		}
	}
	return 2*shared >= min(len(columns)-1, len(rows))
}

// sharedNames returns the only two columns of names that have names in common,
// −1 when there is no such pair or more than one.
func sharedNames(sample [][]string, width int) (from, to int) {
	from, to = -1, -1
	if width > 64 {
		return from, to
	}
	cols := sampleColumns(sample, width)
	for j := range cols {
		for i := range j {
			if cols[i].isText() && cols[j].isText() && cols[i].shares(&cols[j]) {
				if from >= 0 {
					return -1, -1
				}
				from, to = i, j
			}
		}
	}
	return from, to
}

// sample returns the first rows of a table.
func (d *database) sample(t databaseTable) ([][]string, error) {
	const most = 1000
	rows := d.rows(t)
	var out [][]string
	for len(out) < most && rows.next() {
		out = append(out, slices.Clone(rows.fields))
	}
	return out, rows.err
}

// databaseRows gives the rows of a table as texts.
type databaseRows struct {
	*sqlite.Rows
	d      *database
	fields []string // of the current row, until the next
	given  int64
	err    error
}

func (d *database) rows(t databaseTable) *databaseRows {
	return &databaseRows{Rows: d.file.Rows(t.Table), d: d, fields: make([]string, len(t.columns))}
}

// next goes to the next row; at the end and on an error, which err then holds,
// it returns false.
func (r *databaseRows) next() bool {
	if !r.Next() {
		if err := r.Err(); err != nil {
			r.err = r.d.s.sqliteError(err)
		}
		return false
	}
	for i, v := range r.Values() {
		r.fields[i] = sqliteText(v)
		r.given += int64(len(r.fields[i])) + 1
	}
	if r.given > r.d.bound {
		r.err = r.d.s.failf(ErrTooLarge, 0, 0, "raise the bound with --max-bytes if the file is sound", "a table gives more than %d bytes of text", r.d.bound)
	}
	return r.err == nil
}

// sqliteText writes a value as text; what is no text and no number is missing.
func sqliteText(v sqlite.Value) string {
	switch x := v.(type) {
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case string:
		return x
	case []byte:
		if utf8.Valid(x) && len(x) > 0 && bytes.IndexByte(x, 0) < 0 {
			return string(x)
		}
	}
	return ""
}

// databaseText reads a table as tab-separated lines under a line of titles.
type databaseText struct {
	rows *databaseRows
	text tableText
	end  bool
}

func (d *database) open(t databaseTable) (io.ReadCloser, error) {
	r := &databaseText{rows: d.rows(t)}
	r.text.row(t.columns...)
	return r, nil
}

func (r *databaseText) Read(p []byte) (int, error) {
	const enough = 1 << 16
	for !r.end && r.text.b.Len() < enough {
		if r.end = !r.rows.next(); r.end {
			if r.rows.err != nil {
				return 0, r.rows.err
			}
			break
		}
		r.text.row(r.rows.fields...)
	}
	return r.text.b.Read(p)
}

func (r *databaseText) Close() error { return nil }

// Names of tables of nodes, and of the columns of such a table that edges
// name.
var (
	nodeTables    = []string{"node", "nodes", "region", "regions", "neuron", "neurons", "cell", "cells", "area", "areas", "parcel", "parcels", "roi", "rois", "vertex", "vertices", "structure", "structures"}
	nodeIDColumns = []string{"id", "node_id", "region_id", "neuron_id", "cell_id", "area_id", "roi_id", "bodyid", "root_id", "index", "key", "label", "name", "acronym", "abbreviation"}
)

// joinNodes gives the regions what a table of nodes says of them: the table
// that both ends are declared to refer to, or the only one with a telling name
// and a column that holds the name of every region.
func (d *database) joinNodes(c *connectome.Connectome, edges databaseTable, tables []databaseTable) error {
	from, to := edges.ends()
	for _, t := range tables {
		if t.Name == edges.Name {
			continue
		}
		var keys []string
		switch {
		case from >= 0 && strings.EqualFold(edges.Columns[from].Table, t.Name) && edges.sameReference(from, to):
			keys = []string{edges.Columns[from].Key}
			if keys[0] == "" { // the table's own key
				keys = nodeIDColumns
			}
		case slices.Contains(nodeTables, strings.ToLower(t.Name)):
			keys = nodeIDColumns
		default:
			continue
		}
		joined, err := d.joinTable(c, t, keys)
		if joined || err != nil {
			return err
		}
	}
	return nil
}

// joinTable joins a table by the first of its key columns that names all
// regions.
func (d *database) joinTable(c *connectome.Connectome, t databaseTable, keys []string) (joined bool, err error) {
	at := make(map[string]int, len(c.Regions))
	for i := range c.Regions {
		at[c.Regions[i].Label] = i
	}
	for _, want := range keys {
		key := slices.IndexFunc(t.columns, func(column string) bool { return strings.EqualFold(column, want) })
		if key < 0 {
			continue
		}
		attrs := make([][]attr, len(c.Regions))
		rows := d.rows(t)
		found := 0
		for rows.next() {
			i, ok := at[rows.fields[key]]
			if !ok || attrs[i] != nil {
				continue
			}
			found++
			for j, column := range t.columns {
				if j != key {
					attrs[i] = append(attrs[i], attr{column, strings.TrimSpace(rows.fields[j])})
				}
			}
		}
		if rows.err != nil {
			return false, rows.err
		}
		if found < len(c.Regions) || len(c.Regions) == 0 {
			continue
		}
		d.s.nodeAttributes(c.Regions, attrs)
		if label := d.s.rep.Labels; label == "node ids" {
			d.s.rep.Labels = "column " + t.columns[key] + " of table " + t.Name
		} else {
			d.s.rep.Labels = "column " + strings.TrimPrefix(label, "node attribute ") + " of table " + t.Name
		}
		d.s.rep.Infof("nodes-joined", "all %d nodes are described in table %s (joined by %s)", found, t.Name, t.columns[key])
		d.s.noteDuplicateLabels(c.Regions)
		return true, nil
	}
	return false, nil
}
