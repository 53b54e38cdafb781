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
	listed    string   // why only types and shapes are compared; see [typeAndShape]
}

func runTest(ctx context.Context, engine modules.Engine, dir string) (r result) {
	r.name = strings.TrimPrefix(filepath.Base(dir), "test_")
	r.listed = typeAndShape[r.name]
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
		if r.reason, r.err = runSet(ctx, s, m, set, r.listed == ""); r.err != nil {
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

// wrongResult is the reason of tests whose result differs.
const wrongResult = "wrong result"

func runSet(ctx context.Context, s modules.Session, m *onnxfile.Model, set string, values bool) (reason string, err error) {
	inputs := map[string]*modules.Tensor{}
	for i, v := range m.Graph.Inputs {
		t, err := readValue(filepath.Join(set, fmt.Sprintf("input_%d.pb", i)), v)
		if err != nil {
			return "unreadable", err
		}
		inputs[v.Name] = t
	}
	got, err := s.Run(ctx, inputs, nil)
	if errors.Is(err, modules.ErrInput) {
		return "the stored inputs do not fit the model's ports", err
	}
	if err != nil {
		return "run fails", err
	}
	for i, v := range m.Graph.Outputs {
		want, err := readValue(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)), v)
		if err != nil {
			return "unreadable", err
		}
		if err := compare(got[v.Name], want, values); err != nil {
			return wrongResult, fmt.Errorf("output %q: %w", v.Name, err)
		}
	}
	return "", nil
}

// tolerance is that of ONNX's test runner, which allows two units in the last
// place of bfloat16.
func tolerance(d modules.DType) float64 {
	if d == modules.BFloat16 {
		return 1.0 / 64
	}
	return relative
}

func compareNumbers(got, want []float64, relative float64) error {
	for i, w := range want {
		g := got[i]
		if g == w || (math.IsNaN(g) && math.IsNaN(w)) {
			continue
		}
		if d := math.Abs(g - w); !(d <= absolute+relative*math.Abs(w)) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
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
