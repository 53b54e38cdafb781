package runtime

import (
	"bytes"
	"context"
	"encoding/json"
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
	_ "github.com/connectomewire/wire/wiring/head" // the heads that plans name
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// smallPlan is a random plan with loops, delays of 1 to 4 ticks, a sense that
// enters two regions and an effector.
func smallPlan(t testing.TB, regions, tracts int) *wiring.Plan {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(regions)))
	p := &wiring.Plan{Name: "small", Width: 16, Rank: 4, Ticks: wiring.Ticks{Settle: 2, Max: 6}}
	for i := range regions {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i), Hemisphere: "left"})
	}
	type pair struct{ from, to int }
	seen := map[pair]bool{}
	add := func(from, to int) {
		if from == to || seen[pair{from, to}] {
			return
		}
		seen[pair{from, to}] = true
		p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: to, Weight: 1 + r.Float64(), Scale: 0.5 + r.Float64()/2,
			LengthMM: math.NaN(), Delay: 1 + r.IntN(4)})
	}
	for i := range regions {
		add(i, (i+1)%regions) // a ring, so that everything is reached
	}
	for range tracts {
		add(r.IntN(regions), r.IntN(regions))
	}
	slices.SortFunc(p.Tracts, func(a, b wiring.Tract) int {
		if a.To != b.To {
			return a.To - b.To
		}
		return a.From - b.From
	})
	p.Senses = []wiring.Sense{{Name: "image", Kind: "image", Module: "vision", Port: "embedding", Regions: []int{0, 2}, Width: 10}}
	p.Effectors = []wiring.Effector{{Name: "speech", Head: "language", Module: "language", Regions: []int{regions - 1}, Feedback: []int{3},
		FeedbackWidth: 12, Settings: wiring.Settings{"text": "text", "hidden": 12, "semantic": 8}}}
	p.Init(11)
	return p
}

func inputs(batch int) [][]float32 {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, batch*10)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return [][]float32{x}
}

// parrot is an actor that answers with a function of what it hears, so that
// any difference in what it hears changes everything that follows.
type parrot struct {
	batch, hidden, d int
	doneAt           int // -1: never
	order            bool
	heard            [][]float32
	buf              []float32
}

func (v *parrot) Reorders() bool { return v.order }

func (v *parrot) Act(_ context.Context, tick int, norm []float32) (Reply, error) {
	v.heard = append(v.heard, slices.Clone(norm))
	rep := v.reply(tick, norm)
	return rep, nil
}

func (v *parrot) reply(tick int, norm []float32) Reply {
	if v.buf == nil {
		v.buf = make([]float32, v.batch*v.hidden)
	}
	var rep Reply
	if tick >= 2 { // silent while staring
		for b := range v.batch {
			for i := range v.hidden {
				v.buf[b*v.hidden+i] = norm[b*v.d+(i+tick)%v.d] * float32(1+i%3)
			}
		}
		rep.Feedback = v.buf
	}
	if v.order && tick >= 1 {
		rep.Parents = make([]int32, v.batch)
		for b := range rep.Parents {
			rep.Parents[b] = int32((b*b + tick) % v.batch)
		}
	}
	rep.Done = v.doneAt >= 0 && tick == v.doneAt
	return rep
}

