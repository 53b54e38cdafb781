// Package double multiplies matrices of float64 numbers. Every element's sum
// has the order of its terms and is fused, a·b + c rounded once, so that all
// machines and all ways of cutting the work give the same bits.
package double
