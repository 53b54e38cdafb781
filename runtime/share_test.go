package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// chanTeam are workers in the same process, with a channel for each lane.
type chanTeam struct {
	workers []*Network // nil for the coordinator
	room    int        // messages that a channel holds
}

// chanExchange is one worker's end.
type chanExchange struct {
	own   int
	lanes [][][Lanes]chan []byte // [from][to]
	ctx   context.Context        // ends with the error of a worker
	over  func()
}

func (t *chanTeam) Begin(ctx context.Context, h Heading) (Exchange, error) {
	ctx, stop := context.WithCancelCause(ctx)
	lanes := make([][][Lanes]chan []byte, len(t.workers))
	for from := range lanes {
		lanes[from] = make([][Lanes]chan []byte, len(lanes))
		for to := range lanes {
			for l := range Lanes {
				lanes[from][to][l] = make(chan []byte, t.room)
			}
		}
	}
	var joined sync.WaitGroup
	for w, n := range t.workers {
		if n != nil {
			joined.Go(func() {
				if err := n.Join(ctx, h, &chanExchange{w, lanes, ctx, nil}); err != nil {
					stop(fmt.Errorf("worker %d: %w", w, err))
				}
			})
		}
	}
	return &chanExchange{0, lanes, ctx, func() { stop(nil); joined.Wait() }}, nil
}

func (x *chanExchange) Send(ctx context.Context, to int, l Lane, data []byte) error {
	select {
	case x.lanes[x.own][to][l] <- slices.Clone(data):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-x.ctx.Done():
		return context.Cause(x.ctx)
	}
}

func (x *chanExchange) Receive(ctx context.Context, from int, l Lane) ([]byte, error) {
	select {
	case data := <-x.lanes[from][x.own][l]:
		return data, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-x.ctx.Done():
		return nil, context.Cause(x.ctx)
	}
}

func (x *chanExchange) Close() error { x.over(); return nil }

// draw divides a plan's regions among workers at random.
func drawWorkers(r *rand.Rand, p *wiring.Plan, most int) [][]int {
	workers := make([][]int, 1+r.IntN(most))
	bound := Bound(p)
	for j := range p.Regions {
		w := r.IntN(len(workers))
		if contains(bound, j) {
			w = 0
		}
		workers[w] = append(workers[w], j)
	}
	return slices.DeleteFunc(workers, func(g []int) bool { return len(g) == 0 })
}

// shared makes a network for each worker; the first is the coordinator's.
func shared(t *testing.T, p *wiring.Plan, c Config, workers [][]int, r *rand.Rand) (all []*Network) {
	t.Helper()
	team := &chanTeam{workers: make([]*Network, len(workers)), room: r.IntN(3)}
	all = make([]*Network, len(workers))
	for w := range workers {
		own := c
		own.Share = &Share{Workers: workers, Own: w}
		own.Processes = 1 + r.IntN(3)
		if w == 0 {
			own.Share.Team = team
		} else {
			own.Parts = nil
		}
		n, err := New(p, own)
		if err != nil {
			t.Fatal(err)
		}
		if all[w] = n; w > 0 {
			team.workers[w] = n
		}
	}
	return all
}

// TestWorkersGiveTheSameBits steps random plans in up to five networks, with
// batches, feedback, parts, beams, cuts, lesions, requests that fail and episodes
// that continue: what effectors hear, the states that are left and the outcomes are
// those of one network.
func TestWorkersGiveTheSameBits(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	glass := parttest.Open(&wiring.Plan{Width: 4, Parts: []wiring.Part{{Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding}}})[0]
	happened := map[string]int{}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) {
			workersGiveTheSameBits(t, rand.New(rand.NewPCG(uint64(round), 23)), glass, happened)
		})
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	for _, what := range []string{"shared", "faults", "reordered", "early", "continued", "parts", "traced"} {
		if happened[what] < rounds/20 {
			t.Errorf("of %d rounds: %v; the test shows little", rounds, happened)
		}
	}
}

