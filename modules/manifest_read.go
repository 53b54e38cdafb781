package modules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/connectomewire/wire/modules/internal/check"
)

// maxManifest bounds a manifest's size in bytes.
const maxManifest = 1 << 20

// ManifestError is a mistake in a manifest and where it is.
type ManifestError struct {
	File         string
	Line, Column int // from 1; 0 when not known
	Message      string
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// ReadManifest reads a module.yaml. name is used in messages. Unknown keys
// and everything [Manifest.Check] finds are errors with their line and column.
func ReadManifest(r io.Reader, name string) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxManifest {
		return nil, &ManifestError{File: name, Message: "larger than 1 MiB, so not a manifest"}
	}
	if tooDeep(b) {
		return nil, &ManifestError{File: name, Message: "nested too deeply to be a manifest"}
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, locate(name, err)
	}
	if t := alias(file); t != nil {
		return nil, &ManifestError{name, t.Position.Line, t.Position.Column, "anchors and aliases are not used in manifests"}
	}
	var m Manifest
	err = yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&m)
	if errors.Is(err, io.EOF) {
		return nil, &ManifestError{File: name, Message: "is empty"}
	}
	if err != nil {
		return nil, locate(name, err)
	}
	if err := m.Check(); err != nil {
		return nil, locateMistake(name, file, err)
	}
	return &m, nil
}

// tooDeep finds nesting that no manifest has, on which a parser would spend
// long: brackets within brackets, indentation, or dashes on one line.
func tooDeep(b []byte) bool {
	const brackets, indentation, dashes = 50, 100, 20
	depth := 0
	for line := range bytes.Lines(b) {
		if len(line)-len(bytes.TrimLeft(line, " ")) > indentation || bytes.Count(line, []byte("- ")) > dashes {
			return true
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
			if depth > brackets {
				return true
			}
		}
	}
	return false
}

// alias returns the first anchor or alias of the document, or nil.
func alias(file *ast.File) *token.Token {
	var v aliasVisitor
	for _, d := range file.Docs {
		ast.Walk(&v, d)
	}
	return v.found
}

type aliasVisitor struct{ found *token.Token }

func (v *aliasVisitor) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		if v.found == nil {
			v.found = n.GetToken()
		}
		return nil
	}
	return v
}

// locate turns an error of the yaml library into one with a position.
func locate(name string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return &ManifestError{File: name, Message: err.Error()}
	}
	e := &ManifestError{File: name, Message: y.GetMessage()}
	if t := y.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) && unknown.Token != nil {
		key := unknown.Token.Value
		e.Message = fmt.Sprintf("unknown key %q%s", key, suggestion(key, manifestKeys))
	}
	return e
}

// manifestKeys are the keys of all structures of a manifest.
var manifestKeys = yamlKeys(reflect.TypeOf(Manifest{}), map[reflect.Type]bool{})

func yamlKeys(t reflect.Type, seen map[reflect.Type]bool) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return yamlKeys(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if seen[t] {
		return nil
	}
	seen[t] = true
	var keys []string
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); tag != "" {
			keys = append(append(keys, tag), yamlKeys(t.Field(i).Type, seen)...)
		}
	}
	return keys
}

// locateMistake finds the line of a mistake: that of the deepest key on its
// path that the file has.
func locateMistake(name string, file *ast.File, err error) error {
	var e *mistake
	if !errors.As(err, &e) {
		return &ManifestError{File: name, Message: err.Error()}
	}
	out := &ManifestError{File: name, Message: err.Error()}
	if len(file.Docs) == 0 {
		return out
	}
	node := file.Docs[0].Body
	for _, step := range e.path {
		t, next := descend(node, step)
		if next == nil {
			break
		}
		out.Line, out.Column = t.Position.Line, t.Position.Column
		node = next
	}
	return out
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
		if i, ok := step.(int); ok && i < len(n.Values) {
			return firstToken(n.Values[i]), n.Values[i]
		}
	}
	return nil, nil
}

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

// specError turns a preprocessing package's complaint into one with a path.
func specError(err error, path ...any) error {
	var p *check.Problem
	if err == nil {
		return nil
	}
	if errors.As(err, &p) {
		return at(append(path, p.Key)...)("%s", p.Message)
	}
	return at(path...)("%v", err)
}

// Write writes the manifest so that [ReadManifest] reads it back.
func (m *Manifest) Write(w io.Writer) error {
	if err := m.Check(); err != nil {
		return err
	}
	b, err := yaml.MarshalWithOptions(m, yaml.IndentSequence(true), yaml.Indent(2))
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// LoadManifest reads the module.yaml of a directory.
func LoadManifest(dir fs.FS, name string) (*Manifest, error) {
	f, err := dir.Open(ManifestName)
	if err != nil {
		return nil, fmt.Errorf("%s has no %s: %w", name, ManifestName, err)
	}
	defer f.Close()
	return ReadManifest(f, path.Join(name, ManifestName))
}

// readVerified reads a file of the module and checks its SHA-256.
func (m *Manifest) readVerified(dir fs.FS, name string) ([]byte, error) {
	want, ok := m.Files[name]
	if !ok {
		return nil, fmt.Errorf("module %s: file %q is not listed in its manifest", m.Name, name)
	}
	b, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", m.Name, err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != want {
		return nil, fmt.Errorf("module %s: %s was changed: its SHA-256 is %s, the manifest says %s", m.Name, name, got, want)
	}
	return b, nil
}

// VerifyFiles reads every file of the module and checks its SHA-256.
func (m *Manifest) VerifyFiles(dir fs.FS) error {
	for _, name := range m.fileNames() {
		if _, err := m.readVerified(dir, name); err != nil {
			return err
		}
	}
	return nil
}
