package multiverse_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs/chart"
	"github.com/connectomewire/wire/runtime/experiment/experimenttest"
	"github.com/connectomewire/wire/runtime/multiverse"
)

const text = `connectome: default
task: memory-capacity
metric: capacity
lags: 10
null_model: degree
n: 5
choices:
  weights: ["", log]
  signs: [positive, asymmetric]
  ridge: [1e-6, 1e-3]
`

// TestRun: all combinations are run, alike whatever the number of workers, and
// the joint test stands on them together.
func TestRun(t *testing.T) {
	s, err := multiverse.Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	brain := synthetic.Default()
	r, err := multiverse.Run(context.Background(), s, brain, multiverse.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	again, err := multiverse.Run(context.Background(), s, brain, multiverse.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Outcomes) != 8 || r.Median != again.Median || r.P != again.P {
		t.Fatalf("%d combinations, median %v and %v", len(r.Outcomes), r.Median, again.Median)
	}
	if p := r.P * 6; r.P < 1./6 || r.P > 1 || math.Abs(p-math.Round(p)) > 1e-9 {
		t.Errorf("p = %v of 6 networks", r.P)
	}
	better := 0.0
	for i, x := range r.Outcomes {
		if i > 0 && x.Difference < r.Outcomes[i-1].Difference || x.Low > x.Difference || x.High < x.Difference || len(x.Nulls) != 5 {
			t.Errorf("outcome %d: %+v", i, x)
		}
		if x.Difference > 0 {
			better++
		}
	}
	if math.Abs(r.Better-better/8) > 1e-9 {
		t.Errorf("better in %v, want %v", r.Better, better/8)
	}
	if c := r.Chosen(); len(c) != 6 || c[0].List != "weights" || len(c[0].At) != 4 {
		t.Errorf("choices %+v", c)
	}
	var b bytes.Buffer
	if err := r.WriteReport(&b, s); err != nil || strings.Count(b.String(), "\n| ") != 9 || !strings.Contains(b.String(), "| weights | signs | ridge | real |") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	b.Reset()
	if err := chart.Multiverse(&b, r, s.Metric); err != nil || !strings.Contains(b.String(), "signs asymmetric") {
		t.Errorf("%v", err)
	}
	// Lower is better: the same with the other sign.
	s.Lower = true
	other, err := multiverse.Run(context.Background(), s, brain, multiverse.Options{Workers: 2})
	if err != nil || math.Abs(other.Median+r.Median) > 1e-12 || other.P != r.P {
		t.Errorf("median %v and %v, %v", other.Median, r.Median, err)
	}
}

// TestChoices: every list changes what is computed, and where each network has its
// own best radius, it is one of the list's and no worse for that.
func TestChoices(t *testing.T) {
	base := `connectome: default
task: memory-capacity
metric: capacity
lags: 10
null_model: degree
n: 2
choices:
  signs: [asymmetric]
`
	run := func(choices string) map[string]multiverse.Outcome {
		t.Helper()
		s, err := multiverse.Parse("m.yaml", []byte(base+choices))
		if err != nil {
			t.Fatal(err)
		}
		r, err := multiverse.Run(context.Background(), s, synthetic.Default(), multiverse.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]multiverse.Outcome{}
		for _, x := range r.Outcomes {
			name := ""
			for _, c := range r.Chosen() {
				if c.At != nil && slices.ContainsFunc(c.At, func(i int) bool { return r.Outcomes[i].Universe == x.Universe }) {
					name += c.List + "=" + c.Value + " "
				}
			}
			out[name] = x
		}
		return out
	}
	for list, values := range map[string]string{
		"density": "[1, 0.05]", "enter": `["", lobe=occipital]`, "read": `["", random=0.2]`, "noise": "[0, 0.1]", "leak": "[1, 0.5]", "gain": "[1, 0.1]",
	} {
		got := run("  " + list + ": " + values + "\n")
		var real []float64
		for name, x := range got {
			if !strings.Contains(name, list+"=") {
				t.Errorf("%s: outcome %q", list, name)
			}
			real = append(real, x.Real)
		}
		if len(real) != 2 || real[0] == real[1] {
			t.Errorf("%s: capacities %v", list, real)
		}
	}
	got := run("  rho: [0.1, 0.9]\n  radius: [equal, best]\n")
	best, poor, good := got["rho=its best radius=best "], got["rho=0.1 radius=equal "], got["rho=0.9 radius=equal "]
	// Far from each other, the two are told apart by the steps that are learned from.
	if len(got) != 3 || math.Abs(best.Real-max(poor.Real, good.Real)) > 1e-9 {
		t.Errorf("best %v of %v and %v", best.Real, poor.Real, good.Real)
	}
}

func TestParse(t *testing.T) {
	for was, is := range map[string][2]string{
		"task: memory-capacity": {"task: memory", "m.yaml:2:"},
		"metric: capacity":      {"metric: taste", "`metric: taste`"},
		"null_model: degree":    {"null_model: fair", `no null model "fair"`},
		"n: 5":                  {"n: 1", "`n: 1`: want 2"},
		`["", log]`:             {"[logs]", "m.yaml:8:"},
		"signs: [positive":      {"signs: [odd", `"odd"`},
		"ridge: [1e-6":          {"ridge: [-1", "`ridge: -1`"},
		"connectome: default\n": {"", "`connectome:` is missing"},
		"  ridge: [1e-6, 1e-3]": {"  density: [0]", "`density: 0`"},
		"  ridge: [1e-6, 1e-3":  {"  noise: [-1", "`noise: -1`"},
		"ridge: [1e-6, 1e-3]":   {"radius: [best]", "has no two values"},
	} {
		_, err := multiverse.Parse("m.yaml", []byte(strings.Replace(text, was, is[0], 1)))
		if err == nil || !strings.Contains(err.Error(), is[1]) {
			t.Errorf("%q: %v, want %q", is[0], err, is[1])
		}
	}
}

const learned = `learned:
  plan: p
  data: {path: none}
  learn: {epochs: 2, batch: 8}
metric: explained
null_model: degree
n: 2
choices:
  gates: [learned, fixed]
  rank: [1, 2]
  radius: [equal, own]
`

// TestLearned: a plan that learns and its null networks, changed alike.
func TestLearned(t *testing.T) {
	s, err := multiverse.Parse("m.yaml", []byte(learned))
	if err != nil {
		t.Fatal(err)
	}
	x := experimenttest.Setup(t)
	r, err := multiverse.Run(context.Background(), s, nil, multiverse.Options{Workers: 2, Setup: &x})
	if err != nil {
		t.Fatal(err)
	}
	again, err := multiverse.Run(context.Background(), s, nil, multiverse.Options{Workers: 1, Setup: &x})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Outcomes) != 8 || r.Median != again.Median || r.P != again.P {
		t.Fatalf("%d combinations, median %v and %v", len(r.Outcomes), r.Median, again.Median)
	}
	seen := map[float64]bool{}
	for _, o := range r.Outcomes {
		seen[o.Real] = true
		if len(o.Nulls) != 2 || o.Nulls[0] == o.Nulls[1] {
			t.Errorf("%+v", o)
		}
	}
	if len(seen) != 4 { // the radius is of null networks alone
		t.Errorf("%d different scores of the plan, want one of each rank with gates and without", len(seen))
	}
	if x.Plan.FixedGates || x.Plan.Rank != 2 {
		t.Error("the plan was changed")
	}
	var b bytes.Buffer
	if err := r.WriteReport(&b, s); err != nil || !strings.Contains(b.String(), "| radius | gates | rank | real |") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	for was, is := range map[string][2]string{
		"gates: [learned": {"gates: [open", "`gates: open`"},
		"rank: [1":        {"ridge: [1", "`ridge:` is a choice of reservoirs"},
		"rank: [1, 2]":    {"rank: [100000]", "rank is 100000"},
		"radius: [equal":  {"radius: [best", "want equal or own"},
		"epochs: 2":       {"epochs: 0", "needs `epochs:`"},
		"metric:":         {"task: n-back\nmetric:", "are of reservoirs"},
	} {
		_, err := multiverse.Parse("m.yaml", []byte(strings.Replace(learned, was, is[0], 1)))
		if err == nil || !strings.Contains(err.Error(), is[1]) {
			t.Errorf("%q: %v, want %q", is[0], err, is[1])
		}
	}
	if _, err := multiverse.Parse("m.yaml", []byte(strings.Replace(text, "ridge:", "rank: [2]\n  ridge:", 1))); err == nil || !strings.Contains(err.Error(), "is a choice of plans that learn") {
		t.Errorf("error %v", err)
	}
}
