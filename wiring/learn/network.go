package learn

import (
	"fmt"
	"sort"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/task"
)

// network is a plan made ready for learning: the cells of the regions that
// can reach an effector, and their matrices packed for both passes. It is
// shared by all workers and changes only in refresh.
type network struct {
	plan    *wiring.Plan
	data    *Data
	cells   []*wiring.Cell
	weights []wiring.Weights
	aims    []aim

	// active are the regions that can reach an effector, which need ticksTo[j]
	// ticks to the nearest; the others cannot matter and are left out.
	active  []int
	ticksTo []int
	slot    []int // position of a tract among its source's axons

	back  []backward // packed for gradients, by region
	feeds [][]feed   // what comes back into a region, by region
	paced []bool     // a sense that gives one vector a step enters the region

	parts   []*part.Part
	joining [][]int // parts whose output joins a region, by region
}

// aim is an [Aim] bound to the plan.
type aim struct {
	index    int // of the effector
	effector *wiring.Effector
	readout  head.Readout
	loss     task.Loss
	readings []task.Reading
	weight   float64
	feedback [][]float32 // by its feedback regions
}

// feed is a feedback matrix of an aim that ends in a region.
type feed struct{ aim, matrix int }

// backward holds a region's matrices packed for products with gradients.
type backward struct{ axon, synapse, gate []float32 }

func newNetwork(p *wiring.Plan, d *Data) (*network, error) {
	cells, err := p.Cells()
	if err != nil {
		return nil, err
	}
	n := &network{
		plan: p, data: d, cells: cells,
		slot:    make([]int, len(p.Tracts)),
		back:    make([]backward, len(cells)),
		feeds:   make([][]feed, len(cells)),
		paced:   make([]bool, len(cells)),
		joining: make([][]int, len(cells)),
	}
	if n.parts, err = part.Bind(p, d.Parts); err != nil {
		return nil, err
	}
	for i, x := range n.parts {
		n.joining[x.Into] = append(n.joining[x.Into], i)
	}
	var read []int
	for i := range d.Aims {
		a := &d.Aims[i]
		e := &p.Effectors[a.Effector]
		readout, err := a.Readout(p)
		if err != nil {
			return nil, err
		}
		if readout.Readings() != len(a.Loss.Readings()) {
			return nil, fmt.Errorf("effector %q has %d readings, its loss %d", e.Name, readout.Readings(), len(a.Loss.Readings()))
		}
		n.aims = append(n.aims, aim{
			index: a.Effector, effector: e, readout: readout, loss: a.Loss, readings: a.Loss.Readings(), weight: a.Weight,
			feedback: p.FeedbackWeights(p.Params, a.Effector),
		})
		read = append(read, e.Regions...)
		for k, j := range e.Feedback {
			n.feeds[j] = append(n.feeds[j], feed{i, k})
		}
	}
	if err := checkTargets(d, n.aims); err != nil {
		return nil, err
	}
	n.ticksTo = p.TicksTo(read...)
	for j, c := range cells {
		n.weights = append(n.weights, p.Weights(p.Params, j))
		for s, k := range c.Out {
			n.slot[k] = s
		}
		if n.ticksTo[j] >= 0 {
			n.active = append(n.active, j)
		}
	}
	for i := range p.Senses {
		for _, j := range p.Senses[i].Regions {
			n.paced[j] = n.paced[j] || p.Senses[i].PerTick
		}
	}
	n.refresh()
	return n, nil
}

// refresh repacks everything that depends on the parameters.
func (n *network) refresh() {
	pack := func(dst *[]float32, src []float32, k, cols int) {
		if k*cols == 0 {
			return
		}
		if *dst == nil {
			*dst = make([]float32, kernel.PackedLen(k, cols))
		}
		kernel.PackB(*dst, src, cols, false, k, cols)
	}
	for _, j := range n.active {
		c, w := n.cells[j], &n.weights[j]
		c.Refresh()
		in, out := len(c.In), len(c.Out)
		pack(&n.back[j].axon, w.Axon, out*c.Rank, c.Width)
		pack(&n.back[j].synapse, w.Synapse, c.Width, in*c.Rank)
		if w.GateState != nil {
			pack(&n.back[j].gate, w.GateState, in, c.Width)
		}
	}
	for i := range n.aims {
		n.aims[i].readout.Refresh()
	}
}

// A shard is a part of a batch, small enough for the caches, whose gradient
// one worker computes.
type shard struct {
	items []drawn
	// inputs holds, for each sense, the standardised vectors that enter,
	// [size, numbers], or [steps, size, numbers] of a sense that gives one a
	// step; zero where a sample lacks the sense.
	inputs [][]float32
	steps  int
	// weights multiply the losses of each aim's readings: a reading's weight
	// over the number of its rows in the batch.
	weights [][]float32
}

// ticks is the number of ticks that the longest episode needs.
func (s *shard) ticks(settle int) int {
	longest := settle
	for i := range s.items {
		longest = max(longest, s.items[i].last)
	}
	return longest
}

// drawn is an episode of a sample as one batch sees it: which of its targets,
// which sense alone, and the place in the epoch that names its random stream.
type drawn struct {
	sample  *Sample
	targets []*task.Target // by aim; nil where nothing is asked
	last    int            // the last tick that is read
	place   int            // in the epoch
	example int            // in the batch
	side    int            // the sense that is given alone, or −1 for all
}

// sortByLength orders episodes of a batch so that shards hold some of similar
// length; equal lengths keep their order.
func sortByLength(batch []drawn) {
	sort.SliceStable(batch, func(i, j int) bool { return batch[i].last > batch[j].last })
}
