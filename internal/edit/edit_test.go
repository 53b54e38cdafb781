package edit

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"insula", "insula", 0},
		{"cuneus", "precuneus", 3}, {"kitten", "sitting", 3}, {"lingual", "lngual", 1}, {"filter", "filtre", 1}, {"ab", "ba", 1},
		{strings.Repeat("a", 200), "a", 128},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%.10q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %.10q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestSuggestion(t *testing.T) {
	known := []string{"image", "sound", "Text", ""}
	for name, want := range map[string]string{
		"imag": `; did you mean "image"?`, "SUOND": `; did you mean "sound"?`, "texts": `; did you mean "Text"?`, "embedding": "", "": "",
	} {
		if got := Suggestion(name, known); got != want {
			t.Errorf("Suggestion(%q) = %q, want %q", name, got, want)
		}
	}
}
