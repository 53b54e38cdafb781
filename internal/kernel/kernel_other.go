//go:build !amd64 && !arm64

package kernel

// Levels lists what this machine can run, slowest first.
func Levels() []Level { return []Level{Generic} }

func tileSize() (rows, width int) { return 4, 16 }

func tile(rows, cols, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	tileGo(rows, cols, k, a, rsa, csa, b, rsb, c, rsc, accumulate)
}

// tileOffsets is tile with row p of B at b[offsets[p]:].
func tileOffsets(rows, cols, k int, a []float32, rsa, csa int, b []float32, offsets []int, c []float32, rsc int, accumulate bool) {
	tileOffsetsGo(rows, cols, k, a, rsa, csa, b, offsets, c, rsc, accumulate)
}
