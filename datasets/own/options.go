package own

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// Options say how data are to be read. The zero value takes what is there.
type Options struct {
	// Inputs gives a sense's column, Targets an effector's. A column is a name,
	// names of numbers joined by "+" that make a vector, or "*" for all numbers
	// that nothing else is made of. What a nil map means is said at [Open].
	Inputs, Targets map[string]string
	// Wanted are names of targets that the caller has a use for: without
	// Targets, columns of these names are them, before any other column is.
	Wanted []string
	// Kinds states what a column is, where the guess is wrong: numbers that
	// are classes, words that are texts.
	Kinds map[string]Kind
	// ID, Group, Split and Folds name columns. Folds may be a number instead,
	// of folds to be drawn by group.
	ID, Group, Split, Folds string
	// Pattern is a regular expression for the names of files, without folder
	// and extension; every group with a name makes a column. Empty knows the
	// names of ESC-10 and ESC-50: fold, recording, take.
	Pattern string
	// Time makes series: rows are steps, in the order of this column ("#" for
	// the order in the file), rows with the same Group are one series, and
	// without Group all are one.
	Time string
	// Separator cuts a cell into several labels or texts, for example "|".
	Separator string
	// Source is the kind of source, where the guess is wrong; see [Sources].
	Source Source
	// Seed and Shares say how a split is drawn when none is given.
	Seed   uint64
	Shares Shares
	// AllowBad leaves bad rows out instead of failing; [Report] has them.
	AllowBad bool
	// Check is how closely pictures and sounds are looked at.
	Check Check
	// MaxBytes bounds what the numbers and texts may take; 0 is
	// [DefaultMaxBytes].
	MaxBytes int64
	// Progress is told how many files have been looked at; nil for none.
	Progress func(done, total int) `json:"-"`
}

// DefaultMaxBytes bounds the memory of a data set's numbers and texts.
const DefaultMaxBytes = 4 << 30

// Check is how closely the files of pictures and sounds are looked at.
type Check string

// The checks. Whether a file is there, and its hash, is found out by all.
const (
	CheckHeader Check = "header" // the first bytes say what it is; the default
	CheckFull   Check = "full"   // every file is decoded
)

// Shares are the parts of a drawn split; they are scaled to a sum of one. All
// zero is 0.8, 0.1 and 0.1.
type Shares struct {
	Train      float64 `json:"train"`
	Validation float64 `json:"validation"`
	Test       float64 `json:"test"`
}

func (s Shares) withDefaults() Shares {
	sum := s.Train + s.Validation + s.Test
	if sum == 0 {
		return Shares{0.8, 0.1, 0.1}
	}
	return Shares{s.Train / sum, s.Validation / sum, s.Test / sum}
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	for _, s := range []float64{o.Shares.Train, o.Shares.Validation, o.Shares.Test} {
		if s < 0 || math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("shares %g, %g, %g: each must be a number of at least 0", o.Shares.Train, o.Shares.Validation, o.Shares.Test)
		}
	}
	if s := o.Shares; s.Train == 0 && s.Validation+s.Test > 0 {
		return fmt.Errorf("shares 0, %g, %g leave nothing to train on", s.Validation, s.Test)
	}
	if o.MaxBytes < 0 {
		return fmt.Errorf("at most %d bytes: must not be negative", o.MaxBytes)
	}
	switch o.Check {
	case "", CheckHeader, CheckFull:
	default:
		return fmt.Errorf("unknown check %q; there are %q and %q", o.Check, CheckHeader, CheckFull)
	}
	for _, column := range slices.Sorted(maps.Keys(o.Kinds)) {
		if k := o.Kinds[column]; !slices.Contains(Kinds(), k) {
			return fmt.Errorf("column %q: unknown kind %q; there are %s%s", column, k, quoted(Kinds()), edit.Suggestion(string(k), texts(Kinds())))
		}
	}
	if o.Source != "" && !slices.Contains(Sources(), o.Source) {
		return fmt.Errorf("unknown source %q; there are %s%s", o.Source, quoted(Sources()), edit.Suggestion(string(o.Source), texts(Sources())))
	}
	if o.Pattern != "" {
		p, err := regexp.Compile(o.Pattern)
		if err != nil {
			return fmt.Errorf("pattern of file names: %w", err)
		}
		if !slices.ContainsFunc(p.SubexpNames(), func(s string) bool { return s != "" }) {
			return fmt.Errorf("pattern %q names no group; write for example (?P<fold>[0-9]+)-.*", o.Pattern)
		}
	}
	for what, m := range map[string]map[string]string{"input": o.Inputs, "target": o.Targets} {
		for name, column := range m {
			if name == "" || strings.TrimSpace(column) == "" {
				return fmt.Errorf("%s %q=%q: write NAME=COLUMN", what, name, column)
			}
		}
	}
	return nil
}

func (o *Options) maxBytes() int64 {
	if o.MaxBytes == 0 {
		return DefaultMaxBytes
	}
	return o.MaxBytes
}

// Source is a kind of source that [Open] reads.
type Source string

// The sources.
const (
	SourceClasses   Source = "classes"   // a folder a class, of pictures or sounds
	SourceFiles     Source = "files"     // pictures or sounds in a folder, without classes
	SourceMetadata  Source = "metadata"  // metadata.csv or .jsonl with file_name, beside the files
	SourceCOCO      Source = "coco"      // captions_*.json of COCO
	SourceKarpathy  Source = "karpathy"  // dataset_*.json of Karpathy's splits
	SourceTable     Source = "table"     // CSV, TSV or JSON lines with named columns
	SourceCaptions  Source = "captions"  // lines of a file and its captions, between tabs
	SourceArrays    Source = "arrays"    // NPY or NPZ
	SourceSentences Source = "sentences" // a text file, one sentence a line
	SourceMemory    Source = "memory"    // made by a program, with New
)

// Sources are all sources that [Open] knows.
func Sources() []Source {
	return []Source{SourceClasses, SourceFiles, SourceMetadata, SourceCOCO, SourceKarpathy, SourceTable, SourceCaptions, SourceArrays, SourceSentences}
}

// texts gives a list of a string type as strings.
func texts[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// quoted lists names for an error, at most a dozen.
func quoted[S ~string](list []S) string {
	if len(list) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, s := range list {
		if i == 12 {
			fmt.Fprintf(&b, " and %d more", len(list)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", s)
	}
	return b.String()
}
