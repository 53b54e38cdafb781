package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps to some tens of microseconds: Go's own timers wake by milliseconds where
// all else sleeps too.
func nap(d time.Duration) {
	for until := time.Now().Add(d); d > 0; d = time.Until(until) {
		t := unix.NsecToTimespec(int64(d))
		unix.Nanosleep(&t, nil) //nolint:errcheck // it sleeps on
	}
}

// processorTime is that of another process.
func processorTime(pid int) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil { // as clock_getcpuclockid does
		return 0
	}
	return time.Duration(t.Nano())
}
