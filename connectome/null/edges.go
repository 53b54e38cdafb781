package null

import (
	"context"
	"math"
	"slices"

	"github.com/connectomewire/wire/connectome"
)

// edge is a tract between two different regions; in an undirected network
// from < to stands for both directions.
type edge struct {
	from, to       int32
	weight, length float64
}

// edges is a connectome as a list of edges, which the models change in place.
type edges struct {
	stop     <-chan struct{} // closed when the network is no longer wanted
	n        int
	directed bool
	list     []edge
	regions  []connectome.Region
	located  bool    // every region has a position
	lengths  bool    // the connectome has tract lengths
	detour   float64 // median ratio of tract length to straight distance
}

func newEdges(ctx context.Context, c *connectome.Connectome) *edges {
	e := &edges{stop: ctx.Done(), n: len(c.Regions), directed: c.Directed, regions: c.Regions, located: true, lengths: c.Tracts.Length != nil}
	for i := range c.Regions {
		e.located = e.located && c.Regions[i].Located
	}
	var ratios []float64
	for t := range c.Tracts.All() {
		if t.From == t.To || !c.Directed && t.From > t.To {
			continue
		}
		e.list = append(e.list, edge{int32(t.From), int32(t.To), t.Weight, t.Length})
		if e.located && t.Length > 0 {
			if d := e.distance(int32(t.From), int32(t.To)); d > 0 {
				ratios = append(ratios, t.Length/d)
			}
		}
	}
	e.detour = 1
	if len(ratios) > 0 {
		slices.Sort(ratios)
		e.detour = ratios[len(ratios)/2]
	}
	return e
}

// stopped says whether the network is no longer wanted. Models ask now and
// then, and may return anything when it is so.
func (e *edges) stopped() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// distance is the straight distance between two regions' centres in mm.
func (e *edges) distance(i, j int32) float64 {
	a, b := e.regions[i].Position, e.regions[j].Position
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// place puts edge k between regions i and j.
func (e *edges) place(k int, i, j int32) {
	if !e.directed && i > j {
		i, j = j, i
	}
	t := &e.list[k]
	if t.from == i && t.to == j {
		return
	}
	t.from, t.to = i, j
	if e.located && e.lengths {
		t.length = e.distance(i, j) * e.detour
	}
}

// csr returns the network as a matrix.
func (e *edges) csr() (connectome.CSR, error) {
	tracts := make([]connectome.Tract, 0, 2*len(e.list))
	for _, t := range e.list {
		length := math.NaN()
		if e.lengths {
			length = t.length
		}
		tracts = append(tracts, connectome.Tract{From: int(t.from), To: int(t.to), Weight: t.weight, Length: length})
		if !e.directed {
			tracts = append(tracts, connectome.Tract{From: int(t.to), To: int(t.from), Weight: t.weight, Length: length})
		}
	}
	return connectome.FromTracts(e.n, tracts)
}

// pairs returns the number of region pairs that can hold a tract.
func (e *edges) pairs() int {
	if e.directed {
		return e.n * (e.n - 1)
	}
	return e.n * (e.n - 1) / 2
}

// pairSet is a set of region pairs: bits for small networks, a map for large.
type pairSet struct {
	n    int
	bits []uint64
	m    map[int64]struct{}
}

// maxBits bounds the bit set at 128 MiB.
const maxBits = 1 << 30

func newPairSet(n int) *pairSet {
	s := &pairSet{n: n}
	if n*n <= maxBits {
		s.bits = make([]uint64, (n*n+63)/64)
	} else {
		s.m = make(map[int64]struct{})
	}
	return s
}

func (s *pairSet) has(i, j int32) bool {
	p := int64(i)*int64(s.n) + int64(j)
	if s.bits != nil {
		return s.bits[p>>6]>>(p&63)&1 == 1
	}
	_, ok := s.m[p]
	return ok
}

func (s *pairSet) set(i, j int32, in bool) {
	p := int64(i)*int64(s.n) + int64(j)
	switch {
	case s.bits != nil && in:
		s.bits[p>>6] |= 1 << (p & 63)
	case s.bits != nil:
		s.bits[p>>6] &^= 1 << (p & 63)
	case in:
		s.m[p] = struct{}{}
	default:
		delete(s.m, p)
	}
}
