package learn

import (
	"sort"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// network is a plan made ready for learning: the cells of the regions that
// can reach the language region, and their matrices packed for both passes.
// It is shared by all workers and changes only in refresh.
type network struct {
	plan    *wiring.Plan
	data    *Data
	cells   []*wiring.Cell
	weights []wiring.Weights
	readout *wiring.Readout
	out     wiring.ReadoutWeights
	embeds  [][][]float32 // [sense][its region]

	// active are the regions that can reach the language region, which need
	// ticksTo[j] ticks to it; the others cannot matter and are left out.
	active  []int
	ticksTo []int
	slot    []int // position of a tract among its source's axons

	back []backward // packed for gradients, by region
	// Frozen matrices, packed once: the head and the words' vectors, and both
	// transposed for the way back.
	headPacked, headBack, vectorsPacked, vectorsBack []float32
	residualBack, semanticBack                       []float32
}

// backward holds a region's matrices packed for products with gradients.
type backward struct{ axon, synapse, gate []float32 }

func newNetwork(p *wiring.Plan, d *Data) (*network, error) {
	cells, err := p.Cells()
	if err != nil {
		return nil, err
	}
	readout, err := p.Readout(0)
	if err != nil {
		return nil, err
	}
	n := &network{
		plan: p, data: d, cells: cells, readout: readout,
		out:     p.ReadoutWeights(p.Params, 0),
		ticksTo: p.TicksTo(p.Effectors[0].Region),
		slot:    make([]int, len(p.Tracts)),
		back:    make([]backward, len(cells)),
	}
	for j, c := range cells {
		n.weights = append(n.weights, p.Weights(p.Params, j))
		for s, k := range c.Out {
			n.slot[k] = s
		}
		if n.ticksTo[j] >= 0 {
			n.active = append(n.active, j)
		}
	}
	for s := range p.Senses {
		_, _, embed := p.SenseWeights(p.Params, s)
		n.embeds = append(n.embeds, embed)
	}
	v, h, e := len(d.Words), d.Hidden, d.Semantic
	n.headPacked = packed(d.HeadWeight, h, true, h, v)
	n.headBack = packed(d.HeadWeight, h, false, v, h)
	n.vectorsPacked = packed(d.Vectors, e, true, e, v)
	n.vectorsBack = packed(d.Vectors, e, false, v, e)
	n.refresh()
	return n, nil
}

// packed returns op(b), a [k, n] matrix, in the kernel's panels.
func packed(b []float32, ldb int, trans bool, k, n int) []float32 {
	dst := make([]float32, kernel.PackedLen(k, n))
	kernel.PackB(dst, b, ldb, trans, k, n)
	return dst
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
		pack(&n.back[j].gate, w.GateState, in, c.Width)
	}
	n.readout.Refresh()
	pack(&n.residualBack, n.out.Residual, n.data.Hidden, n.plan.Width)
	pack(&n.semanticBack, n.out.Semantic, n.data.Semantic, n.plan.Width)
}

// A shard is a part of a batch, small enough for the caches, whose gradient
// one worker computes.
type shard struct {
	size int
	// inputs holds, for each sense, the standardised vectors that enter,
	// [size, width], zero where a sample lacks the sense; nil when all do.
	inputs   [][]float32
	captions []*Caption
	// tokenWeight and bagWeight multiply the two parts of the loss: one over
	// the number of words, or of samples with content words, in the batch.
	tokenWeight, bagWeight float32
}

// ticks is the number of ticks the longest caption needs.
func (s *shard) ticks(stare int) int {
	longest := 0
	for _, c := range s.captions {
		longest = max(longest, len(c.Words))
	}
	return stare + longest
}

// sortByLength orders samples of a batch so that shards hold captions of
// similar length; equal lengths keep their order.
func sortByLength(batch []drawn) {
	sort.SliceStable(batch, func(i, j int) bool {
		return len(batch[i].caption.Words) > len(batch[j].caption.Words)
	})
}

// drawn is a sample as one batch sees it: which of its captions, and the
// place in the epoch that names its random stream.
type drawn struct {
	sample  *Sample
	caption *Caption
	place   int
}
