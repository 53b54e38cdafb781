package runtime

import (
	"context"
	"fmt"
	"math"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/wiring"
)

// fused computes a plan's ticks in one loop over its regions, with nothing
// around the arithmetic: what a runtime is measured by.
type fused struct {
	cells        []*wiring.Cell
	ticks        []wiring.Tick
	driven       [][]float32
	slabs        [][]float32
	rank         int
	batch, width int
	columns      int      // how messages lie
	across       int      // numbers that one of a message takes
	from         [][]axon // of each region's incoming tracts
	prefix       []int
	axons        []float32 // scratch
}

// axon is where a tract's message lies in a slab.
type axon struct{ delay, at int }

func newFused(tb testing.TB, p *wiring.Plan, in [][]float32, batch, columns int) *fused {
	cells, err := p.Cells()
	if err != nil {
		tb.Fatal(err)
	}
	f := &fused{cells: cells, rank: p.Rank, batch: batch, columns: columns, across: max(batch, columns), ticks: make([]wiring.Tick, len(cells)), driven: make([][]float32, len(cells)), slabs: make([][]float32, p.MaxDelay()+1)}
	slot := make([]int, len(p.Tracts))
	tracts := 0
	for _, c := range cells {
		f.prefix = append(f.prefix, f.width)
		f.width += len(c.Out) * c.Rank
		for i, k := range c.Out {
			slot[k] = i
		}
		tracts = max(tracts, len(c.In))
	}
	f.axons = make([]float32, batch*f.width)
	for i := range f.slabs {
		f.slabs[i] = make([]float32, f.across*f.width)
	}
	pitch := wiring.Pitch(batch)
	gates, mixed, turned, act := make([]float32, pitch*tracts), make([]float32, pitch*tracts*p.Rank), make([]float32, wiring.TurnedLen(p.Width, batch)), make([]float32, batch*p.Width)
	for j, c := range cells {
		state, norm := make([]float32, batch*p.Width), make([]float32, batch*p.Width)
		f.ticks[j] = wiring.Tick{PrevState: state, State: state, PrevNorm: norm, Norm: norm, In: make([]wiring.Message, len(c.In)), Gates: gates, Mixed: mixed, Act: act, Columns: columns, Turned: turned}
		drive := make([]float32, batch*p.Width)
		if c.Embed(drive, in, batch) {
			f.ticks[j].Drive = drive
		}
		var from []axon
		for i, k := range c.In {
			t := &p.Tracts[k]
			from = append(from, axon{t.Delay, f.across * (f.prefix[t.From] + slot[k]*p.Rank)})
			f.ticks[j].In[i].Stride = p.Rank
		}
		f.from = append(f.from, from)
	}
	return f
}

// run computes ticks from silence.
func (f *fused) run(ticks int) {
	for _, s := range f.slabs {
		clear(s)
	}
	for j := range f.ticks {
		clear(f.ticks[j].State)
		clear(f.ticks[j].Norm)
	}
	arrives := make([][]float32, len(f.slabs))
	for t := range ticks {
		for delay := 1; delay < len(arrives); delay++ {
			arrives[delay] = f.slabs[(t-delay+len(f.slabs))%len(f.slabs)]
		}
		slab := f.slabs[t%len(f.slabs)]
		for j, c := range f.cells {
			w := &f.ticks[j]
			for i, a := range f.from[j] {
				w.In[i].Data = arrives[a.delay][a.at:]
			}
			messages, width := slab[f.across*f.prefix[j]:][:f.across*len(c.Out)*f.rank], len(c.Out)*f.rank
			w.Axons = messages
			apart := f.columns == 0 && f.batch > 1
			if apart {
				w.Axons = f.axons[:len(messages)]
			}
			c.Step(f.batch, w)
			for k := 0; k < len(c.Out) && apart; k++ {
				kernel.CopyRows(messages[k*f.batch*f.rank:], f.rank, w.Axons[k*f.rank:], width, f.batch, f.rank)
			}
		}
	}
}

// TestFusedIsTheSame holds what ticks are measured by to what they compute.
func TestFusedIsTheSame(t *testing.T) {
	p := ticking.Plan(20, 90, 12, 3)
	const ticks = 9
	for _, batch := range []int{3, 16, 21, 70} {
		in := [][]float32{ticking.Numbers(batch * ticking.Inputs)}
		n := mustNew(t, p, Default())
		if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: in, Ticks: ticks}); err != nil {
			t.Fatal(err)
		}
		for _, columns := range []int{0, wiring.Columns(batch, false)} {
			f := newFused(t, p, in, batch, columns)
			f.run(ticks)
			for j, r := range n.regions {
				if !sameBits(r.tick.State, f.ticks[j].State) {
					t.Fatalf("batch of %d, columns %d: region %d has another state", batch, columns, j)
				}
			}
		}
	}
}

