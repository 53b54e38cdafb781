//go:build !amd64 && !arm64

package kernel

func filterPlane(f *Filter, dst []float32, dstPitch int, src []float32, srcPitch, rows, cols int) {
	filterGo(f, dst, dstPitch, src, srcPitch, rows, cols)
}

func expSum(dst, x []float32, s float32) float32 { return expSumGo(dst, x, s) }
