package format

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format/internal/hdf5"
)

// HDF5: MATLAB's version 7.3 files, TVB's connectivity, and plain arrays as
// h5py writes them.

func (s *source) readHDF5() (*connectome.Connectome, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	f, err := hdf5.Open(data, s.cfg.maxBytes)
	if err != nil {
		return nil, s.hdf5Error("", err)
	}
	matlab := bytes.HasPrefix(data, []byte("MATLAB 7.3"))
	h := &hdf5Reader{s: s, matlab: matlab, objects: map[string]*hdf5.Object{}}
	if err := f.Walk(h.visit); err != nil {
		return nil, s.hdf5Error("", err)
	}
	switch {
	case matlab:
		s.rep.Format, s.rep.Dialect = "MAT v7.3", "HDF5, transposed on reading"
	case h.isTVB():
		return h.readTVB()
	default:
		s.rep.Format = "HDF5"
		if err := h.pandasFrames(); err != nil {
			return nil, err
		}
		if err := h.columnsOfEdges(); err != nil {
			return nil, err
		}
	}
	if len(h.arrays) == 0 && len(h.skipped) > 0 {
		return nil, s.failf(ErrNotSquare, 0, 0, "a connectivity matrix has one row and one column a region", "no square matrix; the file holds %s", listOr(h.skipped, ""))
	}
	return s.arraysConnectome(h.arrays)
}

// hdf5Error locates an error of the HDF5 reader.
func (s *source) hdf5Error(path string, err error) error {
	var pe *ParseError
	var ae *AmbiguousError
	if errors.As(err, &pe) || errors.As(err, &ae) {
		return err
	}
	kind, advice := ErrCorrupt, "fetch or save the file again"
	switch {
	case errors.Is(err, hdf5.ErrUnsupported):
		kind, advice = ErrUnsupported, ""
	case errors.Is(err, hdf5.ErrTooLarge):
		kind, advice = ErrTooLarge, "raise the bound with --max-bytes if the file is sound"
	}
	e := &ParseError{Path: s.path, Member: s.member, Err: fmt.Errorf("%w: %v", kind, err), Advice: advice}
	if path != "" {
		e.Member = path
	}
	return e
}

type hdf5Reader struct {
	s       *source
	matlab  bool
	objects map[string]*hdf5.Object // data sets by path
	arrays  []*array
	vectors []*hdf5.Object // data sets of numbers along one axis
	skipped []string
}

// visit reads the data sets that can matter.
func (h *hdf5Reader) visit(o *hdf5.Object) error {
	if h.matlab && o.Path == "/#subsystem#/MCOS" {
		h.objects[o.Path] = o // comes before the variables
	}
	if h.matlab && (strings.HasPrefix(o.Path, "/#refs#") || strings.HasPrefix(o.Path, "/#subsystem#")) {
		return nil
	}
	if isIndexOfTable(o.Path) {
		return nil
	}
	name := strings.TrimPrefix(o.Path, "/")
	if !o.IsDataset() {
		if rows := o.Attribute("MATLAB_sparse"); rows != "" {
			h.skipped = append(h.skipped, name) // replaced when its parts are read
		}
		return nil
	}
	h.objects[o.Path] = o
	if i := strings.LastIndexByte(o.Path, '/'); i > 0 && slices.Contains(h.skipped, strings.TrimPrefix(o.Path[:i], "/")) && h.matlab {
		return h.sparse(o.Path[:i])
	}
	info, err := o.Info()
	if err != nil {
		if errors.Is(err, hdf5.ErrUnsupported) || errors.Is(err, hdf5.ErrTooLarge) {
			h.skipped = append(h.skipped, name)
			return nil
		}
		return h.s.hdf5Error(o.Path, err)
	}
	a := &array{name: name, shape: info.Shape}
	if h.matlab {
		a.shape, a.columnMajor = slices.Clone(info.Shape), true
		slices.Reverse(a.shape)
		a.name = strings.ReplaceAll(name, "/", ".")
	}
	switch {
	case info.Class == hdf5.Text:
		a.text, err = o.Texts()
	case info.Class == hdf5.Reference && h.matlab:
		a.text, err = h.cell(o)
		if a.text == nil {
			h.skipped = append(h.skipped, name)
			return err
		}
	case info.Class == hdf5.Number && h.matlab && o.Attribute("MATLAB_class") == "string":
		var reference []float64
		if reference, err = o.Numbers(); err == nil {
			texts, ok := h.matlabObjects().strings(reference)
			if !ok {
				h.skipped = append(h.skipped, name+" (strings)")
				return nil
			}
			a.text, a.shape = texts, []int{len(texts), 1}
		}
	case info.Class == hdf5.Number && h.matlab && o.Attribute("MATLAB_class") == "char":
		if a.text, err = h.chars(o, a); err != nil {
			return h.s.hdf5Error(o.Path, err)
		}
	case info.Class == hdf5.Records && len(info.Shape) == 1 && !h.matlab:
		a, err = h.table(o, name)
	case info.Class == hdf5.Number && (a.isMatrix() || len(a.shape) <= 2 && isNamed(a.name, coordArrays)):
		a.data, err = o.Numbers()
	default:
		if info.Class == hdf5.Number && len(info.Shape) == 1 && !h.matlab {
			h.vectors = append(h.vectors, o)
		}
		h.skipped = append(h.skipped, name+" ("+shapeText(a.shape)+")")
		return nil
	}
	if err != nil {
		return h.s.hdf5Error(o.Path, err)
	}
	h.arrays = append(h.arrays, a)
	return nil
}

