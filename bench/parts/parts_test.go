package main

import (
	"context"
	"math"
	"testing"

	"github.com/connectomewire/wire/bench/internal/trial"
)

// TestPlanLearnsThroughAModule: with the module inside it a plan learns what
// only the module can bring; with its gradient cut it is clearly worse, and
// with its output zeroed it is at chance.
func TestPlanLearnsThroughAModule(t *testing.T) {
	rows, _, err := measure(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	score := map[string]float64{}
	for _, r := range rows {
		score[r.Condition] = r.Metrics["accuracy"]
		t.Logf("%-12s %.3f [%.3f, %.3f]", r.Condition, r.Metrics["accuracy"], r.CI["accuracy"][0], r.CI["accuracy"][1])
	}
	if score["plan"] < 0.85 {
		t.Errorf("the plan scores %.3f, want 0.85 or more", score["plan"])
	}
	d := trial.Versus(rows, "detached", "accuracy")
	if d == nil || d.Low < 0.1 {
		t.Errorf("with the gradient cut the plan loses %+v, want clearly more than 0.1", d)
	}
	if s, ok := score["silenced"]; !ok || math.Abs(s-0.25) > 0.01 {
		t.Errorf("with the module silenced the plan scores %.3f, want chance, 0.25", s)
	}
}
