// Package rank ranks numbers, for rank correlations and weights by rank.
package rank

import (
	"cmp"
	"slices"
)

// Mean returns the rank of every value, from 0 on; equal values share the mean
// of theirs. What is no number ranks before all others.
func Mean(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && cmp.Compare(values[order[hi]], values[order[lo]]) == 0 {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+hi-1) / 2
		}
		lo = hi
	}
	return out
}
