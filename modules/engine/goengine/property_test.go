package goengine_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func random(r *rand.Rand, shape ...int) *modules.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return modules.Floats(x, shape...)
}

// graph builds a model with open shapes.
func graph(inputs map[string]*modules.Tensor, order []string, constants []moduletest.Initializer, output string, nodes ...moduletest.Node) []byte {
	m := &moduletest.Model{Nodes: nodes, Initializers: constants, Outputs: []moduletest.Value{{Name: output, DType: modules.Float32, Shape: []int{}}}}
	for _, name := range order {
		m.Inputs = append(m.Inputs, moduletest.Value{Name: name, DType: inputs[name].DType, Shape: inputs[name].Shape})
	}
	return m.Bytes()
}

func runBytes(t *testing.T, model []byte, inputs map[string]*modules.Tensor, opt modules.LoadOptions) map[string]*modules.Tensor {
	t.Helper()
	s, err := goengine.New().Load(model, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t *testing.T, what string, got, want *modules.Tensor, tolerance float64) {
	t.Helper()
	if !equal(got.Shape, want.Shape) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape, want.Shape)
	}
	for i := range want.F32 {
		if d := math.Abs(float64(got.F32[i] - want.F32[i])); !(d <= tolerance*(1+math.Abs(float64(want.F32[i])))) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got.F32[i], want.F32[i])
		}
	}
}

// naiveConv is the definition.
func naiveConv(x, w *modules.Tensor, stride, dilation, pads []int, groups int) *modules.Tensor {
	n, ic, h, wd := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	oc, icg, kh, kw := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	oh := (h+pads[0]+pads[2]-(kh-1)*dilation[0]-1)/stride[0] + 1
	ow := (wd+pads[1]+pads[3]-(kw-1)*dilation[1]-1)/stride[1] + 1
	y := make([]float32, n*oc*oh*ow)
	for b := range n {
		for o := range oc {
			for i := range oh {
				for j := range ow {
					s := 0.0
					for c := range icg {
						for p := range kh {
							for q := range kw {
								yy, xx := i*stride[0]+p*dilation[0]-pads[0], j*stride[1]+q*dilation[1]-pads[1]
								if yy >= 0 && yy < h && xx >= 0 && xx < wd {
									s += float64(w.F32[((o*icg+c)*kh+p)*kw+q]) * float64(x.F32[((b*ic+o/(oc/groups)*icg+c)*h+yy)*wd+xx])
								}
							}
						}
					}
					y[((b*oc+o)*oh+i)*ow+j] = float32(s)
				}
			}
		}
	}
	return modules.Floats(y, n, oc, oh, ow)
}

// Convolutions of random geometry equal the definition, and any number of
// threads gives the same bits.
func TestConvAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	atEveryLevel(t, func(t *testing.T) {
		for k := range 60 {
			groups := []int{1, 1, 2, 6}[r.IntN(4)]
			ic, oc := groups*(1+r.IntN(3)), groups*(1+r.IntN(20))
			kh, kw := 1+r.IntN(4), 1+r.IntN(4)
			stride, dilation := []int{1 + r.IntN(3), 1 + r.IntN(3)}, []int{1 + r.IntN(2), 1 + r.IntN(2)}
			pads := []int{r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)}
			h, w := (kh-1)*dilation[0]+1+r.IntN(20), (kw-1)*dilation[1]+1+r.IntN(40)
			x, weights := random(r, 1+r.IntN(2), ic, h, w), random(r, oc, ic/groups, kh, kw)
			bias := modules.Floats(make([]float32, oc), oc)
			in := map[string]*modules.Tensor{"x": x}
			list := func(v []int) (l []int64) {
				for _, i := range v {
					l = append(l, int64(i))
				}
				return l
			}
			model := graph(in, []string{"x"}, []moduletest.Initializer{{Name: "w", Tensor: weights}, {Name: "b", Tensor: bias}}, "y",
				moduletest.Node{Op: "Conv", Inputs: []string{"x", "w", "b"}, Outputs: []string{"y"},
					Ints: map[string]int64{"group": int64(groups)}, Lists: map[string][]int64{"strides": list(stride), "dilations": list(dilation), "pads": list(pads)}})
			what := fmt.Sprintf("case %d: x %v w %v stride %v dilation %v pads %v", k, x.Shape, weights.Shape, stride, dilation, pads)
			got := runBytes(t, model, in, modules.LoadOptions{})["y"]
			near(t, what, got, naiveConv(x, weights, stride, dilation, pads, groups), 1e-4)
			for _, threads := range []int{2, 5} {
				again := runBytes(t, model, in, modules.LoadOptions{Threads: threads})["y"]
				for i := range got.F32 {
					if got.F32[i] != again.F32[i] {
						t.Fatalf("%s: %d threads change element %d", what, threads, i)
					}
				}
			}
		}
	})
}

