package goengine_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// attentionModel writes softmax(q·kᵀ·scale + mask)·v in single operators.
func attentionModel(in map[string]*modules.Tensor, dtype modules.DType, scale *modules.Tensor, op string, axis int64, transpose bool, opset int64) []byte {
	m := &moduletest.Model{Opset: opset, Outputs: []moduletest.Value{{Name: "y", DType: dtype, Shape: []int{}}}}
	for _, name := range []string{"q", "k", "v", "mask"} {
		if x := in[name]; x != nil {
			m.Inputs = append(m.Inputs, moduletest.Value{Name: name, DType: x.DType, Shape: x.Shape})
		}
	}
	keys, scores := "k", "s0"
	if transpose {
		keys = "kt"
		perm := []int64{0, 1, 3, 2}
		if len(in["k"].Shape) == 3 {
			perm = []int64{0, 2, 1}
		}
		m.Nodes = append(m.Nodes, moduletest.Node{Op: "Transpose", Inputs: []string{"k"}, Outputs: []string{keys}, Lists: map[string][]int64{"perm": perm}})
	}
	m.Nodes = append(m.Nodes, moduletest.Node{Op: "MatMul", Inputs: []string{"q", keys}, Outputs: []string{"s0"}})
	if scale != nil {
		m.Initializers = []moduletest.Initializer{{Name: "scale", Tensor: scale}}
		m.Nodes = append(m.Nodes, moduletest.Node{Op: op, Inputs: []string{"s0", "scale"}, Outputs: []string{"s1"}})
		scores = "s1"
	}
	if in["mask"] != nil {
		m.Nodes = append(m.Nodes, moduletest.Node{Op: "Add", Inputs: []string{"mask", scores}, Outputs: []string{"s2"}})
		scores = "s2"
	}
	m.Nodes = append(m.Nodes,
		moduletest.Node{Op: "Softmax", Inputs: []string{scores}, Outputs: []string{"w"}, Ints: map[string]int64{"axis": axis}},
		moduletest.Node{Op: "MatMul", Inputs: []string{"w", "v"}, Outputs: []string{"y"}})
	return m.Bytes()
}

// Attention out of its parts is merged into one step, and gives what the parts
// give (tapped values keep them apart), whatever the shapes are.
func TestAttentionOutOfItsParts(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	hidden := func(shape ...int) *modules.Tensor {
		m := random(r, shape...)
		for i := range m.F32 {
			if r.IntN(3) == 0 {
				m.F32[i] = float32(math.Inf(-1))
			}
		}
		return m
	}
	scalar := func(v float32) *modules.Tensor { return modules.Floats([]float32{v}) }
	for _, tc := range []struct {
		name             string
		q, k, v, mask    []int
		scale            *modules.Tensor
		op               string
		axis             int64
		transpose, apart bool // keys are transposed; an operand broadcasts, so the parts run
	}{
		{"plain", []int{2, 3, 7, 8}, []int{2, 3, 8, 9}, []int{2, 3, 9, 5}, nil, nil, "", -1, false, false},
		{"transposed, scaled, masked", []int{2, 3, 70, 8}, []int{2, 3, 90, 8}, []int{2, 3, 90, 8}, []int{2, 1, 70, 90}, scalar(8), "Div", -1, true, false},
		{"mask of keys", []int{1, 4, 130, 16}, []int{1, 4, 600, 16}, []int{1, 4, 600, 20}, []int{1, 1, 1, 600}, scalar(0.25), "Mul", 3, true, false},
		{"long", []int{1, 2, 61, 16}, []int{1, 2, 1300, 16}, []int{1, 2, 1300, 16}, nil, scalar(0.25), "Mul", 3, true, false},
		{"one query", []int{1, 4, 1, 16}, []int{1, 4, 33, 16}, []int{1, 4, 33, 16}, []int{1, 33}, scalar(4), "Div", -1, true, false},
		{"one query, keys as they are", []int{1, 4, 1, 16}, []int{1, 4, 16, 33}, []int{1, 4, 33, 16}, nil, scalar(4), "Div", -1, false, false},
		{"three dimensions", []int{5, 9, 8}, []int{5, 11, 8}, []int{5, 11, 8}, []int{9, 11}, scalar(0.3), "Mul", 2, true, false},
		{"one mask a query", []int{5, 9, 8}, []int{5, 11, 8}, []int{5, 11, 8}, []int{9, 1}, scalar(0.3), "Mul", -1, true, false},
		{"two dimensions", []int{9, 8}, []int{8, 11}, []int{11, 4}, nil, nil, "", -1, false, false},
		{"shared keys", []int{2, 4, 6, 8}, []int{1, 1, 7, 8}, []int{1, 1, 7, 8}, nil, scalar(0.3), "Mul", -1, true, true},
		{"a mask makes more of it", []int{1, 4, 6, 8}, []int{1, 4, 7, 8}, []int{1, 4, 7, 8}, []int{3, 1, 6, 7}, scalar(0.3), "Mul", -1, true, true},
		{"another axis", []int{2, 3, 7, 8}, []int{2, 3, 8, 9}, []int{2, 3, 9, 5}, nil, nil, "", 2, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := map[string]*modules.Tensor{"q": random(r, tc.q...), "k": random(r, tc.k...), "v": random(r, tc.v...)}
			taps := []string{"s0", "w"}
			if tc.mask != nil {
				in["mask"] = hidden(tc.mask...)
				in["mask"].F32[0] = 0
			}
			for _, opset := range []int64{11, 17} {
				if opset == 11 && tc.axis != -1 && int(tc.axis) != len(tc.q)-1 {
					continue // another meaning
				}
				model := attentionModel(in, modules.Float32, tc.scale, tc.op, tc.axis, tc.transpose, opset)
				s, err := manyThreads{}.Load(model, modules.LoadOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if steps, _, _ := s.(*manySessions).Session.(*goengine.Session).Stats(); steps != 1 {
					t.Errorf("%d steps are left, want 1", steps)
				}
				for range 2 {
					got, err := s.Run(context.Background(), in, nil)
					if err != nil {
						t.Fatal(err)
					}
					want := runBytes(t, model, in, modules.LoadOptions{Taps: taps})
					nearOrNaN(t, tc.name, got["y"], want["y"], 1e-5)
				}
			}
		})
	}
}

