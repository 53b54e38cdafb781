//go:build !amd64 && !arm64

package kernel

func rowWidth() int { return 0 }

func rowWide(k int, a []float32, csa int, b []float32, rsb int, c []float32, accumulate bool) {
	panic("kernel: no wide row kernel")
}

func rowWideOffsets(k int, a []float32, csa int, b []float32, offsets []int, c []float32, accumulate bool) {
	panic("kernel: no wide row kernel")
}
