package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestOverWorkers: what wire run --over prints is what wire run prints alone, with
// lesions and in 16 bits too; workers that went from one plan to the next step it.
func TestOverWorkers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, line := range [][]string{
		{"data", "generate", "friedman", "--rows", "40", "-o", at("friedman.csv")},
		{"build", "default", "--recipe", "regression", "--sense", "vector", "--data", at("friedman.csv"), "--target", "number=y", "-o", at("plan"), "--width", "4", "--rank", "1"},
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
	var workers sync.WaitGroup
	var out [2]bytes.Buffer
	for i := range out {
		workers.Go(func() { execute(ctx, []string{"wire", "worker", "--nats", "nats://" + where}, &out[i], &out[i]) })
	}
	defer func() {
		stop()
		workers.Wait()
		for i := range out {
			if n := strings.Count(out[i].String(), "regions of"); n != 5 {
				t.Errorf("worker %d stepped %d plans:\n%s", i, n, &out[i])
			}
		}
	}()
	row := []string{"run", at("plan"), "--data", at("friedman.csv"), "--target", "number=y", "--json"}
	for _, with := range [][]string{nil, {"--lesion", "lh-precuneus", "--policy", "silence"}, {"--float16"}} {
		line := append(row[:len(row):len(row)], with...)
		want, stderr, code := wire(t, line...)
		if code != exitOK {
			t.Fatalf("%v: %s", line, stderr)
		}
		got, stderr, code := wire(t, append(line, "--over", "2", "--nats", where)...)
		if code != exitOK || got != want {
			t.Errorf("%v: %s\n%s\nalone:\n%s", with, stderr, got, want)
		}
		if !strings.Contains(stderr, "of 82 regions") {
			t.Errorf("%s", stderr)
		}
	}
	// What is recorded over workers, one process does again to the same bits.
	one := []string{"run", at("plan"), "--input", "vector=1,2,3,4,5,6,7,8,9,10"}
	want, stderr, code := wire(t, one...)
	if code != exitOK || !strings.Contains(want, "strongest tracts") {
		t.Fatalf("%s%s", want, stderr)
	}
	got, stderr, code := wire(t, append(one, "--over", "2", "--nats", where, "--record", at("r.jsonl"), "--trace", at("t.json"))...)
	if code != exitOK || got != want {
		t.Errorf("%s\n%s\nalone:\n%s", stderr, got, want)
	}
	if out, stderr, code := wire(t, "replay", at("r.jsonl"), at("plan")); code != exitOK || !strings.Contains(out, "the same bits") {
		t.Errorf("%s%s", out, stderr)
	}
	// A series goes on from step to step at the workers too.
	for _, line := range [][]string{
		{"data", "generate", "mackey-glass", "--rows", "20", "-o", at("m.csv")},
		{"recipe", "new", "forecasting", "--data", at("m.csv"), "--time", "t", "--group", "series", "--input", "series=x", "--target", "next=x", "--set", "horizon=10", "-o", at("m.yaml")},
		{"build", "default", "--recipe", at("m.yaml"), "--data", at("m.csv"), "--time", "t", "--group", "series", "--input", "series=x", "--target", "next=x", "--width", "4", "--rank", "1", "-o", at("series")},
	} {
		if _, stderr, code := wire(t, line...); code != exitOK {
			t.Fatalf("%v: %s", line, stderr)
		}
	}
	if err := os.WriteFile(at("wave.csv"), []byte("0.9\n1.1\n-0.3\n0.2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := wire(t, "run", at("series"), "--stream", "--from", "series:"+at("wave.csv")+",every=0s", "--record", at("s.jsonl"), "--over", "2", "--nats", where); code != exitOK {
		t.Fatal(stderr)
	}
	if out, stderr, code := wire(t, "replay", at("s.jsonl"), at("series")); code != exitOK || strings.Count(out, "the same bits") != 4 {
		t.Errorf("%s%s", out, stderr)
	}
	for want, with := range map[string][]string{
		"belong together":                     {"--over", "2"},
		"want 1 to 65535":                     {"--over", "0", "--nats", where},
		"without senses, effectors and parts": {"--over", "99", "--nats", where},
	} {
		_, stderr, code := wire(t, append(row[:len(row):len(row)], with...)...)
		if code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%v: %s", with, stderr)
		}
	}
}
