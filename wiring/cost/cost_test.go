package cost_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/cost"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// pair is a plan of two regions that tells dark from bright, and examples.
func pair(t testing.TB, examples int) (*wiring.Plan, *learn.Data) {
	t.Helper()
	tracts, err := connectome.FromTracts(2, []connectome.Tract{{From: 0, To: 1, Weight: 1, Length: 50}, {From: 1, To: 0, Weight: 1, Length: 50}})
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "pair", Tracts: tracts, Regions: []connectome.Region{{Label: "eye"}, {Label: "hand"}}}
	recipe, err := wiring.ParseRecipe("light.yaml", []byte(`
format: 2
name: light
width: 8
rank: 2
ticks: {settle: 2, max: 0}
velocity: 6
tick: 20
senses:
  - {name: light, kind: vector, width: 1, place: [{region: eye}]}
effectors:
  - {name: label, head: softmax, settings: {labels: [dark, bright]}, place: [{region: hand}]}
tasks:
  - {kind: labelling, effector: label}
`))
	if err != nil {
		t.Fatal(err)
	}
	plan, _, err := wiring.Build(c, recipe, wiring.BuildOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	data := &learn.Data{Senses: []string{"light"}, Numbers: []int{1}, Aims: []learn.Aim{{
		Weight: 1,
		Loss:   &task.CrossEntropy{Parts: []task.Reading{{Name: "loss", Weight: 1}}},
	}}}
	for i := range examples {
		label := &task.Target{Rows: []task.Row{{Tick: plan.Ticks.Settle, Classes: []int32{int32(i % 2)}}}}
		data.Train = append(data.Train, learn.Sample{
			ID: fmt.Sprint(i), Inputs: [][]float32{{float32(i%2*2 - 1)}}, Targets: [][]*task.Target{{label}}, Repeat: i % 2 * 2,
		})
	}
	return plan, data
}

func TestEstimateCountsWhatIsDone(t *testing.T) {
	plan, data := pair(t, 60) // every second one twice: 90 an epoch
	o := learn.Default()
	o.Epochs, o.Batch = 3, 16
	before := slices.Clone(plan.Params.Data)
	history := len(plan.History)
	e, err := cost.Of(t.Context(), plan, data, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, plan.Params.Data) || plan.Trained || len(plan.History) != history || data.Train[1].Repeat != 2 {
		t.Error("the plan or its data were changed")
	}
	// One example there: it enters (8), both ends of a tract and its gate (16 + 16 + 12),
	// one tick in the eye, from where it takes one to the hand, and two there, and the head (16).
	const example = 8 + 44 + 2*44 + 16
	if want := 3.0 * 3 * 90 * example; e.MultiplyAdds != want {
		t.Errorf("%v multiply-adds, want %v", e.MultiplyAdds, want)
	}
	if e.Parameters != plan.Params.Count() {
		t.Errorf("%d parameters, the plan has %d", e.Parameters, plan.Params.Count())
	}
	r, err := learn.Fit(t.Context(), plan, data, o)
	if err != nil {
		t.Fatal(err)
	}
	if e.Steps != r.Steps || e.Epochs != r.Epochs || e.Batch != 16 {
		t.Errorf("estimated %d steps of %d in %d epochs; taken %d in %d", e.Steps, e.Batch, e.Epochs, r.Steps, r.Epochs)
	}
	if e.Timed != 3 || !(e.Seconds > 0) || e.Memory < 1<<20 {
		t.Errorf("estimate %+v", e)
	}
	for _, want := range []string{"18 steps of 16 examples in 3 epochs", "multiply-adds", "of memory, as 3 steps showed"} {
		if !strings.Contains(e.String(), want) {
			t.Errorf("%q does not say %q", e, want)
		}
	}
}

func TestShortTrainingsAreNotTried(t *testing.T) {
	plan, data := pair(t, 2)
	o := learn.Default()
	o.Epochs = 1
	e, err := cost.Of(t.Context(), plan, data, o)
	if err != nil {
		t.Fatal(err)
	}
	if e.Timed != 0 || e.Seconds != 0 || e.Steps != 1 || e.Batch != 3 || !strings.Contains(e.String(), "too few steps") {
		t.Errorf("estimate %+v: %s", e, e)
	}
}

func TestEstimateStopsAndFails(t *testing.T) {
	plan, data := pair(t, 60)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := cost.Of(ctx, plan, data, learn.Default()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	data.Train[0].Targets = nil
	if _, err := cost.Of(t.Context(), plan, data, learn.Default()); err == nil || !strings.Contains(err.Error(), `sample "0"`) {
		t.Errorf("%v, want the sample that is wrong", err)
	}
}
