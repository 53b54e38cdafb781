package wiring

import (
	"slices"
	"strings"
	"testing"
)

// TestRelease: cells do the same once the plan gave up the matrices, which the
// plan then says where they are needed.
func TestRelease(t *testing.T) {
	p := burstPlan(1)
	step := func(cells []*Cell) []float32 {
		var states []float32
		for _, c := range cells {
			w := c.NewTick(2)
			for i := range w.In {
				w.In[i] = Message{Data: slices.Repeat([]float32{0.5, -1}, p.Rank), Stride: p.Rank}
			}
			w.Drive = make([]float32, 2*p.Width)
			c.Embed(w.Drive, [][]float32{{1, 2, 3, 4, -1, -2, -3, -4}}, 2)
			for range 3 {
				c.Step(2, w)
			}
			states = append(append(states, w.State...), w.Axons...)
		}
		return states
	}
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	want, before := step(cells), len(p.Params.Data)
	bias := slices.Clone(p.Params.Get("thalamus/bias"))
	p.Release(cells)
	if got := step(cells); !slices.Equal(got, want) {
		t.Error("cells of a released plan compute something else")
	}
	if len(p.Params.Data) >= before || p.Params.Get("cortex/axon") != nil || !slices.Equal(p.Params.Get("thalamus/bias"), bias) {
		t.Errorf("%d of %d numbers are left", len(p.Params.Data), before)
	}
	if _, err := p.Cells(); err == nil || !strings.Contains(err.Error(), "gave up") {
		t.Errorf("cells of a released plan: %v", err)
	}
	if err := p.Save(t.TempDir() + "/p"); err == nil || !strings.Contains(err.Error(), "gave up") {
		t.Errorf("saving a released plan: %v", err)
	}
}
