package strangers

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestSameSeedSameStrangers: a seed gives the same ones, another others, and
// more of them begin with the fewer.
func TestSameSeedSameStrangers(t *testing.T) {
	a, b, c := Pictures(24, 1), Pictures(12, 1), Pictures(24, 2)
	differ := 0
	for i := range b {
		if fmt.Sprint(a[i]) != fmt.Sprint(b[i]) {
			t.Errorf("picture %d changes with their number", i)
		}
		if fmt.Sprint(a[i]) != fmt.Sprint(c[i]) {
			differ++
		}
	}
	if differ < 6 {
		t.Errorf("another seed gives other pictures for %d of %d only", differ, len(b))
	}
	x, y := Sounds(14, 1), Sounds(7, 1)
	for i := range y {
		if !slices.Equal(x[i], y[i]) {
			t.Errorf("sound %d changes with their number", i)
		}
	}
	if slices.Equal(x[1], x[8]) {
		t.Error("two hisses are one")
	}
	if p, q := Texts(3, 1), Texts(3, 2); slices.Equal(p, q) || p[0] == p[1] {
		t.Errorf("texts %q and %q", p, q)
	}
}

func TestSoundsAreWithinBounds(t *testing.T) {
	loud := 0
	for i, s := range Sounds(70, 3) {
		if len(s) < Rate || len(s) > 5*Rate {
			t.Errorf("sound %d lasts %.1f s", i, float64(len(s))/Rate)
		}
		var top float64
		for _, v := range s {
			top = math.Max(top, math.Abs(float64(v)))
		}
		if !(top <= 1) {
			t.Errorf("sound %d reaches %g", i, top)
		}
		if top > 0.003 {
			loud++
		}
	}
	if loud < 50 {
		t.Errorf("%d of 70 sounds are loud enough to hear", loud)
	}
}