// sequential is the plain meaning of a plan: one region after the other, each
// tract a queue of copied messages.
func sequential(t testing.TB, p *wiring.Plan, in [][]float32, batch, ticks int, v *parrot) (states [][]float32) {
	t.Helper()
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	feedback := p.FeedbackWeights(p.Params, 0)
	r := p.Rank
	queues := make([][][]float32, len(p.Tracts))
	for k := range queues {
		for range p.Tracts[k].Delay {
			queues[k] = append(queues[k], make([]float32, batch*r))
		}
	}
	work := make([]*wiring.Tick, len(cells))
	for j, c := range cells {
		work[j] = c.NewTick(batch)
	}
	var hidden []float32
	held := make([][]float32, len(p.Parts))
	for tick := range ticks {
		next := make([][]float32, len(p.Tracts))
		for j, c := range cells {
			w := work[j]
			for i, k := range c.In {
				w.In[i] = wiring.Message{Data: queues[k][0], Stride: r}
				queues[k] = queues[k][1:]
			}
			drive := make([]float32, batch*p.Width)
			driven := c.Embed(drive, in, batch)
			if at := slices.Index(p.Effectors[0].Feedback, j); v != nil && at >= 0 && hidden != nil {
				norm := make([]float32, len(hidden))
				wiring.Normalise(norm, hidden, batch, len(hidden)/batch)
				wiring.AddFeedback(drive, feedback[at], norm, batch, p.Width, len(hidden)/batch)
				driven = true
			}
			for i := range p.Parts {
				if p.Parts[i].Into == j && held[i] != nil {
					for k := range drive {
						drive[k] += held[i][k]
					}
					driven = true
				}
			}
			w.Drive = nil
			if driven {
				w.Drive = drive
			}
			c.Step(batch, w)
			for i, k := range c.Out {
				m := c.Message(w, i)
				flat := make([]float32, 0, batch*r)
				for b := range batch {
					flat = append(flat, m.Data[b*m.Stride:][:r]...)
				}
				next[k] = flat
			}
		}
		for k := range queues {
			queues[k] = append(queues[k], next[k])
		}
		fill(t, p, work, held, tick+1, batch)
		if v == nil {
			continue
		}
		norm := work[p.Effectors[0].Regions[0]].Norm
		v.heard = append(v.heard, slices.Clone(norm))
		rep := v.reply(tick, norm)
		if rep.Done {
			break
		}
		hidden = slices.Clone(rep.Feedback)
		if rep.Parents != nil {
			permute := func(x []float32) {
				n := len(x) / batch
				old := slices.Clone(x)
				for b, from := range rep.Parents {
					copy(x[b*n:][:n], old[int(from)*n:][:n])
				}
			}
			for j := range work {
				permute(work[j].State)
				permute(work[j].Norm)
				if work[j].Stored != nil {
					permute(work[j].Stored)
				}
			}
			for k := range queues {
				for _, m := range queues[k] {
					permute(m)
				}
			}
			for i := range held {
				permute(held[i])
			}
		}
	}
	for j := range work {
		states = append(states, slices.Clone(work[j].State))
	}
	return states
}

// fill runs the modules of the parts whose turn it is after a tick, counted
// from 1.
func fill(t testing.TB, p *wiring.Plan, work []*wiring.Tick, held [][]float32, tick, batch int) {
	t.Helper()
	parts, err := part.Bind(p, parttest.Open(p))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range parts {
		if tick%x.Every != 0 {
			continue
		}
		in := make([]float32, batch*x.Takes)
		x.Take(in, work[x.Region].Norm, batch)
		held[i] = make([]float32, batch*p.Width)
		if err := x.Give(context.Background(), held[i], in, batch); err != nil {
			t.Fatal(err)
		}
	}
}

// withParts is smallPlan with three modules inside its regions: one that runs
// at every tick, one every third between two regions, and one that reads what
// the second joined and joins what that reads, so that they form a loop.
func withParts(t testing.TB) *wiring.Plan {
	t.Helper()
	p := smallPlan(t, 12, 40)
	p.Modules = []wiring.ModuleRef{{Name: "vision"}, {Name: "language"}, {Name: "text"}, {Name: "glass"}}
	p.Parts = []wiring.Part{
		{Name: "look", Module: "glass", Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding, Region: 1, Into: 1, Every: 1},
		{Name: "far", Module: "glass", Input: "picture", Output: "grid", Takes: parttest.Takes, Gives: parttest.Grid, Region: 4, Into: 6, Every: 3, RankIn: 3, RankOut: 2},
		{Name: "back", Module: "glass", Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding, Region: 6, Into: 4, Every: 2, RankIn: 5},
	}
	p.Init(11)
	return p
}

