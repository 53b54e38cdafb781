package goengine_test

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
	"github.com/connectomewire/wire/modules/moduletest/nodetest"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// manyThreads is the pure-Go engine on one, two and three threads at once: a
// run fails where they differ in a bit.
type manyThreads struct{}

func (manyThreads) Name() string { return "go" }

func (manyThreads) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	s := &manySessions{}
	for threads := 1; threads <= 3; threads++ {
		opt.Threads = threads
		one, err := goengine.New().Load(model, opt)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.all = append(s.all, one)
	}
	s.Session = s.all[0]
	return s, nil
}

type manySessions struct {
	modules.Session
	all []modules.Session
}

func (s *manySessions) Close() error {
	for _, one := range s.all {
		one.Close()
	}
	return nil
}

func (s *manySessions) Run(ctx context.Context, inputs map[string]*modules.Tensor, outputs []string) (map[string]*modules.Tensor, error) {
	want, err := s.all[0].Run(ctx, inputs, outputs)
	if err != nil {
		return nil, err
	}
	for i, other := range s.all[1:] {
		got, err := other.Run(ctx, inputs, outputs)
		if err != nil {
			return nil, fmt.Errorf("on %d threads: %w", i+2, err)
		}
		for name := range want {
			if err := sameBits(got[name], want[name]); err != nil {
				return nil, fmt.Errorf("output %q on %d threads instead of one: %w", name, i+2, err)
			}
		}
	}
	return want, nil
}

// sameBits says where two tensors differ in a bit.
func sameBits(a, b *modules.Tensor) error {
	if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || len(a.Seq) != len(b.Seq) {
		return fmt.Errorf("%v%v is not %v%v", a.DType, a.Shape, b.DType, b.Shape)
	}
	for i := range a.Seq {
		if err := sameBits(a.Seq[i], b.Seq[i]); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	for i := range a.F32 {
		if math.Float32bits(a.F32[i]) != math.Float32bits(b.F32[i]) {
			return fmt.Errorf("element %d is %v and %v", i, a.F32[i], b.F32[i])
		}
	}
	for i := range a.F64 {
		if math.Float64bits(a.F64[i]) != math.Float64bits(b.F64[i]) {
			return fmt.Errorf("element %d is %v and %v", i, a.F64[i], b.F64[i])
		}
	}
	if !slices.Equal(a.I64, b.I64) || !slices.Equal(a.I32, b.I32) || !slices.Equal(a.U8, b.U8) || !slices.Equal(a.Str, b.Str) || !slices.Equal(a.Raw, b.Raw) {
		return fmt.Errorf("elements differ")
	}
	return nil
}

// TestThreadsKeepBitsOfFixtures holds every operator fixture to the same bits
// on one, two and three threads.
func TestThreadsKeepBitsOfFixtures(t *testing.T) {
	files, names := readFixtures(t)
	for _, name := range names {
		if r := nodetest.Run(context.Background(), manyThreads{}, files, name, nodetest.Options{Absolute: 1e-5}); r.Err != nil {
			t.Errorf("%s: %s: %v", name, r.Reason, r.Err)
		}
	}
}

// TestThreadsKeepBitsOfModules does the same with the embedded modules, every
// inner value included.
func TestThreadsKeepBitsOfModules(t *testing.T) {
	found := 0
	filepath.WalkDir(filepath.Join("..", "..", "zoo"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".onnx" {
			return nil
		}
		found++
		if info, err := entry.Info(); err != nil || testing.Short() && info.Size() > 1<<20 {
			return err
		}
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			m, err := onnxfile.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			inferred, err := goengine.Infer(m, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 1))
			inputs := map[string]*modules.Tensor{}
			for _, v := range m.Graph.Inputs {
				x := random(r, inferred.Values[v.Name]...)
				if v.Elem != onnxfile.Float {
					if x, err = modules.NewTensor(modules.Int64, x.Shape...); err != nil {
						t.Fatal(err)
					}
					for i := range x.I64 {
						x.I64[i] = 1 + int64(r.IntN(20))
					}
				}
				inputs[v.Name] = x
			}
			var inner []string // a step each, without its fusions
			for _, n := range m.Graph.Nodes {
				inner = append(inner, n.Outputs[0])
			}
			for _, taps := range [][]string{nil, inner} {
				s := &manySessions{}
				for threads := 1; threads <= 3; threads++ {
					one, err := goengine.New().LoadGraph(m, modules.LoadOptions{Threads: threads, Taps: taps})
					if err != nil {
						t.Fatal(err)
					}
					s.all = append(s.all, one)
				}
				if _, err := s.Run(context.Background(), inputs, nil); err != nil {
					t.Error(err)
				}
				s.Close()
			}
		})
		return nil
	})
	if found < 4 {
		t.Errorf("%d models of embedded modules", found)
	}
}

// TestThreadsKeepBitsOfProducts draws sizes at which work is divided, odd ones
// above all: fixtures are too small for that.
func TestThreadsKeepBitsOfProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	atEveryLevel(t, func(t *testing.T) {
		for k := range 40 {
			m, n, depth := 1+r.IntN(90), 1+r.IntN(90), 1+r.IntN(300)
			if k%4 == 0 {
				m = 1 + r.IntN(3)
				n *= 10
			}
			a, b := random(r, m, depth), random(r, depth, n)
			at, bt := random(r, depth, m), random(r, n, depth)
			in := map[string]*modules.Tensor{"a": a, "b": b, "at": at, "bt": bt}
			order := []string{"a", "b", "at", "bt"}
			gemm := moduletest.Node{Op: "Gemm", Inputs: []string{"at", "bt"}, Outputs: []string{"y"}, Ints: map[string]int64{"transA": 1, "transB": 1}}
			for _, node := range []moduletest.Node{
				{Op: "MatMul", Inputs: []string{"a", "b"}, Outputs: []string{"y"}},
				{Op: "MatMul", Inputs: []string{"a", "w"}, Outputs: []string{"y"}},
				gemm,
			} {
				s, err := manyThreads{}.Load(graph(in, order, []moduletest.Initializer{{Name: "w", Tensor: b}}, "y", node), modules.LoadOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Run(context.Background(), in, nil); err != nil {
					t.Fatalf("%s of %d×%d×%d: %v", node.Op, m, depth, n, err)
				}
				s.Close()
			}
		}
	})
}
