//go:build !amd64

package kernel

func dot(x, y []float32) float32 { return dotGo(x, y) }

func axpy(s float32, x, y []float32) { axpyGo(s, x, y) }

func mix(dst []float32, s float32, x []float32, t float32, y []float32) { mixGo(dst, s, x, t, y) }

func sum(x []float32) float32 { return sumGo(x) }

func maximum(x []float32) float32 { return maximumGo(x) }

func unary(f fn, dst, src []float32) { unaryGo(f, dst[:len(src)], src) }

func binary(o op, dst, x, y []float32) { binaryGo(o, dst[:len(x)], x, y[:len(x)]) }

func scalar(o op, dst, x []float32, s float32) { scalarGo(o, dst[:len(x)], x, s) }

func insideSlope(dst, d, v []float32, s, lo, hi float32) { insideSlopeGo(dst, d, v, s, lo, hi) }

func deinterleave(dst, src []float32) { deinterleaveGo(dst, src) }
