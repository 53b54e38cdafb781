package task

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestStandardLeavesUnknownNumbersOut(t *testing.T) {
	nan := math.NaN()
	s, err := StandardOf([][]float64{{1, 5, 7}, {3, nan, 7}, {5, 9, 7}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{3, 7, 7}; !reflect.DeepEqual(s.Mean, want) {
		t.Errorf("means %v, want %v", s.Mean, want)
	}
	// √(8/3), √(8/2)/…: of the known ones; a constant has 1.
	if want := []float64{math.Sqrt(8.0 / 3), 2, 1}; !reflect.DeepEqual(s.Scale, want) {
		t.Errorf("deviations %v, want %v", s.Scale, want)
	}
	v, known := s.Values([]float64{3, 9, nan})
	if !known || v[0] != 0 || v[1] != 1 || v[2] == v[2] {
		t.Errorf("values %v, known %t", v, known)
	}
	if _, known := s.Values([]float64{nan, nan, nan}); known {
		t.Error("nothing is known, and known it is said to be")
	}
	sum, n := s.Errors([]float64{3, 9, 8}, []float64{nan, 5, 7})
	if sum != 4+1 || n != 2 {
		t.Errorf("error %v of %v numbers, want 5 of 2", sum, n)
	}
}

func TestConstantsHaveDeviationOne(t *testing.T) {
	s, err := StandardOf([][]float64{{0, -3e9}, {0, -3e9}}, 2)
	if err != nil || !reflect.DeepEqual(s.Scale, []float64{1, 1}) || !reflect.DeepEqual(s.Mean, []float64{0, -3e9}) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestStandardRefuses(t *testing.T) {
	for want, rows := range map[string][][]float64{
		"row 2 has 1 numbers, want 2": {{1, 2}, {3}},
		"number 2 is never known":     {{1, math.NaN()}, {3, math.NaN()}},
		"number 1 is never known":     {},
	} {
		if _, err := StandardOf(rows, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", rows, err, want)
		}
	}
}

func TestContestAloneCutsTheFeatures(t *testing.T) {
	c := &Contest{
		TrainFeatures: [][]float32{{1, 2, 3}, nil}, TestFeatures: [][]float32{{4, 5, 6}},
		Spans: map[string][2]int{"image": {0, 2}, "question": {2, 3}},
	}
	q := c.Alone("question")
	if !reflect.DeepEqual(q.TrainFeatures, [][]float32{{3}, nil}) || !reflect.DeepEqual(q.TestFeatures, [][]float32{{6}}) {
		t.Errorf("%v, %v", q.TrainFeatures, q.TestFeatures)
	}
	if len(c.TrainFeatures[0]) != 3 {
		t.Error("the whole contest was cut")
	}
	if err := c.Check(make([]Answer, 3)); err == nil {
		t.Error("three answers about no example")
	}
}
