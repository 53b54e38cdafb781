package moduletest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire/modules"
)

// Run checks everything that [modules.Engine] and [modules.Session] promise.
func Run(t *testing.T, engine modules.Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, modules.Engine)
	}{
		{"ports", testPorts},
		{"computes", testComputes},
		{"types", testTypes},
		{"batch sizes", testBatches},
		{"passed through", testPassedThrough},
		{"wrong symbols", testWrongSymbols},
		{"stale shapes", testStaleShapes},
		{"sequences beside tensors", testSequences},
		{"chosen outputs", testChosenOutputs},
		{"bad inputs", testBadInputs},
		{"bad outputs", testBadOutputs},
		{"empty batch", testEmptyBatch},
		{"NaN", testNaN},
		{"taps", testTaps},
		{"reused outputs", testReuse},
		{"callers own results", testOwnership},
		{"concurrent calls", testConcurrent},
		{"threads", testThreads},
		{"cancellation", testCancellation},
		{"closing", testClosing},
		{"malformed models", testMalformed},
		{"unknown operator", testUnknownOperator},
		{"unknown operator set", testUnknownOpset},
		{"huge tensors", testHuge},
		{"cycle", testCycle},
		{"external data", testExternal},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, engine) })
	}
}

// testStaleShapes: what a model declares of an output is not held against it.
func testStaleShapes(t *testing.T, engine modules.Engine) {
	m := &Model{
		Nodes:   []Node{{Op: "Reshape", Inputs: []string{"x", "shape"}, Outputs: []string{"y"}}},
		Inputs:  []Value{{Name: "x", DType: modules.Float32, Shape: []int{6}}, {Name: "shape", DType: modules.Int64, Shape: []int{2}}},
		Outputs: []Value{{Name: "y", DType: modules.Float32, Shape: []int{3, 2}}},
	}
	s := load(t, engine, m, modules.LoadOptions{})
	x := []float32{1, 2, 3, 4, 5, 6}
	for range 2 {
		out := run(t, s, map[string]*modules.Tensor{"x": modules.Floats(x, 6), "shape": modules.Ints([]int64{2, 3}, 2)})
		wantFloats(t, out["y"], x, 2, 3)
	}
}

// testSequences: a sequence is a value like a tensor, and does not stand in
// the way of one.
func testSequences(t *testing.T, engine modules.Engine) {
	m := &Model{
		Nodes: []Node{
			{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}},
			{Op: "SplitToSequence", Inputs: []string{"x"}, Outputs: []string{"rows"}},
		},
		Inputs:  []Value{{Name: "x", DType: modules.Float32, Shape: []int{2, 2}}},
		Outputs: []Value{{Name: "y", DType: modules.Float32, Shape: []int{2, 2}}, {Name: "rows", DType: modules.Float32, Sequence: true}},
	}
	s := load(t, engine, m, modules.LoadOptions{})
	if got := s.Outputs()[1].DType; got != modules.Sequence {
		t.Errorf("the sequence is a %s", got)
	}
	in := map[string]*modules.Tensor{"x": modules.Floats([]float32{1, -2, 3, 4}, 2, 2)}
	wantFloats(t, run(t, s, in, "y")["y"], []float32{1, 0, 3, 4}, 2, 2)
	out := run(t, s, in)
	wantFloats(t, out["y"], []float32{1, 0, 3, 4}, 2, 2)
	if len(out["rows"].Seq) != 2 {
		t.Fatalf("got %d rows", len(out["rows"].Seq))
	}
	wantFloats(t, out["rows"].Seq[0], []float32{1, -2}, 1, 2)
	wantFloats(t, out["rows"].Seq[1], []float32{3, 4}, 1, 2)
}

// Affine is y = relu(x·W + b), and h = x·W inside, for x [batch, 3], W [3, 2].
func Affine() *Model {
	return &Model{
		Nodes: []Node{
			{Op: "MatMul", Inputs: []string{"x", "W"}, Outputs: []string{"h"}},
			{Op: "Add", Inputs: []string{"h", "b"}, Outputs: []string{"s"}},
			{Op: "Relu", Inputs: []string{"s"}, Outputs: []string{"y"}},
		},
		Inputs:  []Value{{Name: "x", DType: modules.Float32, Shape: []int{-1, 3}, Symbols: []string{"batch", ""}}},
		Outputs: []Value{{Name: "y", DType: modules.Float32, Shape: []int{-1, 2}, Symbols: []string{"batch", ""}}},
		Initializers: []Initializer{
			{Name: "W", Tensor: modules.Floats([]float32{1, 2, 3, 4, 5, 6}, 3, 2)},
			{Name: "b", Tensor: modules.Floats([]float32{-20, 0.5}, 2)},
		},
	}
}

