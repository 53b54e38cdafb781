package library

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/zoo"
)

// Finder finds modules by name, or by the source that a plan records: among
// directories of one's own, those that are embedded, and those pulled.
type Finder struct {
	// Dir holds directories of modules that are preferred to the built-in
	// ones of the same name; "" for none.
	Dir string
	// Base is the directory that relative sources start from, usually a
	// plan's; "" for a plan that has none, such as the embedded one.
	Base string
}

// Found is a module's files.
type Found struct {
	Files fs.FS
	// Source is "zoo:NAME", "library:NAME", or a path: relative to
	// [Finder.Base] where there is one.
	Source string
	// Dir is the module's directory, "" for an embedded one.
	Dir string
}

// PulledScheme starts the source of a module that the user pulled.
const PulledScheme = "library:"

// Find returns the files of the module with a name.
func (f Finder) Find(name string) (Found, error) {
	if f.Dir != "" {
		dir := filepath.Join(f.Dir, name)
		if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err == nil {
			source := dir
			if abs, err := filepath.Abs(dir); err == nil && f.Base != "" {
				if from, err := filepath.Abs(f.Base); err == nil {
					if rel, err := filepath.Rel(from, abs); err == nil {
						source = rel
					}
				}
			}
			return Found{Files: os.DirFS(dir), Source: filepath.ToSlash(source), Dir: dir}, nil
		}
	}
	if files, err := zoo.FS(name); err == nil {
		return Found{Files: files, Source: zoo.Scheme + name}, nil
	}
	if dir, ok := pulled(name); ok {
		return Found{Files: os.DirFS(dir), Source: PulledScheme + name, Dir: dir}, nil
	}
	where := "is neither built in nor pulled"
	if f.Dir != "" {
		where += fmt.Sprintf(" and %s holds no %s with a %s", f.Dir, name, modules.ManifestName)
	}
	return Found{}, fmt.Errorf("module %q %s; built in are: %s (more: wire modules list)", name, where, strings.Join(zoo.Names(), ", "))
}

// pulled returns the directory of a module in the user's library.
func pulled(name string) (string, bool) {
	root, err := modules.CacheDir("modules")
	if err != nil {
		return "", false
	}
	dir := filepath.Join(root, name)
	_, err = os.Stat(filepath.Join(dir, modules.ManifestName))
	return dir, err == nil
}

// FindPinned returns the files of a module of a plan, by its name and the
// source the plan records, and checks that they are the ones that the checksum
// pins; "" pins none.
func (f Finder) FindPinned(name, source, sum string) (Found, error) {
	found, err := f.findSource(name, source)
	if err != nil {
		return Found{}, err
	}
	have, err := Pin(found.Files)
	if err != nil {
		return Found{}, fmt.Errorf("module %q (%s): %w", name, source, err)
	}
	if sum != "" && have != sum {
		return Found{}, fmt.Errorf("module %q (%s) is not the one the plan was trained with: its checksum is %.12s…, "+
			"the plan's %.12s…; train the plan again (wire train PLAN --fresh), or bring the module back", name, source, have, sum)
	}
	return found, nil
}

func (f Finder) findSource(name, source string) (Found, error) {
	if f.Dir != "" {
		if found, err := f.Find(name); err == nil && found.Dir != "" {
			return found, nil
		}
	}
	if name, ok := strings.CutPrefix(source, zoo.Scheme); ok {
		return Finder{}.Find(name)
	}
	if name, ok := strings.CutPrefix(source, PulledScheme); ok {
		dir, there := pulled(name)
		if !there {
			return Found{}, fmt.Errorf("module %q is not in your library; run: wire modules pull %s", name, name)
		}
		return Found{Files: os.DirFS(dir), Source: source, Dir: dir}, nil
	}
	dir := filepath.FromSlash(source)
	if !filepath.IsAbs(dir) && f.Base != "" {
		dir = filepath.Join(f.Base, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Found{}, fmt.Errorf("module %q: %s has no %s; say where modules are with --modules DIR", name, dir, modules.ManifestName)
		}
		return Found{}, fmt.Errorf("module %q: %w", name, err)
	}
	return Found{Files: os.DirFS(dir), Source: source, Dir: dir}, nil
}

// Pin identifies how a module computes: the SHA-256 over the checksums of its
// files, cards aside, and over its manifest without the descriptions. Cards,
// descriptions and licences may be reworded without breaking a trained plan.
func Pin(files fs.FS) (string, error) {
	m, err := modules.LoadManifest(files, "module")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if path.Ext(name) != ".md" {
			fmt.Fprintf(h, "%s %s\n", name, m.Files[name])
		}
	}
	text, err := fs.ReadFile(files, modules.ManifestName)
	if err != nil {
		return "", err
	}
	skip := false
	for line := range strings.Lines(string(text)) {
		if key, _, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "-") {
			skip = slices.Contains([]string{"description", "license", "source", "card", "files"}, key)
		}
		if line = strings.TrimRight(line, " \r\n"); !skip && line != "" && !strings.HasPrefix(line, "#") {
			fmt.Fprintln(h, line)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
