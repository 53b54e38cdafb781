package goengine_test

import (
	"context"
	"math"
	"testing"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func floats(shape []int, v ...float32) *modules.Tensor { return modules.Floats(v, shape...) }

func ints(v ...int64) *modules.Tensor { return modules.Ints(v, len(v)) }

// compute runs one operator on its inputs and returns its first output.
func compute(t *testing.T, opset int64, n moduletest.Node, in ...*modules.Tensor) *modules.Tensor {
	t.Helper()
	m := &moduletest.Model{Opset: opset}
	inputs := map[string]*modules.Tensor{}
	names := "abcdefgh"
	n.Inputs = nil
	for i, x := range in {
		if x == nil {
			n.Inputs = append(n.Inputs, "")
			continue
		}
		name := names[i : i+1]
		n.Inputs = append(n.Inputs, name)
		m.Inputs = append(m.Inputs, moduletest.Value{Name: name, DType: x.DType, Shape: x.Shape})
		inputs[name] = x
	}
	if n.Outputs == nil {
		n.Outputs = []string{"y"}
	}
	m.Nodes = []moduletest.Node{n}
	m.Outputs = []moduletest.Value{{Name: n.Outputs[0], DType: modules.Float32, Shape: []int{}}}
	s, err := goengine.New().Load(m.Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out[n.Outputs[0]]
}

func expect(t *testing.T, got *modules.Tensor, shape []int, want ...float64) {
	t.Helper()
	if !equal(got.Shape, shape) {
		t.Fatalf("shape %v, want %v", got.Shape, shape)
	}
	for i, w := range want {
		var g float64
		switch got.DType {
		case modules.Float32:
			g = float64(got.F32[i])
		case modules.Int64:
			g = float64(got.I64[i])
		case modules.Bool, modules.Uint8:
			g = float64(got.U8[i])
		case modules.Int32:
			g = float64(got.I32[i])
		default:
			t.Fatalf("unexpected %v", got.DType)
		}
		if math.Abs(g-w) > 1e-5*(1+math.Abs(w)) {
			t.Fatalf("element %d is %v, want %v", i, g, w)
		}
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// atEveryLevel runs a test with each set of instructions, the plain Go
// fallback among them.
func atEveryLevel(t *testing.T, f func(t *testing.T)) {
	for _, l := range kernel.Levels() {
		t.Run(l.String(), func(t *testing.T) {
			defer kernel.SetLevel(kernel.SetLevel(l))
			f(t)
		})
	}
}

func TestEngine(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) { moduletest.Run(t, goengine.New()) })
}

// Numbers worked out by hand.
func TestOperators(t *testing.T) {
	square := []int{2, 2}
	atEveryLevel(t, func(t *testing.T) {
		t.Run("Conv", func(t *testing.T) {
			x := floats([]int{1, 1, 3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			w := floats([]int{1, 1, 2, 2}, 1, 0, 0, -1)
			expect(t, compute(t, 13, moduletest.Node{Op: "Conv"}, x, w, floats([]int{1}, 10)), []int{1, 1, 2, 2}, 6, 6, 6, 6)
			n := moduletest.Node{Op: "Conv", Lists: map[string][]int64{"pads": {1, 1, 1, 1}, "strides": {2, 2}}}
			expect(t, compute(t, 13, n, x, w), []int{1, 1, 2, 2}, -1, -3, -7, 1-5-0) // corners: −1, −3, −7, 5−9
		})
		t.Run("Conv of groups", func(t *testing.T) {
			n := moduletest.Node{Op: "Conv", Ints: map[string]int64{"group": 2}}
			expect(t, compute(t, 13, n, floats([]int{1, 2, 1, 2}, 1, 2, 3, 4), floats([]int{2, 1, 1, 1}, 10, 100)), []int{1, 2, 1, 2}, 10, 20, 300, 400)
		})
		t.Run("ConvTranspose", func(t *testing.T) {
			n := moduletest.Node{Op: "ConvTranspose", Lists: map[string][]int64{"strides": {2}}}
			expect(t, compute(t, 13, n, floats([]int{1, 1, 2}, 1, 2), floats([]int{1, 1, 3}, 1, 10, 100)), []int{1, 1, 5}, 1, 10, 102, 20, 200)
		})
		t.Run("MaxPool", func(t *testing.T) {
			n := moduletest.Node{Op: "MaxPool", Lists: map[string][]int64{"kernel_shape": {2}, "strides": {2}}, Ints: map[string]int64{"ceil_mode": 1}}
			expect(t, compute(t, 13, n, floats([]int{1, 1, 5}, 3, 1, -4, -2, -7)), []int{1, 1, 3}, 3, -2, -7)
		})
		t.Run("AveragePool without padding in the count", func(t *testing.T) {
			n := moduletest.Node{Op: "AveragePool", Lists: map[string][]int64{"kernel_shape": {2}, "pads": {1, 0}}}
			expect(t, compute(t, 13, n, floats([]int{1, 1, 3}, 2, 4, 8)), []int{1, 1, 3}, 2, 3, 6)
		})
		t.Run("Gemm", func(t *testing.T) {
			n := moduletest.Node{Op: "Gemm", Ints: map[string]int64{"transB": 1}, Floats: map[string]float32{"alpha": 2, "beta": 0.5}}
			expect(t, compute(t, 13, n, floats(square, 1, 2, 3, 4), floats(square, 1, 0, 1, 1), floats([]int{2}, 10, 20)), square, 7, 16, 11, 24)
		})
		t.Run("MatMul of vectors", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "MatMul"}, floats([]int{2}, 1, 2), floats([]int{2}, 3, 4)), []int{}, 11)
		})
		t.Run("Softmax", func(t *testing.T) {
			l := float32(math.Log(3))
			expect(t, compute(t, 13, moduletest.Node{Op: "Softmax", Ints: map[string]int64{"axis": 0}}, floats(square, 0, l, l, 0)), square, 0.25, 0.75, 0.75, 0.25)
			expect(t, compute(t, 11, moduletest.Node{Op: "Softmax", Ints: map[string]int64{"axis": 0}}, floats(square, 0, l, l, 0)), square, 0.125, 0.375, 0.375, 0.125)
		})
		t.Run("LayerNormalization", func(t *testing.T) {
			n := moduletest.Node{Op: "LayerNormalization", Floats: map[string]float32{"epsilon": 0}}
			expect(t, compute(t, 17, n, floats([]int{1, 2}, 1, 3), floats([]int{2}, 2, 2), floats([]int{2}, 1, 1)), []int{1, 2}, -1, 3)
		})
		t.Run("Div of negative integers cuts", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "Div"}, ints(-7, 7), ints(2, -2)), []int{2}, -3, -3)
		})
		t.Run("Mod has the divisor's sign", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "Mod"}, ints(-7, 7), ints(3, -3)), []int{2}, 2, -2)
		})
		t.Run("Max of three shapes", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "Max"}, floats([]int{2, 1}, 1, 5), floats([]int{2}, 2, 3), floats([]int{}, 2.5)), square, 2.5, 3, 5, 5)
		})
		t.Run("Slice backwards", func(t *testing.T) {
			x := ints(0, 1, 2, 3, 4)
			expect(t, compute(t, 13, moduletest.Node{Op: "Slice"}, x, ints(-1), ints(-100), ints(0), ints(-2)), []int{3}, 4, 2, 0)
		})
		t.Run("Gather with negative indices", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "Gather", Ints: map[string]int64{"axis": 1}}, floats(square, 1, 2, 3, 4), ints(-1, 0, 1)), []int{2, 3}, 2, 1, 2, 4, 3, 4)
		})
		t.Run("Reshape copies and infers", func(t *testing.T) {
			expect(t, compute(t, 13, moduletest.Node{Op: "Reshape"}, floats([]int{2, 3}, 1, 2, 3, 4, 5, 6), ints(0, -1, 1)), []int{2, 3, 1}, 1, 2, 3, 4, 5, 6)
		})
		t.Run("ReduceMean over outer axes", func(t *testing.T) {
			n := moduletest.Node{Op: "ReduceMean", Lists: map[string][]int64{"axes": {0, 2}}, Ints: map[string]int64{"keepdims": 0}}
			expect(t, compute(t, 13, n, floats([]int{2, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8)), []int{2}, 3.5, 5.5)
		})
		t.Run("Resize half pixel", func(t *testing.T) {
			n := moduletest.Node{Op: "Resize", Strings: map[string]string{"mode": "linear"}}
			got := compute(t, 13, n, floats([]int{1, 1, 1, 2}, 0, 4), nil, floats([]int{4}, 1, 1, 1, 2))
			expect(t, got, []int{1, 1, 1, 4}, 0, 1, 3, 4)
		})
		t.Run("LSTM", func(t *testing.T) {
			// one unit, all weights 0: gates are σ(bias), the cell is i·tanh(c)
			b := make([]float32, 8)
			b[0], b[1], b[2], b[3] = 1, 2, 3, 0.5 // i, o, f, c
			sig := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
			c1 := sig(1) * math.Tanh(0.5)
			c2 := sig(3)*c1 + sig(1)*math.Tanh(0.5)
			n := moduletest.Node{Op: "LSTM", Ints: map[string]int64{"hidden_size": 1}}
			got := compute(t, 13, n, floats([]int{2, 1, 1}, 9, 9), floats([]int{1, 4, 1}, 0, 0, 0, 0), floats([]int{1, 4, 1}, 0, 0, 0, 0), floats([]int{1, 8}, b...))
			expect(t, got, []int{2, 1, 1, 1}, sig(2)*math.Tanh(c1), sig(2)*math.Tanh(c2))
		})
		t.Run("GRU", func(t *testing.T) {
			// z = σ(0) = ½, r = σ(0), candidate = tanh(x): h = ½·tanh(x) + ½·h
			n := moduletest.Node{Op: "GRU", Ints: map[string]int64{"hidden_size": 1}}
			got := compute(t, 13, n, floats([]int{2, 1, 1}, 1, -2), floats([]int{1, 3, 1}, 0, 0, 1), floats([]int{1, 3, 1}, 0, 0, 0))
			h1 := math.Tanh(1) / 2
			expect(t, got, []int{2, 1, 1, 1}, h1, h1/2+math.Tanh(-2)/2)
		})
		t.Run("Where", func(t *testing.T) {
			c := &modules.Tensor{DType: modules.Bool, Shape: []int{2, 1}, U8: []uint8{1, 0}}
			expect(t, compute(t, 13, moduletest.Node{Op: "Where"}, c, floats([]int{2}, 1, 2), floats([]int{}, 7)), square, 1, 2, 7, 7)
		})
		t.Run("Clip keeps NaN", func(t *testing.T) {
			got := compute(t, 13, moduletest.Node{Op: "Clip"}, floats([]int{3}, float32(math.NaN()), -5, 5), floats([]int{}, -1), floats([]int{}, 1))
			if !math.IsNaN(float64(got.F32[0])) || got.F32[1] != -1 || got.F32[2] != 1 {
				t.Fatal(got.F32)
			}
		})
		t.Run("TopK", func(t *testing.T) {
			n := moduletest.Node{Op: "TopK", Outputs: []string{"v", "i"}}
			expect(t, compute(t, 13, n, floats([]int{4}, 1, 4, 4, 3), ints(2)), []int{2}, 4, 4)
		})
		t.Run("Einsum", func(t *testing.T) {
			n := moduletest.Node{Op: "Einsum", Strings: map[string]string{"equation": "ij,kj->ik"}}
			expect(t, compute(t, 13, n, floats(square, 1, 2, 3, 4), floats(square, 1, 0, 1, 1)), square, 1, 3, 3, 7)
		})
	})
}

func TestErrorsNameNodeAndOperator(t *testing.T) {
	m := &moduletest.Model{
		Nodes:   []moduletest.Node{{Op: "MatMul", Inputs: []string{"a", "b"}, Outputs: []string{"y"}}},
		Inputs:  []moduletest.Value{{Name: "a", DType: modules.Float32, Shape: []int{-1, -1}, Symbols: []string{"m", "k"}}, {Name: "b", DType: modules.Float32, Shape: []int{-1, -1}, Symbols: []string{"l", "n"}}},
		Outputs: []moduletest.Value{{Name: "y", DType: modules.Float32, Shape: []int{}}},
	}
	s, err := goengine.New().Load(m.Bytes(), modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(context.Background(), map[string]*modules.Tensor{"a": floats([]int{1, 2}, 1, 2), "b": floats([]int{3, 1}, 1, 2, 3)}, nil)
	if err == nil || err.Error() != `MatMul "MatMul_0": shapes do not fit together: [1 2] [3 1]` {
		t.Fatalf("got %v", err)
	}
}
