package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/weights"
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
	// Mirror replaces the hub's address; empty means $HF_ENDPOINT, which the
	// hub's own tools use, or the hub.
	Mirror string
	// SHA256 of the file that an https: source names, or of a pypi: source's
	// wheel, in hexadecimal; empty when it is not known.
	SHA256 string
	// License is recorded when the source states none.
	License string
	// Again replaces a module that is there already.
	Again bool
	// Announce is told what is about to be fetched; an error stops it.
	Announce func(Plan) error
	Progress Progress
	// Client makes the requests; nil means http.DefaultClient.
	Client *http.Client

	partial string // directory of broken downloads
}

func (opt *PullOptions) client() *http.Client {
	if opt.Client != nil {
		return opt.Client
	}
	return http.DefaultClient
}

// ErrExists reports a module that is in the library already.
var ErrExists = errors.New("is in the library already")

// Pull fetches a module of the catalogue, or from a source (see
// [ParseSource]), into the library.
func (l *Library) Pull(ctx context.Context, what string, opt PullOptions) (Entry, []string, error) {
	if item, ok := findItem(what); ok && opt.SHA256 == "" {
		return l.pullItem(ctx, item, opt)
	}
	source, err := ParseSource(what)
	if err != nil {
		return Entry{}, nil, err
	}
	if opt.SHA256 != "" && source.Scheme != "https" && source.Scheme != "pypi" {
		return Entry{}, nil, fmt.Errorf("%s: a SHA-256 is expected of https: and pypi: sources only; the others bring their own", what)
	}
	if source.Scheme == "file" {
		if _, err := os.Stat(source.Name); err != nil {
			return Entry{}, nil, fmt.Errorf("%q is neither in the catalogue nor a source nor a file; see: wire modules catalog", what)
		}
		return l.Add(ctx, []string{source.Name}, opt)
	}
	if opt.Name == "" {
		opt.Name = moduleName(source)
	}
	return l.install(opt, func(dir string, opt *PullOptions) ([]string, error) { return pullSource(ctx, source, dir, opt) })
}

// Add copies models on this machine into the library, several as the parts
// of one module, with the configuration files and external data beside them;
// a directory with a whole module; or a folder as hubs ship it, of which the
// usual models are taken (two towers, an encoder and its decoder, a model).
func (l *Library) Add(ctx context.Context, files []string, opt PullOptions) (Entry, []string, error) {
	if opt.Name == "" {
		opt.Name = moduleName(Source{Scheme: "file", Name: files[0]})
	}
	return l.install(opt, func(dir string, opt *PullOptions) ([]string, error) {
		models, license, err := copyLocal(files, dir, opt)
		if err != nil {
			return nil, err
		}
		// Where they lay is nobody else's business.
		return describe(dir, models, Source{Scheme: "file", Name: strings.Join(models, ",")}, license, opt)
	})
}

