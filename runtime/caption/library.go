package caption

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
	"github.com/connectomewire/wire/wiring"
)

// Library finds modules by name or by the source that a plan records.
type Library struct {
	// Dir holds directories of modules that are preferred to the built-in
	// ones of the same name; "" for none.
	Dir string
	// Plan is the directory that relative sources start from; "" for a plan
	// that has none, such as the embedded one.
	Plan string
}

// Found is a module's files.
type Found struct {
	Files fs.FS
	// Source is "zoo:NAME", or a path: relative to [Library.Plan] where
	// there is one.
	Source string
	// Dir is the module's directory, "" for an embedded one.
	Dir string
}

// Find returns the files of the module with a name.
func (l Library) Find(name string) (Found, error) {
	if l.Dir != "" {
		dir := filepath.Join(l.Dir, name)
		if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err == nil {
			source := dir
			if abs, err := filepath.Abs(dir); err == nil && l.Plan != "" {
				if from, err := filepath.Abs(l.Plan); err == nil {
					if rel, err := filepath.Rel(from, abs); err == nil {
						source = rel
					}
				}
			}
			return Found{Files: os.DirFS(dir), Source: filepath.ToSlash(source), Dir: dir}, nil
		}
	}
	if files, ok := builtin(name); ok {
		return Found{Files: files, Source: zoo.Scheme + name}, nil
	}
	if dir, ok := pulled(name); ok {
		return Found{Files: os.DirFS(dir), Source: pulledScheme + name, Dir: dir}, nil
	}
	where := "is neither built in nor pulled"
	if l.Dir != "" {
		where += fmt.Sprintf(" and %s holds no %s with a %s", l.Dir, name, modules.ManifestName)
	}
	return Found{}, fmt.Errorf("module %q %s; built in are: %s (more: wire modules list)", name, where, strings.Join(builtinNames(), ", "))
}

// pulledScheme starts the source of a module that the user pulled.
const pulledScheme = "library:"

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

// FindRef returns the files of a plan's module and checks that they are the
// ones that the reference pins; a reference without a checksum pins none.
func (l Library) FindRef(ref wiring.ModuleRef) (Found, error) {
	found, err := l.findSource(ref)
	if err != nil {
		return Found{}, err
	}
	sum, err := pin(found.Files)
	if err != nil {
		return Found{}, fmt.Errorf("module %q (%s): %w", ref.Name, ref.Source, err)
	}
	if ref.SHA256 != "" && sum != ref.SHA256 {
		return Found{}, fmt.Errorf("module %q (%s) is not the one the plan was trained with: its checksum is %.12s…, "+
			"the plan's %.12s…; train the plan again (wire train PLAN --fresh), or bring the module back", ref.Name, ref.Source, sum, ref.SHA256)
	}
	return found, nil
}

func (l Library) findSource(ref wiring.ModuleRef) (Found, error) {
	if l.Dir != "" {
		if found, err := l.Find(ref.Name); err == nil && found.Dir != "" {
			return found, nil
		}
	}
	if name, ok := strings.CutPrefix(ref.Source, zoo.Scheme); ok {
		return Library{}.Find(name)
	}
	if name, ok := strings.CutPrefix(ref.Source, pulledScheme); ok {
		dir, there := pulled(name)
		if !there {
			return Found{}, fmt.Errorf("module %q is not in your library; run: wire modules pull %s", ref.Name, name)
		}
		return Found{Files: os.DirFS(dir), Source: ref.Source, Dir: dir}, nil
	}
	dir := filepath.FromSlash(ref.Source)
	if !filepath.IsAbs(dir) && l.Plan != "" {
		dir = filepath.Join(l.Plan, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Found{}, fmt.Errorf("module %q: %s has no %s; say where modules are with --modules DIR", ref.Name, dir, modules.ManifestName)
		}
		return Found{}, fmt.Errorf("module %q: %w", ref.Name, err)
	}
	return Found{Files: os.DirFS(dir), Source: ref.Source, Dir: dir}, nil
}

// pin identifies how a module computes: the SHA-256 over the checksums of its
// files, cards aside, and over its manifest without the descriptions. Cards,
// descriptions and licences may be reworded without breaking a trained plan.
func pin(files fs.FS) (string, error) {
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

// Info describes the modules that a recipe names, for [wiring.Build].
func (l Library) Info(recipe *wiring.Recipe) (map[string]wiring.ModuleInfo, error) {
	info := map[string]wiring.ModuleInfo{}
	add := func(name string) error {
		if _, ok := info[name]; ok || name == "" {
			return nil
		}
		found, err := l.Find(name)
		if err != nil {
			return err
		}
		one, err := describe(found, name)
		if err == nil {
			info[name] = one
		}
		return err
	}
	for _, s := range recipe.Senses {
		if err := add(s.Module); err != nil {
			return nil, err
		}
	}
	for _, e := range recipe.Effectors {
		if err := errors.Join(add(e.Module), add(e.Text)); err != nil {
			return nil, err
		}
	}
	return info, nil
}

// describe reads a module's manifest and checks its files.
func describe(found Found, name string) (wiring.ModuleInfo, error) {
	at := found.Source
	if found.Dir != "" {
		at = found.Dir
	}
	m, err := modules.LoadManifest(found.Files, at)
	if err != nil {
		return wiring.ModuleInfo{}, err
	}
	if err := m.VerifyFiles(found.Files); err != nil {
		return wiring.ModuleInfo{}, fmt.Errorf("module %q: %w", name, err)
	}
	sum, err := pin(found.Files)
	if err != nil {
		return wiring.ModuleInfo{}, fmt.Errorf("module %q: %w", name, err)
	}
	info := wiring.ModuleInfo{Source: found.Source, SHA256: sum, Widths: map[string]int{}}
	for _, p := range m.Outputs {
		if w := p.Width(); p.Kind == modules.KindEmbedding && w > 0 {
			info.Widths[p.Name] = w
		}
	}
	return info, nil
}