// Two has two inputs that share the dimension n, and two outputs.
func Two() *Model {
	n := []string{"n"}
	return &Model{
		Nodes: []Node{
			{Op: "Add", Inputs: []string{"a", "b"}, Outputs: []string{"sum"}},
			{Op: "Mul", Inputs: []string{"a", "b"}, Outputs: []string{"product"}},
		},
		Inputs: []Value{
			{Name: "a", DType: modules.Float32, Shape: []int{-1}, Symbols: n},
			{Name: "b", DType: modules.Float32, Shape: []int{-1}, Symbols: n},
		},
		Outputs: []Value{
			{Name: "sum", DType: modules.Float32, Shape: []int{-1}, Symbols: n},
			{Name: "product", DType: modules.Float32, Shape: []int{-1}, Symbols: n},
		},
	}
}

func load(t *testing.T, engine modules.Engine, m *Model, opt modules.LoadOptions) modules.Session {
	t.Helper()
	s, err := engine.Load(m.Bytes(), opt)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func run(t *testing.T, s modules.Session, inputs map[string]*modules.Tensor, outputs ...string) map[string]*modules.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), inputs, outputs)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	for name, v := range out {
		if err := v.Validate(); err != nil {
			t.Fatalf("output %q: %v", name, err)
		}
	}
	return out
}

func wantFloats(t *testing.T, got *modules.Tensor, want []float32, shape ...int) {
	t.Helper()
	if got == nil {
		t.Fatal("the output is missing")
	}
	if got.DType != modules.Float32 || !slices.Equal(got.Shape, shape) {
		t.Fatalf("got %s %v, want float32 %v", got.DType, got.Shape, shape)
	}
	for i, v := range want {
		if d := math.Abs(float64(got.F32[i] - v)); !(d <= 1e-5*(1+math.Abs(float64(v)))) {
			t.Fatalf("element %d is %g, want %g (all: %v)", i, got.F32[i], v, got.F32)
		}
	}
}

func testPorts(t *testing.T, engine modules.Engine) {
	if engine.Name() == "" {
		t.Error("the engine has no name")
	}
	s := load(t, engine, Affine(), modules.LoadOptions{})
	in, out := s.Inputs(), s.Outputs()
	if len(in) != 1 || in[0].Name != "x" || in[0].DType != modules.Float32 || !slices.Equal(in[0].Shape, []int{-1, 3}) || in[0].Symbols[0] != "batch" {
		t.Errorf("inputs are %+v", in)
	}
	if len(out) != 1 || out[0].Name != "y" {
		t.Errorf("outputs are %+v", out)
	}
	if modules.EngineOf(s) == "" {
		t.Error("the session does not tell its engine")
	}
	two := load(t, engine, Two(), modules.LoadOptions{})
	if n := two.Inputs(); len(n) != 2 || n[0].Name != "a" || n[1].Name != "b" {
		t.Errorf("inputs are not in the model's order: %+v", n)
	}
}

func testComputes(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Affine(), modules.LoadOptions{})
	out := run(t, s, map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 1, 1, 2, 2, 2}, 2, 3)})
	wantFloats(t, out["y"], []float32{0, 12.5, 0, 24.5}, 2, 2)
	x := []float32{1, 2, 3}
	run(t, s, map[string]*modules.Tensor{"x": modules.Floats(x, 1, 3)})
	if x[0] != 1 || x[1] != 2 || x[2] != 3 {
		t.Errorf("the input was changed to %v", x)
	}
}

