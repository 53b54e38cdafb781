package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire/runtime/demo"
)

// shared is a buffer that may be read while it is written.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serving runs `wire serve` with arguments until the test ends, and returns
// where it answers.
func serving(t *testing.T, args ...string) (http, grpc string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var log shared
	ended := make(chan int, 1)
	line := append([]string{"wire", "serve", "--addr", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--engine", "go"}, args...)
	go func() { ended <- execute(ctx, line, io.Discard, &log) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("it ended with code %d: %s", code, log.String())
		}
	})
	at := regexp.MustCompile(`(?s)serving .* at (https?://\S+)\nserving gRPC at (\S+)`)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if m := at.FindStringSubmatch(log.String()); m != nil {
			return m[1], m[2]
		}
		select {
		case code := <-ended:
			ended <- code
			t.Fatalf("it ended with code %d: %s", code, log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not begin: %s", log.String())
		}
	}
}

// apple writes the demonstration's picture of an apple.
func apple(t *testing.T) (file string) {
	t.Helper()
	for _, item := range demo.Items() {
		if item.Name != "apple" {
			continue
		}
		data, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(t.TempDir(), item.File())
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// ranOn is what `wire run --json` prints of a file.
func ranOnFile(t *testing.T, file string) string {
	t.Helper()
	var out, log bytes.Buffer
	if code := execute(t.Context(), []string{"wire", "run", "default", file, "--json", "--engine", "go", "--top", "0"}, &out, &log); code != exitOK {
		t.Fatalf("wire run: %s", log.String())
	}
	return out.String()
}

// TestTritonClient asks with PyPI's tritonclient[all], over HTTP and gRPC, and
// wants what `wire run --json` prints. WIRE_TEST_PYTHON is a Python that has it.
func TestTritonClient(t *testing.T) {
	python := os.Getenv("WIRE_TEST_PYTHON")
	if python == "" {
		t.Skip("WIRE_TEST_PYTHON names no Python with tritonclient")
	}
	file := apple(t)
	want := ranOnFile(t, file)
	web, grpc := serving(t, "default", "--log", "none")
	out, err := exec.CommandContext(t.Context(), python, "testdata/serve/triton.py", strings.TrimPrefix(web, "http://"), grpc, file, want).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCurlHearsWords captions a picture with curl alone.
func TestCurlHearsWords(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	if testing.Short() {
		t.Skip("opens the built-in plan")
	}
	file := apple(t)
	var want ran
	if err := json.Unmarshal([]byte(ranOnFile(t, file)), &want); err != nil {
		t.Fatal(err)
	}
	web, _ := serving(t, "default")
	out, err := exec.CommandContext(t.Context(), curl, "-sN", "--data-binary", "@"+file, web+"/v2/models/default/generate_stream").Output()
	if err != nil {
		t.Fatal(err)
	}
	var said string
	events := 0
	for line := range strings.Lines(string(out)) {
		data, ok := strings.CutPrefix(line, "data: ")
		var event struct {
			Text string `json:"text_output"`
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil {
			said += event.Text
			events++
		}
	}
	if said != want.Answers["caption"].Text || events < 2 {
		t.Errorf("%d events say %q, want %q", events, said, want.Answers["caption"].Text)
	}
}

// TestServeRefusesOtherMachinesUnlessTold, and what makes no sense.
func TestServeRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("tokens", []byte("# none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"serve default --addr 0.0.0.0:0":                 "lets other machines ask",
		"serve default --addr :0":                        "lets other machines ask",
		"serve default --grpc 0.0.0.0:0":                 "lets other machines ask",
		"serve default --addr nowhere":                   "want HOST:PORT",
		"serve default --pprof 0.0.0.0:0 --public":       "this machine only",
		"serve default --tls-cert tokens":                "go together",
		"serve default --client-ca tokens":               "needs --tls-cert",
		"serve default --token-file tokens":              "holds no token",
		"serve nothing --addr 127.0.0.1:0":               "nothing",
		"serve default default --addr 127.0.0.1:0":       `two models are called "default"`,
		"serve a/b=default --addr 127.0.0.1:0":           "no name for a model",
		"serve default --module nose --addr 127.0.0.1:0": "nose",
		"serve default --otlp nowhere":                   "http://HOST:PORT",
		"serve default --max-body 1":                     "--max-body 1",
	} {
		var log bytes.Buffer
		if code := execute(t.Context(), append([]string{"wire"}, strings.Fields(line)...), io.Discard, &log); code == exitOK || !strings.Contains(log.String(), want) {
			t.Errorf("wire %s: code %d, %s; want %s", line, code, log.String(), want)
		}
	}
}

// TestServeOverTLS asks with and without a certificate of the authority.
func TestServeOverTLS(t *testing.T) {
	a := newAuthority(t)
	server, client := a.issue(t, "server"), a.issue(t, "client")
	web, _ := serving(t, "--module", "vision", "--tls-cert", server.cert, "--tls-key", server.key, "--client-ca", a.file)
	if _, err := a.client(t, nil).Get(web + "/v2/health/ready"); err == nil {
		t.Error("a client without a certificate was answered")
	}
	r, err := a.client(t, &client).Get(web + "/v2/models/vision")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || r.Proto != "HTTP/2.0" || !strings.Contains(string(b), `"platform":"onnx"`) {
		t.Errorf("%s %s, %v: %s", r.Proto, r.Status, err, b)
	}
}

// TestServeFindsOwnModules in the directory that --modules names.
func TestServeFindsOwnModules(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "mine"), os.DirFS("../../modules/zoo/text")); err != nil {
		t.Fatal(err)
	}
	web, _ := serving(t, "--module", "mine", "--modules", dir, "--log", "none")
	r, err := http.Get(web + "/v2/models/mine")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(b), `"sentence"`) {
		t.Errorf("%s, %v: %s", r.Status, err, b)
	}
}
