package main

import (
	"time"

	"golang.org/x/sys/unix"
)

const clockName = "processor time of the calling thread"

// now is the calling thread's processor time.
func now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
