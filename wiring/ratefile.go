package wiring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// Files of a plan of rate cells, beside plan.yaml and tracts.tsv.
const (
	ratesFileName   = "rates.tsv"
	readoutFileName = "readout.tsv"
)

// interceptLabel is the first row of readout.tsv.
const interceptLabel = "(intercept)"

// rateColumns is the header of rates.tsv.
func (p *Plan) rateColumns() []string {
	columns := []string{"region", "leak", "bias"}
	for _, s := range p.Senses {
		for k := range s.Width {
			name := s.Name
			if s.Width > 1 {
				name = fmt.Sprintf("%s.%d", s.Name, k+1)
			}
			columns = append(columns, name)
		}
	}
	return columns
}

func (p *Plan) ratesTSV() []byte {
	var b bytes.Buffer
	b.WriteString(strings.Join(p.rateColumns(), "\t") + "\n")
	for j := range p.Regions {
		numbers := []float64{p.Rates.Leak[j], p.Rates.Bias[j]}
		for s := range p.Senses {
			width := p.Senses[s].Width
			numbers = append(numbers, p.Rates.Input[s][j*width:][:width]...)
		}
		tsvRow(&b, p.Regions[j].Label, numbers)
	}
	return b.Bytes()
}

func (p *Plan) readoutTSV() []byte {
	var b bytes.Buffer
	n := len(p.Readout.Outputs)
	b.WriteString("region\t" + strings.Join(p.Readout.Outputs, "\t") + "\n")
	for i, label := range p.readoutRows() {
		tsvRow(&b, label, p.Readout.Weights[i*n:][:n])
	}
	return b.Bytes()
}

// readoutRows are the labels of the rows of readout.tsv.
func (p *Plan) readoutRows() []string {
	rows := []string{interceptLabel}
	for _, j := range p.Effectors[0].Regions {
		rows = append(rows, p.Regions[j].Label)
	}
	return rows
}

func tsvRow(b *bytes.Buffer, label string, numbers []float64) {
	b.WriteString(label)
	for _, v := range numbers {
		b.WriteString("\t" + strconv.FormatFloat(v, 'g', -1, 64))
	}
	b.WriteString("\n")
}

// loadRates reads the numbers of a plan of rate cells and its readout, if one
// is fitted.
func (p *Plan) loadRates(fsys fs.FS, activation string) error {
	if activation == "" {
		activation = ActivationTanh
	}
	n := len(p.Regions)
	labels := p.labels()
	header, numbers, err := readNumbers(fsys, ratesFileName, labels)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return &Error{File: ratesFileName, Msg: "is not there; a plan of rate cells keeps its leaks, biases and input weights in it", Err: err}
		}
		return err
	}
	if want := p.rateColumns(); !slices.Equal(header, want) {
		return &Error{File: ratesFileName, Line: 1, Msg: fmt.Sprintf("the header is %q, want the columns %s", strings.Join(header, " "), strings.Join(want, ", "))}
	}
	r := &Rates{Activation: activation}
	width := len(header) - 1
	column := func(c, count int) []float64 {
		out := make([]float64, 0, n*count)
		for j := range n {
			out = append(out, numbers[j*width+c:][:count]...)
		}
		return out
	}
	r.Leak, r.Bias = column(0, 1), column(1, 1)
	at := 2
	for _, s := range p.Senses {
		r.Input = append(r.Input, column(at, s.Width))
		at += s.Width
	}
	p.Rates = r
	header, numbers, err = readNumbers(fsys, readoutFileName, p.readoutRows())
	switch {
	case err == nil:
		p.Readout = &Readout{Outputs: header[1:], Weights: numbers}
		p.Trained = true
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := p.checkRates(); err != nil {
		var pr *problem
		if errors.As(err, &pr) && pr.path != "" {
			return err
		}
		return &Error{File: ratesFileName, Msg: err.Error(), Err: err}
	}
	return nil
}

// readNumbers reads a table of a header and a row of numbers for each label,
// in that order.
func readNumbers(fsys fs.FS, name string, labels []string) (header []string, numbers []float64, err error) {
	data, err := readFile(fsys, name, 1<<30)
	if err != nil {
		return nil, nil, err
	}
	row := -1 // of the labels
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		fields := strings.Split(strings.TrimRight(text, "\r\n"), "\t")
		bad := func(column int, format string, args ...any) error {
			return &Error{File: name, Line: line, Column: column, Msg: fmt.Sprintf(format, args...)}
		}
		if row++; row == 0 {
			if header = fields; len(header) < 2 || header[0] != "region" {
				return nil, nil, bad(1, "the header is %q, want \"region\" and names of numbers, separated by tabs", text)
			}
			continue
		}
		if len(fields) == 1 && fields[0] == "" {
			row--
			continue
		}
		if len(fields) != len(header) {
			return nil, nil, bad(1, "%d columns, want %d as in the header", len(fields), len(header))
		}
		if row > len(labels) {
			return nil, nil, bad(1, "a row %q after the last of the %d that are wanted", fields[0], len(labels))
		}
		if want := labels[row-1]; fields[0] != want {
			return nil, nil, bad(1, "the row is of %q where %q is wanted, as in plan.yaml%s", fields[0], want, edit.Suggestion(fields[0], labels))
		}
		column := len(fields[0]) + 2
		for c, f := range fields[1:] {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, bad(column, "%s is %q, want a number", header[c+1], f)
			}
			numbers = append(numbers, v)
			column += len(f) + 1
		}
	}
	if row != len(labels) {
		return nil, nil, &Error{File: name, Line: line + 1, Msg: fmt.Sprintf("%d rows, want %d: the next is %q", max(row, 0), len(labels), labels[max(row, 0)])}
	}
	return header, numbers, nil
}
