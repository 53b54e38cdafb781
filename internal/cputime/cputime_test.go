package cputime

import (
	"runtime"
	"testing"
	"time"
)

// TestNowCountsWork: the clock goes on while the thread computes, and, where it
// is of the processor, stands still while it sleeps.
func TestNowCountsWork(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const work = 20 * time.Millisecond
	begin := Now()
	x := 1.0
	for wall := time.Now(); Now()-begin < work; x = x*1.0000001 + 1e-9 {
		if time.Since(wall) > time.Minute {
			t.Fatalf("after a minute of work the clock says %v (%v)", Now()-begin, x)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	const sleep = 60 * time.Millisecond
	begin = Now()
	time.Sleep(sleep)
	if slept := Now() - begin; slept > sleep/2 {
		t.Errorf("asleep for %v, the clock went on by %v", sleep, slept)
	}
}
