package modules

import (
	"os"
	"path/filepath"
)

// CacheVariable is the environment variable that moves the cache.
const CacheVariable = "WIRE_CACHE"

// CacheDir is the directory where things of a kind ("modules", "engines")
// are kept: below $WIRE_CACHE, or below wire in the user's cache directory.
func CacheDir(kind string) (string, error) {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return filepath.Join(dir, kind), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "wire", kind), nil
}
