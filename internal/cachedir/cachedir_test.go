package cachedir

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	home, xdg, moved := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", xdg)
	t.Setenv(Variable, moved)
	if dir, err := Dir("modules"); err != nil || dir != filepath.Join(moved, "modules") {
		t.Errorf("with $%s: %s, %v", Variable, dir, err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("the rest is about Linux")
	}
	t.Setenv(Variable, "")
	if dir, err := Dir("data"); err != nil || dir != filepath.Join(xdg, "wire", "data") {
		t.Errorf("with $XDG_CACHE_HOME: %s, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	if dir, err := Dir("data"); err != nil || dir != filepath.Join(home, ".cache", "wire", "data") {
		t.Errorf("with $HOME: %s, %v", dir, err)
	}
	t.Setenv("HOME", "")
	if _, err := Dir("data"); err == nil || !strings.Contains(err.Error(), "set "+Variable) {
		t.Errorf("with neither: error %v", err)
	}
}
