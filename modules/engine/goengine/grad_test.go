package goengine_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// gradCase is an operator on inputs away from its kinks.
type gradCase struct {
	name  string
	opset int64 // 0 means 17
	node  moduletest.Node
	in    []*modules.Tensor
	outs  int   // outputs, 0 means 1
	by    []int // inputs that are differentiated by, nil for every float one
	// single says that the operator computes float64 by way of float32
	single bool
	step   float64 // of the differences, where kinks are near; 0 means the usual
}

// spaced draws numbers from [lo, hi), apart from each other enough that none
// changes place with another at the steps of the differences.
func spaced(seed uint64, lo, hi float64, shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	r := rand.New(rand.NewPCG(seed, 7))
	x := make([]float32, n)
	order := r.Perm(n)
	for i, k := range order {
		x[i] = float32(lo + (hi-lo)*(float64(k)+0.5+0.3*(r.Float64()-0.5))/float64(n))
	}
	return modules.Floats(x, shape...)
}

// away moves numbers out of the neighbourhoods of points.
func away(t *modules.Tensor, points ...float32) *modules.Tensor {
	for i, v := range t.F32 {
		for _, p := range points {
			if d := v - p; d > -0.06 && d < 0.06 {
				t.F32[i] = p + 0.06 + d*d
				if d < 0 {
					t.F32[i] = p - 0.06 - d*d
				}
			}
		}
	}
	return t
}

func isFloats(t *modules.Tensor) bool { return t != nil && t.DType == modules.Float32 }

// model writes the case down; inputs for which constant is true become
// initializers.
func (c *gradCase) model(constant func(i int) bool, float modules.DType) (model []byte, outputs []string) {
	m := &moduletest.Model{Opset: c.opset}
	if m.Opset == 0 {
		m.Opset = 17
	}
	n := c.node
	n.Inputs, n.Outputs = nil, nil
	for i, x := range c.in {
		if x == nil {
			n.Inputs = append(n.Inputs, "")
			continue
		}
		name := fmt.Sprint("in", i)
		n.Inputs = append(n.Inputs, name)
		if constant(i) {
			m.Initializers = append(m.Initializers, moduletest.Initializer{Name: name, Tensor: x})
			continue
		}
		d := x.DType
		if d == modules.Float32 {
			d = float
		}
		m.Inputs = append(m.Inputs, moduletest.Value{Name: name, DType: d, Shape: x.Shape})
	}
	for i := range max(c.outs, 1) {
		name := fmt.Sprint("out", i)
		n.Outputs = append(n.Outputs, name)
		outputs = append(outputs, name)
		m.Outputs = append(m.Outputs, moduletest.Value{Name: name, DType: modules.Float32, Shape: []int{}})
	}
	m.Nodes = []moduletest.Node{n}
	return m.Bytes(), outputs
}

func (c *gradCase) differentiated(i int) bool {
	if !isFloats(c.in[i]) {
		return false
	}
	if c.by == nil {
		return true
	}
	for _, k := range c.by {
		if k == i {
			return true
		}
	}
	return false
}

// forward is a function from the case's inputs to the weighted sum of its
// float outputs.
type forward struct {
	c       *gradCase
	session modules.Session
	float   modules.DType
	outputs []string
	weights map[string][]float64
}

func newForward(t *testing.T, c *gradCase, float modules.DType, weights map[string][]float64) (*forward, error) {
	model, outputs := c.model(func(int) bool { return false }, float)
	s, err := goengine.New().Load(model, modules.LoadOptions{})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { s.Close() })
	f := &forward{c: c, session: s, float: float, outputs: outputs, weights: weights}
	_, err = f.at(nil, nil, 0)
	return f, err
}

