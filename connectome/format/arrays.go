package format

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Containers of named arrays: NPY, NPZ, MAT and HDF5. What they share is the
// choice of the array that is the connectome.

// array is a numeric array, or a list of texts, as it stands in the file.
type array struct {
	name        string
	shape       []int     // as the language that wrote it would show it
	columnMajor bool      // order of data
	data        []float64 // nil when the array holds text
	text        []string
	records     *tableText // of a structured array
	fields      int        // of a record
	namesEnds   bool       // two fields are named as the ends of an edge are
}

// numeric says whether the array holds numbers.
func (a *array) numeric() bool { return a.text == nil && a.records == nil }

// at2 returns entry (i, j) of a matrix.
func (a *array) at2(i, j int) float64 {
	if a.columnMajor {
		return a.data[j*a.shape[0]+i]
	}
	return a.data[i*a.shape[1]+j]
}

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, " × ")
}

// squeezed returns the shape without axes of length 1, but at least two axes.
func (a *array) squeezed() []int {
	s := make([]int, 0, len(a.shape))
	for _, n := range a.shape {
		if n != 1 {
			s = append(s, n)
		}
	}
	if len(s) < 2 {
		return a.shape
	}
	return s
}

// axis returns which axis of a three-dimensional array counts subjects or
// bands: the one whose length differs from the other two; the first of
// row-major and the last of column-major arrays when all are equal; −1 when
// no two are equal.
func (a *array) axis() int {
	s := a.squeezed()
	if len(s) != 3 {
		return -1
	}
	switch {
	case s[0] == s[1] && s[1] == s[2]:
		if a.columnMajor {
			return 2
		}
		return 0
	case s[1] == s[2]:
		return 0
	case s[0] == s[1]:
		return 2
	case s[0] == s[2]:
		return 1
	}
	return -1
}

// isMatrix says whether the array could be a connectome, or several. One with
// an empty axis is none, however long its others claim to be.
func (a *array) isMatrix() bool {
	if !a.numeric() || slices.Contains(a.shape, 0) {
		return false
	}
	s := a.squeezed()
	return len(s) == 2 && s[0] == s[1] && s[0] > 1 || a.axis() >= 0
}

// Names of arrays that hold tract lengths, labels and coordinates.
var (
	lengthArrays = []string{"len", "lens", "lengths", "length", "tract_lengths", "tractlengths", "fiber_lengths", "fiberlengths", "fibre_lengths", "len_mat", "lmat", "dist", "dists", "distance", "distances", "d", "delay", "delays", "euclidean", "dmat", "tracts", "l"}
	labelArrays  = []string{"names", "name", "labels", "label", "region_labels", "regionlabels", "regions", "roi_names", "rois", "node_labels", "areas_names", "area_names", "parcels", "nodes"}
	coordArrays  = []string{"coord", "coords", "coordinates", "centres", "centers", "positions", "xyz", "mni", "pos", "centroids"}
)

func isNamed(name string, names []string) bool {
	low := strings.ToLower(name)
	low = low[strings.LastIndexByte(low, '/')+1:]
	return slices.Contains(names, low)
}

