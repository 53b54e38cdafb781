package experiment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/experiment/experimenttest"
	"github.com/connectomewire/wire/runtime/verdict"
	"github.com/connectomewire/wire/wiring"
)

const text = `question: Does it matter?
plan: p
data: {path: none}
metric: explained
seeds: 2
nulls:
  - {kind: degree, n: 2, confirms: true}
  - {kind: random, n: 1, unscaled: true}
controls: [adapter]
learn: {epochs: 2, batch: 8}
delta: 0.1
`

func spec(t *testing.T, dir, text string) *experiment.Spec {
	t.Helper()
	s, err := experiment.Parse(filepath.Join(dir, "w.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scores are those of all runs, by condition, network and seed.
func scores(e *experiment.Experiment) map[string]float64 {
	out := map[string]float64{}
	for _, r := range e.Log.Rows {
		out[fmt.Sprint(r.Condition, r.Network, r.Seed)] = r.Score
	}
	return out
}

// TestRunGoesOn: what was interrupted, in the middle of a line too, goes on and
// comes to the same scores whatever the number of workers.
func TestRunGoesOn(t *testing.T) {
	ctx, x := context.Background(), experimenttest.Setup(t)
	dir := t.TempDir()
	e, err := experiment.New(ctx, spec(t, dir, text), x)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	whole := scores(e)
	if len(whole) != 10 || e.Log.Record.Runs != 10 { // plan, adapter, 2 + 1 nulls, twice
		t.Fatalf("%d runs: %v", len(whole), whole)
	}
	if len(e.Log.Rows[0].Items) != 0 && len(e.Log.Rows[0].Items) != 30 {
		t.Errorf("%d items", len(e.Log.Rows[0].Items))
	}
	name := filepath.Join(dir, "w.results.jsonl")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	cut := append(bytes.Join(lines[:4], nil), lines[4][:len(lines[4])/2]...)
	if err := os.WriteFile(name, cut, 0o644); err != nil {
		t.Fatal(err)
	}
	x.Workers = 1
	e, err = experiment.New(ctx, spec(t, dir, text), x)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Log.Rows) != 4 {
		t.Fatalf("%d rows are left", len(e.Log.Rows))
	}
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), "6 of 10 runs are left") {
		t.Errorf("a verdict before the end: %v", err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for run, score := range scores(e) {
		if whole[run] != score {
			t.Errorf("%s: %v, and %v the second time", run, whole[run], score)
		}
	}
	v, err := e.Verdict()
	if err != nil || v.Answer != verdict.Undecided || len(v.Comparisons) != 2 {
		t.Errorf("two networks decide: %+v (%v)", v, err)
	}
	var report strings.Builder
	if err := e.WriteReport(&report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Does it matter?", "10 of 10 runs", "| random, unscaled | 1 |", "**The wiring: undecided**"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, report.String())
		}
	}
	// A context that ended keeps what was made.
	over, stop := context.WithCancel(ctx)
	stop()
	other := t.TempDir()
	if e, err = experiment.New(ctx, spec(t, other, text), x); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(over); err == nil {
		t.Error("a cancelled run ends without an error")
	}
}

// TestChangesAreFound: of results, record, spec, data and plan.
func TestChangesAreFound(t *testing.T) {
	ctx, x := context.Background(), experimenttest.Setup(t)
	small := strings.Replace(strings.Replace(text, "seeds: 2", "seeds: 1", 1), "epochs: 2", "epochs: 1", 1)
	dir := t.TempDir()
	e, err := experiment.New(ctx, spec(t, dir, small), x)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	results, record := filepath.Join(dir, "w.results.jsonl"), filepath.Join(dir, "w.record.json")
	again := func(text string, x experiment.Setup) error {
		_, err := experiment.New(ctx, spec(t, dir, text), x)
		return err
	}
	if err := again(small, x); err != nil {
		t.Fatalf("nothing was changed: %v", err)
	}
	for name, change := range map[string]func(lines []string) []string{
		"a score":               func(l []string) []string { l[2] = strings.Replace(l[2], `"score":`, `"score":1`, 1); return l },
		"a row that is gone":    func(l []string) []string { return append(l[:1], l[2:]...) },
		"rows in another order": func(l []string) []string { l[1], l[2] = l[2], l[1]; return l },
	} {
		data, err := os.ReadFile(results)
		if err != nil {
			t.Fatal(err)
		}
		lines := change(strings.SplitAfter(string(data), "\n"))
		if err := os.WriteFile(results, []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := again(small, x); err == nil || !strings.Contains(err.Error(), "w.results.jsonl:") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := os.WriteFile(results, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := again(strings.Replace(small, "delta: 0.1", "delta: 0.01", 1), x); err == nil || !strings.Contains(err.Error(), "w.yaml") {
		t.Errorf("another delta: %v", err)
	}
	y := x
	y.Test = y.Test[1:]
	if err := again(small, y); err == nil || !strings.Contains(err.Error(), "scored examples") {
		t.Errorf("other data: %v", err)
	}
	y = x
	plan := *x.Plan
	plan.Tracts = append([]wiring.Tract(nil), plan.Tracts...)
	plan.Tracts[3].Delay = 2
	y.Plan = &plan
	if err := again(small, y); err == nil || !strings.Contains(err.Error(), "tracts.tsv") {
		t.Errorf("another plan: %v", err)
	}
	// It can be told again all the same, but not as that of another spec.
	var told, retold strings.Builder
	if err := e.WriteReport(&told); err != nil {
		t.Fatal(err)
	}
	y.Code = "another"
	f, changed, err := experiment.Reopen(spec(t, dir, small), y)
	if err != nil || len(changed) != 2 || !strings.Contains(strings.Join(changed, " "), "code (was") {
		t.Fatalf("changed: %q (%v)", changed, err)
	}
	if err := f.WriteReport(&retold); err != nil || told.String() != retold.String() {
		t.Errorf("told again: %v\n%s\nwant\n%s", err, retold.String(), told.String())
	}
	if _, _, err := experiment.Reopen(spec(t, dir, strings.Replace(small, "delta: 0.1", "delta: 0.01", 1)), x); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("results of another spec: %v", err)
	}
	if _, _, err := experiment.Reopen(spec(t, t.TempDir(), small), x); err == nil || !strings.Contains(err.Error(), "nothing was run") {
		t.Errorf("no results: %v", err)
	}
	data, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	r["time"] = "2001-01-01T00:00:00Z"
	if data, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(record, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := again(small, x); err == nil || !strings.Contains(err.Error(), "w.results.jsonl:1:") {
		t.Errorf("a record of another time: %v", err)
	}
}

// TestSpecMistakes are told with their places.
func TestSpecMistakes(t *testing.T) {
	for want, change := range map[string][2]string{
		`w.yaml:7:6: there is no null model "degrees"`: {"kind: degree,", "kind: degrees,"},
		"w.yaml:5:1: `seeds: 0`":                       {"seeds: 2", "seeds: 0"},
		"w.yaml:11:1: `delta:` asks for a verdict":     {", confirms: true", ""},
		"`metric:` is missing":                         {"metric: explained", "effector: y"},
		"w.yaml:8:6: degree is there twice":            {"random, n: 1, unscaled: true", "degree, n: 1"},
		`the control "untrained" learns nothing`:       {"[adapter]", "[untrained]"},
		"w.yaml:12:1":                                  {"delta: 0.1\n", "delta: 0.1\ncolour: red\n"},
	} {
		_, err := experiment.Parse("w.yaml", []byte(strings.Replace(text, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
	x := experimenttest.Setup(t)
	dir := t.TempDir()
	if _, err := experiment.New(context.Background(), spec(t, dir, strings.Replace(text, "explained", "beauty", 1)), x); err == nil || !strings.Contains(err.Error(), `no metric "beauty"; it has explained`) {
		t.Errorf("error %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("a spec that cannot be run leaves %v", files)
	}
}

const curves = `plan: p
data: {path: none}
metric: explained
seeds: 2
learn: {epochs: 12, batch: 8, rate: 0.01}
gates: {permutations: 19}
curves:
  - {name: back, lesion: [r9, r10], only: [tracts], epochs: [0, 4]}
  - {name: anew, lesion: [r9, r10], anew: true, epochs: [0, 4]}
  - {name: moved, reroute: {x: [r5, r6]}, epochs: [0, 2]}
  - {name: alike, reroute: {x: [r5, r6]}, alike: true, epochs: [0]}
  - {name: data, shares: [0.1, 1]}
  - {name: strongest, cut: {of: tracts, by: strength, counts: [0, 10, 47]}}
  - {name: between, cut: {of: regions, by: betweenness, counts: [1]}}
  - {name: means, cut: {of: tracts, by: random, mean: true, counts: [10]}}
  - {name: each, cut: {of: regions, by: each}}
`

// TestCurves: what is done to the plan that a seed taught begins from it, and
// every point is what it says.
func TestCurves(t *testing.T) {
	x := experimenttest.Setup(t)
	s := spec(t, t.TempDir(), curves)
	e, err := experiment.New(context.Background(), s, x)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	at := map[string]experiment.Row{}
	for _, r := range e.Log.Rows {
		at[fmt.Sprint(r.Condition, " ", r.Seed, " ", r.At)] = r
	}
	if want := 2 * (1 + 1 + 2 + 2 + 2 + 1 + 2 + 3 + 1 + 1 + 12); len(at) != want {
		t.Fatalf("%d points, want %d", len(at), want)
	}
	for seed := 1; seed <= 2; seed++ {
		get := func(name string, point float64) experiment.Row {
			r, ok := at[fmt.Sprint(name, " ", seed, " ", point)]
			if !ok {
				t.Fatalf("no point %s at %v", name, point)
			}
			return r
		}
		plan := get("plan", 0).Score
		if plan < 0.5 {
			t.Errorf("seed %d: the plan explains %.2f", seed, plan)
		}
		// Nothing cut is the plan itself; all of the data, too.
		if v := get("strongest", 0).Score; v != plan {
			t.Errorf("seed %d: nothing cut gives %v, the plan %v", seed, v, plan)
		}
		if v := get("data", 1).Score; v != plan {
			t.Errorf("seed %d: all the data give %v, the plan %v", seed, v, plan)
		}
		if v := get("strongest", 47).Score; v > 0.3 {
			t.Errorf("seed %d: with a single tract left %.2f is explained", seed, v)
		}
		if a, b := get("back", 0).Score, get("back", 4).Score; b <= a {
			t.Errorf("seed %d: relearning after a lesion goes from %.2f to %.2f", seed, a, b)
		}
		if a, b := get("back", 0), get("anew", 0); a.Score <= b.Score || a.Wiring.Tracts != b.Wiring.Tracts || a.Wiring.Tracts >= 40 {
			t.Errorf("seed %d: what is left of what was learned explains %.2f, untrained %.2f, of %d tracts", seed, a.Score, b.Score, a.Wiring.Tracts)
		}
		if get("means", 10).Score == get("strongest", 10).Score {
			t.Errorf("seed %d: cut at random with means as the strongest without", seed)
		}
		if r := get("gates", 0); r.Metrics["weight p"] < 1./20 || r.Metrics["weight p"] > 1 || r.Metrics["distance p"] != 0 {
			t.Errorf("seed %d: gates %+v", seed, r.Metrics)
		}
		if r := get("each", 3); r.What != "r2" || r.Wiring.Tracts != 40 {
			t.Errorf("seed %d: the third is %q, %d tracts left", seed, r.What, r.Wiring.Tracts)
		}
	}
	var b bytes.Buffer
	if err := e.WriteReport(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## Learned gates", "## back", "| 4 | 2 |", "## each", "| r2 |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, b.String())
		}
	}
	// Another run makes none again.
	again, err := experiment.New(context.Background(), s, x)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Run(context.Background()); err != nil || len(again.Log.Rows) != len(e.Log.Rows) {
		t.Errorf("%d rows, %v", len(again.Log.Rows), err)
	}
}

func TestCurveSpecs(t *testing.T) {
	for was, is := range map[string]struct{ text, err string }{
		"epochs: [0, 4]}\n  - {name: anew":                    {"epochs: [-1]}\n  - {name: anew", "w.yaml:8:"},
		"{name: data, shares: [0.1, 1]}":                      {"{name: data, shares: [2]}", "a share of 2"},
		"only: [tracts]":                                      {"only: [axons]", `nothing is called "axons"`},
		"{name: each, cut: {of: regions, by: each}}":          {"{name: each}", "needs one of `epochs:`"},
		"by: strength, counts: [0, 10, 47]":                   {"by: strength", "`counts:` says how many"},
		"by: betweenness":                                     {"by: name", "`by: name`: want strength"},
		"{name: alike, reroute: {x: [r5, r6]}, alike: true, ": {"{name: back, ", "back is there twice"},
	} {
		text := strings.Replace(curves, was, is.text, 1)
		if text == curves {
			t.Fatalf("%q is not there", was)
		}
		if _, err := experiment.Parse("w.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), is.err) {
			t.Errorf("%v, want %q", err, is.err)
		}
	}
}
