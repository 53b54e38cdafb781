package parttest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/wiring"
)

// TestGlass: the module gives what its constants say, the same for the same
// seed, and each example apart from the others.
func TestGlass(t *testing.T) {
	if !bytes.Equal(Glass("a", 3)["model.onnx"].Data, Glass("b", 3)["model.onnx"].Data) || bytes.Equal(Glass("a", 3)["model.onnx"].Data, Glass("a", 4)["model.onnx"].Data) {
		t.Error("the weights do not follow the seed alone")
	}
	if _, err := modules.Open(Glass("a", 3), "a", goengine.New(), modules.Options{}); err != nil {
		t.Fatal(err)
	}
	p := &wiring.Plan{Parts: []wiring.Part{
		{Name: "p", Module: "glass-1", Input: "picture", Output: "embedding", Takes: Takes, Gives: Embedding},
		{Name: "q", Module: "glass-2", Input: "picture", Output: "grid", Takes: Takes, Gives: Grid},
	}}
	for i, m := range Open(p) {
		x := make([]float32, 2*Takes)
		for k := range x {
			x[k] = float32(k%7)/7 - 0.4
		}
		y, err := m.Run(t.Context(), x, 2)
		if err != nil || len(y) != 2*p.Parts[i].Gives {
			t.Fatalf("part %d gives %d numbers, %v", i, len(y), err)
		}
		alone, err := m.Run(t.Context(), x[Takes:], 1)
		if err != nil || !slices.Equal(alone, y[p.Parts[i].Gives:]) {
			t.Errorf("part %d: alone the second example gives %v, %v; together %v", i, alone, err, y[p.Parts[i].Gives:])
		}
		r, err := m.Record(t.Context(), x, 2)
		if err != nil || !slices.Equal(r.Output(), y) {
			t.Errorf("part %d recorded gives other bits, %v", i, err)
		}
	}
}
