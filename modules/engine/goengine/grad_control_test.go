package goengine_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func open(t *testing.T, m *moduletest.Model, opt modules.LoadOptions) modules.Differentiable {
	t.Helper()
	s, err := goengine.New().Load(m.Bytes(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(modules.Differentiable)
}

// agrees compares all gradients of a session's float outputs by its float
// inputs with differences of its own runs.
func agrees(t *testing.T, s modules.Differentiable, inputs map[string]*modules.Tensor, opt modules.RecordOptions) map[string]*modules.Tensor {
	t.Helper()
	ctx := context.Background()
	rec, err := s.Record(ctx, inputs, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	r := rand.New(rand.NewPCG(3, 4))
	dOut := map[string]*modules.Tensor{}
	var names []string
	for name := range rec.Outputs() {
		names = append(names, name)
	}
	slices.Sort(names)
	plain, err := s.Run(ctx, inputs, names)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		y := rec.Outputs()[name]
		if y.DType != modules.Float32 {
			continue
		}
		near(t, name, y, plain[name], 1e-5)
		d := modules.Floats(make([]float32, len(y.F32)), y.Shape...)
		for i := range d.F32 {
			d.F32[i] = float32(r.NormFloat64())
		}
		dOut[name] = d
	}
	grads, err := rec.Pull(ctx, dOut)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range grads {
		x := inputs[name]
		for range 3 {
			dir := make([]float64, len(x.F32))
			got, size := 0.0, 0.0
			for i := range dir {
				dir[i] = max(-1, min(1, r.NormFloat64()))
				got += dir[i] * float64(g.F32[i])
				size += math.Abs(dir[i] * float64(g.F32[i]))
			}
			at := func(h float64) float64 {
				moved := map[string]*modules.Tensor{}
				for n, v := range inputs {
					moved[n] = v
				}
				y := modules.Floats(slices.Clone(x.F32), x.Shape...)
				for i := range y.F32 {
					y.F32[i] += float32(h * dir[i])
				}
				moved[name] = y
				out, err := s.Run(ctx, moved, nil)
				if err != nil {
					t.Fatal(err)
				}
				sum := 0.0
				for n, d := range dOut {
					for i, w := range d.F32 {
						sum += float64(w) * float64(out[n].F32[i])
					}
				}
				return sum
			}
			diff := func(h float64) float64 { return (at(h) - at(-h)) / (2 * h) }
			want := diff(2e-3)
			if math.IsNaN(got) || math.Abs(got-want) > 4e-3*(0.3+size) {
				t.Errorf("by %q: %v along a direction, differences give %v (size %v)", name, got, want, size)
			}
		}
	}
	return grads
}

func value(name string, d modules.DType, shape ...int) moduletest.Value {
	symbols := make([]string, len(shape))
	for i := range symbols {
		symbols[i] = "n"
	}
	return moduletest.Value{Name: name, DType: d, Shape: shape, Symbols: symbols}
}

func initial(name string, t *modules.Tensor) moduletest.Initializer {
	return moduletest.Initializer{Name: name, Tensor: t}
}

func step(op string, in []string, out ...string) moduletest.Node {
	return moduletest.Node{Op: op, Inputs: in, Outputs: out}
}

type of = []string

// branches is y = exp(x·a) or tanh(x)+a, as cond says.
func branches() *moduletest.Model {
	f := modules.Float32
	n := step("If", of{"cond"}, "y")
	n.Bodies = map[string]*moduletest.Model{
		"then_branch": {Nodes: []moduletest.Node{step("Mul", of{"x", "a"}, "p"), step("Exp", of{"p"}, "t")}, Outputs: []moduletest.Value{value("t", f, 3)}},
		"else_branch": {Nodes: []moduletest.Node{step("Tanh", of{"x"}, "q"), step("Add", of{"q", "a"}, "e")}, Outputs: []moduletest.Value{value("e", f, 3)}},
	}
	return &moduletest.Model{Opset: 17, Nodes: []moduletest.Node{n}, Inputs: []moduletest.Value{value("cond", modules.Bool), value("x", f, 3), value("a", f, 3)}, Outputs: []moduletest.Value{value("y", f, 3)}}
}

// loop carries s ← tanh(s·w + x) for n rounds and scans s·s.
func loop() *moduletest.Model {
	f := modules.Float32
	n := step("Loop", of{"n", "", "s"}, "last", "all")
	n.Bodies = map[string]*moduletest.Model{"body": {
		Nodes:   []moduletest.Node{step("Mul", of{"s0", "w"}, "m"), step("Add", of{"m", "x"}, "a"), step("Tanh", of{"a"}, "s1"), step("Mul", of{"s1", "s1"}, "sq"), step("Identity", of{"c0"}, "c1")},
		Inputs:  []moduletest.Value{value("i", modules.Int64), value("c0", modules.Bool), value("s0", f, 4)},
		Outputs: []moduletest.Value{value("c1", modules.Bool), value("s1", f, 4), value("sq", f, 4)},
	}}
	return &moduletest.Model{Opset: 17, Nodes: []moduletest.Node{n}, Inputs: []moduletest.Value{value("n", modules.Int64), value("s", f, 4), value("x", f, 4), value("w", f, 4)},
		Outputs: []moduletest.Value{value("last", f, 4), value("all", f, -1, 4)}}
}

// scanned walks rows of x: s ← s·x + s, scanning s backwards.
func scanned() *moduletest.Model {
	f := modules.Float32
	n := step("Scan", of{"s", "x"}, "last", "all")
	n.Ints = numbers{"num_scan_inputs": 1}
	n.Lists = lists{"scan_input_axes": {1}, "scan_input_directions": {1}, "scan_output_directions": {1}}
	n.Bodies = map[string]*moduletest.Model{"body": {
		Nodes:   []moduletest.Node{step("Mul", of{"s0", "row"}, "m"), step("Add", of{"m", "s0"}, "s1"), step("Sigmoid", of{"s1"}, "o")},
		Inputs:  []moduletest.Value{value("s0", f, 2), value("row", f, 2)},
		Outputs: []moduletest.Value{value("s1", f, 2), value("o", f, 2)},
	}}
	return &moduletest.Model{Opset: 17, Nodes: []moduletest.Node{n}, Inputs: []moduletest.Value{value("s", f, 2), value("x", f, 2, 3)}, Outputs: []moduletest.Value{value("last", f, 2), value("all", f, 3, 2)}}
}

// listed splits x, squares the parts and joins some of them.
func listed() *moduletest.Model {
	f := modules.Float32
	each := step("SequenceMap", of{"parts", "a"}, "squares")
	each.Bodies = map[string]*moduletest.Model{"body": {
		Nodes:   []moduletest.Node{step("Mul", of{"e", "e"}, "q"), step("Mul", of{"q", "a0"}, "r")},
		Inputs:  []moduletest.Value{value("e", f, 1, 2), value("a0", f, 2)},
		Outputs: []moduletest.Value{value("r", f, 1, 2)},
	}}
	return &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{value("x", f, 3, 2), value("a", f, 2)}, Outputs: []moduletest.Value{value("y", f, -1, 2), value("z", f, 1, 2), value("w", f, 2, 3, 2)},
		Initializers: []moduletest.Initializer{initial("one", modules.Ints([]int64{1})), initial("two", modules.Ints([]int64{2}))},
		Nodes: []moduletest.Node{step("SplitToSequence", of{"x", "one"}, "parts"), each, step("SequenceAt", of{"squares", "two"}, "z"),
			step("SequenceErase", of{"squares", "one"}, "fewer"), step("SequenceInsert", of{"fewer", "z", "one"}, "more"), step("ConcatFromSequence", of{"more"}, "y"),
			step("SequenceConstruct", of{"x", "x"}, "pair"), {Op: "ConcatFromSequence", Ints: numbers{"axis": 0, "new_axis": 1}, Inputs: of{"pair"}, Outputs: of{"w"}}}}
}

func TestGradientsControl(t *testing.T) {
	truth := func(v uint8) *modules.Tensor {
		return &modules.Tensor{DType: modules.Bool, Shape: []int{}, U8: []uint8{v}}
	}
	count := func(n int64) *modules.Tensor { return modules.Ints([]int64{n}) }
	for name, c := range map[string]struct {
		m  *moduletest.Model
		in map[string]*modules.Tensor
	}{
		"then":      {branches(), map[string]*modules.Tensor{"cond": truth(1), "x": spaced(1, -1, 1, 3), "a": spaced(2, 0.5, 1, 3)}},
		"else":      {branches(), map[string]*modules.Tensor{"cond": truth(0), "x": spaced(1, -1, 1, 3), "a": spaced(2, 0.5, 1, 3)}},
		"loop":      {loop(), map[string]*modules.Tensor{"n": count(4), "s": spaced(1, -1, 1, 4), "x": spaced(2, -1, 1, 4), "w": spaced(3, 0.5, 1, 4)}},
		"no rounds": {loop(), map[string]*modules.Tensor{"n": count(0), "s": spaced(1, -1, 1, 4), "x": spaced(2, -1, 1, 4), "w": spaced(3, 0.5, 1, 4)}},
		"scan":      {scanned(), map[string]*modules.Tensor{"s": spaced(1, -1, 1, 2), "x": spaced(2, -1, 1, 2, 3)}},
		"sequences": {listed(), map[string]*modules.Tensor{"x": spaced(1, -1, 1, 3, 2), "a": spaced(2, 0.5, 1, 2)}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.m, modules.LoadOptions{})
			agrees(t, s, c.in, modules.RecordOptions{})
			agrees(t, s, c.in, modules.RecordOptions{Keep: 1})
		})
	}
}

