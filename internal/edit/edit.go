// Package edit measures how far apart two names are, to suggest the one that
// was meant.
package edit

// Distance is the number of insertions, deletions, substitutions and swaps of
// neighbours that turn one string into the other, by bytes (optimal string
// alignment); strings of more than 128 bytes count as 128 apart.
func Distance(a, b string) int {
	const limit = 128 // longer names are not typing errors of each other
	if len(a) > limit || len(b) > limit {
		return limit
	}
	before := make([]int, len(b)+1) // the row before prev
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
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cur[j+1] = min(cur[j+1], before[j-1]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}
