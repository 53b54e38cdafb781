package datasets

import (
	"bytes"
	"context"
	"crypto/sha256"
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
)

// PullOptions say how packages are fetched.
type PullOptions struct {
	// From is a directory that already holds the downloaded .deb and .tgz
	// files; nothing is fetched then. Empty means that the user's apt-get
	// and npm fetch them.
	From string
	// Again pulls packages that are in the cache already.
	Again bool
	// Fetching is told when a package is being fetched, Unpacking before it
	// is unpacked with the size of its file; the function it returns is told
	// how many more bytes have been read. Either may be nil.
	Fetching  func(Package)
	Unpacking func(p Package, size int64) (progress func(bytes int64))
}

// ErrNoClient reports that the program that fetches a package is not there.
var ErrNoClient = errors.New("package client not found")

// Pull fetches one package with the user's own client and unpacks it into
// the cache. Either the whole package is in the cache afterwards, or nothing
// has changed. It reports false if the package was there already.
func (c *Cache) Pull(ctx context.Context, name string, options PullOptions) (bool, error) {
	p, err := packageByName(name)
	if err != nil {
		return false, err
	}
	if !options.Again {
		if _, err := c.Installed(name); err == nil {
			return false, nil
		}
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return false, fmt.Errorf("make the cache: %w", err)
	}
	downloads, err := os.MkdirTemp(c.Dir, ".download-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(downloads)
	if options.Fetching != nil {
		options.Fetching(p)
	}
	file, err := p.fetch(ctx, downloads, options.From)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	unpack := archive.Options{Keep: p.keep}
	if options.Unpacking != nil {
		unpack.Progress = options.Unpacking(p, info.Size())
	}
	sum, err := fileSHA256(file)
	if err != nil {
		return false, err
	}
	finish := func(dir string, report archive.Report) error {
		if err := p.unbundle(ctx, dir); err != nil {
			return err
		}
		data, err := json.MarshalIndent(Installed{
			Package: p.Name, Client: string(p.Client), File: filepath.Base(file), SHA256: sum,
			Files: report.Files, Bytes: report.Bytes, Licence: p.Licence,
		}, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, installedName), append(data, '\n'), 0o644)
	}
	if _, err := archive.ExtractAtomic(ctx, file, filepath.Join(c.Dir, p.dir()), unpack, finish); err != nil {
		return false, fmt.Errorf("unpack %s: %w", p.Name, err)
	}
	return true, nil
}

// unbundle unpacks the Qt resource bundles of a package into rcc/NAME and
// removes them.
func (p Package) unbundle(ctx context.Context, dir string) error {
	for _, bundle := range p.bundles {
		file := filepath.Join(dir, "usr", "share", "gcompris-qt", "rcc", bundle+".rcc")
		into := filepath.Join(dir, "rcc", bundle)
		if err := os.MkdirAll(into, 0o755); err != nil {
			return err
		}
		if _, err := archive.Extract(ctx, file, into, archive.Options{}); err != nil {
			return err
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// fetch gives the path of the downloaded package.
func (p Package) fetch(ctx context.Context, dir, from string) (string, error) {
	if from != "" {
		return p.find(from)
	}
	var command *exec.Cmd
	program := string(p.Client)
	if _, err := exec.LookPath(program); err != nil {
		return "", fmt.Errorf("%w: %s comes from %s, which is not on this machine; fetch it elsewhere and use --from DIR", ErrNoClient, p.Name, program)
	}
	switch p.Client {
	case Apt:
		command = exec.CommandContext(ctx, program, "download", "-q", p.Name)
	default:
		command = exec.CommandContext(ctx, program, "pack", "--silent", "--ignore-scripts", p.Name)
	}
	command.Dir = dir
	var output bytes.Buffer
	command.Stdout = &limitedBuffer{buffer: &output, room: 64 << 10}
	command.Stderr = command.Stdout
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s could not fetch %s: %w\n%s%s", program, p.Name, err, lastLines(output.String(), 4), p.advice())
	}
	return p.find(dir)
}

func (p Package) advice() string {
	if p.Client == Apt {
		return "try first: apt-get update (the package is in Debian's and Ubuntu's archives)"
	}
	return "check that npm reaches its registry: npm view " + p.Name + " version"
}

// find looks for the package's file among those in dir.
func (p Package) find(dir string) (string, error) {
	pattern := p.Name + "_*.deb"
	if p.Client == NPM {
		pattern = p.dir() + "-[0-9]*.tgz"
	}
	matches, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return "", err
	}
	if len(matches) == 0 {
		return "", fmt.Errorf("no file %s in %s", pattern, dir)
	}
	return matches[len(matches)-1], nil
}

// limitedBuffer keeps the last bytes of a client's output.
type limitedBuffer struct {
	buffer *bytes.Buffer
	room   int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.buffer.Len() > l.room {
		l.buffer.Reset()
	}
	return l.buffer.Write(p)
}

func lastLines(text string, n int) string {
	var kept []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, "  "+line)
		}
	}
	if len(kept) > n {
		kept = kept[len(kept)-n:]
	}
	if len(kept) == 0 {
		return ""
	}
	return strings.Join(kept, "\n") + "\n"
}

func fileSHA256(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
