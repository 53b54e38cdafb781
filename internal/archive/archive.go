package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/foreign"
)

// Limits bound what an archive may unpack to. A zero field takes the
// default's value.
type Limits struct {
	// Files is the largest number of entries, of any type.
	Files int
	// FileBytes is the largest size of one file.
	FileBytes int64
	// TotalBytes is the largest sum of the sizes of all files written.
	TotalBytes int64
}

// DefaultLimits suit packages of pictures and sounds: 200,000 entries,
// 256 MiB a file, 4 GiB in all.
func DefaultLimits() Limits {
	return Limits{Files: 200_000, FileBytes: 256 << 20, TotalBytes: 4 << 30}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.Files <= 0 {
		l.Files = d.Files
	}
	if l.FileBytes <= 0 {
		l.FileBytes = d.FileBytes
	}
	if l.TotalBytes <= 0 {
		l.TotalBytes = d.TotalBytes
	}
	return l
}

// Options say how to unpack.
type Options struct {
	Limits Limits
	// Keep chooses the files to write by their clean slash-separated name;
	// nil keeps all.
	Keep func(name string) bool
	// Progress is told how many bytes of the archive have been read since
	// the last call; nil is silent.
	Progress func(bytes int64)
}

// Report says what was done.
type Report struct {
	// Files and Bytes count what was written.
	Files int
	Bytes int64
	// Links counts the symbolic links and special files that were left out.
	Links int
}

// Errors that callers may want to tell apart.
var (
	// ErrFormat reports a file of no known kind, or a damaged one.
	ErrFormat = errors.New("not a readable archive")
	// ErrUnsafe reports a name that would lead out of the destination.
	ErrUnsafe = errors.New("unsafe name")
	// ErrLimit reports an archive that unpacks to more than its limits.
	ErrLimit = errors.New("archive exceeds its limits")
)

// EntryError is an error about one entry of an archive.
type EntryError struct {
	Archive string // path of the archive
	Entry   string // name inside it; empty when the error is about the whole
	Err     error
}

func (e *EntryError) Error() string {
	if e.Entry == "" {
		return fmt.Sprintf("%s: %v", e.Archive, e.Err)
	}
	return fmt.Sprintf("%s: entry %q: %v", e.Archive, e.Entry, e.Err)
}

// Unwrap gives the cause.
func (e *EntryError) Unwrap() error { return e.Err }

// Extract unpacks the archive at name into the existing directory dir.
// On an error dir may hold part of the files: see [ExtractAtomic].
func Extract(ctx context.Context, name, dir string, options Options) (Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return Report{}, err
	}
	defer file.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Report{}, err
	}
	defer root.Close()
	w := &writer{ctx: ctx, root: root, limits: options.Limits.withDefaults(), keep: options.Keep, made: map[string]bool{}}
	info, err := file.Stat()
	if err != nil {
		return Report{}, err
	}
	source := &counter{file: file, ctx: ctx, progress: options.Progress}
	err = foreign.Call("the unpacking library", func() error { return w.extract(source, info.Size()) })
	var entry *EntryError
	if err != nil && !errors.As(err, &entry) {
		err = &EntryError{Archive: name, Entry: w.entry, Err: err}
	}
	return w.report, err
}

// ExtractAtomic unpacks into a temporary directory beside dir and renames
// it, replacing what dir held. finish, if not nil, may add to the temporary
// directory before it is renamed. On an error nothing is left behind and dir
// is as it was.
func ExtractAtomic(ctx context.Context, name, dir string, options Options, finish func(temporary string, report Report) error) (Report, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Report{}, err
	}
	temporary, err := atomicfile.TempDir(dir)
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return Report{}, err
	}
	report, err := Extract(ctx, name, temporary, options)
	if err != nil {
		return report, err
	}
	if finish != nil {
		if err := finish(temporary, report); err != nil {
			return report, err
		}
	}
	old := ""
	if _, err := os.Lstat(dir); err == nil {
		if old, err = os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-old-*"); err != nil {
			return report, err
		}
		defer os.RemoveAll(old)
		if err := os.Rename(dir, filepath.Join(old, "was")); err != nil {
			return report, err
		}
	}
	if err := os.Rename(temporary, dir); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(filepath.Join(old, "was"), dir))
		}
		return report, err
	}
	return report, nil
}

// counter reads the archive file, reports progress and obeys the context.
type counter struct {
	file     *os.File
	ctx      context.Context
	progress func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.file.Read(p)
	if c.progress != nil && n > 0 {
		c.progress(int64(n))
	}
	return n, err
}

func (c *counter) ReadAt(p []byte, offset int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.file.ReadAt(p, offset)
	if c.progress != nil && n > 0 {
		c.progress(int64(n))
	}
	return n, err
}

// writer is the one place where files are made.
type writer struct {
	ctx     context.Context
	root    *os.Root
	limits  Limits
	keep    func(string) bool
	entries int
	entry   string // the entry being read, for errors
	made    map[string]bool
	report  Report
}

func (w *writer) extract(source *counter, size int64) error {
	buffered := bufio.NewReaderSize(source, 1<<16)
	magic, err := buffered.Peek(8)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("PK\x05\x06")):
		return w.zip(source, size)
	case bytes.HasPrefix(magic, []byte("qres")):
		return w.rcc(source, size)
	case bytes.HasPrefix(magic, []byte(arMagic)):
		return w.deb(buffered)
	case len(magic) == 0:
		return fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	return w.compressedTar(buffered)
}

// clean checks a name and gives it in the form used on disk: relative,
// slash-separated, without "." and "..". Empty means the root itself.
func clean(name string) (string, error) {
	if strings.ContainsRune(name, 0) || strings.Contains(name, `\`) {
		return "", fmt.Errorf("%w: %q", ErrUnsafe, name)
	}
	if path.IsAbs(name) {
		return "", fmt.Errorf("%w: %q is absolute", ErrUnsafe, name)
	}
	name = path.Clean(name)
	if name == "." {
		return "", nil
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("%w: %q leads out of the destination", ErrUnsafe, name)
	}
	return name, nil
}

// next counts one entry and checks its name.
func (w *writer) next(name string) (string, error) {
	w.entry = name
	if w.entries++; w.entries > w.limits.Files {
		return "", fmt.Errorf("%w: more than %d entries", ErrLimit, w.limits.Files)
	}
	if err := w.ctx.Err(); err != nil {
		return "", err
	}
	return clean(name)
}

// wanted says whether a file is to be written.
func (w *writer) wanted(name string) bool {
	return name != "" && (w.keep == nil || w.keep(name))
}

// file writes one file from r.
func (w *writer) file(name string, r io.Reader) error {
	if parent := path.Dir(name); parent != "." && !w.made[parent] {
		if err := w.root.MkdirAll(filepath.FromSlash(parent), 0o755); err != nil {
			return err
		}
		w.made[parent] = true
	}
	file, err := w.root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	room := min(w.limits.FileBytes, w.limits.TotalBytes-w.report.Bytes)
	n, err := io.Copy(file, io.LimitReader(r, room+1))
	if closing := file.Close(); err == nil {
		err = closing
	}
	switch {
	case err != nil:
		return err
	case n > w.limits.FileBytes:
		return fmt.Errorf("%w: the file is longer than %d bytes", ErrLimit, w.limits.FileBytes)
	case n > room:
		return fmt.Errorf("%w: more than %d bytes in all", ErrLimit, w.limits.TotalBytes)
	}
	w.report.Files++
	w.report.Bytes += n
	return nil
}