func workersGiveTheSameBits(t *testing.T, r *rand.Rand, glass part.Module, happened map[string]int) {
	p := randomPlan(r)
	c := Default()
	c.Policy = []Policy{Fail, Silence}[r.IntN(2)]
	for range p.Parts {
		c.Parts = append(c.Parts, glass)
		happened["parts"]++
	}
	if r.IntN(3) == 0 {
		c.LesionTracts = []int{r.IntN(max(len(p.Tracts), 1))}
		c.LesionRegions = []int{r.IntN(len(p.Regions))}
		if len(p.Tracts) == 0 {
			c.LesionTracts = nil
		}
	}
	c.Half = r.IntN(4) == 0
	c.Trace = r.IntN(2) == 0
	c.States, c.Digests = c.Trace && r.IntN(2) == 0, c.Trace && r.IntN(2) == 0
	workers := drawWorkers(r, p, 5)
	if len(workers) > 1 {
		happened["shared"]++
	}
	one := mustNew(t, p, c)
	many := shared(t, p, c, workers, r)
	long := r.IntN(3) == 0 // episodes that may be continued
	batch := 1 + r.IntN(4)
	if r.IntN(4) == 0 {
		batch = 15 + r.IntN(5) // in columns
	}
	for again := range 3 {
		const ticks = 9
		steps := 1 + r.IntN(4)
		rows := make([]givenRow, batch)
		for b := range rows {
			switch rows[b] = drawRow(r, p, steps, ticks); {
			case long:
				rows[b].done = slices.Repeat([]int{ticks}, len(p.Effectors))
			case r.IntN(8) == 0:
				rows[b] = rows[b].spoilt()
			}
		}
		onward, order := again > 0 && (long || r.IntN(2) == 0), !long && r.IntN(4) == 0
		var cut []int
		if len(p.Tracts) > 0 && r.IntN(3) == 0 && !order {
			for range rows {
				cut = append(cut, r.IntN(len(p.Tracts)+1)-1)
			}
		}
		run := func(n *Network) (*Result, []*rowParrot, error) {
			ep, actors := episodeOf(p, rows, steps, ticks)
			ep.Cut, ep.Continue = cut, onward
			if order {
				ep.Requests = make([]int, len(rows))
				actors[0].order = true
			}
			res, err := n.Run(t.Context(), ep)
			return res, actors, err
		}
		want, heard, wantErr := run(one)
		got, heardToo, err := run(many[0])
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("error %v; want %v", err, wantErr)
		}
		if err != nil {
			if strings.Contains(err.Error(), "continue") {
				continue
			}
			happened["faults"]++
			continue
		}
		if got.Ticks != want.Ticks {
			t.Fatalf("%d ticks; want %d", got.Ticks, want.Ticks)
		}
		for q := range want.Requests {
			if fmt.Sprint(got.Requests[q]) != fmt.Sprint(want.Requests[q]) {
				t.Fatalf("request %d: %+v; want %+v", q, got.Requests[q], want.Requests[q])
			}
			if len(want.Requests[q].Faults) > 0 {
				happened["faults"]++
			}
		}
		if c.Trace {
			happened["traced"]++
			if a, b := ofTrace(want.Trace, want.Ticks), ofTrace(got.Trace, want.Ticks); a != b {
				t.Fatalf("another trace:\n%s\nwant\n%s", b, a)
			}
		}
		for i := range heard {
			for tick := range want.Ticks {
				if tick < len(heard[i].heard) && !sameBits(heard[i].heard[tick], heardToo[i].heard[tick]) {
					t.Fatalf("effector %d hears something else at tick %d", i, tick)
				}
			}
		}
		if order {
			happened["reordered"]++
		}
		if want.Ticks < ticks {
			happened["early"]++
			continue
		}
		if onward {
			happened["continued"]++
		}
		for w, n := range many {
			for _, j := range workers[w] {
				if !sameBits(n.regions[j].tick.State, one.regions[j].tick.State) {
					t.Fatalf("region %d at worker %d has another state", j, w)
				}
			}
		}
	}
}

