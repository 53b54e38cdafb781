package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/zoo"
)

// Library is a directory of modules.
type Library struct{ Dir string }

// Open uses dir, or the cache's modules directory if it is empty. It need not
// exist yet.
func Open(dir string) (*Library, error) {
	if dir == "" {
		var err error
		if dir, err = modules.CacheDir("modules"); err != nil {
			return nil, err
		}
	}
	return &Library{dir}, nil
}

// Entry is a module that can be opened.
type Entry struct {
	Name string
	// Dir of the module; "" when it is embedded.
	Dir string
	// FS holds its files.
	FS       fs.FS
	Manifest *modules.Manifest
	// Bytes of all its files.
	Bytes int64
	// Err says what is wrong with it; then Manifest may be nil.
	Err error
}

// List returns the embedded modules, then those of the library by name.
func (l *Library) List() ([]Entry, error) {
	var out []Entry
	for _, name := range zoo.Names() {
		dir, err := zoo.FS(name)
		if err != nil {
			return nil, err
		}
		out = append(out, read(name, "", dir))
	}
	found, err := os.ReadDir(l.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, d := range found {
		if d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			dir := filepath.Join(l.Dir, d.Name())
			out = append(out, read(d.Name(), dir, os.DirFS(dir)))
		}
	}
	return out, nil
}

func read(name, dir string, files fs.FS) Entry {
	e := Entry{Name: name, Dir: dir, FS: files}
	e.Manifest, e.Err = modules.LoadManifest(files, name)
	if e.Err != nil {
		return e
	}
	for file := range e.Manifest.Files {
		info, err := fs.Stat(files, file)
		if err != nil {
			e.Err = fmt.Errorf("module %s: %w", name, err)
			continue
		}
		e.Bytes += info.Size()
	}
	return e
}

// Find returns the module that a person means: the path of a directory with
// a module.yaml (or of the module.yaml itself), the name of a module in the
// library, or that of an embedded one ("vision", "zoo:vision").
func (l *Library) Find(name string) (Entry, error) {
	dir := name
	if filepath.Base(name) == modules.ManifestName {
		dir = filepath.Dir(name)
	}
	if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err == nil && (dir != name || strings.ContainsAny(name, `/\.`)) {
		e := read(filepath.Base(dir), dir, os.DirFS(dir))
		return e, e.Err
	}
	entries, err := l.List()
	if err != nil {
		return Entry{}, err
	}
	var names []string
	for _, e := range entries {
		if e.Name == strings.TrimPrefix(name, zoo.Scheme) && (e.Dir == "" || !strings.HasPrefix(name, zoo.Scheme)) {
			return e, e.Err
		}
		names = append(names, e.Name)
	}
	for _, item := range Catalog() {
		if item.Name == name {
			return Entry{}, fmt.Errorf("module %q is in the catalogue but was not pulled; run: wire modules pull %s", name, name)
		}
	}
	return Entry{}, fmt.Errorf("there is no module %q; there are %s, those of `wire modules catalog`, and any directory with a %s", name, strings.Join(names, ", "), modules.ManifestName)
}

// Open opens a module of the entry.
func (e Entry) Open(engine modules.Engine, opt modules.Options) (*modules.Module, error) {
	if opt.Path == "" {
		opt.Path = e.Dir
	}
	return modules.Open(e.FS, e.Name, engine, opt)
}

// Remove deletes a module of the library.
func (l *Library) Remove(name string) error {
	if name == "" || filepath.Base(name) != name || strings.HasPrefix(name, ".") {
		return fmt.Errorf("%q is not the name of a module in the library", name)
	}
	dir := filepath.Join(l.Dir, name)
	if _, err := os.Stat(dir); err != nil {
		for _, n := range zoo.Names() {
			if n == name {
				return fmt.Errorf("module %q is part of the program and cannot be removed", name)
			}
		}
		return fmt.Errorf("there is no module %q in %s", name, l.Dir)
	}
	return os.RemoveAll(dir)
}

// Verify checks the SHA-256 of every file of a module, and that the
// directory holds no ONNX file that the manifest does not list.
func (e Entry) Verify() error {
	if e.Err != nil {
		return e.Err
	}
	if err := e.Manifest.VerifyFiles(e.FS); err != nil {
		return err
	}
	var stray []string
	err := fs.WalkDir(e.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".onnx") && e.Manifest.Files[name] == "" {
			stray = append(stray, name)
		}
		return err
	})
	if len(stray) > 0 {
		sort.Strings(stray)
		return fmt.Errorf("module %s: %s is not listed in its manifest", e.Name, strings.Join(stray, ", "))
	}
	return err
}
