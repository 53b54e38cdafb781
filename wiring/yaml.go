package wiring

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/connectomewire/wire/internal/edit"
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
	file *ast.File
}

// readYAML decodes data strictly into v: unknown and repeated keys are
// errors, aliases are refused.
func readYAML(name string, data []byte, v any) (*document, error) {
	if len(data) > maxYAML {
		return nil, &Error{File: name, Msg: fmt.Sprintf("%d bytes are more than the %d that are read", len(data), maxYAML)}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlError(name, err, nil)
	}
	doc := &document{name: name, file: file}
	body := 0
	for _, d := range file.Docs {
		if d.Body != nil {
			body++
		}
	}
	if body != 1 {
		return nil, &Error{File: name, Line: 1, Column: 1, Msg: fmt.Sprintf("holds %d YAML documents, want one", body)}
	}
	aliases := &aliasFinder{}
	for _, d := range file.Docs {
		if d.Body != nil {
			ast.Walk(aliases, d.Body)
		}
	}
	if n := aliases.found; n != nil {
		e := &Error{File: name, Msg: "anchors and aliases are not used in these files; write the value out"}
		if tok := n.GetToken(); tok != nil && tok.Position != nil {
			e.Line, e.Column = tok.Position.Line, tok.Position.Column
		}
		return nil, e
	}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := dec.Decode(v); err != nil {
		return nil, yamlError(name, err, v)
	}
	return doc, nil
}

// aliasFinder remembers the first anchor or alias.
type aliasFinder struct{ found ast.Node }

func (f *aliasFinder) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AliasNode, *ast.AnchorNode:
		if f.found == nil {
			f.found = n
		}
	}
	return f
}

// yamlError turns the YAML library's error into an [Error]; v, when not nil,
// is the value whose field names are suggested for an unknown one.
func yamlError(name string, err error, v any) error {
	e := &Error{File: name, Msg: err.Error(), Err: err}
	var located yaml.Error
	if errors.As(err, &located) {
		e.Msg = located.GetMessage()
		if tok := located.GetToken(); tok != nil && tok.Position != nil {
			e.Line, e.Column = tok.Position.Line, tok.Position.Column
		}
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) && v != nil && unknown.Token != nil {
		e.Msg = fmt.Sprintf("unknown key %q", unknown.Token.Value) + edit.Suggestion(unknown.Token.Value, yamlKeys(reflect.TypeOf(v), nil))
	}
	e.Msg = strings.TrimSpace(strings.SplitN(e.Msg, "\n", 2)[0])
	return e
}

// yamlKeys lists the YAML keys of a type and of everything in it.
func yamlKeys(t reflect.Type, keys []string) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return yamlKeys(t.Elem(), keys)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if tag == "" || tag == "-" || slices.Contains(keys, tag) {
				continue // listed already, perhaps a type within itself
			}
			keys = yamlKeys(f.Type, append(keys, tag))
		}
	}
	return keys
}

// errorf returns an error located at a YAML path such as "$.senses[0].place".
// When the path does not exist its longest existing parent is named.
func (d *document) errorf(path, format string, args ...any) error {
	e := &Error{File: d.name, Msg: fmt.Sprintf(format, args...)}
	for path != "" && path != "$" {
		if p, err := yaml.PathString(path); err == nil {
			if n, err := p.FilterFile(d.file); err == nil && n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
				tok := n.GetToken()
				// A mapping's own token is its first colon: point at the key.
				for tok.Prev != nil && tok.Value == ":" {
					tok = tok.Prev
				}
				e.Line, e.Column = tok.Position.Line, tok.Position.Column
				return e
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	e.Line, e.Column = 1, 1
	return e
}
