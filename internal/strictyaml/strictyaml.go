// Package strictyaml reads the YAML of manifests, recipes and plans: one
// document, known keys, each once, neither anchors nor tags, and every mistake
// with its line. Whatever the YAML library does with hostile input, the
// answer is an error.
package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/internal/foreign"
)

// Error is a mistake in a document and its place. Line and Column count from
// 1; they are 0 when the document as a whole is meant.
type Error struct {
	Line, Column int
	Msg          string
	Err          error // cause, or nil
}

// Error returns the message without the place, which the caller prints beside
// the file's name.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Document is a parsed file that knows where everything stands.
type Document struct{ body ast.Node }

// Parse reads a file's document into v, asks check for the first mistake and
// the field that it is in, nil where it is in none, and tells either with the
// file's name and its place.
func Parse(name string, data []byte, limit int, v any, check func() (field []any, err error)) error {
	doc, err := Read(data, limit, v)
	line, column := 0, 0
	var e *Error
	if errors.As(err, &e) {
		line, column = e.Line, e.Column
	}
	if err == nil {
		var field []any
		if field, err = check(); err == nil {
			return nil
		}
		line, column = doc.Place(field...)
	}
	if line == 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
}

// Read decodes data, of at most limit bytes, into v, a pointer to a struct.
// Its errors are of type [*Error].
func Read(data []byte, limit int, v any) (*Document, error) {
	if len(data) > limit {
		return nil, &Error{Msg: fmt.Sprintf("more than the %d bytes that are read", limit)}
	}
	doc, err := foreign.Read("go-yaml", func() (*Document, error) { return read(data, v) })
	if err == nil {
		return doc, nil
	}
	if e, ok := err.(*Error); ok {
		return nil, e
	}
	return nil, explain(err, v)
}

func read(data []byte, v any) (*Document, error) {
	tokens := lexer.Tokenize(string(data))
	if e := unwanted(tokens); e != nil {
		return nil, e
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, err
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, &Error{Line: 1, Column: 1, Msg: "is empty"}
	case 1:
	default:
		return nil, &Error{Line: 1, Column: 1, Msg: fmt.Sprintf("holds %d YAML documents, want one", len(bodies))}
	}
	var keys nullKeys
	if ast.Walk(&keys, bodies[0]); keys.found != nil {
		return nil, keys.found
	}
	if err := yaml.NodeToValue(bodies[0], v, yaml.Strict()); err != nil {
		return nil, err
	}
	return &Document{bodies[0]}, nil
}

// nullKeys finds keys that are YAML's word for nothing: with one of them the
// library reads nothing at all, and says nothing.
type nullKeys struct{ found *Error }

// Visit is called for every node.
func (k *nullKeys) Visit(n ast.Node) ast.Visitor {
	if m, ok := n.(*ast.MappingValueNode); ok && k.found == nil && m.Key != nil && m.Key.Type() == ast.NullType {
		k.found = &Error{Msg: fmt.Sprintf("unknown key %q: YAML takes this word for nothing", m.Key.GetToken().Value)}
		k.found.at(m.Key.GetToken())
	}
	return k
}

// unwanted finds what none of these files has: anchors, aliases and tags, and
// nesting on which a parser would spend long or run out of stack.
func unwanted(tokens token.Tokens) *Error {
	const (
		brackets = 50  // within brackets
		column   = 100 // of a line's first token
		marks    = 20  // dashes or question marks on one line
	)
	fail := func(t *token.Token, format string, args ...any) *Error {
		e := &Error{Msg: fmt.Sprintf(format, args...)}
		e.at(t)
		return e
	}
	line, depth, marked := 0, 0, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, marked = t.Position.Line, 0
			if t.Position.Column > column {
				return fail(t, "nested too deeply")
			}
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return fail(t, "anchors and aliases are not used in these files; write the value out")
		case token.TagType:
			return fail(t, "tags such as %q are not used in these files; write the plain value", strings.TrimSpace(t.Value))
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(depth-1, 0)
		case token.SequenceEntryType, token.MappingKeyType:
			marked++
		}
		if depth > brackets || marked > marks {
			return fail(t, "nested too deeply")
		}
	}
	return nil
}

// explain turns the library's error into an [*Error]; v is the value whose
// keys are suggested for an unknown one.
func explain(err error, v any) *Error {
	e := &Error{Err: err}
	var located yaml.Error
	if errors.As(err, &located) { // its Error method draws the lines around it, slowly
		e.Msg = located.GetMessage()
		e.at(located.GetToken())
	} else {
		e.Msg = err.Error()
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) && unknown.Token != nil {
		key := unknown.Token.Value
		e.Msg = fmt.Sprintf("unknown key %q%s", key, edit.Suggestion(key, keys(reflect.TypeOf(v), nil)))
	}
	e.Msg = strings.TrimSpace(strings.SplitN(e.Msg, "\n", 2)[0])
	return e
}

func (e *Error) at(t *token.Token) {
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
}

// keys lists the YAML keys of a type and of everything in it.
func keys(t reflect.Type, known []string) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return keys(t.Elem(), known)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if tag == "" || tag == "-" || slices.Contains(known, tag) {
				continue // listed already, perhaps a type within itself
			}
			known = keys(f.Type, append(known, tag))
		}
	}
	return known
}

// Place returns the line and column of the deepest key (a string) or index
// (an int) on the path that the document has; 1, 1 when it has none.
func (d *Document) Place(path ...any) (line, column int) {
	line, column = 1, 1
	node := d.body
	for _, step := range path {
		t, next := descend(node, step)
		if next == nil {
			break
		}
		if t != nil && t.Position != nil {
			line, column = t.Position.Line, t.Position.Column
		}
		node = next
	}
	return line, column
}

// descend returns the value under a key or index, and the token that starts it.
func descend(node ast.Node, step any) (*token.Token, ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if key, ok := step.(string); ok && v.Key.GetToken().Value == key {
				return v.Key.GetToken(), v.Value
			}
		}
	case *ast.MappingValueNode:
		if key, ok := step.(string); ok && n.Key.GetToken().Value == key {
			return n.Key.GetToken(), n.Value
		}
	case *ast.SequenceNode:
		if i, ok := step.(int); ok && i >= 0 && i < len(n.Values) {
			return firstToken(n.Values[i]), n.Values[i]
		}
	}
	return nil, nil
}

// firstToken is where a value begins; a mapping's own token is its first
// colon.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}