// chooseArray picks the connectome among the arrays, and the tract lengths
// that go with it (nil when there are none).
func (s *source) chooseArray(all []*array) (weights, lengths *array, err error) {
	if len(all) == 0 {
		return nil, nil, s.failf(ErrEmpty, 0, 0, "is this the right file?", "no arrays")
	}
	if want := s.cfg.variable; want != "" {
		for _, a := range all {
			if a.name == want || strings.TrimPrefix(a.name, "/") == strings.TrimPrefix(want, "/") {
				if !a.isMatrix() {
					return nil, nil, s.failf(ErrNotSquare, 0, 0, "a connectivity matrix has one row and one column a region", "%q is %s", want, a.describe())
				}
				return a, s.lengthsFor(a, all), nil
			}
		}
		return nil, nil, s.failf(ErrVariable, 0, 0, "the file holds "+listArrays(all), "no %q", want)
	}
	var candidates []*array
	for _, a := range all {
		if a.isMatrix() {
			candidates = append(candidates, a)
		}
	}
	if len(candidates) > 1 { // lengths are not a second connectome
		var rest []*array
		for _, a := range candidates {
			if !isLengthName(a.name) && a.name != s.cfg.length {
				rest = append(rest, a)
			}
		}
		if len(rest) > 0 {
			candidates = rest
		}
	}
	switch len(candidates) {
	case 0:
		if len(all) == 1 && slices.Equal(all[0].shape, []int{1, 1}) && all[0].numeric() {
			return all[0], nil, nil
		}
		advice := "a connectivity matrix has one row and one column a region"
		if slices.ContainsFunc(all, isEdgeArray) {
			advice += "; an array with a row an edge is read with --format edgelist"
		}
		return nil, nil, s.failf(ErrNotSquare, 0, 0, advice, "no square matrix among %s", listArrays(all))
	case 1:
		if isNamed(candidates[0].name, lengthArrays) {
			s.rep.Warnf("lengths-as-weights", "%s is named like tract lengths, but it is the only matrix in the file; it is read as weights", candidates[0].name)
		}
		return candidates[0], s.lengthsFor(candidates[0], all), nil
	}
	e := &AmbiguousError{Path: s.path, What: "matrix", Option: "WithVar", Flag: "--var"}
	for _, a := range candidates {
		e.Candidates = append(e.Candidates, Candidate{a.name, a.describe()})
	}
	return nil, nil, e
}

// isEdgeArray says whether the rows of an array may be edges: two or three
// numbers, of which the first two are whole.
func isEdgeArray(a *array) bool {
	if !a.numeric() || len(a.shape) != 2 || a.shape[1] < 2 || a.shape[1] > 3 || len(a.data) < 2*a.shape[0] {
		return false
	}
	for i := range a.shape[0] {
		for j := range 2 {
			if x := a.at2(i, j); x < 0 || x != math.Trunc(x) {
				return false
			}
		}
	}
	return true
}

