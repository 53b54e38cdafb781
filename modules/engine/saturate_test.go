package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func integerProduct(weight int8) *moduletest.Model {
	raw := make([]byte, 64)
	for i := range raw {
		raw[i] = byte(weight)
	}
	return &moduletest.Model{
		Nodes:        []moduletest.Node{{Op: "MatMulInteger", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
		Inputs:       []moduletest.Value{{Name: "x", DType: modules.Uint8, Shape: []int{1, 64}}},
		Outputs:      []moduletest.Value{{Name: "y", DType: modules.Int32, Shape: []int{1, 1}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: &modules.Tensor{DType: modules.Int8, Shape: []int{64, 1}, Raw: raw}}},
	}
}

// TestSaturation: where ONNX Runtime's sums of byte products saturate, the
// automatic engine takes pure Go and says why.
func TestSaturation(t *testing.T) {
	defer func(v bool) { hasVNNI = v }(hasVNNI)
	auto := &Auto{Native: renamed{goengine.New()}, Go: goengine.New(), Why: errors.New("none")}
	x := &modules.Tensor{DType: modules.Uint8, Shape: []int{1, 64}, U8: make([]byte, 64)}
	for i := range x.U8 {
		x.U8[i] = 255
	}
	for _, c := range []struct {
		vnni   bool
		weight int8
		native bool
	}{{false, 127, false}, {false, 64, true}, {true, 127, true}} {
		hasVNNI = c.vnni
		s, err := auto.Load(integerProduct(c.weight).Bytes(), modules.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if native := modules.EngineOf(s) == "native"; native != c.native || native != (modules.EngineReason(s) == nil) {
			t.Errorf("weights of %d with VNNI %v: on %s because of %v", c.weight, c.vnni, modules.EngineOf(s), modules.EngineReason(s))
		}
		out, err := s.Run(context.Background(), map[string]*modules.Tensor{"x": x}, nil)
		if err != nil || out["y"].I32[0] != 64*255*int32(c.weight) {
			t.Errorf("got %v, %v", out, err)
		}
	}
}

// renamed is an engine under another name.
type renamed struct{ modules.Engine }

func (r renamed) Name() string { return "native" }

func (r renamed) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	s, err := r.Engine.Load(model, opt)
	return renamedSession{s}, err
}

type renamedSession struct{ modules.Session }

func (renamedSession) EngineName() string { return "native" }
