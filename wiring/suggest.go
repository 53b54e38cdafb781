package wiring

import "strings"

// didYouMean returns `; did you mean "x"?` for the candidate nearest to name,
// or "" when none is near.
func didYouMean(name string, candidates []string) string {
	best, bestDist := "", 1+max(2, len(name)/3)
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < bestDist {
			best, bestDist = c, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}

// editDistance is Levenshtein's distance between two strings, by bytes.
func editDistance(a, b string) int {
	const limit = 128 // longer names are not typing errors of each other
	if len(a) > limit || len(b) > limit {
		return limit
	}
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