// chars decodes a MATLAB character array into its rows.
func (h *hdf5Reader) chars(o *hdf5.Object, a *array) ([]string, error) {
	if len(a.shape) != 2 || a.shape[0] <= 1 {
		t, err := o.Chars()
		return []string{t}, err
	}
	x, err := o.Numbers()
	if err != nil {
		return nil, err
	}
	rows := make([]string, a.shape[0])
	for i := range rows {
		var b strings.Builder
		for j := range a.shape[1] {
			b.WriteRune(rune(x[j*a.shape[0]+i]))
		}
		rows[i] = strings.TrimRight(b.String(), " \x00")
	}
	return rows, nil
}

// cell decodes a MATLAB cell array of texts; nil when it holds other things.
func (h *hdf5Reader) cell(o *hdf5.Object) ([]string, error) {
	parts, err := o.Referenced()
	if err != nil {
		return nil, h.s.hdf5Error(o.Path, err)
	}
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		if !p.IsDataset() || p.Attribute("MATLAB_class") != "char" {
			return nil, nil
		}
		if p.Attribute("MATLAB_empty") == "1" {
			texts = append(texts, "")
			continue
		}
		t, err := p.Chars()
		if err != nil {
			return nil, h.s.hdf5Error(o.Path, err)
		}
		texts = append(texts, t)
	}
	return texts, nil
}

// sparse expands a MATLAB sparse matrix once its three parts are there: row
// indices ir, column starts jc, values data.
func (h *hdf5Reader) sparse(group string) error {
	ir, jc, values := h.objects[group+"/ir"], h.objects[group+"/jc"], h.objects[group+"/data"]
	if ir == nil || jc == nil || values == nil {
		return nil
	}
	var part [3][]float64
	for k, o := range []*hdf5.Object{ir, jc, values} {
		x, err := o.Numbers()
		if err != nil {
			return h.s.hdf5Error(o.Path, err)
		}
		part[k] = x
	}
	columns := len(part[1]) - 1
	// The attribute MATLAB_sparse holds the number of rows; a connectome is
	// square, so the columns tell.
	a, err := sparseArray(strings.TrimPrefix(group, "/"), columns, part[0], part[1], part[2])
	if err != nil {
		return h.s.failf(ErrUnsupported, 0, 0, "save it as a full matrix", "%v", err)
	}
	h.arrays = append(h.arrays, a)
	return nil
}

// tvbGroup returns the path of the group with a TVB connectivity, "" at the
// root, and whether there is one.
func (h *hdf5Reader) tvbGroup() (string, bool) {
	paths := make([]string, 0, len(h.objects))
	for p := range h.objects {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		group, ok := strings.CutSuffix(p, "/weights")
		if !ok {
			continue
		}
		for _, other := range []string{"/tract_lengths", "/region_labels", "/centres"} {
			if h.objects[group+other] != nil {
				return group, true
			}
		}
	}
	return "", false
}

func (h *hdf5Reader) isTVB() bool {
	_, ok := h.tvbGroup()
	return ok && h.s.cfg.variable == ""
}

