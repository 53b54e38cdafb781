package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
)

// Plan is what is about to be fetched, shown before it is.
type Plan struct {
	Name, Source, License string
	Bytes                 int64 // -1 when it is not known
}

// PullOptions say how a module is fetched.
type PullOptions struct {
	// Name of the module in the library; empty derives one.
	Name string
	// Mirror replaces the hub's address.
	Mirror string
	// License is recorded when the source states none.
	License string
	// Again replaces a module that is there already.
	Again bool
	// Announce is told what is about to be fetched; an error stops it.
	Announce func(Plan) error
	Progress Progress
}

// ErrExists reports a module that is in the library already.
var ErrExists = errors.New("is in the library already")

// Pull fetches a module of the catalogue, or from a source (see
// [ParseSource]), into the library.
func (l *Library) Pull(ctx context.Context, what string, opt PullOptions) (Entry, []string, error) {
	if item, ok := FindItem(what); ok {
		return l.pullItem(ctx, item, opt)
	}
	source, err := ParseSource(what)
	if err != nil {
		return Entry{}, nil, err
	}
	if source.Scheme == "file" {
		if _, err := os.Stat(source.Name); err != nil {
			return Entry{}, nil, fmt.Errorf("%q is neither in the catalogue nor a source nor a file; see: wire modules catalog", what)
		}
	}
	if opt.Name == "" {
		opt.Name = moduleName(source)
	}
	return l.install(opt.Name, opt.Again, func(dir string) ([]string, error) { return l.pullSource(ctx, source, dir, opt) })
}

// install fills a temporary directory and renames it into the library.
func (l *Library) install(name string, again bool, fill func(dir string) ([]string, error)) (Entry, []string, error) {
	to := filepath.Join(l.Dir, name)
	if filepath.Base(name) != name || name == "" || strings.HasPrefix(name, ".") {
		return Entry{}, nil, fmt.Errorf("%q cannot be a module's name", name)
	}
	if _, err := os.Stat(to); err == nil && !again {
		return Entry{}, nil, fmt.Errorf("module %q %w; `wire modules pull --again` replaces it, --name gives another name", name, ErrExists)
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return Entry{}, nil, err
	}
	tmp, err := os.MkdirTemp(l.Dir, "."+name+"-*")
	if err != nil {
		return Entry{}, nil, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return Entry{}, nil, err
	}
	notes, err := fill(tmp)
	if err != nil {
		return Entry{}, nil, err
	}
	if e := read(name, tmp, os.DirFS(tmp)); e.Err != nil {
		return Entry{}, nil, e.Err
	} else if err := e.Manifest.VerifyFiles(e.FS); err != nil {
		return Entry{}, nil, err
	}
	if err := os.RemoveAll(to); err != nil {
		return Entry{}, nil, err
	}
	if err := os.Rename(tmp, to); err != nil {
		return Entry{}, nil, err
	}
	return read(name, to, os.DirFS(to)), notes, nil
}

func (opt *PullOptions) announce(p Plan) error {
	if opt.Announce == nil {
		return nil
	}
	return opt.Announce(p)
}

// pullSource fetches one model and describes it.
func (l *Library) pullSource(ctx context.Context, s Source, dir string, opt PullOptions) ([]string, error) {
	model, license, err := fetchSource(ctx, &s, dir, opt)
	if err != nil {
		return nil, err
	}
	if opt.License != "" {
		license = opt.License
	}
	if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err == nil {
		return nil, nil // it came with its own
	}
	if s.Scheme == "file" {
		s.Name = filepath.Base(s.Name) // where it lay is nobody else's business
	}
	d, err := Describe(dir, model, opt.Name, s.String(), license)
	if err != nil {
		return nil, err
	}
	return d.Notes, writeManifest(dir, d.Manifest)
}

func writeManifest(dir string, m *modules.Manifest) error {
	return atomicfile.Write(filepath.Join(dir, modules.ManifestName), m.Write)
}

// fetchSource brings the model and what lies beside it into dir and returns
// the model's name there, and the licence that the source states. s gets the
// version that was fetched.
func fetchSource(ctx context.Context, s *Source, dir string, opt PullOptions) (model, license string, err error) {
	switch s.Scheme {
	case "npm":
		p, err := ViewNPM(ctx, s.Name, s.Version)
		if err != nil {
			return "", "", err
		}
		s.Version = p.Version
		if err := opt.announce(Plan{opt.Name, s.String(), p.License, p.Bytes}); err != nil {
			return "", "", err
		}
		return path.Base(s.Path), p.License, flat(dir, s.Path, func(files []string) error { return FetchNPM(ctx, p, files, dir) })
	case "deb":
		if err := opt.announce(Plan{opt.Name, s.String(), "see usr/share/doc/" + s.Name + "/copyright", -1}); err != nil {
			return "", "", err
		}
		return path.Base(s.Path), "see usr/share/doc/" + s.Name + "/copyright in the Debian package " + s.Name,
			flat(dir, s.Path, func(files []string) error { return fetchDebian(ctx, s.Name, files, dir) })
	case "hf":
		return fetchRepository(ctx, s, dir, opt)
	case "https":
		return fetchAddress(ctx, s, dir, opt)
	}
	return copyLocal(s.Name, dir, opt)
}

