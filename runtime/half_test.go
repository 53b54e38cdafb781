package runtime

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/wiring"
)

// TestHalf: matrices in binary16 give states near those of float32, the same
// bits for every grouping, and for a row the same bits alone as among others.
func TestHalf(t *testing.T) {
	p := ticking.Plan(12, 60, 24, 4)
	nearInHalf(t, p)
	// Cells of other kinds.
	other := *p
	other.Cell, other.FixedGates = wiring.CellGRU, true
	other.Init(1)
	nearInHalf(t, &other)
	a, err := Look(p, Config{Policy: Fail, Half: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Look(p, Config{Policy: Fail}, 1)
	if err != nil {
		t.Fatal(err)
	}
	config := Default()
	config.Release = true
	released, err := Look(p, config, 1)
	if err != nil {
		t.Fatal(err)
	}
	mustNew(t, p, config)
	if want := int64(4 * len(p.Params.Data)); released.Memory.Parameters != want {
		t.Errorf("%d bytes of parameters foreseen, %d are left", released.Memory.Parameters, want)
	}
	if a.Memory.Matrices >= b.Memory.Matrices {
		t.Errorf("matrices take %d bytes in binary16, %d in float32", a.Memory.Matrices, b.Memory.Matrices)
	}
}

// nearInHalf checks the states of a plan whose matrices are in binary16.
func nearInHalf(t *testing.T, p *wiring.Plan) {
	t.Helper()
	const batch, ticks = 3, 8
	in := ticking.Numbers(batch * ticking.Inputs)
	run := func(in []float32, batch int, half bool, groups [][]int) [][]float32 {
		config := Default()
		config.Half, config.Groups, config.Trace, config.States = half, groups, true, true
		r, err := mustNew(t, p, config).Run(context.Background(), Episode{Batch: batch, Inputs: [][]float32{in}, Ticks: ticks})
		if err != nil {
			t.Fatal(err)
		}
		last := make([][]float32, len(p.Regions))
		for j, states := range r.Trace.States {
			last[j] = states[ticks-1]
		}
		return last
	}
	whole, half := run(in, batch, false, nil), run(in, batch, true, nil)
	regions, halves := run(in, batch, true, ByRegion(p)), run(in, batch, true, ByWork(p, 2))
	alone := run(in[ticking.Inputs:2*ticking.Inputs], 1, true, nil)
	changed := false
	for j := range half {
		if !slices.Equal(half[j], regions[j]) || !slices.Equal(half[j], halves[j]) {
			t.Errorf("region %d has other bits in another grouping", j)
		}
		if !slices.Equal(half[j][p.Width:2*p.Width], alone[j]) {
			t.Errorf("region %d has other bits alone", j)
		}
		for i, v := range half[j] {
			if d := math.Abs(float64(v - whole[j][i])); d > 5e-3 {
				t.Errorf("region %d: %g in binary16, %g in float32", j, v, whole[j][i])
			} else {
				changed = changed || d > 0
			}
		}
	}
	if !changed {
		t.Error("the states are those of float32: nothing was kept in binary16")
	}
}
