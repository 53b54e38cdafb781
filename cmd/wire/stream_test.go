package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/connectomewire/wire/runtime/demo"
)

// TestStreamIsStopped: Ctrl-C ends a stream that would go on for ever, with its
// summary and its recording, though standard input says nothing.
func TestStreamIsStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a plan")
	}
	dir, command := builtPlan(t)
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command("run", "plan", "--stream", "--engine", "go", "--from", "image=folder:in", "--from", "sound=-,policy=latest", "--record", "seen.jsonl")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	alarm := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	defer alarm.Stop()
	for _, item := range demo.Items() {
		if item.Name != "apple" {
			continue
		}
		data, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "in", item.File()), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"step":0,`) || !strings.Contains(lines.Text(), `"name":"in/apple.png"`) {
		t.Fatalf("%s %s", lines.Text(), stderr.String())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"summary":{"steps":1,`) || !strings.Contains(lines.Text(), `"stopped":true`) {
		t.Errorf("the last line is %s", lines.Text())
	}
	if rest, _ := io.ReadAll(stdout); len(rest) > 0 {
		t.Errorf("behind the summary stands %s", rest)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || !strings.HasSuffix(stderr.String(), "wire: interrupted\n") {
		t.Errorf("%v, %s", err, stderr.String())
	}
	out, err := command("replay", "seen.jsonl", "plan", "--engine", "go").CombinedOutput()
	if err != nil || strings.Count(string(out), "the same bits") != 1 {
		t.Errorf("replay: %v, %s", err, out)
	}
}
