package own

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
)

// readDelimited reads CSV or TSV with a row of names, or rows of numbers
// without one. Every row is in split, which may be empty.
func (b *builder) readDelimited(path string, split datasets.Split) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseDelimited(r, path, split) })
}

func (b *builder) parseDelimited(r io.Reader, path string, split datasets.Split) error {
	in := bufio.NewReaderSize(r, 1<<16)
	skipMark(in)
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	reader.Comma = delimiter(in, path)
	if reader.Comma == '\t' {
		reader.LazyQuotes = true // tabs need no quotes, and texts hold some
	}
	var columns []int
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			b.bad(Problem{Fault: FaultSyntax, Place: Place{path, parse.StartLine}, Cell: 0,
				Text: fmt.Sprintf("at character %d of line %d: %v", parse.Column, parse.Line, parse.Err)})
			if b.left -= valueBytes; b.left < 0 {
				return b.tooLarge(Place{path, parse.Line})
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		line, _ := reader.FieldPos(0)
		if columns == nil {
			var header bool
			if columns, header, err = b.header(record); err != nil {
				return fmt.Errorf("%s:%d: %w", path, line, err)
			}
			if header {
				continue
			}
		}
		if len(record) != len(columns) {
			if len(record) == 1 && strings.TrimSpace(record[0]) == "" {
				continue // an empty line
			}
			b.bad(Problem{Fault: FaultCells, Place: Place{path, line}, Text: fmt.Sprintf("%d cells where the first row has %d", len(record), len(columns))})
			continue
		}
		row := b.row(Place{path, line}, split)
		for i, text := range record {
			if err := b.setText(row, columns[i], strings.Clone(text)); err != nil {
				return err
			}
		}
	}
}

// skipMark skips the byte order mark that spreadsheets write.
func skipMark(in *bufio.Reader) {
	if head, _ := in.Peek(3); string(head) == "\xef\xbb\xbf" {
		in.Discard(3) //nolint:errcheck // they were peeked at
	}
}

// delimiter is the character, of tab, semicolon and comma, that the first
// line has most of.
func delimiter(in *bufio.Reader, path string) rune {
	head, _ := in.Peek(1 << 15)
	line, _, _ := strings.Cut(string(head), "\n")
	best := ','
	if strings.EqualFold(filepath.Ext(path), ".tsv") {
		best = '\t'
	}
	for _, c := range "\t;," {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best
}

// maxColumns bounds the columns of a table.
const maxColumns = 1 << 16

// header reads the names of the columns. Where the first row is numbers the
// columns are called "1", "2" and so on, and the row is data.
func (b *builder) header(record []string) (columns []int, header bool, err error) {
	if len(record) > maxColumns {
		return nil, false, fmt.Errorf("%d columns; at most %d are read", len(record), maxColumns)
	}
	numbers := 0
	for _, cell := range record {
		if _, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err == nil {
			numbers++
		}
	}
	header = numbers < len(record)
	seen := map[int]bool{}
	for i, cell := range record {
		name := strings.TrimSpace(strings.Clone(cell))
		if !header || name == "" {
			name = strconv.Itoa(i + 1)
		}
		k := b.column(name, "")
		if seen[k] {
			return nil, false, fmt.Errorf("two columns are called %q", name)
		}
		seen[k] = true
		b.d.Columns[k].cell = i + 1
		columns = append(columns, k)
	}
	return columns, header, nil
}
