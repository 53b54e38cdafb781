// Package edit measures how far apart two names are, to suggest the one that
// was meant.
package edit

// Distance is Levenshtein's distance between two strings, by bytes; strings
// of more than 128 bytes count as 128 apart.
func Distance(a, b string) int {
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