// deep is a chain of layers with branches that join again, merged activations
// and residuals among them.
func deep() *moduletest.Model {
	f := modules.Float32
	m := &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{value("x", f, 2, 3, 8, 8)}, Outputs: []moduletest.Value{value("y", f, 2, 10)}}
	m.Initializers = append(m.Initializers, initial("w0", spaced(1, -0.4, 0.4, 8, 3, 3, 3)), initial("wd", spaced(2, -0.6, 0.6, 8, 1, 3, 3)), initial("wp", spaced(3, -0.5, 0.5, 8, 8, 1, 1)),
		initial("b", spaced(4, -0.2, 0.2, 8)), initial("head", spaced(5, -0.5, 0.5, 8, 10)), initial("lo", modules.Floats([]float32{0})), initial("hi", modules.Floats([]float32{6})),
		initial("scale", modules.Floats([]float32{1.7})), initial("shift", modules.Floats([]float32{0.3})))
	pad := lists{"pads": {1, 1, 1, 1}}
	m.Nodes = []moduletest.Node{
		{Op: "Conv", Inputs: of{"x", "w0", "b"}, Outputs: of{"c0"}, Lists: lists{"pads": {1, 1, 1, 1}, "strides": {2, 2}}}, step("Relu", of{"c0"}, "r0"),
		{Op: "Conv", Inputs: of{"r0", "wd", "b"}, Outputs: of{"c1"}, Lists: pad, Ints: numbers{"group": 8}}, step("Sigmoid", of{"c1"}, "g1"), step("Mul", of{"c1", "g1"}, "s1"),
		step("Conv", of{"s1", "wp", "b"}, "c2"), step("Add", of{"c2", "r0"}, "a2"), step("Clip", of{"a2", "lo", "hi"}, "k2"),
		step("Mul", of{"k2", "scale"}, "m2"), step("Add", of{"m2", "shift"}, "f2"),
		{Op: "Conv", Inputs: of{"f2", "wd", "b"}, Outputs: of{"c3"}, Lists: pad, Ints: numbers{"group": 8}}, step("HardSwish", of{"c3"}, "h3"),
		step("GlobalAveragePool", of{"h3"}, "p"), step("Flatten", of{"p"}, "q"), step("MatMul", of{"q", "head"}, "y"),
	}
	return m
}

