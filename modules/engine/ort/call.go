//go:build !static && (darwin || (linux && (amd64 || arm64)) || windows)

package ort

import "github.com/ebitengine/purego"

// call calls a C function. Arguments made of pointers to Go memory must be
// kept alive and pinned by the caller.
func call(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}
