package words

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"A dog, running.":             {"a", "dog", ",", "running"},
		"My father's T-shirt":         {"my", "father's", "t-shirt"},
		"father’s café—Straße":        {"father's", "cafe", "strasse"},
		"'quoted' -dash- end-":        {"quoted", "dash", "end"},
		"":                            nil,
		"日本 3 apples\n\tand\u00a0one": {"3", "apples", "and", "one"},
	} {
		if got := Split(text); !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, want %q", text, got, want)
		}
	}
}

func TestFunctionWordsSayNothingOfWhatIsSeen(t *testing.T) {
	for _, w := range []string{"a", "the", "with", ","} {
		if !IsFunction(w) {
			t.Errorf("%q counts as a content word", w)
		}
	}
	for _, w := range []string{"dog", "red", "runs", ""} {
		if IsFunction(w) {
			t.Errorf("%q counts as a function word", w)
		}
	}
}