func TestGradientsDeep(t *testing.T) {
	in := map[string]*modules.Tensor{"x": spaced(9, -1, 1, 2, 3, 8, 8)}
	var first map[string]*modules.Tensor
	for _, threads := range []int{1, 3} {
		s := open(t, deep(), modules.LoadOptions{Threads: threads})
		for _, keep := range []int64{0, 1, 20_000} {
			for _, procs := range []int{1, 4} {
				before := runtime.GOMAXPROCS(procs)
				g := agrees(t, s, in, modules.RecordOptions{Keep: keep})
				runtime.GOMAXPROCS(before)
				if first == nil {
					first = g
				}
				if !slices.Equal(first["x"].F32, g["x"].F32) {
					t.Errorf("%d threads, %d processors, %d bytes: other bits", threads, procs, keep)
				}
			}
		}
	}
}

func TestKept(t *testing.T) {
	s := open(t, deep(), modules.LoadOptions{})
	in := map[string]*modules.Tensor{"x": spaced(9, -1, 1, 2, 3, 8, 8)}
	kept := func(limit int64) modules.Kept {
		rec, err := s.Record(context.Background(), in, modules.RecordOptions{Keep: limit})
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		return rec.Kept()
	}
	all, few := kept(0), kept(1)
	// sections of this model end where its values are read again, so that the
	// room differs by no more than the buffers that happen to be free
	if all.Again != 0 || few.Again == 0 || few.Bytes > all.Bytes {
		t.Errorf("with room %+v, without %+v", all, few)
	}
}

