package own

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"math"
	"os"
	"slices"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/internal/audio"
	"github.com/connectomewire/wire/internal/edit"
)

// Kind says what the values of a column are.
type Kind string

// The kinds of columns.
const (
	Image  Kind = "image"  // a picture's file
	Sound  Kind = "sound"  // a sound's file
	Text   Kind = "text"   // one or several texts
	Number Kind = "number" // one number
	Label  Kind = "label"  // one or several names of classes
	Vector Kind = "vector" // as many numbers in every row
	Series Kind = "series" // steps of a vector each; rows may differ in steps
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Image, Sound, Text, Number, Label, Vector, Series} }

// IsFile says whether values are files that are decoded when asked for.
func (k Kind) IsFile() bool { return k == Image || k == Sound }

// Column describes the values at one place of every row.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Many says that some row has several texts or labels.
	Many bool `json:"many,omitempty"`
	// Width is the numbers of a vector, or of one step of a series.
	Width int `json:"width,omitempty"`
	// Steps is the length of all series, 0 when they differ.
	Steps int `json:"steps,omitempty"`
	// Classes are the distinct labels, sorted; a label's place in them is its
	// class.
	Classes []string `json:"classes,omitempty"`

	cell  int   // the column of a table's file, from 1; 0 when unknown
	parts []int // the columns that it was joined from
}

// Value is what a row has in a column; which field is set depends on the
// column's kind.
type Value struct {
	// Missing says that the row has nothing here.
	Missing bool
	// Path is the file of a picture or sound.
	Path string
	// Sum is the SHA-256 of that file.
	Sum [sha256.Size]byte
	// Texts are texts or labels, or a number as it was written.
	Texts []string
	// Number is the value of a number.
	Number float64
	// Data are the numbers of a vector [width] or of a series [steps, width].
	Data []float32
	// Steps is the length of a series.
	Steps int
}

// Text is the first text, empty if there is none.
func (v *Value) Text() string {
	if len(v.Texts) == 0 {
		return ""
	}
	return v.Texts[0]
}

// Picture decodes a picture's file.
func (v *Value) Picture() (image.Image, error) {
	f, err := os.Open(v.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := datasets.DecodePicture(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.Path, err)
	}
	return m, nil
}

// Sound decodes a sound's file: mono samples in -1..1 and how many of them
// make a second.
func (v *Value) Sound() (samples []float32, rate int, err error) {
	f, err := os.Open(v.Path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	clip, err := audio.Decode(f)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", v.Path, err)
	}
	return clip.Samples, clip.Rate, nil
}

// Place is where a row stands.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; in arrays the row, from 1; 0 when the file is the row
}

// String is "file:line".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Row is one item.
type Row struct {
	// ID is unique in the data set, and stays when rows are added.
	ID string
	// Group may not be divided between splits or folds.
	Group string
	// Split is what the row may be used for; [datasets.Val] is validation.
	Split datasets.Split
	// Fold is the name of the part it is in for cross-validation; empty when
	// there are no folds.
	Fold string
	// Values by column.
	Values []Value
	// Place is where the row was read.
	Place Place
}

// Binding ties a column to a name that the caller knows: a sense or an
// effector.
type Binding struct {
	Name   string `json:"name"`
	Column int    `json:"column"` // index in Dataset.Columns
}

// Dataset is columns and rows; make it with [Open] or [New].
type Dataset struct {
	Name    string
	Columns []Column
	Rows    []*Row
	// Inputs and Targets are sorted by name.
	Inputs, Targets []Binding
	// Options are those that it was made with.
	Options Options
	Report  Report
}

// Column finds a column.
func (d *Dataset) Column(name string) (int, error) {
	var known []string
	for i, c := range d.Columns {
		if c.Name == name {
			return i, nil
		}
		known = append(known, c.Name)
	}
	return 0, noColumn(name, known)
}