// nearOrNaN is near, for results of rows that are hidden altogether.
// TestGradientsPassMergedAttention: what is said of a model beforehand is so of its
// recordings, which merge less.
func TestGradientsPassMergedAttention(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	in := map[string]*modules.Tensor{"q": random(r, 1, 2, 5, 8), "k": random(r, 1, 2, 7, 8), "v": random(r, 1, 2, 7, 8), "mask": random(r, 1, 1, 5, 7)}
	model := attentionModel(in, modules.Float32, modules.Floats([]float32{0.3}), "Mul", -1, true, 17)
	s, err := goengine.New().Load(model, modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := s.(modules.Differentiable)
	passes, err := d.Passes()
	if err != nil {
		t.Fatal(err)
	}
	if len(passes) != 1 || len(passes[0].Inputs) != 4 || len(passes[0].Refused) != 0 {
		t.Errorf("it says %+v, want that gradients of y pass to all four inputs", passes)
	}
	agrees(t, d, in, modules.RecordOptions{})
}

func nearOrNaN(t *testing.T, what string, got, want *modules.Tensor, tolerance float64) {
	t.Helper()
	a, b := *got, *want
	a.F32, b.F32 = append([]float32{}, a.F32...), append([]float32{}, b.F32...)
	for i := range min(len(a.F32), len(b.F32)) {
		if math.IsNaN(float64(a.F32[i])) && math.IsNaN(float64(b.F32[i])) {
			a.F32[i], b.F32[i] = 0, 0
		}
	}
	near(t, what, &a, &b, tolerance)
}

// Half precision is rounded after every operator, merged or not.
func TestAttentionInHalfPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	in := map[string]*modules.Tensor{}
	for _, name := range []string{"q", "k", "v"} {
		x := random(r, 1, 2, 6, 8)
		h, err := modules.NewTensor(modules.Float16, x.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x.F32 {
			bits := half.To(v)
			h.Raw[2*i], h.Raw[2*i+1] = byte(bits), byte(bits>>8)
		}
		in[name] = h
	}
	model := attentionModel(in, modules.Float16, nil, "", -1, true, 17)
	got, want := runBytes(t, model, in, modules.LoadOptions{}), runBytes(t, model, in, modules.LoadOptions{Taps: []string{"s0", "w"}})
	if err := sameBits(got["y"], want["y"]); err != nil {
		t.Error(err)
	}
}

// The memory of attention grows with the tokens, not with their square.
func TestAttentionNeedsNoMatrixOfScores(t *testing.T) {
	const heads, dim = 4, 16
	for _, tokens := range []int{512, 2048} {
		x, _ := modules.NewTensor(modules.Float32, 1, heads, tokens, dim)
		in := map[string]*modules.Tensor{"q": x, "k": x, "v": x}
		m, err := onnxfile.Read(attentionModel(in, modules.Float32, modules.Floats([]float32{4}), "Div", -1, true, 17), "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := goengine.Infer(m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if most := int64(tokens * (heads*dim + 3*dim + 60) * 4); s.Memory == 0 || s.Memory > most {
			t.Errorf("%d tokens take %d bytes, want at most %d", tokens, s.Memory, most)
		}
		if s.Problem != nil {
			t.Error(fmt.Errorf("%d tokens: %w", tokens, s.Problem))
		}
	}
}
