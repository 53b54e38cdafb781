package answer

import (
	"context"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/connectomewire/wire/runtime"
)

// TestBadNeighbours answers inputs beside one that is no number: that one fails,
// or is silenced, and the others get what they get alone, to the bit.
func TestBadNeighbours(t *testing.T) {
	ctx := context.Background()
	p := build(t)
	m := open(t, p)
	var inputs []*Encoded
	for _, policy := range []runtime.Policy{runtime.Fail, runtime.Silence} {
		config := runtime.Default()
		config.Policy = policy
		s, err := New(ctx, p, m, config)
		if err != nil {
			t.Fatal(err)
		}
		if inputs == nil {
			for _, name := range []string{"apple", "fish"} {
				x, err := s.Encode(ctx, item(t, name))
				if err != nil {
					t.Fatal(err)
				}
				inputs = append(inputs, x)
			}
			bad := *inputs[0]
			bad.Senses = slices.Clone(bad.Senses)
			bad.Senses[0] = slices.Repeat([]float32{float32(math.NaN())}, len(bad.Senses[0]))
			inputs = []*Encoded{inputs[0], &bad, inputs[1]}
		}
		for _, o := range []Options{Greedy(), {Beam: 3, Temperature: 0.1, Spoken: 1, Sharpness: 1}} {
			got, err := s.AnswerEach(ctx, inputs, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{0, 2} {
				alone, err := s.Answer(ctx, inputs[i:i+1], o)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got[i], alone[0]) {
					t.Errorf("%s, %d beams: input %d comes to %+v beside a bad one, to %+v alone", policy, o.Beam, i, got[i], alone[0])
				}
			}
			if bad := got[1]; (bad.Err != nil) != (policy == runtime.Fail) || policy == runtime.Silence && len(bad.Faults) == 0 {
				t.Errorf("%s, %d beams: the bad input comes to %+v", policy, o.Beam, bad)
			}
			if _, err := s.Answer(ctx, inputs, o); (err != nil) != (policy == runtime.Fail) {
				t.Errorf("%s: Answer gives error %v", policy, err)
			}
		}
	}
}
