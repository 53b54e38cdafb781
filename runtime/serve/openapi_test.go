package serve_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime/serve"
)

// TestEveryDescribedAddressIsThere asks each address of /openapi.json.
func TestEveryDescribedAddressIsThere(t *testing.T) {
	_, url := served(t, serve.Options{})
	r, err := http.Get(url + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.NewDecoder(r.Body).Decode(&doc); err != nil || len(doc.Paths) < 15 {
		t.Fatalf("%d paths, %v", len(doc.Paths), err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			at := strings.NewReplacer("{model}", "small", "{version}", "1").Replace(path)
			if strings.HasSuffix(at, "load") {
				continue // it would change the version
			}
			q, _ := http.NewRequest(strings.ToUpper(method), url+at, strings.NewReader("{}"))
			a, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(a.Body)
			a.Body.Close()
			if a.StatusCode == http.StatusNotFound || a.StatusCode >= 500 {
				t.Errorf("%s %s: status %d, %s", method, at, a.StatusCode, b)
			}
		}
	}
}