// at is the value with input tensors moved by h along directions.
func (f *forward) at(which []int, dir [][]float64, h float64) (float64, error) {
	inputs := map[string]*modules.Tensor{}
	for i, x := range f.c.in {
		if x == nil {
			continue
		}
		y := *x
		if isFloats(x) {
			move := func(k int) float64 {
				v := float64(x.F32[k])
				for j, w := range which {
					if w == i {
						v += h * dir[j][k]
					}
				}
				return v
			}
			if f.float == modules.Float64 {
				y = modules.Tensor{DType: modules.Float64, Shape: x.Shape, F64: make([]float64, len(x.F32))}
				for k := range x.F32 {
					y.F64[k] = move(k)
				}
			} else {
				y.F32 = make([]float32, len(x.F32))
				for k := range x.F32 {
					y.F32[k] = float32(move(k))
				}
			}
		}
		inputs[fmt.Sprint("in", i)] = &y
	}
	out, err := f.session.Run(context.Background(), inputs, nil)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, name := range f.outputs {
		for k, w := range f.weights[name] {
			v := 0.0
			if out[name].DType == modules.Float64 {
				v = out[name].F64[k]
			} else {
				v = float64(out[name].F32[k])
			}
			sum += w * v
		}
	}
	return sum, nil
}

// checkGradient compares products with differences along random directions.
func checkGradient(t *testing.T, c *gradCase, constant func(i int) bool, opt modules.RecordOptions) {
	t.Helper()
	model, outputs := c.model(constant, modules.Float32)
	s, err := goengine.New().Load(model, modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	inputs := map[string]*modules.Tensor{}
	for i, x := range c.in {
		if x != nil && !constant(i) {
			inputs[fmt.Sprint("in", i)] = x
			if c.differentiated(i) {
				opt.Inputs = append(opt.Inputs, fmt.Sprint("in", i))
			}
		}
	}
	rec, err := s.(modules.Differentiable).Record(context.Background(), inputs, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	r := rand.New(rand.NewPCG(1, 2))
	weights, dOut := map[string][]float64{}, map[string]*modules.Tensor{}
	for _, name := range outputs {
		y := rec.Outputs()[name]
		if y.DType != modules.Float32 {
			continue
		}
		d := modules.Floats(make([]float32, len(y.F32)), y.Shape...)
		w := make([]float64, len(y.F32))
		for k := range w {
			d.F32[k] = float32(r.NormFloat64())
			w[k] = float64(d.F32[k])
		}
		weights[name], dOut[name] = w, d
	}
	for round := range 2 { // the second pull gives the same
		grads, err := rec.Pull(context.Background(), dOut)
		if err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			break
		}
		f, err := newForward(t, c, modules.Float64, weights)
		h, tolerance := 1e-4, 1e-4
		if err != nil || c.single {
			if f, err = newForward(t, c, modules.Float32, weights); err != nil {
				t.Fatal(err)
			}
			h, tolerance = 2e-2, 4e-3
			if c.step > 0 {
				h = c.step
			}
		}
		for i, x := range c.in {
			if x == nil || constant(i) || !c.differentiated(i) {
				continue
			}
			g := grads[fmt.Sprint("in", i)]
			if g == nil || len(g.F32) != len(x.F32) {
				t.Fatalf("input %d has no gradient", i)
			}
			for trial := range 3 {
				dir := make([]float64, len(x.F32))
				norm := 0.0
				for k := range dir {
					dir[k] = r.NormFloat64()
					if trial == 2 && k%3 != 0 {
						dir[k] = 0
					}
					norm += dir[k] * dir[k]
				}
				scale := math.Sqrt(float64(len(dir))/max(norm, 1e-9)) * 0.5
				got, size := 0.0, 0.0
				for k := range dir {
					dir[k] = max(-1, min(1, dir[k]*scale))
					got += dir[k] * float64(g.F32[k])
					size += math.Abs(dir[k] * float64(g.F32[k]))
				}
				diff := func(h float64) float64 {
					a, err := f.at([]int{i}, [][]float64{dir}, h)
					if err != nil {
						t.Fatal(err)
					}
					b, err := f.at([]int{i}, [][]float64{dir}, -h)
					if err != nil {
						t.Fatal(err)
					}
					return (a - b) / (2 * h)
				}
				want := (4*diff(h) - diff(2*h)) / 3
				if math.IsNaN(got) || math.Abs(got-want) > tolerance*(0.1+size) {
					t.Errorf("by input %d: %v along a direction, differences give %v (size %v)", i, got, want, size)
				}
			}
		}
	}
}

func checkCases(t *testing.T, cases []gradCase) {
	for k := range cases {
		c := &cases[k]
		name := c.node.Op
		if c.name != "" {
			name += " " + c.name
		}
		t.Run(name, func(t *testing.T) {
			none := func(int) bool { return false }
			checkGradient(t, c, none, modules.RecordOptions{})
			checkGradient(t, c, none, modules.RecordOptions{Keep: 1})
			storable := true // as a constant of a test model
			for _, x := range c.in {
				storable = storable && (x == nil || x.DType == modules.Float32 || x.DType == modules.Int64)
			}
			if storable && len(c.in) > 1 && (c.by == nil || c.by[0] == 0) && isFloats(c.in[0]) { // with weights packed
				checkGradient(t, c, func(i int) bool { return i > 0 }, modules.RecordOptions{})
			}
		})
	}
}

func TestGradientsElementwise(t *testing.T) {
	var cases []gradCase
	add := func(op string, lo, hi float64, kinks ...float32) {
		cases = append(cases, gradCase{node: node(op), in: []*modules.Tensor{away(spaced(1, lo, hi, 3, 700), kinks...)}})
	}
	for _, op := range []string{"Sigmoid", "Tanh", "Exp", "Erf", "Neg", "Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh", "Softplus", "Mish"} {
		add(op, -2, 2)
	}
	add("Relu", -1, 1, 0)
	add("Sqrt", 0.3, 3)
	add("Log", 0.3, 3)
	add("Abs", -1, 1, 0)
	add("Reciprocal", 0.4, 3)
	add("Tan", -1, 1)
	add("Asin", -0.8, 0.8)
	add("Acos", -0.8, 0.8)
	add("Acosh", 1.4, 3)
	add("Atanh", -0.8, 0.8)
	add("Softsign", -2, 2, 0)
	add("HardSwish", -5, 5, -3, 3)
	add("LeakyRelu", -1, 1, 0)
	add("HardSigmoid", -4, 4, -2.5, 2.5)
	add("Elu", -2, 2, 0)
	add("Celu", -2, 2, 0)
	add("Selu", -2, 2, 0)
	add("ThresholdedRelu", -1, 3, 1)
	add("Shrink", -2, 2, -0.5, 0.5)
	for _, approximate := range []string{"none", "tanh"} {
		cases = append(cases, gradCase{opset: 20, name: approximate, node: moduletest.Node{Op: "Gelu", Strings: map[string]string{"approximate": approximate}}, in: []*modules.Tensor{spaced(1, -3, 3, 5, 300)}})
	}
	cases = append(cases, gradCase{node: node("Clip"), in: []*modules.Tensor{away(spaced(1, -2, 2, 40), -1, 0.5), modules.Floats([]float32{-1}), modules.Floats([]float32{0.5})}})
	cases = append(cases, gradCase{opset: 6, name: "6", node: moduletest.Node{Op: "Clip", Floats: map[string]float32{"min": -1, "max": 1}}, in: []*modules.Tensor{away(spaced(1, -2, 2, 40), -1, 1)}})
	checkCases(t, cases)
}

func TestGradientsBroadcast(t *testing.T) {
	var cases []gradCase
	shapes := [][2][]int{{{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{2, 3, 4}, {3, 1}}, {{2, 1, 4}, {3, 1}}, {{5}, {}}, {{1, 3, 1}, {2, 3, 5}}, {{2, 3, 5, 4}, {1, 3, 1, 1}}}
	for _, op := range []string{"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", "PRelu"} {
		for _, s := range shapes {
			a, b := spaced(3, 0.5, 2, s[0]...), spaced(4, 0.6, 2.1, s[1]...)
			if op == "PRelu" {
				if len(s[1]) > len(s[0]) || len(s[0]) == 3 && s[0][0] == 1 {
					continue
				}
				a = away(spaced(3, -1, 1, s[0]...), 0)
			}
			if op == "Max" || op == "Min" {
				for i := range a.F32 { // well apart
					a.F32[i] = float32(math.Round(float64(a.F32[i])*5) / 5)
				}
				for i := range b.F32 {
					b.F32[i] = float32(math.Round(float64(b.F32[i])*5)/5 + 0.1)
				}
			}
			cases = append(cases, gradCase{name: fmt.Sprint(s), node: node(op), in: []*modules.Tensor{a, b}})
		}
	}
	for _, p := range []float32{0.5, 1, 2, 3, -1.5} {
		cases = append(cases, gradCase{name: fmt.Sprint("to ", p), node: node("Pow"), in: []*modules.Tensor{spaced(3, 0.5, 2, 3, 5), modules.Floats([]float32{p})}, by: []int{0}})
	}
	cases = append(cases, gradCase{name: "of three", node: node("Sum"), in: []*modules.Tensor{spaced(1, 0, 1, 3, 2), spaced(2, 0, 1, 2), spaced(3, 0, 1, 1)}})
	cases = append(cases, gradCase{name: "of three", node: node("Mean"), in: []*modules.Tensor{spaced(1, 0, 1, 3, 2), spaced(2, 0, 1, 2), spaced(3, 0, 1, 1)}})
	cases = append(cases, gradCase{name: "of three", node: node("Max"), in: []*modules.Tensor{modules.Floats([]float32{1, 5, 3}, 3), modules.Floats([]float32{2}, 1), modules.Floats([]float32{4, 4.5, 1}, 3)}})
	cases = append(cases, gradCase{node: moduletest.Node{Op: "Mod", Ints: map[string]int64{"fmod": 1}}, in: []*modules.Tensor{modules.Floats([]float32{5.3, -7.2, 1.1}, 3), modules.Floats([]float32{2, 2.5, 3}, 3)}})
	cond := &modules.Tensor{DType: modules.Bool, Shape: []int{3, 1}, U8: []uint8{1, 0, 1}}
	cases = append(cases, gradCase{node: node("Where"), in: []*modules.Tensor{cond, spaced(1, 0, 1, 3, 4), spaced(2, 0, 1, 4)}, by: []int{1, 2}})
	cases = append(cases, gradCase{name: "wide", node: node("Where"), in: []*modules.Tensor{cond, spaced(1, 0, 1, 1, 1), spaced(2, 0, 1, 2, 3, 4)}, by: []int{1, 2}})
	checkCases(t, cases)
}

func TestGradientsMatrices(t *testing.T) {
	var cases []gradCase
	for _, s := range [][2][]int{{{3, 4}, {4, 5}}, {{2, 3, 4}, {4, 5}}, {{2, 3, 4}, {2, 4, 5}}, {{2, 1, 3, 4}, {3, 4, 5}}, {{4}, {4, 5}}, {{3, 4}, {4}}, {{4}, {4}}, {{2, 3, 4}, {4}}, {{4}, {2, 4, 5}}, {{17, 33}, {33, 40}}} {
		cases = append(cases, gradCase{name: fmt.Sprint(s), node: node("MatMul"), in: []*modules.Tensor{spaced(1, -1, 1, s[0]...), spaced(2, -1, 1, s[1]...)}})
	}
	for k := range 4 {
		a, b := []int{3, 4}, []int{4, 5}
		if k&1 != 0 {
			a = []int{4, 3}
		}
		if k&2 != 0 {
			b = []int{5, 4}
		}
		for _, c := range [][]int{nil, {5}, {3, 1}, {1}, {3, 5}} {
			g := gradCase{name: fmt.Sprint(k, c), node: moduletest.Node{Op: "Gemm", Ints: map[string]int64{"transA": int64(k & 1), "transB": int64(k >> 1)},
				Floats: map[string]float32{"alpha": 0.5, "beta": 2}}, in: []*modules.Tensor{spaced(1, -1, 1, a...), spaced(2, -1, 1, b...)}}
			if c != nil {
				g.in = append(g.in, spaced(3, -1, 1, c...))
			}
			cases = append(cases, g)
		}
	}
	checkCases(t, cases)
}

// What an optimiser merged is taken apart in recordings.
func TestGradientsMerged(t *testing.T) {
	var cases []gradCase
	of := func(op string, n moduletest.Node, shapes ...[]int) {
		n.Op, n.Domain = op, "com.microsoft"
		c := gradCase{name: fmt.Sprint(op, n.Ints, n.Floats, n.Strings), node: n}
		for i, s := range shapes {
			c.in = append(c.in, spaced(uint64(i+1), -1, 1, s...))
		}
		cases = append(cases, c)
	}
	type i = map[string]int64
	type f = map[string]float32
	of("FusedMatMul", moduletest.Node{Floats: f{"alpha": 0.5}}, []int{3, 4}, []int{4, 5})
	of("FusedMatMul", moduletest.Node{Ints: i{"transA": 1, "transB": 1}, Floats: f{"alpha": 2}}, []int{2, 4, 3}, []int{2, 5, 4})
	of("FusedMatMul", moduletest.Node{Ints: i{"transBatchA": 1, "transBatchB": 1, "transB": 1}}, []int{2, 3, 4}, []int{2, 3, 4})
	of("TransposeMatMul", moduletest.Node{Ints: i{"transA": 1}}, []int{4, 3}, []int{4, 5})
	// Biases keep the sums away from kinks, on both sides of them.
	biased := func(v ...float32) {
		c := &cases[len(cases)-1]
		c.in[2] = modules.Floats(v, len(v))
	}
	for _, a := range []struct {
		name        string
		alpha, beta float32
		low, high   float32
	}{{"", 0, 0, 0, 0}, {"Relu", 0, 0, -14, 14}, {"LeakyRelu", 0.1, 0, -14, 14}, {"Clip", -8, 8, 0, 16}, {"Sigmoid", 0, 0, -1, 1}, {"Tanh", 0, 0, -1, 1}, {"HardSigmoid", 0.02, 0.5, 0, 50}} {
		s := map[string]string{"activation": a.name}
		of("FusedGemm", moduletest.Node{Strings: s, Ints: i{"transB": 1}, Floats: f{"alpha": 1.5, "activation_alpha": a.alpha, "activation_beta": a.beta}}, []int{3, 4}, []int{5, 4}, []int{5})
		biased(a.low, a.high, a.low, a.high, a.high)
		of("FusedConv", moduletest.Node{Strings: s, Lists: map[string][]int64{"pads": {1, 1, 1, 1}}, Floats: f{"activation_alpha": a.alpha, "activation_beta": a.beta}},
			[]int{1, 2, 5, 6}, []int{3, 2, 3, 3}, []int{3})
		biased(a.low, a.high, a.low)
	}
	checkCases(t, cases)
}

// Weights of few bits are constant; gradients pass them.
func TestGradientsBlocks(t *testing.T) {
	const n, k, block = 5, 40, 16
	blocks := (k + block - 1) / block
	packed, _ := modules.NewTensor(modules.Uint8, n, blocks, block/2)
	for i := range packed.U8 {
		packed.U8[i] = uint8(i*37 + 11)
	}
	scales := spaced(4, 0.1, 0.3, n*blocks)
	node := moduletest.Node{Op: "MatMulNBits", Domain: "com.microsoft", Ints: map[string]int64{"N": n, "K": k, "bits": 4, "block_size": block}}
	checkCases(t, []gradCase{{name: "4 bits", node: node, in: []*modules.Tensor{spaced(1, -1, 1, 2, 3, k), packed, scales}, by: []int{0}}})
}

func TestGradientsConvolution(t *testing.T) {
	var cases []gradCase
	add := func(op string, x, w []int, bias bool, lists map[string][]int64, ints map[string]int64) {
		c := gradCase{name: fmt.Sprint(x, w, lists, ints), node: moduletest.Node{Op: op, Lists: lists, Ints: ints}, in: []*modules.Tensor{spaced(1, -1, 1, x...), spaced(2, -1, 1, w...)}}
		if bias {
			oc := w[0]
			if op == "ConvTranspose" {
				oc = w[1] * int(max(ints["group"], 1))
			}
			c.in = append(c.in, spaced(3, -1, 1, oc))
		}
		cases = append(cases, c)
	}
	l := func(kv ...any) map[string][]int64 {
		m := map[string][]int64{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1].([]int64)
		}
		return m
	}
	type v = []int64
	add("Conv", []int{2, 3, 7, 8}, []int{4, 3, 3, 3}, true, l("pads", v{1, 1, 1, 1}), nil)
	add("Conv", []int{1, 3, 7, 8}, []int{4, 3, 3, 3}, false, nil, nil)
	add("Conv", []int{1, 3, 7, 8}, []int{4, 3, 1, 1}, true, nil, nil)
	add("Conv", []int{1, 3, 7, 8}, []int{4, 3, 1, 1}, true, l("strides", v{2, 2}), nil)
	add("Conv", []int{2, 3, 9, 8}, []int{4, 3, 3, 3}, true, l("strides", v{2, 2}, "pads", v{1, 1, 1, 1}), nil)
	add("Conv", []int{2, 3, 9, 8}, []int{4, 3, 3, 3}, true, l("strides", v{2, 3}, "pads", v{0, 1, 2, 1}), nil)
	add("Conv", []int{1, 2, 12, 13}, []int{3, 2, 3, 5}, true, l("strides", v{2, 3}, "dilations", v{2, 3}, "pads", v{2, 6, 1, 5}), nil)
	add("Conv", []int{1, 2, 12, 13}, []int{3, 2, 2, 3}, true, l("strides", v{4, 3}, "pads", v{1, 0, 0, 0}), nil)
	add("Conv", []int{1, 4, 9, 9}, []int{4, 1, 3, 3}, true, l("pads", v{1, 1, 1, 1}), map[string]int64{"group": 4})
	add("Conv", []int{2, 4, 9, 9}, []int{4, 1, 5, 5}, true, l("pads", v{2, 2, 2, 2}, "strides", v{2, 2}), map[string]int64{"group": 4})
	add("Conv", []int{2, 4, 9, 9}, []int{6, 2, 3, 3}, true, l("pads", v{1, 1, 1, 1}), map[string]int64{"group": 2})
	add("Conv", []int{2, 3, 19}, []int{5, 3, 4}, true, l("pads", v{1, 2}, "strides", v{3}), nil)
	add("Conv", []int{2, 3, 19}, []int{5, 3, 3}, true, l("dilations", v{2}), nil)
	add("Conv", []int{1, 2, 5, 6, 4}, []int{3, 2, 2, 3, 2}, true, l("strides", v{2, 1, 1}, "pads", v{1, 0, 1, 0, 1, 0}), nil)
	add("Conv", []int{1, 16, 20, 40}, []int{24, 16, 3, 3}, true, l("pads", v{1, 1, 1, 1}), nil)
	add("Conv", []int{2, 1, 150}, []int{6, 1, 40}, true, l("strides", v{16}, "pads", v{3, 2}), nil)
	add("Conv", []int{2, 2, 40}, []int{6, 2, 16}, true, l("strides", v{8}, "pads", v{3, 2}), nil)
	add("Conv", []int{2, 4, 9, 8}, []int{6, 2, 5, 4}, true, l("strides", v{4, 4}, "dilations", v{1, 2}), map[string]int64{"group": 2})
	add("ConvTranspose", []int{2, 3, 5, 6}, []int{3, 4, 3, 3}, true, l("strides", v{2, 2}, "pads", v{1, 1, 1, 1}, "output_padding", v{1, 0}), nil)
	add("ConvTranspose", []int{1, 4, 5, 6}, []int{4, 2, 2, 3}, true, l("strides", v{1, 2}), map[string]int64{"group": 2})
	add("ConvTranspose", []int{1, 3, 9}, []int{3, 2, 4}, false, l("strides", v{3}, "dilations", v{2}), nil)
	cases = append(cases, gradCase{name: "same", node: moduletest.Node{Op: "Conv", Strings: map[string]string{"auto_pad": "SAME_UPPER"}, Lists: l("strides", v{2, 2})},
		in: []*modules.Tensor{spaced(1, -1, 1, 1, 2, 7, 8), spaced(2, -1, 1, 3, 2, 3, 3)}})
	checkCases(t, cases)
}

// Every operator says what becomes of gradients.
func TestGradientTable(t *testing.T) {
	counts := map[goengine.GradientKind]int{}
	for _, g := range goengine.Gradients() {
		switch {
		case (g.Kind == goengine.GradientPasses) != (g.Why == ""):
			t.Errorf("%s is %s for the reason %q", g.Operator, g.Kind, g.Why)
		case strings.Contains(g.Why, "nothing is declared"):
			t.Errorf("%s is not in the table", g.Operator)
		}
		counts[g.Kind]++
	}
	t.Log(counts)
}

func node(op string) moduletest.Node { return moduletest.Node{Op: op} }

func einsum(equation string) moduletest.Node {
	return moduletest.Node{Op: "Einsum", Strings: map[string]string{"equation": equation}}
}
