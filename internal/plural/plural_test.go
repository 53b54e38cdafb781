package plural_test

import (
	"testing"

	"github.com/connectomewire/wire/internal/plural"
)

func TestCount(t *testing.T) {
	for n, want := range []string{"0 tracts are", "1 tract is", "2 tracts are"} {
		if got := plural.Count(n, "tract is", "tracts are"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
