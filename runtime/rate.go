package runtime

import (
	"context"
	"fmt"
	"sync"

	"github.com/connectomewire/wire/wiring"
)

// RateNetwork is a plan of rate cells made ready to run: a goroutine a region
// and a channel a tract, as [Network], with one float64 for a message. Its
// states have the bits of [wiring.RateStepper], which computes all regions in
// one loop. It may run several series at once.
type RateNetwork struct {
	plan   *wiring.Plan
	cells  []*wiring.RateCell
	silent []bool // regions that are lesioned
	cut    []bool // tracts that are
}

// NewRate makes a network of a plan of rate cells. Of the configuration the
// lesions count; there are no modules that could fail.
func NewRate(p *wiring.Plan, c Config) (*RateNetwork, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	cells, err := p.RateCells()
	if err != nil {
		return nil, err
	}
	n := &RateNetwork{plan: p, cells: cells, silent: make([]bool, len(cells)), cut: make([]bool, len(p.Tracts))}
	for _, l := range []struct {
		what    string
		lesions []int
		marks   []bool
	}{{"region", c.LesionRegions, n.silent}, {"tract", c.LesionTracts, n.cut}, {"part", c.LesionParts, nil}} {
		for _, i := range l.lesions {
			if i < 0 || i >= len(l.marks) {
				return nil, fmt.Errorf("runtime: lesion of %s %d of %d", l.what, i, len(l.marks))
			}
			l.marks[i] = true
		}
	}
	return n, nil
}

// Run steps the plan from silence through a series and returns the states at
// the end of every step, [steps, regions]. inputs are by the plan's senses,
// [steps, width] each, nil for one that gives nothing.
func (n *RateNetwork) Run(ctx context.Context, inputs [][]float64, steps int) ([]float64, error) {
	p := n.plan
	if err := p.CheckSeries(inputs, steps); err != nil {
		return nil, fmt.Errorf("runtime: %w", err)
	}
	tracts := make([]chan float64, len(p.Tracts))
	for k, t := range p.Tracts {
		tracts[k] = make(chan float64, t.Delay+1)
		for range t.Delay {
			tracts[k] <- 0
		}
	}
	states := make([]float64, steps*len(n.cells))
	var wg sync.WaitGroup
	for j := range n.cells {
		wg.Go(func() { n.run(ctx, j, tracts, inputs, steps, states) })
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for i, v := range states {
		if v-v != 0 { // NaN or infinite
			return nil, fmt.Errorf("region %q: its state is %v at step %d; the plan's numbers or its inputs are out of range", p.Regions[i%len(n.cells)].Label, v, i/len(n.cells))
		}
	}
	return states, nil
}

// run is the life of region j through a series.
func (n *RateNetwork) run(ctx context.Context, j int, tracts []chan float64, inputs [][]float64, steps int, states []float64) {
	cell := n.cells[j]
	in := make([]float64, len(cell.In))
	now := make([][]float64, len(inputs))
	x := 0.0
	for step := range steps {
		for s, u := range inputs {
			if width := n.plan.Senses[s].Width; u != nil {
				now[s] = u[step*width:][:width]
			}
		}
		for range n.plan.Ticks.Settle {
			for i, k := range cell.In {
				select {
				case in[i] = <-tracts[k]:
				case <-ctx.Done():
					return
				}
				if n.cut[k] {
					in[i] = 0
				}
			}
			if x = cell.Step(x, now, in); n.silent[j] {
				x = 0
			}
			for _, k := range cell.Out {
				select {
				case tracts[k] <- x:
				case <-ctx.Done():
					return
				}
			}
		}
		states[step*len(n.cells)+j] = x
	}
}
