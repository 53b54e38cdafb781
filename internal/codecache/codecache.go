// Package codecache finds a directory for compiled code that will be loaded
// and run again. Whoever can write there can have us run what they like, so it
// is ours alone: our own, closed to others, below directories that are ours.
//
// It is initialised before Graphviz (see the package graphvizcache), so it
// imports only what Graphviz imports too.
package codecache

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/connectomewire/wire/internal/cachedir"
)

// Dir returns the directory for compiled code, which it makes where it is
// missing: in wire's cache, or, where that cannot be used (a home that is
// read-only, somebody else's, or none), in one of the user's own below the
// temporary directory. It returns "" where neither can be had.
func Dir() string {
	if dir, err := cachedir.Dir("compiled"); err == nil && usable(dir) {
		return dir
	}
	if dir := filepath.Join(os.TempDir(), "wire-"+strconv.Itoa(os.Geteuid())); usable(dir) {
		return dir
	}
	return ""
}

// usable says whether dir, which may have to be made, is ours alone and can be
// written.
func usable(dir string) bool {
	if !filepath.IsAbs(dir) {
		return false
	}
	if _, err := os.Lstat(dir); err != nil {
		// Root does not leave its own directories in a user's home.
		if !madeByUs(parent(dir)) || os.MkdirAll(dir, 0o700) != nil {
			return false
		}
	}
	return private(dir) && soundInside(dir) && roomInside(dir)
}

// parent is the nearest directory above dir that exists.
func parent(dir string) string {
	for {
		up := filepath.Dir(dir)
		if _, err := os.Stat(up); err == nil || up == dir {
			return up
		}
		dir = up
	}
}

// soundInside says whether everything in dir is ours. A file without content,
// as a crash of the machine leaves behind, is removed: reading it would fail.
func soundInside(dir string) bool {
	sound := true
	err := filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case !ours(info) || !info.IsDir() && !info.Mode().IsRegular():
			sound = false
			return filepath.SkipAll
		case info.Mode().IsRegular() && info.Size() == 0:
			return os.Remove(name)
		}
		return nil
	})
	return err == nil && sound
}

// room is what must fit: Graphviz compiles to less.
const room = 16 << 20

// roomInside says whether compiled code can be stored in dir. One that holds
// something already has shown it.
func roomInside(dir string) bool {
	if names, err := filepath.Glob(filepath.Join(dir, "*", "*", "*")); err == nil && len(names) > 0 {
		return true
	}
	f, err := os.CreateTemp(dir, ".room-*")
	if err != nil {
		return false
	}
	_, err = f.Write(make([]byte, room))
	f.Close()
	return os.Remove(f.Name()) == nil && err == nil
}
