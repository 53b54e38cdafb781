package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Options say what is expected of a file and how hard to try for it. The
// zero value is usable: no known hash, at most 1 GiB, four attempts.
type Options struct {
	// SHA256 is the expected digest in hexadecimal. Without it nothing is
	// verified, an earlier call's partial file is gone on with only when the
	// server's entity tag tells that the file is still the same, and a file
	// that is already there is fetched again.
	SHA256 string
	// MaxBytes bounds the size of the file; 0 means 1 GiB.
	MaxBytes int64
	// Progress, if given, is called as bytes arrive with how many the partial
	// file holds and how many are expected (-1 when the server does not say).
	Progress func(done, total int64)
	// Client makes the requests; nil means [http.DefaultClient]. Whatever it
	// allows, a redirect from https to http is refused.
	Client *http.Client
	// Attempts is how often to try, going on where the last attempt broke
	// off; 0 means 4. Answers that will not change (404, 403, …) are not
	// tried again.
	Attempts int
	// Pause is the wait before the second attempt, doubled before each
	// further one; 0 means half a second.
	Pause time.Duration
	// Stall is the longest wait for the next bytes; 0 means 30 s.
	Stall time.Duration
}

// What can go wrong, for [errors.Is]. A cancelled context is reported as
// [context.Canceled] or [context.DeadlineExceeded].
var (
	ErrHash     = errors.New("SHA-256 differs")
	ErrTooLarge = errors.New("file is too large")
	ErrStatus   = errors.New("server refused")
)

// Result describes a file that is in place.
type Result struct {
	Path    string
	Size    int64
	SHA256  string
	Cached  bool  // it was there already; nothing was fetched
	Resumed int64 // bytes that an earlier, broken download had left
}

// File fetches source into the file dest, whose directory is made if needed.
// source is an http or https address, a file: address, or a plain path.
//
// dest appears only once everything arrived and its digest is right. What has
// arrived so far is in dest+".part"; if the connection breaks, the next
// attempt, or the next call, asks for the rest of it. A partial file that
// turns out to be wrong is deleted and fetched once more from the start. Two
// calls must not fetch to the same dest at once.
func File(ctx context.Context, source, dest string, o Options) (Result, error) {
	o = o.withDefaults()
	if o.SHA256 != "" && len(o.SHA256) != 64 {
		return Result{}, fmt.Errorf("download %s: %q is no SHA-256: want 64 hexadecimal digits", source, o.SHA256)
	}
	if o.SHA256 != "" {
		if digest, size, err := Digest(dest); err == nil && digest == o.SHA256 {
			return Result{Path: dest, Size: size, SHA256: digest, Cached: true}, nil
		}
	}
	f := &fetch{ctx: ctx, source: source, dest: dest, part: dest + ".part", o: o}
	if o.SHA256 == "" {
		if tag, err := os.ReadFile(f.tagFile()); err == nil && strongTag(string(tag)) {
			f.validator = string(tag)
		} else {
			f.discard()
		}
	}
	r, err := f.run()
	if err != nil {
		return Result{}, fmt.Errorf("download %s: %w", source, err)
	}
	return r, nil
}

// Digest returns the SHA-256 of a file in hexadecimal, and its size.
func Digest(path string) (digest string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func (o Options) withDefaults() Options {
	o.SHA256 = strings.ToLower(strings.TrimSpace(o.SHA256))
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Pause <= 0 {
		o.Pause = 500 * time.Millisecond
	}
	if o.Stall <= 0 {
		o.Stall = 30 * time.Second
	}
	client := *o.Client
	follow := client.CheckRedirect
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
			return fmt.Errorf("redirect from https to %s", to.URL.Redacted())
		}
		if follow != nil {
			return follow(to, via)
		}
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		return nil
	}
	o.Client = &client
	return o
}

// fetch is one call of File.
type fetch struct {
	ctx          context.Context
	source, dest string
	part         string
	o            Options
	validator    string // ETag of what the partial file holds
}

// transient marks errors that another attempt may cure.
type transient struct{ err error }

func (t transient) Error() string { return t.err.Error() }
func (t transient) Unwrap() error { return t.err }

func (f *fetch) run() (Result, error) {
	resumed := f.have()
	pause := f.o.Pause
	for attempt := 1; ; attempt++ {
		err := f.attempt()
		if err == nil {
			r, verr := f.settle()
			if verr == nil {
				r.Resumed = resumed
				return r, nil
			}
			if !errors.Is(verr, ErrHash) || resumed == 0 {
				return Result{}, verr
			}
			resumed = 0 // the old part was of another file: once more from the start
			continue
		}
		if f.ctx.Err() != nil {
			return Result{}, fmt.Errorf("%w; %d bytes are kept for the next attempt", f.ctx.Err(), f.have())
		}
		if again := (transient{}); !errors.As(err, &again) {
			return Result{}, err
		}
		if attempt >= f.o.Attempts {
			return Result{}, fmt.Errorf("%w; gave up after %d attempts, %d bytes are kept for the next call", err, attempt, f.have())
		}
		select {
		case <-time.After(pause):
		case <-f.ctx.Done():
		}
		pause *= 2
	}
}

// have is the size of the partial file.
func (f *fetch) have() int64 {
	if info, err := os.Stat(f.part); err == nil {
		return info.Size()
	}
	return 0
}