// Fusing changes results by rounding only: tapping the inner values keeps
// the nodes apart.
func TestFusionKeepsResults(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	positive := func(n int) *modules.Tensor {
		x := random(r, n)
		for i, v := range x.F32 {
			x.F32[i] = 0.5 + v*v
		}
		return x
	}
	c := func(name string, x *modules.Tensor) moduletest.Initializer {
		return moduletest.Initializer{Name: name, Tensor: x}
	}
	scalar := func(v float32) *modules.Tensor { return modules.Floats([]float32{v}) }
	conv := moduletest.Node{Op: "Conv", Inputs: []string{"x", "w"}, Outputs: []string{"t1"}, Lists: map[string][]int64{"pads": {1, 1, 1, 1}}}
	weights := c("w", random(r, 8, 8, 3, 3))
	picture := map[string]*modules.Tensor{"x": random(r, 2, 8, 7, 9)}
	rows := map[string]*modules.Tensor{"x": random(r, 5, 16)}
	cases := []struct {
		name      string
		inputs    map[string]*modules.Tensor
		constants []moduletest.Initializer
		nodes     []moduletest.Node
		taps      []string
		steps     int // left after fusion
	}{
		{"batch normalisation and Relu", picture, []moduletest.Initializer{weights, c("s", random(r, 8)), c("b", random(r, 8)), c("m", random(r, 8)), c("v", positive(8))},
			[]moduletest.Node{conv, {Op: "BatchNormalization", Inputs: []string{"t1", "s", "b", "m", "v"}, Outputs: []string{"t2"}}, {Op: "Relu", Inputs: []string{"t2"}, Outputs: []string{"y"}}}, []string{"t1", "t2"}, 1},
		{"scale, shift and leaky rectifier", picture, []moduletest.Initializer{weights, c("s", random(r, 8, 1, 1)), c("b", random(r, 1, 8, 1, 1))},
			[]moduletest.Node{conv, {Op: "Mul", Inputs: []string{"s", "t1"}, Outputs: []string{"t2"}}, {Op: "Add", Inputs: []string{"t2", "b"}, Outputs: []string{"t3"}},
				{Op: "LeakyRelu", Inputs: []string{"t3"}, Outputs: []string{"y"}}}, []string{"t1", "t2", "t3"}, 1},
		{"residual", picture, []moduletest.Initializer{weights},
			[]moduletest.Node{conv, {Op: "Add", Inputs: []string{"x", "t1"}, Outputs: []string{"t2"}}, {Op: "Relu", Inputs: []string{"t2"}, Outputs: []string{"y"}}}, []string{"t1", "t2"}, 1},
		{"hard swish out of its parts, then an affine map", picture, []moduletest.Initializer{weights, c("three", scalar(3)), c("zero", scalar(0)), c("six", scalar(6)), c("p", scalar(0.7)), c("q", scalar(-0.2))},
			[]moduletest.Node{conv, {Op: "Add", Inputs: []string{"t1", "three"}, Outputs: []string{"t2"}}, {Op: "Clip", Inputs: []string{"t2", "zero", "six"}, Outputs: []string{"t3"}},
				{Op: "Mul", Inputs: []string{"t1", "t3"}, Outputs: []string{"t4"}}, {Op: "Div", Inputs: []string{"t4", "six"}, Outputs: []string{"t5"}},
				{Op: "Mul", Inputs: []string{"t5", "p"}, Outputs: []string{"t6"}}, {Op: "Add", Inputs: []string{"t6", "q"}, Outputs: []string{"y"}}}, []string{"t2", "t3", "t4", "t5", "t6"}, 1},
		{"layer normalisation out of its parts", rows, []moduletest.Initializer{c("two", scalar(2)), c("e", scalar(1e-5)), c("s", random(r, 16)), c("b", random(r, 16))},
			[]moduletest.Node{{Op: "ReduceMean", Inputs: []string{"x"}, Outputs: []string{"m"}, Lists: map[string][]int64{"axes": {-1}}}, {Op: "Sub", Inputs: []string{"x", "m"}, Outputs: []string{"d"}},
				{Op: "Pow", Inputs: []string{"d", "two"}, Outputs: []string{"q"}}, {Op: "ReduceMean", Inputs: []string{"q"}, Outputs: []string{"v"}, Lists: map[string][]int64{"axes": {-1}}},
				{Op: "Add", Inputs: []string{"v", "e"}, Outputs: []string{"ve"}}, {Op: "Sqrt", Inputs: []string{"ve"}, Outputs: []string{"sd"}}, {Op: "Div", Inputs: []string{"d", "sd"}, Outputs: []string{"n"}},
				{Op: "Mul", Inputs: []string{"n", "s"}, Outputs: []string{"ns"}}, {Op: "Add", Inputs: []string{"ns", "b"}, Outputs: []string{"y"}}}, []string{"m", "d", "q", "v", "ve", "sd", "n", "ns"}, 1},
		{"product with bias and swish", rows, []moduletest.Initializer{c("w2", random(r, 16, 10)), c("b", random(r, 10))},
			[]moduletest.Node{{Op: "MatMul", Inputs: []string{"x", "w2"}, Outputs: []string{"t1"}}, {Op: "Add", Inputs: []string{"t1", "b"}, Outputs: []string{"t2"}},
				{Op: "Sigmoid", Inputs: []string{"t2"}, Outputs: []string{"t3"}}, {Op: "Mul", Inputs: []string{"t3", "t2"}, Outputs: []string{"y"}}}, []string{"t1", "t2", "t3"}, 2},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			model := graph(tc.inputs, []string{"x"}, tc.constants, "y", tc.nodes...)
			s, err := goengine.New().Load(model, modules.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if steps, _, _ := s.(*goengine.Session).Stats(); steps != tc.steps {
				t.Errorf("%d steps are left, want %d", steps, tc.steps)
			}
			got, err := s.Run(context.Background(), tc.inputs, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := runBytes(t, model, tc.inputs, modules.LoadOptions{Taps: tc.taps})
			near(t, tc.name, got["y"], want["y"], 2e-5)
		})
	}
}

