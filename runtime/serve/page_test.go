package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// dropping is what a person does: it drops a picture on the page and reads
// the answer when it is whole. What it read is sent to /read.
const dropping = `<script>
(async () => {
  while (!document.body.dataset.ready) await new Promise(r => setTimeout(r, 20));
  const data = new DataTransfer();
  data.items.add(new File([await (await fetch("test.png")).blob()], "test.png", { type: "image/png" }));
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  while (document.getElementById("answer").dataset.state !== "done") await new Promise(r => setTimeout(r, 20));
  await fetch("read", { method: "POST", body: document.getElementById("answer").outerHTML });
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
	read := make(chan string, 1)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/read":
			body, _ := io.ReadAll(r.Body)
			select {
			case read <- string(body):
			default: // the picture of the page was taken before
			}
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
	profile, err := os.MkdirTemp("", "wire-page-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile) // not t.TempDir: a process of the browser may still write there, which is no fault of the page
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + profile,
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--window-size=900,900"}
	if name := os.Getenv("WIRE_TEST_SCREENSHOT"); name != "" {
		name, _ = filepath.Abs(name)
		if err := exec.CommandContext(ctx, browser, append(args, "--virtual-time-budget=20000", "--screenshot="+name, h.URL+"/")...).Run(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-read:
		default:
		}
	}
	// Without a budget of virtual time, which a busy machine spends before
	// the answer is there: the browser is ended when the page was read.
	cmd := exec.CommandContext(ctx, browser, append(args, "--remote-debugging-port=0", h.URL+"/")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var answer string
	select {
	case answer = <-read:
		cancel()
		<-ended
	case err := <-ended:
		t.Fatalf("the browser ended before the page had an answer: %v: %s", err, log.String())
	}
	if said := regexp.MustCompile(`<div class="said">([^<]*)</div>`).FindStringSubmatch(answer); said == nil || said[1] != want.Text {
		t.Errorf("the page says %q, want %q: %s", said, want.Text, answer)
	}
	if !strings.Contains(answer, "confidence 0.") {
		t.Errorf("the page says no confidence: %s", answer)
	}
}
