// Package nodetest runs tests in the form of ONNX's own node tests: a folder
// with model.onnx and test_data_set_*/{input,output}_*.pb.
package nodetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Tolerances of ONNX's test runner.
const (
	Relative = 1e-3
	Absolute = 1e-7
)

// Result is the outcome of one test.
type Result struct {
	Operators []string // of the model, in order, without repeats
	Err       error    // nil if it passed
	Reason    string   // class of the failure
}

// Wrong is the reason of tests whose result differs, and Ports of those whose
// inputs the model's ports refuse.
const (
	Wrong = "wrong result"
	Ports = "the stored inputs do not fit the model's ports"
)

// Options say what is compared.
type Options struct {
	// Absolute difference that is allowed beside the relative one, [Absolute]
	// if 0.
	Absolute float64
	// TypesOnly compares types and shapes, not elements.
	TypesOnly bool
}

// Run runs the test in a folder of fsys on an engine. It passes when every
// output has the stored type and shape, and elements within the tolerances.
func Run(ctx context.Context, engine modules.Engine, fsys fs.FS, dir string, opt Options) (r Result) {
	if opt.Absolute == 0 {
		opt.Absolute = Absolute
	}
	defer func() {
		if p := recover(); p != nil {
			r.Err, r.Reason = fmt.Errorf("panic: %v", p), "panic"
		}
	}()
	data, err := fs.ReadFile(fsys, path.Join(dir, "model.onnx"))
	if err != nil {
		r.Err, r.Reason = err, "unreadable"
		return r
	}
	m, err := onnxfile.Read(data, "")
	if err != nil {
		r.Err, r.Reason = err, "model not read"
		return r
	}
	r.Operators = operators(m.Graph)
	s, err := engine.Load(data, modules.LoadOptions{})
	if err != nil {
		r.Err, r.Reason = err, "not loaded"
		var u *modules.UnsupportedError
		if errors.As(err, &u) && len(u.Operators) > 0 {
			r.Reason = "operator not supported: " + strings.Join(u.Operators, ", ")
		}
		return r
	}
	defer s.Close()
	sets, err := fs.Glob(fsys, path.Join(dir, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		r.Err, r.Reason = fmt.Errorf("%s has no data", dir), "unreadable"
		return r
	}
	for _, set := range sets {
		if r.Reason, r.Err = runSet(ctx, s, m, fsys, set, opt); r.Err != nil {
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

func runSet(ctx context.Context, s modules.Session, m *onnxfile.Model, fsys fs.FS, set string, opt Options) (reason string, err error) {
	inputs := map[string]*modules.Tensor{}
	for i, v := range m.Graph.Inputs {
		t, err := readValue(fsys, path.Join(set, fmt.Sprintf("input_%d.pb", i)), v)
		if err != nil {
			return "unreadable", err
		}
		inputs[v.Name] = t
	}
	got, err := s.Run(ctx, inputs, nil)
	if errors.Is(err, modules.ErrInput) {
		return Ports, err
	}
	if err != nil {
		return "run fails", err
	}
	for i, v := range m.Graph.Outputs {
		want, err := readValue(fsys, path.Join(set, fmt.Sprintf("output_%d.pb", i)), v)
		if err != nil {
			return "unreadable", err
		}
		if err := compare(got[v.Name], want, opt); err != nil {
			return Wrong, fmt.Errorf("output %q: %w", v.Name, err)
		}
	}
	return "", nil
}

// tolerance is that of ONNX's test runner, which allows two units in the last
// place of bfloat16; the same is allowed to float16.
func tolerance(d modules.DType) float64 {
	switch d {
	case modules.BFloat16:
		return 1.0 / 64
	case modules.Float16:
		return 1.0 / 512
	}
	return Relative
}

func compareNumbers(got, want []float64, relative, absolute float64) error {
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
