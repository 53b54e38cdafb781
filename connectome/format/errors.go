package format

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a file. A [ParseError] wraps one of them.
var (
	ErrFormat      = errors.New("unrecognised format")
	ErrUnsupported = errors.New("unsupported")
	ErrEmpty       = errors.New("nothing to read")
	ErrSyntax      = errors.New("syntax error")
	ErrNumber      = errors.New("not a number")
	ErrRagged      = errors.New("rows of different lengths")
	ErrNotSquare   = errors.New("matrix is not square")
	ErrLabels      = errors.New("labels do not fit")
	ErrNode        = errors.New("unknown node")
	ErrVariable    = errors.New("no such variable")
	ErrCorrupt     = errors.New("damaged file")
	ErrTruncated   = errors.New("file ends too early")
	ErrTooLarge    = errors.New("too large")
	ErrUnsafeName  = errors.New("unsafe name in archive")
	ErrAmbiguous   = errors.New("several candidates")
)

// ParseError says what is wrong with a file, where, and what to do next.
type ParseError struct {
	Path   string // the file
	Member string // archive member, variable or data set; may be empty
	Line   int    // from 1; 0 when the format has no lines
	Column int    // from 1, in bytes (text) or in fields (tables); 0 when unknown
	Err    error  // wraps one of this package's Err… values
	Advice string // what to do next; may be empty
}

// Error returns "path:line:column: what; advice".
func (e *ParseError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Member != "" {
		b.WriteString("(" + e.Member + ")")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

// usualAdvice is what to do about each kind of fault where a reader has
// nothing better to say.
var usualAdvice = []struct {
	kind   error
	advice string
}{
	{ErrSyntax, "correct the line, or export the file again from the program that made it"},
	{ErrNumber, "write a number there, or n/a where there is none"},
	{ErrRagged, "check the delimiter and for values lost in an export"},
	{ErrNotSquare, "a connectivity matrix has one row and one column a region"},
	{ErrNode, "declare the node, or correct the edge that names it"},
	{ErrLabels, "name the right file with --labels"},
	{ErrTruncated, "fetch or export the file again"},
	{ErrCorrupt, "fetch or export the file again"},
	{ErrEmpty, "is this the right file?"},
	{ErrTooLarge, "is this the right file?"},
	{ErrUnsupported, "convert it to another format of docs/formats.md"},
}

func adviceFor(err error) string {
	for _, u := range usualAdvice {
		if errors.Is(err, u.kind) {
			return u.advice
		}
	}
	return ""
}

// Unwrap returns Err.
func (e *ParseError) Unwrap() error { return e.Err }

// Candidate is one of several answers in a file.
type Candidate struct {
	Name   string
	Detail string // shape, type, range: what helps to choose
}

// AmbiguousError lists what a file offers where the reader will not guess.
type AmbiguousError struct {
	Path       string
	What       string // "matrix", "edge attribute", "subject", …
	Option     string // the option that chooses: "WithVar", "WithWeight", …; not in the message
	Flag       string // the same on the command line, in the message: "--var", "--weight", …
	Candidates []Candidate
}

// Error lists the candidates, one a line.
func (e *AmbiguousError) Error() string {
	var b strings.Builder
	if len(e.Candidates) == 1 {
		fmt.Fprintf(&b, "%s: the %s is not certain; say what is meant with %s:", e.Path, e.What, e.Flag)
	} else {
		fmt.Fprintf(&b, "%s: %d candidates for the %s; choose one with %s:", e.Path, len(e.Candidates), e.What, e.Flag)
	}
	const most = 40
	for i, c := range e.Candidates {
		if i == most {
			fmt.Fprintf(&b, "\n  … and %d more", len(e.Candidates)-most)
			break
		}
		fmt.Fprintf(&b, "\n  %s", c.Name)
		if c.Detail != "" {
			fmt.Fprintf(&b, "  (%s)", c.Detail)
		}
	}
	return b.String()
}

// Unwrap returns [ErrAmbiguous].
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }
