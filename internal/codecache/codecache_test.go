//go:build unix

package codecache

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOnlyOurOwnDirectoryIsUsed: code from a directory that others could write
// to is not run.
func TestOnlyOurOwnDirectoryIsUsed(t *testing.T) {
	base := t.TempDir()
	made := filepath.Join(base, "new", "compiled")
	if !usable(made) {
		t.Fatal("a directory that can be made is not usable")
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("it was made as %v, %v", info.Mode(), err)
	}
	if usable("relative") {
		t.Error("a relative path is usable")
	}

	open := filepath.Join(base, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if !usable(open) {
		t.Error("an empty directory of ours is closed and used")
	}
	if info, err := os.Stat(open); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("it stays %v open", info.Mode())
	}
	if err := os.WriteFile(filepath.Join(open, "code"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if usable(open) {
		t.Error("what lay open to others with something in it is used")
	}

	link := filepath.Join(base, "link")
	if err := os.Symlink(made, link); err != nil {
		t.Fatal(err)
	}
	if usable(link) {
		t.Error("a link is used")
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(made, "inside")); err != nil {
		t.Fatal(err)
	}
	if usable(made) {
		t.Error("a directory with a link in it is used")
	}
}

// TestEmptyFilesAreRemoved: a crash leaves them, and reading one would fail.
func TestEmptyFilesAreRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	if !usable(dir) {
		t.Fatal("not usable")
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !usable(dir) {
		t.Error("an empty file spoils the directory")
	}
	if _, err := os.Stat(empty); !os.IsNotExist(err) {
		t.Errorf("the empty file is still there: %v", err)
	}
}