func (a *array) describe() string {
	if a.records != nil {
		return shapeText(a.shape) + " records"
	}
	if !a.numeric() {
		return fmt.Sprintf("%d texts", len(a.text))
	}
	if len(a.data) == 0 {
		return shapeText(a.shape)
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range a.data {
		if !math.IsNaN(x) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return fmt.Sprintf("%s, %.4g to %.4g", shapeText(a.shape), lo, hi)
}

func listArrays(all []*array) string {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.name
		if a.numeric() {
			names[i] += " (" + shapeText(a.shape) + ")"
		}
	}
	return listOr(names, "nothing")
}

// isLengthName says whether a name such as "aal116_radius2_meanlength_connectivity"
// is that of tract lengths.
func isLengthName(name string) bool {
	low := strings.ToLower(name)
	return isNamed(name, lengthArrays) || strings.Contains(low, "meanlength") || strings.Contains(low, "mean_length")
}

// lengthsFor finds the array of tract lengths that goes with the weights.
func (s *source) lengthsFor(w *array, all []*array) *array {
	for _, a := range all {
		named := isNamed(a.name, lengthArrays[:12]) || isNamed(a.name, []string{"tracts"})
		named = named || isLengthName(a.name) && commonPrefix(a.name, w.name) > 0
		if s.cfg.length != "" {
			named = a.name == s.cfg.length
		}
		if a != w && named && a.isMatrix() && slices.Equal(a.squeezed(), w.squeezed()) {
			return a
		}
	}
	return nil
}

// plane returns one matrix of the array: the matrix itself, the slice asked
// for, or the average of all.
func (s *source) plane(a *array) (*array, error) {
	sq := &array{name: a.name, shape: a.squeezed(), columnMajor: a.columnMajor, data: a.data}
	if len(sq.shape) == 2 {
		if s.cfg.slice != nil && *s.cfg.slice != 0 {
			return nil, s.failf(ErrVariable, 0, 0, "leave --slice out", "slice %d of a single matrix", *s.cfg.slice)
		}
		return sq, nil
	}
	axis := sq.axis()
	count := sq.shape[axis]
	n := sq.shape[(axis+1)%3]
	out := &array{name: a.name, shape: []int{n, n}, data: make([]float64, n*n)}
	stride := [3]int{sq.shape[1] * sq.shape[2], sq.shape[2], 1}
	if sq.columnMajor {
		stride = [3]int{1, sq.shape[0], sq.shape[0] * sq.shape[1]}
	}
	var rest []int
	for k := range 3 {
		if k != axis {
			rest = append(rest, stride[k])
		}
	}
	pick := func(k, i, j int) float64 { return sq.data[k*stride[axis]+i*rest[0]+j*rest[1]] }
	switch {
	case s.cfg.average:
		for i := range n {
			for j := range n {
				sum, known := 0.0, 0
				for k := range count {
					if x := pick(k, i, j); !math.IsNaN(x) && !math.IsInf(x, 0) {
						sum += x
						known++
					}
				}
				if out.data[i*n+j] = math.NaN(); known > 0 {
					out.data[i*n+j] = sum / float64(known)
				}
			}
		}
		s.rep.Infof("averaged", "%d matrices are averaged; missing entries are left out of each average", count)
	case s.cfg.slice != nil:
		k := *s.cfg.slice
		if k < 0 || k >= count {
			return nil, s.failf(ErrVariable, 0, 0, fmt.Sprintf("slices run from 0 to %d", count-1), "no slice %d", k)
		}
		for i := range n {
			for j := range n {
				out.data[i*n+j] = pick(k, i, j)
			}
		}
		s.rep.Variable += fmt.Sprintf(" [slice %d of %d]", k, count)
	default:
		e := &AmbiguousError{Path: s.path, What: "subject or band (axis " + fmt.Sprint(axis) + " of " + a.name + ", " + shapeText(a.shape) + ")", Option: "WithSlice, or WithAverage for the mean", Flag: "--slice N or --average"}
		for k := range count {
			e.Candidates = append(e.Candidates, Candidate{Name: fmt.Sprint(k)})
		}
		return nil, e
	}
	return out, nil
}

// matrixOf collects an array into a sparse matrix.
func matrixOf(a *array, keepNaN bool) *matrix {
	n := a.shape[0]
	m := newMatrix()
	m.n, m.keepNaN = n, keepNaN
	for i := range n {
		for j := range n {
			m.add(j, a.at2(i, j))
		}
		m.endRow()
	}
	return m
}

// arraysConnectome builds the connectome from the arrays of a container.
func (s *source) arraysConnectome(all []*array) (*connectome.Connectome, error) {
	all = joinColumns(all)
	if c, ok, err := s.otherArray(all); ok {
		return c, err
	}
	all = s.squareRectangles(all)
	w, l, err := s.chooseArray(all)
	if err != nil {
		return nil, err
	}
	s.rep.Variable = w.name
	plane, err := s.plane(w)
	if err != nil {
		return nil, err
	}
	var lengths *matrix
	if l != nil {
		s.rep.Length = l.name
		variable := s.rep.Variable
		lp, err := s.plane(l)
		if err != nil {
			return nil, err
		}
		s.rep.Variable = variable
		lengths = matrixOf(lp, true)
	}
	c := s.finishMatrix(matrixOf(plane, false), lengths, connectome.RowsSource, "the convention of plain matrices; the file does not say")
	if s.cfg.labels == "" {
		s.arrayLabels(c, w.name, all)
	}
	s.arrayPositions(c, all)
	if err := s.joinLabels(c); err != nil {
		return nil, err
	}
	s.noteDuplicateLabels(c.Regions)
	return c, nil
}

// labelRank is 0 for a list named as labels are, 1 for one whose name ends so,
// as in "aal116_region_labels", and 2 for others.
func labelRank(a *array) int {
	if a.name == joinedLabelsName {
		return -1
	}
	if isNamed(a.name, labelArrays) {
		return 0
	}
	low := strings.ToLower(a.name)
	for _, l := range labelArrays {
		if strings.HasSuffix(low, "_"+l) || strings.HasSuffix(low, "."+l) || strings.HasSuffix(low, "/"+l) {
			return 1
		}
	}
	return 2
}

// commonPrefix is the length of what two names begin with, up to a mark:
// "aal116_" of "aal116_region_labels" and "aal116_count_connectivity".
func commonPrefix(a, b string) int {
	n := 0
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if strings.IndexByte("_./-", a[i]) >= 0 {
			n = i + 1
		}
	}
	return n
}

