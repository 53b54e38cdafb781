package wiring

import (
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// didYouMean returns `; did you mean "x"?` for the candidate nearest to name,
// or "" when none is near.
func didYouMean(name string, candidates []string) string {
	best, bestDist := "", 1+max(2, len(name)/3)
	for _, c := range candidates {
		if d := edit.Distance(strings.ToLower(name), strings.ToLower(c)); d < bestDist {
			best, bestDist = c, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}
