package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/connectomewire/wire/connectome/format"
)

// workbook makes an .xlsx of sheets: name, rows of cells split at |.
func workbook(t testing.TB, sheets ...[]string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for k, sheet := range sheets {
		if k == 0 {
			if err := f.SetSheetName("Sheet1", sheet[0]); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.NewSheet(sheet[0]); err != nil {
			t.Fatal(err)
		}
		for i, row := range sheet[1:] {
			for j, cell := range strings.Split(row, "|") {
				if cell == "" {
					continue
				}
				name, err := excelize.CoordinatesToCellName(j+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				var v any = cell
				var x float64
				if _, err := fmt.Sscanf(cell, "%g", &x); err == nil && fmt.Sprint(x) == cell {
					v = x
				}
				if err := f.SetCellValue(sheet[0], name, v); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExcel(t *testing.T) {
	// As Cook et al. have it: categories above and beside, empty cells for no
	// contact, and sums below, without a label.
	cook := []string{"chemical", "|||SENSORY||MUSCLE", "", "||| a | b | m ", "SENSORY|x|a||2|1", "|y|b|3|", "|||3|2|1"}
	edges := []string{"edges", "Supplementary table 1", "", "pre|post|synapses", "a|b|2", "b|a|3", "a|m|1"}
	for _, d := range []struct {
		name string
		file string
		opts []format.Option
	}{
		{"a matrix among categories", workbook(t, cook), nil},
		{"edges below a title", workbook(t, edges), nil},
		{"a sheet of several", workbook(t, edges, cook), []format.Option{format.WithVar("Chemical")}},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, "x.xlsx", d.file), d.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if c.Report.Format != "Excel" || len(c.Regions) != 3 || !c.Directed || c.Tracts.Len() != 3 ||
				c.Tracts.At(0, 1) != 2 || c.Tracts.At(1, 0) != 3 || c.Tracts.At(0, 2) != 1 || c.Regions[2].Label != "m" {
				t.Errorf("%s: %v %v", c.Report.Format, c.Regions, c.Tracts)
			}
		})
	}
	_, err := format.Read(put(t, "x.xlsx", workbook(t, edges, cook)))
	if !errors.Is(err, format.ErrAmbiguous) || !strings.Contains(err.Error(), "chemical  (a labelled matrix of 2 × 3)") {
		t.Errorf("%v", err)
	}
	whole := workbook(t, edges)
	if _, err := format.Read(put(t, "x.xlsx", whole), format.WithMaxBytes(2000)); !errors.Is(err, format.ErrTooLarge) {
		t.Errorf("%v", err)
	}
}
