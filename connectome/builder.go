package connectome

import (
	"cmp"
	"math"
	"slices"
)

// Builder collects tracts in any order and turns them into a [CSR] by a
// counting sort. It holds 16 bytes a tract (24 with lengths) in chunks that
// are let go while the matrix is filled, so that building takes at most 28
// bytes a tract at its peak, 44 with lengths.
//
// The zero Builder is ready to use.
type Builder struct {
	chunks []*chunk
	n      int // tracts added
	maxID  int // largest region index added
	length bool
}

// chunkSize is the number of tracts in a full chunk: 1 MiB without lengths.
const chunkSize = 1 << 16

type chunk struct {
	ends   [][2]int32
	weight []float64
	length []float64 // nil, or as long as weight
}

// Add adds a tract. length is in mm, NaN when unknown. Region indices must
// not be negative and must fit in 31 bits.
func (b *Builder) Add(from, to int, weight, length float64) {
	var c *chunk
	if len(b.chunks) > 0 {
		c = b.chunks[len(b.chunks)-1]
	}
	if c == nil || len(c.weight) == chunkSize {
		c = &chunk{}
		if len(b.chunks) > 0 { // the first chunk grows, so that small graphs stay small
			c.ends = make([][2]int32, 0, chunkSize)
			c.weight = make([]float64, 0, chunkSize)
		}
		b.chunks = append(b.chunks, c)
	}
	c.ends = append(c.ends, [2]int32{int32(from), int32(to)})
	c.weight = append(c.weight, weight)
	if !math.IsNaN(length) && c.length == nil {
		b.length = true
		c.length = make([]float64, len(c.weight)-1, cap(c.weight))
		for i := range c.length {
			c.length[i] = math.NaN()
		}
	}
	if c.length != nil {
		c.length = append(c.length, length)
	}
	b.n++
	b.maxID = max(b.maxID, from, to)
}

// Len returns the number of tracts added so far.
func (b *Builder) Len() int { return b.n }

// AddAll adds the tracts of a matrix.
func (b *Builder) AddAll(m CSR) {
	for t := range m.All() {
		b.Add(t.From, t.To, t.Weight, t.Length)
	}
}

// Renumber replaces every region index i by place[i].
func (b *Builder) Renumber(place []int32) {
	b.maxID = 0
	for _, c := range b.chunks {
		for k, e := range c.ends {
			e = [2]int32{place[e[0]], place[e[1]]}
			c.ends[k] = e
			b.maxID = max(b.maxID, int(e[0]), int(e[1]))
		}
	}
}

// Reweigh replaces every weight by what f makes of its tract.
func (b *Builder) Reweigh(f func(from, to int, weight float64) float64) {
	for _, c := range b.chunks {
		for k, e := range c.ends {
			c.weight[k] = f(int(e[0]), int(e[1]), c.weight[k])
		}
	}
}

// Parallel says what becomes of the weights of several tracts between the
// same two regions.
type Parallel int

// The ways to merge parallel tracts. The length of the merged tract is that
// of the first tract with a known length.
const (
	SumParallel   Parallel = iota // add the weights: right for counts of streamlines or synapses
	MeanParallel                  // average them
	MaxParallel                   // keep the largest
	FirstParallel                 // keep the first
)

// BuildStats counts what [Builder.Build] merged and left out.
type BuildStats struct {
	Parallel int    // tracts merged into an earlier one between the same regions
	First    [2]int // regions of the first merged tract
	Zero     int    // tracts left out because their weight is (or sums to) 0
}

// Build returns the matrix over n regions, which must cover every index
// added, and empties the builder. Tracts of weight 0 or NaN are left out.
func (b *Builder) Build(n int, p Parallel) (CSR, BuildStats) {
	if b.n > 0 && b.maxID >= n {
		panic("connectome: Builder.Build: too few regions")
	}
	m := b.scatter(n)
	var scratch []entry
	for i := range n {
		scratch = sortRow(m, i, scratch)
	}
	return merge(m, p)
}

// scatter is the counting sort by source; rows keep the order of adding.
func (b *Builder) scatter(n int) CSR {
	m := CSR{Start: make([]int, n+1), Target: make([]int32, b.n), Weight: make([]float64, b.n)}
	if b.length {
		m.Length = make([]float64, b.n)
	}
	for _, c := range b.chunks {
		for _, e := range c.ends {
			m.Start[e[0]+1]++
		}
	}
	for i := range n {
		m.Start[i+1] += m.Start[i]
	}
	next := slices.Clone(m.Start)
	for ci, c := range b.chunks {
		for k, e := range c.ends {
			p := next[e[0]]
			next[e[0]]++
			m.Target[p] = e[1]
			m.Weight[p] = c.weight[k]
			if b.length {
				m.Length[p] = math.NaN()
				if c.length != nil {
					m.Length[p] = c.length[k]
				}
			}
		}
		b.chunks[ci] = nil
	}
	*b = Builder{}
	return m
}

type entry struct {
	target         int32
	weight, length float64
}

// sortRow sorts row i by target, keeping the order of parallel tracts.
func sortRow(m CSR, i int, scratch []entry) []entry {
	lo, hi := m.Row(i)
	if slices.IsSorted(m.Target[lo:hi]) {
		return scratch
	}
	scratch = scratch[:0]
	for k := lo; k < hi; k++ {
		scratch = append(scratch, entry{m.Target[k], m.Weight[k], m.LengthAt(k)})
	}
	slices.SortStableFunc(scratch, func(a, b entry) int { return cmp.Compare(a.target, b.target) })
	for k, e := range scratch {
		m.Target[lo+k] = e.target
		m.Weight[lo+k] = e.weight
		if m.Length != nil {
			m.Length[lo+k] = e.length
		}
	}
	return scratch
}

// merge joins parallel tracts of the sorted matrix in place.
func merge(m CSR, p Parallel) (CSR, BuildStats) {
	var st BuildStats
	out := 0
	for i := range m.Regions() {
		lo, hi := m.Start[i], m.Start[i+1]
		m.Start[i] = out
		for k := lo; k < hi; {
			w, l, end := m.Weight[k], m.LengthAt(k), k+1
			for ; end < hi && m.Target[end] == m.Target[k]; end++ {
				switch p {
				case SumParallel, MeanParallel:
					w += m.Weight[end]
				case MaxParallel:
					w = max(w, m.Weight[end])
				}
				if math.IsNaN(l) {
					l = m.LengthAt(end)
				}
			}
			if p == MeanParallel {
				w /= float64(end - k)
			}
			if st.Parallel == 0 && end > k+1 {
				st.First = [2]int{i, int(m.Target[k])}
			}
			st.Parallel += end - k - 1
			if w == 0 || math.IsNaN(w) {
				st.Zero++
			} else {
				m.Target[out], m.Weight[out] = m.Target[k], w
				if m.Length != nil {
					m.Length[out] = l
				}
				out++
			}
			k = end
		}
	}
	m.Start[m.Regions()] = out
	return m.Shrink(out), st
}

// Shrink cuts the matrix to its first n tracts, and gives the rest of the
// memory back when it is much.
func (m CSR) Shrink(n int) CSR {
	m.Target, m.Weight = m.Target[:n], m.Weight[:n]
	if m.Length != nil {
		m.Length = m.Length[:n]
	}
	if cap(m.Target) > n+n/8+16 {
		m.Target, m.Weight = slices.Clip(slices.Clone(m.Target)), slices.Clip(slices.Clone(m.Weight))
		if m.Length != nil {
			m.Length = slices.Clip(slices.Clone(m.Length))
		}
	}
	return m
}
