package goengine

import (
	"fmt"
	"math"
	"slices"
)

// Trees of ai.onnx.ml, as scikit-learn, LightGBM and XGBoost are exported.
var treeTable = map[string]operator{
	"ai.onnx.ml.TreeEnsembleClassifier": {build: buildTreeClassifier},
	"ai.onnx.ml.TreeEnsembleRegressor":  {build: buildTreeRegressor},
	"ai.onnx.ml.TreeEnsemble":           {build: buildTreeEnsemble},
}

// treeNode is a node of a forest, or a leaf with its weights.
type treeNode struct {
	mode    string // of the test; "LEAF"
	feature int
	value   float64
	members []float64 // of BRANCH_MEMBER
	nanTrue bool      // NaN passes the test
	yes, no int       // nodes
	weights []leafWeight
}

type leafWeight struct {
	target int
	weight float64
}

// forest is a set of trees that vote.
type forest struct {
	nodes     []treeNode
	roots     []int
	steps     []treeStep  // the nodes, for walking
	flat      *flatForest // a faster form; nil where the tests do not fit it
	targets   int
	base      []float64
	aggregate string
	post      string
}

var treeModes = []string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"}

// treeStep is a node as it is walked: small, without its leaf's weights.
type treeStep struct {
	value   float64
	feature int32
	next    [2]int32 // where a row goes that does not pass, and that does
	mode    int8     // place in treeModes; −1 for a leaf
	nanTrue bool
}

// plant lays the nodes out for walking; they are checked.
func (f *forest) plant() {
	f.steps = make([]treeStep, len(f.nodes))
	for i := range f.nodes {
		n := &f.nodes[i]
		f.steps[i] = treeStep{value: n.value, feature: int32(n.feature), next: [2]int32{int32(n.no), int32(n.yes)}, mode: int8(slices.Index(treeModes, n.mode)), nanTrue: n.nanTrue}
	}
}

// passes says where a row goes on from node at.
func (f *forest) passes(at int32, v float64) bool {
	n := &f.steps[at]
	if n.nanTrue && math.IsNaN(v) {
		return true
	}
	switch n.mode {
	case 0: // BRANCH_LEQ
		return v <= n.value
	case 1: // BRANCH_LT
		return v < n.value
	case 2: // BRANCH_GTE
		return v >= n.value
	case 3: // BRANCH_GT
		return v > n.value
	case 4: // BRANCH_EQ
		return v == n.value
	case 5: // BRANCH_NEQ
		return v != n.value
	}
	return slices.Contains(f.nodes[at].members, v)
}

// leaf walks from a root; trees were checked to end.
func (f *forest) leaf(root int, row []float64) *treeNode {
	n, at := &f.steps[root], int32(root)
	for {
		for n.mode == 0 && !n.nanTrue { // nearly every one; without a branch for the outcome
			pass := 0
			if row[n.feature] <= n.value {
				pass = 1
			}
			at = n.next[pass]
			n = &f.steps[at]
		}
		if n.mode < 0 {
			return &f.nodes[at]
		}
		pass := 0
		if f.passes(at, row[n.feature]) {
			pass = 1
		}
		at = n.next[pass]
		n = &f.steps[at]
	}
}

// check makes sure that every path from a root ends in a leaf.
func (f *forest) check() error {
	state := make([]uint8, len(f.nodes)) // 1 under way, 2 done
	var stack []int
	for _, root := range f.roots {
		stack = append(stack[:0], root)
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			if at < 0 || at >= len(f.nodes) {
				return fmt.Errorf("a tree refers to node %d of %d", at, len(f.nodes))
			}
			n := &f.nodes[at]
			switch {
			case state[at] == 2:
				stack = stack[:len(stack)-1]
			case state[at] == 1 || n.mode == "LEAF":
				state[at] = 2
				stack = stack[:len(stack)-1]
			default:
				if !slices.Contains(treeModes, n.mode) {
					return fmt.Errorf("the test %q of a tree is not known", n.mode)
				}
				state[at] = 1
				for _, next := range []int{n.yes, n.no} {
					if next >= 0 && next < len(f.nodes) && state[next] == 1 {
						return fmt.Errorf("a tree has a cycle through node %d", next)
					}
					stack = append(stack, next)
				}
			}
		}
	}
	for i := range f.nodes {
		for _, w := range f.nodes[i].weights {
			if w.target < 0 || w.target >= f.targets {
				return fmt.Errorf("a leaf votes for %d of %d", w.target, f.targets)
			}
		}
	}
	f.plant()
	f.flat = f.flatten()
	return nil
}

