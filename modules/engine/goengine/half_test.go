package goengine

import "testing"

func TestBFloat16RoundsToEven(t *testing.T) {
	if toBF16(1.00390625) != 0x3f80 || toBF16(1.01171875) != 0x3f82 {
		t.Error("bfloat16 does not round to even")
	}
}
