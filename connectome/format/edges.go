package format

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
)

// edgeTable collects the nodes and edges of a graph file: every numeric edge
// attribute in a column of its own, so that the weight can be chosen once all
// are known. Nothing in it is larger than the data read.
type edgeTable struct {
	regions  []connectome.Region
	index    map[string]int32 // node id → region
	from, to []int32
	columns  map[string]*column
	order    []string // column names in order of appearance
	declared declared // what the file says about direction
	oneWay   []int32  // undirected edges of a directed file: tracts both ways
}

// column holds one attribute of those edges that have it.
type column struct {
	edge    []int32
	value   []float64
	text    int // values that are no numbers
	example string
}

// declared is a file's own word on direction.
type declared int

const (
	undeclared declared = iota
	declaredDirected
	declaredUndirected
)

func newEdgeTable() *edgeTable {
	return &edgeTable{index: map[string]int32{}, columns: map[string]*column{}}
}

// node returns the region of the node with the given id, made on first use.
func (e *edgeTable) node(id string) int32 {
	if i, ok := e.index[id]; ok {
		return i
	}
	i := int32(len(e.regions))
	e.index[id] = i
	e.regions = append(e.regions, connectome.Region{Label: id})
	return i
}

// edge adds an edge and returns its number.
func (e *edgeTable) edge(from, to int32) int32 {
	e.from = append(e.from, from)
	e.to = append(e.to, to)
	return int32(len(e.from) - 1)
}

// reorder puts region order[k] in place k.
func (e *edgeTable) reorder(order []int32) {
	place := make([]int32, len(order))
	regions := make([]connectome.Region, len(order))
	for k, i := range order {
		place[i], regions[k] = int32(k), e.regions[i]
	}
	e.regions = regions
	for id, i := range e.index {
		e.index[id] = place[i]
	}
	for k := range e.from {
		e.from[k], e.to[k] = place[e.from[k]], place[e.to[k]]
	}
}

// attribute sets an attribute of an edge from its text.
func (e *edgeTable) attribute(edge int32, name, text string) {
	text = withoutCall(text)
	x, k := parseNumber([]byte(text), false)
	c := e.column(name)
	if k == isText {
		c.text++
		if c.example == "" {
			c.example = text
		}
		return
	}
	if k == isMissing {
		x = math.NaN()
	}
	c.set(edge, x)
}

// withoutCall is the inside of a call such as np.float64(1.5), which Python
// prints for a number of NumPy and NetworkX writes into files; other text is
// trimmed.
func withoutCall(text string) string {
	text = strings.TrimSpace(text)
	if open := strings.IndexByte(text, '('); open > 0 && strings.HasSuffix(text, ")") {
		return text[open+1 : len(text)-1]
	}
	return text
}

func (e *edgeTable) column(name string) *column {
	c := e.columns[name]
	if c == nil {
		c = &column{}
		e.columns[name] = c
		e.order = append(e.order, name)
	}
	return c
}

func (c *column) set(edge int32, x float64) {
	if n := len(c.edge); n > 0 && c.edge[n-1] == edge {
		c.value[n-1] = x // the attribute is repeated: the last word counts
		return
	}
	c.edge = append(c.edge, edge)
	c.value = append(c.value, x)
}

// Attributes that are taken as weight when several are there, in order: the
// plain name, then what braingraph.org, CMP, d3 and synapse tables use.
var weightNames = []string{"weight", "number_of_fibers", "number of fibers", "synapses", "synapse_count", "syn_count", "n_synapses", "num_synapses", "number_of_synapses", "n_syn", "nbr", "value", "count", "strength", "flne", "fln_e", "fln", "connection_density", "normalized_connection_density", "projection_density"}

// Attributes that are taken as tract length in mm.
var lengthNames = []string{"fiber_length_mean", "fiber_length", "fibre_length", "tract_length", "mean_length", "length_mean", "length_mm", "length"}

// Attributes that are numbers but neither weight nor length.
var otherNames = []string{"id", "key", "edge_id", "type", "color", "colour", "width", "thickness", "distance", "timeset", "start", "end", "hemisphere", "hemisphere_id", "structure_id"}

// pick finds the column with one of the names, compared without case.
func (e *edgeTable) pick(names []string) string {
	for _, want := range names {
		for _, have := range e.order {
			if strings.EqualFold(have, want) && len(e.columns[have].edge) > 0 {
				return have
			}
		}
	}
	return ""
}

