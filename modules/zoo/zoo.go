package zoo

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/connectomewire/wire/modules"
)

//go:embed vision sound text language
var files embed.FS

// Scheme starts the source of an embedded module: "zoo:vision".
const Scheme = "zoo:"

// Names lists the embedded modules.
func Names() []string {
	return []string{"vision", "sound", "text", "language"}
}

// FS returns the files of an embedded module; "zoo:vision" and "vision" are
// the same.
func FS(name string) (fs.FS, error) {
	name = strings.TrimPrefix(name, Scheme)
	for _, n := range Names() {
		if n == name {
			return fs.Sub(files, name)
		}
	}
	return nil, fmt.Errorf("no module %q is embedded; there are %s", name, strings.Join(Names(), ", "))
}

// Manifest reads the manifest of an embedded module.
func Manifest(name string) (*modules.Manifest, error) {
	dir, err := FS(name)
	if err != nil {
		return nil, err
	}
	return modules.LoadManifest(dir, Scheme+strings.TrimPrefix(name, Scheme))
}

// Open opens an embedded module. Its files are checked like those of any
// other.
func Open(name string, engine modules.Engine, opt modules.Options) (*modules.Module, error) {
	dir, err := FS(name)
	if err != nil {
		return nil, err
	}
	return modules.Open(dir, Scheme+strings.TrimPrefix(name, Scheme), engine, opt)
}