func testTypes(t *testing.T, engine modules.Engine) {
	gather := &Model{
		Nodes:        []Node{{Op: "Gather", Inputs: []string{"table", "ids"}, Outputs: []string{"rows"}, Ints: map[string]int64{"axis": 0}}},
		Inputs:       []Value{{Name: "ids", DType: modules.Int64, Shape: []int{-1}, Symbols: []string{"n"}}},
		Outputs:      []Value{{Name: "rows", DType: modules.Float32, Shape: []int{-1, 2}, Symbols: []string{"n", ""}}},
		Initializers: []Initializer{{Name: "table", Tensor: modules.Floats([]float32{0, 1, 10, 11, 20, 21}, 3, 2)}},
	}
	s := load(t, engine, gather, modules.LoadOptions{})
	wantFloats(t, run(t, s, map[string]*modules.Tensor{"ids": modules.Ints([]int64{2, 0}, 2)})["rows"], []float32{20, 21, 0, 1}, 2, 2)

	for _, c := range []struct {
		in    *modules.Tensor
		label string
	}{
		{&modules.Tensor{DType: modules.Uint8, Shape: []int{3}, U8: []uint8{0, 7, 255}}, "uint8"},
		{&modules.Tensor{DType: modules.Int32, Shape: []int{3}, I32: []int32{0, 7, 255}}, "int32"},
		{&modules.Tensor{DType: modules.Int64, Shape: []int{3}, I64: []int64{0, 7, 255}}, "int64"},
		{&modules.Tensor{DType: modules.Float64, Shape: []int{3}, F64: []float64{0, 7, 255}}, "float64"},
	} {
		t.Run("cast "+c.label, func(t *testing.T) {
			const float = 1
			m := &Model{
				Nodes:   []Node{{Op: "Cast", Inputs: []string{"x"}, Outputs: []string{"y"}, Ints: map[string]int64{"to": float}}},
				Inputs:  []Value{{Name: "x", DType: c.in.DType, Shape: []int{3}}},
				Outputs: []Value{{Name: "y", DType: modules.Float32, Shape: []int{3}}},
			}
			s := load(t, engine, m, modules.LoadOptions{})
			wantFloats(t, run(t, s, map[string]*modules.Tensor{"x": c.in})["y"], []float32{0, 7, 255}, 3)
		})
	}

	truth := &Model{
		Nodes: []Node{
			{Op: "Greater", Inputs: []string{"a", "b"}, Outputs: []string{"more"}},
			{Op: "Not", Inputs: []string{"more"}, Outputs: []string{"less"}},
		},
		Inputs:  []Value{{Name: "a", DType: modules.Float32, Shape: []int{2}}, {Name: "b", DType: modules.Float32, Shape: []int{2}}},
		Outputs: []Value{{Name: "less", DType: modules.Bool, Shape: []int{2}}},
	}
	s = load(t, engine, truth, modules.LoadOptions{})
	less := run(t, s, map[string]*modules.Tensor{"a": modules.Floats([]float32{1, 5}, 2), "b": modules.Floats([]float32{2, 4}, 2)})["less"]
	if less.DType != modules.Bool || len(less.U8) != 2 || less.U8[0] != 1 || less.U8[1] != 0 {
		t.Errorf("got %+v, want [true false]", less)
	}
}

func testBatches(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Affine(), modules.LoadOptions{})
	for _, batch := range []int{5, 1, 17, 2} {
		x := make([]float32, batch*3)
		want := make([]float32, batch*2)
		for i := range batch {
			v := float32(i)
			x[i*3], x[i*3+1], x[i*3+2] = v, v, v
			want[i*2], want[i*2+1] = max(9*v-20, 0), 12*v+0.5
		}
		wantFloats(t, run(t, s, map[string]*modules.Tensor{"x": modules.Floats(x, batch, 3)})["y"], want, batch, 2)
	}
}

func twoInputs() map[string]*modules.Tensor {
	return map[string]*modules.Tensor{"a": modules.Floats([]float32{1, 2}, 2), "b": modules.Floats([]float32{3, 4}, 2)}
}

func testChosenOutputs(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	out := run(t, s, twoInputs(), "product")
	wantFloats(t, out["product"], []float32{3, 8}, 2)
	if len(out) != 1 {
		t.Errorf("%d outputs, one was asked for", len(out))
	}
	if out = run(t, s, twoInputs()); len(out) != 2 {
		t.Errorf("%d outputs of 2", len(out))
	}
}