func TestRecordErrors(t *testing.T) {
	ctx := context.Background()
	f := modules.Float32
	m := &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{value("x", f, 4), value("k", modules.Int64, 4)}, Outputs: []moduletest.Value{value("y", f, 4), value("z", f, 4), value("i", modules.Int64)},
		Initializers: []moduletest.Initializer{initial("s", modules.Floats([]float32{0.1}))},
		Nodes: []moduletest.Node{step("QuantizeLinear", of{"x", "s"}, "q"), step("DequantizeLinear", of{"q", "s"}, "y"), step("Tanh", of{"x"}, "z"),
			{Op: "ArgMax", Inputs: of{"x"}, Outputs: of{"i"}, Ints: numbers{"keepdims": 0}}}}
	s := open(t, m, modules.LoadOptions{})
	in := map[string]*modules.Tensor{"x": spaced(1, -1, 1, 4), "k": ints(1, 2, 3, 4)}
	passes, err := s.Passes()
	if err != nil {
		t.Fatal(err)
	}
	if p := passes[1]; !slices.Equal(p.Inputs, of{"x"}) || passes[0].Refused["x"] == "" || len(passes[2].Inputs) != 0 {
		t.Errorf("%+v", passes)
	}
	wrong := func(what string, want error, opt modules.RecordOptions, dOut map[string]*modules.Tensor) {
		t.Helper()
		rec, err := s.Record(ctx, in, opt)
		if err == nil {
			defer rec.Close()
			_, err = rec.Pull(ctx, dOut)
		}
		if !isError(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wrong("quantised", modules.ErrNotDifferentiable, modules.RecordOptions{}, nil)
	z := modules.RecordOptions{Outputs: of{"z"}}
	wrong("by integers", modules.ErrInput, modules.RecordOptions{Outputs: of{"z"}, Inputs: of{"k"}}, nil)
	wrong("by nothing", modules.ErrInput, modules.RecordOptions{Outputs: of{"z"}, Inputs: of{"nowhere"}}, nil)
	wrong("of nothing", modules.ErrInput, modules.RecordOptions{Outputs: of{"nowhere"}}, nil)
	wrong("shape", modules.ErrInput, z, map[string]*modules.Tensor{"z": spaced(1, 0, 1, 3)})
	wrong("not recorded", modules.ErrInput, z, map[string]*modules.Tensor{"y": spaced(1, 0, 1, 4)})
	wrong("of integers", modules.ErrInput, modules.RecordOptions{Outputs: of{"i"}}, map[string]*modules.Tensor{"i": modules.Floats([]float32{1})})
	rec, err := s.Record(ctx, in, z)
	if err != nil {
		t.Fatal(err)
	}
	zero, err := rec.Pull(ctx, nil)
	if err != nil || zero["x"] == nil || slices.ContainsFunc(zero["x"].F32, func(v float32) bool { return v != 0 }) {
		t.Errorf("nothing pulled gives %v, %v", zero, err)
	}
	rec.Close()
	rec.Close()
	if _, err := rec.Pull(ctx, nil); !isError(err, modules.ErrClosed) {
		t.Errorf("pull after close: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Record(cancelled, in, z); !isError(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func isError(err, want error) bool { return errors.Is(err, want) }

// Half-precision weights and values have float32 gradients, near those of the
// same model in single precision.
func TestGradientsHalf(t *testing.T) {
	const f16, single = 10, 1
	cast := func(in, out string, to int64) moduletest.Node {
		return moduletest.Node{Op: "Cast", Inputs: of{in}, Outputs: of{out}, Ints: numbers{"to": to}}
	}
	model := func(to int64) *moduletest.Model {
		f := modules.Float32
		return &moduletest.Model{Opset: 17, Inputs: []moduletest.Value{value("x", f, 3, 8)}, Outputs: []moduletest.Value{value("y", f, 3, 5)},
			Initializers: []moduletest.Initializer{initial("w", spaced(1, -0.5, 0.5, 8, 6)), initial("v", spaced(2, -0.5, 0.5, 5, 6)), initial("b", spaced(3, -0.5, 0.5, 5))},
			Nodes: []moduletest.Node{cast("w", "wh", to), cast("v", "vh", to), cast("b", "bh", to), cast("x", "xh", to), step("MatMul", of{"xh", "wh"}, "m"), step("Gelu", of{"m"}, "g"),
				{Op: "Gemm", Inputs: of{"g", "vh", "bh"}, Outputs: of{"p"}, Ints: numbers{"transB": 1}}, step("Softmax", of{"p"}, "s"), cast("s", "y", single)}}
	}
	grads := map[int64]*modules.Tensor{}
	for _, to := range []int64{single, f16} {
		m := model(to)
		m.Opset = 20
		s := open(t, m, modules.LoadOptions{})
		rec, err := s.Record(context.Background(), map[string]*modules.Tensor{"x": spaced(4, -1, 1, 3, 8)}, modules.RecordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		g, err := rec.Pull(context.Background(), map[string]*modules.Tensor{"y": spaced(5, -1, 1, 3, 5)})
		if err != nil {
			t.Fatal(err)
		}
		grads[to] = g["x"]
	}
	near(t, "half precision", grads[f16], grads[single], 2e-3)
}

// Many recordings of one session are open at once, each with its own values.
func TestRecordingsAtOnce(t *testing.T) {
	s := open(t, deep(), modules.LoadOptions{})
	ctx := context.Background()
	pull := func(seed uint64) ([]float32, error) {
		rec, err := s.Record(ctx, map[string]*modules.Tensor{"x": spaced(seed, -1, 1, 2, 3, 8, 8)}, modules.RecordOptions{})
		if err != nil {
			return nil, err
		}
		defer rec.Close()
		runtime.Gosched()
		g, err := rec.Pull(ctx, map[string]*modules.Tensor{"y": spaced(5, -1, 1, 2, 10)})
		if err != nil {
			return nil, err
		}
		return g["x"].F32, nil
	}
	alone := make([][]float32, 6)
	for i := range alone {
		var err error
		if alone[i], err = pull(uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	for i := range alone {
		for range 3 {
			wait.Go(func() {
				if g, err := pull(uint64(i)); err != nil || !slices.Equal(g, alone[i]) {
					t.Errorf("recording %d differs beside others (%v)", i, err)
				}
			})
		}
	}
	wait.Wait()
}
