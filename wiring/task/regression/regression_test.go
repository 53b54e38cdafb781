package regression

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

func numbered(targets ...any) []task.Example {
	out := make([]task.Example, len(targets))
	for i, v := range targets {
		out[i] = task.Example{ID: string(rune('a' + i)), Targets: map[string]any{}}
		if v != nil {
			out[i].Targets["size"] = v
		}
	}
	return out
}

func env(names ...string) prepare.Env {
	s := wiring.Settings{}
	head.SetNames(s, names)
	return prepare.Env{
		Plan: &wiring.Plan{Ticks: wiring.Ticks{Settle: 3}, Effectors: []wiring.Effector{{Name: "size", Head: head.NameLinear, Settings: s}}},
		Task: wiring.Task{Kind: Kind, Effector: "size", Target: "size"},
	}
}

func TestTargetsAreStandardisedByTheTrainingExamples(t *testing.T) {
	e, err := regression{}.Encode(t.Context(), env("size"), numbered(2.0, 6.0, nil, math.NaN()), numbered(10.0))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Train[0][0].Rows[0]; got.Tick != 3 || !reflect.DeepEqual(got.Values, []float32{-1}) {
		t.Errorf("row %+v, want −1 at tick 3", got)
	}
	if got := e.Val[0][0].Rows[0].Values; !reflect.DeepEqual(got, []float32{3}) {
		t.Errorf("the validation target is %v, want 3 deviations of the training targets", got)
	}
	if e.Train[2] != nil || e.Train[3] != nil {
		t.Error("something is asked where nothing is known")
	}
	if m, s := e.Aim.Settings.Floats("mean"), e.Aim.Settings.Floats("scale"); !reflect.DeepEqual(m, []float64{4}) || !reflect.DeepEqual(s, []float64{2}) {
		t.Errorf("the plan is told mean %v and scale %v", m, s)
	}
}

func TestUnfitNumbersAreRefused(t *testing.T) {
	for want, x := range map[string]struct {
		env    prepare.Env
		target any
	}{
		"row 1 has 2 numbers, want 1": {env("size"), []float64{1, 2}},
		"never known":                 {env("size"), math.NaN()},
	} {
		if _, err := (regression{}).Encode(t.Context(), x.env, numbered(x.target), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := (regression{}).Encode(t.Context(), env("size"), numbered(1.0, 2.0), numbered([]float64{1, 2})); err == nil || !strings.Contains(err.Error(), "example a: it has 2 numbers") {
		t.Errorf("%v, want the example", err)
	}
	if _, err := (regression{}).Settings("size", numbered(nil, "large")); err == nil || !strings.Contains(err.Error(), `target "size"`) {
		t.Errorf("%v, want the target", err)
	}
}

func TestScoreIsInDeviationsOfTheTrainingTargets(t *testing.T) {
	c := &task.Contest{Target: "size", Train: numbered(2.0, 6.0), Test: numbered(4.0, []float64{8})}
	s, err := regression{}.Score(c, wiring.Task{}, []task.Answer{{Values: [][]float64{{4}}}, {Values: [][]float64{{0}, {6}}}}) // the last of a series counts
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0}; !reflect.DeepEqual(s.Items["explained"], want) {
		t.Errorf("explained %v, want %v", s.Items["explained"], want)
	}
	if want := math.Sqrt(0.5); math.Abs(s.Whole["nrmse"]-want) > 1e-12 {
		t.Errorf("nrmse %v, want %v", s.Whole["nrmse"], want)
	}
	if _, err := (regression{}).Score(c, wiring.Task{}, []task.Answer{{}, {}}); err == nil || !strings.Contains(err.Error(), "0 numbers answered, 1 wanted") {
		t.Errorf("%v, want that nothing was answered", err)
	}
}

func TestRidgeFindsALineAndTheMeanDoesNot(t *testing.T) {
	c := &task.Contest{Target: "size"}
	for i := range 40 {
		x := float32(i)/20 - 1
		c.Train, c.TrainFeatures = append(c.Train, numbered(3*float64(x)+1)...), append(c.TrainFeatures, []float32{x, 0})
	}
	c.Test, c.TestFeatures = numbered(1.0, -0.5, 1.0), [][]float32{{0, 0}, {-0.5, 0}, nil}
	rivals, err := regression{}.Rivals(c, wiring.Task{})
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]float64{}
	for _, r := range rivals {
		s, err := regression{}.Score(c, wiring.Task{}, r.Answers)
		if err != nil {
			t.Fatal(err)
		}
		explained[r.Name] = s.Items["explained"][1]
	}
	if len(explained) != 3 || explained["ridge regression"] < 0.999 || explained["nearest neighbour"] < 0.99 || explained["mean"] > 0.8 {
		t.Errorf("explained %v", explained)
	}
}