// readTVB reads /weights[to, from] and its companions.
func (h *hdf5Reader) readTVB() (*connectome.Connectome, error) {
	s := h.s
	group, _ := h.tvbGroup()
	s.rep.Format = "TVB HDF5"
	w, err := h.numbers(group+"/weights", 2)
	if err != nil {
		return nil, err
	}
	n := w.shape[0]
	if w.shape[1] != n {
		return nil, s.failf(ErrNotSquare, 0, 0, "", "weights are %s", shapeText(w.shape))
	}
	var lengths *matrix
	if h.objects[group+"/tract_lengths"] != nil {
		l, err := h.numbers(group+"/tract_lengths", 2)
		if err != nil {
			return nil, err
		}
		switch {
		case slices.Equal(l.shape, w.shape):
			lengths = matrixOf(l, true)
			s.rep.Length = group + "/tract_lengths"
		case len(l.data) == 0:
			s.rep.Warnf("empty-lengths", "tract_lengths is empty: tract lengths are unknown")
		default:
			return nil, s.failf(ErrNotSquare, 0, 0, "both matrices must cover the same regions", "tract_lengths are %s for %d regions", shapeText(l.shape), n)
		}
	}
	c := s.finishMatrix(matrixOf(w, false), lengths, connectome.RowsTarget, "TVB's convention: weights[to, from]")
	if err := h.tvbLabels(group, c); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name    string
		columns int
		set     func(r *connectome.Region, row []float64)
	}{
		{"centres", 3, func(r *connectome.Region, row []float64) {
			if !slices.ContainsFunc(row, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
				r.Position, r.Located = [3]float64(row), true
			}
		}},
		{"hemispheres", 1, func(r *connectome.Region, row []float64) {
			if r.Hemisphere = connectome.Left; row[0] == 1 {
				r.Hemisphere = connectome.Right
			}
		}},
		{"areas", 1, func(r *connectome.Region, row []float64) { r.SetAttribute("area_mm2", formatFloats(row)) }},
		{"orientations", 3, func(r *connectome.Region, row []float64) { r.SetAttribute("orientation", formatFloats(row)) }},
		{"cortical", 1, func(r *connectome.Region, row []float64) { r.SetAttribute("cortical", formatFloats(row)) }},
	} {
		if err := h.tvbRows(group+"/"+part.name, part.columns, c, part.set); err != nil {
			return nil, err
		}
	}
	s.inferHemispheres(c.Regions)
	s.noteDuplicateLabels(c.Regions)
	return c, s.tvbLabelOption(c)
}

func (h *hdf5Reader) numbers(path string, rank int) (*array, error) {
	o := h.objects[path]
	info, err := o.Info()
	if err != nil {
		return nil, h.s.hdf5Error(path, err)
	}
	if len(info.Shape) != rank {
		return nil, h.s.failf(ErrNotSquare, 0, 0, "", "%s has shape %s", path, shapeText(info.Shape))
	}
	x, err := o.Numbers()
	if err != nil {
		return nil, h.s.hdf5Error(path, err)
	}
	return &array{name: path, shape: info.Shape, data: x}, nil
}

// tvbRows hands a data set with one row a region to set.
func (h *hdf5Reader) tvbRows(path string, columns int, c *connectome.Connectome, set func(*connectome.Region, []float64)) error {
	o := h.objects[path]
	if o == nil {
		return nil
	}
	info, err := o.Info()
	if err != nil {
		return h.s.hdf5Error(path, err)
	}
	if info.Class != hdf5.Number {
		return nil
	}
	x, err := o.Numbers()
	if err != nil {
		return h.s.hdf5Error(path, err)
	}
	if len(x) == 0 {
		return nil
	}
	if len(x) != len(c.Regions)*columns {
		return h.s.failf(ErrLabels, 0, 0, "every data set has one row a region", "%s has %d values for %d regions", path, len(x), len(c.Regions))
	}
	for i := range c.Regions {
		set(&c.Regions[i], x[i*columns:(i+1)*columns])
	}
	return nil
}

func (h *hdf5Reader) tvbLabels(group string, c *connectome.Connectome) error {
	o := h.objects[group+"/region_labels"]
	if o == nil {
		h.s.rep.Warnf("no-labels", "there is no region_labels: regions have no labels")
		return nil
	}
	labels, err := o.Texts()
	if err != nil {
		return h.s.hdf5Error(o.Path, err)
	}
	if len(labels) != len(c.Regions) {
		return h.s.failf(ErrLabels, 0, 0, "every data set has one row a region", "%d region_labels for %d regions", len(labels), len(c.Regions))
	}
	for i, l := range labels {
		c.Regions[i].Label = l
	}
	h.s.rep.Labels = o.Path
	h.s.rep.LabelHow = "TVB's layout: entry i of region_labels is row i of the weights"
	return nil
}
