package runtime

import (
	"os"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/cputime"
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
	before := cputime.Process()
	do()
	return cputime.Process() - before
}
