package runtime

import (
	"context"
	"runtime/trace"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/ticking"
)

// watched does what a region's tick asks of traces, which are off: see
// [region.advance].
//
//go:noinline
func watched(e *episode) (on int) {
	if e.trace != nil {
		on++
	}
	if e.trace != nil {
		on++
	}
	return on
}

// TestOff measures what traces cost while they are off, in turns with ticks of one
// input: the questions whether they are on, as often as a tick asks them. It is
// the median of five when WIRE_MEASURE is set.
func TestOff(t *testing.T) {
	measure(t)
	p := ticking.Plan(82, 2380, 64, 8)
	config := Default()
	config.Processes = 1
	n := mustNew(t, p, config)
	in := [][]float32{ticking.Numbers(ticking.Inputs)}
	e := &episode{network: n}
	const ticks = 200
	var parts []float64
	for range 5 {
		whole := processorTime(func() {
			if _, err := n.Run(context.Background(), Episode{Inputs: in, Ticks: ticks}); err != nil {
				t.Error(err)
			}
		})
		on, times := 0, 100
		asked := processorTime(func() {
			for range times * ticks {
				if trace.IsEnabled() {
					on++
				}
				for range p.Regions {
					on += watched(e)
				}
			}
		})
		if on > 0 {
			t.Fatal("traces are on")
		}
		parts = append(parts, asked.Seconds()/float64(times)/whole.Seconds())
	}
	slices.Sort(parts)
	t.Logf("traces that are off take %.3f %% of a tick (%.3f to %.3f)", 100*parts[2], 100*parts[0], 100*parts[4])
	if parts[2] > 0.01 {
		t.Error("want at most 1 %")
	}
}
