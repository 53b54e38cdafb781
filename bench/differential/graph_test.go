package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

// TestGraphs: graphs that are drawn are sound, and the pure-Go engine gives
// the same bits for any number of threads.
func TestGraphs(t *testing.T) {
	c := comparison{}
	for seed := range uint64(300) {
		if err := c.check(draw(rand.New(rand.NewPCG(seed, 0)), 8)); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestShrink: what remains of a graph is the one operator that is at fault.
func TestShrink(t *testing.T) {
	hasTanh := func(g *graph) bool {
		for _, s := range g.steps {
			if s.String() == "Tanh" {
				return true
			}
		}
		return false
	}
	for seed := range uint64(100) {
		g := draw(rand.New(rand.NewPCG(seed, 0)), 12)
		if !hasTanh(g) {
			continue
		}
		small := g.shrink(hasTanh)
		if !hasTanh(small) || len(small.steps) > len(g.steps) {
			t.Fatalf("seed %d: %d of %d steps are left", seed, len(small.steps), len(g.steps))
		}
		if err := (&comparison{}).check(small); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestBlocks: all blocks are drawn.
func TestBlocks(t *testing.T) {
	want := map[string]bool{
		"QLinearConv": true, "DynamicQuantizeLinear": true, "MatMulInteger": true, "LayerNormalization": true, "Pow": true, "Cast": true,
		"Erf+Add": true, "Tanh+Add": true, "Sigmoid+Mul": true, "Softmax+MatMul": true, "Div+Softmax": true, "Add+Softmax": true,
	}
	for seed := range uint64(300) {
		for _, s := range draw(rand.New(rand.NewPCG(seed, 1)), 8).steps {
			for op := range want {
				if strings.Contains(s.String(), op) {
					delete(want, op)
				}
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("never drawn: %v", want)
	}
}

// TestJumps: a difference of a quantum at a step that jumps is one, a larger one
// is not, nor is one at another step or one that is not there when every value is
// asked for.
func TestJumps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	g := &graph{input: []int{1, 2}}
	q := step{in: []int{0}, shape: []int{1, 2}}
	quantised(&q, r)
	q.quantum = func(float64) float64 { return 0.1 }
	plain := step{in: []int{1}, shape: []int{1, 2}}
	plain.one(moduletest.Node{Op: "Relu"})
	g.steps = []step{q, plain}
	runs := func(values ...[]float32) runner {
		return func(*graph, bool) ([][]float32, error) { return values, nil }
	}
	x, same := modules.Floats([]float32{1, 1}, 1, 2), []float32{0.5, 0.5}
	for name, c := range map[string]struct {
		first, last []float32 // of the other engine
		jump        bool
	}{
		"a quantum":               {[]float32{0.5, 0.6}, []float32{0.5, 0.6}, true},
		"two":                     {[]float32{0.5, 0.7}, []float32{0.5, 0.7}, false},
		"behind":                  {same, []float32{0.5, 0.6}, false},
		"only in the whole graph": {same, same, false},
	} {
		var cmp comparison
		err := cmp.compare(g, x, same, []float32{0.5, 0.6}, runs(same, same), runs(c.first, c.last))
		if (err == nil) != c.jump || (cmp.jumps == 1) != c.jump {
			t.Errorf("%s: error %v, %d jumps", name, err, cmp.jumps)
		}
	}
}

// TestSway: a difference that last digits of the input make is none, where they
// make it.
func TestSway(t *testing.T) {
	g := &graph{input: []int{1, 4}}
	normal := step{in: []int{0}, extra: []*modules.Tensor{modules.Floats([]float32{1, 1, 1, 1}, 4)}, shape: []int{1, 4}}
	normal.one(moduletest.Node{Op: "LayerNormalization"})
	g.steps = []step{normal}
	for name, c := range map[string]struct {
		x     []float32
		sways bool
	}{
		"nearly alike": {[]float32{100, 100.01, 100.02, 100.01}, true},
		"apart":        {[]float32{-1, 0, 2, 1}, false},
	} {
		var cmp comparison
		x := modules.Floats(c.x, 1, 4)
		one, err := on(goengine.New(), x, 1)(g, false)
		if err != nil {
			t.Fatal(err)
		}
		other := []float32{one[0][0] + 1e-3, one[0][1], one[0][2], one[0][3]}
		err = cmp.compare(g, x, one[0], other, nil, nil)
		if (err == nil) != c.sways || (cmp.unsteady == 1) != c.sways {
			t.Errorf("%s: error %v, %d unsteady", name, err, cmp.unsteady)
		}
	}
}