// testPassedThrough has an output that is an input, one that is a constant
// and one that an Identity makes of a constant.
func testPassedThrough(t *testing.T, engine modules.Engine) {
	m := &Model{
		Nodes: []Node{
			{Op: "Identity", Inputs: []string{"x"}, Outputs: []string{"same"}},
			{Op: "Identity", Inputs: []string{"c"}, Outputs: []string{"constant"}},
			{Op: "Relu", Inputs: []string{"same"}, Outputs: []string{"y"}},
		},
		Inputs: []Value{{Name: "x", DType: modules.Float32, Shape: []int{2}}},
		Outputs: []Value{
			{Name: "same", DType: modules.Float32, Shape: []int{2}},
			{Name: "constant", DType: modules.Float32, Shape: []int{2}},
			{Name: "y", DType: modules.Float32, Shape: []int{2}},
			{Name: "x", DType: modules.Float32, Shape: []int{2}},
		},
		Initializers: []Initializer{{Name: "c", Tensor: modules.Floats([]float32{5, 6}, 2)}},
	}
	s := load(t, engine, m, modules.LoadOptions{})
	x := []float32{-1, 2}
	for range 2 {
		out := run(t, s, map[string]*modules.Tensor{"x": modules.Floats(x, 2)})
		wantFloats(t, out["same"], []float32{-1, 2}, 2)
		wantFloats(t, out["constant"], []float32{5, 6}, 2)
		wantFloats(t, out["x"], []float32{-1, 2}, 2)
		wantFloats(t, out["y"], []float32{0, 2}, 2)
		out["same"].F32[0], out["constant"].F32[0] = 99, 99 // the caller's own
		if x[0] != -1 {
			t.Fatal("the output shares its memory with the input")
		}
	}
}

// testWrongSymbols runs a model that calls two different sizes by one name,
// as sloppy exporters do.
func testWrongSymbols(t *testing.T, engine modules.Engine) {
	m := &Model{
		Nodes:   []Node{{Op: "Concat", Inputs: []string{"x", "x"}, Outputs: []string{"y"}, Ints: map[string]int64{"axis": 0}}},
		Inputs:  []Value{{Name: "x", DType: modules.Float32, Shape: []int{-1}, Symbols: []string{"n"}}},
		Outputs: []Value{{Name: "y", DType: modules.Float32, Shape: []int{-1}, Symbols: []string{"n"}}},
	}
	s := load(t, engine, m, modules.LoadOptions{})
	for range 2 {
		wantFloats(t, run(t, s, map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 2}, 2)})["y"], []float32{1, 2, 1, 2}, 4)
	}
}

