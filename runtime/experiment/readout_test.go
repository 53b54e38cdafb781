package experiment_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring/reservoir"
)

const readoutText = `plan: r
readout: {task: memory-capacity, ridge: 1e-6, lags: 20, seed: 2}
metric: capacity
seeds: 2
nulls:
  - {kind: degree, n: 40, confirms: true}
  - {kind: community, n: 1}
  - {kind: random, n: 1, unscaled: true}
delta: 0.5
`

// ring is a reservoir whose input weights differ: a chain of delays.
func ring(t *testing.T, n int) experiment.Setup {
	t.Helper()
	var tracts []connectome.Tract
	c := &connectome.Connectome{Name: "ring", Directed: true}
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: string(rune('a' + i))})
		tracts = append(tracts, connectome.Tract{From: i, To: (i + 1) % n, Weight: 1}, connectome.Tract{From: i, To: (i + 3) % n, Weight: 0.1})
	}
	var err error
	if c.Tracts, err = connectome.FromTracts(n, tracts); err != nil {
		t.Fatal(err)
	}
	p, _, err := reservoir.Build(c, reservoir.Options{Rho: 0.9, InputGain: 0.1, Signs: reservoir.SignsAsymmetric, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return experiment.Setup{Plan: p, Code: "test", Workers: 2}
}

// TestReservoirs: null models of a reservoir have its spectral radius, or its
// tracts' numbers where they are not scaled, and what was run is not run again.
func TestReservoirs(t *testing.T) {
	s, x := spec(t, t.TempDir(), readoutText), ring(t, 12)
	var err error
	if x.Series, err = experiment.OpenReadout(s); err != nil {
		t.Fatal(err)
	}
	before := append([]float64(nil), x.Plan.Rates.Input[0]...)
	e, err := experiment.New(context.Background(), s, x)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(e.Log.Rows); n != 2*43 {
		t.Fatalf("%d runs", n)
	}
	seeds := map[int]float64{}
	for _, r := range e.Log.Rows {
		if r.Score < 1 || r.Score > 12 || r.Metrics["r2"] > r.Score {
			t.Errorf("%s %d: capacity %v of 12 regions, %v", r.Condition, r.Network, r.Score, r.Metrics)
		}
		if near := math.Abs(r.Wiring.Radius-0.9) < 1e-6; near == strings.Contains(r.Condition, "unscaled") {
			t.Errorf("%s %d: spectral radius %v", r.Condition, r.Network, r.Wiring.Radius)
		}
		if r.Condition == "plan" {
			seeds[r.Seed] = r.Score
		}
	}
	if seeds[1] == seeds[2] {
		t.Error("both seeds have the same input weights")
	}
	for i, v := range before {
		if x.Plan.Rates.Input[0][i] != v {
			t.Fatal("the plan's own input weights were changed")
		}
	}
	if v, err := e.Verdict(); err != nil || len(v.Comparisons) != 3 {
		t.Errorf("%+v, %v", v, err)
	}
	// On other data nothing goes on.
	s.Readout.Seed = 3
	if x.Series, err = experiment.OpenReadout(s); err != nil {
		t.Fatal(err)
	}
	if _, err := experiment.New(context.Background(), s, x); err == nil || !strings.Contains(err.Error(), "series (was") {
		t.Errorf("error %v", err)
	}
}

func TestReadoutSpecs(t *testing.T) {
	for text, want := range map[string]string{
		readoutText + "learn: {epochs: 2}\n":                             "`readout:` is of reservoirs",
		strings.Replace(readoutText, "memory-capacity", "memory", 1):     `w.yaml:2:11: there is no task "memory"`,
		strings.Replace(readoutText, "ridge: 1e-6", "ridge: -1", 1):      "`ridge: -1`: want 0 to 1e6",
		strings.Replace(readoutText, "ridge: 1e-6", "washout: -1", 1):    "`washout: -1`: want 0 or more",
		strings.Replace(readoutText, "metric: capacity", "metric: r", 1): "",
	} {
		_, err := experiment.Parse("w.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// A metric that the task does not have is found before anything is settled.
	s, x := spec(t, t.TempDir(), strings.Replace(readoutText, "metric: capacity", "metric: accuracy", 1)), ring(t, 12)
	var err error
	if x.Series, err = experiment.OpenReadout(s); err != nil {
		t.Fatal(err)
	}
	if _, err := experiment.New(context.Background(), s, x); err == nil || !strings.Contains(err.Error(), `no metric "accuracy"; it has capacity, nrmse, r2, ridge`) {
		t.Errorf("error %v", err)
	}
}
