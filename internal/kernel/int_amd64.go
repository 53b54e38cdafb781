package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// vnni is whether pairs of int16 are multiplied and added in one instruction.
func vnni() bool { return level == AVX512 && cpu.X86.HasAVX512VNNI }

// rows16 is how many rows of A a product of int16 takes at once.
func rows16() int {
	if vnni() {
		return 12
	}
	return 6
}

func tile16(rows, k int, a []int16, lda int, b []int16, offsets []int, c []int32, ldc int) {
	if level == Generic {
		tile16Go(rows, k, a, lda, b, offsets, c, ldc)
		return
	}
	if vnni() {
		int16TileVNNI(rows, k/2, &a[0], lda, &b[0], &offsets[0], &c[0], ldc)
		return
	}
	int16TileAVX2(rows, k/2, &a[0], lda, &b[0], &offsets[0], &c[0], ldc)
}

// These do what fills whole vectors and return how much that is.

func widenUint8(dst []int16, src []uint8, zero int16) int {
	n := len(src) &^ 15
	if level == Generic || n == 0 {
		return 0
	}
	widenUint8AVX2(n, &dst[0], &src[0], zero)
	return n
}

func widenInt8(dst []int16, src []int8, zero int16) int {
	n := len(src) &^ 15
	if level == Generic || n == 0 {
		return 0
	}
	widenInt8AVX2(n, &dst[0], &src[0], zero)
	return n
}

func quantize(dst []uint8, x []float32, scale, lo, hi float32, zero int32, flip uint8) int {
	n := len(x) &^ 31
	if level == Generic || n == 0 {
		return 0
	}
	quantizeAVX2(n, &dst[0], &x[0], scale, lo, hi, zero, uint32(flip)*0x01010101)
	if last := len(x) - 32; last > n-32 { // some of the last vector again
		quantizeAVX2(32, &dst[last], &x[last], scale, lo, hi, zero, uint32(flip)*0x01010101)
	}
	return len(x)
}

func requantize(dst []uint8, x []int32, scale, lo, hi float32, zero int32, flip uint8, bias int32) int {
	n := len(x) &^ 31
	if level == Generic {
		return 0
	}
	if n == 0 {
		var in [32]int32
		var out [32]uint8
		copy(in[:], x)
		requantizeAVX2(32, &out[0], &in[0], scale, lo, hi, zero, uint32(flip)*0x01010101, bias)
		return copy(dst, out[:len(x)])
	}
	requantizeAVX2(n, &dst[0], &x[0], scale, lo, hi, zero, uint32(flip)*0x01010101, bias)
	if last := len(x) - 32; last > n-32 {
		requantizeAVX2(32, &dst[last], &x[last], scale, lo, hi, zero, uint32(flip)*0x01010101, bias)
	}
	return len(x)
}

func dequantize(dst []float32, x []uint8, b Bytes) int {
	n := len(x) &^ 7
	if level == Generic || n == 0 {
		return 0
	}
	if b.Signed {
		dequantizeInt8AVX2(n, &dst[0], (*int8)(unsafe.Pointer(&x[0])), b.Scale, b.Zero)
	} else {
		dequantizeUint8AVX2(n, &dst[0], &x[0], b.Scale, b.Zero)
	}
	return n
}

func minimum(x []float32) float32 {
	if level == Generic {
		return minimumGo(x)
	}
	return minimumAVX2(len(x), &x[0])
}

//go:noescape
func int16TileAVX2(rows, pairs int, a *int16, rsa int, b *int16, offsets *int, c *int32, rsc int)

//go:noescape
func int16TileVNNI(rows, pairs int, a *int16, rsa int, b *int16, offsets *int, c *int32, rsc int)

//go:noescape
func widenUint8AVX2(n int, dst *int16, src *uint8, zero int16)

//go:noescape
func widenInt8AVX2(n int, dst *int16, src *int8, zero int16)

//go:noescape
func quantizeAVX2(n int, dst *uint8, src *float32, scale, lo, hi float32, zero int32, flip uint32)

//go:noescape
func requantizeAVX2(n int, dst *uint8, src *int32, scale, lo, hi float32, zero int32, flip uint32, bias int32)

//go:noescape
func dequantizeUint8AVX2(n int, dst *float32, src *uint8, scale float32, zero int32)

//go:noescape
func dequantizeInt8AVX2(n int, dst *float32, src *int8, scale float32, zero int32)

//go:noescape
func minimumAVX2(n int, x *float32) float32

func toInt32(dst []int32, x []float32) int {
	n := len(x) &^ 7
	if level == Generic || n == 0 {
		return 0
	}
	toInt32AVX2(n, &dst[0], &x[0])
	return n
}

//go:noescape
func toInt32AVX2(n int, dst *int32, src *float32)

func fromHalf(dst []float32, src []uint16) int {
	n := len(src) &^ 7
	if level == Generic || n == 0 {
		return 0
	}
	fromHalfAVX2(n, &dst[0], &src[0])
	return n
}

func toHalf(dst []uint16, src []float32) int {
	n := len(src) &^ 7
	if level == Generic || n == 0 {
		return 0
	}
	toHalfAVX2(n, &dst[0], &src[0])
	return n
}

// Every processor with AVX2 has F16C.

//go:noescape
func fromHalfAVX2(n int, dst *float32, src *uint16)

//go:noescape
func toHalfAVX2(n int, dst *uint16, src *float32)
