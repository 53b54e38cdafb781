package format

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome/format/internal/hdf5"
	"github.com/connectomewire/wire/connectome/format/internal/pickle"
)

// Tables in HDF5: compound data sets, as h5py writes structured arrays and
// PyTables (pandas' format="table") its tables; pandas' other layout, blocks of
// columns of one type; and columns that are data sets of their own.

// isIndexOfTable says whether a data set belongs to an index that PyTables
// keeps beside a table.
func isIndexOfTable(path string) bool { return strings.Contains(path, "/_i_") }

// table reads a compound data set.
func (h *hdf5Reader) table(o *hdf5.Object, name string) (*array, error) {
	fields, err := o.Columns()
	if err != nil {
		return nil, err
	}
	pytables := o.Attribute("CLASS") == "TABLE"
	var columns []edgeColumn
	for _, f := range fields {
		if pytables && f.Name == "index" && len(fields) > 1 {
			continue // pandas' names of rows
		}
		names := []string{f.Name}
		if kind := o.Attribute(f.Name + "_kind"); strings.HasPrefix(f.Name, "values_block_") && kind != "" {
			if v, err := pickle.Load([]byte(kind)); err == nil {
				if texts, ok := pickle.Texts(v); ok {
					names = texts
				}
			}
		}
		if len(names) != f.Width {
			continue // a field of several values is no column
		}
		columns = append(columns, blockColumns(names, f.Numbers, f.Texts)...)
	}
	return recordsOf(name, columns), nil
}

// blockColumns cuts a block of values, whose rows are those of the table, into
// its columns.
func blockColumns(names []string, numbers []float64, texts []string) []edgeColumn {
	columns := make([]edgeColumn, len(names))
	for j, name := range names {
		columns[j].title = name
		for i := j; i < len(numbers); i += len(names) {
			columns[j].numbers = append(columns[j].numbers, numbers[i])
		}
		for i := j; i < len(texts); i += len(names) {
			columns[j].texts = append(columns[j].texts, texts[i])
		}
	}
	return columns
}

// pandasFrames reads the tables that pandas wrote as blocks: axis0 names the
// columns, block0_items those of a block, block0_values holds it.
func (h *hdf5Reader) pandasFrames() error {
	for _, path := range sortedKeys(h.objects) {
		group, ok := strings.CutSuffix(path, "/axis0")
		if !ok {
			continue
		}
		var columns []edgeColumn
		for k := 0; h.objects[fmt.Sprintf("%s/block%d_values", group, k)] != nil; k++ {
			block, err := h.pandasBlock(fmt.Sprintf("%s/block%d", group, k))
			if err != nil {
				return h.s.hdf5Error(group, err)
			}
			columns = append(columns, block...)
		}
		if len(columns) == 0 || slices.ContainsFunc(columns, func(c edgeColumn) bool { return c.len() != columns[0].len() }) {
			continue
		}
		order, err := h.objects[path].Texts()
		if err != nil {
			continue // columns without names
		}
		slices.SortStableFunc(columns, func(a, b edgeColumn) int {
			return cmp.Compare(slices.Index(order, a.title), slices.Index(order, b.title))
		})
		if t := recordsOf(strings.TrimPrefix(group, "/"), columns); t.namesEnds {
			h.arrays = append(h.arrays, t)
		}
	}
	return nil
}

// pandasBlock reads the columns of one block, nil when they are neither numbers
// nor texts.
func (h *hdf5Reader) pandasBlock(path string) ([]edgeColumn, error) {
	items, values := h.objects[path+"_items"], h.objects[path+"_values"]
	if items == nil {
		return nil, nil
	}
	names, err := items.Texts()
	if err != nil || len(names) == 0 {
		return nil, nil
	}
	info, err := values.Info()
	if err != nil {
		return nil, err
	}
	switch {
	case info.Class == hdf5.Number && len(info.Shape) == 2 && info.Shape[1] == len(names):
		x, err := values.Numbers()
		if err != nil {
			return nil, err
		}
		return blockColumns(names, x, nil), nil
	case info.Class == hdf5.Blob:
		blobs, err := values.Blobs()
		if err != nil {
			return nil, err
		}
		if len(blobs) != 1 {
			return nil, nil
		}
		v, err := pickle.Load(blobs[0])
		if err != nil {
			return nil, nil
		}
		texts, ok := pickle.Texts(v)
		if !ok || len(texts)%len(names) != 0 {
			return nil, nil
		}
		if pickle.ColumnMajor(v) {
			columns := make([]edgeColumn, len(names))
			n := len(texts) / len(names)
			for j, name := range names {
				columns[j] = edgeColumn{title: name, texts: texts[j*n : (j+1)*n]}
			}
			return columns, nil
		}
		return blockColumns(names, nil, texts), nil
	}
	return nil, nil
}

// columnsOfEdges reads the data sets of one axis, which matter only where the
// file holds neither a matrix nor a table.
func (h *hdf5Reader) columnsOfEdges() error {
	if slices.ContainsFunc(h.arrays, func(a *array) bool { return a.isMatrix() || a.records != nil }) {
		return nil
	}
	for _, o := range h.vectors {
		x, err := o.Numbers()
		switch {
		case errors.Is(err, hdf5.ErrTooLarge) || errors.Is(err, hdf5.ErrUnsupported):
			continue
		case err != nil:
			return h.s.hdf5Error(o.Path, err)
		}
		h.arrays = append(h.arrays, &array{name: strings.TrimPrefix(o.Path, "/"), shape: []int{len(x)}, data: x})
	}
	return nil
}
