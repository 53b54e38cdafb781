package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// wild is a module that does something else than it should for some inputs,
// always the same for the same.
type wild struct {
	part.Module
	kind, seed int
}

// Kinds of what goes wrong.
const (
	well = iota
	fails
	panics
	hangs
	gives // what is no number
	late  // slow, but in time
	kinds
)

// strikes says for which input something goes wrong.
func (m wild) strikes(x []float32) bool {
	h := uint32(m.seed)
	for _, v := range x {
		h = (h ^ math.Float32bits(v)) * 16777619
	}
	return h>>8%5 == 0
}

func (m wild) Run(ctx context.Context, x []float32, batch int) ([]float32, error) {
	struck := make([]bool, batch)
	for b := range batch {
		struck[b] = m.kind != well && m.strikes(x[b*parttest.Takes:][:parttest.Takes])
	}
	if slices.Contains(struck, true) {
		switch m.kind {
		case fails:
			return nil, errors.New("out of order")
		case panics:
			panic("out of order")
		case hangs: // whatever the context says
			time.Sleep(time.Hour)
		case late:
			time.Sleep(20 * time.Second)
		}
	}
	y, err := m.Module.Run(ctx, x, batch)
	for b := range batch {
		if struck[b] && m.kind == gives && err == nil {
			y[b*len(y)/batch] = float32(math.NaN())
		}
	}
	return y, err
}

// TestAnythingGoesWrong lets modules fail, panic, hang, give what is no number
// and be slow, in plans drawn at random with inputs that may be no number, under
// every policy, grouping and number of threads, some cancelled midway. Every
// episode ends, leaves no goroutine behind (synctest sees to both), and whatever
// request nothing went wrong for gets the bits of a healthy plan; so does the
// network afterwards.
func TestAnythingGoesWrong(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 40
	}
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(0))
	glass := parttest.Open(&wiring.Plan{Width: 4, Parts: []wiring.Part{{Input: "picture", Output: "embedding", Takes: parttest.Takes, Gives: parttest.Embedding}}})[0]
	happened := map[string]int{}
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 17))
		goruntime.GOMAXPROCS(1 + r.IntN(8))
		synctest.Test(t, func(t *testing.T) {
			goesWrong(t, r, glass, round, happened)
			time.Sleep(3 * time.Hour) // let calls that were left behind end
		})
		if t.Failed() {
			return
		}
	}
	for _, what := range []string{"struck", "spared", "cancelled", "failed whole"} {
		if happened[what] < rounds/20 {
			t.Errorf("of %d rounds: %v; the test shows little", rounds, happened)
		}
	}
}

func goesWrong(t *testing.T, r *rand.Rand, glass part.Module, round int, happened map[string]int) {
	p := randomPlan(r)
	if len(p.Parts) == 0 {
		p.Modules = []wiring.ModuleRef{{Name: "vision"}, {Name: "glass"}}
		n := len(p.Regions)
		for i := range 1 + r.IntN(3) {
			p.Parts = append(p.Parts, wiring.Part{Name: fmt.Sprint("part", i), Module: "glass", Input: "picture", Output: "embedding",
				Takes: parttest.Takes, Gives: parttest.Embedding, Region: r.IntN(n), Into: r.IntN(n), Every: 1 + r.IntN(3)})
		}
		p.Init(r.Uint64())
	}
	const ticks = 9
	steps := 1 + r.IntN(4)
	healthy := Default()
	healthy.Trace, healthy.States = true, true
	healthy.Policy = []Policy{Fail, Retry, Silence}[r.IntN(3)]
	healthy.Groups = ByWork(p, 1+r.IntN(4))
	sick := healthy
	for range p.Parts {
		healthy.Parts = append(healthy.Parts, glass)
		sick.Parts = append(sick.Parts, wild{glass, r.IntN(kinds), r.Int()})
	}
	rows := make([]givenRow, 1+r.IntN(4))
	for b := range rows {
		if rows[b] = drawRow(r, p, steps, ticks); r.IntN(6) == 0 {
			rows[b] = rows[b].spoilt()
		}
	}
	run := func(n *Network, ctx context.Context) (*Result, error) {
		ep, _ := episodeOf(p, rows, steps, ticks)
		return n.Run(ctx, ep)
	}
	want, wantErr := run(mustNew(t, p, healthy), context.Background())
	n := mustNew(t, p, sick)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := r.IntN(3) == 0
	if stop {
		time.AfterFunc(time.Duration(r.IntN(40))*time.Second, cancel)
	}
	for again := range 2 { // the network must not remember
		got, err := run(n, ctx)
		if ctx.Err() != nil {
			happened["cancelled"]++
			if err != nil && !errors.Is(err, context.Canceled) {
				var failure *PanicError // all requests failed before
				if got != nil || errors.As(err, &failure) && failure.Value != "out of order" {
					t.Fatalf("round %d, cancelled: %v", round, err)
				}
			}
			return
		}
		if err != nil {
			happened["failed whole"]++
			if got != nil || wantErr == nil && healthy.Policy == Silence {
				t.Fatalf("round %d, %s: %v", round, healthy.Policy, err)
			}
			continue
		}
		for b, out := range got.Requests {
			if wantErr != nil || len(want.Requests[b].Faults) > 0 {
				if len(out.Faults) == 0 {
					t.Fatalf("round %d: a request that is no number comes to %+v", round, out)
				}
				continue
			}
			if len(out.Faults) > 0 {
				happened["struck"]++
				if (out.Err == nil) != (healthy.Policy == Silence) {
					t.Fatalf("round %d, %s: %+v", round, healthy.Policy, out)
				}
				continue
			}
			happened["spared"]++
			if out.Err != nil || out.Ticks != want.Requests[b].Ticks {
				t.Fatalf("round %d, again %d: %+v, want %+v", round, again, out, want.Requests[b])
			}
			for j := range p.Regions {
				for tick := range out.Ticks {
					d := p.Width
					if !sameBits(got.Trace.States[j][tick][b*d:][:d], want.Trace.States[j][tick][b*d:][:d]) {
						t.Fatalf("round %d: region %d has another state at tick %d of a request that nothing went wrong for", round, j, tick)
					}
				}
			}
		}
	}
}
