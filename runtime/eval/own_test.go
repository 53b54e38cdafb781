package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/all"
)

// signs is a plan on a ring of six regions that tells the sign of one number,
// and the sum of two; and its modules, of which there are none.
func signs(t testing.TB) (*wiring.Plan, *frozen.Modules) {
	t.Helper()
	var tracts []connectome.Tract
	c := &connectome.Connectome{Name: "ring"}
	const n = 6
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: fmt.Sprintf("r%d", i)})
		for _, step := range []int{1, 2} {
			tracts = append(tracts, connectome.Tract{From: i, To: (i + step) % n, Weight: float64(1 + i%3), Length: 20}, connectome.Tract{From: (i + step) % n, To: i, Weight: float64(1 + i%3), Length: 20})
		}
	}
	var err error
	if c.Tracts, err = connectome.FromTracts(n, tracts); err != nil {
		t.Fatal(err)
	}
	r, err := wiring.ParseRecipe("signs.yaml", []byte(`
format: 2
name: signs
width: 8
rank: 2
ticks: {settle: 4, max: 0}
velocity: 6
tick: 20
senses:
  - {name: left, kind: vector, width: 1, place: [{region: r0}]}
  - {name: right, kind: vector, width: 1, place: [{region: r2}]}
effectors:
  - {name: sign, head: softmax, settings: {labels: [minus, plus]}, place: [{region: r3}]}
  - {name: sum, head: linear, settings: {names: [sum]}, place: [{region: r4}]}
tasks:
  - {kind: labelling, effector: sign}
  - {kind: regression, effector: sum}
`))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(c, r, wiring.BuildOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// sums are examples; every fourth lacks the sign.
func sums(n int, seed uint64) []task.Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]task.Example, n)
	for i := range out {
		a, b := float32(rng.NormFloat64()), float32(rng.NormFloat64())
		out[i] = task.Example{
			ID: fmt.Sprintf("%d of %d", i, seed), Key: fmt.Sprint(a, b),
			Inputs:  map[string]task.Input{"left": task.Given(wiring.KindVector, []float32{a}), "right": task.Given(wiring.KindVector, []float32{b})},
			Targets: map[string]any{"sum": float64(a) + float64(b)},
		}
		if i%4 != 0 {
			out[i].Targets["sign"] = map[bool]string{true: "plus", false: "minus"}[a > 0]
		}
	}
	return out
}

func rowOf(t *testing.T, rows []Row, set, name string) Row {
	t.Helper()
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Set == set && r.Condition == name })
	if i < 0 {
		t.Fatalf("no row %s, %s", set, name)
	}
	return rows[i]
}

