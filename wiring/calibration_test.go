package wiring

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestCalibrationIsKept(t *testing.T) {
	p, _, err := Build(strangers(t), testRecipe(t), BuildOptions{Modules: testModules(), Seed: 1, Width: 8, Rank: 2, Place: map[string][]string{
		"image": {"eyeball"}, "sound": {"lEardrum"}, "memory": {"lChin"}, "caption": {"Mouth"}, "caption.feedback": {"lChin"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.Trained = true
	p.Calibration = &Calibration{
		Familiar: map[string]Discriminant{"image": {Weights: make([]float32, p.Senses[0].Numbers()), Bias: 1}},
		Chances: map[string]Chance{"caption": {
			Right: Rule{Weights: map[string]float64{SignOwn: 1.5}, Bias: -1},
			Known: &Rule{Weights: map[string]float64{SignFamiliar: 0.25}, Bias: 2},
			Sure:  0.3,
		}},
	}
	p.Calibration.Familiar["image"].Weights[3] = 0.1
	dir := filepath.Join(t.TempDir(), "plan")
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	q, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Calibration, q.Calibration) {
		t.Errorf("saved %+v, loaded %+v", p.Calibration, q.Calibration)
	}
	file := filepath.Join(dir, calibrationFileName)
	for name, change := range map[string][2]string{
		`no sense "taste"`:        {`"image"`, `"taste"`},
		`no effector "speech"`:    {`"caption"`, `"speech"`},
		`no sign "beard"`:         {`"own"`, `"beard"`},
		"unknown field":           {`"bias":1`, `"tilt":1`},
		"want 0 to 1":             {`"sure":0.3`, `"sure":3`},
		"calibration.json":        {`{`, `[`},
		`weights for sense "imag`: {`[0,`, `[`},
	} {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(good), change[0], change[1], 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
		if err := os.WriteFile(file, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What is learned anew has no calibration.
	q.Init(2)
	if q.Calibration != nil {
		t.Error("new parameters keep the old calibration")
	}
}

func TestChance(t *testing.T) {
	c := Chance{Right: Rule{Weights: map[string]float64{SignOwn: 2, SignAgreement: -1}, Bias: 0.5}}
	p, ok := c.Of(map[string]float64{SignOwn: 1, SignAgreement: 0.5, SignMeaning: 9})
	if want := 1 / (1 + math.Exp(-2)); !ok || math.Abs(p-want) > 1e-12 {
		t.Errorf("chance %g, want %g", p, want)
	}
	if _, ok := c.Of(map[string]float64{SignOwn: 1}); ok {
		t.Error("a missing sign goes unnoticed")
	}
	c.Known = &Rule{Weights: map[string]float64{SignFamiliar: 3}, Bias: 1}
	p, ok = c.Of(map[string]float64{SignOwn: 1, SignAgreement: 0.5, SignFamiliar: -1})
	if want := 1 / (1 + math.Exp(-2)) / (1 + math.Exp(2)); !ok || math.Abs(p-want) > 1e-12 {
		t.Errorf("chance of an answer about a stranger %g, want %g", p, want)
	}
	if _, ok := c.Of(map[string]float64{SignOwn: 1, SignAgreement: 0.5}); ok {
		t.Error("a missing sign of strangers goes unnoticed")
	}
}

func TestOddsAreThoseOfTheWorstSense(t *testing.T) {
	p := &Plan{Senses: []Sense{{Name: "a", Width: 2}, {Name: "b", Width: 2}}}
	c := &Calibration{Familiar: map[string]Discriminant{"a": {Weights: []float32{3, 0}}, "b": {Weights: []float32{0, 4}, Bias: -1}}}
	for _, x := range []struct {
		senses [][]float32
		want   float64
		ok     bool
	}{
		{[][]float32{{10, 0}, {0, 1}}, 3, true},
		{[][]float32{nil, {0, 0.1}}, 3, true},
		{[][]float32{{1, 0}, {0, -5}}, -5, true},
		{[][]float32{{-1, 0}, nil}, -3, true},
		{[][]float32{nil, nil}, oddsLimit, false},
	} {
		if odds, ok := p.Odds(c.Familiar, x.senses); ok != x.ok || math.Abs(odds-x.want) > 1e-6 {
			t.Errorf("%v: %g %v, want %g %v", x.senses, odds, ok, x.want, x.ok)
		}
	}
}
