package cputime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Name says what the clock measures.
const Name = "processor time of the calling thread"

// Now is the calling thread's processor time.
func Now() time.Duration { return read(unix.CLOCK_THREAD_CPUTIME_ID) }

// Process is the processor time of all threads.
func Process() time.Duration { return read(unix.CLOCK_PROCESS_CPUTIME_ID) }

func read(clock int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
