package atlas_test

import (
	"testing"
	"unicode/utf8"

	"github.com/connectomewire/wire/connectome/atlas"
)

func FuzzAnnotate(f *testing.F) {
	for _, label := range []string{"ctx-lh-bankssts", "7Networks_LH_Vis_1", "L_9-46d_ROI", "RM-V1_R", "Left-Thalamus-Proper", "BA17", "VISp", "", "l", "(left)", "rh.", "é_L", "\xff\xfe"} {
		f.Add(label)
	}
	f.Fuzz(func(t *testing.T, label string) {
		c := labelled(label, "lh-cuneus")
		m := atlas.Annotate(c)
		if c.Regions[0].Label != label {
			t.Fatalf("label changed to %q", c.Regions[0].Label)
		}
		if m.Matched+len(m.Unknown) != 2 {
			t.Fatalf("%d matched and %d unknown of 2", m.Matched, len(m.Unknown))
		}
		if name := c.Regions[0].Canonical; utf8.ValidString(label) && !utf8.ValidString(name) {
			t.Fatalf("%q became invalid text %q", label, name)
		}
	})
}
