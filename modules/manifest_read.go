package modules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/goccy/go-yaml"

	"github.com/connectomewire/wire/internal/strictyaml"
	"github.com/connectomewire/wire/modules/internal/check"
)

// maxManifest bounds a manifest's size in bytes.
const maxManifest = 1 << 20

// ManifestError is a mistake in a manifest and where it is.
type ManifestError struct {
	File         string
	Line, Column int // from 1; 0 when not known
	Message      string
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// ReadManifest reads a module.yaml. name is used in messages. Unknown keys
// and everything [Manifest.Check] finds are errors with their line and column.
func ReadManifest(r io.Reader, name string) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var m Manifest
	doc, err := strictyaml.Read(b, maxManifest, &m)
	var e *strictyaml.Error
	if errors.As(err, &e) {
		return nil, &ManifestError{name, e.Line, e.Column, e.Msg}
	}
	if err != nil {
		return nil, &ManifestError{File: name, Message: err.Error()}
	}
	if err := m.Check(); err != nil {
		return nil, locateMistake(name, doc, err)
	}
	return &m, nil
}

// locateMistake finds the line of a mistake: that of the deepest key on its
// path that the file has.
func locateMistake(name string, doc *strictyaml.Document, err error) error {
	out := &ManifestError{File: name, Message: err.Error()}
	var e *mistake
	if errors.As(err, &e) {
		out.Line, out.Column = doc.Place(e.path...)
	}
	return out
}

// specError turns a preprocessing package's complaint into one with a path.
func specError(err error, path ...any) error {
	var p *check.Problem
	if err == nil {
		return nil
	}
	if errors.As(err, &p) {
		return at(append(path, p.Key)...)("%s", p.Message)
	}
	return at(path...)("%v", err)
}

// Write writes the manifest so that [ReadManifest] reads it back.
func (m *Manifest) Write(w io.Writer) error {
	if err := m.Check(); err != nil {
		return err
	}
	b, err := yaml.MarshalWithOptions(m, yaml.IndentSequence(true), yaml.Indent(2))
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// LoadManifest reads the module.yaml of a directory.
func LoadManifest(dir fs.FS, name string) (*Manifest, error) {
	f, err := dir.Open(ManifestName)
	if err != nil {
		return nil, fmt.Errorf("%s has no %s: %w", name, ManifestName, err)
	}
	defer f.Close()
	return ReadManifest(f, path.Join(name, ManifestName))
}

// readVerified reads a file of the module and checks its SHA-256.
func (m *Manifest) readVerified(dir fs.FS, name string) ([]byte, error) {
	want, ok := m.Files[name]
	if !ok {
		return nil, fmt.Errorf("module %s: file %q is not listed in its manifest", m.Name, name)
	}
	b, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", m.Name, err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != want {
		return nil, fmt.Errorf("module %s: %s was changed: its SHA-256 is %s, the manifest says %s", m.Name, name, got, want)
	}
	return b, nil
}

// VerifyFiles reads every file of the module and checks its SHA-256.
func (m *Manifest) VerifyFiles(dir fs.FS) error {
	for _, name := range m.fileNames() {
		if _, err := m.readVerified(dir, name); err != nil {
			return err
		}
	}
	return nil
}
