package library

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/zoo"
)

// Copy copies a module's files, its manifest and its card into a new
// directory, and checks that they are those it was pinned by.
func (f Found) Copy(dir string) error {
	m, err := modules.LoadManifest(f.Files, f.Source)
	if err != nil {
		return err
	}
	names := []string{modules.ManifestName}
	for name := range m.Files {
		names = append(names, name)
	}
	if m.Card != "" {
		names = append(names, m.Card)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := copyEntry(f.Files, name, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("module %q: %w", m.Name, err)
		}
	}
	want, err := Pin(f.Files)
	if err != nil {
		return fmt.Errorf("module %q: %w", m.Name, err)
	}
	if have, err := Pin(os.DirFS(dir)); err != nil || have != want {
		return fmt.Errorf("module %q: its copy in %s is not the same (%.12s…, want %.12s…): %w", m.Name, dir, have, want, err)
	}
	return m.VerifyFiles(os.DirFS(dir))
}

func copyEntry(from fs.FS, name, to string) error {
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// Rebase returns a module's source, as a plan in one directory records it, for a
// plan in another: a relative path begins there.
func Rebase(source, from, to string) (string, error) {
	if strings.HasPrefix(source, zoo.Scheme) || strings.HasPrefix(source, PulledScheme) || path.IsAbs(source) || filepath.IsAbs(source) {
		return source, nil
	}
	at, err := filepath.Abs(filepath.Join(from, filepath.FromSlash(source)))
	if err != nil {
		return "", err
	}
	base, err := filepath.Abs(to)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(base, at)
	if err != nil {
		return "", err
	}
	return filepath.ToSlash(rel), nil
}