// Products of stacks of matrices equal sums of products, however they
// broadcast.
func TestMatMulBroadcast(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, s := range [][2][]int{{{3, 4}, {4, 5}}, {{2, 3, 4}, {4, 5}}, {{2, 1, 3, 4}, {3, 4, 5}}, {{4}, {2, 4, 5}}, {{2, 3, 4}, {4}}, {{1, 4}, {6, 4, 1}}} {
		a, b := random(r, s[0]...), random(r, s[1]...)
		in := map[string]*modules.Tensor{"a": a, "b": b}
		got := runBytes(t, graph(in, []string{"a", "b"}, nil, "y", moduletest.Node{Op: "MatMul", Inputs: []string{"a", "b"}, Outputs: []string{"y"}}), in, modules.LoadOptions{})["y"]
		// the same through Einsum's definition
		eq := "...ij,...jk->...ik"
		switch {
		case len(a.Shape) == 1:
			eq = "j,...jk->...k"
		case len(b.Shape) == 1:
			eq = "...ij,j->...i"
		}
		want := runBytes(t, graph(in, []string{"a", "b"}, nil, "y", moduletest.Node{Op: "Einsum", Inputs: []string{"a", "b"}, Outputs: []string{"y"}, Strings: map[string]string{"equation": eq}}), in, modules.LoadOptions{})["y"]
		near(t, fmt.Sprint(s), got, want, 1e-5)
	}
}

// Many runs at once share a session without disturbing each other.
func TestConcurrentRunsOfALayer(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	x := random(r, 6, 2, 8)
	in := map[string]*modules.Tensor{"x": x}
	model := graph(in, []string{"x"}, []moduletest.Initializer{{Name: "w", Tensor: random(r, 1, 64, 8)}, {Name: "r", Tensor: random(r, 1, 64, 16)}}, "y",
		moduletest.Node{Op: "LSTM", Inputs: []string{"x", "w", "r"}, Outputs: []string{"y", "", ""}, Ints: map[string]int64{"hidden_size": 16}})
	s, err := goengine.New().Load(model, modules.LoadOptions{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Run(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				got, err := s.Run(context.Background(), in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range want["y"].F32 {
					if got["y"].F32[i] != want["y"].F32[i] {
						t.Errorf("element %d differs", i)
						return
					}
				}
			}
		}()
	}
	wg.Wait()
}

// In steady state a run allocates nothing.
func TestRunsAllocateNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	in := map[string]*modules.Tensor{"x": random(r, 1, 8, 16, 16)}
	model := graph(in, []string{"x"}, []moduletest.Initializer{{Name: "w", Tensor: random(r, 8, 8, 3, 3)}, {Name: "shape", Tensor: ints(1, 8, -1)}, {Name: "m", Tensor: random(r, 64, 8)}}, "y",
		moduletest.Node{Op: "Conv", Inputs: []string{"x", "w"}, Outputs: []string{"c"}, Lists: map[string][]int64{"pads": {1, 1, 1, 1}}},
		moduletest.Node{Op: "Relu", Inputs: []string{"c"}, Outputs: []string{"a"}},
		moduletest.Node{Op: "Add", Inputs: []string{"a", "x"}, Outputs: []string{"s"}},
		moduletest.Node{Op: "MaxPool", Inputs: []string{"s"}, Outputs: []string{"p"}, Lists: map[string][]int64{"kernel_shape": {2, 2}, "strides": {2, 2}}},
		moduletest.Node{Op: "Reshape", Inputs: []string{"p", "shape"}, Outputs: []string{"f"}},
		moduletest.Node{Op: "MatMul", Inputs: []string{"f", "m"}, Outputs: []string{"q"}},
		moduletest.Node{Op: "Softmax", Inputs: []string{"q"}, Outputs: []string{"y"}})
	s, err := goengine.New().Load(model, modules.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, into := context.Background(), s.(modules.IntoSession)
	out := map[string]*modules.Tensor{"y": {}}
	if n := testing.AllocsPerRun(50, func() {
		if err := into.RunInto(ctx, in, out); err != nil {
			t.Fatal(err)
		}
	}); n > 0.5 {
		t.Fatalf("%v allocations a run", n)
	}
}
