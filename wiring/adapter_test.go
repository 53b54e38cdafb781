package wiring

import "testing"

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
