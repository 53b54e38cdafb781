package runtime

import (
	"context"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring/part/parttest"
)

// echo hears and answers forever, the same whatever tick it is.
type echo struct {
	batch, width int
	heard        [][]float32
}

func (e *echo) Act(_ context.Context, _ int, norm []float32) (Reply, error) {
	e.heard = append(e.heard, append([]float32(nil), norm...))
	back := make([]float32, e.batch*e.width)
	for i := range back {
		back[i] = norm[i%len(norm)] * float32(1+i%3)
	}
	return Reply{Feedback: back}, nil
}

// TestContinue: random plans with delays, feedback and parts, run in pieces of
// random lengths, give the states, messages and answers of one long episode.
func TestContinue(t *testing.T) {
	for round := range 120 {
		r := rand.New(rand.NewPCG(uint64(round), 11))
		p := randomPlan(r)
		config := Default()
		config.Trace, config.Digests, config.States = true, true, true
		config.Processes = r.IntN(4)
		if len(p.Parts) > 0 {
			config.Parts = parttest.Open(p)
		}
		n := mustNew(t, p, config)
		batch, steps := 1+r.IntN(3), 3+r.IntN(8)
		settle := p.Ticks.Settle
		inputs := make([][]float32, len(p.Senses))
		for s := range p.Senses {
			size := batch * p.Senses[s].Numbers()
			if p.Senses[s].PerTick {
				size *= steps
			}
			for range size {
				inputs[s] = append(inputs[s], float32(r.NormFloat64()))
			}
		}
		run := func(from, to int, echoes []*echo) *Trace {
			ep := Episode{Batch: batch, Steps: to - from, Ticks: (to - from) * settle, Continue: from > 0}
			for s, x := range inputs {
				if p.Senses[s].PerTick {
					size := batch * p.Senses[s].Numbers()
					x = x[from*size : to*size]
				}
				ep.Inputs = append(ep.Inputs, x)
			}
			for _, e := range echoes {
				ep.Actors = append(ep.Actors, e)
			}
			res, err := n.Run(t.Context(), ep)
			if err != nil {
				t.Fatal(err)
			}
			return res.Trace
		}
		voices := func() (all []*echo) {
			for _, e := range p.Effectors {
				all = append(all, &echo{batch: batch, width: e.FeedbackWidth})
			}
			return all
		}
		long, pieces := voices(), voices()
		want := run(0, steps, long)
		for from := 0; from < steps; {
			to := min(steps, from+1+r.IntN(3))
			got := run(from, to, pieces)
			for tick := range got.Ticks {
				at := from*settle + tick
				if !reflect.DeepEqual(got.Digests[tick], want.Digests[at]) {
					t.Fatalf("round %d: the messages of tick %d are others in pieces", round, at)
				}
				for j := range p.Regions {
					if !sameBits(got.States[j][tick], want.States[j][at]) {
						t.Fatalf("round %d: the state of region %d at tick %d is another in pieces", round, j, at)
					}
				}
			}
			from = to
		}
		for i := range long {
			if !reflect.DeepEqual(long[i].heard, pieces[i].heard) {
				t.Fatalf("round %d: effector %d hears something else in pieces", round, i)
			}
		}
		// From silence it is as new.
		if again := run(0, steps, voices()); !reflect.DeepEqual(again.Digests, want.Digests) {
			t.Fatalf("round %d: what was continued leaves something behind", round)
		}
	}
}

func TestWhatCannotBeContinued(t *testing.T) {
	p := smallPlan(t, 6, 12)
	n := mustNew(t, p, Default())
	refused := func(when string, ep Episode) {
		t.Helper()
		ep.Continue = true
		if _, err := n.Run(t.Context(), ep); err == nil || !strings.Contains(err.Error(), "continue") {
			t.Errorf("%s: error %v", when, err)
		}
	}
	do := func(ep Episode) {
		t.Helper()
		if _, err := n.Run(t.Context(), ep); err != nil {
			t.Fatal(err)
		}
	}
	whole := Episode{Inputs: inputs(1), Ticks: 8}
	refused("before anything ran", whole)
	do(whole)
	refused("with another batch", Episode{Batch: 2, Inputs: inputs(2), Ticks: 8})
	refused("reordering", Episode{Inputs: inputs(1), Ticks: 8, Actors: []Actor{&parrot{batch: 1, hidden: 12, d: 16, doneAt: -1, order: true}}})
	whole.Continue = true
	do(whole) // a refusal changes nothing
	do(Episode{Inputs: inputs(1), Ticks: 8, Actors: []Actor{&parrot{batch: 1, hidden: 12, d: 16, doneAt: 3}}})
	refused("after one that ended early", whole)
	do(Episode{Inputs: inputs(1), Ticks: 8})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Run(ctx, whole); err == nil {
		t.Error("an ended context runs")
	}
	refused("after one that was cancelled", whole)
}
