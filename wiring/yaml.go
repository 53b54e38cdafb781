package wiring

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/strictyaml"
)

// maxYAML bounds what is read as YAML; a plan of 10^4 regions needs 2 MB.
const maxYAML = 32 << 20

// Error is a mistake in a file, with its place. Line and Column count from 1;
// they are 0 when the file as a whole is meant.
type Error struct {
	File         string
	Line, Column int
	Msg          string
	Err          error // cause, or nil
}

// Error returns "file:line:column: message".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": " + e.Msg)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// document is a parsed YAML file that knows where everything stands.
type document struct {
	name string
	yaml *strictyaml.Document
}

// readYAML decodes data strictly into v: unknown and repeated keys are
// errors, aliases and tags are refused.
func readYAML(name string, data []byte, v any) (*document, error) {
	doc, err := strictyaml.Read(data, maxYAML, v)
	var e *strictyaml.Error
	if errors.As(err, &e) {
		return nil, &Error{File: name, Line: e.Line, Column: e.Column, Msg: e.Msg, Err: e.Err}
	}
	if err != nil {
		return nil, &Error{File: name, Msg: err.Error(), Err: err}
	}
	return &document{name: name, yaml: doc}, nil
}

// errorf returns an error located at a YAML path such as "$.senses[0].place".
// When the path does not exist its longest existing parent is named.
func (d *document) errorf(path, format string, args ...any) error {
	e := &Error{File: d.name, Msg: fmt.Sprintf(format, args...)}
	e.Line, e.Column = d.yaml.Place(pathSteps(path)...)
	return e
}

// pathSteps cuts a path such as "$.senses[0].place" into keys and indices.
func pathSteps(path string) []any {
	var out []any
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(path, "$"), func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		if i, err := strconv.Atoi(part); err == nil {
			out = append(out, i)
		} else {
			out = append(out, part)
		}
	}
	return out
}
