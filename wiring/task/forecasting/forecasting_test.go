package forecasting

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

// example is a series that is given and one that is wanted.
func example(given []float32, wanted ...float64) task.Example {
	return task.Example{
		ID:      "s",
		Inputs:  map[string]task.Input{"series": task.Given(wiring.KindSeries, task.Series{Steps: len(given), Width: 1, Values: given})},
		Targets: map[string]any{"next": wanted},
	}
}

// sine is forecast from itself.
func sine(phase float64, steps int) task.Example {
	var given []float32
	var wanted []float64
	for t := range steps {
		x := float32(math.Sin(phase + 0.7*float64(t)))
		given, wanted = append(given, x), append(wanted, float64(x))
	}
	return example(given, wanted...)
}

func env(settings wiring.Settings) prepare.Env {
	s := wiring.Settings{}
	head.SetNames(s, []string{"next"})
	return prepare.Env{
		Plan: &wiring.Plan{
			Ticks: wiring.Ticks{Settle: 3}, Senses: []wiring.Sense{{Name: "series", Kind: wiring.KindSeries, PerTick: true, Width: 1}},
			Effectors: []wiring.Effector{{Name: "next", Head: head.NameLinear, Settings: s}},
		},
		Task: wiring.Task{Kind: Kind, Effector: "next", Target: "next", Settings: settings},
	}
}

func TestStepsAreReadAtTheirEnds(t *testing.T) {
	list := []task.Example{example([]float32{1, 2, 3, 4, 5}, 1, 2, math.NaN(), 4, 5)}
	e, err := forecasting{}.Encode(t.Context(), env(wiring.Settings{"horizon": 2, "warm": 1}), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Step 1 is read at tick 6 and wants that of step 3, step 2 that of step 4; step 0 warms up.
	var ticks []int
	var values []float32
	for _, r := range e.Train[0][0].Rows {
		ticks, values = append(ticks, r.Tick), append(values, r.Values...)
	}
	mean, scale := 3.0, math.Sqrt(2.5)
	want := []float32{float32((4 - mean) / scale), float32((5 - mean) / scale)}
	if !reflect.DeepEqual(ticks, []int{6, 9}) || !reflect.DeepEqual(values, want) {
		t.Errorf("read at %v for %v, want at 6 and 9 for %v", ticks, values, want)
	}
	if h, w := Horizon(wiring.Task{}); h != 1 || w != 0 {
		t.Errorf("the horizon is %d after %d, want 1 after 0", h, w)
	}
}

func TestUnfitSeriesAreRefused(t *testing.T) {
	still := env(nil)
	still.Plan.Senses[0].PerTick = false
	for want, x := range map[string]prepare.Env{
		"must be 0 or more":           env(wiring.Settings{"horizon": -1}),
		`did you mean "horizon"`:      env(wiring.Settings{"horizn": 1}),
		"has no sense of kind series": still,
	} {
		if _, err := (forecasting{}).Encode(t.Context(), x, []task.Example{sine(0, 5)}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// score is the error of a rival of a name.
func score(t *testing.T, c *task.Contest, x wiring.Task) map[string]float64 {
	t.Helper()
	rivals, err := forecasting{}.Rivals(c, x)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, r := range rivals {
		s, err := forecasting{}.Score(c, x, r.Answers)
		if err != nil {
			t.Fatal(err)
		}
		out[r.Name] = s.Whole["nrmse"]
	}
	return out
}

func TestAutoregressionForecastsASineAndPersistenceDoesNot(t *testing.T) {
	c := &task.Contest{Target: "next", Test: []task.Example{sine(3, 60)}}
	for k := range 6 {
		c.Train = append(c.Train, sine(float64(k), 60))
	}
	got := score(t, c, wiring.Task{})
	if len(got) != 2 || got["linear autoregression"] > 0.2 || got["persistence"] < 0.5 {
		t.Errorf("errors %v", got)
	}
}

// TestRivalsSeeNoMoreThanThePlan: what is wanted may be another series than what
// is given; its own past is then hidden from plan and rivals alike, and so is,
// at a horizon of nothing, the answer.
func TestRivalsSeeNoMoreThanThePlan(t *testing.T) {
	c := &task.Contest{Target: "next"}
	for k := range 8 {
		var given []float32
		var wanted []float64
		state := uint32(k + 1)
		for range 60 {
			state = state*1664525 + 1013904223
			given = append(given, 1)
			wanted = append(wanted, float64(state>>16)/65536) // has nothing to do with it
		}
		c.Train = append(c.Train, example(given, wanted...))
	}
	c.Test, c.Train = c.Train[6:], c.Train[:6]
	for _, horizon := range []int{0, 1} {
		got := score(t, c, wiring.Task{Settings: wiring.Settings{"horizon": horizon}})
		if _, there := got["persistence"]; there || len(got) != 1 || got["linear autoregression"] < 0.9 {
			t.Errorf("horizon %d: errors %v of what cannot be known", horizon, got)
		}
	}
}

func TestAnswersMustCoverTheSteps(t *testing.T) {
	c := &task.Contest{Target: "next", Train: []task.Example{sine(0, 9)}, Test: []task.Example{sine(1, 9)}}
	for want, values := range map[string][][]float64{
		"2 steps answered of 9":        {{1}, {2}},
		"2 numbers answered, 1 wanted": {{1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}},
	} {
		if _, err := (forecasting{}).Score(c, wiring.Task{}, []task.Answer{{Values: values}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