// BenchmarkTick times a tick of 82 regions and 2,380 tracts, d = 64, r = 8: in
// one plain loop, with a process a region, and in one, two and eight processes.
// With -cpu 1 it shows what each costs beside the loop.
func BenchmarkTick(b *testing.B) {
	p := ticking.Plan(82, 2380, 64, 8)
	for _, batch := range []int{1, 32, 64} {
		in := [][]float32{ticking.Numbers(batch * ticking.Inputs)}
		b.Run(fmt.Sprintf("batch=%d/fused", batch), func(b *testing.B) {
			f := newFused(b, p, in, batch, wiring.Columns(batch, false))
			b.ReportAllocs()
			b.ResetTimer()
			f.run(b.N)
		})
		run := func(name string, groups [][]int, half bool) {
			b.Run(fmt.Sprintf("batch=%d/%s", batch, name), func(b *testing.B) {
				config := Default()
				config.Groups, config.Half = groups, half
				n := mustNew(b, p, config)
				if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: in, Ticks: 1}); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.ResetTimer()
				if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: in, Ticks: b.N}); err != nil {
					b.Fatal(err)
				}
			})
		}
		run("channels", ByRegion(p), false)
		for _, n := range []int{1, 2, 8} {
			run(fmt.Sprintf("grouped/p=%d", n), ByWork(p, n), false)
		}
		run("float16/p=1", ByWork(p, 1), true)
	}
}

// TestTickRatios measures, in turns, how much longer a tick takes in processes
// than in one loop on one core, the median of five, when WIRE_MEASURE is set:
// a machine that does other things beside would fail it.
func TestTickRatios(t *testing.T) {
	measure(t)
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	p := ticking.Plan(82, 2380, 64, 8)
	for _, batch := range []int{1, 32, 64} {
		in := [][]float32{ticking.Numbers(batch * ticking.Inputs)}
		f := newFused(t, p, in, batch, wiring.Columns(batch, false))
		ticks := max(4, 60/batch)
		networks := []*Network{}
		names := []string{"grouped/p=1", "grouped/p=2", "grouped/p=8", "channels"}
		for _, groups := range [][][]int{ByWork(p, 1), ByWork(p, 2), ByWork(p, 8), ByRegion(p)} {
			config := Default()
			config.Groups = groups
			networks = append(networks, mustNew(t, p, config))
		}
		ratios := make([][]float64, len(networks))
		for range 5 {
			for i, n := range networks {
				var loop, took time.Duration
				for range 8 { // short turns, so that both see the same machine
					loop += processorTime(func() { f.run(ticks) })
					took += processorTime(func() {
						if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: in, Ticks: ticks}); err != nil {
							t.Error(err)
						}
					})
				}
				ratios[i] = append(ratios[i], took.Seconds()/loop.Seconds())
			}
		}
		for i, most := range []float64{1.08, 1.15, 1.25, math.Inf(1)} {
			slices.Sort(ratios[i])
			t.Logf("batch %d, %s: %.3f times the loop (%.3f to %.3f)", batch, names[i], ratios[i][2], ratios[i][0], ratios[i][4])
			if ratios[i][2] > most {
				t.Errorf("batch %d, %s: %.3f times the loop, want at most %.2f", batch, names[i], ratios[i][2], most)
			}
		}
	}
}

// TestHalfRatio measures how much faster a tick of one input is with matrices in
// binary16, the median of five in turn, when WIRE_MEASURE is set.
func TestHalfRatio(t *testing.T) {
	measure(t)
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	p := ticking.Plan(82, 2380, 64, 8)
	in := [][]float32{ticking.Numbers(ticking.Inputs)}
	config := Default()
	config.Processes = 1
	whole := mustNew(t, p, config)
	config.Half = true
	half := mustNew(t, p, config)
	run := func(n *Network) func() {
		return func() {
			if _, err := n.Run(context.Background(), Episode{Inputs: in, Ticks: 200}); err != nil {
				t.Error(err)
			}
		}
	}
	var ratios []float64
	for range 5 {
		var a, b time.Duration
		for range 8 {
			a, b = a+processorTime(run(whole)), b+processorTime(run(half))
		}
		ratios = append(ratios, a.Seconds()/b.Seconds())
	}
	slices.Sort(ratios)
	t.Logf("binary16 is %.2f times as fast (%.2f to %.2f)", ratios[2], ratios[0], ratios[4])
	if ratios[2] < 1.5 {
		t.Errorf("binary16 is %.2f times as fast, want 1.5", ratios[2])
	}
}
