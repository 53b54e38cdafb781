package main

import (
	"math/rand/v2"
	"testing"
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
			if s.node.Op == "Tanh" {
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