func (f *fetch) discard() {
	os.Remove(f.part) // gone already is as good
	os.Remove(f.tagFile())
	f.validator = ""
}

// tagFile keeps the entity tag of what the partial file holds.
func (f *fetch) tagFile() string { return f.part + ".etag" }

// strongTag reports whether an ETag stands for the same bytes (RFC 9110,
// section 8.8.3).
func strongTag(tag string) bool {
	return len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"' && !strings.ContainsAny(tag, "\r\n")
}

// attempt appends what is missing to the partial file.
func (f *fetch) attempt() error {
	if path, local := localPath(f.source); local {
		f.discard()
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		size := int64(-1)
		if info, err := in.Stat(); err == nil {
			size = info.Size()
		}
		return f.save(in, 0, size, nil)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.source, nil)
	if err != nil {
		return err
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return fmt.Errorf("scheme %q; want http, https, file or a plain path", request.URL.Scheme)
	}
	request.Header.Set("User-Agent", "wire")
	request.Header.Set("Accept-Encoding", "identity") // a compressed answer has no ranges and another size
	have := f.have()
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if f.validator != "" {
			request.Header.Set("If-Range", f.validator)
		}
	}
	stall := time.AfterFunc(f.o.Stall, cancel)
	defer stall.Stop()
	response, err := f.o.Client.Do(request)
	if err != nil {
		return transient{stalled(ctx, f.ctx, err, f.o.Stall)}
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusPartialContent && have > 0:
		if !strings.HasPrefix(response.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(have, 10)+"-") {
			f.discard()
			return transient{fmt.Errorf("the server answered with range %q to a request from byte %d", response.Header.Get("Content-Range"), have)}
		}
	case code == http.StatusOK:
		f.discard() // the server sends everything
		have = 0
	case code == http.StatusRequestedRangeNotSatisfiable && have > 0:
		if response.Header.Get("Content-Range") == "bytes */"+strconv.FormatInt(have, 10) {
			return nil // the partial file is the whole one
		}
		f.discard()
		return transient{fmt.Errorf("the server has no byte %d", have)}
	case code == http.StatusTooManyRequests || code >= 500:
		return transient{fmt.Errorf("%w: %s", ErrStatus, response.Status)}
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: %s; the file may have moved, or take it from elsewhere with a mirror", ErrStatus, response.Status)
	default:
		return fmt.Errorf("%w: %s", ErrStatus, response.Status)
	}
	f.validator = ""
	if tag := response.Header.Get("ETag"); strongTag(tag) {
		f.validator = tag
		if err := os.MkdirAll(filepath.Dir(f.part), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(f.tagFile(), []byte(tag), 0o644); err != nil {
			return err
		}
	}
	total := int64(-1)
	if response.ContentLength >= 0 {
		total = have + response.ContentLength
	}
	err = f.save(response.Body, have, total, func() { stall.Reset(f.o.Stall) })
	if errors.Is(err, ErrTooLarge) {
		f.discard()
	}
	if err == nil || errors.Is(err, ErrTooLarge) {
		return err
	}
	if f.o.SHA256 == "" && f.validator == "" {
		f.discard() // nothing would tell if the rest belonged to another version
	}
	return transient{stalled(ctx, f.ctx, err, f.o.Stall)}
}

// stalled explains an error that came from our own stall timer.
func stalled(attempt, call context.Context, err error, limit time.Duration) error {
	if attempt.Err() != nil && call.Err() == nil {
		return fmt.Errorf("nothing arrived for %v", limit)
	}
	return err
}

// save appends the stream to the partial file, which holds have bytes.
func (f *fetch) save(in io.Reader, have, total int64, alive func()) (err error) {
	if total > f.o.MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTooLarge, total, f.o.MaxBytes)
	}
	if err := os.MkdirAll(filepath.Dir(f.part), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(f.part, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, rerr := in.Read(buffer)
		if n > 0 {
			if have += int64(n); have > f.o.MaxBytes {
				return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, f.o.MaxBytes)
			}
			if _, err := out.Write(buffer[:n]); err != nil {
				return err
			}
			if alive != nil {
				alive()
			}
			if f.o.Progress != nil {
				f.o.Progress(have, total)
			}
		}
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			return rerr
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
	}
	if total >= 0 && have != total {
		return fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, have, total)
	}
	return out.Sync()
}

// settle verifies the partial file and gives it its name.
func (f *fetch) settle() (Result, error) {
	digest, size, err := Digest(f.part)
	if err != nil {
		return Result{}, err
	}
	if f.o.SHA256 != "" && digest != f.o.SHA256 {
		f.discard()
		return Result{}, fmt.Errorf("%w: got %s (%d bytes), expected %s; the file was changed at its source or on the way, and nothing was kept", ErrHash, digest, size, f.o.SHA256)
	}
	if err := os.Rename(f.part, f.dest); err != nil {
		return Result{}, err
	}
	os.Remove(f.tagFile()) // gone already is as good
	return Result{Path: f.dest, Size: size, SHA256: digest}, nil
}

// localPath returns the path of a source that is not on a network.
func localPath(source string) (string, bool) {
	u, err := url.Parse(source)
	if err != nil || len(u.Scheme) <= 1 { // no scheme, or a drive letter
		return source, true
	}
	if u.Scheme == "file" {
		return filepath.FromSlash(u.Path), true
	}
	return "", false
}