// noColumn is the error for a column that is not there.
func noColumn(name string, known []string) error {
	return fmt.Errorf("there is no column %q; there are %s%s", name, quoted(known), edit.Suggestion(name, known))
}

// Input finds the column of a sense.
func (d *Dataset) Input(sense string) (int, error) { return bound(d.Inputs, sense, "input") }

// Target finds the column of an effector.
func (d *Dataset) Target(effector string) (int, error) { return bound(d.Targets, effector, "target") }

func bound(list []Binding, name, what string) (int, error) {
	var known []string
	for _, b := range list {
		if b.Name == name {
			return b.Column, nil
		}
		known = append(known, b.Name)
	}
	return 0, fmt.Errorf("the data have no %s for %q; they have %s; say --%s %s=COLUMN", what, name, quoted(known), what, name)
}

// Split gives the rows of one split, in order.
func (d *Dataset) Split(s datasets.Split) []*Row {
	var rows []*Row
	for _, r := range d.Rows {
		if r.Split == s {
			rows = append(rows, r)
		}
	}
	return rows
}

// Folds are the names of the folds, sorted: numbers by size, then the others.
func (d *Dataset) Folds() []string {
	seen := map[string]bool{}
	var names []string
	for _, r := range d.Rows {
		if r.Fold != "" && !seen[r.Fold] {
			seen[r.Fold] = true
			names = append(names, r.Fold)
		}
	}
	slices.SortFunc(names, compareNatural)
	return names
}

// Fold is the same data with one fold to test on. The rest is to train on,
// less a validation split of the share that the options ask for, which is
// drawn by group. The rows are copies; their values are shared.
func (d *Dataset) Fold(name string) (*Dataset, error) {
	if !slices.Contains(d.Folds(), name) {
		return nil, fmt.Errorf("there is no fold %q; there are %s", name, quoted(d.Folds()))
	}
	rest := d.Options.Shares.withDefaults()
	rest = Shares{Train: rest.Train + rest.Test, Validation: rest.Validation}
	out := *d
	out.Rows = make([]*Row, len(d.Rows))
	for i, r := range d.Rows {
		c := *r
		c.Split = datasets.Test
		if r.Fold != name {
			c.Split = rest.draw(d.Options.Seed, "fold "+name+" "+r.Group)
		}
		out.Rows[i] = &c
	}
	return &out, nil
}

// Class is the place of a label in the classes of its column, -1 for one that
// is not there.
func (c *Column) Class(label string) int {
	if i, ok := slices.BinarySearch(c.Classes, label); ok {
		return i
	}
	return -1
}

// Fingerprint is a hash of everything that a plan can learn from: columns,
// bindings, and the rows with their groups, splits, folds and values; pictures
// and sounds count by their content.
func (d *Dataset) Fingerprint() string {
	h := sha256.New()
	text := func(list ...string) {
		for _, s := range list {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
			h.Write([]byte(s))
		}
	}
	number := func(list ...int) {
		for _, n := range list {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
		}
	}
	number(len(d.Columns), len(d.Inputs), len(d.Targets), len(d.Rows))
	for _, c := range d.Columns {
		text(c.Name, string(c.Kind))
		number(c.Width, c.Steps, len(c.Classes))
		text(c.Classes...)
	}
	for _, b := range slices.Concat(d.Inputs, d.Targets) {
		text(b.Name)
		number(b.Column)
	}
	var buffer []byte
	for _, r := range d.Rows {
		text(r.ID, r.Group, string(r.Split), r.Fold)
		for i := range r.Values {
			v := &r.Values[i]
			if v.Missing {
				number(-1)
				continue
			}
			h.Write(v.Sum[:])
			number(len(v.Texts), v.Steps, len(v.Data))
			text(v.Texts...)
			buffer = binary.LittleEndian.AppendUint64(buffer[:0], math.Float64bits(v.Number))
			for _, x := range v.Data {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(x))
			}
			h.Write(buffer)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