func mustNew(t testing.TB, p *wiring.Plan, c Config) *Network {
	t.Helper()
	if len(p.Parts) > 0 && c.Parts == nil {
		c.Parts = parttest.Open(p)
	}
	n, err := New(p, c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// TestSameBits is the central promise: the network of goroutines computes,
// bit for bit, what stepping one region after the other does, whatever the
// number of threads, with and without a voice, early end and reordering.
func TestSameBits(t *testing.T) {
	t.Run("tracts", func(t *testing.T) { sameAsStepping(t, smallPlan(t, 12, 40)) })
	t.Run("parts", func(t *testing.T) { sameAsStepping(t, withParts(t)) })
	t.Run("bursts", func(t *testing.T) {
		p := smallPlan(t, 12, 40)
		p.Burst = &wiring.Burst{Gain: 1.5, Rise: 2, Fall: 1.5, Regions: []int{0, 3, 4, 5, 8}}
		sameAsStepping(t, p)
	})
	t.Run("gated recurrent units", func(t *testing.T) {
		p := withParts(t)
		p.Cell, p.FixedGates = wiring.CellGRU, true
		p.Init(11)
		sameAsStepping(t, p)
	})
}

func sameAsStepping(t *testing.T, p *wiring.Plan) {
	e := p.Effectors[0]
	for _, c := range []struct {
		name   string
		batch  int
		voice  bool
		doneAt int
		order  bool
	}{
		{"no voice", 1, false, -1, false},
		{"batch", 5, false, -1, false},
		{"voice", 1, true, -1, false},
		{"voice, batch, early end", 3, true, 7, false},
		{"beams", 4, true, -1, true},
		{"beams, early end", 6, true, 8, true},
		{"voice, in columns", 16, true, -1, false},
		{"beams, in columns", 19, true, -1, true},
	} {
		const ticks = 14
		newVoice := func() *parrot {
			if !c.voice {
				return nil
			}
			return &parrot{batch: c.batch, hidden: e.FeedbackWidth, d: p.Width, doneAt: c.doneAt, order: c.order}
		}
		want := newVoice()
		states := sequential(t, p, inputs(c.batch), c.batch, ticks, want)
		for _, procs := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%s/GOMAXPROCS=%d", c.name, procs), func(t *testing.T) {
				defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
				config := Default()
				config.Processes = map[int]int{1: 12, 2: 1, 8: 3}[procs]
				config.Trace = procs == 2 // tracing must not change anything
				n := mustNew(t, p, config)
				for range 3 { // the second episode must not see the first
					ep := Episode{Batch: c.batch, Inputs: inputs(c.batch), Ticks: ticks}
					got := newVoice()
					if got != nil {
						ep.Actors = []Actor{got}
					}
					if c.order {
						ep.Requests = make([]int, c.batch) // all beams of one
					}
					res, err := n.Run(context.Background(), ep)
					if err != nil {
						t.Fatal(err)
					}
					wantTicks := ticks
					if c.doneAt >= 0 {
						wantTicks = c.doneAt + 1
					}
					if res.Ticks != wantTicks {
						t.Fatalf("%d ticks, want %d", res.Ticks, wantTicks)
					}
					if got != nil {
						for k := range want.heard {
							if !sameBits(got.heard[k], want.heard[k]) {
								t.Fatalf("the voice hears something else at tick %d", k)
							}
						}
						if len(got.heard) != len(want.heard) {
							t.Fatalf("heard %d ticks, want %d", len(got.heard), len(want.heard))
						}
					}
					if c.doneAt < 0 && !c.order {
						for j, r := range n.regions {
							if !sameBits(r.tick.State, states[j]) {
								t.Fatalf("region %d ends in another state", j)
							}
						}
					}
				}
			})
		}
	}
}

func TestSpeechChangesTheNetwork(t *testing.T) {
	// A guard of the tests above: were the feedback not wired, they would
	// compare two networks that both ignore it.
	p := smallPlan(t, 12, 40)
	silent, speaking := &parrot{batch: 1, hidden: 12, d: 16, doneAt: -1}, &parrot{batch: 1, hidden: 12, d: 16, doneAt: -1}
	n := mustNew(t, p, Default())
	for v, hidden := range map[*parrot]bool{silent: false, speaking: true} {
		var voice Actor = v
		if !hidden {
			voice = mute{v}
		}
		if _, err := n.Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 14, Actors: []Actor{voice}}); err != nil {
			t.Fatal(err)
		}
	}
	if sameBits(silent.heard[13], speaking.heard[13]) {
		t.Error("what was said never came back")
	}
}

type mute struct{ *parrot }

func (m mute) Act(ctx context.Context, tick int, norm []float32) (Reply, error) {
	_, err := m.parrot.Act(ctx, tick, norm)
	return Reply{}, err
}

func TestNoAllocationPerTick(t *testing.T) {
	p := smallPlan(t, 12, 40)
	n := mustNew(t, p, Default())
	in := inputs(2)
	run := func(ticks int) float64 {
		ep := Episode{Batch: 2, Inputs: in, Ticks: ticks}
		return testing.AllocsPerRun(20, func() {
			if _, err := n.Run(context.Background(), ep); err != nil {
				t.Error(err)
			}
		})
	}
	short, long := run(10), run(1010)
	if perTick := (long - short) / 1000; perTick > 0.01 {
		t.Errorf("%.3f allocations a tick (10 ticks: %.0f, 1010 ticks: %.0f)", perTick, short, long)
	}
}

