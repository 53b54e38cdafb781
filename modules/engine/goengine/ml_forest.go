package goengine

import "math"

// flatForest is a forest whose tests are all of the form x ≤ value on float32
// rows, laid out for walking several rows or trees at a time: a walk waits for
// memory at every node, so four of them at once take little longer than one.
type flatForest struct {
	steps []flatStep
	roots []int32
	votes []leafWeight
	first []int32 // of a step's votes; one more than steps
}

// flatStep is a node. A row that fails its test goes on at next, one that
// passes at the step behind that. A leaf leads to itself.
type flatStep struct {
	value   float32
	feature int32
	next    int32
}

// flatten makes the faster form, nil where a test is of another kind, where
// votes are not summed or where trees share so much that apart they would take
// much more room.
func (f *forest) flatten() *flatForest {
	if f.aggregate != "SUM" && f.aggregate != "AVERAGE" {
		return nil
	}
	g := &flatForest{}
	limit := 2*len(f.nodes) + len(f.roots)
	var origin []int // node of each step
	place := func(node int) int32 {
		g.steps = append(g.steps, flatStep{})
		origin = append(origin, node)
		return int32(len(g.steps) - 1)
	}
	var open []int32
	for _, root := range f.roots {
		g.roots = append(g.roots, place(root))
		open = append(open[:0], g.roots[len(g.roots)-1])
		for len(open) > 0 {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			n := &f.nodes[origin[at]]
			if n.mode == "LEAF" {
				g.steps[at] = flatStep{value: float32(math.NaN()), next: at}
				continue
			}
			value, ok := atMost(n.mode, n.value)
			if !ok || n.nanTrue || len(g.steps)+2 > limit || n.feature > math.MaxInt32 {
				return nil
			}
			no := place(n.no)
			place(n.yes)
			g.steps[at] = flatStep{value: value, feature: int32(n.feature), next: no}
			open = append(open, no+1, no)
		}
	}
	for _, node := range origin {
		g.first = append(g.first, int32(len(g.votes)))
		if f.nodes[node].mode == "LEAF" {
			g.votes = append(g.votes, f.nodes[node].weights...)
		}
	}
	g.first = append(g.first, int32(len(g.votes)))
	return g
}

// atMost turns the test of a float32 against a float64 into x ≤ value: the
// largest float32 that passes.
func atMost(mode string, value float64) (float32, bool) {
	v := float32(value)
	below := float32(math.Inf(-1))
	switch mode {
	case "BRANCH_LEQ":
		if float64(v) > value {
			v = math.Nextafter32(v, below)
		}
		return v, true
	case "BRANCH_LT":
		if value == math.Inf(-1) {
			return float32(math.NaN()), true // nothing is smaller
		}
		if float64(v) >= value {
			v = math.Nextafter32(v, below)
		}
		return v, true
	}
	return 0, false
}

func passed(x, value float32) int32 {
	if x <= value {
		return 1
	}
	return 0
}

// lanes are four walks: where each is, and where its row begins.
type lanes struct {
	at  [4]int32
	row [4]int
}

// walk goes on until all are at their leaves.
func (g *flatForest) walk(l *lanes, x []float32) {
	steps := g.steps
	a0, a1, a2, a3 := l.at[0], l.at[1], l.at[2], l.at[3]
	r0, r1, r2, r3 := l.row[0], l.row[1], l.row[2], l.row[3]
	for {
		s0, s1, s2, s3 := &steps[a0], &steps[a1], &steps[a2], &steps[a3]
		b0 := s0.next + passed(x[r0+int(s0.feature)], s0.value)
		b1 := s1.next + passed(x[r1+int(s1.feature)], s1.value)
		b2 := s2.next + passed(x[r2+int(s2.feature)], s2.value)
		b3 := s3.next + passed(x[r3+int(s3.feature)], s3.value)
		if (a0^b0)|(a1^b1)|(a2^b2)|(a3^b3) == 0 {
			l.at = [4]int32{a0, a1, a2, a3}
			return
		}
		a0, a1, a2, a3 = b0, b1, b2, b3
	}
}

// vote adds a leaf's weights.
func (g *flatForest) vote(leaf int32, votes []float64) {
	for _, w := range g.votes[g.first[leaf]:g.first[leaf+1]] {
		votes[w.target] += w.weight
	}
}

// forestRows is how many rows go through a tree while it is in the cache.
const forestRows = 64

// each predicts every row of x; a row's votes are summed in the order of the
// trees, so they do not depend on how many rows there are.
func (g *flatForest) each(x []float32, count, width int, f *forest, use func(i int, votes []float64)) {
	all := make([]float64, min(count, forestRows)*f.targets)
	var l lanes
	for from := 0; from < count; from += forestRows {
		n := min(forestRows, count-from)
		clear(all)
		if n < 4 { // trees side by side
			for i := range n {
				for t := 0; t < len(g.roots); t += 4 {
					for k := range 4 {
						l.at[k], l.row[k] = g.roots[min(t+k, len(g.roots)-1)], (from+i)*width
					}
					g.walk(&l, x)
					for k := range min(4, len(g.roots)-t) {
						g.vote(l.at[k], all[i*f.targets:(i+1)*f.targets])
					}
				}
			}
		} else {
			for _, root := range g.roots {
				for i := 0; i < n; i += 4 {
					for k := range 4 {
						l.at[k], l.row[k] = root, (from+min(i+k, n-1))*width
					}
					g.walk(&l, x)
					for k := range min(4, n-i) {
						g.vote(l.at[k], all[(i+k)*f.targets:(i+k+1)*f.targets])
					}
				}
			}
		}
		for i := range n {
			votes := all[i*f.targets : (i+1)*f.targets]
			if f.aggregate == "AVERAGE" {
				for k := range votes {
					votes[k] /= float64(len(f.roots))
				}
			}
			use(from+i, votes)
		}
	}
}
