package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// randomPlan draws a plan: some regions, tracts and delays, senses of every
// way of entering, up to two effectors that feed back, and now and then parts.
func randomPlan(r *rand.Rand) *wiring.Plan {
	n := 2 + r.IntN(12)
	p := &wiring.Plan{Name: "random", Width: 3 + r.IntN(14), Rank: 1 + r.IntN(5), Ticks: wiring.Ticks{Settle: 1 + r.IntN(3), Max: 6}}
	for i := range n {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	for from := range n {
		for to := range n {
			if from != to && r.IntN(3) == 0 {
				p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: to, Weight: 1, Scale: r.Float64(), LengthMM: math.NaN(), Delay: 1 + r.IntN(1+r.IntN(5))})
			}
		}
	}
	slices.SortFunc(p.Tracts, wiring.Tract.Compare)
	some := func() []int { return r.Perm(n)[:1+r.IntN(2)] }
	p.Senses = []wiring.Sense{{Name: "image", Kind: "image", Module: "vision", Port: "embedding", Regions: some(), Width: 1 + r.IntN(9)}}
	if r.IntN(2) == 0 {
		p.Senses = append(p.Senses, wiring.Sense{Name: "rhythm", Kind: wiring.KindSeries, PerTick: true, Read: wiring.ReadWhole, Regions: some(), Width: 1 + r.IntN(5)})
	}
	if r.IntN(2) == 0 {
		p.Senses = append(p.Senses, wiring.Sense{Name: "grid", Kind: "image", Read: wiring.ReadGlimpse, Places: 1 + r.IntN(4), Regions: some(), Width: 1 + r.IntN(7)})
	}
	for i := range 1 + r.IntN(2) {
		p.Effectors = append(p.Effectors, wiring.Effector{Name: fmt.Sprint("hand", i), Head: "linear", Regions: some(), Feedback: some(), FeedbackWidth: 1 + r.IntN(6),
			Settings: wiring.Settings{"names": []string{"x"}}})
	}
	if r.IntN(4) == 0 {
		p.Modules = []wiring.ModuleRef{{Name: "vision"}, {Name: "glass"}}
		for i := range 1 + r.IntN(2) {
			p.Parts = append(p.Parts, wiring.Part{Name: fmt.Sprint("part", i), Module: "glass", Input: "picture", Output: "embedding",
				Takes: parttest.Takes, Gives: parttest.Embedding, Region: r.IntN(n), Into: r.IntN(n), Every: 1 + r.IntN(3), RankIn: r.IntN(3), RankOut: r.IntN(3)})
		}
	}
	if r.IntN(3) == 0 {
		p.Cell = wiring.CellGRU
	}
	p.FixedGates = r.IntN(4) == 0
	if r.IntN(3) == 0 {
		p.Burst = &wiring.Burst{Gain: 2 * r.Float64(), Rise: 1 + 4*r.Float64(), Fall: 1 + r.Float64(), Regions: slices.Sorted(slices.Values(r.Perm(n)[:1+r.IntN(n)]))}
	}
	p.Init(r.Uint64())
	return p
}

// givenRow is what one row of a batch is given: its inputs by sense, [steps,
// numbers] each, and when each actor is done with it.
type givenRow struct {
	inputs [][]float32
	done   []int // by effector
}

func drawRow(r *rand.Rand, p *wiring.Plan, steps, ticks int) givenRow {
	var g givenRow
	for s := range p.Senses {
		x := make([]float32, p.Senses[s].Numbers())
		if p.Senses[s].PerTick {
			x = make([]float32, steps*p.Senses[s].Numbers())
		}
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		g.inputs = append(g.inputs, x)
	}
	for range p.Effectors {
		g.done = append(g.done, r.IntN(ticks+3)) // some never
	}
	return g
}