// install fills a temporary directory and renames it into the library.
func (l *Library) install(opt PullOptions, fill func(dir string, opt *PullOptions) ([]string, error)) (Entry, []string, error) {
	name := opt.Name
	to := filepath.Join(l.Dir, name)
	if filepath.Base(name) != name || name == "" || strings.HasPrefix(name, ".") {
		return Entry{}, nil, fmt.Errorf("%q cannot be a module's name", name)
	}
	if _, err := os.Stat(to); err == nil && !opt.Again {
		return Entry{}, nil, fmt.Errorf("module %q %w; `wire modules pull --again` replaces it, --name gives another name", name, ErrExists)
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return Entry{}, nil, err
	}
	tmp, err := atomicfile.TempDir(filepath.Join(l.Dir, name))
	if err != nil {
		return Entry{}, nil, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return Entry{}, nil, err
	}
	opt.partial = filepath.Join(l.Dir, partialName)
	forgetPartial(opt.partial)
	notes, err := fill(tmp, &opt)
	if err != nil {
		return Entry{}, nil, within{err, tmp}
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

// within is an error about a file in a directory that is gone when it is read:
// it names the file alone.
type within struct {
	error
	dir string
}

func (e within) Error() string {
	return strings.ReplaceAll(e.error.Error(), e.dir+string(filepath.Separator), "")
}

func (e within) Unwrap() error { return e.error }

// partialName is the directory in the library where broken downloads wait.
const partialName = ".partial"

// forgetPartial removes downloads that nobody went on with for a week, and
// the directory when it is empty.
func forgetPartial(dir string) {
	const week = 7 * 24 * time.Hour
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > week {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir) // fails while something is in it
}

func (opt *PullOptions) announce(p Plan) error {
	if opt.Announce == nil {
		return nil
	}
	return opt.Announce(p)
}

// pullSource fetches models and describes them.
func pullSource(ctx context.Context, s Source, dir string, opt *PullOptions) ([]string, error) {
	models, license, err := fetchSource(ctx, &s, dir, opt)
	if err != nil {
		return nil, err
	}
	return describe(dir, models, s, license, opt)
}

// describe writes a manifest for the models in dir, unless one came along.
func describe(dir string, models []string, s Source, license string, opt *PullOptions) ([]string, error) {
	if opt.License != "" {
		license = opt.License
	}
	if _, err := os.Stat(filepath.Join(dir, modules.ManifestName)); err == nil {
		return nil, nil
	}
	d, err := Describe(dir, models, opt.Name, s.String(), license)
	if err != nil {
		return nil, err
	}
	return d.Notes, writeManifest(dir, d.Manifest)
}

func writeManifest(dir string, m *modules.Manifest) error {
	return atomicfile.Write(filepath.Join(dir, modules.ManifestName), m.Write)
}

// fetchSource brings the models and what lies beside them into dir and
// returns the models' names there, and the licence that the source states. s
// gets the version that was fetched.
func fetchSource(ctx context.Context, s *Source, dir string, opt *PullOptions) (models []string, license string, err error) {
	switch s.Scheme {
	case "npm":
		p, err := viewNPM(ctx, s.Name, s.Version)
		if err != nil {
			return nil, "", err
		}
		s.Version = p.Version
		if err := opt.announce(Plan{opt.Name, s.String(), p.License, p.Bytes}); err != nil {
			return nil, "", err
		}
		models, err = flat(dir, s.Paths(), func(to string) error { return fetchNPM(ctx, p, s.Paths(), to) })
		return models, p.License, err
	case "pypi":
		return fetchPython(ctx, s, dir, opt)
	case "deb":
		license = "see usr/share/doc/" + s.Name + "/copyright in the Debian package " + s.Name
		if err := opt.announce(Plan{opt.Name, s.String(), license, -1}); err != nil {
			return nil, "", err
		}
		models, err = flat(dir, s.Paths(), func(to string) error { return fetchDebian(ctx, s.Name, s.Paths(), to) })
		return models, license, err
	case "hf":
		return fetchRepository(ctx, s, dir, opt)
	case "https":
		models, err = fetchAddress(ctx, s, dir, opt)
		return models, "", err
	}
	return nil, "", fmt.Errorf("source %s cannot be fetched", s)
}

// fetchPython fetches models of a Python package.
func fetchPython(ctx context.Context, s *Source, dir string, opt *PullOptions) (models []string, license string, err error) {
	if err := opt.announce(Plan{opt.Name, s.String(), "what the package states", -1}); err != nil {
		return nil, "", err
	}
	unpacked, err := os.MkdirTemp(dir, ".package-*")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(unpacked)
	w, err := fetchWheelFiles(ctx, s, opt.SHA256, s.Paths(), unpacked)
	if err != nil {
		return nil, "", err
	}
	var files []string
	for _, p := range s.Paths() {
		files = append(files, filepath.Join(unpacked, filepath.FromSlash(p)))
	}
	models, err = copyModels(files, dir)
	return models, w.License, err
}

// flat fetches files into a directory of their own and moves them to the top
// of dir.
func flat(dir string, paths []string, fetch func(to string) error) (names []string, err error) {
	tmp, err := os.MkdirTemp(dir, ".fetched-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := fetch(tmp); err != nil {
		return nil, err
	}
	for _, p := range paths {
		name := path.Base(p)
		if err := os.Rename(filepath.Join(tmp, filepath.FromSlash(p)), filepath.Join(dir, name)); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// hub is the address of the hub or its mirror.
func (opt *PullOptions) hub() string {
	for _, address := range []string{opt.Mirror, os.Getenv("HF_ENDPOINT")} {
		if address != "" {
			return strings.TrimSuffix(address, "/")
		}
	}
	return Hub
}

func fetchRepository(ctx context.Context, s *Source, dir string, opt *PullOptions) (names []string, license string, err error) {
	r, err := viewHub(ctx, *s, opt)
	if err != nil {
		return nil, "", err
	}
	models, err := r.models(*s)
	if err != nil {
		return nil, "", err
	}
	files := r.files(models)
	var size int64
	for _, f := range files {
		size += f.size
	}
	s.Version, s.Path = r.Revision, strings.Join(models, ",")
	if err := opt.announce(Plan{opt.Name, s.String(), r.license(), size}); err != nil {
		return nil, "", err
	}
	for _, m := range models {
		names = append(names, path.Base(m))
	}
	return names, r.license(), fetchHub(ctx, *s, r, files, dir, opt)
}

func fetchAddress(ctx context.Context, s *Source, dir string, opt *PullOptions) ([]string, error) {
	u, err := url.Parse(s.Name)
	if err != nil {
		return nil, err
	}
	name := path.Base(u.Path)
	if s.Path == "" && !strings.HasSuffix(name, ".onnx") {
		return nil, fmt.Errorf("%s: the address does not end in .onnx; for an archive add which file: #path/in/archive.onnx", s)
	}
	if err := opt.announce(Plan{opt.Name, s.String(), "unknown", -1}); err != nil {
		return nil, err
	}
	if s.Path == "" {
		return []string{name}, fetchFile(ctx, s.Name, filepath.Join(dir, name), opt.SHA256, opt)
	}
	archive := filepath.Join(dir, ".archive")
	if err := fetchFile(ctx, s.Name, archive, opt.SHA256, opt); err != nil {
		return nil, err
	}
	defer os.Remove(archive)
	return flat(dir, s.Paths(), func(to string) error { return unpack(ctx, archive, "", s.Paths(), to) })
}

// copyLocal copies models with the configuration files and external data
// beside them, a whole module's directory, or a hub's folder.
func copyLocal(names []string, dir string, opt *PullOptions) (models []string, license string, err error) {
	var size int64
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, "", err
		}
		if info.IsDir() {
			if len(names) > 1 {
				return nil, "", fmt.Errorf("%s is a directory; several models are named one by one", name)
			}
			if _, err := os.Stat(filepath.Join(name, modules.ManifestName)); errors.Is(err, fs.ErrNotExist) {
				return copyFolder(name, dir, opt)
			}
			return copyModule(name, dir, opt)
		}
		size += info.Size()
	}
	if err := opt.announce(Plan{opt.Name, strings.Join(names, ", "), opt.License, size}); err != nil {
		return nil, "", err
	}
	models, err = copyModels(names, dir)
	return models, "", err
}

// copyModels copies models with the configuration files and external data
// beside them; of weights the model is made.
func copyModels(names []string, dir string) (models []string, err error) {
	for _, name := range names {
		model, from := filepath.Base(name), filepath.Dir(name)
		if slices.Contains(models, onnxName(model)) {
			return nil, fmt.Errorf("two models are called %s; rename one of them", model)
		}
		models = append(models, onnxName(model))
		if weights.Is(model) {
			if err := takeModel(name, filepath.Join(dir, onnxName(model))); err != nil {
				return nil, err
			}
			model = onnxName(model)
		}
		beside, err := configsIn(from)
		if err != nil {
			return nil, err
		}
		for _, file := range append(withData(model), beside...) {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil && file == model {
				continue // it was made of weights
			}
			err := copyFile(filepath.Join(from, file), filepath.Join(dir, file))
			if err != nil && (file == model || !errors.Is(err, fs.ErrNotExist)) {
				return nil, err
			}
		}
	}
	return models, nil
}

// takeModel moves a file from an unpacked package to its place in the module.
// Of weights an ONNX model is made.
func takeModel(from, to string) error {
	if !weights.Is(from) {
		return os.Rename(from, to)
	}
	w, err := weights.Open(from)
	if err != nil {
		return err
	}
	m, err := convert.Convert(w, os.DirFS(filepath.Dir(from)))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(from), err)
	}
	return os.WriteFile(to, m.Marshal(), 0o644)
}

