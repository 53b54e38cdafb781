package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cachedir"
	"github.com/connectomewire/wire/internal/download"
)

// Options say where to take files from and where to keep them. The zero
// value fetches from the public repositories into the user's cache.
type Options struct {
	// Cache is the directory to keep files in; empty means [DefaultCache].
	Cache string
	// Mirror is a directory or the address of one that holds the files as
	// NAME/FILE, or just FILE, for networks that do not reach the public
	// repositories. The digests must be the same.
	Mirror string
	// Progress, if given, is called as bytes of a file arrive.
	Progress func(file File, done, total int64)
	// Client makes the requests; nil means the default.
	Client *http.Client
	// Attempts and Pause are those of the download; 0 means its defaults.
	Attempts int
	Pause    time.Duration
}

// Result is what a pull left behind.
type Result struct {
	Entry Entry `json:"entry"`
	// Path is the file to read.
	Path string `json:"path"`
	// Files are all of the entry's files, in its order.
	Files []string `json:"files"`
	// Fetched counts the files that were not in the cache already.
	Fetched int `json:"fetched"`
}

// DefaultCache is connectomes below $WIRE_CACHE, or wire/connectomes in the
// user's cache directory.
func DefaultCache() (string, error) { return cachedir.Dir("connectomes") }

// Pull fetches a connectome of the catalogue, unless the cache holds it
// already, and verifies every file's digest. A file that cannot be had
// from one address is tried at the next; the error joins what each of them
// said. Beside the files it writes source.json: where they came from, with
// licence and citation.
func Pull(ctx context.Context, name string, o Options) (Result, error) {
	e, err := Find(name)
	if err != nil {
		return Result{}, err
	}
	if o.Cache == "" {
		if o.Cache, err = DefaultCache(); err != nil {
			return Result{}, err
		}
	}
	dir := filepath.Join(o.Cache, e.Name)
	r := Result{Entry: e}
	for _, f := range e.Files {
		got, err := fetch(ctx, e, f, filepath.Join(dir, f.Base()), o)
		if err != nil {
			return Result{}, fmt.Errorf("pull %s: %w", e.Name, err)
		}
		if !got.Cached {
			r.Fetched++
		}
		r.Files = append(r.Files, got.Path)
	}
	r.Path = r.Files[0]
	about, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return Result{}, err
	}
	return r, atomicfile.WriteBytes(filepath.Join(dir, "source.json"), append(about, '\n'))
}

// Cached says where the file to read is when all files of an entry are in
// the cache with the right sizes.
func Cached(e Entry, cache string) (path string, ok bool) {
	if cache == "" {
		var err error
		if cache, err = DefaultCache(); err != nil {
			return "", false
		}
	}
	for _, f := range e.Files {
		info, err := os.Stat(filepath.Join(cache, e.Name, f.Base()))
		if err != nil || info.Size() != f.Size {
			return "", false
		}
	}
	return filepath.Join(cache, e.Name, e.Files[0].Base()), true
}

func fetch(ctx context.Context, e Entry, f File, dest string, o Options) (download.Result, error) {
	var failures []error
	for _, source := range e.sources(f, o.Mirror) {
		d := download.Options{SHA256: f.SHA256, MaxBytes: f.Size, Client: o.Client, Attempts: o.Attempts, Pause: o.Pause}
		if o.Progress != nil {
			d.Progress = func(done, total int64) { o.Progress(f, done, total) }
		}
		got, err := download.File(ctx, source, dest, d)
		if err == nil {
			return got, nil
		}
		if ctx.Err() != nil {
			return download.Result{}, err
		}
		failures = append(failures, err)
	}
	advice := "if this network does not reach GitHub, fetch the files elsewhere and use --mirror DIR"
	if o.Mirror != "" {
		advice = fmt.Sprintf("the mirror must hold %s/%s or %s", e.Name, f.Base(), f.Base())
	}
	return download.Result{}, fmt.Errorf("%w\n%s", errors.Join(failures...), advice)
}
