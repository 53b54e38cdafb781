package half

import (
	"math"
	"testing"
)

func TestHalf(t *testing.T) {
	for _, c := range []struct {
		f float32
		h uint16
	}{
		{0, 0}, {1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff}, {65519, 0x7bff}, {65520, 0x7c00}, {1e-8, 0}, {5.9604645e-08, 1}, {6.1035156e-05, 0x0400},
		{6.0975552e-05, 0x03ff}, {1.0004883, 0x3c00}, {1.0014648, 0x3c02}, // ties to even
		{float32(math.Inf(-1)), 0xfc00},
	} {
		if got := To(c.f); got != c.h {
			t.Errorf("To(%v) = %#04x, want %#04x", c.f, got, c.h)
		}
	}
	for h := range 1 << 16 { // every number survives the way there and back
		f := From(uint16(h))
		if f != f {
			if g := From(To(f)); g == g {
				t.Fatalf("%#04x: NaN became %v", h, g)
			}
			continue
		}
		if got := To(f); got != uint16(h) {
			t.Fatalf("%#04x → %v → %#04x", h, f, got)
		}
	}
}
