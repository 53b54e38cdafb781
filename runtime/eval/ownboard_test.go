package eval

import (
	"math"
	"reflect"
	"testing"

	"github.com/connectomewire/wire/datasets"
)

// TestSettleAveragesSeeds: of every part, the items of all seeds become their
// mean, and those of parts before stay.
func TestSettleAveragesSeeds(t *testing.T) {
	b := &board{conditions: []*scored{{name: "plan", items: map[string][]float64{}}}}
	c := b.conditions[0]
	part := func(clusters []string, seeds ...[]float64) {
		b.clusters = append(b.clusters, clusters...)
		for _, s := range seeds {
			c.items["x"] = append(c.items["x"], s...)
		}
		b.settle(len(seeds))
	}
	part([]string{"a", "b", "c"}, []float64{1, 2, 3}, []float64{3, 4, 5})
	part([]string{"d"}, []float64{10}, []float64{20})
	part([]string{"e", "f"}, []float64{0, 1}, []float64{2, 5})
	if want := []float64{2, 3, 4, 15, 1, 3}; !reflect.DeepEqual(c.items["x"], want) {
		t.Errorf("items %v, want %v", c.items["x"], want)
	}
	one := &board{clusters: []string{"a"}, conditions: []*scored{{name: "plan", items: map[string][]float64{"x": {7}}}}}
	if one.settle(1); one.conditions[0].items["x"][0] != 7 {
		t.Error("one seed changed something")
	}
}

func TestRowsCompareThePlanWithEveryOther(t *testing.T) {
	b := &board{clusters: []string{"a", "a", "b", "c"}, conditions: []*scored{
		{name: "majority", items: map[string][]float64{"accuracy": {0, 1, 0, 0}}, whole: map[string][]float64{"f1": {0.2}}},
		{name: "plan", items: map[string][]float64{"accuracy": {1, 1, 1, 0}}, whole: map[string][]float64{"f1": {0.5, 0.9}}},
	}}
	rows, err := b.rows("label", datasets.Val, Options{Resamples: 400, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Condition != "majority" || rows[0].Set != "label" || rows[0].Split != "val" || rows[0].N != 4 || len(rows[0].Versus) != 0 {
		t.Fatalf("rows %+v", rows)
	}
	if m := rows[0].Metrics; m["accuracy"] != 0.25 || m["f1"] != 0.2 || len(m) != 2 {
		t.Errorf("majority %v", m)
	}
	plan := rows[1]
	if m := plan.Metrics; m["accuracy"] != 0.75 || m["f1"] != 0.7 || !(math.Abs(m["f1_sd"]-math.Sqrt(0.08)) <= 1e-12) {
		t.Errorf("plan %v", m)
	}
	if ci := plan.CI["accuracy"]; ci[0] > 0.75 || ci[1] < 0.75 || ci[0] == ci[1] {
		t.Errorf("interval %v", ci)
	}
	if _, of := plan.CI["f1"]; of {
		t.Error("a metric of the whole has an interval over items")
	}
	if len(plan.Versus) != 1 || plan.Versus[0].Than != "majority" {
		t.Fatalf("compared with %+v", plan.Versus)
	}
	if d := plan.Versus[0].Metrics["accuracy"]; !(math.Abs(d.Mean-0.5) <= 1e-12) || d.Low < 0 || d.High > 1 || d.Low > d.Mean || d.High < d.Mean {
		t.Errorf("difference %+v", d)
	}
}
