package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/internal/lock"
	"github.com/connectomewire/wire/wiring"
)

func TestOneTrainingOfAPlanAtATime(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	wire := func(line string) (int, string) {
		var stderr bytes.Buffer
		code := execute(t.Context(), append([]string{"wire"}, strings.Fields(line)...), io.Discard, &stderr)
		return code, stderr.String()
	}
	if code, stderr := wire("build default -o plan --width 4 --rank 2"); code != exitOK {
		t.Fatal(stderr)
	}
	held, err := lock.Acquire("plan.lock")
	if err != nil {
		t.Fatal(err)
	}
	code, stderr := wire("train plan")
	if want := fmt.Sprintf("plan cannot be changed now: process %d on", os.Getpid()); code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("code %d: %s\nwant %s", code, stderr, want)
	}
	held.Release()

	p, err := wiring.Load("plan")
	if err != nil {
		t.Fatal(err)
	}
	p.Trained = true
	if err := p.Save("plan"); err != nil {
		t.Fatal(err)
	}
	if code, stderr := wire("train plan"); code != exitOK || !strings.Contains(stderr, "plan is trained already, nothing was done") {
		t.Errorf("code %d: %s", code, stderr)
	}
	// What was interrupted goes on, and who asks for more gets it: here both
	// end where the data are missing.
	for _, line := range []string{"train plan --more", "train plan --fresh"} {
		if code, stderr := wire(line); code == exitOK || !strings.Contains(stderr, "wire data pull") {
			t.Errorf("wire %s: code %d: %s", line, code, stderr)
		}
	}
	if _, err := os.Stat("plan.lock"); err == nil {
		t.Error("the lock stays behind")
	}
}
