//go:build unix

package runtime

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// measure skips a test of speed unless WIRE_MEASURE is set.
func measure(t *testing.T) {
	if os.Getenv("WIRE_MEASURE") == "" {
		t.Skip("set WIRE_MEASURE=1 to measure")
	}
}

// processorTime is what something takes of the process's processor time, so
// that what else the machine does counts little.
func processorTime(do func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	do()
	return used() - before
}
