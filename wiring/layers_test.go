package wiring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
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
		files := token.NewFileSet()
		packages, err := parser.ParseDir(files, dir, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packages {
			for _, f := range p.Files {
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
}