// spoilt is a row full of what is no number.
func (g givenRow) spoilt() givenRow {
	bad := givenRow{done: g.done}
	for _, x := range g.inputs {
		bad.inputs = append(bad.inputs, slices.Repeat([]float32{float32(math.NaN())}, len(x)))
	}
	return bad
}

// episodeOf lays rows side by side.
func episodeOf(p *wiring.Plan, rows []givenRow, steps, ticks int) (Episode, []*rowParrot) {
	ep := Episode{Batch: len(rows), Steps: steps, Ticks: ticks}
	for s := range p.Senses {
		var x []float32
		times := 1
		if p.Senses[s].PerTick {
			times = steps
		}
		for k := range times {
			for _, g := range rows {
				x = append(x, g.inputs[s][k*len(g.inputs[s])/times:][:len(g.inputs[s])/times]...)
			}
		}
		ep.Inputs = append(ep.Inputs, x)
	}
	var actors []*rowParrot
	for i := range p.Effectors {
		a := &rowParrot{parrot: parrot{batch: len(rows), hidden: p.Effectors[i].FeedbackWidth, d: p.Width * len(p.Effectors[i].Regions), doneAt: -1}}
		for _, g := range rows {
			a.done = append(a.done, g.done[i])
		}
		actors = append(actors, a)
		ep.Actors = append(ep.Actors, a)
	}
	return ep, actors
}

// rowParrot is a parrot that is done with each row at another tick.
type rowParrot struct {
	parrot
	done []int
}

func (v *rowParrot) Act(ctx context.Context, tick int, norm []float32) (Reply, error) {
	rep, err := v.parrot.Act(ctx, tick, norm)
	for b, at := range v.done {
		if at == tick {
			rep.Ended = append(rep.Ended, b)
		}
	}
	return rep, err
}

// TestRowsAreAlone is the promise of batches, of groupings and of scheduling at
// once: whatever plan, whatever stands beside a request, however its regions
// are grouped and however many threads there are, it gets the bits that it gets
// alone in one process, and ends when it ends alone.
func TestRowsAreAlone(t *testing.T) {
	plans := 1000
	if testing.Short() {
		plans = 40
	}
	before := goruntime.NumGoroutine()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(0))
	modules := parttest.Open(&wiring.Plan{Width: 4, Parts: slices.Repeat([]wiring.Part{{Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding}}, 2)})
	spoilt, early := 0, 0
	for seed := range plans {
		r := rand.New(rand.NewPCG(uint64(seed), 99))
		p := randomPlan(r)
		const ticks = 9
		steps := 1 + r.IntN(4)
		config := Default()
		config.Trace, config.States = true, true
		config.Parts = modules[:len(p.Parts)]
		config.Policy = []Policy{Fail, Silence}[r.IntN(2)]
		alone := config
		alone.Processes = 1
		one := mustNew(t, p, alone)
		rows := make([]givenRow, 1+r.IntN(4))
		want := make([]*Result, len(rows))
		heard := make([][]*rowParrot, len(rows))
		for b := range rows {
			rows[b] = drawRow(r, p, steps, ticks)
			var ep Episode
			ep, heard[b] = episodeOf(p, rows[b:b+1], steps, ticks)
			var err error
			if want[b], err = one.Run(context.Background(), ep); err != nil {
				t.Fatalf("plan %d: %v", seed, err)
			}
		}
		groupings := [][][]int{ByRegion(p), ByWork(p, 1+r.IntN(4)), By(p, func(int) string { return fmt.Sprint(r.IntN(5)) })}
		for i := range 3 * len(groupings) {
			procs := []int{1, 2, 8}[i%3]
			goruntime.GOMAXPROCS(procs)
			config.Groups = groupings[i/3]
			n := mustNew(t, p, config)
			// The rows in another order, with bad neighbours anywhere between.
			var batch []givenRow
			var owner []int
			for _, b := range r.Perm(len(rows)) {
				for r.IntN(2) == 0 {
					batch, owner = append(batch, rows[b].spoilt()), append(owner, -1)
					spoilt++
				}
				batch, owner = append(batch, rows[b]), append(owner, b)
			}
			for seed%4 == 0 && len(batch) < 16+i { // in columns
				batch, owner = append(batch, rows[i%len(rows)].spoilt()), append(owner, -1)
				spoilt++
			}
			ep, got := episodeOf(p, batch, steps, ticks)
			res, err := n.Run(context.Background(), ep)
			if err != nil {
				t.Fatalf("plan %d: %v", seed, err)
			}
			for row, b := range owner {
				out := res.Requests[row]
				if b < 0 {
					if (out.Err != nil) != (config.Policy == Fail) || len(out.Faults) == 0 {
						t.Fatalf("plan %d: a row of NaN comes to %+v under %s", seed, out, config.Policy)
					}
					continue
				}
				if out.Err != nil || len(out.Faults) > 0 || out.Ticks != want[b].Ticks {
					t.Fatalf("plan %d, row %d: %+v, want %d ticks and no fault", seed, row, out, want[b].Ticks)
				}
				if out.Ticks < ticks {
					early++
				}
				for j := range p.Regions {
					for tick := range out.Ticks {
						if !sameBits(res.Trace.States[j][tick][row*p.Width:][:p.Width], want[b].Trace.States[j][tick]) {
							t.Fatalf("plan %d, GOMAXPROCS %d, %d processes, row %d: region %d has another state at tick %d than alone", seed, procs, len(n.processes), row, j, tick)
						}
					}
				}
				for i, v := range got {
					d := v.d
					for tick := range min(out.Ticks, len(heard[b][i].heard)) {
						if !sameBits(v.heard[tick][row*d:][:d], heard[b][i].heard[tick][:d]) {
							t.Fatalf("plan %d: effector %d reads something else of row %d at tick %d than alone", seed, i, row, tick)
						}
					}
				}
			}
		}
	}
	if spoilt < plans || early < plans/2 {
		t.Errorf("%d bad neighbours and %d early ends: the test shows little", spoilt, early)
	}
	for range 100 {
		if goruntime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", goruntime.NumGoroutine(), before)
}

