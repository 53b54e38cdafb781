package wiring

import "github.com/connectomewire/wire/internal/edit"

// didYouMean is `; did you mean "x"?` for the candidate nearest to name, or
// "" when none is near.
func didYouMean(name string, candidates []string) string { return edit.Suggestion(name, candidates) }
