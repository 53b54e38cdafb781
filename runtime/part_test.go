package runtime

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/part/parttest"
)

// states runs one episode and returns every region's state at its end.
func states(t *testing.T, n *Network, ep Episode) (all [][]float32, res *Result) {
	t.Helper()
	res, err := n.Run(context.Background(), ep)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range n.regions {
		all = append(all, slices.Clone(r.tick.State))
	}
	return all, res
}

// TestPartsInABatch: what a part gives of one episode does not depend on the
// others.
func TestPartsInABatch(t *testing.T) {
	p := withParts(t)
	const batch, ticks = 4, 9
	in := inputs(batch)
	n := mustNew(t, p, Default())
	together, _ := states(t, n, Episode{Batch: batch, Inputs: in, Ticks: ticks})
	for b := range batch {
		alone, _ := states(t, n, Episode{Inputs: [][]float32{in[0][b*10:][:10]}, Ticks: ticks})
		for j := range alone {
			if !sameBits(alone[j], together[j][b*p.Width:][:p.Width]) {
				t.Fatalf("episode %d: region %d has another state in a batch", b, j)
			}
		}
	}
}

func TestSilencedPart(t *testing.T) {
	p := withParts(t)
	const ticks = 10
	whole, _ := states(t, mustNew(t, p, Default()), Episode{Inputs: inputs(1), Ticks: ticks})
	config := Default()
	config.Trace = true
	for i := range p.Parts {
		config.LesionParts = []int{i}
		lesioned, res := states(t, mustNew(t, p, config), Episode{Inputs: inputs(1), Ticks: ticks})
		if sameBits(lesioned[p.Parts[i].Into], whole[p.Parts[i].Into]) {
			t.Errorf("silencing part %d changes nothing", i)
		}
		flows := res.Trace.PartFlows()
		for k, f := range flows {
			if want := (ticks - 1) / p.Parts[k].Every; k != i && (f.Runs != want || f.Joined <= 0) {
				t.Errorf("part %s ran %d times, want %d, and joined %v", f.Name, f.Runs, want, f.Joined)
			}
		}
		if flows[i].Runs != 0 || flows[i].Joined != 0 {
			t.Errorf("a silenced part did something: %+v", flows[i])
		}
		// The same as a cut of one row of a batch.
		in := inputs(1)
		in[0] = slices.Concat(in[0], in[0])
		cut, _ := states(t, mustNew(t, p, Default()), Episode{Batch: 2, Inputs: in, Ticks: ticks, CutParts: []int{-1, i}})
		for j := range cut {
			if !sameBits(cut[j][:p.Width], whole[j]) || !sameBits(cut[j][p.Width:], lesioned[j]) {
				t.Fatalf("part %d: a cut in a batch gives region %d another state than a lesion", i, j)
			}
		}
	}
}

// failing is a module that fails after some runs.
type failing struct {
	part.Module
	after, runs int
	how         func(y []float32) error
}

func (f *failing) Run(ctx context.Context, x []float32, batch int) ([]float32, error) {
	y, err := f.Module.Run(ctx, x, batch)
	if f.runs++; f.runs > f.after && err == nil {
		err = f.how(y)
	}
	return y, err
}

func TestFailingPart(t *testing.T) {
	p := withParts(t)
	const ticks = 10
	for name, how := range map[string]func(y []float32) error{
		"error":  func([]float32) error { return errors.New("out of order") },
		"panic":  func([]float32) error { panic("out of order") },
		"no end": func(y []float32) error { y[0] = float32(math.NaN()); return nil },
	} {
		run := func(policy Policy) (*Result, error) {
			config := Default()
			config.Policy, config.Parts = policy, parttest.Open(p)
			config.Parts[0] = &failing{Module: config.Parts[0], after: 3, how: how}
			return mustNew(t, p, config).Run(context.Background(), Episode{Inputs: inputs(1), Ticks: ticks})
		}
		for _, policy := range []Policy{Fail, Retry} {
			if _, err := run(policy); err == nil || !strings.Contains(err.Error(), `part "look" at tick 3: module "glass"`) {
				t.Errorf("%s, %s: error %v", name, policy, err)
			}
		}
		res, err := run(Silence)
		if err != nil || len(res.Requests[0].Faults) != 1 || !strings.Contains(res.Requests[0].Faults[0], `part "look" at tick 3`) {
			t.Errorf("%s: %+v, %v, want a silenced part", name, res, err)
		}
	}
}

func TestPartsInTheTrace(t *testing.T) {
	p := withParts(t)
	config := Default()
	config.Trace = true
	_, res := states(t, mustNew(t, p, config), Episode{Inputs: inputs(1), Ticks: 7})
	var out bytes.Buffer
	if err := res.Trace.WriteChrome(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"part far: glass"`, `"part far joins r6"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the trace lacks %s", want)
		}
	}
	if _, err := New(p, Default()); err == nil || !strings.Contains(err.Error(), "has parts; open its modules") {
		t.Errorf("error %v, want one that asks for modules", err)
	}
}