// weightColumn chooses the weight; "" means that every edge weighs 1.
func (e *edgeTable) weightColumn(s *source) (string, error) {
	if want := s.cfg.weight; want != "" {
		for _, have := range e.order {
			if have == want {
				if len(e.columns[have].edge) == 0 {
					return "", s.failf(ErrNumber, 0, 0, "", "edge attribute %q holds text such as %q", want, e.columns[have].example)
				}
				return have, nil
			}
		}
		return "", s.failf(ErrVariable, 0, 0, "edges have "+listOr(e.order, "no attributes"), "no edge attribute %q", want)
	}
	for _, have := range e.order {
		if c := e.columns[have]; strings.EqualFold(have, "weight") && len(c.edge) == 0 && almostNumber([]byte(c.example)) {
			return "", s.failf(ErrNumber, 0, 0, numberAdvice([]byte(c.example), ""), "edge attribute %q holds text such as %q", have, c.example)
		}
	}
	if name := e.pick(weightNames); name != "" {
		return name, nil
	}
	var numeric []string
	for _, name := range e.order {
		c := e.columns[name]
		low := strings.ToLower(name)
		if len(c.edge) > 0 && c.text == 0 && !slices.Contains(lengthNames, low) && !slices.Contains(otherNames, low) {
			numeric = append(numeric, name)
		}
	}
	switch len(numeric) {
	case 0:
		return "", nil
	case 1:
		return numeric[0], nil
	}
	err := &AmbiguousError{Path: s.path, What: "edge attribute", Option: "WithWeight", Flag: "--weight"}
	for _, name := range numeric {
		c := e.columns[name]
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, x := range c.value {
			if !math.IsNaN(x) {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
		err.Candidates = append(err.Candidates, Candidate{name, fmt.Sprintf("%d edges, %.4g to %.4g", len(c.edge), lo, hi)})
	}
	return "", err
}

// textWeight is the attribute that is called the weight and holds only text.
func (e *edgeTable) textWeight() string {
	for _, have := range e.order {
		if c := e.columns[have]; strings.EqualFold(have, "weight") && len(c.edge) == 0 && c.text > 0 {
			return have
		}
	}
	return ""
}

// listOr joins names for advice.
func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// connectome turns the table into a connectome.
func (e *edgeTable) connectome(s *source) (*connectome.Connectome, error) {
	if len(e.regions) == 0 {
		return nil, s.fail(0, 0, fmt.Errorf("%w: no nodes", ErrEmpty), "is this the right file?")
	}
	weight, err := e.weightColumn(s)
	if err != nil {
		return nil, err
	}
	length := s.cfg.length
	if length == "" {
		length = e.pick(lengthNames)
		if strings.EqualFold(length, weight) {
			length = ""
		}
	} else if e.columns[length] == nil {
		return nil, s.failf(ErrVariable, 0, 0, "edges have "+listOr(e.order, "no attributes"), "no edge attribute %q", length)
	}
	weights := e.dense(weight, 1)
	lengths := e.dense(length, math.NaN())
	if weight != "" {
		s.rep.Weight = weight
		e.sentinels(s, weights)
		if c := e.columns[weight]; c.text > 0 {
			s.rep.Warnf("text-weights", "%s text such as %q for %s, taken as missing", plural.Count(c.text, "edge has", "edges have"), c.example, weight)
		}
	} else {
		s.rep.Weight = "none: every edge weighs 1"
		if name := e.textWeight(); name != "" {
			s.rep.Warnf("text-weights", "%s holds text such as %q: every edge weighs 1; choose another attribute with --weight", name, e.columns[name].example)
		}
	}
	s.rep.Length = length
	var b, mutual connectome.Builder
	both := make(map[int32]bool, len(e.oneWay))
	for _, k := range e.oneWay {
		both[k] = true
	}
	for k := range e.from {
		l := lengths[k]
		if l < 0 || math.IsInf(l, 0) {
			l = math.NaN() // −1 stands for unknown in braingraph files
		}
		switch w := weights[k]; {
		case math.IsNaN(w):
			if s.rep.Missing++; s.rep.Missing == 1 {
				s.rep.MissingHow = "edges without a number for " + weight + ", " + e.firstEdge(k)
			}
		case math.IsInf(w, 0):
			if s.rep.Infinite++; s.rep.Infinite == 1 {
				s.rep.InfiniteHow = e.firstEdge(k)
			}
		case both[int32(k)]:
			mutual.Add(int(e.from[k]), int(e.to[k]), w, l)
		default:
			b.Add(int(e.from[k]), int(e.to[k]), w, l)
		}
	}
	s.addMutual(&b, &mutual, len(e.regions))
	return s.finishEdges(&b, e.regions, e.declared), nil
}

// listsBothWays says whether some pair of regions is listed in both
// directions.
func (e *edgeTable) listsBothWays() bool {
	seen := make(map[[2]int32]bool, len(e.from))
	for k, i := range e.from {
		if j := e.to[k]; i != j {
			if seen[[2]int32{j, i}] {
				return true
			}
			seen[[2]int32{i, j}] = true
		}
	}
	return false
}

// dense spreads a column over all edges; a column that does not exist gives
// absent, an edge without a value NaN.
func (e *edgeTable) dense(name string, absent float64) []float64 {
	x := make([]float64, len(e.from))
	c := e.columns[name]
	if c == nil {
		for i := range x {
			x[i] = absent
		}
		return x
	}
	for i := range x {
		x[i] = math.NaN()
	}
	for i, k := range c.edge {
		x[k] = c.value[i]
	}
	return x
}

// sentinels replaces values that mean "not measured" by NaN, by the same rule
// as for matrices.
func (e *edgeTable) sentinels(s *source, weights []float64) {
	sentinel := s.cfg.missing
	if sentinel == nil {
		most := math.Inf(-1)
		found := false
		for k, w := range weights {
			if w < 0 && w != -1 {
				return
			}
			found = found || w == -1 && e.from[k] != e.to[k]
			if w > most {
				most = w
			}
		}
		if !found || most <= 1 {
			return
		}
		sentinel = []float64{-1}
		s.rep.Warnf("missing-sentinel", "−1 is taken as missing: it is the only negative weight; pass --missing with no value to keep it")
	}
	for k, w := range weights {
		if slices.Contains(sentinel, w) {
			weights[k] = math.NaN()
		}
	}
}

// finishEdges builds the matrix of listed edges and decides what they say
// about direction.
func (s *source) finishEdges(b *connectome.Builder, regions []connectome.Region, d declared) *connectome.Connectome {
	rep := s.rep
	if rep.OrientationHow == "" {
		rep.OrientationHow = "edges name their source and their target"
	}
	m, st := b.Build(len(regions), s.cfg.parallel)
	rep.ZeroWeight += st.Zero
	s.noteParallel(st)
	if st.Parallel > 0 {
		rep.ParallelHow = firstBetween(regions, st.First[0], st.First[1])
	}
	c := &connectome.Connectome{Tracts: m, Directed: true, Regions: regions}
	if s.cfg.directed != nil { // the caller's word replaces the file's
		d = declaredUndirected
		if *s.cfg.directed {
			d = declaredDirected
		}
	}
	if d == undeclared || d == declaredUndirected {
		if !s.undirectedEdges(c, d) {
			s.decideSymmetry(c)
		}
		rep.SelfLoops = c.Tracts.SelfLoops()
		return c
	}
	sym := compareTranspose(m)
	rep.SelfLoops, rep.MaxAsymmetry = m.SelfLoops(), sym.maxDiff
	rep.Symmetry, rep.SymmetryHow = connectome.Asymmetric, "the file says directed"
	if s.cfg.directed != nil {
		rep.SymmetryHow = "as asked for with --directed"
	}
	switch {
	case m.Len() == rep.SelfLoops:
	case sym.exact:
		rep.Symmetry = connectome.Symmetric
		rep.Infof("directed-symmetric", "every tract equals its opposite, but the file lists both as directed edges; pass --undirected to count them as one")
	case sym.near:
		rep.Symmetry = connectome.NearSymmetric
		rep.Infof("directed-symmetric", "tracts differ from their opposites by rounding only, but the file lists both as directed edges; pass --undirected to average them")
	}
	return c
}

// noteParallel reports the edges that were merged with an earlier one.
func (s *source) noteParallel(st connectome.BuildStats) {
	s.rep.Parallel += st.Parallel
	if st.Parallel > 0 {
		s.rep.Warnf("parallel-edges", "%s an earlier one between the same two regions; their weights are %s", plural.Count(st.Parallel, "edge repeats", "edges repeat"), verb(s.cfg.parallel))
	}
}

// firstEdge says which edge is the first with a fault.
func (e *edgeTable) firstEdge(k int) string {
	return firstBetween(e.regions, int(e.from[k]), int(e.to[k]))
}

func firstBetween(regions []connectome.Region, from, to int) string {
	return "the first from " + nameOr(regions, from) + " to " + nameOr(regions, to)
}

// nameOr is a region's label, or its number from 1.
func nameOr(regions []connectome.Region, i int) string {
	if l := regions[i].Label; l != "" {
		return l
	}
	return fmt.Sprintf("region %d", i+1)
}

// undirectedEdges makes c undirected where its edge list says so: each pair
// is listed once, or twice with equal weights, or several times. It returns
// false when the two directions differ, which a matrix decides.
func (s *source) undirectedEdges(c *connectome.Connectome, d declared) bool {
	rep, m := s.rep, c.Tracts
	t := m.Transpose()
	p := pairsOf(m, t)
	if p.all == 0 {
		return false
	}
	if d == undeclared {
		// Each pair once: an undirected list, if a directed graph of this
		// density would have been expected to go both ways somewhere.
		n := float64(m.Regions())
		expected := float64(p.all) * float64(p.all) / (n * (n - 1)) / 2
		if p.both > 0 || expected < 8 {
			return false
		}
		rep.SymmetryHow = "each pair of regions is listed once"
		rep.Infof("each-pair-once", "no pair of regions is listed in both directions; the list is read as undirected (pass --directed if it is not)")
	} else {
		if p.both == p.all && s.cfg.directed == nil && p.unequal*2 > p.both && p.all >= minTriangle {
			rep.Warnf("declared-undirected", "the file says undirected, but lists every pair in both directions with different weights; read as directed")
			return false
		}
		s.noteMutual(p)
		if p.both == p.all && p.unequal == 0 {
			return false // mirrored: the matrix is symmetric as it stands
		}
		rep.SymmetryHow = "the file says undirected"
		if s.cfg.directed != nil {
			rep.SymmetryHow = "as asked for with --undirected"
		}
	}
	rep.Symmetry = connectome.DeclaredUndirected
	c.Tracts = symmetriseParallel(m, t, s.cfg.parallel)
	c.Directed = false
	return true
}

// noteMutual reports the pairs of an undirected graph that are listed from both
// sides: with equal weights they are one tract, with others parallel ones.
func (s *source) noteMutual(p pairCount) {
	rep := s.rep
	rep.Parallel += p.both
	rep.ListedBothWays += p.both - p.unequal
	if equal := p.both - p.unequal; equal > 0 {
		rep.Infof("listed-both-ways", "%s listed in both directions with the same weight; each is one tract", plural.Count(equal, "undirected pair is", "undirected pairs are"))
	}
	if p.unequal > 0 {
		rep.Warnf("parallel-edges", "%s listed in both directions with different weights; these are %s", plural.Count(p.unequal, "pair of an undirected graph is", "pairs of an undirected graph are"), verb(s.cfg.parallel))
	}
}

// addMutual adds undirected edges over n regions in both directions, each pair
// once.
func (s *source) addMutual(b, mutual *connectome.Builder, n int) {
	if mutual.Len() == 0 {
		return
	}
	m, st := mutual.Build(n, s.cfg.parallel)
	s.noteParallel(st)
	t := m.Transpose()
	s.noteMutual(pairsOf(m, t))
	b.AddAll(symmetriseParallel(m, t, s.cfg.parallel))
}

func verb(p connectome.Parallel) string {
	return [...]string{"added", "averaged", "reduced to the largest", "reduced to the first listed"}[p]
}

// symmetriseParallel joins m and its transpose: a pair that both give the same
// weight is one tract, others are joined by the rule for parallel ones.
func symmetriseParallel(m connectome.CSR, t connectome.CSR, p connectome.Parallel) connectome.CSR {
	switch p {
	case connectome.SumParallel:
		return symmetrise(m, t, sumUnlessSame)
	case connectome.MeanParallel, connectome.FirstParallel, connectome.MaxParallel:
		var b connectome.Builder
		for i := range m.Regions() {
			eachPair(m, t, i, func(j int32, k, tk int) {
				if int(j) < i {
					return // reached from the other side
				}
				w, l := math.NaN(), math.NaN()
				for _, part := range []struct {
					m connectome.CSR
					k int
				}{{m, k}, {t, tk}} {
					if part.k < 0 {
						continue
					}
					x := part.m.Weight[part.k]
					switch {
					case math.IsNaN(w):
						w = x
					case int(j) == i:
					case p == connectome.MeanParallel:
						w = w/2 + x/2
					case p == connectome.MaxParallel:
						w = max(w, x)
					}
					l = meanKnown(l, part.m.LengthAt(part.k))
				}
				b.Add(i, int(j), w, l)
				if int(j) != i {
					b.Add(int(j), i, w, l)
				}
			})
		}
		out, _ := b.Build(m.Regions(), connectome.FirstParallel)
		return out
	}
	panic("connectome: unknown rule for parallel tracts")
}
