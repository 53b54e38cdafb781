package runtime

import (
	"fmt"
	"time"

	"github.com/connectomewire/wire/wiring/part"
)

// Policy says what happens when a module or a region fails: an error, a
// panic, no answer in time, or a value that is not a finite number.
type Policy string

const (
	// Fail ends the episode with the error.
	Fail Policy = "fail"
	// Retry calls the module again, Config.Retries times, and then fails.
	Retry Policy = "retry"
	// Silence goes on without the module, as with a lesion: its regions get
	// nothing from it, and the trace says so.
	Silence Policy = "silence"
)

// Config says how a network runs. The zero value is not valid; start from
// [Default].
type Config struct {
	// Policy for failing modules and regions. Fail is the honest default; a
	// robot that must keep moving wants Silence.
	Policy Policy
	// Retries is how often a failing module is called again under Retry.
	// Each attempt may take ModuleTimeout.
	Retries int
	// ModuleTimeout bounds one call of a module. A module that does not heed
	// its context goes on in the background until it returns; its result is
	// dropped. 0 means no bound.
	ModuleTimeout time.Duration
	// Groups are the regions that each process steps, by index, every region in
	// one; nil groups them by their arithmetic, see [ByWork]. No grouping
	// changes a bit of a result.
	Groups [][]int
	// Processes is their number where Groups does not say it; 0 chooses it by
	// the arithmetic of a tick and the processors there are.
	Processes int
	// Share has other networks step some of the regions; nil steps all here.
	Share *Share
	// Half keeps the matrices of tracts in binary16, see [wiring.Plan.HalfCells]:
	// half the memory, other last digits. Batches of one gain by it, since they
	// wait for memory; larger ones do not.
	Half bool
	// Release gives up the plan's own copy of those matrices once the network
	// holds them, see [wiring.Plan.Release]: half of what they take. Other
	// networks can then only be made by [Network.With].
	Release bool
	// Trace records states, gates, flow and times of every tick. It costs
	// about a tenth of the time and a few numbers a tract and tick.
	Trace bool
	// States keeps the regions' states themselves in the trace.
	States bool
	// Digests keeps a digest of every tract's message of every tick in the
	// trace, so that two runs can be compared.
	Digests bool
	// LesionRegions are regions, by index, whose state and axons are held at
	// zero.
	LesionRegions []int
	// LesionTracts are tracts, by index, that carry zeros.
	LesionTracts []int
	// LesionParts are parts, by index, that give nothing.
	LesionParts []int
	// Parts are the modules of the plan's parts, by its order.
	Parts []part.Module
}

// Default returns the configuration that suits most: fail, one minute for a
// module, no trace.
func Default() Config {
	return Config{Policy: Fail, Retries: 2, ModuleTimeout: time.Minute}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch c.Policy {
	case Fail, Retry, Silence:
	default:
		return fmt.Errorf("runtime: there is no policy %q; choose %s, %s or %s", c.Policy, Fail, Retry, Silence)
	}
	if c.Retries < 0 {
		return fmt.Errorf("runtime: %d retries; want 0 or more", c.Retries)
	}
	if c.ModuleTimeout < 0 {
		return fmt.Errorf("runtime: module timeout of %v; want 0 (none) or more", c.ModuleTimeout)
	}
	if c.Processes < 0 {
		return fmt.Errorf("runtime: %d processes; want 1 or more, or 0 to choose", c.Processes)
	}
	return nil
}
