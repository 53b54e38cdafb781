package labelling

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// labelled are examples with these targets; nil is none.
func labelled(targets ...any) []task.Example {
	out := make([]task.Example, len(targets))
	for i, v := range targets {
		out[i] = task.Example{ID: string(rune('a' + i)), Targets: map[string]any{}}
		if v != nil {
			out[i].Targets["kind"] = v
		}
	}
	return out
}

// env is a plan that chooses among labels.
func env(many bool, settings wiring.Settings, labels ...string) prepare.Env {
	s := wiring.Settings{}
	head.SetLabels(s, labels, many)
	return prepare.Env{
		Plan: &wiring.Plan{Ticks: wiring.Ticks{Settle: 4}, Effectors: []wiring.Effector{{Name: "kind", Head: head.NameSoftmax, Settings: s}}},
		Task: wiring.Task{Kind: Kind, Effector: "kind", Target: "kind", Settings: settings},
	}
}

func TestLabelsAreFoundInTheData(t *testing.T) {
	s, err := labelling{}.Settings("kind", labelled("dog", nil, "cat", "dog"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Texts("labels"); !reflect.DeepEqual(got, []string{"cat", "dog"}) || s.Bool("many") {
		t.Errorf("settings %v", s)
	}
	if s, err = (labelling{}).Settings("kind", labelled([]string{"a", "b"}, []string{})); err != nil || !s.Bool("many") {
		t.Errorf("settings %v, %v; want that several may hold", s, err)
	}
	for want, examples := range map[string][]task.Example{
		`no example has the target "kind"`: labelled(nil, nil),
		`the same label "cat"`:             labelled("cat", "cat"),
	} {
		if _, err := (labelling{}).Settings("kind", examples); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTargetsAreEncoded(t *testing.T) {
	e, err := labelling{}.Encode(t.Context(), env(false, nil, "cat", "dog"), labelled("dog", nil, "cat"), labelled("cat"))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Train) != 3 || e.Train[1] != nil || len(e.Val) != 1 {
		t.Fatalf("targets %v, %v", e.Train, e.Val)
	}
	if row := e.Train[0][0].Rows[0]; row.Tick != 4 || !reflect.DeepEqual(row.Classes, []int32{1}) {
		t.Errorf("row %+v, want class 1 at tick 4", row)
	}
	// No label at all may be the answer where several may hold: it asks that all are denied.
	e, err = labelling{}.Encode(t.Context(), env(true, nil, "cat", "dog"), labelled([]string{"cat", "dog"}, []string{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if row := e.Train[1][0].Rows[0]; row.Classes != nil || len(row.Values) != 2 {
		t.Errorf("row %+v, want one that denies both", row)
	}
}

func TestUnfitTargetsAreRefused(t *testing.T) {
	linear := env(false, nil, "cat", "dog")
	linear.Plan.Effectors[0].Head = head.NameLinear
	for name, x := range map[string]struct {
		env     prepare.Env
		targets []any
		want    string
	}{
		"unknown label":   {env(false, nil, "cat", "dog"), []any{"dgo"}, `example a: it has the label "dgo", which the plan does not know; did you mean "dog"`},
		"several labels":  {env(false, nil, "cat", "dog"), []any{[]string{"cat", "dog"}}, "2 labels, the plan chooses one"},
		"another head":    {linear, []any{"cat"}, `head "linear"`},
		"another setting": {env(false, wiring.Settings{"balnce": true}, "cat", "dog"), []any{"cat"}, `did you mean "balance"`},
	} {
		if _, err := (labelling{}).Encode(t.Context(), x.env, labelled(x.targets...), nil); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
}

func TestRareLabelsWeighMoreWhereAsked(t *testing.T) {
	e, err := labelling{}.Encode(t.Context(), env(false, wiring.Settings{"balance": true}, "cat", "dog"), labelled("dog", "dog", "dog", "cat"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := e.Aim.Loss.(*task.CrossEntropy).ClassWeight
	if want := []float32{2, 4.0 / 6}; !reflect.DeepEqual(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
}

func TestScoreOfLabels(t *testing.T) {
	c := &task.Contest{Target: "kind", Test: labelled("cat", "cat", "dog", "dog")}
	s, err := labelling{}.Score(c, wiring.Task{}, []task.Answer{
		{Label: "cat", Confidence: 0.85}, {Label: "dog", Confidence: 0.65}, {Label: "dog", Confidence: 0.65}, {Label: "dog", Confidence: 0.85},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0, 1, 1}; !reflect.DeepEqual(s.Items["accuracy"], want) {
		t.Errorf("accuracy %v, want %v", s.Items["accuracy"], want)
	}
	// cat: 2·1/(1+2), dog: 2·2/(3+2).
	if want := (2.0/3 + 4.0/5) / 2; math.Abs(s.Whole["macro_f1"]-want) > 1e-12 {
		t.Errorf("macro F1 %v, want %v", s.Whole["macro_f1"], want)
	}
	// Two at 0.65 of which half are right, two at 0.85 that both are.
	if want := (0.15 + 0.15) / 2; math.Abs(s.Whole["calibration_error"]-want) > 1e-12 {
		t.Errorf("calibration error %v, want %v", s.Whole["calibration_error"], want)
	}
	if _, err := (labelling{}).Score(&task.Contest{Target: "kind", Test: labelled(nil)}, wiring.Task{}, make([]task.Answer, 1)); err == nil {
		t.Error("an example without label was scored")
	}
	// All of several must be named, and no other.
	c = &task.Contest{Target: "kind", Test: labelled([]string{"a", "b"}, []string{"a"}, []string{})}
	if s, err = (labelling{}).Score(c, wiring.Task{}, []task.Answer{{Labels: []string{"b", "a"}}, {Labels: []string{"a", "b"}}, {}}); err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0, 1}; !reflect.DeepEqual(s.Items["accuracy"], want) {
		t.Errorf("accuracy of sets %v, want %v", s.Items["accuracy"], want)
	}
}

func TestRivalsReadTheSameFeatures(t *testing.T) {
	// Two clouds that one number tells apart, and one in between that nobody read.
	c := &task.Contest{Target: "kind", Test: labelled("low", "high", "low")}
	for i := range 20 {
		x := float32(i%5) / 5
		if i%2 == 0 {
			c.Train, c.TrainFeatures = append(c.Train, labelled("low")[0]), append(c.TrainFeatures, []float32{-1 - x, 0})
		} else {
			c.Train, c.TrainFeatures = append(c.Train, labelled("high")[0]), append(c.TrainFeatures, []float32{1 + x, 0})
		}
	}
	c.Train, c.TrainFeatures = append(c.Train, labelled("low")[0]), append(c.TrainFeatures, nil)
	c.TestFeatures = [][]float32{{-2, 0}, {2, 0}, nil}
	rivals, err := labelling{}.Rivals(c, wiring.Task{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"majority": {"low", "low", "low"}, "nearest neighbour": {"low", "high", "low"}, Logistic: {"low", "high", "low"},
	}
	if len(rivals) != len(want) {
		t.Fatalf("%d rivals", len(rivals))
	}
	for _, r := range rivals {
		var got []string
		for _, a := range r.Answers {
			got = append(got, a.Label)
		}
		if !reflect.DeepEqual(got, want[r.Name]) {
			t.Errorf("%s says %v, want %v", r.Name, got, want[r.Name])
		}
	}
	if p := rivals[0].Answers[0].Confidence; p != 11.0/21 {
		t.Errorf("the majority is sure by %v, want its share", p)
	}
}
