package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/archive"
)

// source is something to read a connectome from: a file, a file's
// decompressed content, or a member of an archive. It can be opened several
// times, so that readers can look twice instead of keeping everything.
type source struct {
	path   string // the user's file, for messages and for finding neighbours
	member string // where in an archive; empty for the file itself
	name   string // base name without .gz and the like, for hints from the extension
	open   func() (io.ReadCloser, error)
	cfg    *config
	rep    *connectome.Report
	nested int // depth of compression and archives

	labels   *source // the archive's file of labels; nil when there is none
	blankTop bool    // a table begins with lines of bare delimiters above its header
}

// maxNested bounds archives within archives.
const maxNested = 4

func fileSource(path string, cfg *config, rep *connectome.Report) *source {
	return &source{
		path: path, name: filepath.Base(path), cfg: cfg, rep: rep,
		open: func() (io.ReadCloser, error) { return os.Open(path) },
	}
}

// fail returns a located error; line and column are 0 when unknown.
func (s *source) fail(line, column int, err error, advice string) error {
	if advice == "" {
		advice = adviceFor(err)
	}
	return &ParseError{Path: s.path, Member: s.member, Line: line, Column: column, Err: err, Advice: advice}
}

// failf is fail with a formatted message that wraps kind.
func (s *source) failf(kind error, line, column int, advice, format string, args ...any) error {
	return s.fail(line, column, fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...)), advice)
}

// wrap locates an error of a lower layer, unless it is located already.
func (s *source) wrap(err error, kind error, advice string) error {
	var pe *ParseError
	var ae *AmbiguousError
	if err == nil || errors.As(err, &pe) || errors.As(err, &ae) {
		return err
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return err
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return s.fail(0, 0, err, "raise the bound with --max-bytes if the file is sound")
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		kind = ErrTruncated
	}
	return s.fail(0, 0, fmt.Errorf("%w: %v", kind, err), advice)
}

// decompressed returns the source behind the layers of gzip, bzip2, xz or
// zstd, or s itself. Expansion is bounded by the configuration.
func (s *source) decompressed() (*source, error) {
	head, err := s.head(6)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc([]string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"}, func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }) {
		return s, nil
	}
	if s.nested >= maxNested {
		return nil, s.failf(ErrUnsupported, 0, 0, "unpack it first", "compressed %d times over", s.nested)
	}
	inner := *s
	inner.nested++
	inner.name = unpackedName(s.name)
	inner.open = func() (io.ReadCloser, error) {
		f, err := s.open()
		if err != nil {
			return nil, err
		}
		r, err := archive.Decompress(f)
		if err != nil {
			f.Close()
			return nil, s.wrap(err, ErrCorrupt, "fetch the file again")
		}
		return &boundedReader{r: r, c: f, left: s.cfg.maxBytes}, nil
	}
	return inner.decompressed()
}

// unpackedName is a name without the ending of one compression.
func unpackedName(name string) string {
	for _, ending := range []string{".gz", ".bz2", ".xz", ".zst"} {
		if rest, ok := strings.CutSuffix(name, ending); ok {
			return rest
		}
	}
	return name
}

// boundedReader gives ErrTooLarge instead of the byte after the last allowed
// one.
type boundedReader struct {
	r    io.Reader
	c    io.Closer
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, fmt.Errorf("%w: expands beyond the bound", ErrTooLarge)
	}
	b.left -= int64(n)
	return n, err
}

func (b *boundedReader) Close() error { return b.c.Close() }

// head returns up to n first bytes.
func (s *source) head(n int) ([]byte, error) {
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	buf := make([]byte, n)
	k, err := io.ReadFull(r, buf)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, s.wrap(err, ErrCorrupt, "fetch the file again")
	}
	return buf[:k], nil
}

// all returns the whole content. It grows with what is really there.
func (s *source) all() ([]byte, error) {
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, s.wrap(err, ErrCorrupt, "fetch the file again")
	}
	return data, nil
}
