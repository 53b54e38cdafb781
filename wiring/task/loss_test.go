package task

import (
	"errors"
	"math"
	"reflect"
	"testing"
)

// batch is a batch of rows with predictions, width numbers each.
func batch(width int, weights []float32, y []float32, rows ...Row) *Batch {
	b := &Batch{Width: width, Weight: weights, Predictions: append([]float32(nil), y...)}
	for i := range rows {
		b.Rows, b.Example, b.Side = append(b.Rows, &rows[i]), append(b.Example, i), append(b.Side, 0)
	}
	return b
}

var (
	part = Reading{Name: "loss", Weight: 1}
	nan  = float32(math.NaN())
)

// losses are batches with what they should cost, by hand.
func losses() map[string]struct {
	loss  Loss
	batch *Batch
	want  []Sum
} {
	ln := math.Log
	softplus := func(x float64) float64 { return ln(1 + math.Exp(x)) }
	class := func(c ...int32) Row { return Row{Classes: c} }
	return map[string]struct {
		loss  Loss
		batch *Batch
		want  []Sum
	}{
		"one of three": {&CrossEntropy{Parts: []Reading{part}}, batch(3, []float32{0.5}, []float32{0, 0, 0, 2, 0, 0}, class(1), class(0)),
			[]Sum{{Loss: ln(3) + ln(math.Exp(2)+2) - 2, Rows: 2, Right: 2}}},
		"any of two classes": {&CrossEntropy{Parts: []Reading{part}}, batch(3, []float32{1}, []float32{1, 3, 0}, class(0, 2)),
			[]Sum{{Loss: ln(math.E+math.Exp(3)+1) - 0.5, Rows: 1}}},
		"a rare class weighs in the gradient": {&CrossEntropy{Parts: []Reading{part}, ClassWeight: []float32{1, 4}}, batch(2, []float32{1}, []float32{0, 1}, class(0)),
			[]Sum{{Loss: ln(1 + math.E), Rows: 1}}},
		"two readings": {&CrossEntropy{Parts: []Reading{part, {Name: "other", Weight: 2}}}, batch(2, []float32{1, 3}, []float32{1, 0, 0, 1, 5, 5}, class(0), Row{Reading: 1, Classes: []int32{0}}, Row{Reading: 1}),
			[]Sum{{Loss: ln(1+math.E) - 1, Rows: 1, Right: 1}, {Loss: ln(1 + math.E), Rows: 1}}},
		"huge scores": {&CrossEntropy{Parts: []Reading{part}}, batch(2, []float32{1}, []float32{1e4, -1e4}, class(1)), []Sum{{Loss: 2e4, Rows: 1}}},
		"several labels": {BinaryCrossEntropy(part), batch(2, []float32{1}, []float32{2, -1, 3, 3}, class(0), class(1)),
			[]Sum{{Loss: (softplus(-2) + softplus(-1) + softplus(3) + softplus(-3)) / 2, Rows: 2, Right: 1}}},
		"no label holds": {BinaryCrossEntropy(part), batch(2, []float32{1}, []float32{-1, -2, 9, 9}, Row{Values: []float32{0, 0}}, Row{}),
			[]Sum{{Loss: (softplus(-1) + softplus(-2)) / 2, Rows: 1, Right: 1}}},
		"numbers": {Squared(part), batch(2, []float32{0.25}, []float32{1, 2, 0, 0}, Row{Values: []float32{3, 2}}, Row{Values: []float32{nan, 4}}),
			[]Sum{{Loss: 4.0/4 + 16.0/2, Rows: 2}}},
		"no number is known": {Squared(part), batch(2, []float32{1}, []float32{1, 2, 7, 7}, Row{Values: []float32{nan, nan}}, Row{}), []Sum{{Rows: 1}}},
		"pairs":              {&Contrastive{Part: part, Sharpness: 2}, pairs([]float32{1, 0, 1, 0, 0, 1, 0, 1}, 0, 1), []Sum{{Loss: 4 * (ln(math.Exp(2)+1) - 2), Rows: 4, Right: 4}}},
		"pairs of one group": {&Contrastive{Part: part, Sharpness: 2}, pairs([]float32{1, 0, 1, 0, 0, 1, 0, 1}, 5, 5), []Sum{{Rows: 4, Right: 4}}},
		"pairs of no group":  {&Contrastive{Part: part, Sharpness: 2}, groupless(), []Sum{{Loss: 4 * (ln(math.Exp(2)+1) - 2), Rows: 4, Right: 4}}},
		"half a pair":        {&Contrastive{Part: part, Sharpness: 2}, half(), []Sum{{Rows: 2, Right: 2}}},
	}
}

// pairs are two sides of each example, one after the other, of these groups.
func pairs(y []float32, groups ...int32) *Batch {
	b := &Batch{Width: 2, Weight: []float32{1}, Predictions: y}
	for e, g := range groups {
		for side := range 2 {
			b.Rows, b.Example, b.Side = append(b.Rows, &Row{Classes: []int32{g}}), append(b.Example, e), append(b.Side, side)
		}
	}
	return b
}

// groupless are pairs whose rows say nothing of groups: all others are wrong.
func groupless() *Batch {
	b := pairs([]float32{1, 0, 1, 0, 0, 1, 0, 1}, 0, 1)
	for _, r := range b.Rows {
		r.Classes = nil
	}
	return b
}

// half is a pair beside an example that has one side only.
func half() *Batch {
	b := pairs([]float32{1, 0, 1, 0, 0, 1, 0, 1}, 0, 1)
	b.Rows, b.Example, b.Side, b.Predictions = b.Rows[:3], b.Example[:3], b.Side[:3], b.Predictions[:6]
	return b
}

