package answer

import (
	"context"
	"math"
	"reflect"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/connectomewire/wire/runtime"
)

// TestConsecutiveEpisodes answers more inputs than go together, one of which is
// no number, over several networks at once: each comes to what it comes to
// alone, whatever the number of processors.
func TestConsecutiveEpisodes(t *testing.T) {
	ctx := context.Background()
	p := build(t)
	s, err := New(ctx, p, open(t, p), runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var two []*Encoded
	for _, name := range []string{"apple", "fish"} {
		x, err := s.Encode(ctx, item(t, name))
		if err != nil {
			t.Fatal(err)
		}
		two = append(two, x)
	}
	want, err := s.Answer(ctx, two, Greedy())
	if err != nil {
		t.Fatal(err)
	}
	bad := *two[0]
	bad.Senses = slices.Clone(bad.Senses)
	bad.Senses[0] = slices.Repeat([]float32{float32(math.NaN())}, len(bad.Senses[0]))
	inputs := make([]*Encoded, 3*rows+5)
	for i := range inputs {
		inputs[i] = two[i%2]
	}
	const spoilt = rows + 7
	inputs[spoilt] = &bad
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(0))
	for _, procs := range []int{1, 3} {
		goruntime.GOMAXPROCS(procs)
		got, err := s.AnswerEach(ctx, inputs, Greedy())
		if err != nil {
			t.Fatal(err)
		}
		if len(s.others) != procs-1 {
			t.Errorf("%d processors: %d other networks", procs, len(s.others))
		}
		for i := range got {
			if i == spoilt {
				if got[i].Err == nil {
					t.Error("the bad input has an answer")
				}
			} else if !reflect.DeepEqual(got[i], want[i%2]) {
				t.Fatalf("%d processors: input %d comes to %+v, alone to %+v", procs, i, got[i], want[i%2])
			}
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.AnswerEach(ended, inputs, Greedy()); err == nil {
		t.Error("no error of an ended context")
	}
}