// predict sums the votes for a row; seen says which targets had any.
func (f *forest) predict(row, out []float64, seen []bool) {
	clear(out)
	clear(seen)
	sums := f.aggregate == "SUM" || f.aggregate == "AVERAGE"
	for _, root := range f.roots {
		for _, w := range f.leaf(root, row).weights {
			if sums {
				out[w.target] += w.weight
				seen[w.target] = true
				continue
			}
			switch {
			case !seen[w.target]:
				out[w.target] = w.weight
			case f.aggregate == "MIN":
				out[w.target] = min(out[w.target], w.weight)
			default: // MAX
				out[w.target] = max(out[w.target], w.weight)
			}
			seen[w.target] = true
		}
	}
	if f.aggregate == "AVERAGE" {
		for i := range out {
			out[i] /= float64(len(f.roots))
		}
	}
}

// numbers reads an attribute that is a list of floats or, in newer models, a
// tensor.
func (s *spec) numbers(name string) []float64 {
	var out []float64
	for _, v := range s.floats(name) {
		out = append(out, float64(v))
	}
	for _, n := range []string{name, name + "_as_tensor"} {
		if a := s.node.Attrs[n]; a != nil && a.T != nil {
			t := fromFile(a.T)
			for i := range t.n {
				out = append(out, t.at(i))
			}
		}
	}
	return out
}

func (s *spec) strs(name string) []string {
	if a := s.node.Attrs[name]; a != nil {
		return a.Strings
	}
	return nil
}

// listedForest reads the trees of the classifier and the regressor; votes is
// the prefix of the attributes with the leaves' weights.
func listedForest(s *spec, votes, targets string, count int) (*forest, error) {
	f := &forest{targets: count, base: s.numbers("base_values"), aggregate: s.str("aggregate_function", "SUM"), post: s.str("post_transform", "NONE")}
	trees, ids := s.ints("nodes_treeids"), s.ints("nodes_nodeids")
	yes, no, features := s.ints("nodes_truenodeids"), s.ints("nodes_falsenodeids"), s.ints("nodes_featureids")
	modes, values, nan := s.strs("nodes_modes"), s.numbers("nodes_values"), s.ints("nodes_missing_value_tracks_true")
	n := len(trees)
	if n == 0 || len(ids) != n || len(yes) != n || len(no) != n || len(features) != n || len(modes) != n || len(values) != n || (len(nan) != 0 && len(nan) != n) {
		return nil, fmt.Errorf("the lists of nodes differ in length")
	}
	place := map[[2]int]int{}
	seen := map[int]bool{}
	for i := range trees {
		if _, twice := place[[2]int{trees[i], ids[i]}]; twice {
			return nil, fmt.Errorf("node %d of tree %d is there twice", ids[i], trees[i])
		}
		place[[2]int{trees[i], ids[i]}] = i
		if !seen[trees[i]] {
			seen[trees[i]] = true
			f.roots = append(f.roots, i)
		}
	}
	f.nodes = make([]treeNode, n)
	for i := range f.nodes {
		f.nodes[i] = treeNode{mode: modes[i], feature: features[i], value: values[i], nanTrue: nan != nil && nan[i] != 0, yes: -1, no: -1}
		if modes[i] == "LEAF" {
			continue
		}
		var ok [2]bool
		f.nodes[i].yes, ok[0] = place[[2]int{trees[i], yes[i]}]
		f.nodes[i].no, ok[1] = place[[2]int{trees[i], no[i]}]
		if !ok[0] || !ok[1] || features[i] < 0 {
			return nil, fmt.Errorf("node %d of tree %d leads nowhere", ids[i], trees[i])
		}
	}
	vt, vn, vi, vw := s.ints(votes+"_treeids"), s.ints(votes+"_nodeids"), s.ints(targets), s.numbers(votes+"_weights")
	if len(vn) != len(vt) || len(vi) != len(vt) || len(vw) != len(vt) {
		return nil, fmt.Errorf("the lists of leaves differ in length")
	}
	for i := range vt {
		at, ok := place[[2]int{vt[i], vn[i]}]
		if !ok {
			return nil, fmt.Errorf("a weight belongs to node %d of tree %d, which is not there", vn[i], vt[i])
		}
		f.nodes[at].weights = append(f.nodes[at].weights, leafWeight{vi[i], vw[i]})
	}
	if !slices.Contains([]string{"SUM", "AVERAGE", "MIN", "MAX"}, f.aggregate) {
		return nil, fmt.Errorf("aggregation %q is not known", f.aggregate)
	}
	return f, f.check()
}

// rows sees a matrix, or one row.
func rows(x *tensor) (count, width int, err error) {
	switch len(x.shape) {
	case 1:
		return 1, x.shape[0], nil
	case 2:
		return x.shape[0], x.shape[1], nil
	}
	return 0, 0, fmt.Errorf("wants [rows, features], got %s", x.describe())
}

