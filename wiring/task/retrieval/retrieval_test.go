package retrieval

import (
	"reflect"
	"strings"
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

func pair(id, group string, senses ...string) task.Example {
	e := task.Example{ID: id, Group: group, Inputs: map[string]task.Input{}}
	for _, s := range senses {
		e.Inputs[s] = task.Given(wiring.KindVector, []float32{1})
	}
	return e
}

func TestPairsOfAGroupAreNoWrongAnswers(t *testing.T) {
	env := prepare.Env{
		Plan: &wiring.Plan{
			Ticks: wiring.Ticks{Settle: 4}, Senses: []wiring.Sense{{Name: "image"}, {Name: "text"}},
			Effectors: []wiring.Effector{{Name: "pair", Head: head.NameEmbedding}},
		},
		Task: wiring.Task{Kind: Kind, Effector: "pair", Settings: wiring.Settings{"sharpness": 7.0}},
	}
	e, err := retrieval{}.Encode(t.Context(), env, []task.Example{
		pair("a", "same", "image", "text"), pair("b", "same", "image", "text"), pair("c", "", "image", "text"), pair("d", "", "image"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Train[0][0] != e.Train[1][0] || e.Train[0][0] == e.Train[2][0] {
		t.Error("two of one group want different things, or two of different groups the same")
	}
	if e.Train[3] != nil || !e.Apart || !reflect.DeepEqual(e.LeftOut, map[string]int{"no pair: an example gives two of the plan's senses": 1}) {
		t.Errorf("half a pair: %v, left out %v", e.Train[3], e.LeftOut)
	}
	if l := e.Aim.Loss.(*task.Contrastive); l.Sharpness != 7 {
		t.Errorf("sharpness %v, want 7", l.Sharpness)
	}
	env.Plan.Effectors[0].Head = head.NameSoftmax
	if _, err := (retrieval{}).Encode(t.Context(), env, nil, nil); err == nil || !strings.Contains(err.Error(), `pairs need "embedding"`) {
		t.Errorf("%v, want the head that is needed", err)
	}
}

func TestRanksCountBothWays(t *testing.T) {
	c := &task.Contest{Test: []task.Example{pair("a", ""), pair("b", ""), pair("c", "")}}
	answers := []task.Answer{
		{Values: [][]float64{{1, 0}, {1, 0}}},     // found both ways
		{Values: [][]float64{{0, 1}, {0.9, 0.1}}}, // its first side finds c's second; its second side finds a's first
		{Values: [][]float64{{-1, 0}, {0, 1}}},    // its first side finds its second, which finds b's first
	}
	s, err := retrieval{}.Score(c, wiring.Task{}, answers)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0, 0.5}; !reflect.DeepEqual(s.Items["r@1"], want) {
		t.Errorf("R@1 %v, want %v", s.Items["r@1"], want)
	}
	if want := []float64{1, 1, 1}; !reflect.DeepEqual(s.Items["r@5"], want) {
		t.Errorf("R@5 %v of three, want all", s.Items["r@5"])
	}
	if _, err := (retrieval{}).Score(c, wiring.Task{}, []task.Answer{answers[0], answers[1], {Values: [][]float64{{1, 0}}}}); err == nil || !strings.Contains(err.Error(), "example c: 1 vectors") {
		t.Errorf("%v, want the example without a side", err)
	}
	// Vectors that are all alike find nothing, and another of the group is right.
	alike := []task.Answer{{Values: [][]float64{{1, 0}, {1, 0}}}, {Values: [][]float64{{1, 0}, {1, 0}}}, {Values: [][]float64{{1, 0}, {1, 0}}}}
	if s, err = (retrieval{}).Score(c, wiring.Task{}, alike); err != nil || s.Items["r@1"][0] != 0 || s.Whole["median_rank"] != 3 {
		t.Errorf("%v, %v: equal cosines must share the worst rank", s, err)
	}
	for i := range c.Test {
		c.Test[i].Group = "all"
	}
	if s, err = (retrieval{}).Score(c, wiring.Task{}, answers); err != nil || s.Items["r@1"][2] != 1 {
		t.Errorf("%v, %v: one of the same group is right", s, err)
	}
}
