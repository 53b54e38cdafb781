package own

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fault is a kind of problem.
type Fault string

// The faults of a row.
const (
	FaultSyntax    Fault = "syntax"          // a line that cannot be read
	FaultCells     Fault = "cells"           // too many or too few cells
	FaultEmpty     Fault = "empty"           // no input, or no target
	FaultFile      Fault = "missing file"    // a picture or sound that is not there
	FaultUnread    Fault = "unreadable file" // one that cannot be decoded
	FaultNumber    Fault = "not a number"    // NaN, infinite, or other words
	FaultRagged    Fault = "ragged"          // a vector of another width
	FaultID        Fault = "duplicate ID"
	FaultSplit     Fault = "unknown split"
	FaultCrossing  Fault = "group crosses splits"
	FaultReference Fault = "dangling reference" // a caption of no picture
)

// Problem is what is wrong with a row.
type Problem struct {
	Fault Fault  `json:"fault"`
	Place Place  `json:"place"`
	Cell  int    `json:"cell,omitempty"`   // from 1, the column of a table's file; 0 when unknown
	Name  string `json:"column,omitempty"` // of the column
	Text  string `json:"text"`             // what is wrong, and what to do
}

// Error is "file:line:column: column "name": what is wrong".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Place.String())
	if p.Place.Line > 0 && p.Cell > 0 {
		fmt.Fprintf(&b, ":%d", p.Cell)
	}
	if p.Name != "" {
		fmt.Fprintf(&b, ": column %q", p.Name)
	}
	fmt.Fprintf(&b, ": %s", p.Text)
	return b.String()
}

// BadRowsError reports the bad rows of a data set.
type BadRowsError struct {
	Name     string
	Problems []Problem
	Rows     int // of the data set, good and bad
}

// shownProblems is how many problems an error spells out.
const shownProblems = 5

// Error lists the first problems and counts the others by fault.
func (e *BadRowsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d rows are bad", e.Name, badRows(e.Problems), e.Rows)
	for i, p := range e.Problems {
		if i == shownProblems {
			break
		}
		fmt.Fprintf(&b, "\n  %v", p)
	}
	if len(e.Problems) > shownProblems {
		fmt.Fprintf(&b, "\n  … in all %s", faultCounts(e.Problems))
	}
	b.WriteString("\nMend them, or leave them out with --allow-bad; see: wire data doctor")
	return b.String()
}

// faultCounts is "3 missing file, 1 ragged".
func faultCounts(problems []Problem) string {
	counts := map[Fault]int{}
	for _, p := range problems {
		counts[p.Fault]++
	}
	var parts []string
	for _, f := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d × %s", counts[f], f))
	}
	return strings.Join(parts, ", ")
}

// badRows counts the places of problems.
func badRows(problems []Problem) int {
	seen := map[Place]bool{}
	for _, p := range problems {
		seen[p.Place] = true
	}
	return len(seen)
}

// Report is what was seen while a data set was read.
type Report struct {
	Source Source `json:"source"`
	// Read counts the rows that were read, good and bad.
	Read int `json:"read"`
	// Bad are the rows that were left out, with Options.AllowBad.
	Bad []Problem `json:"bad,omitempty"`
	// Notes are remarks that stop nothing: columns that were joined, files that
	// belong to no row, classes with a single example.
	Notes []string `json:"notes,omitempty"`
	// GivenSplit says that the split came with the data; GivenGroups and
	// GivenFolds the same of groups and folds.
	GivenSplit  bool `json:"given_split"`
	GivenGroups bool `json:"given_groups"`
	GivenFolds  bool `json:"given_folds"`
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
