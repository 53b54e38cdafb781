package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/connectomewire/wire/internal/natstest"
)

// hireWorker runs wire worker as a process of its own until the test ends.
func hireWorker(t *testing.T, command func(args ...string) *exec.Cmd, where string) (worker *exec.Cmd, lines chan string) {
	t.Helper()
	worker = command("worker", "--nats", where, "--workers", "1", "--engine", "go")
	out, err := worker.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { worker.Process.Kill(); worker.Wait() })
	lines = make(chan string, 1000)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	return worker, lines
}

// awaitLine waits for a line of a process.
func awaitLine(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	var all []string
	for late := time.After(time.Minute); ; {
		select {
		case line, more := <-lines:
			if !more {
				t.Fatalf("no %q in\n%s", want, strings.Join(all, "\n"))
			}
			if all = append(all, line); strings.Contains(line, want) {
				return
			}
		case <-late:
			t.Fatalf("no %q within a minute in\n%s", want, strings.Join(all, "\n"))
		}
	}
}

// freePort is one that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// writePhotographs writes a table of captions of stamps.
func writePhotographs(t *testing.T, dir, cache string) {
	t.Helper()
	stamps, err := filepath.Glob(filepath.Join(cache, "tuxpaint-stamps-default", "usr", "share", "tuxpaint", "stamps", "shapes", "*.png"))
	if err != nil || len(stamps) == 0 {
		t.Fatal("no stamps", err)
	}
	var table strings.Builder
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range stamps {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		what := strings.Split(strings.TrimSuffix(filepath.Base(name), ".png"), "-")
		fmt.Fprintf(&table, "%s\tCC0\tmade up\ta %s %s\n", filepath.Base(name), what[0], what[1])
	}
	if err := os.WriteFile(filepath.Join(dir, "captions.tsv"), []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSharedEvaluation: a worker that knows nothing but a server's address is killed
// while it is at a piece, and another takes over: they give what wire eval gives alone,
// byte for byte. A killed coordinator goes on when it comes back.
func TestSharedEvaluation(t *testing.T) {
	if testing.Short() {
		t.Skip("trains plans")
	}
	heartbeat = 300 * time.Millisecond
	t.Cleanup(func() { heartbeat = 0 })
	dir, command := builtPlan(t)
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	t.Chdir(dir)
	writeStamps(t, filepath.Join(dir, "cache", "data"))
	for _, line := range [][]string{
		{"train", "plan", "--set", "stamps", "--epochs", "1", "--views", "1", "--engine", "go"},
		{"data", "generate", "friedman", "--rows", "400", "-o", "friedman.csv"},
		{"build", "default", "--recipe", "regression", "--sense", "vector", "--data", "friedman.csv", "--target", "number=y", "-o", "numbers", "--width", "4", "--rank", "1"},
		{"train", "numbers", "--data", "friedman.csv", "--target", "number=y", "--epochs", "2"},
	} {
		if _, stderr, code := wire(t, line...); code != exitOK {
			t.Fatalf("%v: %s", line, stderr)
		}
	}
	writePhotographs(t, filepath.Join(dir, "photos"), filepath.Join(dir, "cache", "data"))
	for _, c := range []struct {
		name string
		kill bool
		args []string
	}{
		{"stamps", true, []string{"eval", "plan", "--eval-set", "stamps", "--split", "train", "--resamples", "100", "--engine", "go", "--lesion", "lh-pericalcarine", "--beside", "plan", "--eval-limit", "17"}},
		{"photographs", false, []string{"eval", "plan", "--eval-set", "photos", "--data", "photos", "--eval-limit", "17", "--greedy", "--resamples", "100", "--engine", "go"}},
		{"as it is", true, []string{"eval", "numbers", "--data", "friedman.csv", "--target", "number=y", "--control", "all", "--curve", "--float16", "--resamples", "100"}},
		{"folds", true, []string{"eval", "numbers", "--data", "friedman.csv", "--target", "number=y", "--folds", "4", "--seeds", "2", "--epochs", "4", "--control", "adapter", "--resamples", "100"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alone, stderr, code := wire(t, append(c.args, "--json")...)
			if code != exitOK {
				t.Fatal(stderr)
			}
			where := freePort(t)
			type told struct {
				shared, stderr string
				code           int
			}
			ended := make(chan told, 1)
			go func() {
				var x told
				x.shared, x.stderr, x.code = wire(t, append(c.args, "--json", "--nats", where, "--workers", "0")...)
				ended <- x
			}()
			worker, lines := hireWorker(t, command, "nats://"+where)
			if c.kill {
				awaitLine(t, lines, "joins ")
				time.Sleep(100 * time.Millisecond)
				worker.Process.Kill()
				hireWorker(t, command, "nats://"+where)
			}
			x := <-ended
			if x.code != exitOK {
				t.Fatal(x.stderr)
			}
			shared := x.shared
			if shared != alone {
				t.Errorf("alone:\n%s\nshared:\n%s", alone, shared)
			}
			if n := strings.Count(x.stderr, "joins, 1 pieces at once"); n != 2 && c.kill {
				t.Errorf("%d workers joined:\n%s", n, x.stderr)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "cache", "nats", "*")); err != nil || len(left) > 0 {
				t.Errorf("what the server kept is left behind: %v %v", left, err)
			}
		})
	}
	t.Run("killed coordinator", func(t *testing.T) {
		args := []string{"eval", "numbers", "--data", "friedman.csv", "--target", "number=y", "--folds", "4", "--seeds", "3", "--epochs", "6", "--resamples", "100", "--json"}
		alone, stderr, code := wire(t, args...)
		if code != exitOK {
			t.Fatal(stderr)
		}
		where := freePort(t)
		args = append(args, "--nats", where)
		coordinator := command(args...)
		if err := coordinator.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { coordinator.Process.Kill(); coordinator.Wait() })
		awaitResults(t, where, 3)
		coordinator.Process.Kill()
		if coordinator.Wait(); coordinator.ProcessState.Exited() {
			t.Fatalf("the coordinator ended by itself: %v", coordinator.ProcessState)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "cache", "nats", "*", "jetstream")); err != nil || len(left) != 1 {
			t.Fatalf("nothing is kept for the next time: %v %v", left, err)
		}
		shared, stderr, code := wire(t, args...)
		if code != exitOK {
			t.Fatal(stderr)
		}
		if shared != alone {
			t.Errorf("alone:\n%s\nat the second attempt:\n%s", alone, shared)
		}
	})
}

// awaitResults waits until a server has so many results.
func awaitResults(t *testing.T, where string, want uint64) {
	t.Helper()
	js := natstest.JetStream(t, where, nats.RetryOnFailedConnect(true), nats.ReconnectWait(50*time.Millisecond), nats.MaxReconnects(-1))
	for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		info, err := js.StreamInfo("KV_wire_results")
		if err == nil && info.State.Msgs >= want {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("not %d results after a minute: %v", want, err)
		}
	}
}
