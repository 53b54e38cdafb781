package connectome

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// source is something to read a connectome from: a file, a file's
// decompressed content, or a member of an archive. It can be opened several
// times, so that readers can look twice instead of keeping everything.
type source struct {
	path   string // the user's file, for messages and for finding neighbours
	member string // where in an archive; empty for the file itself
	name   string // base name without .gz or .bz2, for hints from the extension
	open   func() (io.ReadCloser, error)
	cfg    *config
	rep    *Report
	nested int // depth of compression and archives
}

// maxNested bounds archives within archives.
const maxNested = 4

func fileSource(path string, cfg *config, rep *Report) *source {
	return &source{
		path: path, name: filepath.Base(path), cfg: cfg, rep: rep,
		open: func() (io.ReadCloser, error) { return os.Open(path) },
	}
}

// fail returns a located error; line and column are 0 when unknown.
func (s *source) fail(line, column int, err error, advice string) error {
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
		return s.fail(0, 0, err, "raise the bound with --max-bytes (WithMaxBytes) if the file is sound")
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		kind = ErrTruncated
	}
	return s.fail(0, 0, fmt.Errorf("%w: %v", kind, err), advice)
}

// decompressed returns the source behind one layer of gzip or bzip2, or s
// itself. Expansion is bounded by the configuration.
func (s *source) decompressed() (*source, error) {
	head, err := s.head(4)
	if err != nil {
		return nil, err
	}
	var unpack func(io.Reader) (io.Reader, error)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unpack = func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case bytes.HasPrefix(head, []byte("BZh")):
		unpack = func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }
	default:
		return s, nil
	}
	if s.nested >= maxNested {
		return nil, s.failf(ErrUnsupported, 0, 0, "unpack it first", "compressed %d times over", s.nested)
	}
	inner := *s
	inner.nested++
	inner.name = strings.TrimSuffix(strings.TrimSuffix(s.name, ".gz"), ".bz2")
	inner.open = func() (io.ReadCloser, error) {
		f, err := s.open()
		if err != nil {
			return nil, err
		}
		r, err := unpack(bufio.NewReaderSize(f, 1<<16))
		if err != nil {
			f.Close()
			return nil, s.wrap(err, ErrCorrupt, "fetch the file again")
		}
		return &boundedReader{r: r, c: f, left: s.cfg.maxBytes}, nil
	}
	return inner.decompressed()
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

// text opens the content as UTF-8 without a byte-order mark. Content in
// UTF-16 with a mark, as spreadsheets export it, is converted.
func (s *source) text() (*bufio.Reader, io.Closer, error) {
	f, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(f, 1<<16)
	mark, err := r.Peek(3)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, nil, s.wrap(err, ErrCorrupt, "fetch the file again")
	}
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		r.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		r.Discard(2)
		r = bufio.NewReaderSize(&utf16Reader{r: r, bigEndian: mark[0] == 0xfe}, 1<<16)
	}
	return r, f, nil
}

// utf16Reader converts UTF-16 to UTF-8.
type utf16Reader struct {
	r         *bufio.Reader
	bigEndian bool
	out       []byte
	unit      uint16 // a unit read ahead, valid when ahead
	ahead     bool
}

func (u *utf16Reader) next() (uint16, error) {
	if u.ahead {
		u.ahead = false
		return u.unit, nil
	}
	a, err := u.r.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := u.r.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if u.bigEndian {
		return uint16(a)<<8 | uint16(b), nil
	}
	return uint16(b)<<8 | uint16(a), nil
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) < min(len(p), 4096) {
		a, err := u.next()
		if err != nil {
			if len(u.out) > 0 && err == io.EOF {
				break
			}
			return 0, err
		}
		r := rune(a)
		if utf16.IsSurrogate(r) {
			b, err := u.next()
			if err != nil && err != io.EOF {
				return 0, err
			}
			if r = utf16.DecodeRune(r, rune(b)); r == utf8.RuneError && err == nil {
				u.unit, u.ahead = b, true
			}
		}
		u.out = utf8.AppendRune(u.out, r)
	}
	n := copy(p, u.out)
	u.out = append(u.out[:0], u.out[n:]...)
	return n, nil
}
