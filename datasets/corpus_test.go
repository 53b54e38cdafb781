package datasets

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// annotated is an archive of annotations.
func annotated(t *testing.T, member, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(member)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const someAnnotations = `{"info": {"x": [1, {"y": 2}]}, "images": [{"id": 7}],
 "annotations": [{"image_id": 9, "id": 1, "caption": "A dog\n on  grass."}, {"image_id": 7, "id": 5, "caption": "Two cats"}, {"image_id": 7, "id": 3, "caption": "cats "}],
 "licenses": []}`

// TestPullText fetches a corpus from a server, checks its digest, and goes on
// with what an earlier call left.
func TestPullText(t *testing.T) {
	archive := annotated(t, "a/captions.json", someAnnotations)
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		http.ServeContent(w, r, "x.zip", time.Unix(1, 0), bytes.NewReader(archive))
	}))
	defer server.Close()
	sum := sha256.Sum256(archive)
	k := Corpus{Name: corpora[0].Name, Address: server.URL + "/x.zip", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(archive)), member: "a/captions.json"}
	cache := &Cache{Dir: t.TempDir()}
	if _, err := cache.Text(k.Name); err == nil || !strings.Contains(err.Error(), "wire data pull") {
		t.Errorf("before: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(cache.Dir, k.Name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cache.Dir, k.Name, "x.zip.part"), archive[:40], 0o644); err != nil {
		t.Fatal(err)
	}
	fresh, err := cache.PullText(context.Background(), k, PullOptions{}, nil)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	if len(ranges) != 1 || ranges[0] != "bytes=40-" {
		t.Errorf("asked for %q, want the rest", ranges)
	}
	file, err := cache.Text(k.Name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "cats\nTwo cats\nA dog on grass.\n" {
		t.Errorf("%q, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache.Dir, k.Name, "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if fresh, err := cache.PullText(context.Background(), k, PullOptions{}, nil); err != nil || fresh {
		t.Errorf("again: %v, %v", fresh, err)
	}
}

// TestPullTextRefuses leaves nothing where what came is not what was meant.
func TestPullTextRefuses(t *testing.T) {
	for name, c := range map[string]struct{ content, sum, want string }{
		"another file":   {someAnnotations, strings.Repeat("0", 64), "SHA-256"},
		"no annotations": {`{"annotations": []}`, "", "no annotations"},
		"no JSON":        {`captions`, "", "no JSON object"},
		"cut off":        {`{"annotations": [{"image_id": 9`, "", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			archive := annotated(t, "m", c.content)
			from, sum := t.TempDir(), sha256.Sum256(archive)
			if err := os.WriteFile(filepath.Join(from, "x.zip"), archive, 0o644); err != nil {
				t.Fatal(err)
			}
			k := Corpus{Name: corpora[0].Name, Address: "http://nowhere.invalid/x.zip", SHA256: hex.EncodeToString(sum[:]), Size: 1 << 20, member: "m"}
			if c.sum != "" {
				k.SHA256 = c.sum
			}
			cache := &Cache{Dir: t.TempDir()}
			_, err := cache.PullText(context.Background(), k, PullOptions{From: from}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := cache.Text(k.Name); err == nil {
				t.Error("a text is there all the same")
			}
		})
	}
}
