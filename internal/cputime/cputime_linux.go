package cputime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Name says what the clock measures.
const Name = "processor time of the calling thread"

// Now is the calling thread's processor time.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
