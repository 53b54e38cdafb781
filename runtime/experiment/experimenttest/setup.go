// Package experimenttest makes what experiments are tested with.
package experimenttest

import (
	"fmt"
	"testing"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/regression" // which the plan learns
)

// Setup is a small plan that learns the sum of two numbers, with what it learns
// from.
func Setup(t testing.TB) experiment.Setup {
	t.Helper()
	const n = 12
	p := &wiring.Plan{
		Name: "sum", Width: 4, Rank: 2, Ticks: wiring.Ticks{Settle: 4},
		Senses: []wiring.Sense{{Name: "x", Kind: wiring.KindVector, Read: wiring.ReadWhole, Width: 2, Regions: []int{0, 1}}},
		Effectors: []wiring.Effector{{Name: "y", Head: head.NameLinear, Regions: []int{n - 1},
			Settings: wiring.Settings{"names": []string{"y"}, "mean": []float64{0}, "scale": []float64{1}}}},
		Tasks: []wiring.Task{{Kind: "regression", Effector: "y", Target: "y"}},
	}
	for i := range n {
		p.Regions = append(p.Regions, wiring.Region{Label: fmt.Sprint("r", i)})
	}
	for to := range n {
		for _, d := range []int{1, 2, 5, 7} {
			p.Tracts = append(p.Tracts, wiring.Tract{From: (to + n - d) % n, To: to, Weight: float64(d), Scale: 0.5, Delay: 1})
		}
		lo := 4 * to
		for i := lo; i < lo+4; i++ { // by source
			for k := i; k > lo && p.Tracts[k].From < p.Tracts[k-1].From; k-- {
				p.Tracts[k], p.Tracts[k-1] = p.Tracts[k-1], p.Tracts[k]
			}
		}
	}
	p.Init(1)
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	rng := wiring.Stream(1, "sums")
	examples := func(n int) (out []task.Example) {
		for range n {
			v := []float32{float32(rng.NormFloat64()), float32(rng.NormFloat64())}
			id := fmt.Sprint(v)
			out = append(out, task.Example{ID: id, Key: id, Targets: map[string]any{"y": float64(v[0] + v[1])},
				Inputs: map[string]task.Input{"x": {Kind: wiring.KindVector, Read: func() (any, error) { return v, nil }}}})
		}
		return out
	}
	o := prepare.Default()
	o.Cache = t.TempDir()
	return experiment.Setup{
		Plan: p, Modules: m, Train: examples(60), Val: examples(20), Test: examples(30), Prepare: o, Config: runtime.Default(), Code: "test", Workers: 2,
	}
}
