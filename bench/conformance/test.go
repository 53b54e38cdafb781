package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Tolerances of ONNX's test runner.
const (
	relative = 1e-3
	absolute = 1e-7
)

// result is the outcome of one test.
type result struct {
	name      string
	operators []string // of the model, in order, without repeats
	err       error    // nil if it passed
	reason    string   // class of the failure
}

// errPorts is the reason of tests whose ports are no tensors.
var errPorts = errors.New("sequences, optionals and complex numbers do not cross a module's ports")

func runTest(ctx context.Context, engine modules.Engine, dir string) (r result) {
	r.name = strings.TrimPrefix(filepath.Base(dir), "test_")
	defer func() {
		if p := recover(); p != nil {
			r.err, r.reason = fmt.Errorf("panic: %v", p), "panic"
		}
	}()
	path := filepath.Join(dir, "model.onnx")
	data, err := os.ReadFile(path)
	if err != nil {
		r.err, r.reason = err, "unreadable"
		return r
	}
	m, err := onnxfile.Read(data, path)
	if err != nil {
		r.err, r.reason = err, "model not read"
		return r
	}
	r.operators = operators(m.Graph)
	for _, v := range append(append([]onnxfile.Value{}, m.Graph.Inputs...), m.Graph.Outputs...) {
		if v.Kind != onnxfile.TensorKind {
			r.err, r.reason = errPorts, errPorts.Error()
			return r
		}
	}
	s, err := engine.Load(data, modules.LoadOptions{Path: path})
	if err != nil {
		r.err, r.reason = err, "not loaded"
		var u *modules.UnsupportedError
		if errors.As(err, &u) && len(u.Operators) > 0 {
			r.reason = "operator not supported: " + strings.Join(u.Operators, ", ")
		}
		return r
	}
	defer s.Close()
	sets, _ := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	for _, set := range sets {
		if r.reason, r.err = runSet(ctx, s, m, set); r.err != nil {
			return r
		}
	}
	return r
}

func operators(g *onnxfile.Graph) []string {
	var ops []string
	seen := map[string]bool{}
	var walk func(g *onnxfile.Graph)
	walk = func(g *onnxfile.Graph) {
		for _, n := range g.Nodes {
			name := n.Op
			if n.Domain != "" {
				name = n.Domain + "." + n.Op
			}
			if !seen[name] {
				seen[name] = true
				ops = append(ops, name)
			}
			for _, b := range n.Bodies() {
				walk(b)
			}
		}
	}
	walk(g)
	return ops
}

func readTensor(path string) (*modules.Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := onnxfile.ReadTensor(data)
	if err != nil {
		return nil, err
	}
	return goengine.PortTensor(t)
}

func runSet(ctx context.Context, s modules.Session, m *onnxfile.Model, set string) (reason string, err error) {
	inputs := map[string]*modules.Tensor{}
	for i, v := range m.Graph.Inputs {
		t, err := readTensor(filepath.Join(set, fmt.Sprintf("input_%d.pb", i)))
		if err != nil {
			return "unreadable", err
		}
		inputs[v.Name] = bfloat(t, v)
	}
	got, err := s.Run(ctx, inputs, nil)
	if errors.Is(err, modules.ErrInput) {
		return "the stored inputs do not fit the model's ports", err
	}
	if err != nil {
		return "run fails", err
	}
	for i, v := range m.Graph.Outputs {
		want, err := readTensor(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
		if err != nil {
			return "unreadable", err
		}
		if err := compare(got[v.Name], bfloat(want, v)); err != nil {
			if draws(m) {
				return "the stored result holds random numbers, whose generator ONNX does not prescribe", err
			}
			return "wrong result", fmt.Errorf("output %q: %w", v.Name, err)
		}
	}
	return "", nil
}

// draws reports whether a model draws random numbers.
func draws(m *onnxfile.Model) bool {
	for _, op := range operators(m.Graph) {
		switch op {
		case "Bernoulli", "RandomUniformLike", "Dropout":
			return true
		}
	}
	return false
}

// bfloat names the type of bfloat16 data, which the test files store as
// uint16.
func bfloat(t *modules.Tensor, v onnxfile.Value) *modules.Tensor {
	if v.Elem == onnxfile.BFloat16 && t.DType == modules.Uint16 {
		t.DType = modules.BFloat16
	}
	return t
}

func compare(got, want *modules.Tensor) error {
	if got.DType != want.DType {
		return fmt.Errorf("is %v, want %v", got.DType, want.DType)
	}
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		return fmt.Errorf("has shape %v, want %v", got.Shape, want.Shape)
	}
	if want.DType == modules.String {
		for i, w := range want.Str {
			if got.Str[i] != w {
				return fmt.Errorf("element %d is %q, want %q", i, got.Str[i], w)
			}
		}
		return nil
	}
	g, w := numbers(got), numbers(want)
	for i := range w {
		if g[i] == w[i] || (math.IsNaN(g[i]) && math.IsNaN(w[i])) {
			continue
		}
		if d := math.Abs(g[i] - w[i]); !(d <= absolute+relative*math.Abs(w[i])) {
			return fmt.Errorf("element %d is %v, want %v", i, g[i], w[i])
		}
	}
	return nil
}

func numbers(t *modules.Tensor) []float64 {
	var out []float64
	switch t.DType {
	case modules.Float32:
		out = convert(t.F32)
	case modules.Float64:
		out = t.F64
	case modules.Int64:
		out = convert(t.I64)
	case modules.Int32:
		out = convert(t.I32)
	case modules.Uint8, modules.Bool:
		out = convert(t.U8)
	default:
		out = goengine.RawNumbers(t)
	}
	return out
}

func convert[T float32 | int64 | int32 | uint8](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
