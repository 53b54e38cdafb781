package reservoir

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// Matrix is a table of numbers, row-major.
type Matrix struct {
	// Name of the file it was read from, for messages.
	Name       string
	Rows, Cols int
	Data       []float64
}

// maxTable bounds what is read of a table: its bytes.
const maxTable = 1 << 28

// ReadMatrix reads a table of numbers: one row a line, with commas, semicolons,
// tabs or blanks between them, and perhaps a line of names above. Every mistake
// is told with its line and column.
func ReadMatrix(path string) (*Matrix, error) {
	t, err := readTable(path)
	if err != nil {
		return nil, err
	}
	m := &Matrix{Name: path, Rows: len(t.rows), Cols: len(t.rows[0])}
	for i := range t.rows {
		for k := range m.Cols {
			v, err := t.number(i, k)
			if err != nil {
				return nil, err
			}
			m.Data = append(m.Data, v)
		}
	}
	return m, nil
}

// table is a file's cells as text. All rows are equally long, and there is one.
type table struct {
	path   string
	header []string // nil without
	rows   [][]string
	lines  []int
}

// readTable reads a table; a first row with a cell that is no number is its
// header.
func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTable+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > maxTable {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxTable)
	}
	return parseTable(path, string(data))
}

func parseTable(path, data string) (*table, error) {
	t := &table{path: path}
	data = strings.TrimPrefix(data, "\ufeff")
	add := func(line int, cells []string) error {
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if t.header == nil && len(t.rows) == 0 && !numeric(cells) {
			t.header = cells
			return nil
		}
		want := len(t.header)
		if t.header == nil && len(t.rows) > 0 {
			want = len(t.rows[0])
		}
		if want > 0 && len(cells) != want {
			return fmt.Errorf("%s:%d: %d columns, want %d as before", path, line, len(cells), want)
		}
		t.rows, t.lines = append(t.rows, cells), append(t.lines, line)
		return nil
	}
	comma := separator(data)
	if comma == 0 {
		line := 0
		for text := range strings.Lines(data) {
			line++
			if cells := strings.Fields(text); len(cells) > 0 {
				if err := add(line, cells); err != nil {
					return nil, err
				}
			}
		}
	} else {
		r := csv.NewReader(strings.NewReader(data))
		r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = comma, -1, comma != '\t'
		for {
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			line, _ := r.FieldPos(0)
			if err := add(line, cells); err != nil {
				return nil, err
			}
		}
	}
	if len(t.rows) == 0 {
		return nil, fmt.Errorf("%s: no rows of numbers", path)
	}
	return t, nil
}

// separator is the first of tab, semicolon and comma in the first line that is
// not empty; 0 for blanks.
func separator(data string) rune {
	for text := range strings.Lines(data) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		for _, c := range "\t;," {
			if strings.ContainsRune(text, c) {
				return c
			}
		}
		return 0
	}
	return 0
}

func numeric(cells []string) bool {
	for _, c := range cells {
		if _, err := strconv.ParseFloat(c, 64); err != nil {
			return false
		}
	}
	return true
}

// number is a cell's number.
func (t *table) number(row, column int) (float64, error) {
	cell := t.rows[row][column]
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		where := strconv.Itoa(column + 1)
		if t.header != nil {
			where += fmt.Sprintf(" (%s)", t.header[column])
		}
		return 0, fmt.Errorf("%s:%d: column %s is %q, want a number", t.path, t.lines[row], where, cell)
	}
	return v, nil
}
