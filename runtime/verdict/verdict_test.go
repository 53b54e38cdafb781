package verdict_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/connectomewire/wire/runtime/verdict"
)

// ladder are null networks with scores 0, 1, …, n−1 in steps, one seed each.
func ladder(n int, step float64) (out [][]float64) {
	for k := range n {
		out = append(out, []float64{float64(k) * step})
	}
	return out
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		real   float64
		n      int
		step   float64
		delta  float64
		answer verdict.Answer
		p      float64
	}{
		"better than all by enough":        {50, 39, 1, 10, verdict.Helps, 0.05},
		"better than all, not by enough":   {39, 39, 1, 10, verdict.Undecided, 0.05},
		"worse than all by enough":         {-20, 39, 1, 15, verdict.Hurts, 0.05},
		"too few":                          {50, 38, 1, 1, verdict.Undecided, 2.0 / 39},
		"among them, who are alike":        {0.15, 39, 0.01, 1, verdict.NoDifference, 2 * 17.0 / 40},
		"among them, who differ":           {19, 39, 1, 5, verdict.Undecided, 1},
		"better than all but one":          {37.5, 39, 1, 0.1, verdict.Undecided, 0.1},
		"better than 99 but less than one": {98.5, 100, 1, 0.1, verdict.Helps, 4.0 / 101},
	} {
		got, err := verdict.Compare("null", []float64{c.real}, ladder(c.n, c.step), c.delta)
		if err != nil {
			t.Fatal(err)
		}
		if got.Answer != c.answer || math.Abs(got.P-c.p) > 1e-12 {
			t.Errorf("%s: %s, p = %.4f, [%.2f, %.2f]; want %s, %.4f", name, got.Answer, got.P, got.Low, got.High, c.answer, c.p)
		}
	}
}

// TestUnitIsTheNetwork: more seeds do not make more networks.
func TestUnitIsTheNetwork(t *testing.T) {
	var nulls [][]float64
	for k := range 39 {
		nulls = append(nulls, []float64{float64(k) - 10, float64(k) + 10})
	}
	c, err := verdict.Compare("null", []float64{40, 60}, nulls, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Real != 50 || c.Mean != 19 || c.Low != 50-37 || c.High != 50-1 || c.N != 39 || c.Seeds != 2 {
		t.Errorf("%+v", c)
	}
	if _, err := verdict.Compare("null", []float64{1}, nulls, 1); err == nil {
		t.Error("networks with other numbers of seeds are compared")
	}
	if _, err := verdict.Compare("null", []float64{1, 2}, nulls, 0); err == nil {
		t.Error("any effect is of interest")
	}
}

// TestDecide: all that confirm have to agree, and what explores is corrected.
func TestDecide(t *testing.T) {
	make := func(name string, real float64, confirms bool) verdict.Comparison {
		c, err := verdict.Compare(name, []float64{real}, ladder(79, 1), 1)
		if err != nil {
			t.Fatal(err)
		}
		c.Confirms = confirms
		return c
	}
	better, level := make("degree", 100, true), make("strength", 40, true)
	if v := verdict.Decide([]verdict.Comparison{better, better}, 1); v.Answer != verdict.Helps {
		t.Errorf("two of two: %s", v.Answer)
	}
	if v := verdict.Decide([]verdict.Comparison{better, level}, 1); v.Answer != verdict.Undecided {
		t.Errorf("one of two: %s", v.Answer)
	}
	if v := verdict.Decide([]verdict.Comparison{make("random", 100, false)}, 1); v.Answer != verdict.Undecided {
		t.Errorf("none confirms: %s", v.Answer)
	}
	// Alone p = 2/80 is an answer, as one of three it is not: 3 · 2/80 > 0.05.
	v := verdict.Decide([]verdict.Comparison{make("random", 100, false), make("lattice", 40, false), make("community", 100, false)}, 1)
	for i, want := range []float64{0.075, 1, 0.075} {
		if c := v.Comparisons[i]; math.Abs(c.Holm-want) > 1e-12 || c.Answer == verdict.Helps {
			t.Errorf("%s: corrected p %.4f, want %.4f; %s", c.Null, c.Holm, want, c.Answer)
		}
	}
}

// TestPower: when the wiring is a null network, at most one verdict in twenty
// says otherwise; an effect of three spreads beyond the smallest of interest is
// mostly found, and none of that size is confirmed where networks are alike.
func TestPower(t *testing.T) {
	const trials = 2000
	d := verdict.Design{Nulls: 39, Seeds: 3, Delta: 0.01, NetworkSpread: 0.02, SeedSpread: 0.02}
	same, err := verdict.Power(d, 0, trials, 1)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := same[verdict.Helps] + same[verdict.Hurts]; wrong > 0.05 {
		t.Errorf("%.3f of verdicts on a null network are wrong", wrong)
	}
	large, err := verdict.Power(d, 0.1, trials, 2)
	if err != nil {
		t.Fatal(err)
	}
	if large[verdict.Helps] < 0.8 || large[verdict.Hurts] > 0 {
		t.Errorf("an effect of 0.1: %v", large)
	}
	d.NetworkSpread, d.SeedSpread, d.Delta = 0.002, 0.002, 0.02
	alike, err := verdict.Power(d, 0, trials, 3)
	if err != nil {
		t.Fatal(err)
	}
	if alike[verdict.NoDifference] < 0.95 {
		t.Errorf("networks that are alike: %v", alike)
	}
}

// TestCalibrate: networks of one model that differ by chance are told from each
// other at most once in twenty times, a large effect nearly always, and one
// beyond all networks when nothing else differs always.
func TestCalibrate(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var scores [][]float64
	for range 400 {
		m := rng.NormFloat64()
		scores = append(scores, []float64{m, m + 0.1*rng.NormFloat64()})
	}
	found, err := verdict.Calibrate(scores, 39, 400, 0.1, []float64{0, 1, 6}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := found[0].Answers[verdict.Helps] + found[0].Answers[verdict.Hurts]; wrong > 0.075 {
		t.Errorf("an answer was wrong in %.3f of the trials", wrong)
	}
	if a, b := found[1].Answers[verdict.Helps], found[2].Answers[verdict.Helps]; a >= b || b < 0.95 {
		t.Errorf("effects of 1 and 6 deviations are found in %.2f and %.2f of the trials", a, b)
	}
	if _, err := verdict.Calibrate(scores[:39], 39, 10, 0.1, []float64{0}, 1); err == nil {
		t.Error("39 networks have no 39 others")
	}
}