func TestLesions(t *testing.T) {
	p := smallPlan(t, 8, 20)
	config := Default()
	config.Trace = true
	whole, err := mustNew(t, p, config).Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 8})
	if err != nil {
		t.Fatal(err)
	}
	config.LesionRegions = []int{2}
	config.LesionTracts = []int{5}
	cut, err := mustNew(t, p, config).Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 8})
	if err != nil {
		t.Fatal(err)
	}
	for tick := range 8 {
		if cut.Trace.State[2][tick] != 0 {
			t.Errorf("the silenced region has state %g at tick %d", cut.Trace.State[2][tick], tick)
		}
		if cut.Trace.Flow[5][tick] != 0 {
			t.Errorf("the cut tract carries %g at tick %d", cut.Trace.Flow[5][tick], tick)
		}
		for k, tract := range p.Tracts {
			if tract.From == 2 && cut.Trace.Flow[k][tick] != 0 {
				t.Errorf("a tract out of the silenced region carries %g", cut.Trace.Flow[k][tick])
			}
		}
	}
	if whole.Trace.State[2][7] == 0 || whole.Trace.Flow[5][7] == 0 {
		t.Error("the unlesioned network is silent there, too: the test shows nothing")
	}
	for _, bad := range []Config{{Policy: Fail, LesionRegions: []int{8}}, {Policy: Fail, LesionTracts: []int{-1}}} {
		if _, err := New(p, bad); err == nil {
			t.Errorf("lesion %v %v of what is not there is accepted", bad.LesionRegions, bad.LesionTracts)
		}
	}
}

// TestCutsOfABatchAreLesions runs a batch of one input with a tract cut in
// each copy, and the same cuts as lesions of the whole network.
func TestCutsOfABatchAreLesions(t *testing.T) {
	p := smallPlan(t, 8, 20)
	for _, repeated := range []int{1, 5} { // in rows and in columns
		cutsAreLesions(t, p, slices.Repeat([]int{-1, 5, 0, len(p.Tracts) - 1}, repeated))
	}
}

func cutsAreLesions(t *testing.T, p *wiring.Plan, cuts []int) {
	one := inputs(1)
	var many []float32
	for range cuts {
		many = append(many, one[0]...)
	}
	hear := func(n *Network, x []float32, cuts []int) [][]float32 {
		v := &parrot{batch: len(cuts), hidden: p.Effectors[0].FeedbackWidth, d: p.Width, doneAt: -1}
		if _, err := n.Run(context.Background(), Episode{Batch: len(cuts), Inputs: [][]float32{x}, Ticks: 16, Actors: []Actor{v}, Cut: cuts}); err != nil {
			t.Fatal(err)
		}
		return v.heard
	}
	n := mustNew(t, p, Default())
	batch := hear(n, many, cuts)
	intact := hear(n, one[0], []int{-1})
	changes := 0
	for b, k := range cuts {
		config := Default()
		if k >= 0 {
			config.LesionTracts = []int{k}
		}
		alone := hear(mustNew(t, p, config), one[0], []int{-1})
		changed := false
		for tick := range alone {
			if got := batch[tick][b*p.Width:][:p.Width]; !slices.Equal(got, alone[tick]) {
				t.Fatalf("cut %d, tick %d: the batch hears %v, a lesioned network %v", k, tick, got[:4], alone[tick][:4])
			}
			changed = changed || !slices.Equal(alone[tick], intact[tick])
		}
		if changed {
			changes++
		}
		if changed && k < 0 {
			t.Error("what is heard changes without a cut")
		}
	}
	if changes == 0 {
		t.Error("no cut changes what is heard: the test shows nothing")
	}
	for _, bad := range [][]int{{0, 1}, {-2}, {len(p.Tracts)}} {
		if _, err := n.Run(context.Background(), Episode{Inputs: one, Ticks: 2, Cut: bad}); err == nil {
			t.Errorf("cuts %v are accepted", bad)
		}
	}
	v := &parrot{batch: 1, hidden: p.Effectors[0].FeedbackWidth, d: p.Width, doneAt: -1, order: true}
	if _, err := n.Run(context.Background(), Episode{Inputs: one, Ticks: 2, Actors: []Actor{v}, Cut: []int{1}}); err == nil {
		t.Error("cuts with a voice that reorders are accepted")
	}
}

func TestStateThatIsNoNumber(t *testing.T) {
	p := smallPlan(t, 8, 20)
	x := inputs(1)
	x[0][3] = float32(math.NaN())
	_, err := mustNew(t, p, Default()).Run(context.Background(), Episode{Inputs: x, Ticks: 8})
	if err == nil || !strings.Contains(err.Error(), `region "r0"`) || !strings.Contains(err.Error(), "tick 0") {
		t.Errorf("error %v; want one that names region r0 and tick 0", err)
	}
	config := Default()
	config.Policy = Silence
	config.Trace = true
	res, err := mustNew(t, p, config).Run(context.Background(), Episode{Inputs: x, Ticks: 8})
	if err != nil {
		t.Fatal(err)
	}
	if faults := res.Requests[0].Faults; len(faults) != 2 || len(res.Trace.Notes) != 2 {
		t.Errorf("faults %q; want one for each of the two regions that the sense enters", faults)
	}
	for j := range p.Regions {
		for _, v := range res.Trace.State[j] {
			if math.IsNaN(float64(v)) {
				t.Fatalf("NaN spread to region %d", j)
			}
		}
	}
}

