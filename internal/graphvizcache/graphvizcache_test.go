package graphvizcache

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTemporaryDirectory runs this program again, which says at its start where
// temporary files would go, and where after [Restore].
func TestTemporaryDirectory(t *testing.T) {
	if os.Getenv("GRAPHVIZCACHE_SAYS") != "" {
		now, set := os.LookupEnv(variable)
		os.Stdout.WriteString("\nat start " + now + "\n")
		if !set {
			t.Fatal("no directory is named")
		}
		Restore()
		now, set = os.LookupEnv(variable)
		if !set {
			now = "none"
		}
		os.Stdout.WriteString("restored " + now + "\n")
		return
	}
	cache := t.TempDir()
	for name, x := range map[string]struct{ given, restored string }{
		"named": {"TMPDIR=" + filepath.Join(cache, "mine"), filepath.Join(cache, "mine")},
		"none":  {"", "none"},
	} {
		c := exec.Command(os.Args[0], "-test.run=^TestTemporaryDirectory$", "-test.v")
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "TMPDIR=") && !strings.HasPrefix(v, "WIRE_CACHE=") {
				c.Env = append(c.Env, v)
			}
		}
		c.Env = append(c.Env, "GRAPHVIZCACHE_SAYS=1", "WIRE_CACHE="+cache)
		if x.given != "" {
			c.Env = append(c.Env, x.given)
		}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		_, after, _ := strings.Cut(string(out), "at start ")
		start, _, _ := strings.Cut(after, "\n")
		if start == "" || start == x.restored || !strings.HasPrefix(start, cache) && start != nowhere {
			t.Errorf("%s: at the start temporary files go to %q, want a directory of the cache %s", name, start, cache)
		}
		if !strings.Contains(string(out), "restored "+x.restored+"\n") {
			t.Errorf("%s: restored is\n%s\nwant %s", name, out, x.restored)
		}
	}
}