// onnxName is the name of the model that is made of a file of weights; others
// keep theirs.
func onnxName(file string) string {
	if !weights.Is(file) {
		return file
	}
	return strings.TrimSuffix(file, path.Ext(file)) + ".onnx"
}

// withData are a model's file and those that may hold its external data.
func withData(model string) []string {
	return []string{model, model + "_data", model + ".data", strings.TrimSuffix(model, ".onnx") + ".data"}
}

// copyModule copies a directory with a manifest and the files it lists.
func copyModule(name, dir string, opt *PullOptions) (models []string, license string, err error) {
	m, err := modules.LoadManifest(os.DirFS(name), name)
	if err != nil {
		return nil, "", err
	}
	if err := opt.announce(Plan{opt.Name, name, m.License, -1}); err != nil {
		return nil, "", err
	}
	for file := range m.Files {
		if err := copyFile(filepath.Join(name, filepath.FromSlash(file)), filepath.Join(dir, filepath.FromSlash(file))); err != nil {
			return nil, "", err
		}
	}
	return nil, m.License, copyFile(filepath.Join(name, modules.ManifestName), filepath.Join(dir, modules.ManifestName))
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
	base := s.Name
	if paths := s.Paths(); len(paths) > 0 && s.Scheme != "hf" {
		base = paths[0]
	}
	base = strings.TrimSuffix(onnxName(path.Base(filepath.ToSlash(base))), ".onnx")
	name := strings.Trim(notModuleChar.ReplaceAllString(strings.ToLower(base), "-"), "-._")
	if name == "" {
		name = "module"
	}
	return name[:min(len(name), 64)]
}