// arrayLabels takes labels from a list of as many texts as there are regions:
// the one whose name begins as that of the matrix does, one with a telling
// name, or else the only one.
func (s *source) arrayLabels(c *connectome.Connectome, variable string, all []*array) {
	n := len(c.Regions)
	var found []*array
	for _, a := range all {
		if !a.numeric() && len(a.text) == n {
			found = append(found, a)
		}
	}
	slices.SortStableFunc(found, func(a, b *array) int {
		return cmp.Or(cmp.Compare(commonPrefix(b.name, variable), commonPrefix(a.name, variable)), cmp.Compare(labelRank(a), labelRank(b)))
	})
	if len(found) == 0 || len(found) > 1 && labelRank(found[0]) > 1 && commonPrefix(found[0].name, variable) == 0 {
		return
	}
	for i, t := range found[0].text {
		c.Regions[i].Label = t
	}
	s.rep.Labels = found[0].name
	s.rep.LabelOrderProven = false
	s.rep.LabelHow = "a list in the same file with one text a region; its order is taken to be that of the matrix"
	if len(found) > 1 {
		s.rep.Infof("several-label-lists", "%d lists of texts could be labels; %s is used", len(found), found[0].name)
	}
}

// otherArray reads an array that is no matrix but says what it is: records of
// edges, or numbers that --format calls edges or a condensed matrix. ok is
// false when there is none.
func (s *source) otherArray(all []*array) (c *connectome.Connectome, ok bool, err error) {
	var records, vectors, tables []*array
	for _, a := range all {
		if s.cfg.variable != "" && a.name != s.cfg.variable {
			continue
		}
		switch {
		case a.records != nil:
			records = append(records, a)
		case !a.numeric() || len(a.data) == 0:
		case len(a.shape) == 1 || len(a.shape) == 2 && (a.shape[0] == 1 || a.shape[1] == 1):
			vectors = append(vectors, a)
		case len(a.shape) == 2 && (a.shape[1] == 2 || a.shape[1] == 3):
			tables = append(tables, a)
		}
	}
	if len(records) > 1 { // tables of nodes and of synapses beside that of edges
		if ends := slices.DeleteFunc(slices.Clone(records), func(a *array) bool { return !a.namesEnds }); len(ends) == 1 {
			records = ends
		}
	}
	kind, condensed := triangles[s.cfg.format]
	square := slices.ContainsFunc(all, func(a *array) bool { return a.isMatrix() && (s.cfg.variable == "" || a.name == s.cfg.variable) })
	switch {
	case len(records) == 1 && !square:
		s.rep.Dialect, s.rep.Variable = "structured array", records[0].name
		if a := records[0]; a.fields == a.shape[0] && a.fields > 2 && s.cfg.format != "edgelist" && s.cfg.source == "" && s.cfg.target == "" && !a.namesEnds {
			s.rep.Dialect = "structured array, a field a region"
			s.cfg.usedFormat = s.cfg.format == "matrix"
			c, err = a.records.readMatrix(s, s.member)
			return c, true, err
		}
		s.cfg.usedFormat = s.cfg.format == "edgelist"
		c, err = records[0].records.readEdges(s, s.member)
		return c, true, err
	case s.cfg.format == "edgelist" && len(tables) == 1:
		s.cfg.usedFormat = true
		a := tables[0]
		var t tableText
		row := make([]string, a.shape[1])
		for i := range a.shape[0] {
			for j := range row {
				row[j] = number(a.at2(i, j))
			}
			t.row(row...)
		}
		s.rep.Variable = a.name
		c, err = t.readEdges(s, s.member)
		return c, true, err
	case len(vectors) == 1 && condensed:
		s.cfg.usedFormat = true
		s.rep.Variable = vectors[0].name
		if c, err = s.condensed(vectors[0].data, kind); err != nil {
			return nil, true, err
		}
		s.rep.Dialect = s.cfg.format
		s.arrayLabels(c, vectors[0].name, all)
		return c, true, s.joinLabels(c)
	case len(vectors) == 1 && !square && len(all) == 1 && len(vectors[0].data) >= minCondensed && condensedSize(len(vectors[0].data)) > 0:
		return nil, true, condensedError(s, len(vectors[0].data), anyTriangle)
	}
	return nil, false, nil
}

