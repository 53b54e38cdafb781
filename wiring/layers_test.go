package wiring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// layers are the packages that know no task, and what they must not import.
var layers = map[string][]string{
	".":          {"/wiring/", "/runtime", "/datasets", "/cmd/"},
	"learn":      {"/wiring/task/", "/wiring/prepare", "/wiring/frozen", "/runtime", "/datasets", "/modules", "/cmd/"},
	"../runtime": {"/wiring/task", "/wiring/prepare", "/datasets", "/modules", "/cmd/"},
}

// TestLayersKnowNoWords: plans, learning and the runtime serve any task, so
// none of their identifiers speaks of words, tokens or captions, and they import
// nothing that does.
func TestLayersKnowNoWords(t *testing.T) {
	const module = "github.com/connectomewire/wire"
	for dir, forbidden := range layers {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files, %v", dir, err)
		}
		files := token.NewFileSet()
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				path := strings.Trim(i.Path.Value, "\"")
				for _, no := range forbidden {
					if strings.HasPrefix(path, module+no) {
						t.Errorf("%s imports %s", files.Position(i.Pos()), path)
					}
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					for _, word := range []string{"word", "token", "caption"} {
						if strings.Contains(strings.ToLower(id.Name), word) && !strings.Contains(strings.ToLower(id.Name), "gettoken") {
							t.Errorf("%s: the identifier %s speaks of a task", files.Position(id.Pos()), id.Name)
						}
					}
				}
				return true
			})
		}
	}
}