// features is the largest feature that is asked for.
func (f *forest) features() int {
	most := -1
	for i := range f.nodes {
		if f.nodes[i].mode != "LEAF" {
			most = max(most, f.nodes[i].feature)
		}
	}
	return most
}

// each predicts every row.
func (f *forest) each(x *tensor, need int, use func(i int, votes []float64)) error {
	count, width, err := rows(x)
	if err != nil {
		return err
	}
	if need >= width && count > 0 {
		return fmt.Errorf("the trees ask for feature %d of %d", need, width)
	}
	if f.flat != nil && x.dt == f32 && width > 0 {
		f.flat.each(view[float32](x), count, width, f, use)
		return nil
	}
	votes, seen, row := make([]float64, f.targets), make([]bool, f.targets), make([]float64, max(width, 1))
	for i := range count {
		for k := range width {
			row[k] = x.at(i*width + k)
		}
		f.predict(row, votes, seen)
		use(i, votes)
	}
	return nil
}

func buildTreeRegressor(s *spec) (operation, error) {
	f, err := listedForest(s, "target", "target_ids", s.int("n_targets", 1))
	if err != nil {
		return nil, err
	}
	need := f.features()
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, _, err := rows(x)
		if err != nil {
			return err
		}
		out, err := c.output(0, f32, count, f.targets)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		return f.each(x, need, func(i int, votes []float64) {
			for k := range votes {
				if len(f.base) > 0 {
					votes[k] += f.base[min(k, len(f.base)-1)]
				}
			}
			for k, v := range postTransform(f.post, votes) {
				dst[i*f.targets+k] = float32(v)
			}
		})
	}, nil
}

// classes are the names of what a classifier tells apart.
type classes struct {
	ints []int
	strs []string
}

func classesOf(s *spec, ints string) classes {
	return classes{s.ints(ints), s.strs("classlabels_strings")}
}

func (l classes) count() int { return max(len(l.ints), len(l.strs)) }

// output makes the labels' tensor and the function that sets one.
func (l classes) output(c *call, n int) (set func(i, class int), err error) {
	if len(l.strs) > 0 {
		t, err := c.output(0, text, n)
		return func(i, class int) { view[string](t)[i] = l.strs[class] }, err
	}
	t, err := c.output(0, i64, n)
	return func(i, class int) {
		v := class
		if len(l.ints) > class {
			v = l.ints[class]
		}
		view[int64](t)[i] = int64(v)
	}, err
}

func buildTreeClassifier(s *spec) (operation, error) {
	labels := classesOf(s, "classlabels_int64s")
	n := labels.count()
	f, err := listedForest(s, "class", "class_ids", n)
	if err != nil {
		return nil, err
	}
	voted := map[int]bool{}
	positive := true
	for i := range f.nodes {
		for _, w := range f.nodes[i].weights {
			voted[w.target] = true
			positive = positive && w.weight >= 0
		}
	}
	single := n == 2 && len(voted) == 1 // one score tells two classes apart
	need := f.features()
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, _, err := rows(x)
		if err != nil {
			return err
		}
		set, err := labels.output(c, count)
		if err != nil {
			return err
		}
		out, err := c.output(1, f32, count, n)
		if err != nil {
			return err
		}
		dst := view[float32](out)
		return f.each(x, need, func(i int, votes []float64) {
			scores := votes
			best := 0
			if single {
				v := votes[0] + votes[1]
				if len(f.base) > 0 {
					v += f.base[len(f.base)-1]
				}
				best = int(b2u(v > 0 || (positive && v > 0.5)))
				if positive {
					best = int(b2u(v > 0.5))
				}
				scores = secondClass(f.post, v, positive)
			} else {
				for k := range votes {
					if k < len(f.base) {
						votes[k] += f.base[k]
					}
				}
				best = argmaxOf(votes)
				scores = postTransform(f.post, votes)
			}
			set(i, best)
			for k, v := range scores {
				dst[i*n+k] = float32(v)
			}
		})
	}, nil
}

// secondClass makes the scores of two classes of one.
func secondClass(post string, v float64, probability bool) []float64 {
	if post == "PROBIT" {
		return []float64{probit(1 - v), probit(v)}
	}
	if probability {
		return []float64{1 - v, v}
	}
	return postTransform(post, []float64{-v, v})
}

