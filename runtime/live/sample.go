package live

import (
	"fmt"
	"math"
	"time"
)

// Sample is what a sense is given at an instant.
type Sample struct {
	// At is the instant, from the stream's beginning.
	At time.Duration
	// Name says where it came from, for people: "cat.png", "stdin:7".
	Name string
	// Read returns what is given, as [answer.Inputs] take it. It is called when a
	// step has chosen the sample, once.
	Read func() (any, error)
}

// Policy is what becomes of a sample that comes when its sense's queue is full.
type Policy string

const (
	// Block lets the source wait, and steps wait for the source: nothing is lost.
	Block Policy = "block"
	// DropOldest drops the oldest sample of the queue.
	DropOldest Policy = "drop-oldest"
	// Latest keeps only the newest, a queue of one.
	Latest Policy = "latest"
)

// Forever is the age of samples that never grow too old.
const Forever = time.Duration(math.MaxInt64)

// MaxQueue bounds the length of a queue.
const MaxQueue = 1 << 16

// Rules are a sense's.
type Rules struct {
	Policy Policy
	// Queue is how many samples may wait; at least 1, and 1 with Latest.
	Queue int
	// Age is how long a sample is held: a step gets nothing of a sense whose
	// latest sample is older.
	Age time.Duration
}

// DefaultRules block, with a queue of 16 and samples that are held forever.
func DefaultRules() Rules { return Rules{Policy: Block, Queue: 16, Age: Forever} }

// Validate reports the first rule out of range.
func (r Rules) Validate() error {
	switch r.Policy {
	case Block, DropOldest, Latest:
	default:
		return fmt.Errorf("policy %q; choose %s, %s or %s", r.Policy, Block, DropOldest, Latest)
	}
	if r.Queue < 1 || r.Queue > MaxQueue {
		return fmt.Errorf("a queue of %d samples; want 1 to %d", r.Queue, MaxQueue)
	}
	if r.Age < 0 {
		return fmt.Errorf("a maximum age of %v; want 0 or more", r.Age)
	}
	return nil
}

// Counts are of the samples of a sense.
type Counts struct {
	// Given by the source; all others are of these.
	Given int `json:"given"`
	// Used by a step, once or more often.
	Used int `json:"used"`
	// Dropped because the queue was full; Late, and therefore dropped; Skipped
	// because a later one was there by the time of the step.
	Dropped int `json:"dropped,omitempty"`
	Late    int `json:"late,omitempty"`
	Skipped int `json:"skipped,omitempty"`
	// Bad could not be read: it may not even have become a sample.
	Bad int `json:"bad,omitempty"`
	// Left waited in the queue when the stream ended.
	Left int `json:"left,omitempty"`
}
