// Package graphvizcache gives Graphviz a directory of the user's own for its
// compiled code.
//
// When go-graphviz is initialised, in any program that imports it, it compiles
// Graphviz into the folder go-graphviz of the temporary directory and loads
// what lies there. That folder is everybody's: the first user of a machine
// makes it, the second cannot read it and panics before main; and who makes it
// first chooses the code that others run. No option changes this, but Go fixes
// when it happens: of the packages whose imports are ready, the one whose path
// sorts first is initialised first (Go 1.21 and later). This package sorts
// before go-graphviz and imports nothing that go-graphviz does not import, so
// it can point $TMPDIR elsewhere just in time. The package graphs puts it
// back, and has the test that fails if the order ever changes.
package graphvizcache

import (
	"os"

	"github.com/connectomewire/wire/internal/codecache"
)

// nowhere cannot exist. Graphviz then keeps and loads nothing: it is compiled
// at every start, which takes about a second.
const nowhere = "/dev/null/wire"

const variable = "TMPDIR"

var (
	before string
	had    bool
)

func init() {
	before, had = os.LookupEnv(variable)
	dir := codecache.Dir()
	if dir == "" {
		dir = nowhere
	}
	os.Setenv(variable, dir) //nolint:errcheck // fails only for malformed names
}

// Restore gives the temporary directory back its name; to be called once
// go-graphviz is initialised.
func Restore() {
	if had {
		os.Setenv(variable, before) //nolint:errcheck // as above
		return
	}
	os.Unsetenv(variable) //nolint:errcheck // as above
}
