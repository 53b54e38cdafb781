package spread

import (
	"archive/tar"
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

	"github.com/klauspost/compress/zstd"

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

// newSum is a SHA-256 that is being made.
func newSum() *running { return &running{sha256.New()} }

type running struct{ hash.Hash }

func (r *running) text() string { return hex.EncodeToString(r.Sum(nil)) }
