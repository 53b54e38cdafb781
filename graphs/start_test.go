//go:build unix

package graphs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
)

// startVariable asks TestStart, in a process of its own, to draw.
const startVariable = "WIRE_TEST_START"

// another is a user with nothing; it need not be in the machine's list.
const another = 54321

// start runs this test's program anew, as uid, and returns what it says of
// itself: its temporary directory after it has drawn.
func start(t *testing.T, program string, uid int, env ...string) string {
	t.Helper()
	cmd := exec.Command(program, "-test.run", "^TestStart$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(env, startVariable+"=1")
	if uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("it does not start: %v\n%.2000s", err, out)
	}
	_, rest, found := strings.Cut(string(out), "temporary directory: ")
	if !found {
		t.Fatalf("it did not draw:\n%.2000s", out)
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

func TestStart(t *testing.T) {
	if os.Getenv(startVariable) == "" {
		t.Skip("only for the tests of starting")
	}
	var svg bytes.Buffer
	if err := FromConnectome(synthetic.Default()).Render(&svg, SVG, RenderOptions{}); err != nil || svg.Len() < 1000 {
		t.Fatalf("drew %d bytes: %v", svg.Len(), err)
	}
	fmt.Println("temporary directory: " + os.TempDir())
}

// TestGraphvizIsCompiledIntoAPrivateDirectory fails when the order of
// initialisation is no longer the one that package graphvizcache needs.
func TestGraphvizIsCompiledIntoAPrivateDirectory(t *testing.T) {
	home, tmp := t.TempDir(), t.TempDir()
	if got := start(t, os.Args[0], os.Getuid(), "HOME="+home, "TMPDIR="+tmp); got != tmp {
		t.Errorf("the temporary directory became %s, it was %s", got, tmp)
	}
	if entries, _ := os.ReadDir(tmp); len(entries) > 0 {
		t.Errorf("go-graphviz was initialised before graphvizcache: the temporary directory holds %s", entries[0].Name())
	}
	if files := compiled(t, home); files == 0 {
		t.Error("the home directory holds no compiled code")
	}
	filepath.Walk(home, func(name string, info os.FileInfo, err error) error { //nolint:errcheck // it is walked as far as it goes
		if err == nil && info.IsDir() && filepath.Base(name) == "compiled" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
}

// compiled counts the files of compiled code below a directory.
func compiled(t *testing.T, below string) int {
	t.Helper()
	files := 0
	filepath.Walk(below, func(name string, info os.FileInfo, err error) error { //nolint:errcheck // as above
		if err == nil && info.Mode().IsRegular() && strings.Contains(name, "go-graphviz") {
			files++
		}
		return nil
	})
	return files
}

func TestStartsWhereverItsCacheCannotBe(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(home, tmp string) []string // returns the environment
	}{
		{"no home", func(_, tmp string) []string { return []string{"TMPDIR=" + tmp} }},
		{"a home that does not exist", func(home, tmp string) []string {
			return []string{"HOME=/dev/null/home", "TMPDIR=" + tmp}
		}},
		{"a cache that is a file", func(home, tmp string) []string {
			os.WriteFile(filepath.Join(home, ".cache"), nil, 0o600)
			return []string{"HOME=" + home, "TMPDIR=" + tmp}
		}},
		{"code that a crash left empty", func(home, tmp string) []string {
			start(t, os.Args[0], os.Getuid(), "HOME="+home, "TMPDIR="+tmp)
			filepath.Walk(home, func(name string, info os.FileInfo, err error) error {
				if err == nil && info.Mode().IsRegular() {
					os.Truncate(name, 0)
				}
				return nil
			})
			return []string{"HOME=" + home, "TMPDIR=" + tmp}
		}},
		{"neither home nor temporary directory", func(_, _ string) []string { return []string{"TMPDIR=/dev/null/tmp"} }},
		{"a poisoned folder", func(home, tmp string) []string {
			os.MkdirAll(filepath.Join(tmp, "go-graphviz", "wazero"), 0o777)
			os.Chmod(filepath.Join(tmp, "go-graphviz"), 0)
			t.Cleanup(func() { os.Chmod(filepath.Join(tmp, "go-graphviz"), 0o700) })
			return []string{"HOME=" + home, "TMPDIR=" + tmp}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			start(t, os.Args[0], os.Getuid(), c.spoil(t.TempDir(), t.TempDir())...)
		})
	}
}

// TestSecondUser starts as two users who share a temporary directory.
func TestSecondUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be two users")
	}
	program, tmp := shared(t), t.TempDir()
	open(t, tmp)
	if err := os.Chmod(tmp, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	homes := t.TempDir()
	open(t, homes)
	theirs := filepath.Join(homes, "theirs")
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(theirs, another, another); err != nil {
		t.Fatal(err)
	}
	first, second := []string{"HOME=" + t.TempDir(), "TMPDIR=" + tmp}, []string{"HOME=" + theirs, "TMPDIR=" + tmp}

	// Root first, by the old way: its folder lies there, closed.
	if err := os.MkdirAll(filepath.Join(tmp, "go-graphviz", "wazero"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, program, 0, first...)
	start(t, program, another, second...)
	if compiled(t, theirs) == 0 {
		t.Error("the second user has no compiled code")
	}

	// Root in the user's home, as sudo has it, neither loads what the user
	// could have put there nor leaves anything behind.
	start(t, program, 0, second...)
	filepath.Walk(theirs, func(name string, info os.FileInfo, err error) error { //nolint:errcheck // it is walked as far as it goes
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Errorf("root left %s in the user's home", name)
		}
		return nil
	})
	if entries, _ := filepath.Glob(filepath.Join(tmp, "wire-0")); len(entries) == 0 {
		t.Error("root did not keep its code in a place of its own")
	}

	// A cache in the user's home that is root's.
	if err := filepath.Walk(filepath.Join(theirs, ".cache"), func(name string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(name, 0, 0)
	}); err != nil {
		t.Fatal(err)
	}
	start(t, program, another, second...)

	// A home that cannot be written, and somebody's folder where ours would be.
	bare := filepath.Join(homes, "bare")
	if err := os.Mkdir(bare, 0o555); err != nil {
		t.Fatal(err)
	}
	start(t, program, another, "HOME="+bare, "TMPDIR="+tmp)
	ours := filepath.Join(tmp, fmt.Sprintf("wire-%d", another))
	if compiled(t, ours) == 0 {
		t.Errorf("%s holds no compiled code", ours)
	}
	if err := os.Chown(ours, 0, 0); err != nil {
		t.Fatal(err)
	}
	start(t, program, another, "HOME="+bare, "TMPDIR="+tmp)
}

// shared copies this test's program to where another user can run it.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	open(t, dir)
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	name := filepath.Join(dir, "program")
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// open lets others pass through a test's temporary directory.
func open(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