func TestGuard(t *testing.T) {
	broken := errors.New("broken")
	ctx := context.Background()
	t.Run("retry", func(t *testing.T) {
		calls := 0
		c := Config{Policy: Retry, Retries: 2}
		if err := c.Guard(ctx, "m", func(context.Context) error {
			if calls++; calls < 3 {
				return broken
			}
			return nil
		}); err != nil || calls != 3 {
			t.Errorf("%d calls, error %v; want success at the third", calls, err)
		}
		calls = -100
		if err := c.Guard(ctx, "m", func(context.Context) error { calls++; return broken }); !errors.Is(err, broken) || calls != -97 {
			t.Errorf("%d calls, error %v; want 3 and the failure", calls+100, err)
		}
	})
	t.Run("panic", func(t *testing.T) {
		err := Config{Policy: Fail}.Guard(ctx, "vision", func(context.Context) error { panic("shape") })
		var p *PanicError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), `"vision"`) || !strings.Contains(err.Error(), "shape") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("silence", func(t *testing.T) {
		err := Config{Policy: Silence}.Guard(ctx, "vision", func(context.Context) error { return broken })
		if !errors.Is(err, ErrSilenced) || !errors.Is(err, broken) {
			t.Errorf("error %v; want both ErrSilenced and the failure", err)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			err := Config{Policy: Fail, ModuleTimeout: time.Minute}.Guard(ctx, "slow", func(context.Context) error {
				time.Sleep(time.Hour) // a module that does not heed its context
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "1m0s") || time.Since(begin) != time.Minute {
				t.Errorf("error %v after %v", err, time.Since(begin))
			}
			time.Sleep(2 * time.Hour) // let the call that was left behind end
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		calls := 0
		err := Config{Policy: Retry, Retries: 5}.Guard(ctx, "m", func(context.Context) error { calls++; cancel(); return broken })
		if !errors.Is(err, context.Canceled) || calls != 1 {
			t.Errorf("%d calls, error %v; want 1 and context.Canceled", calls, err)
		}
	})
	if err := CheckFinite([]float32{1, float32(math.Inf(1))}); err == nil || !strings.Contains(err.Error(), "element 1") {
		t.Errorf("infinite output: %v", err)
	}
}

// slow is a voice that takes its time.
type slow struct {
	parrot
	trace *Trace
	pause func(tick int)
}

func (v *slow) Act(ctx context.Context, tick int, norm []float32) (Reply, error) {
	v.pause(tick)
	return v.parrot.Act(ctx, tick, norm)
}

// TestBackpressure: while the voice is busy the regions wait; no region runs
// ahead by more than its delays allow, and nothing piles up.
func TestBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := smallPlan(t, 12, 40)
		config := Default()
		config.Trace, config.Groups = true, ByRegion(p)
		n := mustNew(t, p, config)
		v := &slow{parrot: parrot{batch: 1, hidden: 12, d: 16, doneAt: -1}}
		furthest := 0
		v.pause = func(tick int) {
			if tick != 5 {
				return
			}
			synctest.Wait() // every region has gone as far as it can
			for _, r := range n.regions {
				for _, s := range r.process.sources {
					if len(s.ch) > s.least+1 {
						t.Errorf("%d messages wait in a tract of delay %d", len(s.ch), s.least)
					}
				}
				done := 0
				for done < len(v.trace.State[r.index]) && v.trace.State[r.index][done] != 0 {
					done++
				}
				furthest = max(furthest, done)
			}
		}
		n.onBegin = func(e *episode) { v.trace = e.trace }
		if _, err := n.Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 1000, Actors: []Actor{v}}); err != nil {
			t.Fatal(err)
		}
		// Words come back to region 3; on the way round the ring of 12 every
		// region may be δ+1 = 5 ticks ahead of the next.
		if furthest < 6 || furthest > 6+12*5 {
			t.Errorf("a region was at tick %d while the voice was at 5", furthest)
		}
	})
}

func TestCancelAndPanicLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := smallPlan(t, 12, 40)
		n := mustNew(t, p, Default())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		hangs := &slow{parrot: parrot{batch: 1, hidden: 12, d: 16, doneAt: -1}}
		hangs.pause = func(int) { <-ctx.Done() }
		if _, err := n.Run(ctx, Episode{Inputs: inputs(1), Ticks: 50, Actors: []Actor{hangs}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled: error %v", err)
		}
		panics := &slow{parrot: parrot{batch: 1, hidden: 12, d: 16, doneAt: -1}}
		panics.pause = func(tick int) {
			if tick == 4 {
				panic("boo")
			}
		}
		_, err := n.Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 50, Actors: []Actor{panics}})
		if err == nil || !strings.Contains(err.Error(), "tick 4") || !strings.Contains(err.Error(), "boo") {
			t.Errorf("panicking voice: error %v", err)
		}
		// The network is as good as new, and synctest fails if a goroutine is left.
		want := sequential(t, p, inputs(1), 1, 9, nil)
		if _, err := n.Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 9}); err != nil {
			t.Fatal(err)
		}
		for j, r := range n.regions {
			if !sameBits(r.tick.State, want[j]) {
				t.Fatalf("region %d is not what it was before the failures", j)
			}
		}
	})
}

// TestChaos lets the scheduler do its worst: random pauses in the voice,
// random ends and cancellations; whatever completes must be the same.
func TestChaos(t *testing.T) {
	p := smallPlan(t, 20, 90)
	n := mustNew(t, p, Default())
	r := rand.New(rand.NewPCG(5, 6))
	want := &parrot{batch: 2, hidden: 12, d: 16, doneAt: -1}
	sequential(t, p, inputs(2), 2, 30, want)
	for round := range 60 {
		procs := goruntime.GOMAXPROCS(1 + r.IntN(6))
		v := &slow{parrot: parrot{batch: 2, hidden: 12, d: 16, doneAt: r.IntN(30)}}
		v.pause = func(int) {
			for range r.IntN(4) {
				goruntime.Gosched()
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		if round%5 == 4 {
			time.AfterFunc(time.Duration(r.IntN(500))*time.Microsecond, cancel)
		}
		_, err := n.Run(ctx, Episode{Batch: 2, Inputs: inputs(2), Ticks: 30, Actors: []Actor{v}})
		cancel()
		goruntime.GOMAXPROCS(procs)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for k := range v.heard {
			if !sameBits(v.heard[k], want.heard[k]) {
				t.Fatalf("round %d differs at tick %d", round, k)
			}
		}
		if err == nil && len(v.heard) != v.doneAt+1 {
			t.Fatalf("round %d: heard %d ticks, want %d", round, len(v.heard), v.doneAt+1)
		}
	}
}

func TestTraceIsTheSameButForTimes(t *testing.T) {
	p := smallPlan(t, 12, 40)
	config := Default()
	config.Trace = true
	n := mustNew(t, p, config)
	var traces []*Trace
	for _, procs := range []int{1, 8} {
		old := goruntime.GOMAXPROCS(procs)
		v := &parrot{batch: 1, hidden: 12, d: 16, doneAt: 9}
		res, err := n.Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 30, Actors: []Actor{v}})
		goruntime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		traces = append(traces, res.Trace)
	}
	a, b := traces[0], traces[1]
	if a.Ticks != 10 || b.Ticks != 10 {
		t.Fatalf("%d and %d ticks, want 10", a.Ticks, b.Ticks)
	}
	for j := range a.State {
		if !sameBits(a.State[j][:10], b.State[j][:10]) {
			t.Errorf("states of region %d differ", j)
		}
	}
	for k := range a.Flow {
		if !sameBits(a.Flow[k][:10], b.Flow[k][:10]) || !sameBits(a.Gate[k][:10], b.Gate[k][:10]) {
			t.Errorf("tract %d differs", k)
		}
	}
	top := a.Strongest(5)
	if len(top) != 5 || top[0].Flow < top[4].Flow || top[0].Flow <= 0 || top[0].Gate <= 0 || top[0].Gate >= 1 {
		t.Errorf("strongest tracts %+v", top)
	}
	if all := a.Strongest(0); len(all) != len(p.Tracts) {
		t.Errorf("%d tracts, want all %d", len(all), len(p.Tracts))
	}
}