func TestLosses(t *testing.T) {
	for name, x := range losses() {
		for _, gradients := range []bool{false, true} {
			b := *x.batch
			b.Predictions = append([]float32(nil), x.batch.Predictions...)
			got := x.loss.Score(&b, gradients)
			if len(got) != len(x.want) {
				t.Fatalf("%s: %d sums", name, len(got))
			}
			for i, s := range got {
				w := x.want[i]
				if !(math.Abs(s.Loss-w.Loss) <= 1e-5*(1+w.Loss)) || s.Rows != w.Rows || s.Right != w.Right {
					t.Errorf("%s, reading %d: %+v, want %+v", name, i, s, w)
				}
			}
		}
	}
}

// TestGradientsOfLosses compares every gradient with the difference of the
// weighted loss.
func TestGradientsOfLosses(t *testing.T) {
	const h = 1e-2
	for name, x := range losses() {
		if name == "huge scores" {
			continue // beyond the steps of float32
		}
		total := func(y []float32) float64 {
			b := *x.batch
			var sum float64
			cross, weighted := x.loss.(*CrossEntropy)
			for i, r := range b.Rows {
				if x.loss.Joint() {
					break
				}
				one := Batch{Rows: []*Row{r}, Width: b.Width, Predictions: append([]float32(nil), y[i*b.Width:][:b.Width]...), Weight: b.Weight, Example: []int{0}, Side: []int{0}}
				w := float64(b.Weight[r.Reading])
				if weighted && cross.ClassWeight != nil && len(r.Classes) == 1 {
					w *= float64(cross.ClassWeight[r.Classes[0]])
				}
				for _, s := range x.loss.Score(&one, false) {
					sum += w * s.Loss
				}
			}
			if x.loss.Joint() {
				b.Predictions = append([]float32(nil), y...)
				sum = float64(b.Weight[0]) * x.loss.Score(&b, false)[0].Loss
			}
			return sum
		}
		b := *x.batch
		y := x.batch.Predictions
		b.Predictions = append([]float32(nil), y...)
		x.loss.Score(&b, true)
		for i := range y {
			moved := append([]float32(nil), y...)
			moved[i] = y[i] + h
			up := total(moved)
			moved[i] = y[i] - h
			want := (up - total(moved)) / (2 * h)
			if got := float64(b.Predictions[i]); !(math.Abs(got-want) <= 2e-3*(1+math.Abs(want))) {
				t.Errorf("%s: gradient %d is %v, want %v", name, i, got, want)
			}
		}
	}
}

func TestMetricsOfLosses(t *testing.T) {
	sums := []Sum{{Loss: 3, Rows: 2, Right: 1}, {Loss: 8, Rows: 4, Right: 4}}
	for name, x := range map[string]struct {
		loss Loss
		want map[string]float64
		best string
	}{
		"classes": {&CrossEntropy{Parts: []Reading{part, {Name: "other"}}}, map[string]float64{"loss": 1.5, "other": 2, "right": 0.5}, "right"},
		"named":   {&CrossEntropy{Parts: []Reading{part}, Named: func(s []Sum) (map[string]float64, string) { return map[string]float64{"x": s[1].Mean()}, "x" }}, map[string]float64{"x": 2}, "x"},
		"labels":  {BinaryCrossEntropy(part), map[string]float64{"loss": 1.5, "right": 0.5, "negative loss": -1.5}, "negative loss"},
		"numbers": {Squared(part), map[string]float64{"loss": 1.5, "negative loss": -1.5}, "negative loss"},
		"pairs":   {&Contrastive{Part: part}, map[string]float64{"loss": 1.5, "right": 0.5}, "right"},
	} {
		if got, best := x.loss.Metrics(sums); !reflect.DeepEqual(got, x.want) || best != x.best {
			t.Errorf("%s: %v by %s, want %v by %s", name, got, best, x.want, x.best)
		}
		if joint := x.loss.Joint(); joint != (name == "pairs") {
			t.Errorf("%s: sees the whole batch: %t", name, joint)
		}
	}
	if (Sum{}).Mean() != 0 || (Sum{}).Share() != 0 {
		t.Error("of nothing the mean is not 0")
	}
}

func TestCountsAndLastTick(t *testing.T) {
	target := &Target{Rows: []Row{{Tick: 3, Classes: []int32{1}}, {Tick: 9}, {Reading: 1, Tick: 5, Values: []float32{1}}, {Reading: 1, Tick: 4, Classes: []int32{2}}}}
	if got := Counts(3, target.Rows); !reflect.DeepEqual(got, []int{1, 2, 0}) {
		t.Errorf("counts %v", got)
	}
	if target.Last() != 9 || (&Target{}).Last() != 0 {
		t.Errorf("last ticks %d and %d", target.Last(), (&Target{}).Last())
	}
}

func TestEachScoresAndNamesExamples(t *testing.T) {
	c := &Contest{Test: []Example{{ID: "a"}, {ID: "b"}}}
	s, err := c.Each("length", []Answer{{Text: "x"}, {Text: "yyy"}}, func(e *Example, a *Answer) (float64, error) { return float64(len(a.Text) + len(e.ID)), nil })
	if err != nil || !reflect.DeepEqual(s.Items, map[string][]float64{"length": {2, 4}}) || s.Whole == nil {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := c.Each("length", []Answer{{}}, nil); err == nil || err.Error() != "1 answers for 2 examples" {
		t.Errorf("%v", err)
	}
	_, err = c.Each("length", make([]Answer, 2), func(e *Example, _ *Answer) (float64, error) {
		if e.ID == "b" {
			return 0, errUnknown
		}
		return 1, nil
	})
	if err == nil || err.Error() != "example b: unknown" {
		t.Errorf("%v, want the example", err)
	}
}

var errUnknown = errors.New("unknown")