func testBadInputs(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	affine := load(t, engine, Affine(), modules.LoadOptions{})
	good := modules.Floats([]float32{1, 2}, 2)
	for _, c := range []struct {
		name    string
		session modules.Session
		inputs  map[string]*modules.Tensor
		says    string
	}{
		{"missing", s, map[string]*modules.Tensor{"a": good}, `"b"`},
		{"nil", s, map[string]*modules.Tensor{"a": good, "b": nil}, `"b"`},
		{"none", s, nil, `"a"`},
		{"unknown", s, map[string]*modules.Tensor{"a": good, "b": good, "c": good}, `"c"`},
		{"type", s, map[string]*modules.Tensor{"a": good, "b": modules.Ints([]int64{1, 2}, 2)}, "int64"},
		{"rank", s, map[string]*modules.Tensor{"a": good, "b": modules.Floats([]float32{1, 2}, 1, 2)}, "[1 2]"},
		{"size", affine, map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 2, 3, 4}, 1, 4)}, "[1 4]"},
		{"symbol", s, map[string]*modules.Tensor{"a": good, "b": modules.Floats([]float32{1, 2, 3}, 3)}, `"n"`},
		{"data", s, map[string]*modules.Tensor{"a": good, "b": modules.Floats([]float32{1}, 2)}, "holds 1"},
		{"negative", s, map[string]*modules.Tensor{"a": good, "b": modules.Floats(nil, -1)}, "negative"},
		{"huge", affine, map[string]*modules.Tensor{"x": modules.Floats(nil, math.MaxInt, 3)}, "elements"},
		{"untyped", s, map[string]*modules.Tensor{"a": good, "b": {Shape: []int{2}}}, `"b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.session.Run(context.Background(), c.inputs, nil)
			if !errors.Is(err, modules.ErrInput) {
				t.Fatalf("got %v, want an error that is ErrInput", err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %s", err, c.says)
			}
		})
	}
	wantFloats(t, run(t, s, twoInputs())["sum"], []float32{4, 6}, 2) // still usable
}

func testBadOutputs(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	if _, err := s.Run(context.Background(), twoInputs(), []string{"sun"}); !errors.Is(err, modules.ErrInput) || !strings.Contains(err.Error(), `"sum"`) {
		t.Errorf(`got %v, want an ErrInput that suggests "sum"`, err)
	}
}

func testEmptyBatch(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	out := run(t, s, map[string]*modules.Tensor{"a": modules.Floats(nil, 0), "b": modules.Floats([]float32{}, 0)})
	wantFloats(t, out["sum"], nil, 0)
}

func testNaN(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	out := run(t, s, map[string]*modules.Tensor{"a": modules.Floats([]float32{nan, inf, 1}, 3), "b": modules.Floats([]float32{1, 1, 1}, 3)})
	sum := out["sum"].F32
	if sum[0] == sum[0] || sum[1] != inf || sum[2] != 2 {
		t.Errorf("NaN, +Inf and 1, plus 1, gave %v", sum)
	}
	if ok, at := out["sum"].Finite(); ok || at != 0 {
		t.Errorf("Finite says %v at %d", ok, at)
	}
}

func testTaps(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Affine(), modules.LoadOptions{Taps: []string{"h"}})
	if n := len(s.Outputs()); n != 2 {
		t.Fatalf("%d outputs with a tap, want 2", n)
	}
	out := run(t, s, map[string]*modules.Tensor{"x": modules.Floats([]float32{1, 1, 1}, 1, 3)})
	wantFloats(t, out["h"], []float32{9, 12}, 1, 2)
	wantFloats(t, out["y"], []float32{0, 12.5}, 1, 2)
	if _, err := engine.Load(Affine().Bytes(), modules.LoadOptions{Taps: []string{"nowhere"}}); err == nil {
		t.Error("a tap on a tensor that is not there was accepted")
	}
}

func testReuse(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Affine(), modules.LoadOptions{})
	into, ok := s.(modules.IntoSession)
	if !ok {
		t.Skip("the session does not reuse outputs")
	}
	y := modules.Floats(make([]float32, 0, 64), 0)
	memory := &y.F32[:1][0]
	out := map[string]*modules.Tensor{"y": y}
	for _, batch := range []int{4, 1, 8} {
		x := make([]float32, batch*3)
		for i := range x {
			x[i] = 1
		}
		if err := into.RunInto(context.Background(), map[string]*modules.Tensor{"x": modules.Floats(x, batch, 3)}, out); err != nil {
			t.Fatal(err)
		}
		want := make([]float32, 2*batch)
		for i := range batch {
			want[2*i+1] = 12.5
		}
		wantFloats(t, y, want, batch, 2)
		if &y.F32[0] != memory {
			t.Errorf("batch %d: memory with room was not reused", batch)
		}
	}
}

func testOwnership(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	first := run(t, s, twoInputs())["sum"]
	kept := append([]float32(nil), first.F32...)
	second := run(t, s, map[string]*modules.Tensor{"a": modules.Floats([]float32{9, 9}, 2), "b": modules.Floats([]float32{9, 9}, 2)})["sum"]
	second.F32[0] = -1
	wantFloats(t, first, kept, 2)
	wantFloats(t, run(t, s, twoInputs())["sum"], kept, 2)
}

func testConcurrent(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Affine(), modules.LoadOptions{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			v := float32(g)
			for range 100 {
				out, err := s.Run(context.Background(), map[string]*modules.Tensor{"x": modules.Floats([]float32{v, v, v}, 1, 3)}, nil)
				if err != nil {
					t.Errorf("run: %v", err)
					return
				}
				if got, want := out["y"].F32[1], 12*v+0.5; got != want {
					t.Errorf("goroutine %d got %g, want %g", g, got, want)
					return
				}
			}
		}()
	}
	wg.Wait()
}

// Chain is a model that takes long: many products of square matrices.
func Chain(size, products int) *Model {
	w := make([]float32, size*size)
	for i := range w {
		w[i] = float32(i%7-3) / float32(size)
	}
	m := &Model{
		Inputs:       []Value{{Name: "x", DType: modules.Float32, Shape: []int{size, size}}},
		Initializers: []Initializer{{Name: "w", Tensor: modules.Floats(w, size, size)}},
	}
	at := "x"
	for i := range products {
		next := "t" + strings.Repeat("i", i+1)
		m.Nodes = append(m.Nodes, Node{Op: "MatMul", Inputs: []string{at, "w"}, Outputs: []string{next}})
		at = next
	}
	m.Outputs = []Value{{Name: at, DType: modules.Float32, Shape: []int{size, size}}}
	return m
}

func testThreads(t *testing.T, engine modules.Engine) {
	m := Chain(160, 3)
	x := make([]float32, 160*160)
	for i := range x {
		x[i] = float32(i%11) - 5
	}
	var first []float32
	for _, threads := range []int{1, 2, 3} {
		s := load(t, engine, m, modules.LoadOptions{Threads: threads})
		got := run(t, s, map[string]*modules.Tensor{"x": modules.Floats(x, 160, 160)})[m.Outputs[0].Name].F32
		if first == nil {
			first = got
		}
		for i := range got {
			if d := math.Abs(float64(got[i] - first[i])); d > 1e-4 {
				t.Fatalf("%d threads: element %d differs by %g", threads, i, d)
			}
		}
	}
}

func testCancellation(t *testing.T, engine modules.Engine) {
	m := Chain(384, 400)
	s := load(t, engine, m, modules.LoadOptions{})
	inputs := map[string]*modules.Tensor{"x": modules.Floats(make([]float32, 384*384), 384, 384)}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, inputs, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gave %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Run(ctx, inputs, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline in mid-run gave %v", err)
	}
	small := load(t, engine, Two(), modules.LoadOptions{}) // a context that can end but does not
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	out, err := small.Run(ctx, twoInputs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantFloats(t, out["sum"], []float32{4, 6}, 2)
}

func testClosing(t *testing.T, engine modules.Engine) {
	s := load(t, engine, Two(), modules.LoadOptions{})
	var wg sync.WaitGroup
	for range 4 { // calls in flight finish or are refused; nothing crashes
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 200 {
				if _, err := s.Run(context.Background(), twoInputs(), nil); err != nil && !errors.Is(err, modules.ErrClosed) {
					t.Errorf("a call beside Close gave %v", err)
				}
			}
		}()
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	wg.Wait()
	if _, err := s.Run(context.Background(), twoInputs(), nil); !errors.Is(err, modules.ErrClosed) {
		t.Errorf("a closed session gave %v, want ErrClosed", err)
	}
}

func testMalformed(t *testing.T, engine modules.Engine) {
	good := Affine().Bytes()
	for _, c := range []struct {
		name  string
		model []byte
	}{
		{"empty", nil},
		{"text", []byte("this is not a model at all, it is a sentence")},
		{"truncated", good[:len(good)/2]},
		{"cut at the end", good[:len(good)-3]},
		{"no graph", []byte{8, 8}},
		{"zeros", make([]byte, 512)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := engine.Load(c.model, modules.LoadOptions{Path: "model.onnx"})
			if err == nil {
				s.Close()
				t.Fatal("it was accepted")
			}
		})
	}
	missing := Affine()
	missing.Initializers = missing.Initializers[:1] // b is nowhere
	if s, err := engine.Load(missing.Bytes(), modules.LoadOptions{}); err == nil {
		s.Close()
		t.Error("a model that reads a tensor that is nowhere was accepted")
	}
}

func testUnknownOperator(t *testing.T, engine modules.Engine) {
	m := Affine()
	m.Nodes[2] = Node{Op: "Frobnicate", Domain: "nowhere.example", Inputs: []string{"s"}, Outputs: []string{"y"}}
	s, err := engine.Load(m.Bytes(), modules.LoadOptions{})
	if err == nil {
		s.Close()
		t.Fatal("it was accepted")
	}
	var unsupported *modules.UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "Frobnicate") {
		t.Errorf("got %v, want an UnsupportedError that names Frobnicate", err)
	}
}

func testUnknownOpset(t *testing.T, engine modules.Engine) {
	m := Affine()
	m.Opset = 9999
	if s, err := engine.Load(m.Bytes(), modules.LoadOptions{}); err == nil {
		s.Close()
		t.Error("a model of operator set 9999 was accepted")
	}
}

// testHuge has a constant that claims 2⁴⁰ elements and brings none.
func testHuge(t *testing.T, engine modules.Engine) {
	m := Affine()
	m.Initializers[0].Tensor = &modules.Tensor{DType: modules.Float32, Shape: []int{1 << 20, 1 << 20}}
	if s, err := engine.Load(m.Bytes(), modules.LoadOptions{}); err == nil {
		s.Close()
		t.Error("a constant without its data was accepted")
	}
}

func testCycle(t *testing.T, engine modules.Engine) {
	m := Affine()
	m.Nodes[0] = Node{Op: "Add", Inputs: []string{"x", "y"}, Outputs: []string{"h"}}
	if s, err := engine.Load(m.Bytes(), modules.LoadOptions{}); err == nil {
		s.Close()
		t.Error("a cyclic model was accepted")
	}
}

func testExternal(t *testing.T, engine modules.Engine) {
	for _, location := range []string{"/etc/hostname", "../../../../etc/hostname", "nowhere.bin"} {
		m := Affine()
		m.Initializers[0].External = location
		if s, err := engine.Load(m.Bytes(), modules.LoadOptions{Path: t.TempDir() + "/model.onnx"}); err == nil {
			s.Close()
			t.Errorf("external data at %s were accepted", location)
		}
	}
}