func TestChromeTrace(t *testing.T) {
	p := smallPlan(t, 6, 10)
	config := Default()
	config.Trace = true
	res, err := mustNew(t, p, config).Run(context.Background(), Episode{Inputs: inputs(1), Ticks: 4})
	if err != nil {
		t.Fatal(err)
	}
	res.Trace.Modules = []Call{{Module: "vision", Begin: -3 * time.Millisecond, End: -time.Millisecond}}
	var out bytes.Buffer
	if err := res.Trace.WriteChrome(&out); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		TraceEvents []struct {
			Name, Ph string
			Ts, Dur  float64
			Pid, Tid int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	ticks, modules := 0, 0
	for _, e := range doc.TraceEvents {
		if e.Ts < 0 || e.Dur < 0 {
			t.Errorf("%s at %g for %g µs", e.Name, e.Ts, e.Dur)
		}
		if e.Ph == "X" && e.Pid == chromeRegions {
			ticks++
		}
		if e.Ph == "X" && e.Pid == chromeModules {
			modules++
		}
	}
	if ticks != 6*4 || modules != 1 {
		t.Errorf("%d region ticks and %d module calls; want 24 and 1", ticks, modules)
	}
}

func TestBadEpisodes(t *testing.T) {
	p := smallPlan(t, 6, 10)
	n := mustNew(t, p, Default())
	for want, ep := range map[string]Episode{
		"1 or more":   {Ticks: 0},
		"2 inputs":    {Ticks: 3, Batch: 2, Inputs: inputs(1)},
		"1 senses":    {Ticks: 3, Inputs: [][]float32{nil, nil}},
		"parents for": {Ticks: 9, Actors: []Actor{badVoice{Reply{Parents: []int32{0, 1}}}}},
		"continues":   {Ticks: 9, Actors: []Actor{badVoice{Reply{Parents: []int32{1}}}}},
		"want 12":     {Ticks: 9, Actors: []Actor{badVoice{Reply{Feedback: []float32{1}}}}},
	} {
		if _, err := n.Run(context.Background(), ep); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		}
	}
	if err := (Config{Policy: "pray"}).Validate(); err == nil || !strings.Contains(err.Error(), "pray") {
		t.Errorf("unknown policy: %v", err)
	}
	untrained := smallPlan(t, 4, 4)
	untrained.Params = nil
	if _, err := New(untrained, Default()); err == nil {
		t.Error("a plan without parameters runs")
	}
}

type badVoice struct{ Reply }

func (badVoice) Reorders() bool { return true }
func (v badVoice) Act(context.Context, int, []float32) (Reply, error) {
	return v.Reply, nil
}

