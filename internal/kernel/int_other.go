//go:build !amd64

package kernel

func rows16() int { return 6 }

func tile16(rows, k int, a []int16, lda int, b []int16, offsets []int, c []int32, ldc int) {
	tile16Go(rows, k, a, lda, b, offsets, c, ldc)
}

func widenUint8(dst []int16, src []uint8, zero int16) int { return 0 }

func widenInt8(dst []int16, src []int8, zero int16) int { return 0 }

func quantize(dst []uint8, x []float32, scale, lo, hi float32, zero int32, flip uint8) int { return 0 }

func requantize(dst []uint8, x []int32, scale, lo, hi float32, zero int32, flip uint8, bias int32) int {
	return 0
}

func dequantize(dst []float32, x []uint8, b Bytes) int { return 0 }

func minimum(x []float32) float32 { return minimumGo(x) }

func fromHalf(dst []float32, src []uint16) int { return 0 }

func toHalf(dst []uint16, src []float32) int { return 0 }

func toInt32(dst []int32, x []float32) int { return 0 }
