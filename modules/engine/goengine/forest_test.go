package goengine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawForest grows random trees.
func drawForest(r *rand.Rand, trees, depth, features, targets int, modes []string) *forest {
	f := &forest{targets: targets, aggregate: []string{"SUM", "AVERAGE"}[r.IntN(2)]}
	var grow func(depth int) int
	grow = func(depth int) int {
		at := len(f.nodes)
		f.nodes = append(f.nodes, treeNode{mode: "LEAF"})
		if depth == 0 || r.IntN(5) == 0 {
			for range r.IntN(3) {
				f.nodes[at].weights = append(f.nodes[at].weights, leafWeight{r.IntN(targets), r.NormFloat64()})
			}
			return at
		}
		n := treeNode{mode: modes[r.IntN(len(modes))], feature: r.IntN(features), value: math.Round(r.NormFloat64()*4) / 4}
		switch r.IntN(20) {
		case 0:
			n.value = math.Inf(1 - 2*r.IntN(2))
		case 1:
			n.value = 1e300
		case 2:
			n.value = float64(float32(0.1)) + 1e-12 // between two float32
		}
		n.yes, n.no = grow(depth-1), grow(depth-1)
		f.nodes[at] = n
		return at
	}
	for range trees {
		f.roots = append(f.roots, grow(depth))
	}
	return f
}

// TestFlatForest: both forms of a forest give the same bits, for rows with
// values at the edges of tests, infinities and NaN.
func TestFlatForest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	odd := []float32{0, 0.25, -0.25, 0.1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.MaxFloat32}
	for k := range 200 {
		const features = 5
		f := drawForest(r, 1+r.IntN(9), r.IntN(7), features, 1+r.IntN(4), []string{"BRANCH_LEQ", "BRANCH_LT"})
		if err := f.check(); err != nil {
			t.Fatal(err)
		}
		if f.flat == nil {
			t.Fatal("the forest is not flattened")
		}
		count := []int{1, 2, 3, 4, 5, 70}[k%6]
		x := make([]float32, count*features)
		for i := range x {
			x[i] = float32(r.NormFloat64())
			if r.IntN(3) == 0 {
				x[i] = odd[r.IntN(len(odd))]
			}
		}
		var got [][]float64
		f.flat.each(x, count, features, f, func(i int, votes []float64) { got = append(got, slices.Clone(votes)) })
		row, votes, seen := make([]float64, features), make([]float64, f.targets), make([]bool, f.targets)
		for i := range count {
			for j := range row {
				row[j] = float64(x[i*features+j])
			}
			f.predict(row, votes, seen)
			if !slices.Equal(got[i], votes) {
				t.Fatalf("forest %d, row %d: %v, want %v", k, i, got[i], votes)
			}
		}
	}
	if f := drawForest(r, 9, 6, 5, 2, []string{"BRANCH_GT", "BRANCH_EQ"}); f.check() != nil || f.flat != nil {
		t.Error("tests of another kind are flattened")
	}
}

// A tree whose branches share their subtrees all the way down would be of
// exponential size if it were laid out flat.
func TestFlatForestOfSharedSubtrees(t *testing.T) {
	f := &forest{targets: 1, aggregate: "SUM", roots: []int{0}}
	for i := range 60 {
		f.nodes = append(f.nodes, treeNode{mode: "BRANCH_LEQ", yes: i + 1, no: i + 1})
	}
	f.nodes = append(f.nodes, treeNode{mode: "LEAF", weights: []leafWeight{{0, 1}}})
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	if f.flat != nil {
		t.Errorf("%d steps", len(f.flat.steps))
	}
}
