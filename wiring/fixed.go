package wiring

import "github.com/connectomewire/wire/internal/kernel"

// letThrough is what a tick does with arriving messages where gates are fixed: all
// pass by half, scaled.
func (c *Cell) letThrough(batch int, t *Tick) {
	r, in := c.Rank, len(c.In)
	for k := range in {
		m := &t.In[k]
		for b := range batch {
			copy(t.Mixed[(b*in+k)*r:][:r], m.Data[b*m.Stride:][:r])
			t.Gates[b*in+k] = restingGate
		}
	}
	for b := range batch {
		kernel.ScaleRows(in, r, t.Mixed[b*in*r:], c.scale, t.Gates[b*in:])
	}
}
