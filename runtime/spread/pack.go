package spread

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/connectomewire/wire/internal/archive"
)

// inputLimits bound what a worker unpacks.
var inputLimits = archive.Limits{Files: 2_000_000, FileBytes: 16 << 30, TotalBytes: 64 << 30}

// pack writes files, by their names in it, as an archive. The same files give the
// same bytes.
func pack(w io.Writer, files map[string]string) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := packFile(t, name, files[name]); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func packFile(t *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// packed packs files into a temporary one, which is to be removed.
func packed(files map[string]string) (string, error) {
	f, err := os.CreateTemp("", "wire-input")
	if err != nil {
		return "", err
	}
	if err := errors.Join(pack(f, files), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("pack what it reads: %w", err)
	}
	return f.Name(), nil
}

// sumOf is the SHA-256 of a file.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := newSum()
	_, err = io.Copy(h, f)
	return h.text(), err
}

// putFile stores a file under a name.
func putFile(ctx context.Context, store jetstream.ObjectStore, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	_, err = store.Put(ctx, jetstream.ObjectMeta{Name: name}, f)
	return err
}

// unpack fetches what pack made and putFile stored, whose SHA-256 is sum, and unpacks
// it into a directory.
func unpack(ctx context.Context, store jetstream.ObjectStore, name, sum, dir string) error {
	ctx, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	object, err := store.Get(ctx, name)
	if err != nil {
		return err
	}
	defer object.Close()
	at := filepath.Join(dir, ".input")
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	defer os.Remove(at)
	h := newSum()
	_, err = io.Copy(io.MultiWriter(f, h), object)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := h.text(); got != sum {
		return fmt.Errorf("what was fetched has the SHA-256 %s; want %s", got, sum)
	}
	_, err = archive.Extract(ctx, at, dir, archive.Options{Limits: inputLimits})
	return err
}

// below lists the files of a directory, or the file itself, by their names in an
// archive where it is called name.
func below(path, name string, skip func(path string) bool, files map[string]string) error {
	return filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if skip(at) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(at) // of what a link leads to
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(path, at)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(filepath.Join(name, rel))] = at
		return nil
	})
}

// addRows adds the files that rows of data name, which lie below the data, or beside
// them where they are a file. name is what the data are called in an archive.
func addRows(data, name string, rows []string, files map[string]string) error {
	if len(rows) == 0 {
		return nil
	}
	root, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		root, name = filepath.Dir(root), filepath.ToSlash(filepath.Dir(name))
	}
	for _, file := range rows {
		at, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, at)
		if err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("the data name %s, which does not lie below %s: workers cannot be sent it", file, root)
		}
		files[filepath.ToSlash(filepath.Join(name, rel))] = file
	}
	return nil
}

// newSum is a SHA-256 that is being made.
func newSum() *running { return &running{sha256.New()} }

type running struct{ hash.Hash }

func (r *running) text() string { return hex.EncodeToString(r.Sum(nil)) }
