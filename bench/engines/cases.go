package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules"
)

// testCase is a folder that models.py wrote: model.onnx and case.json.
type testCase struct {
	Title  string           // of the row
	Source string           // package and version, or "made"
	Kind   string           // "model" or "operator"
	Inputs map[string]input // by port

	dir    string
	inputs map[string]*modules.Tensor
}

// input says how an input is drawn; the same values at every run.
type input struct {
	Type  string
	Shape []int
	Fill  *float64 // every element, or
	Below int      // whole numbers from 0, or
	Scale float64  // normal, with this deviation (0: a half)
}

func readCases(dir, only string) ([]testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "case.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no */case.json below %q; models.py writes them", dir)
	}
	slices.Sort(files)
	var cases []testCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c := testCase{dir: filepath.Dir(file), inputs: map[string]*modules.Tensor{}}
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if c.Kind != "model" && c.Kind != "operator" {
			return nil, fmt.Errorf("%s: kind %q; known: model, operator", file, c.Kind)
		}
		if !strings.Contains(filepath.Base(c.dir), only) {
			continue
		}
		for name, in := range c.Inputs {
			t, err := in.draw()
			if err != nil {
				return nil, fmt.Errorf("%s: input %q: %w", file, name, err)
			}
			c.inputs[name] = t
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (in *input) draw() (*modules.Tensor, error) {
	d, err := modules.ParseDType(in.Type)
	if err != nil {
		return nil, err
	}
	n, err := modules.Elements(in.Shape)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	value := func() float64 {
		switch {
		case in.Fill != nil:
			return *in.Fill
		case in.Below > 0:
			return float64(r.IntN(in.Below))
		case in.Scale != 0:
			return r.NormFloat64() * in.Scale
		}
		return r.NormFloat64() / 2
	}
	t := &modules.Tensor{DType: d, Shape: in.Shape}
	for range n {
		v := value()
		switch d {
		case modules.Float32:
			t.F32 = append(t.F32, float32(v))
		case modules.Float64:
			t.F64 = append(t.F64, v)
		case modules.Int64:
			t.I64 = append(t.I64, int64(v))
		case modules.Int32:
			t.I32 = append(t.I32, int32(v))
		case modules.Uint8, modules.Bool:
			t.U8 = append(t.U8, uint8(v))
		case modules.Int8:
			t.Raw = append(t.Raw, byte(int8(v)))
		case modules.Float16:
			h := half.To(float32(v))
			t.Raw = append(t.Raw, byte(h), byte(h>>8))
		default:
			return nil, fmt.Errorf("cannot draw %v", d)
		}
	}
	return t, nil
}

// numbers are the elements of an output as float64, nil if it has none.
func numbers(t *modules.Tensor) []float64 {
	var out []float64
	switch t.DType {
	case modules.Float32:
		for _, v := range t.F32 {
			out = append(out, float64(v))
		}
	case modules.Float64:
		out = t.F64
	case modules.Int64:
		for _, v := range t.I64 {
			out = append(out, float64(v))
		}
	case modules.Int32:
		for _, v := range t.I32 {
			out = append(out, float64(v))
		}
	case modules.Uint8, modules.Bool:
		for _, v := range t.U8 {
			out = append(out, float64(v))
		}
	case modules.Int8:
		for _, v := range t.Raw {
			out = append(out, float64(int8(v)))
		}
	case modules.Float16:
		for i := 0; i+1 < len(t.Raw); i += 2 {
			out = append(out, float64(half.From(uint16(t.Raw[i])|uint16(t.Raw[i+1])<<8)))
		}
	case modules.Sequence, modules.Map:
		for _, e := range t.Seq {
			out = append(out, numbers(e)...)
		}
	}
	return out
}

// largest is the largest absolute difference of two outputs.
func largest(got, want *modules.Tensor) (float64, error) {
	a, b := numbers(got), numbers(want)
	if len(a) != len(b) {
		return 0, fmt.Errorf("%v and %v differ in shape", got.Shape, want.Shape)
	}
	d := 0.0
	for i, v := range a {
		if v != b[i] && !(math.IsNaN(v) && math.IsNaN(b[i])) {
			d = max(d, math.Abs(v-b[i]))
		}
	}
	return d, nil
}
