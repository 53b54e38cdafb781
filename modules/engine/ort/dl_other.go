//go:build static || (!darwin && !windows && !(linux && (amd64 || arm64)))

package ort

import "errors"

// supported says whether this build can load the library.
const supported = false

var errWithout = errors.New("built without ONNX Runtime")

func openLibrary(string) (uintptr, error)     { return 0, errWithout }
func symbol(uintptr, string) (uintptr, error) { return 0, errWithout }
func call(uintptr, ...uintptr) uintptr        { return 0 }
