package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
	"github.com/connectomewire/wire/modules/moduletest"
)

// tolerance is relative to the largest value of a result, and at least to 1.
const tolerance = 2e-4

// comparison compares engines on graphs.
type comparison struct {
	native    *ort.Engine // nil without ONNX Runtime
	reference *reference  // nil without Python

	refer    bool // whether the reference is asked too
	referred int  // graphs that it ran
	jumps    int  // graphs that differ by a jump
	unsteady int  // graphs that differ by less than last digits of their values do
}

// runner runs a graph and returns its last value, or all.
type runner func(g *graph, all bool) ([][]float32, error)

func on(e modules.Engine, x *modules.Tensor, threads int) runner {
	return func(g *graph, all bool) ([][]float32, error) {
		m := g.model(all)
		s, err := e.Load(m.Bytes(), modules.LoadOptions{Threads: threads})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		found, err := s.Run(context.Background(), map[string]*modules.Tensor{"v0": x}, nil)
		if err != nil {
			return nil, err
		}
		var out [][]float32
		for _, v := range m.Outputs {
			out = append(out, found[v.Name].F32)
		}
		return out, nil
	}
}

// check returns how the engines differ, nil if they do not.
func (c *comparison) check(g *graph) error {
	x := constant(rand.New(rand.NewPCG(7, 7)), g.input...)
	pure := on(goengine.New(), x, 1)
	one, err := pure(g, false)
	if err != nil {
		return err
	}
	three, err := on(goengine.New(), x, 3)(g, false)
	if err != nil {
		return err
	}
	for i, v := range one[0] {
		if math.Float32bits(v) != math.Float32bits(three[0][i]) {
			return fmt.Errorf("element %d is %v on one thread and %v on three", i, v, three[0][i])
		}
	}
	if c.native != nil {
		other := on(c.native, x, 1)
		if found, err := other(g, false); err == nil { // what it cannot run is its own affair
			if err := c.compare(g, x, one[0], found[0], pure, other); err != nil {
				return fmt.Errorf("ONNX Runtime: %w", err)
			}
		}
	}
	if c.reference == nil || !c.refer {
		return nil
	}
	other := c.reference.on(x)
	if found, err := other(g, false); err == nil {
		c.referred++
		if err := c.compare(g, x, one[0], found[0], pure, other); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	return nil
}

// compare returns how two results of a graph differ. Where the graph has steps
// that jump, the first value that differs tells whether that was a jump.
func (c *comparison) compare(g *graph, x *modules.Tensor, mine, other []float32, pure, theirs runner) error {
	gap, err := differ(mine, other)
	if err == nil || gap < 0 {
		return err
	}
	if gap <= sway(g, x) {
		c.unsteady++
		return nil
	}
	if !g.jumps() {
		return err
	}
	a, failed := pure(g, true)
	if failed != nil {
		return failed
	}
	b, failed := theirs(g, true)
	if failed != nil {
		return err
	}
	for k := range g.steps {
		s := &g.steps[k]
		gap, differs := differ(a[k], b[k])
		if differs == nil {
			continue
		}
		operand := x.F32
		if s.in[0] > 0 {
			operand = b[s.in[0]-1]
		}
		if gap < 0 || s.quantum == nil || gap > 1.01*s.quantum(largest(operand))+tolerance*largest(b[k]) {
			return fmt.Errorf("value %d: %w", k+1, differs)
		}
		c.jumps++
		return nil
	}
	return err
}

// sway is how far a graph's result moves when last digits of its values change:
// of a normalisation of numbers that are nearly alike, for example, far.
func sway(g *graph, x *modules.Tensor) (most float64) {
	still, err := on(goengine.New(), x, 1)(g, false)
	if err != nil {
		return 0
	}
	r := rand.New(rand.NewPCG(11, 11))
	for range 8 {
		moved, err := on(goengine.New(), x, 1)(g.shaken(r), false)
		if err != nil {
			return 0
		}
		gap, _ := differ(moved[0], still[0])
		most = max(most, gap)
	}
	return most
}

// shaken multiplies every value of a graph but the last by 1 ± 2^-20, up or down
// by chance: a change of its last three bits.
func (g *graph) shaken(r *rand.Rand) *graph {
	h := &graph{input: g.input}
	now := make([]int, len(g.steps)) // the values that stand for the graph's
	shake := func(k, at int) {
		c := constant(r, g.shape(k)...)
		for i, v := range c.F32 {
			c.F32[i] = 1 + float32(math.Copysign(1, float64(v)))/(1<<20)
		}
		s := step{in: []int{at}, extra: []*modules.Tensor{c}, shape: g.shape(k)}
		s.one(moduletest.Node{Op: "Mul"})
		h.steps = append(h.steps, s)
		now[k] = len(h.steps)
	}
	shake(0, 0)
	for i, s := range g.steps {
		s.in = slices.Clone(s.in)
		for j, k := range s.in {
			s.in[j] = now[k]
		}
		h.steps = append(h.steps, s)
		if i+1 < len(g.steps) {
			shake(i+1, len(h.steps))
		}
	}
	return h
}

// jumps says whether a last digit may decide between whole numbers.
func (g *graph) jumps() bool {
	for _, s := range g.steps {
		if s.quantum != nil {
			return true
		}
	}
	return false
}

// differ returns the largest gap between two results and, where it is beyond the
// tolerance, where; −1 where they are of other sizes or not numbers alike.
func differ(mine, other []float32) (gap float64, err error) {
	if len(mine) != len(other) {
		return -1, fmt.Errorf("%d elements in pure Go and %d there", len(mine), len(other))
	}
	allowed, at := tolerance*largest(other), 0
	for i, v := range other {
		a, b := float64(mine[i]), float64(v)
		if a == b || math.IsNaN(a) && math.IsNaN(b) {
			continue
		}
		d := math.Abs(a - b)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return -1, fmt.Errorf("element %d is %v in pure Go and %v there", i, a, b)
		}
		if d > gap {
			gap, at = d, i
		}
	}
	if gap > allowed {
		return gap, fmt.Errorf("element %d is %v in pure Go and %v there", at, mine[at], other[at])
	}
	return gap, nil
}

// largest is the largest finite magnitude, at least 1.
func largest(x []float32) float64 {
	most := 1.0
	for _, v := range x {
		if a := math.Abs(float64(v)); !math.IsInf(a, 0) && !math.IsNaN(a) {
			most = max(most, a)
		}
	}
	return most
}
