package wiring

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestAdapterHasThePlansSizeAndNoTracts(t *testing.T) {
	p, _ := testPlan(t)
	a, err := Adapter(p)
	if err != nil {
		t.Fatal(err)
	}
	have, want := a.Params.Count(), p.Params.Count()
	if have > want || float64(have) < 0.99*float64(want) {
		t.Errorf("the adapter has %d parameters, the plan %d", have, want)
	}
	if len(a.Tracts) != 0 || len(a.Regions) != 1 {
		t.Errorf("the adapter has %d regions and %d tracts", len(a.Regions), len(a.Tracts))
	}
	q, err := LoadFS(saved(t, a))
	if err != nil {
		t.Fatal(err)
	}
	if q.Width != a.Width {
		t.Errorf("width %d on disk, want %d", q.Width, a.Width)
	}
}

// TestControlsOfEqualSize: a recurrent unit and a dense network learn as many
// numbers as the plan within one in a hundred, and are on disk what they are.
func TestControlsOfEqualSize(t *testing.T) {
	p, _ := testPlan(t)
	p.Width, p.Rank = 56, 8
	p.Init(1)
	for name, make := range map[string]func(*Plan) (*Plan, error){"gru": Recurrent, "dense": Dense} {
		a, err := make(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		have, want := float64(a.Params.Count()), float64(p.Params.Count())
		if math.Abs(have-want) > ParameterTolerance*want {
			t.Errorf("%s: %v parameters, the plan has %v", name, have, want)
		}
		a.Trained = true
		q, err := LoadFS(saved(t, a))
		if err != nil {
			t.Fatal(err)
		}
		if q.Cell != a.Cell || q.FixedGates != a.FixedGates || q.Width != a.Width || q.Rank != a.Rank || !slices.Equal(q.Params.Data, a.Params.Data) || q.MultiplyAdds() != a.MultiplyAdds() {
			t.Errorf("%s: %s %v %d %d on disk", name, q.Cell, q.FixedGates, q.Width, q.Rank)
		}
	}
	d, err := Dense(p)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Regions); len(d.Tracts) != n*(n-1) || !d.FixedGates || d.Params.Get(d.Regions[0].Label+suffixGateState) != nil {
		t.Errorf("%d tracts between %d regions, gates fixed: %v", len(d.Tracts), n, d.FixedGates)
	}
	if r := d.SpectralRadius(); math.Abs(r-1) > 1e-3 {
		t.Errorf("spectral radius %.4f", r)
	}
	g, err := Recurrent(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Regions) != 1 || g.Cell != CellGRU || g.Params.Get(g.Regions[0].Label+suffixLeak) != nil || g.Ticks != p.Ticks {
		t.Errorf("%d regions, cell %q", len(g.Regions), g.Cell)
	}
	// A plan so small that no width will do says so.
	p.Width, p.Rank = 1, 1
	p.Init(1)
	if _, err := Dense(p); err == nil || !strings.Contains(err.Error(), "wider or narrower") {
		t.Errorf("error %v", err)
	}
}

// TestCellsOnDisk: what is no cell, or no way of gates, is told with its line.
func TestCellsOnDisk(t *testing.T) {
	p, _ := testPlan(t)
	for text, want := range map[string]string{
		"cell: lstm":                  "plan.yaml:4:1: cell is \"lstm\", want gated, gru or rate",
		"gates: open":                 "gates are \"open\", want learned or fixed",
		"gates: fixed\ncell: gru":     "",
		"gates: learned\ncell: gated": "",
	} {
		files := saved(t, p)
		plan := files[planFileName]
		plan.Data = []byte(strings.Replace(string(plan.Data), "\nwidth:", "\n"+text+"\nwidth:", 1))
		q, err := LoadFS(files)
		if want == "" && err == nil {
			if q.FixedGates != strings.Contains(text, "fixed") || (q.Cell == CellGRU) != strings.Contains(text, "gru") {
				t.Errorf("%s: %q %v", text, q.Cell, q.FixedGates)
			}
			continue
		}
		if want == "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}
