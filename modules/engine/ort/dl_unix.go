//go:build !static && (darwin || (linux && (amd64 || arm64)))

package ort

import "github.com/ebitengine/purego"

// supported says whether this build can load the library.
const supported = true

func openLibrary(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func symbol(library uintptr, name string) (uintptr, error) {
	return purego.Dlsym(library, name)
}
