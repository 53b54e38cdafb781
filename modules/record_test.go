package modules_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func noise(seed uint64, shape ...int) *modules.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	t, _ := modules.NewTensor(modules.Float32, shape...)
	for i := range t.F32 {
		t.F32[i] = float32(r.NormFloat64())
	}
	return t
}

// recorded is a module of two parts: frames of six rows of four numbers, from
// which windows go to a second model, and a picture's map.
func recorded(t *testing.T, each string) *modules.Module {
	t.Helper()
	f := modules.Float32
	v := func(name string, shape ...int) moduletest.Value {
		symbols := make([]string, len(shape))
		for i := range symbols {
			symbols[i] = "n"
		}
		return moduletest.Value{Name: name, DType: f, Shape: shape, Symbols: symbols}
	}
	front := &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{v("x", -1, 4), v("s", -1, 4)}, Outputs: []moduletest.Value{v("rows", -1, 5), v("next", -1, 4)},
		Nodes: []moduletest.Node{{Op: "Tanh", Inputs: []string{"x"}, Outputs: []string{"h"}}, {Op: "Add", Inputs: []string{"h", "s"}, Outputs: []string{"next"}},
			{Op: "MatMul", Inputs: []string{"next", "w"}, Outputs: []string{"rows"}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: noise(3, 4, 5)}}}
	back := &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{v("windows", -1, 3, 5)}, Outputs: []moduletest.Value{v("grid", -1, 3, 6), v("map", -1, 6, 3, 1)},
		Nodes: []moduletest.Node{{Op: "MatMul", Inputs: []string{"windows", "w"}, Outputs: []string{"grid"}}, {Op: "Transpose", Inputs: []string{"grid"}, Outputs: []string{"turned"}, Lists: map[string][]int64{"perm": {0, 2, 1}}},
			{Op: "Unsqueeze", Inputs: []string{"turned", "axis"}, Outputs: []string{"map"}}},
		Initializers: []moduletest.Initializer{{Name: "w", Tensor: noise(4, 5, 6)}, {Name: "axis", Tensor: modules.Ints([]int64{3}, 1)}}}
	manifest := `format: 1
name: two
modality: other
license: MIT
files:
FILES
parts:
  - {name: front, file: front.onnx}
  - {name: back, file: back.onnx}
links:
  - {from: front.rows, to: back.windows, scale: 0.5, offset: 1, width: 5, window: 3, hop: 1, shape: [3, 5]` + each + `}
inputs:
  - {name: x, kind: tensor, part: front, shape: [n, 4]}
  - {name: s, kind: state, part: front, shape: [n, 4]}
outputs:
  - {name: next, kind: state, part: front, shape: [n, 4]}
  - {name: grid, kind: grid, part: back, shape: [n, 3, 6]}
  - {name: mean, kind: embedding, part: back, tensor: grid, pooling: mean, normalize: true, shape: [n, 3, 6]}
  - {name: max, kind: embedding, part: back, tensor: grid, pooling: max, shape: [n, 3, 6]}
  - {name: last, kind: logits, part: back, tensor: grid, pooling: last, softmax: true, shape: [n, 3, 6]}
  - {name: places, kind: grid, part: back, tensor: map, layout: nchw, normalize: true, shape: [n, 6, 3, 1]}
states:
  - {input: s, output: next}
`
	d := dir(manifest, map[string]string{"front.onnx": string(front.Bytes()), "back.onnx": string(back.Bytes())})
	m, err := modules.Open(d, "two", goengine.New(), modules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Gradients through ports and links agree with differences of Run.
func TestModuleRecord(t *testing.T) {
	ctx := context.Background()
	for _, each := range []string{"", ", each: true"} {
		m := recorded(t, each)
		in := map[string]*modules.Tensor{"x": noise(1, 6, 4), "s": noise(2, 6, 4)}
		rec, err := m.Record(ctx, in, modules.RecordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		plain, err := m.Run(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"next", "grid", "mean", "max", "last", "places"} {
			y := rec.Outputs()[name]
			if y == nil || !slices.Equal(y.F32, plain[name].F32) {
				t.Fatalf("%s: recorded %v, run %v", name, y, plain[name])
			}
			d := noise(9, y.Shape...)
			grads, err := rec.Pull(ctx, map[string]*modules.Tensor{name: d})
			if err != nil {
				t.Fatal(err)
			}
			for port, g := range grads {
				dir := noise(11, in[port].Shape...)
				at := func(h float32) float64 {
					x := slices.Clone(in[port].F32)
					for i := range x {
						x[i] += h * dir.F32[i]
					}
					out, err := m.Run(ctx, map[string]*modules.Tensor{"x": in["x"], "s": in["s"], port: modules.Floats(x, in[port].Shape...)}, name)
					if err != nil {
						t.Fatal(err)
					}
					sum := 0.0
					for i, v := range d.F32 {
						sum += float64(v) * float64(out[name].F32[i])
					}
					return sum
				}
				want, got := (at(5e-3)-at(-5e-3))/1e-2, 0.0
				for i, v := range g.F32 {
					got += float64(v) * float64(dir.F32[i])
				}
				if math.Abs(got-want) > 5e-3*(1+math.Abs(want)) {
					t.Errorf("%s by %s%s: %v, differences give %v", name, port, each, got, want)
				}
			}
		}
		if k := rec.Kept(); k.Steps == 0 || k.Bytes == 0 {
			t.Errorf("kept %+v", k)
		}
	}
}

// A state's gradient is pulled through the steps before.
func TestModuleRecordStates(t *testing.T) {
	ctx := context.Background()
	m := recorded(t, "")
	x := []*modules.Tensor{noise(1, 3, 4), noise(2, 3, 4)}
	d := noise(5, 1, 3, 6)
	run := func(first *modules.Tensor) (state, grid *modules.Tensor) {
		out, err := m.Run(ctx, map[string]*modules.Tensor{"x": first}, "next")
		if err != nil {
			t.Fatal(err)
		}
		last, err := m.Run(ctx, map[string]*modules.Tensor{"x": x[1], "s": out["next"]}, "grid")
		if err != nil {
			t.Fatal(err)
		}
		return out["next"], last["grid"]
	}
	state, _ := run(x[0])
	first, err := m.Record(ctx, map[string]*modules.Tensor{"x": x[0]}, modules.RecordOptions{Outputs: []string{"next"}})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := m.Record(ctx, map[string]*modules.Tensor{"x": x[1], "s": state}, modules.RecordOptions{Outputs: []string{"grid"}, Inputs: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	late, err := second.Pull(ctx, map[string]*modules.Tensor{"grid": d})
	if err != nil {
		t.Fatal(err)
	}
	early, err := first.Pull(ctx, map[string]*modules.Tensor{"next": late["s"]})
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-2
	for i := range x[0].F32 {
		at := func(h float32) float64 {
			moved := slices.Clone(x[0].F32)
			moved[i] += h
			_, grid := run(modules.Floats(moved, x[0].Shape...))
			sum := 0.0
			for k, v := range d.F32 {
				sum += float64(v) * float64(grid.F32[k])
			}
			return sum
		}
		if want, got := (at(h)-at(-h))/(2*h), float64(early["x"].F32[i]); math.Abs(got-want) > 1e-2*(1+math.Abs(want)) {
			t.Errorf("number %d of the first step: %v, differences give %v", i, got, want)
		}
	}
}

func TestModulePasses(t *testing.T) {
	passes, err := recorded(t, "").Passes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range passes {
		if p.String() != "s, x" {
			t.Errorf("%s: %v", p.Output, p)
		}
	}
}

func TestModuleRecordErrors(t *testing.T) {
	ctx := context.Background()
	m := recorded(t, "")
	in := map[string]*modules.Tensor{"x": noise(1, 6, 4)}
	for what, c := range map[string]struct {
		in  map[string]*modules.Tensor
		opt modules.RecordOptions
	}{
		"an unknown port":    {map[string]*modules.Tensor{"y": in["x"]}, modules.RecordOptions{}},
		"an input not given": {in, modules.RecordOptions{Inputs: []string{"s"}}},
		"an unknown output":  {in, modules.RecordOptions{Outputs: []string{"z"}}},
	} {
		if _, err := m.Record(ctx, c.in, c.opt); !errors.Is(err, modules.ErrInput) {
			t.Errorf("%s: %v", what, err)
		}
	}
	rec, err := m.Record(ctx, in, modules.RecordOptions{Outputs: []string{"next"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"grid", "next"} {
		if _, err := rec.Pull(ctx, map[string]*modules.Tensor{name: noise(1, 2, 2)}); !errors.Is(err, modules.ErrInput) {
			t.Errorf("gradient of %s: %v", name, err)
		}
	}
	rec.Close()
	if _, err := rec.Pull(ctx, nil); !errors.Is(err, modules.ErrClosed) {
		t.Errorf("pull after close: %v", err)
	}
	if !strings.Contains(fmt.Sprint(modules.Pass{}), "none") {
		t.Error("a pass of nothing does not say so")
	}
}
