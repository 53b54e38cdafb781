// Package plural puts numbers before words.
package plural

import "fmt"

// Count is n before the form of a word that goes with it: "1 tract is", "2
// tracts are".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