// picky is a module that fails as soon as one of its inputs begins with more
// than a bound.
type picky struct {
	part.Module
	bound float32
	seen  *[]float32 // what the inputs began with, when not nil
	how   func() error
}

func (m picky) Run(ctx context.Context, x []float32, batch int) ([]float32, error) {
	for b := range batch {
		if m.seen != nil {
			*m.seen = append(*m.seen, x[b*parttest.Takes])
		}
		if x[b*parttest.Takes] > m.bound {
			if err := m.how(); err != nil {
				return nil, err
			}
		}
	}
	return m.Module.Run(ctx, x, batch)
}

// TestPartFailsForOne lets a part's module refuse a batch because of some of
// its rows: those fail, or go on without it, and the others notice nothing.
func TestPartFailsForOne(t *testing.T) {
	for name, how := range map[string]func() error{
		"error": func() error { return errors.New("too bright") },
		"panic": func() error { panic("too bright") },
		"hang":  func() error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that nothing hangs for real
				partFailsForOne(t, name, how)
				time.Sleep(2 * time.Hour) // let the calls that were left behind end
			})
		})
	}
}

func partFailsForOne(t *testing.T, name string, how func() error) {
	p := withParts(t)
	const batch, ticks = 8, 9
	in := inputs(batch)
	run := func(config Config, x []float32, batch int) *Result {
		config.Trace, config.States = true, true
		res, err := mustNew(t, p, config).Run(context.Background(), Episode{Batch: batch, Inputs: [][]float32{x}, Ticks: ticks})
		if err != nil && batch > 1 {
			t.Fatal(err)
		}
		return res
	}
	for _, policy := range []Policy{Fail, Silence} {
		config := Default()
		config.Policy, config.Parts = policy, parttest.Open(p)
		var seen []float32
		glass := config.Parts[0]
		config.Parts[0] = picky{glass, float32(math.Inf(1)), &seen, how}
		whole := run(config, in[0], batch)
		largest := make([]float32, batch) // of each row
		for i, v := range seen {
			largest[i%batch] = max(largest[i%batch], v)
		}
		slices.Sort(largest)
		config.Parts[0] = picky{glass, (largest[batch-3] + largest[batch-2]) / 2, nil, how}
		got := run(config, in[0], batch)
		failed := 0
		for b, out := range got.Requests {
			x := in[0][b*10:][:10]
			if len(out.Faults) == 0 {
				for j := range p.Regions {
					for tick := range ticks {
						if !sameBits(got.Trace.States[j][tick][b*p.Width:][:p.Width], whole.Trace.States[j][tick][b*p.Width:][:p.Width]) {
							t.Fatalf("%s, %s: row %d has another state because of its neighbours", name, policy, b)
						}
					}
				}
				continue
			}
			failed++
			if (out.Err != nil) != (policy == Fail) || !strings.Contains(out.Faults[0], `part "look" at tick`) {
				t.Errorf("%s, %s: row %d comes to %+v", name, policy, b, out)
			}
			if policy == Fail {
				continue
			}
			alone := run(config, x, 1)
			for j := range p.Regions {
				if !sameBits(got.Trace.States[j][ticks-1][b*p.Width:][:p.Width], alone.Trace.States[j][ticks-1]) {
					t.Errorf("%s: row %d goes on otherwise than alone", name, b)
				}
			}
		}
		if failed != 2 {
			t.Errorf("%s, %s: %d of %d rows failed, want 2", name, policy, failed, batch)
		}
	}
}

