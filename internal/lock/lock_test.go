package lock

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHolder holds a lock in a process of its own until it is killed.
func TestHolder(t *testing.T) {
	path := os.Getenv("WIRE_TEST_LOCK")
	if path == "" {
		t.Skip("only for the tests of locks")
	}
	if _, err := Acquire(path); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	time.Sleep(time.Minute)
}

func TestAnotherProcessHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.lock")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestHolder$", "-test.v")
	cmd.Env = append(os.Environ(), "WIRE_TEST_LOCK="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() //nolint:errcheck // it may have ended
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "held"; {
	}
	_, err = Acquire(path)
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatalf("error %v, want that it is held", err)
	}
	host, _ := os.Hostname()
	if held.PID != cmd.Process.Pid || held.Host != host || time.Since(held.Since) > time.Minute {
		t.Errorf("held by %+v, want process %d on %s", held, cmd.Process.Pid, host)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("process %d on %s", cmd.Process.Pid, host)) {
		t.Errorf("message %q", err)
	}

	// It dies without a word: what it leaves is no lock.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the dead process's lock file is not there: %v", err)
	}
	l, err := Acquire(path)
	if err != nil {
		t.Fatalf("a stale lock was not recognised: %v", err)
	}
	l.Release()
	if _, err := os.Stat(path); err == nil {
		t.Error("the lock file is still there")
	}
}

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.lock")
	var inside, entered atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l, err := Acquire(path)
				if errors.As(err, new(*HeldError)) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold one lock")
				}
				entered.Add(1)
				inside.Add(-1)
				l.Release()
			}
		})
	}
	wg.Wait()
	if entered.Load() == 0 {
		t.Error("nobody got the lock")
	}
}

func TestWhereNoLockCanBe(t *testing.T) {
	_, err := Acquire(filepath.Join(t.TempDir(), "missing", "plan.lock"))
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that the directory is missing", err)
	}
}
