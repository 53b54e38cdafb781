package wiring

import "testing"

func TestDefaultPlanLoads(t *testing.T) {
	p, err := DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	if !p.Provenance.Synthetic {
		t.Error("the default plan does not say that its connectome is synthetic")
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	if err := p.Params.Check(); err != nil {
		t.Error(err)
	}
}
