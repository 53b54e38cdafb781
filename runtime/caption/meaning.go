package caption

import (
	"context"
	"slices"

	"github.com/connectomewire/wire/runtime"
)

// Meaning returns the point in the text space, [semantic], that the plan makes
// of an input: what its semantic readout gives once the plan has stared at it,
// before a word is said.
func (c *Captioner) Meaning(ctx context.Context, in *Encoded) ([]float32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	listener := &ear{at: c.plan.Stare - 1}
	episode := runtime.Episode{Inputs: Inputs(c.plan, []*Encoded{in}, 1), Ticks: c.plan.Stare, Voice: listener}
	if _, err := c.plain.Run(ctx, episode); err != nil {
		return nil, err
	}
	out := make([]float32, c.readout.SemanticWidth)
	c.readout.Semantic(out, listener.norm, 1)
	return out, nil
}

// ear is a voice that says nothing and remembers the language region's state
// at a tick.
type ear struct {
	at   int
	norm []float32
}

// Hear implements [runtime.Voice].
func (e *ear) Hear(_ context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if tick == e.at {
		e.norm = slices.Clone(norm)
	}
	return runtime.Reply{Done: tick >= e.at}, nil
}
