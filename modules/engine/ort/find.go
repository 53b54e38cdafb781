package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"

	"github.com/connectomewire/wire/modules"
)

// Variable is the environment variable that names the shared library.
const Variable = "WIRE_ONNXRUNTIME"

// LibraryName is the shared library's file name on this platform.
func LibraryName() string {
	switch runtime.GOOS {
	case "windows":
		return "onnxruntime.dll"
	case "darwin":
		return "libonnxruntime.dylib"
	}
	return "libonnxruntime.so"
}

// Candidate is a place where the library may be.
type Candidate struct {
	Path string
	From string // "flag", "environment", "cache" or "system"
}

// Candidates lists the libraries that are there, best first. A path given by
// the caller, or else by the environment, is the only candidate.
func Candidates(path string) []Candidate {
	if path != "" {
		return []Candidate{{path, "flag"}}
	}
	if path = os.Getenv(Variable); path != "" {
		return []Candidate{{path, "environment"}}
	}
	var out []Candidate
	if dir, err := modules.CacheDir("engines"); err == nil {
		for _, p := range installed(dir) {
			out = append(out, Candidate{p, "cache"})
		}
	}
	for _, dir := range systemDirs() {
		matches, _ := filepath.Glob(filepath.Join(dir, systemPattern()))
		sort.Sort(sort.Reverse(sort.StringSlice(matches)))
		for _, p := range matches {
			out = append(out, Candidate{p, "system"})
		}
	}
	return out
}

// installed lists the libraries in the cache, newest version first:
// engines/onnxruntime-VERSION/libonnxruntime.so.
func installed(dir string) []string {
	matches, _ := filepath.Glob(filepath.Join(dir, "onnxruntime-*", LibraryName()))
	sort.Slice(matches, func(i, j int) bool { return versionLess(matches[j], matches[i]) })
	return matches
}

// versionLess compares two paths by the numbers in them.
func versionLess(a, b string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	}
	x, y := split(a), split(b)
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			if len(x[i]) != len(y[i]) {
				return len(x[i]) < len(y[i])
			}
			return x[i] < y[i]
		}
	}
	return a < b
}

func systemDirs() []string {
	switch runtime.GOOS {
	case "windows":
		return nil
	case "darwin":
		return []string{"/opt/homebrew/lib", "/usr/local/lib"}
	}
	multi := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return []string{"/usr/local/lib", "/usr/lib/" + multi, "/usr/lib64", "/usr/lib"}
}

func systemPattern() string {
	if runtime.GOOS == "darwin" {
		return "libonnxruntime*.dylib"
	}
	return "libonnxruntime.so*"
}

// notFound is the error when no library can be used.
func notFound(tried []string) error {
	if !supported {
		return fmt.Errorf("%w: this wire was built for %s/%s without ONNX Runtime; use the go engine", modules.ErrNoLibrary, runtime.GOOS, runtime.GOARCH)
	}
	if len(tried) == 0 {
		return fmt.Errorf("%w: ONNX Runtime was not found in the cache or the system's library directories; `wire engines install` fetches it through npm, or name the file with %s", modules.ErrNoLibrary, Variable)
	}
	return fmt.Errorf("%w: ONNX Runtime: %s", modules.ErrNoLibrary, strings.Join(tried, "; "))
}