// TestBuffersServeSmallerBatches: a network that has run a large batch allocates
// nothing for others up to that size.
func TestBuffersServeSmallerBatches(t *testing.T) {
	p := smallPlan(t, 12, 40)
	n := mustNew(t, p, Default())
	for _, batch := range []int{7, 1, 3, 7, 2} {
		if _, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: inputs(batch), Ticks: 3}); err != nil {
			t.Fatal(err)
		}
		if got := n.capacity; got != 7 {
			t.Errorf("room for %d rows after a batch of %d, want 7 kept", got, batch)
		}
		want := sequential(t, p, inputs(batch), batch, 3, nil)
		for j, r := range n.regions {
			if !sameBits(r.tick.State, want[j]) {
				t.Fatalf("a batch of %d after a larger one: region %d has another state", batch, j)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	p := smallPlan(t, 12, 40)
	for i := range p.Regions {
		p.Regions[i].Lobe = []string{"frontal", "", "occipital"}[i%3]
	}
	if g := ByLobe(p); len(g) != 3 || !slices.Equal(g[1], []int{1, 4, 7, 10}) {
		t.Errorf("by lobe: %v", g)
	}
	work := Work(p)
	for _, n := range []int{1, 2, 5, 12, 40} {
		groups := ByWork(p, n)
		if len(groups) != min(n, 12) {
			t.Errorf("%d groups, want %d", len(groups), min(n, 12))
		}
		least, most := math.Inf(1), 0.0
		for _, g := range groups {
			sum := 0.0
			for _, j := range g {
				sum += work[j]
			}
			least, most = min(least, sum), max(most, sum)
		}
		if most-least > slices.Max(work) {
			t.Errorf("%d groups of %.0f to %.0f multiply-adds", n, least, most)
		}
	}
	for want, groups := range map[string][][]int{
		"in no group": {{0, 1}}, "in two": {{0, 1, 2, 3}, {3}}, "region 99": {{99}}, "no region": {{}},
	} {
		config := Default()
		config.Groups = groups
		if _, err := New(p, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("groups %v: error %v, want one with %q", groups, err, want)
		}
	}
}
