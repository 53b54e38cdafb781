package edit

import (
	"fmt"
	"strings"
)

// Suggestion is `; did you mean "x"?` for the known name nearest to name,
// whatever the case of its letters, or "" when none is near: about a third of
// the letters may differ. Of equally near ones it takes the first.
func Suggestion(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := Distance(strings.ToLower(name), strings.ToLower(k)); k != "" && d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
