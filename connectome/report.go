package connectome

import "fmt"

// Rows says what the rows of a matrix stand for.
type Rows int

// The two conventions in use. Most files (BCT, ENIGMA, conn2res) have
// sources in rows; TVB has weights[to, from].
const (
	RowsUnset  Rows = iota // by the format's convention
	RowsSource             // row = source (from), column = target (to)
	RowsTarget             // row = target (to), column = source (from)
)

// String returns "source", "target" or "".
func (r Rows) String() string {
	switch r {
	case RowsSource:
		return "source"
	case RowsTarget:
		return "target"
	}
	return ""
}

// Symmetry says how a connectome's two directions relate.
type Symmetry int

// A source is Symmetric when every tract equals its opposite exactly,
// NearSymmetric when it differs only by rounding, DeclaredUndirected when it
// lists each pair once, and Asymmetric otherwise.
const (
	Asymmetric Symmetry = iota
	Symmetric
	NearSymmetric
	DeclaredUndirected
)

// String returns "directed", "symmetric", "near-symmetric" or "undirected".
func (s Symmetry) String() string {
	return [...]string{"directed", "symmetric", "near-symmetric", "undirected"}[s]
}

// Report is what a reader found in a file and how it decided.
type Report struct {
	Path    string   `json:"path"`
	Format  string   `json:"format"`            // "TVB zip", "GraphML", "matrix", "edge list", …
	Dialect string   `json:"dialect,omitempty"` // "comma-separated, header row", "braingraph.org", …
	Files   []string `json:"files,omitempty"`   // every file and archive member that was used

	Variable string     `json:"variable,omitempty"` // the matrix chosen, where a file holds several
	Weight   string     `json:"weight,omitempty"`   // the edge attribute or column taken as weight
	Kinds    []EdgeKind `json:"kinds,omitempty"`    // kinds of edges, where a column tells them apart
	Length   string     `json:"length,omitempty"`   // the attribute, member or data set taken as tract length

	// Orientation is what the rows of a matrix were taken for, unset for
	// formats that name the two ends of a tract; OrientationHow says why.
	Orientation    Rows   `json:"-"`
	OrientationHow string `json:"orientation_how"`

	// Labels says where region labels came from, empty when there are none.
	Labels string `json:"labels,omitempty"`
	// LabelOrderProven is true when the file itself ties each label to its
	// row, and false when a second file is trusted to list labels in the
	// order of the rows. LabelHow explains.
	LabelOrderProven bool   `json:"label_order_proven"`
	LabelHow         string `json:"label_how,omitempty"`

	Symmetry     Symmetry `json:"-"`
	SymmetryHow  string   `json:"symmetry_how"`
	MaxAsymmetry float64  `json:"max_asymmetry"` // largest |w(i,j) − w(j,i)| in the source

	Missing    int    `json:"missing"`               // entries marked as missing (n/a, NaN, empty, −1), taken as no tract
	MissingHow string `json:"missing_how,omitempty"` // how they were marked
	Infinite   int    `json:"infinite"`              // infinite entries, taken as no tract
	// InfiniteHow says where the first infinite entry is, when that is known.
	InfiniteHow string `json:"infinite_how,omitempty"`
	Parallel    int    `json:"parallel"` // tracts merged with another between the same regions
	// ListedBothWays counts those of them that are pairs of an undirected graph
	// listed from both sides with the same weight.
	ListedBothWays int `json:"listed_both_ways,omitempty"`
	// ParallelHow names the regions of the first merged tract.
	ParallelHow string `json:"parallel_how,omitempty"`
	ZeroWeight  int    `json:"zero_weight"` // listed tracts of weight 0, left out
	SelfLoops   int    `json:"self_loops"`  // entries on the diagonal, kept

	// MaxLengthOfAll is the largest value of the whole tract-length matrix in
	// mm, also where there is no tract; 0 when there is no such matrix.
	MaxLengthOfAll float64 `json:"max_length_of_all"`

	// Notes are remarks in the order they arose.
	Notes []Note `json:"notes,omitempty"`
}

// EdgeKind is one kind of the edges of a list.
type EdgeKind struct {
	Name  string `json:"name"`
	Edges int    `json:"edges"`
	// Used says what became of them: "directed", "undirected", "the
	// receiver's view of a synapse", or "left out" and why.
	Used string `json:"used"`
}

// Severity says how much a [Note] should worry the reader.
type Severity string

// Info is for decisions worth knowing, Warning for what may be wrong.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
)

// Note is one remark of a reader.
type Note struct {
	Severity Severity `json:"severity"`
	// Code is a short stable name of the kind of remark, for example
	// "sidecar-contradiction", "two-centres-files", "parallel-edges".
	Code string `json:"code"`
	Text string `json:"text"`
}

// Infof adds a remark worth knowing.
func (r *Report) Infof(code, format string, args ...any) {
	r.Notes = append(r.Notes, Note{Info, code, fmt.Sprintf(format, args...)})
}

// Warnf adds a remark on what may be wrong.
func (r *Report) Warnf(code, format string, args ...any) {
	r.Notes = append(r.Notes, Note{Warning, code, fmt.Sprintf(format, args...)})
}
