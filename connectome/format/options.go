package format

import (
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Option changes what [Read] does. Without options Read decides everything
// from the file and its neighbours.
type Option func(*config)

type config struct {
	format     string
	variable   string
	weight     string
	source     string
	target     string
	kindColumn string
	kinds      []string
	length     string
	rows       connectome.Rows
	labels     string
	slice      *int
	average    bool
	directed   *bool
	parallel   connectome.Parallel
	merged     bool // parallel was asked for
	missing    []float64
	maxBytes   int64
	// usedEnds, usedKinds and usedFormat say that the reader of the file heeds
	// those options.
	usedEnds, usedKinds, usedFormat bool
	// titles says that the first row of a table holds the titles of columns.
	titles bool
	// triangles says that a matrix with one empty triangle is directed, on the
	// word of a sidecar.
	triangles bool
}

// DefaultMaxBytes bounds what compressed content may expand to: 1 GiB.
const DefaultMaxBytes = 1 << 30

func newConfig(opts []Option) *config {
	c := &config{maxBytes: DefaultMaxBytes}
	for _, o := range opts {
		o(c)
	}
	return c
}

// WithFormat says how to read a file whose content fits two formats: "matrix",
// "edgelist", "condensed" (the upper triangle row by row, as SciPy's squareform
// has it), "condensed-lower", "triangle" and "triangle-lower" (the lower one,
// and those with the diagonal), "adjlist" (a node and its neighbours a line),
// "sif" or "lgl".
func WithFormat(name string) Option { return func(c *config) { c.format = strings.ToLower(name) } }

// WithVar chooses a variable of a MAT, HDF5, NPZ or ZIP file (for example
// "CIJctx"), the sheet of a workbook, the table of a database, or the graph of
// a file that holds several.
func WithVar(name string) Option { return func(c *config) { c.variable = name } }

// WithWeight chooses the edge attribute or column that becomes the weight,
// for example "number_of_fibers".
func WithWeight(attr string) Option { return func(c *config) { c.weight = attr } }

// WithSource and WithTarget name the columns of an edge list that hold the two
// ends of each edge, by title or by number from 1.
func WithSource(column string) Option { return func(c *config) { c.source = column } }

// WithTarget is the counterpart of [WithSource].
func WithTarget(column string) Option { return func(c *config) { c.target = column } }

// WithKinds keeps only the edges of some kinds, for example "S", "Sp" and
// "EJ", by a column of the edge list that says the kind of each. The column
// is named by title or by number from 1, or "" when the file tells. Without
// kinds the column is only counted.
func WithKinds(column string, kinds ...string) Option {
	return func(c *config) { c.kindColumn, c.kinds = column, kinds }
}

// WithLength chooses the edge attribute, column or variable that becomes the
// tract length in mm.
func WithLength(attr string) Option { return func(c *config) { c.length = attr } }

// WithRows says what the rows of a matrix are, against the convention of the
// format.
func WithRows(r connectome.Rows) Option { return func(c *config) { c.rows = r } }

// WithLabels names a file with one label per region, in the order of the
// matrix: one line or one column, a table with a column of labels, a BrainNet
// .node file, or TVB centres. It may be the table of labels that a parcellation
// comes with: FreeSurfer's .annot or colour table, GIFTI or CIFTI labels, FSL's
// atlas, BIDS's dseg.tsv, or the image itself with its table. Several files,
// such as those of two hemispheres, have commas between them; "none" reads
// without labels.
func WithLabels(path string) Option { return func(c *config) { c.labels = path } }

// WithSlice chooses one subject or frequency band, counted from 0, of a
// three-dimensional array.
func WithSlice(i int) Option { return func(c *config) { c.slice = &i } }

// WithAverage averages the subjects or bands of a three-dimensional array.
func WithAverage() Option { return func(c *config) { c.average = true } }

// WithDirected says whether the file is directed, against what it declares or
// looks like. Reading a directed matrix as undirected averages the two
// directions.
func WithDirected(directed bool) Option { return func(c *config) { c.directed = &directed } }

// WithParallel says how to merge parallel tracts; the default adds them.
func WithParallel(p connectome.Parallel) Option {
	return func(c *config) { c.parallel, c.merged = p, true }
}

// WithMissing names values that mean "not measured" rather than a weight.
// Without it −1 is taken so where it is the only negative value of a
// tractography matrix; WithMissing() with no values switches that off.
func WithMissing(values ...float64) Option {
	return func(c *config) { c.missing = append([]float64{}, values...) }
}

// WithMaxBytes bounds what compressed content may expand to, instead of
// [DefaultMaxBytes].
func WithMaxBytes(n int64) Option { return func(c *config) { c.maxBytes = n } }
