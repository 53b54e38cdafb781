package format

import (
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// Sparse matrices as scipy.sparse.save_npz writes them: rows or columns
// pressed together (CSR, CSC: data, indices, indptr) or coordinates (COO:
// data, row, col), and the shape.

// readSparseNPZ reads the arrays as one sparse matrix; ok is false when they
// are none.
func (s *source) readSparseNPZ(all []*array) (c *connectome.Connectome, ok bool, err error) {
	named := map[string]*array{}
	for _, a := range all {
		named[a.name] = a
	}
	shape, data := named["shape"], named["data"]
	if shape == nil || data == nil || len(shape.data) != 2 || !data.numeric() {
		return nil, false, nil
	}
	sp := &sparse{s: s, values: data.data}
	if sp.rows, sp.columns, ok = sp.indices(named); !ok {
		return nil, false, nil
	}
	c, err = sp.connectome(shape.data)
	return c, true, err
}

type sparse struct {
	s                     *source
	values, rows, columns []float64
}

// indices returns the row and the column of every value.
func (sp *sparse) indices(named map[string]*array) (rows, columns []float64, ok bool) {
	if row, col := named["row"], named["col"]; row != nil && col != nil {
		return row.data, col.data, true
	}
	pointers, indices := named["indptr"], named["indices"]
	if pointers == nil || indices == nil {
		return nil, nil, false
	}
	outer := make([]float64, 0, len(indices.data))
	for k, p := range pointers.data {
		for len(outer) < len(indices.data) && float64(len(outer)) < p {
			outer = append(outer, float64(k-1))
		}
	}
	if f := named["format"]; f != nil && slices.Contains(f.text, "csc") {
		return indices.data, outer, true
	}
	return outer, indices.data, true
}

func (sp *sparse) connectome(shape []float64) (*connectome.Connectome, error) {
	s := sp.s
	if shape[0] != shape[1] {
		return nil, s.failf(ErrNotSquare, 0, 0, "", "a sparse matrix of %v × %v", shape[0], shape[1])
	}
	if len(sp.rows) != len(sp.values) || len(sp.columns) != len(sp.values) {
		return nil, s.failf(ErrCorrupt, 0, 0, "save it again with scipy.sparse.save_npz", "%d values at %d rows and %d columns", len(sp.values), len(sp.rows), len(sp.columns))
	}
	if !(shape[0] >= 1 && shape[0] < math.MaxInt32) {
		return nil, s.failf(ErrEmpty, 0, 0, "", "a sparse matrix of %v regions", shape[0])
	}
	n := int(shape[0])
	if err := s.checkNodes(n, len(sp.values), 0); err != nil {
		return nil, err
	}
	m := newMatrix()
	var b connectome.Builder
	for k, w := range sp.values {
		i, j := sp.rows[k], sp.columns[k]
		if !(i >= 0 && i < shape[0] && j >= 0 && j < shape[0]) || i != math.Trunc(i) || j != math.Trunc(j) {
			return nil, s.failf(ErrNode, 0, 0, "save it again with scipy.sparse.save_npz", "entry %d is at row %v, column %v of %d regions", k, i, j, n)
		}
		switch {
		case math.IsNaN(w):
			m.missing++
		case math.IsInf(w, 0):
			m.infinite++
		default:
			b.Add(int(i), int(j), w, math.NaN())
		}
	}
	m.n = n
	m.tracts, _ = b.Build(n, connectome.SumParallel)
	s.rep.Dialect = "scipy.sparse"
	c := s.finishMatrix(m, nil, connectome.RowsSource, "the convention of plain matrices; the file does not say")
	return c, s.joinLabels(c)
}
