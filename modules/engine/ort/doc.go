// Package ort runs ONNX models with ONNX Runtime, loaded from its shared
// library at run time without cgo, so that one binary built with
// CGO_ENABLED=0 works with and without it. On Linux such a binary needs the C
// library, to load others; the build tag "static" leaves ONNX Runtime out, and
// makes one that needs nothing.
//
// [Find] looks for the library: a path given by the caller, the environment
// variable WIRE_ONNXRUNTIME, the cache that `wire engines install` fills, and
// the system's directories. [Open] loads it; an error that wraps
// modules.ErrNoLibrary says where it looked and what to do.
//
// The C interface of ONNX Runtime is a table of function pointers to which
// new versions only append, so the indices in api.go are good for every
// version from 1.14 on. Calls pass Go memory directly: inputs are read from
// and, where the output's shape is known beforehand, results are written to
// the caller's slices, which are pinned while the call runs.
//
// Every operator runs on the calling thread unless more threads are asked
// for; idle threads do not spin (spinning triples latencies when another
// module wants the core).
package ort
