package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/internal/process"
)

func TestWriteIsCompleteOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "plan.svg")
	if err := WriteBytes(name, []byte("first")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := Write(name, func(w io.Writer) error {
		fmt.Fprint(w, "sec")
		return broken
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "write "+name) {
		t.Errorf("error %v", err)
	}
	if data, _ := os.ReadFile(name); string(data) != "first" {
		t.Errorf("the file became %q", data)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files were left", len(entries))
	}
}

func TestErrorsNameTheFileThatWasAskedFor(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "x.svg")
	for _, err := range []error{WriteBytes(missing, nil), Check(missing)} {
		if err == nil || err.Error() != "write "+missing+": no such file or directory" {
			t.Errorf("error %v", err)
		}
	}
	dir := t.TempDir()
	for _, err := range []error{WriteBytes(dir, nil), Check(dir)} {
		if err == nil || err.Error() != "write "+dir+": it is a directory" {
			t.Errorf("error %v", err)
		}
	}
	file := filepath.Join(dir, "file")
	if err := WriteBytes(file, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		ok   bool
	}{{dir, true}, {filepath.Join(dir, "a", "b"), true}, {file, false}, {filepath.Join(file, "a"), false}} {
		if err := CheckDir(c.path); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}

// TestDevicesAndLinksStayWhatTheyAre: a rename would put a file in their place.
func TestDevicesAndLinksStayWhatTheyAre(t *testing.T) {
	if err := WriteBytes(os.DevNull, []byte("x")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s is a file now", os.DevNull)
	}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := WriteBytes(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	if err := WriteBytes(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); string(data) != "new" {
		t.Errorf("the file that the link leads to holds %q", data)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is a file now")
	}
}

func TestFilesOfDeadProcessesAreSwept(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	host := process.Name()[:strings.LastIndexByte(process.Name(), '-')]
	dead := fmt.Sprintf("%s-%d", host, cmd.Process.Pid)
	if !process.Ended(dead) {
		t.Skip("processes cannot be looked up here")
	}
	dir := t.TempDir()
	for _, name := range []string{".x.svg." + dead + ".1", ".x.svg." + process.Name() + ".2", ".x.svg.elsewhere-1.3", ".y.svg." + dead + ".4", ".x.svg."} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteBytes(filepath.Join(dir, "x.svg"), nil); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 5 {
		t.Errorf("left: %v", entries)
	}
	if _, err := os.Stat(filepath.Join(dir, ".x.svg."+dead+".1")); err == nil {
		t.Error("the dead process's file is still there")
	}
}
