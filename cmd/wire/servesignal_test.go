package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// served is `wire serve` as a process.
type served struct {
	cmd *exec.Cmd
	log shared
	// Where it answers, and where its profiles are.
	web, profiles string
}

// startServing runs a command that serves and waits until it does.
func startServing(t *testing.T, cmd *exec.Cmd) *served {
	t.Helper()
	s := &served{cmd: cmd}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for (s.web == "" || s.profiles == "") && lines.Scan() {
		s.log.Write(append(lines.Bytes(), '\n'))
		text := lines.Text()
		if _, url, ok := strings.Cut(text, " at http://"); ok && strings.HasPrefix(text, "serving ") {
			s.web = "http://" + url
		} else if url, ok := strings.CutPrefix(text, "profiles at "); ok {
			s.profiles = url
		}
	}
	if s.web == "" {
		t.Fatalf("it does not begin: %s", s.log.String())
	}
	go io.Copy(&s.log, stderr)
	return s
}

// version is that of the model "plan".
func (s *served) version(t *testing.T) string {
	t.Helper()
	r, err := http.Get(s.web + "/v2/models/plan")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var m struct{ Versions []string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || len(m.Versions) != 1 {
		t.Fatal(m, err)
	}
	return m.Versions[0]
}

// until waits for the log to say something.
func (s *served) until(t *testing.T, says string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.log.String(), says); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q: %s", says, s.log.String())
		}
	}
}

// TestServeLoadsAnewOnSIGHUP keeps what answers where the new plan is broken, and
// ends well on SIGTERM.
func TestServeLoadsAnewOnSIGHUP(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a plan")
	}
	dir, command := builtPlan(t)
	s := startServing(t, command("serve", "plan", "--addr", "127.0.0.1:0", "--pprof", "127.0.0.1:0", "--engine", "go"))
	if v := s.version(t); v != "1" {
		t.Errorf("version %s at the beginning", v)
	}
	hup := func() {
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "plan", "plan.yaml")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, good[:len(good)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	hup()
	s.until(t, "level=ERROR msg=load model=plan")
	if v := s.version(t); v != "1" {
		t.Errorf("version %s after a broken plan", v)
	}
	if err := os.WriteFile(file, good, 0o644); err != nil {
		t.Fatal(err)
	}
	hup()
	for deadline := time.Now().Add(time.Minute); s.version(t) != "2"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not load the plan anew: %s", s.log.String())
		}
	}
	for path, want := range map[string]string{"": "goroutine", "goroutine?debug=1": "goroutine profile:", "heap?debug=1": "heap profile:", "cmdline": "serve"} {
		r, err := http.Get(s.profiles + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != http.StatusOK || !strings.Contains(string(b), want) {
			t.Errorf("profile %q: %s, %.100s", path, r.Status, b)
		}
	}
	if r, err := http.Get(s.web + "/debug/pprof/"); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("profiles where requests are answered: %v, %v", r, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until(t, "msg=drain")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, s.log.String())
	}
}
