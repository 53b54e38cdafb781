// Package half converts IEEE 754 binary16 numbers, in which modules and plans
// may keep their weights.
package half

import "math"

// From converts an IEEE 754 binary16 number.
func From(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h >> 10 & 0x1f)
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac · 2⁻²⁴
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// To rounds to the nearest binary16 number, ties to even.
func To(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case b >= 0x38800000: // normal
		b += 0xfff + (b >> 13 & 1)
		return sign | uint16(b>>13-112<<10)
	case b < 0x33000000: // below half the least subnormal
		return sign
	}
	shift := 126 - b>>23 // 14 … 24
	m := b&0x7fffff | 0x800000
	q := m >> shift
	rest, half := m&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > half || (rest == half && q&1 == 1) {
		q++
	}
	return sign | uint16(q)
}