// flat fetches a file and moves it to the top of dir.
func flat(dir, name string, fetch func(files []string) error) error {
	if err := fetch([]string{name}); err != nil {
		return err
	}
	if path.Base(name) == name {
		return nil
	}
	if err := os.Rename(filepath.Join(dir, filepath.FromSlash(name)), filepath.Join(dir, path.Base(name))); err != nil {
		return err
	}
	top, _, _ := strings.Cut(name, "/")
	return os.RemoveAll(filepath.Join(dir, top))
}

func (opt *PullOptions) hub() string {
	if opt.Mirror != "" {
		return strings.TrimSuffix(opt.Mirror, "/")
	}
	return Hub
}

func fetchRepository(ctx context.Context, s *Source, dir string, opt PullOptions) (model, license string, err error) {
	r, err := viewHub(ctx, opt.hub(), *s)
	if err != nil {
		return "", "", err
	}
	if model, err = r.model(*s); err != nil {
		return "", "", err
	}
	files := r.files(model)
	var size int64
	for _, f := range files {
		size += f.size
	}
	s.Version, s.Path = r.Revision, model
	if err := opt.announce(Plan{opt.Name, s.String(), r.license(), size}); err != nil {
		return "", "", err
	}
	return path.Base(model), r.license(), fetchHub(ctx, opt.hub(), *s, r, files, dir, opt.Progress)
}

func fetchAddress(ctx context.Context, s *Source, dir string, opt PullOptions) (model, license string, err error) {
	u, err := url.Parse(s.Name)
	if err != nil {
		return "", "", err
	}
	name := path.Base(u.Path)
	if err := opt.announce(Plan{opt.Name, s.String(), "unknown", -1}); err != nil {
		return "", "", err
	}
	if s.Path == "" {
		if !strings.HasSuffix(name, ".onnx") {
			return "", "", fmt.Errorf("%s: the address does not end in .onnx; for an archive add which file: #path/in/archive.onnx", s)
		}
		return name, "", fetchFile(ctx, s.Name, filepath.Join(dir, name), "", opt.Progress)
	}
	archive := filepath.Join(dir, ".archive")
	if err := fetchFile(ctx, s.Name, archive, "", opt.Progress); err != nil {
		return "", "", err
	}
	defer os.Remove(archive)
	return path.Base(s.Path), "", flat(dir, s.Path, func(files []string) error { return unpack(ctx, archive, "", files, dir) })
}

// copyLocal copies a model with the configuration files and external data
// beside it, or a whole module's directory.
func copyLocal(name, dir string, opt PullOptions) (model, license string, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", "", err
	}
	if info.IsDir() {
		m, err := modules.LoadManifest(os.DirFS(name), name)
		if err != nil {
			return "", "", err
		}
		if err := opt.announce(Plan{opt.Name, name, m.License, -1}); err != nil {
			return "", "", err
		}
		for file := range m.Files {
			if err := copyFile(filepath.Join(name, filepath.FromSlash(file)), filepath.Join(dir, filepath.FromSlash(file))); err != nil {
				return "", "", err
			}
		}
		return m.Parts[0].File, m.License, copyFile(filepath.Join(name, modules.ManifestName), filepath.Join(dir, modules.ManifestName))
	}
	if err := opt.announce(Plan{opt.Name, name, opt.License, info.Size()}); err != nil {
		return "", "", err
	}
	model = filepath.Base(name)
	beside := append([]string{model, model + "_data", model + ".data"}, configs...)
	for _, file := range beside {
		err := copyFile(filepath.Join(filepath.Dir(name), file), filepath.Join(dir, file))
		if err != nil && (file == model || !errors.Is(err, fs.ErrNotExist)) {
			return "", "", err
		}
	}
	return model, "", nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

var notModuleChar = regexp.MustCompile(`[^a-z0-9._-]+`)

// moduleName derives a module's name from its source.
func moduleName(s Source) string {
	base := s.Path
	if base == "" || s.Scheme == "hf" {
		base = s.Name
	}
	base = strings.TrimSuffix(path.Base(filepath.ToSlash(base)), ".onnx")
	name := strings.Trim(notModuleChar.ReplaceAllString(strings.ToLower(base), "-"), "-._")
	if name == "" {
		name = "module"
	}
	return name[:min(len(name), 64)]
}
