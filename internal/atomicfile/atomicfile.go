// Package atomicfile writes files that are either complete or not there: the
// content goes to a temporary file beside the target, which is renamed over
// it only once everything was written and synced.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/internal/process"
)

// Write creates the file at path with what fill writes. When fill or the
// file system fails, path is left as it was. A link is followed; what is no
// file, as /dev/stdout, is written to as it is.
func Write(path string, fill func(w io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return fmt.Errorf("write %s: it is a directory", path)
		}
		return stream(path, fill)
	}
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	if err := replace(target, fill); err != nil {
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	return nil
}

func replace(path string, fill func(w io.Writer) error) (err error) {
	sweep(path)
	f, err := temporary(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = flush(f, fill); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// stream writes to a device or pipe.
func stream(path string, fill func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := flush(f, fill); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	return f.Close()
}

func flush(f *os.File, fill func(w io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := fill(w); err != nil {
		return err
	}
	return w.Flush()
}

// WriteBytes is [Write] for content that is already in memory.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Check reports what would keep [Write] from writing the file at path, before
// its content is computed: a directory that is missing or closed, or one that
// has the file's name.
func Check(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return fmt.Errorf("write %s: it is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		return nil
	case err == nil:
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
	}
	f, err := temporary(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// CheckDir reports what would keep the directory at path, which may have to
// be made, from being written.
func CheckDir(path string) error {
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("write %s: %s is a file, no directory", path, dir)
		case err == nil:
			f, err := os.CreateTemp(dir, ".wire-*")
			if err != nil {
				return fmt.Errorf("write %s: in %s: %w", path, dir, plain(err))
			}
			f.Close()
			return os.Remove(f.Name())
		case filepath.Dir(dir) == dir:
			return fmt.Errorf("write %s: %w", path, plain(err))
		}
	}
}

// temporary makes the temporary file for path. Its name says whose it is.
func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), prefix(path)+process.Name()+".*")
}

func prefix(path string) string {
	base := filepath.Base(path)
	return "." + base[:min(len(base), 100)] + "."
}

// TempDir makes a directory beside path, which will be renamed to path once it
// is complete. Those that processes left when they were killed are removed.
func TempDir(path string) (string, error) {
	sweep(path)
	dir, err := os.MkdirTemp(filepath.Dir(path), prefix(path)+process.Name()+".*")
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, plain(err))
	}
	return dir, nil
}

// sweep removes the temporary files and directories that processes left for path when they
// were killed.
func sweep(path string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix(path))
		if k := strings.LastIndexByte(rest, '.'); ok && k > 0 && process.Ended(rest[:k]) {
			os.RemoveAll(filepath.Join(dir, e.Name())) //nolint:errcheck // next time, perhaps
		}
	}
}

// plain is an error of the file system without the temporary file's name,
// which says nothing to who reads it.
func plain(err error) error {
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p) && strings.HasPrefix(filepath.Base(p.Path), "."):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