// joinedLabelsName is the name of the labels that a rectangle's two lists make.
const joinedLabelsName = "labels of rows and columns"

// squareRectangles makes square matrices of those whose rows and columns have
// different lists of labels in the same file, as the CONN toolbox's sources
// and targets (names, names2) have. It changes nothing where there is a square
// matrix.
func (s *source) squareRectangles(all []*array) []*array {
	if slices.ContainsFunc(all, (*array).isMatrix) {
		return all
	}
	labels := func(n int) *array {
		for _, a := range all {
			if !a.numeric() && len(a.text) == n {
				return a
			}
		}
		return nil
	}
	out := slices.Clone(all)
	for k, a := range all {
		if !a.numeric() || len(a.shape) < 2 || len(a.shape) > 3 || a.shape[0] < 2 || a.shape[1] < 2 {
			continue
		}
		down, along := labels(a.shape[0]), labels(a.shape[1])
		if down == nil || along == nil {
			continue
		}
		names, rows, columns, err := joinedLabels(down.text, along.text)
		shared := len(rows) + len(columns) - len(names)
		if err != nil || 2*shared < min(len(rows), len(columns)) {
			continue
		}
		n, planes := len(names), len(a.data)/(len(rows)*len(columns))
		square := &array{name: a.name, shape: append([]int{n, n}, a.shape[2:]...), columnMajor: a.columnMajor, data: make([]float64, n*n*planes)}
		for i, r := range rows {
			for j, c := range columns {
				for p := range planes {
					if a.columnMajor {
						square.data[(p*n+c)*n+r] = a.data[(p*len(columns)+j)*len(rows)+i]
					} else {
						square.data[(r*n+c)*planes+p] = a.data[(i*len(columns)+j)*planes+p]
					}
				}
			}
		}
		out[k] = square
		out = append(out, &array{name: joinedLabelsName, shape: []int{n}, text: names})
		s.noteRectangle(names, rows, columns)
	}
	return out
}

// arrayPositions takes positions from an n × 3 array with a telling name.
func (s *source) arrayPositions(c *connectome.Connectome, all []*array) {
	n := len(c.Regions)
	for _, a := range all {
		if !a.numeric() || !isNamed(a.name, coordArrays) || len(a.shape) != 2 {
			continue
		}
		flip := a.shape[0] == 3 && a.shape[1] == n && n != 3
		if !flip && (a.shape[0] != n || a.shape[1] != 3) {
			continue
		}
		for i := range n {
			var p [3]float64
			ok := true
			for k := range 3 {
				if p[k] = 0; flip {
					p[k] = a.at2(k, i)
				} else {
					p[k] = a.at2(i, k)
				}
				ok = ok && !math.IsNaN(p[k]) && !math.IsInf(p[k], 0)
			}
			if ok {
				c.Regions[i].Position, c.Regions[i].Located = p, true
			}
		}
		s.rep.Infof("positions", "positions are taken from %s", a.name)
		return
	}
}
