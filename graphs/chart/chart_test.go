package chart_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs/chart"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// TestDraw: a figure has a panel of networks and one of verdicts, is well-formed,
// and the same each time.
func TestDraw(t *testing.T) {
	p, _, err := reservoir.Build(synthetic.Default(), reservoir.Options{Rho: 0.9, Signs: reservoir.SignsAsymmetric, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := experiment.Parse(filepath.Join(t.TempDir(), "w.yaml"), []byte(`plan: r
readout: {task: memory-capacity, ridge: 1e-6, lags: 10}
metric: capacity
seeds: 1
nulls: [{kind: degree, n: 40, confirms: true}]
delta: 0.5
`))
	if err != nil {
		t.Fatal(err)
	}
	x := experiment.Setup{Plan: p, Code: "test", Workers: 2}
	if x.Series, err = experiment.OpenReadout(s); err != nil {
		t.Fatal(err)
	}
	e, err := experiment.New(context.Background(), s, x)
	if err != nil {
		t.Fatal(err)
	}
	if err := chart.Draw(io.Discard, e); err == nil {
		t.Error("nothing was run, and something is drawn")
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := chart.Draw(b, e); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two figures of one experiment differ")
	}
	for _, want := range []string{"Every network", "share answered", "degree", "capacity"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the figure lacks %q", want)
		}
	}
	for d := xml.NewDecoder(&first); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestMeasured draws curves over factors of ten, and refuses what has no logarithm.
func TestMeasured(t *testing.T) {
	points := [][2]float64{{10, 1}, {100, 7}, {1000, 52}}
	for _, c := range []struct {
		name string
		p    chart.Panel
	}{
		{"plain", chart.Panel{Title: "time", X: "tracts", Y: "ms", FromZero: true, Curves: []chart.Curve{{Points: points}}}},
		{"factors of ten", chart.Panel{X: "tracts", Y: "ms", LogX: true, LogY: true, Curves: []chart.Curve{{Name: "one", Points: points}, {Name: "two", Points: points[:2]}}}},
	} {
		var b bytes.Buffer
		if err := chart.Measured(&b, []chart.Panel{c.p, c.p}); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if n := strings.Count(b.String(), ">tracts<"); n != 2 {
			t.Errorf("%s: %d axes named tracts, want 2", c.name, n)
		}
	}
	var b bytes.Buffer
	if err := chart.Measured(&b, []chart.Panel{{LogY: true, Curves: []chart.Curve{{Points: [][2]float64{{1, 0}}}}}}); err == nil {
		t.Error("a logarithm of 0 is drawn")
	}
}
