package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// dropping is what a person does: it drops a picture on the page.
const dropping = `<script>
(async () => {
  while (!document.body.dataset.ready) await new Promise(r => setTimeout(r, 20));
  const data = new DataTransfer();
  data.items.add(new File([await (await fetch("test.png")).blob()], "test.png", { type: "image/png" }));
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
})();
</script>`

// TestPageInABrowser drops a picture on the page in headless Chromium and reads
// the caption there. WIRE_TEST_SCREENSHOT names a file for a picture of it.
func TestPageInABrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("no Chromium")
	}
	if testing.Short() {
		t.Skip("opens the built-in plan")
	}
	s, err := serve.New(serve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddPlan("default", "default", wire.Options{Engine: "go"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	var picture []byte
	for _, item := range demo.Items() {
		if item.Name == "apple" {
			if picture, err = item.Encode(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var asked []string
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		switch r.URL.Path {
		case "/test.png":
			w.Write(picture)
		case "/":
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			for k, v := range rec.Header() {
				w.Header()[k] = v
			}
			w.Write(append(rec.Body.Bytes(), dropping...))
		default:
			s.ServeHTTP(w, r)
		}
	}))
	defer h.Close()
	_, whole := post(t, h.URL+"/answer", "image/png", picture)
	var want struct {
		Text string `json:"text_output"`
	}
	if err := json.Unmarshal([]byte(whole), &want); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--window-size=900,900", "--virtual-time-budget=20000"}
	if name := os.Getenv("WIRE_TEST_SCREENSHOT"); name != "" {
		name, _ = filepath.Abs(name)
		if err := exec.CommandContext(ctx, browser, append(args, "--screenshot="+name, h.URL+"/")...).Run(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, browser, append(args, "--dump-dom", h.URL+"/")...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	if m := regexp.MustCompile(`<div class="said">([^<]*)</div>`).FindSubmatch(out); m == nil || string(m[1]) != want.Text {
		at := strings.Index(string(out), `id="answer"`)
		t.Errorf("the page says %q, want %q: %s\n%v", m, want.Text, out[max(at, 0):min(max(at, 0)+800, len(out))], asked)
	}
	if !strings.Contains(string(out), "confidence 0.") {
		t.Error("the page says no confidence")
	}
}
