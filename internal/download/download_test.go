package download_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/download"
)

var content = []byte(strings.Repeat("0 1 0.5\n", 40_000))

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// file serves content with ranges, as a well-behaved server does.
func file(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"v1"`)
	http.ServeContent(w, r, "m.csv", time.Time{}, strings.NewReader(string(content)))
}

// cut sends n bytes of the answer and closes the connection.
func cut(w http.ResponseWriter, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:n])
	panic(http.ErrAbortHandler)
}

func options() download.Options {
	return download.Options{SHA256: digest(content), Pause: time.Millisecond}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func absent(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); !os.IsNotExist(err) {
			t.Errorf("%s exists", filepath.Base(p))
		}
	}
}

func TestFetchesVerifiesAndCaches(t *testing.T) {
	requests := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; file(w, r) })
	dest := filepath.Join(t.TempDir(), "deep", "m.csv")
	o := options()
	var last int64
	o.Progress = func(done, total int64) {
		if done <= last || total != int64(len(content)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	r, err := download.File(context.Background(), s.URL+"/m.csv", dest, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Size != int64(len(content)) || r.SHA256 != digest(content) || r.Cached || last != r.Size {
		t.Errorf("%+v, progress ended at %d", r, last)
	}
	absent(t, dest+".part")
	if r, err = download.File(context.Background(), s.URL+"/m.csv", dest, o); err != nil || !r.Cached || requests != 1 {
		t.Errorf("second call: %+v, %v, %d requests", r, err, requests)
	}
}

func TestWrongHashKeepsNothing(t *testing.T) {
	s := serve(t, file)
	dest := filepath.Join(t.TempDir(), "m.csv")
	o := options()
	o.SHA256 = strings.Repeat("0", 64)
	_, err := download.File(context.Background(), s.URL, dest, o)
	if !errors.Is(err, download.ErrHash) || !strings.Contains(err.Error(), digest(content)) || !strings.Contains(err.Error(), o.SHA256) {
		t.Errorf("error: %v", err)
	}
	absent(t, dest, dest+".part")
}

func TestCutConnectionResumesWithinACall(t *testing.T) {
	var ranges []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) == 1 {
			cut(w, 100_000)
		}
		file(w, r)
	})
	dest := filepath.Join(t.TempDir(), "m.csv")
	if _, err := download.File(context.Background(), s.URL, dest, options()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(dest); err != nil || string(got) != string(content) {
		t.Errorf("content differs: %v", err)
	}
	if len(ranges) != 2 || ranges[0] != "" || !strings.HasPrefix(ranges[1], "bytes=") || ranges[1] == "bytes=0-" {
		t.Errorf("ranges asked for: %q", ranges)
	}
}

func TestCutConnectionResumesInTheNextCall(t *testing.T) {
	broken := true
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			cut(w, 100_000)
		}
		file(w, r)
	})
	dest := filepath.Join(t.TempDir(), "m.csv")
	o := options()
	o.Attempts = 1
	_, err := download.File(context.Background(), s.URL, dest, o)
	if err == nil || !strings.Contains(err.Error(), "kept for the next call") {
		t.Fatalf("error: %v", err)
	}
	absent(t, dest)
	broken = false
	r, err := download.File(context.Background(), s.URL, dest, o)
	if err != nil || r.Resumed == 0 || r.SHA256 != digest(content) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestServerWithoutRangesStartsAgain(t *testing.T) {
	requests := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			cut(w, 50_000)
		}
		w.Write(content)
	})
	dest := filepath.Join(t.TempDir(), "m.csv")
	if r, err := download.File(context.Background(), s.URL, dest, options()); err != nil || r.SHA256 != digest(content) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestStalePartIsFetchedAfresh(t *testing.T) {
	s := serve(t, file)
	dest := filepath.Join(t.TempDir(), "m.csv")
	if err := os.WriteFile(dest+".part", []byte("of another file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := download.File(context.Background(), s.URL, dest, options()); err != nil || r.SHA256 != digest(content) || r.Resumed != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.WriteFile(dest+".part", []byte(strings.Repeat("x", len(content)+9)), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(dest)
	if r, err := download.File(context.Background(), s.URL, dest, options()); err != nil || r.SHA256 != digest(content) {
		t.Errorf("a part that is too long: %+v, %v", r, err)
	}
}

func TestRedirects(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			file(w, r)
		}
	})
	dest := filepath.Join(t.TempDir(), "m.csv")
	if _, err := download.File(context.Background(), s.URL+"/old", dest, options()); err != nil {
		t.Error(err)
	}
	o := options()
	o.Attempts = 1
	if _, err := download.File(context.Background(), s.URL+"/loop", dest+"2", o); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("loop: %v", err)
	}
	secure := httptest.NewTLSServer(http.RedirectHandler(s.URL+"/new", http.StatusFound))
	defer secure.Close()
	o.Client = secure.Client()
	if _, err := download.File(context.Background(), secure.URL, dest+"3", o); err == nil || !strings.Contains(err.Error(), "redirect from https to http") {
		t.Errorf("downgrade: %v", err)
	}
}

func TestMissingFileIsNotRetried(t *testing.T) {
	requests := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; http.NotFound(w, r) })
	dest := filepath.Join(t.TempDir(), "m.csv")
	_, err := download.File(context.Background(), s.URL+"/gone.csv", dest, options())
	if !errors.Is(err, download.ErrStatus) || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "mirror") || requests != 1 {
		t.Errorf("%v after %d requests", err, requests)
	}
	absent(t, dest, dest+".part")
}

func TestBusyServerIsRetried(t *testing.T) {
	requests := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		file(w, r)
	})
	if _, err := download.File(context.Background(), s.URL, filepath.Join(t.TempDir(), "m.csv"), options()); err != nil || requests != 3 {
		t.Errorf("%v after %d requests", err, requests)
	}
}

func TestSizeIsBounded(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "m.csv")
	o := options()
	o.MaxBytes = 1000
	for name, handler := range map[string]http.HandlerFunc{
		"announced": file,
		"unannounced": func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(content); i += 100 {
				w.Write(content[i : i+100])
				w.(http.Flusher).Flush()
			}
		},
	} {
		s := serve(t, handler)
		if _, err := download.File(context.Background(), s.URL, dest, o); !errors.Is(err, download.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		absent(t, dest, dest+".part")
	}
}

func TestStallIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(content[:10])
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	o := options()
	o.Attempts, o.Stall = 1, 50*time.Millisecond
	_, err := download.File(context.Background(), s.URL, filepath.Join(t.TempDir(), "m.csv"), o)
	if err == nil || !strings.Contains(err.Error(), "nothing arrived for 50ms") {
		t.Errorf("error: %v", err)
	}
}

func TestCancelling(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	_, err := download.File(ctx, s.URL, filepath.Join(t.TempDir(), "m.csv"), options())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}

func TestLocalSources(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "mirror.csv")
	if err := os.WriteFile(source, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{source, "file://" + filepath.ToSlash(source)} {
		dest := filepath.Join(dir, "out", "m.csv")
		os.Remove(dest)
		if r, err := download.File(context.Background(), from, dest, options()); err != nil || r.SHA256 != digest(content) {
			t.Errorf("%s: %+v, %v", from, r, err)
		}
	}
	if _, err := download.File(context.Background(), "ftp://example.org/x", filepath.Join(dir, "x"), options()); err == nil || !strings.Contains(err.Error(), "scheme") {
		t.Errorf("ftp: %v", err)
	}
	o := options()
	o.SHA256 = "abc"
	if _, err := download.File(context.Background(), source, filepath.Join(dir, "y"), o); err == nil || !strings.Contains(err.Error(), "64 hexadecimal") {
		t.Errorf("short digest: %v", err)
	}
}
