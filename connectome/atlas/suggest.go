package atlas

// editDistance is the Levenshtein distance of two strings in bytes: the
// number of insertions, deletions and substitutions that turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			above := row[j]
			if a[i-1] == b[j-1] {
				row[j] = diagonal
			} else {
				row[j] = 1 + min(diagonal, above, row[j-1])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// closest returns the entry whose name is nearest to the label, and whether
// it is near enough to be worth suggesting: at most a third of its letters
// differ.
func closest(label string, atlases []*Atlas) (string, bool) {
	best, bestDistance, bestLength := "", 1<<30, 0
	for _, r := range readings(label) {
		key := squash(r.name)
		if len(key) < 3 || len(key) > 64 {
			continue
		}
		for _, a := range atlases {
			for _, p := range a.parcels {
				if d := editDistance(key, squash(p.name)); d < bestDistance {
					side := r.side
					if p.midline {
						side = 0
					}
					best, bestDistance, bestLength = canonicalName(side, p.name), d, len(key)
				}
			}
		}
	}
	return best, best != "" && bestDistance <= max(1, bestLength/3)
}