func argmaxOf(v []float64) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// postTransform turns scores into what the attribute asks for, in place.
func postTransform(name string, v []float64) []float64 {
	switch name {
	case "LOGISTIC":
		for i := range v {
			v[i] = 1 / (1 + math.Exp(-v[i]))
		}
	case "SOFTMAX", "SOFTMAX_ZERO":
		most := math.Inf(-1)
		for _, x := range v {
			most = max(most, x)
		}
		sum := 0.0
		for i, x := range v {
			if name == "SOFTMAX_ZERO" && math.Abs(x) <= 1e-7 {
				v[i] = x * math.Exp(-most) // nothing stays (nearly) nothing
			} else {
				v[i] = math.Exp(x - most)
			}
			sum += v[i]
		}
		for i := range v {
			if sum == 0 {
				v[i] = 0.5
			} else {
				v[i] /= sum
			}
		}
	case "PROBIT":
		for i := range v {
			v[i] = probit(v[i])
		}
	}
	return v
}

// probit is the approximate inverse of the normal distribution's function that
// ONNX Runtime uses (Winitzki 2008).
func probit(v float64) float64 {
	x := 2*v - 1
	log := math.Log((1 - x) * (1 + x))
	a := 2/(math.Pi*0.147) + 0.5*log
	r := math.Sqrt(math.Sqrt(a*a-log/0.147) - a)
	if x < 0 {
		r = -r
	}
	return math.Sqrt2 * r
}

// buildTreeEnsemble reads the form of ai.onnx.ml 5: nodes and leaves apart.
func buildTreeEnsemble(s *spec) (operation, error) {
	f := &forest{targets: s.int("n_targets", 1), aggregate: "SUM", post: "NONE"}
	sums, posts := []string{"AVERAGE", "SUM", "MIN", "MAX"}, []string{"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"}
	a, p := s.int("aggregate_function", 1), s.int("post_transform", 0)
	if a < 0 || a >= len(sums) || p < 0 || p >= len(posts) {
		return nil, fmt.Errorf("aggregation %d or transform %d is not known", a, p)
	}
	f.aggregate, f.post = sums[a], posts[p]
	modes, splits, features := s.numbers("nodes_modes"), s.numbers("nodes_splits"), s.ints("nodes_featureids")
	yes, no, yesLeaf, noLeaf := s.ints("nodes_truenodeids"), s.ints("nodes_falsenodeids"), s.ints("nodes_trueleafs"), s.ints("nodes_falseleafs")
	nan, members := s.ints("nodes_missing_value_tracks_true"), s.numbers("membership_values")
	targets, weights := s.ints("leaf_targetids"), s.numbers("leaf_weights")
	n := len(modes)
	if len(splits) != n || len(features) != n || len(yes) != n || len(no) != n || len(yesLeaf) != n || len(noLeaf) != n || len(targets) != len(weights) ||
		(len(nan) != 0 && len(nan) != n) {
		return nil, fmt.Errorf("the lists of nodes or leaves differ in length")
	}
	f.nodes = make([]treeNode, n+len(weights))
	to := func(at, leaf int) int {
		if leaf != 0 {
			return n + at
		}
		if at >= n {
			return -1
		}
		return at
	}
	for i := range n {
		m := int(modes[i])
		if m < 0 || m >= len(treeModes) || features[i] < 0 {
			return nil, fmt.Errorf("node %d has test %d of feature %d", i, m, features[i])
		}
		f.nodes[i] = treeNode{mode: treeModes[m], value: splits[i], feature: features[i], nanTrue: len(nan) > 0 && nan[i] != 0, yes: to(yes[i], yesLeaf[i]), no: to(no[i], noLeaf[i])}
	}
	for i := range weights {
		f.nodes[n+i] = treeNode{mode: "LEAF", weights: []leafWeight{{targets[i], weights[i]}}}
	}
	f.roots = s.ints("tree_roots")
	for i, root := range f.roots {
		// a tree of one leaf is a node both of whose ways lead there
		if root >= 0 && root < n && yesLeaf[root] != 0 && noLeaf[root] != 0 && yes[root] == no[root] {
			f.roots[i] = n + yes[root]
		}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	f.giveMembers(members)
	need := f.features()
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		count, _, err := rows(x)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, count, f.targets)
		if err != nil {
			return err
		}
		vals := make([]float64, out.n)
		if err := f.each(x, need, func(i int, votes []float64) {
			copy(vals[i*f.targets:], postTransform(f.post, votes))
		}); err != nil {
			return err
		}
		return castFrom(out, vals)
	}, nil
}

// giveMembers hands out the sets, each ended by NaN, in the order in which the
// trees are walked, what passes a test first.
func (f *forest) giveMembers(list []float64) {
	var walk func(at int)
	walk = func(at int) {
		n := &f.nodes[at]
		if n.mode == "LEAF" {
			return
		}
		if n.mode == "BRANCH_MEMBER" && n.members == nil {
			for len(list) > 0 && !math.IsNaN(list[0]) {
				n.members, list = append(n.members, list[0]), list[1:]
			}
			list = list[min(1, len(list)):]
		}
		walk(n.yes)
		walk(n.no)
	}
	for _, root := range f.roots {
		walk(root)
	}
}
