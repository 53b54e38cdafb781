// Package kernel holds the float32 inner loops that everything else in this
// module computes with: matrix products, element-wise arithmetic and the
// usual non-linearities, in AVX2+FMA and AVX-512 assembly on amd64, NEON on
// arm64 and plain Go elsewhere.
//
// # Matrices
//
// Matrices are row-major slices. [Gemm] computes C = op(A)·op(B), or
// C += op(A)·op(B), for op(A) of shape [m, k] and op(B) of shape [k, n]. It
// is fast for small matrices (64×64, 8×64) as well as large ones; it allocates
// nothing in steady state.
//
// # Reproducible results
//
// Every element of a product is one chain of fused multiply-adds in the order
// of k, whatever the tiling: the result's bits depend neither on the number
// of workers, nor on the other rows and columns, nor on whether AVX2, AVX-512
// or NEON computed them. Element-wise functions treat each element alike
// wherever it stands, and [Dot] and [Sum] add in lanes of a fixed number: both
// the same at both vector levels of amd64. The plain Go fallback rounds products
// before adding them (except on architectures whose compiler fuses), so machines
// without any of these instructions agree to rounding error only.
//
// The arm64 kernels are tested under emulation (qemu-user); of the element-wise
// functions only softmax has one there, so its bits differ in the last places
// from those of Exp and Sum.
//
// # Accuracy
//
// The non-linearities are polynomial or rational approximations; their
// largest errors, measured in the tests, are 2 ulp for Exp, 3 ulp for
// Sigmoid, 2 ulp for Tanh and 4e-7 (absolute) for Erf.
//
// The environment variable WIRE_KERNEL (go, avx2, avx512, neon) selects a
// lower level than the machine offers, to compare or to debug.
package kernel
