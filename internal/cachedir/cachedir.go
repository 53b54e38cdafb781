// Package cachedir says where things are kept that can be had again: pulled
// modules, data and connectomes, engines, features, compiled code.
//
// It is initialised before Graphviz (see the package graphvizcache), so it
// imports only what Graphviz imports too.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Variable is the environment variable that moves the cache.
const Variable = "WIRE_CACHE"

// Dir is the directory where things of a kind are kept: "modules", "data",
// "connectomes", "engines", "features" or "compiled". It lies below
// $WIRE_CACHE, or below wire in the user's cache directory, which
// $XDG_CACHE_HOME moves on Unix. It need not exist yet.
func Dir(kind string) (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		return filepath.Join(dir, kind), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache directory (%w); set %s to one", err, Variable)
	}
	return filepath.Join(dir, "wire", kind), nil
}
