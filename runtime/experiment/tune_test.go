package experiment_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/experiment/experimenttest"
)

const tuned = `plan: p
data: {path: none}
metric: explained
seeds: 2
nulls:
  - {kind: degree, n: 2}
controls: [adapter]
learn: {epochs: 6, batch: 8}
tune: {trials: 3, rate: [1e-5, 1e-4, 2e-2], decay: [0, 0.01]}
`

// TestTune: every condition has as many trials, makes them before anything else
// and goes on where it was interrupted; the best of them is what it learns with.
func TestTune(t *testing.T) {
	ctx, x := context.Background(), experimenttest.Setup(t)
	dir := t.TempDir()
	e, err := experiment.New(ctx, spec(t, dir, tuned), x)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(e.Log.Rows) != 3*3+4*2 || e.Log.Record.Runs != len(e.Log.Rows) {
		t.Fatalf("%d rows, %d runs", len(e.Log.Rows), e.Log.Record.Runs)
	}
	ways := map[string][]string{}
	for i, r := range e.Log.Rows {
		name, trial := strings.CutPrefix(r.Condition, "tuning of ")
		if trial != (i < 9) || trial && (r.Seed != 3 || len(r.Items) > 0) {
			t.Errorf("row %d: %s, seed %d", i, r.Condition, r.Seed)
		}
		if trial {
			ways[name] = append(ways[name], r.What)
		}
	}
	for _, name := range []string{"plan", "adapter", "degree"} {
		slices.Sort(ways[name])
		if len(ways[name]) != 3 || !slices.Equal(ways[name], ways["plan"]) || ways[name][0] == ways[name][1] {
			t.Errorf("%s tried %q", name, ways[name])
		}
	}
	// The test examples have no part in it: the trials are the same without them.
	other := x
	other.Test = x.Train[:5]
	f, err := experiment.New(ctx, spec(t, t.TempDir(), tuned), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
	trials := func(e *experiment.Experiment) map[string]float64 {
		out := map[string]float64{}
		for _, r := range e.Log.Rows[:9] {
			out[r.Condition+r.What] = r.Score
		}
		return out
	}
	for name, score := range trials(e) {
		if trials(f)[name] != score {
			t.Errorf("%s: %v, with other test examples %v", name, score, trials(f)[name])
		}
	}
	var report strings.Builder
	if err := e.WriteReport(&report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tried 3 ways of learning", "| condition | tracts | width | rank | parameters | multiply-adds a tick |"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, report.String())
		}
	}
	// Cut off after the seventh row, it comes to the same.
	name := filepath.Join(dir, "w.results.jsonl")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Join(strings.SplitAfter(string(data), "\n")[:7], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	x.Workers = 1
	again, err := experiment.New(ctx, spec(t, dir, tuned), x)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for run, score := range scores(again) {
		if scores(e)[run] != score {
			t.Errorf("%s: %v, then %v", run, scores(e)[run], score)
		}
	}
}

func TestTuneMistakes(t *testing.T) {
	for want, change := range map[string][2]string{
		"`trials: 1`: want 2":                      {"trials: 3", "trials: 1"},
		"`trials: 9`: `rate:` and `decay:` have 6": {"trials: 3", "trials: 9"},
		"0.01 is there twice":                      {"[0, 0.01]", "[0.01, 0.01]"},
		"rate is 11":                               {"[1e-5", "[11"},
		"`tune:` is of plans":                      {"tune:", "gates: {permutations: 19}\ntune:"},
	} {
		_, err := experiment.Parse("w.yaml", []byte(strings.Replace(tuned, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
}
