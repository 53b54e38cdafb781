package library

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// runtimePackage ships ONNX Runtime's shared library for several systems.
const runtimePackage = "onnxruntime-node"

// runtimeFiles are the shared library's places in the package, by GOOS/GOARCH.
var runtimeFiles = map[string]string{
	"linux/amd64":   "bin/napi-v6/linux/x64/libonnxruntime.so.1",
	"linux/arm64":   "bin/napi-v6/linux/arm64/libonnxruntime.so.1",
	"darwin/arm64":  "bin/napi-v6/darwin/arm64/libonnxruntime.1.dylib",
	"windows/amd64": "bin/napi-v6/win32/x64/onnxruntime.dll",
	"windows/arm64": "bin/napi-v6/win32/arm64/onnxruntime.dll",
}

// TestedRuntime is the version of ONNX Runtime that the tests run with and
// that [InstallRuntime] brings unless another is asked for.
const TestedRuntime = "1.30.0"

// InstallRuntime fetches ONNX Runtime's shared library for this system
// through the user's npm into the cache, checks the package's integrity,
// loads the library once and returns its path. Only that file is kept.
func InstallRuntime(ctx context.Context, version string, announce func(Plan) error) (path string, err error) {
	file, ok := runtimeFiles[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("the package %s has no library for %s/%s; use the go engine, or install ONNX Runtime otherwise and name the file with %s", runtimePackage, runtime.GOOS, runtime.GOARCH, ort.Variable)
	}
	if version == "" {
		version = TestedRuntime
	}
	p, err := viewNPM(ctx, runtimePackage, version)
	if err != nil {
		return "", err
	}
	dir, err := modules.CacheDir("engines")
	if err != nil {
		return "", err
	}
	if announce != nil {
		if err := announce(Plan{"onnxruntime " + p.Version, "npm:" + p.Name + "@" + p.Version + "#" + file, p.License, p.Bytes}); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(dir, ".onnxruntime-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := fetchNPM(ctx, p, []string{file}, tmp); err != nil {
		return "", err
	}
	to := filepath.Join(dir, "onnxruntime-"+p.Version)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(to, ort.LibraryName())
	if err := os.Rename(filepath.Join(tmp, filepath.FromSlash(file)), path); err != nil {
		return "", err
	}
	if _, err := ort.Open(path); err != nil {
		return "", err
	}
	return path, nil
}
