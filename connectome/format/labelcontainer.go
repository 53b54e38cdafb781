package format

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Labels in files that are no text: NumPy's arrays, MATLAB's variables, and
// the sheets of Excel.

// containerLabels reads n labels from such a file; nil for others.
func (s *source) containerLabels(head []byte, n int) ([]connectome.Region, error) {
	switch {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		data, err := s.all()
		if err != nil {
			return nil, err
		}
		a, err := s.parseNPY(data, stem(s.name))
		if err != nil {
			return nil, err
		}
		return s.textArray([]*array{a}, n)
	case bytes.HasPrefix(head, []byte("MATLAB 5.0 MAT-file")):
		r, err := s.mat5()
		if err != nil {
			return nil, err
		}
		return s.textArray(r.arrays, n)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		rows, err := s.workbookRows()
		if err != nil {
			return nil, err
		}
		lines := make([]int, len(rows))
		for i := range lines {
			lines[i] = i + 1
		}
		return s.labelRows(rows, lines, n)
	case bytes.IndexByte(head, 0) >= 0 && utf16Order(head) == notUTF16:
		return nil, s.failf(ErrLabels, 0, 0, "labels are read from text, JSON, NPY, MAT and Excel files, and from the label tables of parcellations", "binary content that no reader of labels knows")
	}
	return nil, nil
}

// textArray takes the list of n texts, the one with a telling name where there
// are several.
func (s *source) textArray(all []*array, n int) ([]connectome.Region, error) {
	var texts, fit []*array
	for _, a := range all {
		if !a.numeric() {
			texts = append(texts, a)
			if len(a.text) == n {
				fit = append(fit, a)
			}
		}
	}
	slices.SortStableFunc(fit, func(a, b *array) int { return cmp.Compare(labelRank(a), labelRank(b)) })
	switch {
	case len(fit) == 0:
		return nil, s.failf(ErrLabels, 0, 0, "labels are a list of texts, one a region", "no list of %d texts; the file holds %s", n, listArrays(all))
	case len(fit) > 1 && labelRank(fit[0]) == labelRank(fit[1]) && !slices.Equal(fit[0].text, fit[1].text):
		return nil, s.failf(ErrLabels, 0, 0, "keep the one that is meant in a file of its own", "several lists of %d texts: %s", n, listArrays(texts))
	}
	return labelled(fit[0].text), nil
}

// workbookRows reads the only sheet with content, its rows made equally long.
func (s *source) workbookRows() (rows [][]string, err error) {
	f, closer, err := s.workbook()
	if err != nil {
		return nil, err
	}
	defer closer()
	defer s.containPanic(&err)
	for _, name := range f.GetSheetList() {
		sheet, err := s.sheet(f, name)
		if err != nil {
			return nil, err
		}
		if len(sheet) > 0 && rows != nil {
			return nil, s.failf(ErrLabels, 0, 0, "keep the labels in a workbook of their own, or save their sheet as CSV", "several sheets hold something: %s", strings.Join(f.GetSheetList(), ", "))
		}
		if len(sheet) > 0 {
			rows = sheet
		}
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	for i, r := range rows {
		rows[i] = append(r, make([]string, width-len(r))...)
	}
	return rows, nil
}
