package multiverse_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs/chart"
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
	} {
		_, err := multiverse.Parse("m.yaml", []byte(strings.Replace(text, was, is[0], 1)))
		if err == nil || !strings.Contains(err.Error(), is[1]) {
			t.Errorf("%q: %v, want %q", is[0], err, is[1])
		}
	}
}