func TestLesionsByName(t *testing.T) {
	p := &wiring.Plan{Name: "p", Regions: []wiring.Region{{Label: "eye"}, {Label: "mouth"}}, Tracts: []wiring.Tract{{From: 0, To: 1}}, Parts: []wiring.Part{{Name: "look"}}}
	var c Config
	err := c.Lesion(p, []string{"mouth", "eye:mouth", "look"})
	if err != nil || !slices.Equal(c.LesionRegions, []int{1}) || !slices.Equal(c.LesionTracts, []int{0}) || !slices.Equal(c.LesionParts, []int{0}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, name := range []string{"nose", "mouth:eye", "eye:nose"} {
		if err := c.Lesion(p, []string{name}); err == nil {
			t.Errorf("%s was found", name)
		}
	}
}

// branching is smallPlan with a second effector that reads two regions, feeds
// back into two, and does something else; a series enters one region and a grid
// is glimpsed at in another.
func branching(t testing.TB) *wiring.Plan {
	t.Helper()
	p := smallPlan(t, 12, 40)
	p.Senses = append(p.Senses,
		wiring.Sense{Name: "rhythm", Kind: wiring.KindSeries, PerTick: true, Read: wiring.ReadWhole, Regions: []int{1, 2}, Width: 5},
		wiring.Sense{Name: "grid", Kind: "image", Read: wiring.ReadGlimpse, Places: 4, Regions: []int{2, 6}, Width: 7})
	p.Effectors = append(p.Effectors, wiring.Effector{Name: "hand", Head: "linear", Regions: []int{4, 7, 9}, Feedback: []int{3, 5}, FeedbackWidth: 6,
		Settings: wiring.Settings{"names": []string{"x"}}})
	p.Init(11)
	return p
}

// TestEffectorsTogether holds a network with two actors, several regions read
// side by side, feedback into two, a series and a glimpse to stepping its
// regions one after the other, and its end to the later of the actors.
func TestEffectorsTogether(t *testing.T) {
	p := branching(t)
	const batch, steps, ticks = 2, 6, 12
	r := rand.New(rand.NewPCG(5, 5))
	in := make([][]float32, len(p.Senses))
	for s := range p.Senses {
		n := batch * p.Senses[s].Numbers()
		if p.Senses[s].PerTick {
			n *= steps
		}
		for range n {
			in[s] = append(in[s], float32(r.NormFloat64()))
		}
	}
	for _, done := range [][2]int{{-1, -1}, {4, 9}, {9, 4}, {7, 7}, {-1, 3}} {
		actors := func() []*parrot {
			return []*parrot{{batch: batch, hidden: 12, d: p.Width, doneAt: done[0]}, {batch: batch, hidden: 6, d: 3 * p.Width, doneAt: done[1]}}
		}
		want := actors()
		last := plainly(t, p, in, batch, steps, ticks, want)
		for _, procs := range []int{1, 2, 8} {
			before := goruntime.GOMAXPROCS(procs)
			n := mustNew(t, p, Default())
			got := actors()
			res, err := n.Run(context.Background(), Episode{Batch: batch, Inputs: in, Steps: steps, Ticks: ticks, Actors: []Actor{got[0], got[1]}})
			goruntime.GOMAXPROCS(before)
			if err != nil {
				t.Fatal(err)
			}
			if res.Ticks != last+1 {
				t.Errorf("done at %v: %d ticks, want %d", done, res.Ticks, last+1)
			}
			for i := range got {
				if len(got[i].heard) != len(want[i].heard) {
					t.Fatalf("done at %v, effector %d: read %d ticks, want %d", done, i, len(got[i].heard), len(want[i].heard))
				}
				for k := range want[i].heard {
					if !sameBits(got[i].heard[k], want[i].heard[k]) {
						t.Fatalf("done at %v, effector %d reads something else at tick %d", done, i, k)
					}
				}
			}
		}
	}
}

// plainly steps the regions of a plan without reordering one after the other,
// and returns the episode's last tick.
func plainly(t testing.TB, p *wiring.Plan, in [][]float32, batch, steps, ticks int, actors []*parrot) (last int) {
	t.Helper()
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	queues := make([][][]float32, len(p.Tracts))
	for k := range queues {
		for range p.Tracts[k].Delay {
			queues[k] = append(queues[k], make([]float32, batch*p.Rank))
		}
	}
	work := make([]*wiring.Tick, len(cells))
	for j, c := range cells {
		work[j] = c.NewTick(batch)
	}
	back := make([][]float32, len(actors))
	done := make([]bool, len(actors))
	for tick := range ticks {
		next := make([][]float32, len(p.Tracts))
		for j, c := range cells {
			w := work[j]
			for i, k := range c.In {
				w.In[i] = wiring.Message{Data: queues[k][0], Stride: p.Rank}
				queues[k] = queues[k][1:]
			}
			drive := make([]float32, batch*p.Width)
			constant, step := make([][]float32, len(in)), make([][]float32, len(in))
			for s, x := range in {
				if !p.Senses[s].PerTick {
					constant[s] = x
				} else if k := tick / p.Ticks.Settle; k < steps {
					n := batch * p.Senses[s].Width
					step[s] = x[k*n:][:n]
				}
			}
			c.Embed(drive, constant, batch)
			paced := make([]float32, len(drive))
			c.Embed(paced, step, batch)
			for i := range drive {
				drive[i] += paced[i]
			}
			for _, g := range c.Glimpses() {
				g.Look(drive, in[g.Sense], w.Norm, make([]float32, batch*g.Places), make([]float32, batch*g.Width), make([]float32, batch*g.Width), batch)
			}
			for e := range actors {
				if at := slices.Index(p.Effectors[e].Feedback, j); at >= 0 && back[e] != nil {
					norm := make([]float32, len(back[e]))
					width := p.Effectors[e].FeedbackWidth
					wiring.Normalise(norm, back[e], batch, width)
					wiring.AddFeedback(drive, p.FeedbackWeights(p.Params, e)[at], norm, batch, p.Width, width)
				}
			}
			w.Drive = drive
			c.Step(batch, w)
			for i, k := range c.Out {
				m := c.Message(w, i)
				for b := range batch {
					next[k] = append(next[k], m.Data[b*m.Stride:][:p.Rank]...)
				}
			}
		}
		for k := range queues {
			queues[k] = append(queues[k], next[k])
		}
		busy := false
		for e, v := range actors {
			back[e] = nil
			if done[e] {
				continue
			}
			regions := p.Effectors[e].Regions
			norm := make([]float32, 0, batch*p.Width*len(regions))
			for b := range batch {
				for _, j := range regions {
					norm = append(norm, work[j].Norm[b*p.Width:][:p.Width]...)
				}
			}
			v.heard = append(v.heard, norm)
			rep := v.reply(tick, norm)
			done[e] = rep.Done
			if !rep.Done {
				back[e], busy = slices.Clone(rep.Feedback), true
			}
		}
		if last = tick; !busy {
			break
		}
	}
	return last
}

func TestOnlyOneActorReorders(t *testing.T) {
	p := branching(t)
	n := mustNew(t, p, Default())
	beam := func() Actor { return &parrot{batch: 1, hidden: 12, d: p.Width, doneAt: -1, order: true} }
	_, err := n.Run(context.Background(), Episode{Ticks: 3, Actors: []Actor{beam(), beam()}})
	if err == nil || !strings.Contains(err.Error(), "only one may") {
		t.Errorf("error %v, want a refusal of two actors that reorder", err)
	}
}
