package goengine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// speaker is a small causal model of tokens: embeddings, places, a layer and
// the embeddings again as head.
func speaker() *moduletest.Model {
	f := modules.Float32
	return &moduletest.Model{Opset: 17,
		Inputs:  []moduletest.Value{value("input_ids", modules.Int64, 1, -1)},
		Outputs: []moduletest.Value{value("logits", f, 1, -1, 7)},
		Initializers: []moduletest.Initializer{initial("words", spaced(1, -1, 1, 7, 4)), initial("places", spaced(2, -0.5, 0.5, 9, 4)), initial("w", spaced(3, -1, 1, 4, 4)),
			initial("head", spaced(4, -1, 1, 4, 7)), initial("zero", modules.Ints([]int64{0}, 1)), initial("one", modules.Ints([]int64{1}, 1)), initial("two", modules.Ints([]int64{2}, 1))},
		Nodes: []moduletest.Node{
			step("Gather", of{"words", "input_ids"}, "embedded"), step("Shape", of{"input_ids"}, "shape"), step("Slice", of{"shape", "one", "two", "zero"}, "length"),
			step("Slice", of{"places", "zero", "length", "zero"}, "here"), step("Add", of{"embedded", "here"}, "x"), step("MatMul", of{"x", "w"}, "h"), step("Tanh", of{"h"}, "t"),
			step("Add", of{"x", "t"}, "y"), step("MatMul", of{"y", "head"}, "logits"),
		}}
}

// A fed tensor takes the place of what the model computes; tokens remain as
// placeholders that say how many there are.
func TestFeeds(t *testing.T) {
	ctx := context.Background()
	ids := func(v ...int64) *modules.Tensor { return modules.Ints(v, 1, len(v)) }
	tapped := open(t, speaker(), modules.LoadOptions{Taps: of{"embedded"}})
	plain, err := tapped.Run(ctx, map[string]*modules.Tensor{"input_ids": ids(3, 1, 4)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, speaker(), modules.LoadOptions{Feeds: of{"embedded"}})
	if in := s.Inputs(); len(in) != 2 || in[1].Name != "embedded" || in[1].DType != modules.Float32 {
		t.Fatalf("inputs %v", in)
	}
	in := map[string]*modules.Tensor{"input_ids": ids(0, 0, 0), "embedded": plain["embedded"]}
	fed, err := s.Run(ctx, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(fed["logits"].F32, plain["logits"].F32) {
		t.Errorf("fed %v, computed %v", fed["logits"].F32, plain["logits"].F32)
	}
	agrees(t, s, in, modules.RecordOptions{})
	if _, err := goengine.New().Load(speaker().Bytes(), modules.LoadOptions{Feeds: of{"nowhere"}}); !isError(err, modules.ErrModel) {
		t.Errorf("feeding what is not there: %v", err)
	}
}
