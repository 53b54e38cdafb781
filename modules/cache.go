package modules

import "github.com/connectomewire/wire/internal/cachedir"

// CacheVariable is the environment variable that moves the cache.
const CacheVariable = cachedir.Variable

// CacheDir is the directory where things of a kind ("modules", "engines")
// are kept: below $WIRE_CACHE, or below wire in the user's cache directory.
func CacheDir(kind string) (string, error) { return cachedir.Dir(kind) }
