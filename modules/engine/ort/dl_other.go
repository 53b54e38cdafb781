//go:build !darwin && !windows && !(linux && (amd64 || arm64))

package ort

import "errors"

// supported says whether this platform can load the library.
const supported = false

var errPlatform = errors.New("ONNX Runtime is not loaded on this platform")

func openLibrary(string) (uintptr, error)     { return 0, errPlatform }
func symbol(uintptr, string) (uintptr, error) { return 0, errPlatform }
func call(uintptr, ...uintptr) uintptr        { return 0 }
