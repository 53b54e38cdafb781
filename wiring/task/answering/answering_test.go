package answering

import (
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/labelling"
)

// TestEachSenseAloneIsARival: the question asks for the picture's first or second
// number; neither alone can tell, and both together not by a line.
func TestEachSenseAloneIsARival(t *testing.T) {
	c := &task.Contest{Target: "answer", Spans: map[string][2]int{"image": {0, 2}, "question": {2, 3}}}
	add := func(a, b, q float32) (task.Example, []float32) {
		x := a
		if q > 0 {
			x = b
		}
		return task.Example{Targets: map[string]any{"answer": map[bool]string{true: "yes", false: "no"}[x > 0]}}, []float32{a, b, q}
	}
	for i := range 64 {
		e, f := add(float32(i%2*2-1), float32(i/2%2*2-1), float32(i/4%2*2-1))
		if i < 48 {
			c.Train, c.TrainFeatures = append(c.Train, e), append(c.TrainFeatures, f)
		} else {
			c.Test, c.TestFeatures = append(c.Test, e), append(c.TestFeatures, f)
		}
	}
	rivals, err := answering{}.Rivals(c, wiring.Task{})
	if err != nil {
		t.Fatal(err)
	}
	accuracy := map[string]float64{}
	for _, r := range rivals {
		s, err := answering{}.Score(c, wiring.Task{}, r.Answers)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range s.Items["accuracy"] {
			accuracy[r.Name] += v / float64(len(c.Test))
		}
	}
	for _, name := range []string{"majority", "nearest neighbour", labelling.Logistic, "image alone", "question alone"} {
		if _, there := accuracy[name]; !there {
			t.Errorf("no rival %q among %v", name, accuracy)
		}
	}
	if accuracy["question alone"] > 0.6 || accuracy["nearest neighbour"] != 1 || accuracy["image alone"] > 0.8 {
		t.Errorf("accuracies %v", accuracy)
	}
}
