package kernel

import "github.com/connectomewire/wire/internal/half"

// FromHalf widens IEEE 754 binary16 numbers.
func FromHalf(dst []float32, src []uint16) {
	n := fromHalf(dst[:len(src)], src)
	for i, h := range src[n:] {
		dst[n+i] = half.From(h)
	}
}

// ToHalf rounds to the nearest binary16 numbers, ties to even. dst may be the
// same memory as src.
func ToHalf(dst []uint16, src []float32) {
	n := toHalf(dst[:len(src)], src)
	for i, f := range src[n:] {
		dst[n+i] = half.To(f)
	}
}