// ofTrace is what a trace says of some ticks, but for times.
func ofTrace(t *Trace, ticks int) string {
	var b strings.Builder
	for tick := range ticks {
		for _, list := range [][][]float32{t.State, t.Gate, t.Flow, t.Joined} {
			for _, row := range list {
				fmt.Fprint(&b, row[tick], " ")
			}
		}
		if t.Digests != nil {
			fmt.Fprint(&b, t.Digests[tick])
		}
		for _, row := range t.States {
			fmt.Fprint(&b, row[tick])
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprint(&b, t.Notes)
	return b.String()
}

// TestSharesThatCannotBe: what is wrong with a share is said.
func TestSharesThatCannotBe(t *testing.T) {
	p := smallPlan(t, 6, 12) // the sense enters 0 and 2, 3 hears, 5 speaks
	for want, workers := range map[string][][]int{
		`region "r2" is at worker 1`:         {{0, 1, 3, 5}, {2, 4}},
		"region 4 is at no worker":           {{0, 1, 2, 3, 5}},
		"region 4 is at workers 0 and 1":     {{0, 1, 2, 3, 4, 5}, {4}},
		"worker 1 has region 9 of 6":         {{0, 1, 2, 3, 4, 5}, {9}},
		"worker 0 of 0 has no region":        nil,
		"a coordinator without a team":       {{0, 2, 3, 5}, {1, 4}},
		"region 0 is at no worker":           {{}},
		"region 1 is at workers 0 and 0":     {{0, 1, 1, 2, 3, 4, 5}},
		"2 regions without senses, effector": nil,
	} {
		c := Default()
		c.Share = &Share{Workers: workers}
		_, err := New(p, c)
		if strings.Contains(want, "without senses") {
			_, err = Divide(p, 4)
		} else if workers == nil {
			q := *p
			q.Regions, q.Tracts, q.Senses, q.Effectors = nil, nil, nil, nil
			_, err = New(&q, c)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %s", workers, err, want)
		}
	}
	workers, err := Divide(p, 3)
	if err != nil || len(workers) != 3 {
		t.Fatal(workers, err)
	}
	c := Default()
	c.Share = &Share{Workers: workers, Own: 1}
	n := mustNew(t, p, c)
	if _, err := n.Run(t.Context(), Episode{Ticks: 3}); err == nil || !strings.Contains(err.Error(), "joins those of its coordinator") {
		t.Error(err)
	}
	if err := n.Join(t.Context(), Heading{Batch: 1, Ticks: 3, LesionTracts: []int{1}}, nil); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Error(err)
	}
	if err := n.Join(t.Context(), Heading{Batch: 1, Ticks: 3, Continue: true}, nil); err == nil || !strings.Contains(err.Error(), "continue") {
		t.Error(err)
	}
}

// TestDivide: every region is once, what is bound is the coordinator's, no worker has
// much more arithmetic than another, and where regions lie in space fewer tracts cross.
func TestDivide(t *testing.T) {
	p := smallPlan(t, 200, 0)
	p.Tracts = nil
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Regions {
		for a := range 3 {
			p.Regions[i].Position[a] = 100 * r.Float64()
		}
	}
	near := func(i, j int) bool {
		sum := 0.0
		for a := range 3 {
			d := p.Regions[i].Position[a] - p.Regions[j].Position[a]
			sum += d * d
		}
		return sum < 25*25
	}
	for i := range p.Regions {
		for j := range p.Regions {
			if i != j && near(i, j) {
				p.Tracts = append(p.Tracts, wiring.Tract{From: j, To: i, Delay: 1})
			}
		}
	}
	work := Work(p)
	total := 0.0
	for _, w := range work {
		total += w
	}
	crossing := map[bool]int{}
	for workers := range 40 {
		if workers == 0 {
			continue
		}
		for _, located := range []bool{false, true} {
			for i := range p.Regions {
				p.Regions[i].Located = located
			}
			groups, err := Divide(p, workers)
			if err != nil {
				t.Fatal(err)
			}
			of, err := (&Share{Workers: groups}).owners(len(p.Regions))
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range Bound(p) {
				if of[j] != 0 {
					t.Errorf("%d workers: region %d is at %d", workers, j, of[j])
				}
			}
			for i, g := range groups {
				sum := 0.0
				for _, j := range g {
					sum += work[j]
				}
				if most := total/float64(workers) + 3*slices.Max(work); sum > most {
					t.Errorf("%d workers, located %v: worker %d has %.0f of %.0f", workers, located, i, sum, total)
				}
			}
			if workers == 8 {
				for _, tract := range p.Tracts {
					if of[tract.From] != of[tract.To] {
						crossing[located]++
					}
				}
			}
		}
	}
	if crossing[true] > crossing[false]*2/3 {
		t.Errorf("%d tracts cross with space, %d without, of %d", crossing[true], crossing[false], len(p.Tracts))
	}
}
