// Package disjoint keeps a partition of 0 … n−1 into disjoint sets, for
// connected components and spanning trees (Galler & Fischer 1964, Commun ACM
// 7:301, with path halving).
package disjoint

// Sets is a partition; make it with [New].
type Sets []int

// New returns n sets of one number each.
func New(n int) Sets {
	s := make(Sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// Root returns the smallest number of the set that i is in.
func (s Sets) Root(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

// Join merges the sets of i and j, and says whether they were apart. The
// result does not depend on the order of joins.
func (s Sets) Join(i, j int) bool {
	a, b := s.Root(i), s.Root(j)
	s[max(a, b)] = min(a, b)
	return a != b
}
