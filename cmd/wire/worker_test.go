package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/connectomewire/wire/runtime/experiment"
)

// TestSharedExperiment: a worker that knows nothing but a server's address makes all
// runs of an experiment, and they have the bits of
// one that was made alone.
func TestSharedExperiment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	at := func(name string) string { return filepath.Join(dir, name) }
	const spec = "question: Does it matter?\nplan: ../plan\ndata: {path: ../friedman.csv, target: {number: y}}\nmetric: explained\nseeds: 2\n" +
		"nulls: [{kind: degree, n: 2}]\nlearn: {epochs: 1}\ntune: {trials: 2, rate: [0.001, 0.01]}\n"
	for _, name := range []string{"alone", "shared"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name+"/w.yaml"), []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range [][]string{
		{"data", "generate", "friedman", "--rows", "60", "-o", at("friedman.csv")},
		{"build", "default", "--recipe", "regression", "--sense", "vector", "--data", at("friedman.csv"), "--target", "number=y", "-o", at("plan"), "--width", "4", "--rank", "1"},
		{"experiment", at("alone/w.yaml")},
	} {
		if _, stderr, code := wire(t, line...); code != exitOK {
			t.Fatalf("%v: %s", line, stderr)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	where := free.Addr().String()
	free.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan string)
	go func() {
		var out bytes.Buffer
		execute(ctx, []string{"wire", "worker", "--nats", "nats://" + where, "--workers", "2"}, &out, &out)
		ended <- out.String()
	}()
	_, stderr, code := wire(t, "experiment", at("shared/w.yaml"), "--nats", where, "--workers", "0")
	stop()
	worker := <-ended
	if code != exitOK {
		t.Fatalf("%s\nworker: %s", stderr, worker)
	}
	if !strings.Contains(stderr, "joins, 2 runs at once") || !strings.Contains(worker, "joins w.yaml") {
		t.Errorf("coordinator: %s\nworker: %s", stderr, worker)
	}
	if _, err := os.Stat(at("shared/w.nats")); err == nil {
		t.Error("what the server kept is left behind")
	}
	a, b := rows(t, at("alone/w.results.jsonl")), rows(t, at("shared/w.results.jsonl"))
	if len(a) != 10 || !slices.Equal(a, b) { // 2 × 2 trials, 3 networks, twice
		t.Errorf("alone:\n%s\nshared:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}

	// What was run is told again, of a plan that has another name since too.
	told, err := os.ReadFile(at("alone/w.md"))
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(at("alone/w.md"))
	plan, err := os.ReadFile(at("plan/plan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("plan/plan.yaml"), bytes.Replace(plan, []byte("name: "), []byte("name: my "), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := wire(t, "experiment", at("alone/w.yaml")); code == exitOK || !strings.Contains(stderr, "plan.yaml (was") {
		t.Errorf("another plan: %d, %s", code, stderr)
	}
	if _, stderr, code := wire(t, "experiment", at("alone/w.yaml"), "--report"); code != exitOK || !strings.Contains(stderr, "note: since it was begun changed: plan.yaml (was") {
		t.Errorf("told again: %d, %s", code, stderr)
	}
	if again, err := os.ReadFile(at("alone/w.md")); err != nil || !bytes.Equal(told, again) {
		t.Errorf("told again: %s (%v)\nbefore: %s", again, err, told)
	}
	if _, stderr, code := wire(t, "experiment", at("alone/w.yaml"), "--report", "--dry-run"); code != exitUsage || !strings.Contains(stderr, "leave --dry-run out") {
		t.Errorf("--report --dry-run: %d, %s", code, stderr)
	}
}

// rows are an experiment's, sorted, without times and chain.
func rows(t *testing.T, name string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var r experiment.Row
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		r.Seconds, r.Time, r.Before, r.Hash = 0, time.Time{}, "", ""
		one, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(one))
	}
	slices.Sort(out)
	return out
}
