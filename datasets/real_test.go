package datasets

import (
	"testing"
)

// TestRealSources reads what has been pulled into the user's cache, if
// anything has, and checks the counts that the packages of Debian 12 give.
func TestRealSources(t *testing.T) {
	cache, err := OpenCache("")
	if err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]struct{ samples, pictures, effects, speech int }{
		"stamps":       {701, 701, 106, 65},
		"emoji-google": {1623, 1623, 0, 0},
		"gcompris":     {93, 68, 69, 0},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := sourceByName(name)
			if err != nil {
				t.Fatal(err)
			}
			if missing := source.Missing(cache); len(missing) > 0 {
				t.Skipf("not pulled: %v", missing)
			}
			set, err := cache.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			got := Count(set.Samples)[0]
			if len(set.Samples) != want.samples || got.Pictures.Total() != want.pictures || got.Effects.Total() != want.effects || got.Speech.Total() != want.speech {
				t.Errorf("%d samples, %+v; want %+v", len(set.Samples), got, want)
			}
			table, err := splitTable()
			if err != nil {
				t.Fatal(err)
			}
			unknown := 0
			for _, s := range set.Samples {
				if table[s.ID] == "" {
					unknown++
				}
			}
			if unknown > 5 {
				t.Errorf("%d samples are not in the stored split", unknown)
			}
			for _, i := range []int{0, len(set.Samples) / 2, len(set.Samples) - 1} {
				if s := set.Samples[i]; s.Image != nil {
					if _, err := s.Image.Fit(32); err != nil {
						t.Errorf("%s: %v", s.ID, err)
					}
				}
			}
		})
	}
}
