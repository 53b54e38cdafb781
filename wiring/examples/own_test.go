package examples

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/connectomewire/wire/datasets/own"
)

// TestKeysFollowTheContent: what modules made of an example is kept by its key,
// so another column, another number or another text must give another.
func TestKeysFollowTheContent(t *testing.T) {
	keys := map[string]string{}
	for name, x := range map[string]struct{ table, sense, column string }{
		"as it is":       {"a,b,y\n1,2,3\n4,5,6\n", "vector", "a+b"},
		"other columns":  {"a,b,y\n1,2,3\n4,5,6\n", "vector", "b+a"},
		"another number": {"a,b,y\n1,7,3\n4,5,6\n", "vector", "a+b"},
		"a text":         {"a,b,y\nred hat,2,3\nblue,5,6\n", "text", "a"},
		"another text":   {"a,b,y\nred cat,2,3\nblue,5,6\n", "text", "a"},
		"another target": {"a,b,y\n1,2,9\n4,5,6\n", "vector", "a+b"},
	} {
		file := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(file, []byte(x.table), 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := own.Open(t.Context(), file, own.Options{Inputs: map[string]string{x.sense: x.column}, Targets: map[string]string{"y": "y"}})
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = OfRows(d, d.Rows)[0].Key
	}
	if keys["as it is"] != keys["another target"] {
		t.Error("the target is no input and must not change the key")
	}
	delete(keys, "another target")
	seen := map[string]string{}
	for name, key := range keys {
		if other, twice := seen[key]; twice {
			t.Errorf("%q and %q have the same key %q", name, other, key)
		}
		seen[key] = name
	}
}
