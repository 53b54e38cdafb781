package library

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/internal/archive"
	"github.com/connectomewire/wire/internal/download"
)

// wheel is a Python package that pip has fetched: a zip archive with the
// SHA-256 of every file in its RECORD (PEP 427).
type wheel struct {
	path    string
	Version string
	License string
	info    string            // name of its .dist-info directory
	sums    map[string]string // by name, SHA-256 in base64url
}

// maxMetadata bounds the files of a wheel that describe it.
const maxMetadata = 16 << 20

// fetchWheel has the user's pip fetch a package into dir. Only a wheel is
// taken: pip would run the code of a source distribution to make one. pip
// compares the wheel with the digest that its index states; sum, if it is not
// empty, is the SHA-256 that it has to have besides.
func fetchWheel(ctx context.Context, name, version, sum, dir string) (*wheel, error) {
	spec := name
	if version != "" {
		spec += "==" + version
	}
	program, args := pip()
	args = append(args, "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", dir, spec)
	if _, err := client(ctx, dir, program, args...); err != nil {
		if strings.Contains(err.Error(), "No matching distribution") {
			err = fmt.Errorf("%w\nIs the name right? Only wheels are taken: the code of a package without one would have to run", err)
		}
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("pip download %s left %d wheels", spec, len(found))
	}
	w := &wheel{path: found[0]}
	if got, _, err := download.Digest(w.path); err != nil {
		return nil, err
	} else if sum != "" && got != strings.ToLower(sum) {
		return nil, fmt.Errorf("pypi:%s: %w: %s has %s, expected is %s; it is not the file that was once checked, and nothing was kept", spec, download.ErrHash, filepath.Base(w.path), got, sum)
	}
	return w, w.read()
}

// fetchWheelFiles fetches a package and unpacks files of it, with what lies
// beside them, below dir. s gets the version that was fetched.
func fetchWheelFiles(ctx context.Context, s *Source, sum string, files []string, dir string) (*wheel, error) {
	tmp, err := os.MkdirTemp("", "wire-pypi-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	w, err := fetchWheel(ctx, s.Name, s.Version, sum, tmp)
	if err != nil {
		return nil, err
	}
	s.Version = w.Version
	return w, w.unpack(ctx, files, dir)
}

// pip is the program that fetches Python packages, and how it is called.
func pip() (program string, args []string) {
	for _, name := range []string{"pip", "pip3"} {
		if _, err := exec.LookPath(name); err == nil {
			return name, nil
		}
	}
	if _, err := exec.LookPath("python3"); err == nil {
		return "python3", []string{"-m", "pip"}
	}
	return "pip", nil
}

// read reads what the wheel says of itself.
func (w *wheel) read() error {
	err := func() error {
		z, err := zip.OpenReader(w.path)
		if err != nil {
			return err
		}
		defer z.Close()
		for _, f := range z.File {
			if dir, name := path.Split(f.Name); name == "RECORD" && strings.HasSuffix(dir, ".dist-info/") && strings.Count(dir, "/") == 1 {
				w.info = strings.TrimSuffix(dir, "/")
			}
		}
		if w.info == "" {
			return errors.New("has no RECORD of its files: not a wheel")
		}
		if err := w.readRecord(z); err != nil {
			return fmt.Errorf("RECORD: %w", err)
		}
		if err := w.readMetadata(z); err != nil {
			return fmt.Errorf("METADATA: %w", err)
		}
		return nil
	}()
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(w.path), err)
	}
	return nil
}

func (w *wheel) readRecord(z fs.FS) error {
	f, err := z.Open(w.info + "/RECORD")
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(io.LimitReader(f, maxMetadata)).ReadAll()
	if err != nil {
		return err
	}
	w.sums = map[string]string{}
	for _, row := range rows {
		if len(row) == 3 {
			w.sums[row[0]] = strings.TrimPrefix(row[1], "sha256=")
		}
	}
	return nil
}

// readMetadata reads the version and the licence (PEP 639, and its
// predecessors: a field of free text, and classifiers).
func (w *wheel) readMetadata(z fs.FS) error {
	f, err := z.Open(w.info + "/METADATA")
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := textproto.NewReader(bufio.NewReader(io.LimitReader(f, maxMetadata))).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if w.Version = head.Get("Version"); !version.MatchString(w.Version) {
		return fmt.Errorf("%q is not a version", w.Version)
	}
	stated := []string{head.Get("License-Expression"), head.Get("License")}
	for _, c := range head.Values("Classifier") {
		if l, ok := strings.CutPrefix(c, "License :: "); ok {
			stated = append(stated, strings.TrimPrefix(l, "OSI Approved :: "))
		}
	}
	for _, l := range stated {
		if l = firstLine(l); l != "" && l != "UNKNOWN" {
			w.License = l
			break
		}
	}
	return nil
}

// unpack writes files of the wheel below dir under their names in it, with
// the configuration files that lie beside and below them, and compares each
// with RECORD.
func (w *wheel) unpack(ctx context.Context, files []string, dir string) error {
	var unpacked []string
	_, err := archive.Extract(ctx, w.path, dir, archive.Options{
		Limits: archive.Limits{FileBytes: maxFile, TotalBytes: maxTotal},
		Keep: func(name string) bool {
			if !wantedBeside(name, files) {
				return false
			}
			unpacked = append(unpacked, name)
			return true
		},
	})
	if err != nil {
		return err
	}
	for _, name := range unpacked {
		if err := w.verify(dir, name); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(w.path), name, err)
		}
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f))); err != nil {
			return fmt.Errorf("%s has no file %q", filepath.Base(w.path), f)
		}
	}
	return nil
}

// wantedBeside reports whether name is one of the files, external data of
// one, or a configuration file beside or below one.
func wantedBeside(name string, files []string) bool {
	for _, f := range files {
		for _, data := range withData(f) {
			if name == data {
				return true
			}
		}
		below, ok := strings.CutPrefix(name, path.Dir(f)+"/")
		if (ok || path.Dir(f) == ".") && isConfig(path.Base(below)) {
			return true
		}
	}
	return false
}

// verify compares an unpacked file with its sum in RECORD.
func (w *wheel) verify(dir, name string) error {
	want := strings.TrimRight(w.sums[name], "=")
	if want == "" {
		return errors.New("RECORD has no SHA-256 of it")
	}
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.RawURLEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%w: it is %s, RECORD says %s", download.ErrHash, got, want)
	}
	return nil
}
