package connectome

import "strings"

// Option changes what [Read] does. Without options Read decides everything
// from the file and its neighbours.
type Option func(*config)

type config struct {
	format   string
	variable string
	weight   string
	length   string
	rows     Rows
	labels   string
	slice    *int
	average  bool
	directed *bool
	parallel Parallel
	missing  []float64
	maxBytes int64
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

// WithFormat says how to read a file whose content fits two formats:
// "matrix" or "edgelist".
func WithFormat(name string) Option { return func(c *config) { c.format = strings.ToLower(name) } }

// WithVar chooses a variable of a MAT, HDF5, NPZ or ZIP file (for example
// "CIJctx"), or the graph of a file that holds several.
func WithVar(name string) Option { return func(c *config) { c.variable = name } }

// WithWeight chooses the edge attribute or column that becomes the weight,
// for example "number_of_fibers".
func WithWeight(attr string) Option { return func(c *config) { c.weight = attr } }

// WithLength chooses the edge attribute, column or variable that becomes the
// tract length in mm.
func WithLength(attr string) Option { return func(c *config) { c.length = attr } }

// WithRows says what the rows of a matrix are, against the convention of the
// format.
func WithRows(r Rows) Option { return func(c *config) { c.rows = r } }

// WithLabels names a file with one label per region, in the order of the
// matrix: one line or one column, a table with a column of labels, a BrainNet
// .node file, or TVB centres.
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
func WithParallel(p Parallel) Option { return func(c *config) { c.parallel = p } }

// WithMissing names values that mean "not measured" rather than a weight.
// Without it −1 is taken so where it is the only negative value of a
// tractography matrix; WithMissing() with no values switches that off.
func WithMissing(values ...float64) Option {
	return func(c *config) { c.missing = append([]float64{}, values...) }
}

// WithMaxBytes bounds what compressed content may expand to, instead of
// [DefaultMaxBytes].
func WithMaxBytes(n int64) Option { return func(c *config) { c.maxBytes = n } }