func TestControlsAreTaughtOnceAPlanAndLikeIt(t *testing.T) {
	p, m := signs(t)
	part := Part{Train: sums(120, 1), Val: sums(20, 2), Test: sums(40, 3)}
	const limit = 80
	train, val := examples.Spread(part.Train, limit), examples.Spread(part.Val, limit)
	data, _, err := prepare.Prepare(t.Context(), p, m, train, val, prepare.Default())
	if err != nil {
		t.Fatal(err)
	}
	o := learn.Default()
	o.Epochs, o.Batch, o.Noise, o.Rate = 30, 20, 0.05, 1e-2
	if _, err := learn.Fit(t.Context(), p, data, o); err != nil {
		t.Fatal(err)
	}
	record := prepare.RecordOf(o, prepare.Default(), train)
	record.Limit = limit
	record.Note(p)

	taught := map[string]int{} // steps
	var items bytes.Buffer
	own := OwnOptions{
		Options: Options{Resamples: 100, Seed: 1, Progress: func(what string, done, total int) {
			if strings.HasPrefix(what, "teaching ") {
				taught[what]++
			}
		}},
		Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Learned: prepare.Records(p),
		Controls: []string{"untrained", "adapter", "rewired"}, Items: &items,
	}
	rows, err := Own(t.Context(), p, m, []Part{part}, own)
	if err != nil {
		t.Fatal(err)
	}
	// 30 epochs of 80 examples in steps of 20, and one call at the end of each.
	want := 30*4 + 30
	for _, name := range []string{"teaching adapter", "teaching rewired"} {
		if taught[name] != want {
			t.Errorf("%s: %d calls, want the plan's own %d: once, for both tasks", name, taught[name], want)
		}
	}
	if len(taught) != 2 {
		t.Errorf("taught %v", taught)
	}

	// What has no sign is not asked for it.
	plan := rowOf(t, rows, "sign", "plan")
	if plan.N != 30 || rowOf(t, rows, "sum", "plan").N != 40 {
		t.Errorf("scored %d signs and %d sums, want 30 and 40", plan.N, rowOf(t, rows, "sum", "plan").N)
	}
	if got := plan.Metrics["accuracy"]; got < 0.8 {
		t.Errorf("the plan tells %v of signs", got)
	}
	if blank := rowOf(t, rows, "sign", "plan without left"); blank.Metrics["accuracy"] > plan.Metrics["accuracy"]-0.2 {
		t.Errorf("without the number %v, with it %v", blank.Metrics["accuracy"], plan.Metrics["accuracy"])
	}
	// The other number does not matter for the sign, and does for the sum.
	if blank := rowOf(t, rows, "sum", "plan without right"); blank.Metrics["explained"] > rowOf(t, rows, "sum", "plan").Metrics["explained"] {
		t.Errorf("blanking changes nothing: %v", blank.Metrics)
	}
	for _, set := range []string{"sign", "sum"} {
		for _, name := range own.Controls {
			rowOf(t, rows, set, name)
		}
	}
	if than(plan, "adapter") == nil || than(plan, "rewired") == nil {
		t.Error("the plan is not compared with its controls")
	}
	var lines int
	for line := range strings.Lines(items.String()) {
		var x item
		if err := json.Unmarshal([]byte(line), &x); err != nil || x.ID == "" || len(x.Metrics) == 0 {
			t.Fatalf("%s: %v", line, err)
		}
		if x.Task == "sign" && x.Condition == "plan" {
			lines++
		}
	}
	if lines != 30 {
		t.Errorf("%d items of the plan's signs, want 30", lines)
	}
}

func TestFreshPlansAreTaughtByTheOptions(t *testing.T) {
	p, m := signs(t)
	taught := 0
	o := OwnOptions{
		Options: Options{Resamples: 50, Seed: 1, Progress: func(what string, done, total int) {
			if what == "teaching plan, fold a" && done == total {
				taught++
			}
		}},
		Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(), Fresh: true, Seeds: 2,
	}
	o.Learn.Epochs = 2
	parts := []Part{{Name: "a", Train: sums(40, 1), Test: sums(12, 2)}, {Name: "b", Train: sums(40, 3), Test: sums(8, 4)}}
	rows, err := Own(t.Context(), p, m, parts, o)
	if err != nil {
		t.Fatal(err)
	}
	if r := rowOf(t, rows, "sum", "plan"); r.N != 20 {
		t.Errorf("%d items pooled over folds, want 20", r.N)
	}
	if taught == 0 || p.Trained {
		t.Errorf("taught %d times; the plan itself trained: %t", taught, p.Trained)
	}
	// Nobody asks for the sign in a fold whose examples lack it.
	for i := range parts[1].Test {
		delete(parts[1].Test[i].Targets, "sign")
	}
	if _, err := Own(t.Context(), p, m, parts, o); err == nil || !strings.Contains(err.Error(), "fold b") || !strings.Contains(err.Error(), `"sign"`) {
		t.Errorf("%v, want that fold b asks for no sign", err)
	}
}

func TestLesionedPlanStandsBesideTheWholeOne(t *testing.T) {
	p, m := signs(t)
	p.Trained = true
	o := OwnOptions{Options: Options{Resamples: 50, Seed: 1}, Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default()}
	o.Config.LesionRegions = []int{0}
	rows, err := Own(t.Context(), p, m, []Part{{Train: sums(40, 1), Test: sums(12, 2)}}, o)
	if err != nil {
		t.Fatal(err)
	}
	whole, cut := rowOf(t, rows, "sum", "plan"), rowOf(t, rows, "sum", "plan lesioned")
	if whole.Metrics["nrmse"] == cut.Metrics["nrmse"] {
		t.Errorf("the lesion changes nothing: %v", cut.Metrics)
	}
	// Removing the region of the first number is as if it were never given.
	if blank := rowOf(t, rows, "sum", "plan without left"); blank.Metrics["nrmse"] == whole.Metrics["nrmse"] {
		t.Error("blanking changes nothing")
	}
}
